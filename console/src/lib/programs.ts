import type { ProgramRule } from "../api/types";

/** How many rules for programs a site may have. */
export const mostRules = 200;

/** What may become of a program, as a technician says it. */
export const wishes: { value: ProgramRule["wish"]; label: string }[] = [
  { value: "leave", label: "Leave alone" },
  { value: "update", label: "Update if present" },
  { value: "install", label: "Install and update" },
];

/** What a version to stop at means. */
export function beyondHelp(r: ProgramRule): string {
  if (r.wish === "leave") return "What is left alone has no version to stop at.";
  if (!r.pin) return "A version such as 8.6.2, or a line of versions such as 8.6. with a dot at its end.";
  return r.pin.endsWith(".") ? `Every ${r.pin}… is taken, and nothing after that.` : `Up to ${r.pin}, and nothing after that.`;
}

/** What is wrong with rules for programs, or nothing. */
export function rulesProblem(rules: ProgramRule[]): string | null {
  const seen = new Set<string>();
  for (const r of rules) {
    const name = r.package.trim();
    if (!name) return "Name the program of each rule.";
    if (!/^[a-z0-9][a-z0-9_-]*$/.test(r.provider)) return `Name the provider of ${name} as devices name it.`;
    if (r.pin && !/[0-9]/.test(r.pin)) return `Write a version for ${name} to stop at, such as 8.6.2, or 8.6. for a line of versions.`;
    const key = `${r.provider}/${name.toLowerCase()}`;
    if (seen.has(key)) return `There are two rules for ${name}. Remove one of them.`;
    seen.add(key);
  }
  return null;
}

/** How many programs have rules, in a sentence; nothing where none has. */
export function rulesWords(rules: ProgramRule[]): string {
  if (rules.length === 0) return "";
  return rules.length === 1 ? "One program has a rule of its own." : `${rules.length} programs have rules of their own.`;
}
