/** A name without the mark of its ID, by which updates of one number are told apart. */
export const unmarked = (name: string): string => name.replace(/ \([0-9a-f]{8}\)$/, "");

/** What a publisher calls a thing whose name is a number, without the name itself; "" where that says no more. */
export function titleBeside(name: string, title: string | undefined): string {
  const bare = unmarked(name);
  const rest = (title ?? "").replace(`(${bare})`, "").replace(/ {2,}/g, " ").trim();
  return rest === bare ? "" : rest;
}

/** Splits a title around the version or build in it, which tells it from the others of its name: that is always seen. */
export function splitTitle(title: string): [string, string, string] {
  const found = /\((?:Version )?\d+(?:\.\d+)+\)/.exec(title);
  if (!found || found.index < 12) return [title, "", ""];
  const end = found.index + found[0].length;
  return [title.slice(0, found.index), found[0], title.slice(end)];
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
