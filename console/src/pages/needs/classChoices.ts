import type { ClassCount } from "../../api/types";
import { classOrder } from "../../lib/title";

const labels: Record<string, string> = {
  security: "Security", critical: "Critical fixes", bugfix: "Bug fixes", definition: "Definitions", rollup: "Rollups", feature: "Features",
  service_pack: "Service packs", driver: "Drivers", tool: "Tools", preview: "Previews", other: "Other",
};

/** A class as the name of a list: "Drivers". */
export const classLabel = (name: string): string => labels[name] ?? name;

/** The classes there are updates of, in the order in which they matter; the one that is chosen stays, also when nothing is left of it. */
export function classesThere(counts: ClassCount[], chosen?: string): { name: string; updates: number }[] {
  const there = new Map(counts.map((c) => [c.class as string, c.updates]));
  if (chosen && !there.has(chosen)) there.set(chosen, 0);
  const order = classOrder([...there.keys()]);
  const ahead = order.filter((c) => c !== "preview"); // previews are for people to choose: last but for what says nothing
  const all = order.includes("preview") ? [...ahead.filter((c) => c !== "other"), "preview", ...ahead.filter((c) => c === "other")] : ahead;
  return all.map((name) => ({ name, updates: there.get(name) ?? 0 }));
}
