import type { Exposure, Finding, State } from "../api/types";
import { count, number } from "./text";

/** What a finding means, in words. */
export const statusWords: Record<Finding["status"], string> = {
  affected: "affected",
  "no-fix": "no fix",
  "headers-only": "headers only",
  "not-running": "not running",
  unimportant: "no harm here",
  undetermined: "undetermined",
  "not-compared": "not compared",
};

/** What it means for the item, and whether its publisher says so. */
export const statusOf = (f: Pick<Finding, "status" | "unconfirmed">): string => statusWords[f.status] + (f.unconfirmed ? ", unconfirmed" : "");

/** Whether it is to be mended. */
export const isOpen = (f: Pick<Finding, "status">): boolean => f.status === "affected" || f.status === "no-fix";

/** How soon it is to be mended; the first goes first. */
export const steps = ["immediate", "out-of-cycle", "scheduled", "defer"] as const;

const stepWords: Record<string, string> = { immediate: "immediate", "out-of-cycle": "out of cycle", scheduled: "scheduled", defer: "can wait" };
export const stepWord = (step = ""): string => stepWords[step] ?? "not known";

/** What can be done on a device. */
export const fixWords = { offered: "on offer", published: "published, not on offer", none: "none", no_need: "not needed" } as const;

/** How all devices are divided by what a CVE is to them. */
export function exposureParts(e: Exposure): { devices: number; text: string; state: State }[] {
  return [
    { devices: e.none, text: "where nothing mends it", state: "failed" },
    { devices: e.unoffered, text: "where a fix is published and not on offer", state: "failed" },
    { devices: e.waiting, text: "where the fix waits for somebody", state: "waits_person" },
    { devices: e.offered - Math.min(e.waiting, e.offered), text: "where the fix is on offer and answered", state: "waits_time" },
    { devices: e.no_need, text: "where it is and is no alarm", state: "excepted" },
    { devices: e.unread, text: "that could not be looked at", state: "unknown" },
    { devices: Math.max(0, e.enrolled - e.devices - e.no_need - e.unread), text: "not affected, as far as is known", state: "verified" },
  ];
}

/** On how many devices it was mended, and how many of them are listed. */
export function mendedSentence(e: Pick<Exposure, "mended">): string {
  const listed = e.mended.newest?.length ?? 0;
  const all = `on ${count(e.mended.devices, "device")}`;
  return e.mended.devices > listed ? `${all}, the newest ${number(listed)} changes are listed` : all;
}

/** Who is exposed, with the denominator and what is not known. */
export function exposedSentence(e: Exposure): string {
  const silent = e.silent > 0 ? ` (${number(e.silent)} silent)` : "";
  const unread = e.unread > 0 ? ` ${count(e.unread, "device")} could not be looked at.` : "";
  if (e.devices === 0) return `Open on none of ${count(e.enrolled, "device")}.${unread}`;
  return `Open on ${number(e.devices)} of ${count(e.enrolled, "device")}${silent}.${unread}`;
}
