import { expect, test } from "vitest";
import type { BulletinDetail } from "../api/types";
import { fixSummary, touchSentence } from "./bulletins";

const none = { kind: "new", devices: 0, customers: 0, mendable: 0, unmended: 0, held: 0, installed: 0, enrolled: 40, unread: 0 } as BulletinDetail;

test("a bulletin says whom it touches, of how many, and what is not known", () => {
  expect(touchSentence(none)).toBe("Touches none of 40 devices now.");
  expect(touchSentence({ ...none, devices: 3, customers: 1, unread: 1 })).toBe("Touches 3 of 40 devices at 1 customer now. 1 device could not be looked at.");
});
test("a bulletin says what can be done, and never more than is known", () => {
  expect(fixSummary(none)).toBe("");
  expect(fixSummary({ ...none, devices: 3, mendable: 3 })).toBe("published");
  expect(fixSummary({ ...none, devices: 3, unmended: 3 })).toBe("none yet");
  expect(fixSummary({ ...none, devices: 3, mendable: 1, unmended: 2 })).toBe("none yet on 2");
  expect(fixSummary({ ...none, kind: "recalled", devices: 3, held: 2, installed: 1 })).toBe("2 held, 1 installed");
});
