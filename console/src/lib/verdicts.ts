import type { Owner, State } from "../api/types";

// The words of a verdict: the same three words wherever it is shown.

const words: Record<string, string> = {
  VERIFIED: "Verified",
  UNKNOWN: "Not known",
  STALE: "Scan too old",
  SILENT: "Device is silent",
  DISPUTED: "Readings disagree",
  HELD: "Held",
  RECALLED: "Recalled",
  KEPT_BACK: "Kept back",
  NO_FIX: "No fix offered",
  WITHDRAWN: "Offer withdrawn",
  SUPERSEDED: "Superseded",
  NOT_APPLICABLE: "Not applicable",
  WAITS_DECISION: "Waits for decision",
  TWO_MASTERS: "Two masters",
  REJECTED: "Rejected",
  EXCEPTED: "Excepted",
  WAITS_RING: "Waits for ring",
  OBSERVED: "Observed only",
  WAITS_DEVICE: "Waits for device",
  STAGING: "Downloading",
  WAITS_WINDOW: "Waits for window",
  WAITS_USER: "Open on device",
  PREFLIGHT: "Checking device",
  APPLYING: "Installing",
  FAILED: "Failed",
  ROLLED_BACK: "Taken back",
  INSTALLED_PENDING_REBOOT: "Waits for reboot",
  RUNNING_OLD: "Runs old version",
  VERIFYING: "Verifying",
};

/** What reads differently while an update is taken back. */
const undoing: Record<string, string> = { APPLYING: "Taking back", FAILED: "Undo failed" };

/** A name this console does not know yet is still said, in plain letters. */
export function verdictWords(name: string, undo = false): string {
  const known = (undo && undoing[name]) || words[name];
  if (known) return known;
  const plain = name.toLowerCase().replaceAll("_", " ");
  return plain.charAt(0).toUpperCase() + plain.slice(1);
}

export const verdictNames = Object.keys(words);

const owners: Record<Owner, string> = {
  "": "",
  msp: "your team",
  customer: "customer",
  user: "user",
  vendor: "vendor",
  patchbay: "Patchbay",
};

export const ownerWord = (owner: Owner): string => owners[owner] ?? owner;

const turns: Record<Owner, string> = {
  "": "",
  msp: "Your team's turn",
  customer: "The customer's turn",
  user: "The user's turn",
  vendor: "The vendor's turn",
  patchbay: "Patchbay's turn",
};

/** Whose turn it is, as the first words of a verdict that is opened. */
export const ownerTurn = (owner: Owner): string => turns[owner] ?? "";

const states: Record<State, string> = {
  verified: "Verified",
  moving: "Moving",
  waits_time: "Waiting for time",
  waits_person: "Waiting for a person",
  failed: "Failed",
  excepted: "Excepted",
  unknown: "Not known",
  gone: "Gone",
};

export const stateWord = (state: State): string => states[state] ?? states.unknown;

/** The states that are counted, in the order they are always shown. */
export const countedStates = [
  "failed",
  "waits_person",
  "unknown",
  "moving",
  "waits_time",
  "excepted",
  "verified",
] as const satisfies readonly State[];

const links: Record<string, string> = {
  applicable: "Applies to this device",
  known: "Read by a fresh scan",
  offered: "Offered by a source",
  decided: "Decided",
  approved: "Approved",
  ring_open: "Ring is open",
  reachable: "Device is reachable",
  staged: "Downloaded",
  in_window: "Window is open",
  preflight: "Device is ready",
  applied: "Installed",
  active: "In use",
  verified: "Seen by a scan after it",
};

const undoLinks: Record<string, string> = { approved: "Undo asked for", ring_open: "No ring holds it up", staged: "Older version is there", applied: "Taken back", active: "Old version in use" };

export const linkWord = (link: string, undo = false): string => (undo && undoLinks[link]) || (links[link] ?? link.replaceAll("_", " "));

const steps: Record<string, string> = {
  staging: "Download",
  waiting: "Wait for window",
  preflight: "Check device",
  applying: "Install",
  restarting: "Restart services",
  rebooting: "Reboot",
  verifying: "Verify",
  done: "Done",
  failed: "Failed",
};

const doing: Record<string, string> = {
  staging: "Downloading",
  waiting: "Waits for window",
  preflight: "Checking device",
  applying: "Installing",
  restarting: "Restarting services",
  rebooting: "Rebooting",
  verifying: "Verifying",
};

/** What a job is at, as a state: "Installing". */
export const doingWord = (step?: string, undo = false): string =>
  undo && step === "applying" ? "Taking back" : step ? (doing[step] ?? stepWord(step)) : "Waits for device";

/** The steps of a job in their order, without how it ends. */
export const jobSteps = ["staging", "waiting", "preflight", "applying", "restarting", "rebooting", "verifying"];
export const stepWord = (step?: string, undo = false): string => {
  if (undo && step === "staging") return "Prepare"; // what it needs is on the device
  if (undo && step === "applying") return "Take back";
  return step ? (steps[step] ?? step) : "Ordered";
};
