import type { JobDetail, Outcome } from "../../api/types";
import { jobSteps, stepWord } from "../../lib/verdicts";
import { Since } from "../../ui/Time";
import { jobStateOf } from "./JobState";
import "../../styles/job.css";

/** The steps of a job as jacks on a line: done, at work, to come. They move as events arrive. */
export function Steps({ job: j }: { job: JobDetail }) {
  const state = jobStateOf(j);
  const told = new Map<string, Outcome>((j.outcomes ?? []).map((o) => [o.step, o]));
  const last = [...jobSteps].reverse().find((s) => told.has(s));
  const at = state === "verified" ? jobSteps.length : jobSteps.indexOf(j.step === "failed" || j.step === "done" ? (last ?? "applying") : (j.step ?? ""));
  return (
    <ol className="steps" aria-label="Steps" data-state={state}>
      {jobSteps.map((s, i) => {
        const where = i < at ? "done" : i === at ? "now" : "ahead";
        return (
          <li key={s} data-where={where} aria-current={where === "now" ? "step" : undefined}>
            <span className="steps-word">{stepWord(s, j.verb === "undo")}</span>
            <span className="dim small">
              {where === "now" ? <>since <Since at={j.step_since ?? j.created_at} /></> : told.get(s) ? <Since at={told.get(s)?.at} /> : where === "ahead" ? "" : "passed"}
            </span>
          </li>
        );
      })}
    </ol>
  );
}
