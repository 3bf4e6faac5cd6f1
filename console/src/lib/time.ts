// Times as people say them. All functions take the present moment: nothing here reads a clock.

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;

/** "3 min ago", "in 2 h", "just now": short, for lists. */
export function relative(at: string | Date, now: number): string {
  const then = new Date(at).getTime();
  if (Number.isNaN(then)) return "never";
  const away = Math.abs(now - then);
  if (away < 45_000) return "just now"; // the clock that now is read from ticks twice a minute
  return now >= then ? `${span(away)} ago` : `in ${span(away)}`;
}

/** A length of time with one unit: "4 min", "3 h", "12 days". */
export function span(ms: number): string {
  if (ms < 45_000) return "less than a minute";
  if (ms < 1.5 * hour) return `${Math.max(1, Math.round(ms / minute))} min`;
  if (ms < 36 * hour) return `${Math.round(ms / hour)} h`;
  if (ms < 60 * day) return `${Math.round(ms / day)} days`;
  if (ms < 700 * day) return `${Math.round(ms / (30.4 * day))} months`;
  return `${Math.round(ms / (365.25 * day))} years`;
}

/** "14:05" today, "Tue" within a week, "3 Mar" within a year, "Mar 2024" beyond. */
export function since(at: string, now: number): string {
  const then = new Date(at);
  if (Number.isNaN(then.getTime())) return "";
  const away = Math.abs(now - then.getTime());
  const today = new Date(now).toDateString() === then.toDateString();
  if (today) return part(then, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
  if (away < 6.5 * day) return part(then, { weekday: "short" });
  if (away < 300 * day) return part(then, { day: "numeric", month: "short" });
  return part(then, { month: "short", year: "numeric" });
}

/** The exact moment, with the zone it is said in. */
export function exact(at: string | Date, zone?: string): string {
  const then = new Date(at);
  if (Number.isNaN(then.getTime())) return "not known";
  return part(then, {
    weekday: "short",
    day: "numeric",
    month: "short",
    year: "numeric",
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
    hourCycle: "h23",
    timeZoneName: "short",
    ...(zone ? { timeZone: zone } : {}),
  });
}

/** A moment near or far, so that it can be told from others: "22:00", "Sat 22:00", "6 Dec 22:00". */
export function nextMoment(at: string | Date, now: number): string {
  const then = new Date(at);
  if (Number.isNaN(then.getTime())) return "";
  const today = new Date(now).toDateString() === then.toDateString();
  const near = Math.abs(then.getTime() - now) < 6.5 * day;
  return part(then, {
    ...(today ? {} : near ? { weekday: "short" } : { day: "numeric", month: "short" }),
    hour: "2-digit",
    minute: "2-digit",
    hourCycle: "h23",
  }).replace(",", "");
}

/** A day on an axis: "3 Mar". */
export const dayMonth = (at: string): string => part(new Date(at), { day: "numeric", month: "short", timeZone: "UTC" });

function part(at: Date, options: Intl.DateTimeFormatOptions): string {
  try {
    return new Intl.DateTimeFormat("en-GB", options).format(at);
  } catch {
    return new Intl.DateTimeFormat("en-GB", { ...options, timeZone: undefined }).format(at); // a zone the browser does not know
  }
}
