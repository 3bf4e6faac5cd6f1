import { expect, test } from "vitest";
import { ownWords, speedWords, surveyWords } from "./products";

const speed = { known: 0, of: 0, median_days: 0, slow_days: 0, before: 0 };

test("days are told with what they are of, and never of nothing", () => {
  expect(speedWords({ ...speed, of: 2 })).toBe("Not known: of none of 2 CVEs that an advisory mends both days are told.");
  expect(speedWords({ known: 30, of: 40, median_days: 3, slow_days: 21, before: 5 })).toBe("3 days in the middle, and nine of ten within 21. Of 30 of 40 CVEs, of which both days are told; 5 were mended by the day they were told.");
});

test("what was never tried has no rate", () => {
  expect(ownWords({ jobs: 0, failed: 0, rebooted: 0, most: 200 })).toContain("not known");
  expect(ownWords({ jobs: 8, failed: 3, rebooted: 1, most: 200 })).toBe("3 of 8 jobs failed; for 1 the machine was restarted. The newest 200 jobs are looked at.");
});

test("a reading says how far it is", () => {
  const s = { done: false, read: 1, of: 3, feed: "nvd", undated: 0, cves: 0, speed };
  expect(surveyWords(s)).toBe("Reading nvd: 1 of 3 feeds are read.");
});
