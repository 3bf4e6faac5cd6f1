import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { withdraw as withdrawn } from "../../api/acts";
import type { Approval, Job, NeedDetail } from "../../api/types";
import { bytes } from "../../lib/text";
import { stepWord } from "../../lib/verdicts";
import { paths } from "../../paths";
import { Trouble } from "../../ui/States";
import { Back } from "../../ui/Reversible";
import { Step } from "../../ui/Severity";
import { Classes } from "../../ui/Text";
import { Ago } from "../../ui/Time";
import { Mends } from "./Mends";
import { installedHere } from "./undo";

/** The facts of the update itself, and what was decided and done about it. */
export function About({ need: n }: { need: NeedDetail }) {
  const approvals = n.approvals ?? [];
  const jobs = n.jobs ?? [];
  return (
    <>
      <section aria-label="The update">
        <h3>The update</h3>
        <dl className="facts">
          <dt>Class</dt><dd><Classes classes={n.classes} severity={n.severity} full /></dd>
          {n.why && <><dt>How soon</dt><dd><Step step={n.step} /><p className="dim small">{n.why}</p></dd></>}
          <dt>From</dt><dd>{[n.origin, n.suite].filter(Boolean).join(", ") || "not known"}</dd>
          <Mends of={n} />
          <dt>Provider</dt><dd>{[n.item.provider, n.item.architecture, n.item.scope].filter(Boolean).join(" · ")}</dd>
          <dt>Download</dt><dd>{n.size ? bytes(n.size) : "size not known"}</dd>
          <dt>Reboot</dt><dd>{n.reboot === "yes" ? "asks for one" : n.reboot === "no" ? "not needed" : "not known"}</dd>
          {n.update && <><dt>Undo</dt><dd><TakenBack need={n} /></dd></>}
          {n.update && <><dt>Elsewhere</dt><dd><Link className="link" {...paths.update(n.update)}>Where this update stands</Link></dd></>}
        </dl>
      </section>
      {approvals.length > 0 && (
        <section aria-label="Decisions">
          <h3>Decisions</h3>
          <ul className="drawer-list">{approvals.map((a) => <Decision key={a.id} approval={a} />)}</ul>
        </section>
      )}
      {jobs.length > 0 && (
        <section aria-label="Jobs">
          <h3>Jobs</h3>
          <ul className="drawer-list">{jobs.map((j) => <OneJob key={j.id} job={j} />)}</ul>
        </section>
      )}
    </>
  );
}

/** Before it is installed: how it could be taken back. After that: to what. */
function TakenBack({ need: n }: { need: NeedDetail }) {
  if (installedHere(n)) return n.previous ? <>goes back to <span className="version">{n.previous}</span></> : <>nothing is kept here to go back to</>;
  return <><Back known={n.reversibility} why={n.reversibility_why} full />{n.reversibility_why && <p className="dim small">{n.reversibility_why}</p>}</>;
}

const answers: Record<Approval["answer"], string> = { approve: "Approved", reject: "Rejected", undo: "Undo decided" };

function Decision({ approval: a }: { approval: Approval }) {
  const client = useQueryClient();
  const withdraw = useMutation({
    mutationFn: () => withdrawn(a.id),
    onSuccess: () => client.invalidateQueries(),
  });
  return (
    <li>
      <p>
        {answers[a.answer]} for {a.target_name || a.customer.name} by {a.by.name},{" "}
        <span className="dim"><Ago at={a.at} /></span>
        {a.withdrawn_at && <span className="dim">, withdrawn <Ago at={a.withdrawn_at} /></span>}
      </p>
      {a.reason && <p className="dim">{a.reason}</p>}
      {a.forced_until && !a.withdrawn_at && <p className="dim">Also outside the window until <Ago at={a.forced_until} />.</p>}
      {!a.withdrawn_at && (
        <button type="button" className="link small" disabled={withdraw.isPending} onClick={() => withdraw.mutate()}>
          Withdraw this decision
        </button>
      )}
      {withdraw.error && <Trouble error={withdraw.error} what="The decision still stands." />}
    </li>
  );
}

function OneJob({ job: j }: { job: Job }) {
  return (
    <li>
      <Link className="link" {...paths.job(j.id)}>{j.verb === "undo" && "Undo: "}{stepWord(j.step, j.verb === "undo")}</Link>
      <span className="dim">, attempt {j.attempt}, <Ago at={j.ended_at ?? j.step_since ?? j.created_at} /></span>
      {j.message && <p className="dim">{j.message}</p>}
    </li>
  );
}
