import type { Need } from "../../api/types";

/** The version on offer is the one that is there. */
export const installedHere = (n: Need): boolean => n.installed !== "" && n.installed === n.available;

/** An undo of it failed. The words for it are the device's own. */
export const undoFailed = (n: Need): boolean => installedHere(n) && n.verdict.name === "FAILED" && n.verdict.act === "retry";

/** It is being taken back, or that was tried and failed. */
export const takingBack = (n: Need): boolean => n.job?.verb === "undo" || undoFailed(n);

/** What is said where no next try is known. What is held by a recall goes on without anybody. */
export const untried = (n: Need): string =>
  n.verdict.name === "HELD" && n.held?.length ? "It goes on when nothing holds it any more." : "Nothing is tried until somebody acts.";
