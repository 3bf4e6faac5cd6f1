import type { Need, Update, What } from "../../api/types";
import type { Ask, Scope } from "../../app/useActs";
import { removalsIn } from "../../lib/removals";
import { titleBeside } from "../../lib/title";
import { itemName } from "./itemName";

export const isSecurity = (of: { classes?: string[] | null }): boolean => of.classes?.includes("security") ?? false;

/** What is asked when a person decides on one need: for its device, or for more at once. */
export function askFor(answer: Ask["answer"], n: Need, now = false): Ask {
  const device: Scope = { level: "device", target: n.device.id, where: `On ${n.device.name} only` };
  const wider: Scope[] = [
    { level: "site", target: n.site.id, where: `On every device of ${n.site.name}, ${n.customer.name}` },
    { level: "customer", target: n.customer.id, where: `On every device of ${n.customer.name}` },
    { level: "msp", target: "", where: "At all customers" },
  ];
  return {
    answer,
    what: n.update ? { update: n.update } : { need: n.id },
    subject: subjectOf(itemName(n.item), n.title, n.available),
    change: answer === "undo" && n.previous ? { from: n.installed, to: n.previous } : undefined,
    scopes: n.update ? [device, ...wider] : [device],
    security: isSecurity(n),
    now,
    removes: answer === "approve" ? wouldRemove(n) : [],
  };
}

/** An update as it is named in a question. Of what is an item of its own the version is a revision. */
function subjectOf(name: string, title = "", version = ""): string {
  if (!title) return [name, version].filter(Boolean).join(" ");
  const beside = titleBeside(name, title);
  return `${name}${beside && ` (${beside})`}, revision ${version}`;
}

/** What a failed update would have to remove, and nobody has allowed. */
export const wouldRemove = (n: Need): string[] => (n.verdict.name === "FAILED" ? removalsIn(n.verdict.sentence) : []);

/** The same for an update: everywhere, or at one of the customers that need it. */
export function askForUpdate(answer: Ask["answer"], u: Update, scopes: Scope[]): Ask {
  return { answer, what: { update: u.id }, subject: subjectOf(u.name, u.title, u.available), scopes, security: isSecurity(u) };
}

export const everywhere: Scope = { level: "msp", target: "", where: "At all customers" };

const classSubjects: Record<string, string> = {
  security: "all security updates", critical: "all critical fixes", bugfix: "all bug fixes", definition: "all definitions", rollup: "all rollups", feature: "all feature updates",
  service_pack: "all service packs", driver: "all drivers", tool: "all tools", other: "all that says no class",
};

/** All updates of one class. What people choose by its name is left out. */
export function askForClass(name: NonNullable<What["class"]> | "preview", scopes: Scope[]): Ask {
  return { answer: "approve", what: { class: name as What["class"] }, subject: classSubjects[name] ?? `all of the class ${name}`, scopes, security: name === "security" };
}

/** All security updates of one place. */
export function askForSecurity(scope: Scope): Ask {
  return { answer: "approve", what: { class: "security" }, subject: "all security updates", scopes: [scope], security: true };
}
