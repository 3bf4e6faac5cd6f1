import type { State, Supported, SupportKind } from "../api/types";
import { count, number } from "./text";

/** How a state of support is shown: what nobody says is never good. */
export const supportStates: Record<Supported["state"], { state: State; words: string }> = {
  ended: { state: "failed", words: "ended" },
  ending: { state: "waits_person", words: "ends soon" },
  supported: { state: "verified", words: "supported" },
  unknown: { state: "unknown", words: "not known" },
};

/** What a line of releases is called. */
export const supportName = (s: Pick<Supported, "title" | "cycle" | "label">): string => `${s.title} ${s.label ?? s.cycle ?? ""}`.trim();

/** Until when who pays for it has more: told, and never counted. */
export function paidWords(s: Pick<Supported, "paid" | "paid_name">): string {
  const name = s.paid_name || "extended support";
  if (s.paid.day) return `${name} until ${s.paid.day}`;
  if (s.paid.over === "no") return `${name}, no end known`;
  return "";
}

/** The page's sentence: systems with their denominator, and what is not known of them. */
export function supportSentence(kinds: SupportKind[], within: number): string {
  const systems = kinds.find((k) => k.kind === "os");
  const programs = kinds.find((k) => k.kind === "application");
  if (!systems || systems.devices === 0) return "No device is enrolled.";
  const unknown = systems.unknown > 0 ? `, of ${number(systems.unknown)} it is not known` : "";
  const of = `Of ${count(systems.devices, "device")} ${number(systems.ended)} run a system that nobody mends any more, and ${number(systems.ending)} one whose support ends within ${number(within)} days${unknown}.`;
  return programs ? `${of} ${number(programs.ended)} have an application out of support.` : of;
}

/** "2026-12" as an axis says it: the month, and the year with the first of them. */
export function monthWords(month: string, first: boolean): string {
  const at = new Date(`${month}-01T00:00:00Z`);
  const name = at.toLocaleDateString("en-GB", { month: "short", timeZone: "UTC" });
  return first || month.endsWith("-01") ? `${name} ${month.slice(0, 4)}` : name;
}

/** Days from a moment to the end of a month. */
export function daysToEndOf(month: string, now: number): number {
  const [year = 0, number = 1] = month.split("-").map(Number);
  return Math.max(0, Math.ceil((Date.UTC(year, number, 1) - now) / 86_400_000));
}
