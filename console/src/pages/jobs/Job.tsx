import { useQuery } from "@tanstack/react-query";
import { useParams } from "@tanstack/react-router";
import { approvals, job } from "../../api/queries";
import type { JobDetail, Outcome, Receipt } from "../../api/types";
import { exact } from "../../lib/time";
import { stepWord } from "../../lib/verdicts";
import { paths } from "../../paths";
import { Loaded } from "../../ui/Loaded";
import { Page, Section } from "../../ui/Page";
import { StateMark } from "../../ui/StateMark";
import { Empty } from "../../ui/States";
import { VersionChange } from "../../ui/Text";
import { Ago, Next } from "../../ui/Time";
import { JobChange } from "./JobChange";
import { JobState } from "./JobState";
import { Steps } from "./Steps";
import "../../styles/device.css";
import "../../styles/job.css";

export function JobPage() {
  const { job: id } = useParams({ from: "/app/jobs/$job" });
  const query = useQuery({ ...job(id), refetchInterval: (q) => (q.state.data && !q.state.data.ended_at ? 15_000 : false) });
  if (!query.data) {
    return (
      <Page title="Job" crumbs={[{ link: paths.jobs(), text: "Jobs" }]}>
        <Loaded query={query} what="This job could not be read.">{() => null}</Loaded>
      </Page>
    );
  }
  return <Known job={query.data} />;
}

function Known({ job: j }: { job: JobDetail }) {
  return (
    <Page
      title={`${j.item.name} on ${j.device.name}`}
      crumbs={[
        { link: paths.customer(j.customer.id), text: j.customer.name },
        { link: paths.device(j.device.id), text: j.device.name },
      ]}
      state={<JobState job={j} />}
    >
      <Steps job={j} />
      <div className="about" style={{ marginTop: 28 }}>
        <section aria-label="What was ordered">
          <h2>What was ordered</h2>
          <dl className="facts">
            <dt>Change</dt><dd><JobChange job={j} /></dd>
            <dt>Attempt</dt><dd>{j.attempt}</dd>
            <dt>Because of</dt><dd><Because job={j} /></dd>
            <dt>Outside the window</dt><dd>{j.forced ? `asked for by ${j.forced}` : "no"}</dd>
            <dt>Not before</dt><dd><Next at={j.not_before} /></dd>
            <dt>Not after</dt><dd><Next at={j.not_after} /></dd>
          </dl>
        </section>
        <section aria-label="Receipt">
          <h2>Receipt</h2>
          {j.receipt ? <Proof job={j.id} receipt={j.receipt} /> : <p className="dim">Comes when the device has verified by a fresh scan, signed with the device's key.</p>}
        </section>
      </div>
      <Section title="Outcomes">
        {j.outcomes?.length ? (
          <ol className="lines">{j.outcomes.map((o) => <OneOutcome key={o.seq} outcome={o} undo={j.verb === "undo"} />)}</ol>
        ) : (
          <Empty small title="The device has told nothing yet" />
        )}
      </Section>
    </Page>
  );
}

/** The decision behind a job, in words where it is a person's. */
function Because({ job: j }: { job: JobDetail }) {
  const known = useQuery({ ...approvals(j.device.id), enabled: j.decision.startsWith("apr_") }).data;
  const a = known?.items.find((one) => one.id === j.decision);
  if (!a) return <>{j.decision.startsWith("apr_") ? "a person's decision" : rule(j.decision)}</>;
  return <>{a.by.name} {a.answer === "undo" ? "asked to take it back" : "approved it"} for {a.target_name || a.customer.name} <Ago at={a.at} />{a.reason && `: ${a.reason}`}</>;
}

/** A rule by what it is for: of a site, or of a site for one program. */
function rule(id: string): string {
  if (!id.startsWith("rule:")) return id;
  const at = id.indexOf("/");
  return at < 0 ? "the site's rule for security updates" : `the site's rule for ${id.slice(at + 1)}`;
}

function OneOutcome({ outcome: o, undo }: { outcome: Outcome; undo: boolean }) {
  const state = o.result === "ok" ? "verified" : o.result === "told" ? "moving" : o.result === "busy" || o.result === "offline" ? "waits_time" : "failed";
  return (
    <li>
      <span className="verdict" data-state={state}><StateMark state={state} /><b>{stepWord(o.step, undo)}</b><span className="rest">{o.result}</span></span>
      <span className="dim" title={`${exact(o.at)} by the device's clock\n${exact(o.received_at)} received`}><Ago at={o.at} /></span>
      {o.message && <p style={{ flexBasis: "100%" }}>{o.message}</p>}
      {o.detail && (
        <details style={{ flexBasis: "100%" }}>
          <summary>The manager's own words</summary>
          <pre className="words-raw">{o.detail}</pre>
        </details>
      )}
    </li>
  );
}

function Proof({ job, receipt: r }: { job: string; receipt: Receipt }) {
  const pulled = (r.changes ?? []).filter((c) => !c.asked);
  return (
    <dl className="facts">
      <dt>Verified</dt><dd>{r.verified ? "Yes, by a scan after it" : "No"}</dd>
      <dt>Signature</dt><dd>{r.signature_ok ? `Right, by key ${r.key ?? "of the device"}` : "Does not fit: do not rely on this receipt"}</dd>
      <dt>Before, after</dt><dd><VersionChange from={r.before} to={r.after ?? "not read"} /></dd>
      <dt>Took</dt><dd>{exact(r.started_at)} to {exact(r.ended_at)}</dd>
      <dt>Rebooted</dt><dd>{!r.boot_before || !r.boot_after ? "Not known" : r.boot_before !== r.boot_after ? "Yes" : "No"}</dd>
      <dt>As signed</dt><dd><a className="link" href={`/api/v1/jobs/${job}/receipt`} download={`receipt-${job}.json`}>Save it</a>, to check it anywhere: <code>patchbay verify receipt</code></dd>
      {pulled.length > 0 && (
        <><dt>Came with it</dt><dd>{pulled.map((c) => <div key={c.name}>{c.name} <VersionChange from={c.from || "new"} to={c.to || "removed"} /></div>)}</dd></>
      )}
      {(r.conflicts ?? []).length > 0 && (
        <><dt>Kept as it was</dt><dd>{(r.conflicts ?? []).map((c) => <div key={c.path}><code>{c.path}</code>{c.vendor && <span className="dim"> (the vendor's lies in {c.vendor})</span>}</div>)}</dd></>
      )}
    </dl>
  );
}
