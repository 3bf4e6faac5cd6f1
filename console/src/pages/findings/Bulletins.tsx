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
  { key: "name", title: "Bulletin", narrow: "title", width: "208px", cell: (b) => <Link className="main nowrap" title={b.name} {...paths.bulletin(b.id)}>{bulletinName(b)}</Link> },
  { key: "kind", title: "News", narrow: "plain", width: "132px", cell: (b) => <Kind of={b} /> },
  { key: "title", title: "About", narrow: "plain", cell: (b) => <span className="own" title={b.title}>{b.title || (b.updates ?? []).join(", ")}</span> },
  { key: "severity", title: "Severity", narrow: "plain", width: "112px", cell: (b) => b.severity ? <Severity of={b.severity} /> : <span className="dim wide">–</span> },
  { key: "step", title: "To be mended", narrow: "plain", width: "116px", cell: (b) => b.step ? <Step step={b.step} /> : <span className="dim wide">–</span> },
  { key: "fix", title: "Fix", width: "116px", cell: (b) => fixSummary(b) || <span className="dim">–</span> },
  { key: "seen", title: "Seen here", width: "104px", cell: (b) => <span className="dim"><Ago at={b.seen_at} /></span> },
  { key: "customers", title: "Customers", width: "86px", number: true, narrow: "hide", cell: (b) => b.devices > 0 ? number(b.customers) : <span className="dim">–</span> },
  { key: "devices", title: "Devices", width: "84px", number: true, cell: (b) => b.devices > 0 ? <Link {...paths.bulletin(b.id)}>{number(b.devices)}</Link> : <span className="dim">nobody</span> },
];

function Kind({ of: b }: { of: Bulletin }) {
  return <span className={isUrgent(b) ? "tag bulletin-urgent nowrap" : "nowrap"}>{kindWords[b.kind]}</span>;
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
    <Page title="Bulletins" state={first && sentence(first.total, touching, first.items[0])} asOf={first?.as_of}>
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
function sentence(total: number, touching: boolean, top?: Bulletin): string {
  if (!top) return "Nothing is news.";
  const unread = top.unread > 0 ? ` ${number(top.unread)} of ${count(top.enrolled, "device")} could not be looked at.` : "";
  if (touching) return `${count(total, "bulletin")} of the last half year ${total === 1 ? "touches" : "touch"} devices now.${unread}`;
  if (top.devices === 0) return `${count(total, "bulletin")} of the last half year, none of which touches a device now.${unread}`;
  return `${count(total, "bulletin")} of the last half year, those that touch devices first.${unread}`;
}

function None({ filtered }: { filtered: boolean }) {
  if (filtered) return <Empty title="No such bulletin" act={<Link className="link" {...paths.bulletins()}>Show all bulletins</Link>}>Nothing of this kind came in the last half year.</Empty>;
  return (
    <Empty title="Nothing is news yet" act={<Link className="link" {...paths.catalog({ tab: "feeds" })}>Look at the feeds</Link>}>
      What a feed says when it is first read is old. Whatever it brings after that is told here, with the devices that it touches.
    </Empty>
  );
}
