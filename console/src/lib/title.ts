/** What a publisher calls a thing whose name is a number, without the name itself; "" where that says no more. */
export function titleBeside(name: string, title: string | undefined): string {
  const unmarked = name.replace(/ \([0-9a-f]{8}\)$/, ""); // updates of one number are told apart by a mark of their ID
  const rest = (title ?? "").replace(`(${unmarked})`, "").replace(/ {2,}/g, " ").trim();
  return rest === unmarked ? "" : rest;
}

const words: Record<string, string> = { bugfix: "bug fix", critical: "critical fix", definition: "definitions", service_pack: "service pack" };

/** A class as people say it. "critical" is a fault that is none of security, and not a severity. */
export const classWord = (name: string): string => words[name] ?? name;

const plurals: Record<string, string> = { bugfix: "bug fixes", critical: "critical fixes", definition: "definitions", service_pack: "service packs", security: "security updates" };

/** Several updates of a class: "drivers". */
export const classPlural = (name: string): string => plurals[name] ?? `${name}s`;

/** The classes of an update in the order in which they matter: what else it is comes after what it is for. */
export function classOrder(classes: string[]): string[] {
  const order = ["preview", "security", "critical", "bugfix", "definition", "feature", "driver", "service_pack", "rollup", "tool", "other"];
  return [...classes].sort((a, b) => order.indexOf(a) - order.indexOf(b));
}
