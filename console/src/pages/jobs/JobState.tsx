import type { Job, State } from "../../api/types";
import { doingWord, jobSteps } from "../../lib/verdicts";
import { StateMark } from "../../ui/StateMark";
import { Since } from "../../ui/Time";
import "../../styles/job.css";

export function jobStateOf(j: Job): State {
  if (j.withdrawn_at) return "excepted";
  if (j.result === "failed" || j.result === "refused" || j.step === "failed") return "failed";
  if (j.ended_at) return j.result === "ok" || j.step === "done" ? "verified" : "unknown";
  return j.step === "waiting" || !j.step ? "waits_time" : "moving";
}

function jobWord(j: Job): string {
  if (j.withdrawn_at) return "Withdrawn";
  if (j.ended_at) return j.result === "refused" ? "Refused" : jobStateOf(j) === "failed" ? "Failed" : j.verb === "undo" ? "Taken back" : "Done";
  return doingWord(j.step, j.verb === "undo");
}

/** Where a job stands, as a chip and the steps it has gone through. */
export function JobState({ job: j, short = false }: { job: Job; short?: boolean }) {
  const state = jobStateOf(j);
  return (
    <span className="verdict" data-state={state} title={j.message || j.why}>
      <StateMark state={state} />
      <span className="words">{jobWord(j)}</span>
      {!j.ended_at && !j.withdrawn_at && <StepDots job={j} />}
      {!short && <span className="rest">
        · since <Since at={j.ended_at ?? j.withdrawn_at ?? j.step_since ?? j.created_at} />
        {(j.message || j.why) && ` · ${j.message || j.why}`}
      </span>}
    </span>
  );
}

function StepDots({ job: j }: { job: Job }) {
  const at = jobSteps.indexOf(j.step ?? "");
  return (
    <span className="step-dots" aria-hidden="true">
      {jobSteps.map((s, i) => <span key={s} data-done={i < at || undefined} data-now={i === at || undefined} />)}
    </span>
  );
}
