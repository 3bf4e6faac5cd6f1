import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { support, supportSummary } from "../../api/queries";
import type { SupportKind, SupportRow } from "../../api/types";
import { paidWords, supportName, supportSentence } from "../../lib/support";
import { count, list, number } from "../../lib/text";
import { paths } from "../../paths";
import { List, type Column } from "../../ui/List";
import { Page } from "../../ui/Page";
import { Empty } from "../../ui/States";
import { Middle } from "../../ui/Text";
import { Chips, Tools } from "../../ui/Tools";
import { useView } from "../../ui/useView";
import { FindingsTabs } from "../findings/FindingsTabs";
import { Months } from "./Months";
import { SupportState } from "./SupportState";

const kindWords: Record<string, string> = { os: "system", application: "application", hardware: "hardware" };

const columns: Column<SupportRow>[] = [
  { key: "what", title: "What", sort: "title", narrow: "title", cell: (r) => <Link className="main" {...paths.supportDevices({ of: r.id })} title={r.why}><Middle text={supportName(r)} /></Link> },
  { key: "kind", title: "Kind", width: "96px", narrow: "plain", cell: (r) => <span className="dim">{kindWords[r.kind]}</span> },
  { key: "state", title: "Support", width: "112px", narrow: "plain", cell: (r) => <SupportState of={r} /> },
  { key: "last", title: "Last day", sort: "last", width: "104px", cell: (r) => r.last ? <span className="nowrap" title={r.why}>{r.last}</span> : <span className="dim">not known</span> },
  { key: "paid", title: "For those who pay", width: "21%", wide: true, narrow: "hide", cell: (r) => <span className="dim own">{paidWords(r) || "–"}</span> },
  { key: "by", title: "By whose word", width: "150px", narrow: "hide", cell: (r) => <span className="dim">{r.by ?? "nobody says"}</span> },
  { key: "customers", title: "Customers", width: "86px", number: true, narrow: "hide", cell: (r) => number(r.customers) },
  { key: "devices", title: "Devices", sort: "devices", width: "82px", number: true, cell: (r) => <Link {...paths.supportDevices({ of: r.id })}>{number(r.devices)}</Link> },
];

const usual = 90;

/** What does nobody mend any more, and what soon? */
export function Support() {
  const [view] = useView();
  const navigate = useNavigate();
  const within = Math.min(3650, Math.max(0, Number(view.within) || usual));
  const summary = useQuery(supportSummary(view.customer, within));
  const query = useInfiniteQuery(support({ customer: view.customer, q: view.q, sort: view.sort as "last", kind: view.kind as "os", state: view.state as "ended", within }));
  const s = summary.data;
  return (
    <Page title="Support" state={s && supportSentence(s.kinds, within)} asOf={s?.as_of}>
      <FindingsTabs />
      {s?.products === 0 && <p className="notice-line">No feed on ends of support holds here, so only what devices know of their own systems counts. <Link className="link" {...paths.catalog({ tab: "feeds" })}>Look at the feeds</Link></p>}
      {s && (
        <div className="support-head">
          <Months months={s.months} now={Date.parse(s.as_of)} />
          <Known kinds={s.kinds} />
        </div>
      )}
      <Tools search="Search systems and programs">
        <Chips name="kind" label="Kind" choices={[{ value: undefined, label: "All" }, { value: "os", label: "Systems" }, { value: "application", label: "Applications" }]} />
        <Chips
          name="state"
          label="Support"
          choices={[
            { value: undefined, label: `Ended, or within ${number(within)} days` },
            { value: "ended", label: "Ended" },
            { value: "supported", label: "Supported" },
            { value: "unknown", label: "Not known" },
          ]}
        />
        <Chips name="within" label="How far ahead" choices={[{ value: "30", label: "30 days" }, { value: undefined, label: "90" }, { value: "365", label: "A year" }]} />
      </Tools>
      <List label="Support" noun={["line of releases", "lines of releases"]} columns={columns} query={query} rowKey={(r) => r.id} open={(r) => void navigate(paths.supportDevices({ of: r.id }))} empty={<Nothing state={view.state} filtered={Boolean(view.q ?? view.kind)} within={within} />} />
    </Page>
  );
}

/** What the counts are of, and what nobody says. */
function Known({ kinds }: { kinds: SupportKind[] }) {
  const of = (kind: string) => kinds.find((k) => k.kind === kind);
  const [systems, programs, hardware] = [of("os"), of("application"), of("hardware")];
  return (
    <section className="support-known" aria-label="What is known">
      <h2>What is known</h2>
      <dl className="facts">
        <dt>Systems</dt>
        <dd>{systems && `of ${number(systems.devices - systems.unknown)} of ${count(systems.devices, "device")}`}{systems && systems.unknown > 0 && <> · <Link {...paths.support({ kind: "os", state: "unknown" })}>{number(systems.unknown)} not known</Link></>}</dd>
        <dt>Applications</dt>
        <dd>{programs && <ItemCounts of={programs} />}</dd>
        <dt>Hardware</dt>
        <dd>{hardware && <>of none of {count(hardware.devices, "device")} <p className="dim small">{hardware.why}</p></>}</dd>
      </dl>
    </section>
  );
}

function ItemCounts({ of: k }: { of: SupportKind }) {
  const parts = [`${number(k.distribution)} are their distribution's own, and end with it`, `of ${number(k.known)} their publisher's end is told`, `of ${number(k.unmapped)} nobody says anything`];
  return (
    <>
      of {count(k.items, "item")}
      <p className="dim small">{list(parts)}{k.unknown > 0 && `; the software of ${count(k.unknown, "device")} is not known`}.</p>
    </>
  );
}

function Nothing({ state, filtered, within }: { state?: string; filtered: boolean; within: number }) {
  const all = <Link className="link" {...paths.support()}>Show all</Link>;
  if (state === "unknown") return <Empty title="Nothing that devices have is without an answer" act={all} />;
  if (filtered || state) return <Empty title="Nothing like that" act={all} />;
  return <Empty title="Nothing is out of support, as far as is known">Nothing ends within {number(within)} days either. What nobody says anything of is counted above.</Empty>;
}
