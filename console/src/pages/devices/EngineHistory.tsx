import { useInfiniteQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { deviceHistory } from "../../api/queries";
import type { DeviceDetail, HistoryEvent } from "../../api/types";
import { eventSays, historyPart, upper } from "../../lib/engine";
import { unmarked } from "../../lib/title";
import { paths } from "../../paths";
import { List, type Column } from "../../ui/List";
import { Section } from "../../ui/Page";
import { StateMark } from "../../ui/StateMark";
import { Empty } from "../../ui/States";
import { Middle, Titled } from "../../ui/Text";
import { Ago, Since } from "../../ui/Time";
import { Chips, Tools } from "../../ui/Tools";
import { useView } from "../../ui/useView";

const columnsOf = (d: DeviceDetail): Column<HistoryEvent>[] => [
  { key: "what", title: "Update", narrow: "title", width: "39%", cell: (e) => <What event={e} device={d} /> },
  { key: "result", title: "What it says", narrow: "plain", cell: (e) => <Says event={e} /> },
  { key: "by", title: "Asked by", width: "14%", narrow: "plain", cell: (e) => <span className="dim">{e.by ? <Middle text={e.by} /> : "nobody it names"}</span> },
  { key: "at", title: "When", width: "104px", narrow: "plain", cell: (e) => <span className="dim"><Ago at={e.at} zone={d.zone} none="not told" /></span> },
];

function What({ event: e, device: d }: { event: HistoryEvent; device: DeviceDetail }) {
  const name = <Titled name={unmarked(e.name)} title={e.title} />;
  return e.need ? <Link {...paths.device(d.id, { tab: "needs", need: e.need })}>{name}</Link> : name;
}

function Says({ event: e }: { event: HistoryEvent }) {
  const says = eventSays(e);
  const why = [e.why, e.code].filter(Boolean).join(", ");
  return (
    <span className="verdict says" data-state={says.state}>
      {says.state && <StateMark state={says.state} />}
      <span className={says.state ? "words" : "dim"}>{says.words}</span>
      {why && <span className="rest" title={why}>{why}</span>}
    </span>
  );
}

/** What the engine says it did, the newest first. It proves nothing, and says so. */
export function EngineHistory({ device: d }: { device: DeviceDetail }) {
  const [view, change] = useView();
  const query = useInfiniteQuery(deviceHistory(d.id, { q: view.q, result: view.state }));
  const part = historyPart(d);
  return (
    <Section title="What Windows says it did" about={<>Its own history, the newest 200 lines. It proves nothing: what is there stands in the <Link className="link" {...paths.device(d.id, { tab: "inventory" })}>inventory</Link>.</>}>
      {part?.error && (
        <div className="history-old" role="status">
          <p><StateMark state="unknown" /> <b>It cannot be read, since <Since at={part.failed_at} zone={d.zone} />.</b> What is shown is as it was read <Ago at={part.scanned_at} zone={d.zone} />.</p>
          <p className="dim">{upper(part.error)}</p>
        </div>
      )}
      <Tools search="Search the history">
        <Chips name="state" label="Result" choices={[
          { value: undefined, label: "All" },
          { value: "failed", label: <><StateMark state="failed" /> Not installed</> },
          { value: "partly", label: <><StateMark state="failed" /> With errors</> },
          { value: "aborted", label: <><StateMark state="failed" /> Stopped</> },
          { value: "succeeded", label: "Installed, it says" },
        ]} />
      </Tools>
      <List
        label="History of Windows Update"
        noun={["line", "lines"]}
        columns={columnsOf(d)}
        query={query}
        rowKey={(e) => [e.at, e.name, e.version, e.result, e.removal, e.code].join("/")}
        empty={
          view.q || view.state ? (
            <Empty small title="Nothing in the history is like that" act={<button type="button" className="link" onClick={() => change({ q: undefined, state: undefined })}>Show all of it</button>} />
          ) : (
            <Nothing device={d} part={part} />
          )
        }
      />
    </Section>
  );
}

function Nothing({ device: d, part }: { device: DeviceDetail; part?: { state: string } }) {
  if (!d.scanned_at) return <Empty small title="Not read yet">It comes with the first complete scan.</Empty>;
  if (!part || part.state === "absent") return <Empty small title="Not told">This agent does not tell the history: it is older than that, or there is no Windows Update here.</Empty>;
  if (part.state === "failed") return <Empty small title="Never read">What Windows says it did was never told.</Empty>;
  return <Empty small title="The history is empty">Windows says that it never installed an update. Somebody may have emptied it.</Empty>;
}
