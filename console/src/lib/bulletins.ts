import type { Bulletin, BulletinDetail } from "../api/types";
import { count, number } from "./text";

/** What the news is, in words. */
export const kindWords: Record<Bulletin["kind"], string> = {
  new: "new advisory",
  fixed: "fix published",
  exploited: "now exploited",
  raised: "more urgent now",
  monthly: "monthly updates",
  "out-of-band": "out of band",
  recalled: "recalled",
  trouble: "known trouble",
};

/** How people call it: by its CVE where it stands for one. */
export const bulletinName = (b: Pick<Bulletin, "name" | "cves" | "cve_count">): string => (b.cve_count === 1 && b.cves?.[0]) || b.name;

/** What does not wait for the next day of anybody. */
export const isUrgent = (b: Pick<Bulletin, "kind">): boolean => b.kind === "exploited" || b.kind === "out-of-band" || b.kind === "recalled" || b.kind === "trouble";

export const isRecall = (b: Pick<Bulletin, "kind">): boolean => b.kind === "recalled" || b.kind === "trouble";

/** Whom it touches, with the denominator and what is not known. */
export function touchSentence(b: BulletinDetail): string {
  const unread = b.unread > 0 ? ` ${count(b.unread, "device")} could not be looked at.` : "";
  if (b.devices === 0) return `Touches none of ${count(b.enrolled, "device")} now.${unread}`;
  return `Touches ${number(b.devices)} of ${count(b.enrolled, "device")} at ${count(b.customers, "customer")} now.${unread}`;
}

/** What can be done where it touches, in a few words. */
export function fixSummary(b: Pick<Bulletin, "kind" | "devices" | "mendable" | "unmended" | "held" | "installed">): string {
  if (b.devices === 0) return "";
  if (isRecall(b)) return [b.held > 0 && `${number(b.held)} held`, b.installed > 0 && `${number(b.installed)} installed`].filter(Boolean).join(", ");
  if (b.unmended === 0) return "published";
  if (b.mendable === 0) return "none yet";
  return `none yet on ${number(b.unmended)}`;
}
