import type { Day, Policy, Window } from "../api/types";
import { rulesWords } from "./programs";
import { count, list } from "./text";
import { classPlural } from "./title";

// Maintenance windows in plain language. The server decides whether one is open; this only
// says what a set of windows means while it is being written.

export const days: Day[] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

const names: Record<Day, string> = {
  mon: "Monday",
  tue: "Tuesday",
  wed: "Wednesday",
  thu: "Thursday",
  fri: "Friday",
  sat: "Saturday",
  sun: "Sunday",
};

export const dayName = (day: Day): string => names[day];

/** "every day", "on weekdays", "every Saturday", "every Monday and Friday". */
export function dayWords(chosen: Day[]): string {
  const set = days.filter((d) => chosen.includes(d));
  if (set.length === 0) return "never";
  if (set.length === 7) return "every day";
  if (set.length === 5 && !set.includes("sat") && !set.includes("sun")) return "on weekdays";
  return `every ${list(set.map((d) => names[d]))}`;
}

/** Minutes since midnight, or null when it is not a time of day. */
export function minutesOf(start: string): number | null {
  const match = /^([01]?\d|2[0-3]):([0-5]\d)$/.exec(start.trim());
  if (!match) return null;
  return Number(match[1]) * 60 + Number(match[2]);
}

export function clock(minutes: number): string {
  const m = ((minutes % 1440) + 1440) % 1440;
  return `${String(Math.floor(m / 60)).padStart(2, "0")}:${String(m % 60).padStart(2, "0")}`;
}

export function lengthWords(minutes: number): string {
  const hours = Math.floor(minutes / 60);
  const rest = minutes % 60;
  return [hours > 0 ? count(hours, "hour") : "", rest > 0 ? count(rest, "minute") : ""].filter(Boolean).join(" ");
}

/** "every Saturday from 22:00 to 02:00 the next day (4 hours)". */
export function windowWords(window: Window): string {
  const start = minutesOf(window.start);
  if (start === null || window.days.length === 0) return "a window that is not complete yet";
  const end = start + window.minutes;
  const later = Math.floor(end / 1440);
  const next = later === 0 || end === 1440 ? "" : later === 1 ? " the next day" : ` ${later} days later`;
  return `${dayWords(window.days)} from ${clock(start)} to ${clock(end)}${next} (${lengthWords(window.minutes)})`;
}

/** The whole policy of a site as a person would say it. */
export function policyWords(policy: Policy, zone: string): string {
  const alone = list([...(policy.auto === "security" ? ["security"] : []), ...(policy.classes ?? [])].map(classPlural));
  const asked = alone
    ? `${alone.charAt(0).toUpperCase()}${alone.slice(1)} are approved by themselves; everything else waits for a person.`
    : "Every update waits for a person.";
  const who = [asked, rulesWords(policy.applications ?? [])].filter(Boolean).join(" ");
  const windows = policy.windows ?? [];
  if (windows.length === 0) {
    return `${who} No window is set, so nothing is installed here unless a person forces it.`;
  }
  const when = list(windows.map((w) => windowWords(w) + (w.zone && w.zone !== zone ? `, ${w.zone} time` : "")));
  const reboot = rebootWords(policy.reboots);
  const restarts =
    policy.restarts === "in_window"
      ? "Services that still use old files are restarted within the window."
      : "Services that still use old files wait for a person to restart them.";
  const open = {
    wait: "A program that somebody has open is updated when they closed it.",
    ask: "Whoever has a program open is asked whether it may be closed.",
    close: "A program that somebody has open is closed five minutes after they were told.",
  }[policy.in_use ?? "wait"];
  return `${who} Approved updates are installed ${when}, ${zone} time. ${open} ${restarts} ${reboot}`;
}

/** When devices reboot, as a person would say it. */
export function rebootWords(reboots: Policy["reboots"]): string {
  if (!reboots || reboots.when === "never") return "Devices are not rebooted; what needs a reboot waits for a person.";
  const limit = reboots.daily > 0 ? ` At most ${count(reboots.daily, "reboot")} a day.` : "";
  if (reboots.when === "window") return `Devices may reboot within the window.${limit}`;
  const later = reboots.postpone ? `put a reboot off ${count(reboots.postpone, "time")}` : "choose a time, but not put a reboot off";
  return `Whoever is logged in is asked, and may ${later} for ${count(reboots.deadline_hours ?? 0, "hour")}; then, and where nobody is logged in, devices reboot within the window.${limit}`;
}

/** What is wrong with what a policy says of reboots, or nothing. */
export function rebootProblem(reboots: Policy["reboots"]): string | null {
  if (!reboots) return null;
  const whole = (n: number | undefined, least: number, most: number) => Number.isInteger(n) && (n ?? 0) >= least && (n ?? 0) <= most;
  if (!whole(reboots.daily, 0, 24)) return "A device reboots by itself at most 0 to 24 times a day.";
  if (reboots.when !== "ask") return null;
  if (!whole(reboots.deadline_hours, 1, 336)) return "People decide about a reboot for 1 to 336 hours.";
  if (!whole(reboots.postpone ?? 0, 0, 20)) return "A reboot is put off at most 20 times.";
  return null;
}

/** What is wrong with a window, or nothing. */
export function windowProblem(window: Window): string | null {
  if (window.days.length === 0) return "Choose at least one day.";
  if (minutesOf(window.start) === null) return "Write the start as hours and minutes, such as 22:00.";
  if (!(window.minutes >= 15)) return "A window lasts at least 15 minutes.";
  if (window.minutes > 10080) return "A window lasts at most a week.";
  return null;
}

/** The stretches a window takes up in a week, in minutes since Monday 00:00, cut at the week's end. */
export function stretches(window: Window): { from: number; to: number }[] {
  const start = minutesOf(window.start);
  if (start === null) return [];
  const week = 7 * 1440;
  return window.days.flatMap((day) => {
    const from = days.indexOf(day) * 1440 + start;
    const to = from + window.minutes;
    return to <= week ? [{ from, to }] : [{ from, to: week }, { from: 0, to: to - week }];
  });
}
