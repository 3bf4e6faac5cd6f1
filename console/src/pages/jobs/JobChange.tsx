import type { Job } from "../../api/types";
import { VersionChange } from "../../ui/Text";
import { jobStateOf } from "./JobState";

/** What a job changes: `1.0 → 1.1`, or "taken back 1.1 → 1.0". */
export function JobChange({ job: j }: { job: Job }) {
  const change = <VersionChange from={j.from || "new"} to={j.to} />;
  return j.verb === "undo" ? <span className="change-back"><span className="tag">{back(j)}</span>{change}</span> : change;
}

function back(j: Job): string {
  if (!j.ended_at && !j.withdrawn_at) return "undo";
  return jobStateOf(j) === "verified" ? "taken back" : "not taken back";
}
