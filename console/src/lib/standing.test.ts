import { expect, test } from "vitest";
import type { DeviceRole, Standing } from "../api/types";
import { changed, criticalityWords, exposureWords, held, own, roleSaid } from "./standing";

const nothing = { value: "" };
const role = (role: DeviceRole["role"], has: boolean, by?: string): DeviceRole => ({ role, has, by, from: by ? undefined : "x is installed" });
const standing = (more: Partial<Standing>): Standing => ({ criticality: nothing, exposure: nothing, ...more });

test("what nobody said is told as what it counts as", () => {
  expect(exposureWords(nothing)).toBe("Not known, so it counts as open to the internet");
  expect(exposureWords({ value: "small", level: "site" })).toBe("Only inside");
  expect(criticalityWords(standing({}))).toBe("Not set, so as much as on others");
  expect(criticalityWords(standing({ roles: [role("web", true), role("pos", true)] }))).toBe("Much, as on every point of sale");
  expect(criticalityWords(standing({ roles: [role("pos", false, "Ann")] }))).toBe("Not set, so as much as on others");
  expect(criticalityWords(standing({ roles: [role("pos", true)], criticality: { value: "low", level: "device" } }))).toBe("Little");
});

test("only what was said at the device itself is its own", () => {
  expect(own({ value: "open", level: "site" })).toBe("");
  expect(own({ value: "open", level: "device" })).toBe("open");
  expect([roleSaid(role("sql", true)), roleSaid(role("sql", true, "Ann")), roleSaid(role("sql", false, "Ann")), roleSaid()]).toEqual(["", "yes", "no", ""]);
  expect(held(standing({ roles: [role("sql", false, "Ann"), role("web", true)] })).map((r) => r.role)).toEqual(["web"]);
});

test("only what was changed is sent", () => {
  expect(changed({ a: "yes", b: "" }, { a: "", b: "", c: "no", d: "" })).toEqual({ a: "", c: "no" });
});
