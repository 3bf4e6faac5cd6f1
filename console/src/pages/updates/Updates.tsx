import { useInfiniteQuery } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { updates } from "../../api/queries";
import type { Update } from "../../api/types";
import { useDecide } from "../../app/useActs";
import { count, number } from "../../lib/text";
import { paths } from "../../paths";
import { List, type Column } from "../../ui/List";
import { Page } from "../../ui/Page";
import { PostureBar, total } from "../../ui/Posture";
import { StateMark } from "../../ui/StateMark";
import { Empty } from "../../ui/States";
import { BackOver } from "../../ui/Reversible";
import { Classes, Middle, Titled, VersionChange } from "../../ui/Text";
import { Ago } from "../../ui/Time";
import { Chips, Tools } from "../../ui/Tools";
import { useView } from "../../ui/useView";
import { askForUpdate, everywhere } from "../needs/asks";
import { ClassBar, ClassChips } from "../needs/ByClass";

const columns: Column<Update>[] = [
  {
    key: "name",
    title: "Update",
    sort: "name",
    narrow: "title",
    width: "15%",
    covers: (u) => Boolean(u.title),
    cell: (u) => <Link {...paths.update(u.id)}>{u.title ? <Titled name={u.name} title={u.title} /> : <span className="main"><Middle text={u.name} /></span>}</Link>,
  },
  { key: "version", title: "Change", narrow: "plain", cell: (u) => <Change update={u} /> },
  { key: "undo", title: "Undo", width: "126px", cell: (u) => <BackOver devices={u.reversible} /> },
  { key: "class", title: "Class", width: "117px", narrow: "plain", cell: (u) => <Classes classes={u.classes} severity={u.severity} /> },
  {
    key: "released",
    title: "Released",
    sort: "released",
    width: "98px",
    narrow: "plain",
    cell: (u) => <span className="dim" title={u.released_at ? `Released, by the ${u.released_by ?? "source"}` : "First seen here: it came out then or before"}><Ago at={u.released_at ?? u.first_seen} /></span>,
  },
  { key: "bar", title: "States", width: "7%", narrow: "hide", wide: true, cell: (u) => <PostureBar counts={u.counts} /> },
  {
    key: "verified",
    title: "Verified",
    width: "132px",
    number: true,
    cell: (u) => (
      <Link {...paths.update(u.id)}>
        {number(u.counts.verified)} of {number(total(u.counts))}{u.silent > 0 && <span className="dim"> ({number(u.silent)} silent)</span>}
      </Link>
    ),
  },
  {
    key: "waiting",
    title: "Waiting",
    sort: "waiting",
    width: "78px",
    number: true,
    cell: (u) =>
      u.counts.waits_person > 0 ? (
        <Link {...paths.update(u.id, { state: "waits_person" })}><b style={{ color: "var(--waits_person)" }}>{number(u.counts.waits_person)}</b></Link>
      ) : (
        <span className="dim">0</span>
      ),
  },
  { key: "devices", title: "Devices", sort: "devices", width: "78px", number: true, narrow: "hide", cell: (u) => number(u.devices) },
];

function Change({ update: u }: { update: Update }) {
  const from = u.from ?? [];
  const only = from[0];
  if (from.length === 1 && only) return <VersionChange from={only} to={u.available} />;
  return (
    <span className="version" title={from.join("\n")}>
      <span className="from">{from.length > 0 ? count(from.length, "version") : ""}</span>
      <span className="arrow">→</span>
      <b>{u.available}</b>
    </span>
  );
}

export function Updates() {
  const [view] = useView();
  const navigate = useNavigate();
  const decide = useDecide();
  const query = useInfiniteQuery(updates({ customer: view.customer, class: view.class, state: view.state, q: view.q, sort: view.sort }));
  const first = query.data?.pages[0];
  return (
    <Page title="Updates" state={first && `${count(first.total, "update")} on offer for enrolled devices.`} asOf={first?.as_of}>
      <Tools search="Search updates">
        <Chips
          name="state"
          label="State"
          choices={[
            { value: undefined, label: "All" },
            { value: "waits_person", label: <><StateMark state="waits_person" /> Waiting for a person</> },
            { value: "failed", label: <><StateMark state="failed" /> Failed somewhere</> },
            { value: "moving", label: <><StateMark state="moving" /> Moving</> },
          ]}
        />
        <ClassChips customer={view.customer} />
      </Tools>
      <ClassBar customer={view.customer} />
      <List
        label="Updates"
        noun={["update", "updates"]}
        columns={columns}
        query={query}
        rowKey={(u) => u.id}
        open={(u) => void navigate(paths.update(u.id))}
        act={(u) => decide(askForUpdate("approve", u, [everywhere]))}
        actWord="approve"
        empty={<NoUpdate filtered={Boolean(view.q || view.class || view.state)} />}
      />
    </Page>
  );
}

function NoUpdate({ filtered }: { filtered: boolean }) {
  if (filtered) return <Empty title="No update like that" act={<Link className="link" {...paths.updates()}>Show all updates</Link>}>No device needs one that fits these filters.</Empty>;
  return (
    <Empty title="No update is known" act={<Link className="link" {...paths.devices()}>Look at the devices</Link>}>
      Updates show up here when a scan of a device finds them on offer.
    </Empty>
  );
}
