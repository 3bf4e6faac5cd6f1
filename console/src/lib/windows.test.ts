import { describe, expect, it } from "vitest";
import type { Day, Policy, Window } from "../api/types";
import { clock, days, dayWords, minutesOf, policyWords, rebootProblem, stretches, windowProblem, windowWords } from "./windows";

const saturday: Window = { days: ["sat"], start: "22:00", minutes: 240 };

describe("a window in words", () => {
  it("says the day after when it passes midnight", () => {
    expect(windowWords(saturday)).toBe("every Saturday from 22:00 to 02:00 the next day (4 hours)");
    expect(windowWords({ ...saturday, minutes: 120 })).toBe("every Saturday from 22:00 to 00:00 (2 hours)");
    expect(windowWords({ days, start: "00:00", minutes: 1440 })).toBe("every day from 00:00 to 00:00 (24 hours)");
    expect(windowWords({ days: ["mon"], start: "20:00", minutes: 2880 })).toContain("2 days later");
  });

  it("names few days, and many by what they have in common", () => {
    expect(dayWords(["sun", "mon"])).toBe("every Monday and Sunday");
    expect(dayWords(["fri", "mon", "tue", "wed", "thu"])).toBe("on weekdays");
    expect(dayWords(days)).toBe("every day");
    expect(dayWords([])).toBe("never");
  });

  it("is told from one that is not finished", () => {
    expect(windowProblem(saturday)).toBeNull();
    expect(windowProblem({ ...saturday, days: [] })).toMatch(/day/);
    expect(windowProblem({ ...saturday, start: "25:00" })).toMatch(/22:00/);
    expect(windowProblem({ ...saturday, minutes: 0 })).toMatch(/15 minutes/);
    expect(windowProblem({ ...saturday, minutes: Number.NaN })).toMatch(/15 minutes/);
    expect(windowWords({ ...saturday, start: "soon" })).toBe("a window that is not complete yet");
  });
});

describe("a policy in words", () => {
  it("says that without a window nothing happens by itself", () => {
    expect(policyWords({ auto: "security", reboots: { when: "window", daily: 2 } }, "Europe/Berlin")).toContain("nothing is installed here unless a person forces it");
  });

  it("says who restarts services", () => {
    const words = (restarts?: "by_hand" | "in_window") => policyWords({ auto: "security", reboots: { when: "window", daily: 2 }, restarts, windows: [saturday] }, "Europe/Berlin");
    expect(words("in_window")).toContain("are restarted within the window");
    expect(words("by_hand")).toContain("wait for a person to restart them");
    expect(words()).toBe(words("by_hand"));
  });

  it("says when devices reboot and who is asked", () => {
    const words = (reboots?: Policy["reboots"]) => policyWords({ auto: "security", reboots, windows: [saturday] }, "Europe/Berlin");
    expect(words()).toContain("Devices are not rebooted");
    expect(words({ when: "window", daily: 1 })).toContain("Devices may reboot within the window. At most 1 reboot a day.");
    expect(words({ when: "ask", postpone: 3, deadline_hours: 48, daily: 0 })).toContain("may put a reboot off 3 times for 48 hours");
    expect(rebootProblem({ when: "ask", postpone: 3, deadline_hours: 0, daily: 2 })).toMatch(/1 to 336/);
    expect(rebootProblem({ when: "window", daily: 25 })).toMatch(/0 to 24/);
    expect(rebootProblem({ when: "ask", postpone: 3, deadline_hours: 48, daily: 2 })).toBeNull();
  });

  it("names a window's own zone only where it is another", () => {
    const abroad = policyWords({ auto: "by_hand", reboots: { when: "never", daily: 2 }, windows: [{ ...saturday, zone: "Asia/Tokyo" }] }, "Europe/Berlin");
    expect(abroad).toContain("Asia/Tokyo time");
    const home = policyWords({ auto: "by_hand", reboots: { when: "never", daily: 2 }, windows: [{ ...saturday, zone: "Europe/Berlin" }] }, "Europe/Berlin");
    expect(home.match(/Europe\/Berlin/g)).toHaveLength(1);
  });
});

it("times of day are read and written the same way", () => {
  for (let m = 0; m < 1440; m++) expect(minutesOf(clock(m))).toBe(m);
  for (const wrong of ["", "24:00", "12:60", "noon", "1200", "-1:00"]) expect(minutesOf(wrong)).toBeNull();
});

it("the week's picture shows as many minutes as the windows have", () => {
  for (const day of days) {
    for (const minutes of [15, 240, 1440, 5000]) {
      const shown = stretches({ days: [day as Day], start: "23:30", minutes });
      expect(shown.reduce((sum, s) => sum + s.to - s.from, 0)).toBe(minutes);
      for (const s of shown) expect(s.to).toBeLessThanOrEqual(7 * 1440);
    }
  }
});
