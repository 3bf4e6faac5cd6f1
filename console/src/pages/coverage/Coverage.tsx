import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { coverage, coverageSummary } from "../../api/queries";
import type { Coverage, CoverageSummary } from "../../api/types";
import { coverageSentence, partsOf } from "../../lib/coverage";
import { number } from "../../lib/text";
import { paths } from "../../paths";
import { List, type Column } from "../../ui/List";
import { Page } from "../../ui/Page";
import { StateMark } from "../../ui/StateMark";
import { Empty } from "../../ui/States";
import { Middle } from "../../ui/Text";
import { Ago } from "../../ui/Time";
import { Chips, Tools } from "../../ui/Tools";
import { useView } from "../../ui/useView";
import { FindingsTabs } from "../findings/FindingsTabs";
import "../../styles/coverage.css";

const columns: Column<Coverage>[] = [
  { key: "system", title: "System", narrow: "title", width: "17%", cell: (c) => <span className="main"><Middle text={c.system} /></span> },
  { key: "provider", title: "Provider", narrow: "plain", width: "128px", cell: (c) => c.provider || <span className="dim">none</span> },
  { key: "devices", title: "Devices", number: true, width: "84px", cell: (c) => <Devices of={c} /> },
  { key: "items", title: "Items compared", narrow: "plain", width: "176px", cell: (c) => <Items of={c} /> },
  { key: "feeds", title: "Who speaks of it", width: "14%", cell: (c) => <Speakers of={c} /> },
  { key: "why", title: "What is not looked at", narrow: "plain", cell: (c) => c.why?.length ? <span className="coverage-why">{c.why.map((w) => <span key={w}>{w}</span>)}</span> : <span className="verdict" data-state="verified"><StateMark state="verified" /> <span className="words">everything is</span></span> },
];

function Devices({ of: c }: { of: Coverage }) {
  const notes = [c.unread > 0 && `${number(c.unread)} unread`, c.silent > 0 && `${number(c.silent)} silent`].filter(Boolean);
  return <>{number(c.devices)}{notes.map((n) => <span key={String(n)} className="dim small coverage-notes"> {n}</span>)}</>;
}

function Items({ of: c }: { of: Coverage }) {
  if (c.items === 0) return <span className="dim">nothing read</span>;
  return (
    <span className="coverage-items">
      <CoverageBar of={c} />
      <span className="nowrap">{number(c.compared)} <span className="dim">of {number(c.items)}</span></span>
    </span>
  );
}

/** Items by what becomes of them. What nobody looks at is hatched, as all that is not known. */
function CoverageBar({ of }: { of: Pick<Coverage, "compared" | "foreign" | "unmapped"> }) {
  const parts = partsOf(of);
  const all = Math.max(1, parts.reduce((n, p) => n + p.n, 0));
  return (
    <span className="coverage-bar" role="img" aria-label={parts.map((p) => `${number(p.n)} ${p.words}`).join(", ")} title={parts.map((p) => `${number(p.n)} ${p.words}`).join("\n")}>
      {parts.map((p) => p.n > 0 && <span key={p.part} data-part={p.part} style={{ width: `${(p.n / all) * 100}%` }} />)}
    </span>
  );
}

function Speakers({ of: c }: { of: Coverage }) {
  if (!c.feeds?.length) return <span className="dim">nobody</span>;
  return (
    <span className="coverage-why">
      {c.feeds.map((f) => (
        <span key={f.name} title={f.trouble}>
          <Link {...paths.catalog({ tab: "feeds", q: f.name })}>{f.name}</Link> <span className="dim nowrap">{f.fresh_at ? <Ago at={f.fresh_at} /> : "age not known"}{f.standing !== "fresh" && `, ${f.standing}`}</span>
        </span>
      ))}
    </span>
  );
}

/** What is not looked at, and why? */
export function CoveragePage() {
  const [view] = useView();
  const summary = useQuery(coverageSummary(view.customer));
  const query = useInfiniteQuery(coverage({ customer: view.customer, q: view.q, state: view.state as "whole" }));
  const s = summary.data;
  return (
    <Page title="Coverage" state={s && coverageSentence(s)} asOf={s?.as_of}>
      <FindingsTabs />
      {s && s.items > 0 && <Whole of={s} />}
      <Tools search="Search systems and providers">
        <Chips name="state" label="How much" choices={[{ value: undefined, label: "All" }, { value: "partly", label: "Something is not looked at" }, { value: "whole", label: "Everything is" }]} />
      </Tools>
      <List
        label="Coverage"
        noun={["view of a system", "views of systems"]}
        columns={columns}
        query={query}
        rowKey={(c) => c.id}
        empty={view.q || view.state ? <Empty title="Nothing like that" act={<Link className="link" {...paths.coverage()}>Show all</Link>} /> : <Empty title="No device is enrolled" act={<Link className="link" {...paths.enrolment()}>Enrol the first device</Link>}>What is looked at shows here as soon as a device was read.</Empty>}
      />
    </Page>
  );
}

/** All items there are, by what becomes of them. */
function Whole({ of: s }: { of: CoverageSummary }) {
  return (
    <section className="coverage-whole" aria-label="All items by what becomes of them">
      <CoverageBar of={s} />
      <p className="coverage-key dim small">
        {partsOf(s).map((p) => <span key={p.part}><i data-part={p.part} /> <b>{number(p.n)}</b> {p.words}</span>)}
        <span>{number(s.blind)} of {number(s.devices)} devices with nothing that is looked at</span>
      </p>
    </section>
  );
}
