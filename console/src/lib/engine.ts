import type { DeviceDetail, HistoryEvent, Repair, RepairAct, RestartSource, Section, Source, State } from "../api/types";
import { number } from "./text";

// What a device tells of its update engine and of restarts, in words. Nothing here decides
// anything: what is not known stays so.

/** How old a good search may be before it says nothing of today; as the server holds it for sources. */
export const searchAge = 7 * 24 * 3600 * 1000;

/** The part of a device that is its update engine's own history. */
export const historyPart = (d: Pick<DeviceDetail, "sections">): Section | undefined => d.sections?.find((s) => s.name.endsWith("/history"));

/** The source that the update engine speaks for: of the provider that tells a history, or of one that tells of its repair. */
export function engineSource(d: Pick<DeviceDetail, "sections" | "sources">): Source | undefined {
  const provider = historyPart(d)?.name.split("/")[0];
  return d.sources?.find((s) => (provider ? s.provider === provider : s.repair !== undefined));
}

export interface Standing {
  state: State;
  /** A few words, as in a verdict. */
  words: string;
  /** Whose turn it is, "" when it is nobody's. */
  turn: string;
}

/** How the update engine stands, whoever has to act named. */
export function engineStanding(d: Told, source: Source | undefined, now: number): Standing {
  if (!d.scanned_at) return { state: "unknown", words: "Not known: never scanned", turn: "" };
  const stands = toldStanding(d, source, now);
  if (d.silent && stands.state === "verified") return { state: "unknown", words: "Not known: it worked before the device went silent", turn: "" };
  return stands;
}

type Told = Pick<DeviceDetail, "agent" | "scanned_at" | "silent">;

/** How it stood when the device was heard of last. */
function toldStanding(d: Told, source: Source | undefined, now: number): Standing {
  if (!source) return { state: "unknown", words: "Not known: nothing tells of it", turn: "" };
  const repair = source.repair;
  const mended = !repair || repair.turn === "nobody";
  if (source.error && mended) return { state: "failed", words: "Cannot look for updates", turn: "Your team's turn" };
  if (mended) {
    const at = source.refreshed_at ? Date.parse(source.refreshed_at) : NaN;
    if (Number.isNaN(at)) return { state: "unknown", words: "Not known: it never searched", turn: "" };
    return now - at > searchAge ? { state: "unknown", words: "Not known: its last search is too old", turn: "" } : { state: "verified", words: "Works", turn: "" };
  }
  const what = repair.search ? "Cannot look for updates" : "Cannot install some updates";
  if (repair.turn === "retry") return { state: "waits_time", words: what, turn: "Tried again by itself" };
  if (repair.turn === "patchbay" && d.agent.mode === "manage") return { state: "moving", words: what, turn: "Patchbay's turn" };
  return { state: "failed", words: repair.turn === "patchbay" ? what : `Stuck: ${what.charAt(0).toLowerCase()}${what.slice(1)}`, turn: "Your team's turn" };
}

/** What is done without a person, and how often it was: "Starting the services, done 3 of 3 times". */
export function actWords(r: Repair): string {
  if (!r.act) return "Nothing by itself: no act of Patchbay's is for this failure.";
  return `${upper(r.act)}, done ${r.tries ?? 0} of ${r.most ?? 0} times.`;
}

const ends: Record<string, string> = { worked: "worked: it looks for updates again", failed: "did not help", cut: "was cut off; nothing says how it ended" };

export const repairEnd = (a: RepairAct): string => ends[a.result] ?? "ended in a way that is not known here";

export const upper = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

const places: Record<string, string> = {
  windows_update: "Windows Update",
  component_store: "Component store",
  installer: "An update's own installer",
  computer_name: "Computer name",
  file_renames: "Files to replace",
};

export const placeWord = (kind: string): string => places[kind] ?? upper(kind.replaceAll("_", " "));

/** What a place says of a restart, without when. */
export function placeSays(p: RestartSource, by?: string, silent = false): { state: State; words: string } {
  switch (p.state) {
    case "asks":
      return { state: by === "device" ? "waits_time" : "waits_person", words: "asks for a restart" };
    case "waits":
      return { state: "waits_time", words: `${p.count ? number(p.count) : "some"} at the next start; that asks for none by itself` };
    case "quiet":
      return silent ? { state: "unknown", words: "asked for none when last heard of" } : { state: "verified", words: "asks for none" };
    default:
      return { state: "unknown", words: p.why ? `not known: ${p.why}` : "not known" };
  }
}

const results: Record<string, { done: string; gone: string }> = {
  succeeded: { done: "Installed, it says", gone: "Removed, it says" },
  partly: { done: "Installed with errors", gone: "Removed with errors" },
  failed: { done: "Not installed", gone: "Not removed" },
  aborted: { done: "Stopped", gone: "Removal stopped" },
  in_progress: { done: "Was at work on it", gone: "Was removing it" },
};

/**
 * How the engine says that something ended, and the mark beside it: none where it says that it went well. That proves
 * nothing, so it never gets the mark of what is verified.
 */
export function eventSays(e: Pick<HistoryEvent, "result" | "removal">): { state?: State; words: string } {
  const known = results[e.result];
  if (!known) return { state: "unknown", words: "It does not say" };
  const words = e.removal ? known.gone : known.done;
  return e.result === "succeeded" ? { words } : { state: e.result === "in_progress" ? "unknown" : "failed", words };
}
