import { expect, test } from "vitest";
import type { SupportKind } from "../api/types";
import { daysToEndOf, monthWords, paidWords, supportSentence, supportStates } from "./support";

const kind = (of: Partial<SupportKind>): SupportKind => ({ kind: "os", devices: 0, ended: 0, ending: 0, unknown: 0, items: 0, distribution: 0, known: 0, unmapped: 0, ...of });

test("what nobody says is never good", () => {
  expect(supportStates.unknown.state).toBe("unknown");
  expect(Object.entries(supportStates).filter(([, s]) => s.state === "verified").map(([k]) => k)).toEqual(["supported"]);
});

test("the sentence has its denominator and what is not known", () => {
  const said = supportSentence([kind({ devices: 40, ended: 3, ending: 2, unknown: 4 }), kind({ kind: "application", devices: 40, ended: 9 })], 90);
  expect(said).toBe("Of 40 devices 3 run a system that nobody mends any more, and 2 one whose support ends within 90 days, of 4 it is not known. 9 have an application out of support.");
  expect(supportSentence([kind({})], 90)).toBe("No device is enrolled.");
});

test("what is paid for is told with its name", () => {
  expect(paidWords({ paid: { day: "2028-10-10" }, paid_name: "Extended Security Updates" })).toBe("Extended Security Updates until 2028-10-10");
  expect(paidWords({ paid: {} })).toBe("");
});

test("a month ends with its last day", () => {
  const now = Date.UTC(2026, 10, 28, 12);
  expect(daysToEndOf("2026-11", now)).toBe(3);
  expect(daysToEndOf("2026-12", now)).toBe(34);
  expect(daysToEndOf("2020-01", now)).toBe(0);
  expect(monthWords("2026-11", true)).toBe("Nov 2026");
  expect(monthWords("2027-01", false)).toBe("Jan 2027");
  expect(monthWords("2027-02", false)).toBe("Feb");
});
