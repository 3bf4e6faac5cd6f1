import { expect, test } from "vitest";
import { restartReasons } from "./restart";

test("what only waits for the next start asks for none", () => {
  expect(restartReasons(["12 files to be replaced or removed at the next start (weak)", "Windows Update"])).toEqual({
    asks: ["Windows Update"],
    waits: ["12 files to be replaced or removed at the next start"],
  });
  expect(restartReasons(null)).toEqual({ asks: [], waits: [] });
});
