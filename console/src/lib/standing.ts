import type { Attribute, DeviceRole, Standing } from "../api/types";

// What a device is for, how much depends on it and who reaches it, in words.

export type Role = DeviceRole["role"];

export const roles = ["domain_controller", "hypervisor", "sql", "mail", "web", "file", "pos"] as const satisfies readonly Role[];

export const roleWords: Record<Role, string> = {
  domain_controller: "Domain controller", hypervisor: "Virtualisation host", sql: "Database server", mail: "Mail server", web: "Web server", file: "File server", pos: "Point of sale",
};

export interface Choice {
  value: string;
  label: string;
  description: string;
}

export const exposures: Choice[] = [
  { value: "open", label: "Open to the internet", description: "Anybody can reach it." },
  { value: "controlled", label: "Behind a gateway", description: "Those who are let in reach it, by a VPN or after signing in." },
  { value: "small", label: "Only inside", description: "Hardly anybody reaches it." },
];

export const criticalities: Choice[] = [
  { value: "very_high", label: "Very much", description: "When it fails, the business stands still or people are in danger." },
  { value: "high", label: "Much", description: "When it fails, many cannot work." },
  { value: "medium", label: "As on others", description: "What saying nothing means." },
  { value: "low", label: "Little", description: "It can be done without for days." },
];

const labelOf = (choices: Choice[], value: string) => choices.find((c) => c.value === value)?.label ?? value;

/** Who reaches it. Not known counts as open, and that is said. */
export const exposureWords = (a: Attribute): string => (a.value ? labelOf(exposures, a.value) : "Not known, so it counts as open to the internet");

/** How much depends on it; a role may say it where nobody did. */
export function criticalityWords(s: Standing): string {
  if (s.criticality.value) return labelOf(criticalities, s.criticality.value);
  const vital = (s.roles ?? []).find((r) => r.has && (r.role === "domain_controller" || r.role === "hypervisor" || r.role === "pos"));
  return vital ? `Much, as on every ${roleWords[vital.role].toLowerCase()}` : "Not set, so as much as on others";
}

/** For whom it was said, where that is not the device itself. */
export const saidFor = (a: Attribute): string => (a.level === "site" ? "for its site" : a.level === "customer" ? "for its customer" : "");

/** What was said at the device itself; "" where nothing was. */
export const own = (a: Attribute): string => (a.level === "device" ? a.value : "");

/** What the device has by what it shows or by what was said. */
export const held = (s: Standing): DeviceRole[] => (s.roles ?? []).filter((r) => r.has);

/** What was said of a role at the device: yes, no, or "" to go by what it shows. */
export const roleSaid = (r?: DeviceRole): "yes" | "no" | "" => (r?.by ? (r.has ? "yes" : "no") : "");

/** Only what another choice was made of. */
export function changed(was: Record<string, string>, is: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(is).filter(([name, value]) => (was[name] ?? "") !== value));
}
