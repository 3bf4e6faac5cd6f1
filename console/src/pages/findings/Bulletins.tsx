import { useInfiniteQuery } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { bulletins } from "../../api/queries";
import type { Bulletin } from "../../api/types";
import { bulletinName, fixSummary, isUrgent, kindWords } from "../../lib/bulletins";
import { count, number } from "../../lib/text";
import { paths } from "../../paths";
import { List, type Column } from "../../ui/List";
import { Page } from "../../ui/Page";
import { Severity, Step } from "../../ui/Severity";
import { Empty } from "../../ui/States";
import { Ago } from "../../ui/Time";
import { Chips, Tools } from "../../ui/Tools";
import { useView } from "../../ui/useView";
import { FindingsTabs } from "./FindingsTabs";
import "../../styles/bulletins.css";

const columns: Column<Bulletin>[] = [
  { key: "name", title: "Bulletin", narrow: "title", width: "164px", cell: (b) => <Link className={b.devices > 0 ? "main nowrap" : "dim nowrap"} title={b.name} {...paths.bulletin(b.id)}>{bulletinName(b)}</Link> },
  { key: "kind", title: "News", narrow: "plain", width: "128px", cell: (b) => <Kind of={b} /> },
  { key: "title", title: "About", narrow: "plain", cell: (b) => <span className={b.devices > 0 ? "own" : "own dim"} title={b.title}>{b.title || (b.updates ?? []).join(", ") || b.name}</span> },
  { key: "severity", title: "Severity", narrow: "plain", width: "108px", cell: (b) => b.severity ? <Severity of={b.severity} /> : null },
  { key: "step", title: "To be mended", narrow: "plain", width: "112px", wide: true, cell: (b) => b.step ? <Step step={b.step} /> : null },
  { key: "fix", title: "Fix", width: "156px", cell: (b) => fixSummary(b) || null },
  { key: "seen", title: "Seen here", width: "100px", cell: (b) => <span className="dim"><Ago at={b.seen_at} /></span> },
  { key: "devices", title: "Devices", width: "76px", number: true, cell: (b) => b.devices > 0 ? <Link {...paths.bulletin(b.id)}>{number(b.devices)}</Link> : <span className="dim">nobody</span> },
];

function Kind({ of: b }: { of: Bulletin }) {
  const loud = isUrgent(b) && b.devices > 0;
  return <span className={loud ? "tag bulletin-urgent nowrap" : b.devices > 0 ? "nowrap" : "dim nowrap"}>{kindWords[b.kind]}</span>;
}

const kinds: Bulletin["kind"][] = ["exploited", "out-of-band", "recalled", "trouble", "new", "fixed", "raised", "monthly"];

/** What is news, and whom does it touch? */
export function Bulletins() {
  const [view] = useView();
  const navigate = useNavigate();
  const touching = view.state === "touching";
  const kind = kinds.find((k) => k === view.class);
  const query = useInfiniteQuery(bulletins({ customer: view.customer, q: view.q, kind, touching: touching || undefined }));
  const first = query.data?.pages[0];
  return (
    <Page title="Bulletins" state={first && sentence(first.total, touching, first.items)} asOf={first?.as_of}>
      <FindingsTabs />
      <Tools search="Search bulletins, CVEs and updates">
        <Chips name="state" label="Whom they touch" choices={[{ value: undefined, label: "All" }, { value: "touching", label: "Touching devices" }]} />
        <Chips name="class" label="What is news" choices={[{ value: undefined, label: "Any news" }, ...kinds.map((k) => ({ value: k, label: kindWords[k] }))]} />
      </Tools>
      <List
        label="Bulletins"
        noun={["bulletin", "bulletins"]}
        columns={columns}
        query={query}
        rowKey={(b) => b.id}
        open={(b) => void navigate(paths.bulletin(b.id))}
        empty={<None filtered={Boolean(view.q || kind || touching)} />}
      />
    </Page>
  );
}

/** Those that touch anybody come first, so that the first row tells whether any does. */
function sentence(total: number, touching: boolean, rows: Bulletin[]): string {
  const top = rows[0];
  if (!top) return "Nothing is news.";
  const unread = Math.max(...rows.map((b) => b.unread));
  const known = unread > 0 ? ` ${number(unread)} of ${count(top.enrolled, "device")} could not be looked at.` : "";
  if (touching) return `${count(total, "bulletin")} of the last half year ${total === 1 ? "touches" : "touch"} devices now.${known}`;
  if (top.devices === 0) return `${count(total, "bulletin")} of the last half year, none of which touches a device now.${known}`;
  return `${count(total, "bulletin")} of the last half year, those that touch devices first.${known}`;
}

function None({ filtered }: { filtered: boolean }) {
  if (filtered) return <Empty title="No such bulletin" act={<Link className="link" {...paths.bulletins()}>Show all bulletins</Link>}>Nothing of this kind came in the last half year.</Empty>;
  return (
    <Empty title="Nothing is news yet" act={<Link className="link" {...paths.catalog({ tab: "feeds" })}>Look at the feeds</Link>}>
      What a feed says when it is first read is old. Whatever it brings after that is told here, with the devices that it touches.
    </Empty>
  );
}
