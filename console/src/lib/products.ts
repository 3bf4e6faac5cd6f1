import type { Product } from "../api/types";
import { count, number } from "./text";

/** How fast it is mended: days, with what they are of; never days of nothing. */
export function speedWords(s: Product["survey"]["speed"]): string {
  if (s.known === 0) return s.of > 0 ? `Not known: of none of ${count(s.of, "CVE")} that an advisory mends both days are told.` : "Not known: no advisory here mends anything of it.";
  return `${count(s.median_days, "day")} in the middle, and nine of ten within ${number(s.slow_days)}. Of ${number(s.known)} of ${count(s.of, "CVE")}, of which both days are told; ${number(s.before)} were mended by the day they were told.`;
}

/** How it went here, with what it is of. */
export function ownWords(r: Product["own"]): string {
  if (r.jobs === 0) return "It was never installed or updated here, so how often that fails or restarts a machine is not known.";
  return `${number(r.failed)} of ${count(r.jobs, "job")} failed; for ${number(r.rebooted)} the machine was restarted. The newest ${number(r.most)} jobs are looked at.`;
}

/** How far the reading of the feeds is. */
export function surveyWords(s: Product["survey"]): string {
  if (s.of === 0) return "The feeds are about to be read for it.";
  return `Reading ${s.feed ?? "the feeds"}: ${number(s.read)} of ${count(s.of, "feed")} are read.`;
}
