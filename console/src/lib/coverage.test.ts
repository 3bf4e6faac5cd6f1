import { expect, test } from "vitest";
import { coverageSentence, partsOf } from "./coverage";

const none = { devices: 0, looked: 0, blind: 0, silent: 0, items: 0, compared: 0, foreign: 0, unmapped: 0, as_of: "" };

test("what is looked at is told with what it is of", () => {
  expect(coverageSentence({ ...none, devices: 40, looked: 5, silent: 1, items: 1669, compared: 693 })).toBe("Something is looked at on 5 of 40 devices (1 silent), and 693 of 1,669 items are compared with advisories.");
  expect(coverageSentence(none)).toBe("No device is enrolled.");
});

test("the parts are all of the items", () => {
  expect(partsOf({ compared: 5, foreign: 2, unmapped: 3 }).reduce((n, p) => n + p.n, 0)).toBe(10);
});
