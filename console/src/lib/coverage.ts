import type { Coverage, CoverageSummary } from "../api/types";
import { count, number } from "./text";

/** How much is looked at, with what it is of. */
export function coverageSentence(s: CoverageSummary): string {
  if (s.devices === 0) return "No device is enrolled.";
  const silent = s.silent > 0 ? ` (${number(s.silent)} silent)` : "";
  return `Something is looked at on ${number(s.looked)} of ${count(s.devices, "device")}${silent}, and ${number(s.compared)} of ${count(s.items, "item")} are compared with advisories.`;
}

/** The parts of a row's items, in the order in which they are drawn. */
export const partsOf = (c: Pick<Coverage, "compared" | "foreign" | "unmapped">): { part: "compared" | "foreign" | "unmapped"; n: number; words: string }[] => [
  { part: "compared", n: c.compared, words: "compared" },
  { part: "foreign", n: c.foreign, words: "of other publishers" },
  { part: "unmapped", n: c.unmapped, words: "nobody speaks of" },
];
