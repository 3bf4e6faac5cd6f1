import { expect, test } from "vitest";
import type { Exposure } from "../api/types";
import { exposedSentence, exposureParts, isOpen, statusWords, stepWord } from "./findings";

const none: Exposure = { id: "CVE-2026-0001", severity: "unknown", devices: 0, silent: 0, offered: 0, waiting: 0, unoffered: 0, none: 0, no_need: 0, enrolled: 40, unread: 0, mended: { devices: 0 } };

test("a number has its denominator, and what is not known is said", () => {
  expect(exposedSentence(none)).toBe("Open on none of 40 devices.");
  expect(exposedSentence({ ...none, unread: 1 })).toBe("Open on none of 40 devices. 1 device could not be looked at.");
  expect(exposedSentence({ ...none, devices: 12, silent: 2, unread: 3 })).toBe("Open on 12 of 40 devices (2 silent). 3 devices could not be looked at.");
});

test("only what is affected is open", () => {
  expect(Object.keys(statusWords).filter((s) => isOpen({ status: s as keyof typeof statusWords }))).toEqual(["affected", "no-fix"]);
  expect(stepWord("x")).toBe("not known");
});

test("the parts of an exposure are all devices", () => {
  const e = { ...none, enrolled: 100, devices: 40, offered: 25, waiting: 10, unoffered: 5, none: 10, no_need: 3, unread: 17 };
  const parts = exposureParts(e);
  expect(parts.reduce((sum, p) => sum + p.devices, 0)).toBe(100);
  expect(parts.find((p) => p.state === "verified")?.devices).toBe(40);
});
