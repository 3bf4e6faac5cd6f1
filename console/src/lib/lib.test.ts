import { describe, expect, it } from "vitest";
import { bytes, count, list, outOf, splitMiddle } from "./text";
import { exact, nextMoment, relative, since, span } from "./time";
import { versionChange } from "./version";

const now = Date.parse("2026-11-22T12:00:00Z");
const ago = (ms: number) => new Date(now - ms).toISOString();
const minute = 60_000;

describe("numbers", () => {
  it("are never without what they are of, and silent ones are not left out", () => {
    expect(outOf(38, 41, 2)).toBe("38 of 41 (2 silent)");
    expect(outOf(38, 41)).toBe("38 of 41");
    expect(outOf(19_999, 20_000)).toBe("19,999 of 20,000");
  });

  it("agree with their noun", () => {
    expect([0, 1, 2, 20_000].map((n) => count(n, "device"))).toEqual(["0 devices", "1 device", "2 devices", "20,000 devices"]);
  });

  it("of bytes that are not known are not nought", () => {
    expect([0, -1, 999, 1_500, 66_000_000].map(bytes)).toEqual(["–", "–", "999 B", "1.5 kB", "66 MB"]);
  });
});

describe("times", () => {
  it("are relative with one unit", () => {
    const cases: [number, string][] = [
      [0, "just now"],
      [44_000, "just now"],
      [3 * minute, "3 min ago"],
      [5 * 60 * minute, "5 h ago"],
      [3 * 1440 * minute, "3 days ago"],
      [100 * 1440 * minute, "3 months ago"],
      [-3 * minute, "in 3 min"],
    ];
    for (const [away, words] of cases) expect(relative(ago(away), now)).toBe(words);
  });

  it("that cannot be read are not invented", () => {
    expect(relative("nonsense", now)).toBe("never");
    expect(since("nonsense", now)).toBe("");
    expect(exact("nonsense")).toBe("not known");
    expect(nextMoment("nonsense", now)).toBe("");
  });

  it("far away say the date, so that next Sunday is not the one after", () => {
    expect(nextMoment(ago(-2 * 1440 * minute), now)).toMatch(/^Tue /);
    expect(nextMoment(ago(-14 * 1440 * minute), now)).toMatch(/^6 Dec /);
  });

  it("are told in a zone that this computer does not know", () => {
    expect(exact("2026-11-22T12:00:00Z", "Nowhere/At_All")).toMatch(/2026/);
  });

  it("never grow shorter as they pass", () => {
    let before = "";
    for (let ms = 1000; ms < 4e10; ms *= 1.7) {
      const words = span(ms);
      expect(words).not.toMatch(/^0|NaN/);
      before = words;
    }
    expect(before).toMatch(/years?$|months?$/);
  });
});

describe("a version change", () => {
  it("shows what differs, cut at a separator", () => {
    expect(versionChange("3.0.15-1", "3.0.17-1")).toEqual({ same: "3.0.", from: "15-1", to: "17-1" });
    expect(versionChange("2:1.2", "2:1.10")).toEqual({ same: "2:1.", from: "2", to: "10" });
    expect(versionChange("128", "129")).toEqual({ same: "", from: "128", to: "129" });
    expect(versionChange("1.2", "1.2.1")).toEqual({ same: "1.", from: "2", to: "2.1" });
  });

  it("loses nothing of either version", () => {
    const versions = ["", "1", "1.0", "1.0-1", "1:9.2p1-2+deb12u2", "1:9.2p1-2+deb12u3", "2024a-0", "ü.1"];
    for (const from of versions) {
      for (const to of versions) {
        const change = versionChange(from, to);
        expect(change.same + change.from).toBe(from);
        expect(change.same + change.to).toBe(to);
      }
    }
  });
});

describe("a long name", () => {
  it("is whole in its two parts, and a short one is not split", () => {
    for (const name of ["", "web-01", "x".repeat(80), "laptop-außendienst-müller-🙂".repeat(4)]) {
      expect(splitMiddle(name).join("")).toBe(name);
    }
    expect(splitMiddle("web-01")[1]).toBe("");
    expect(splitMiddle("x".repeat(80))[1]).toHaveLength(10);
  });
});

it("lists are said as people say them", () => {
  expect([[], ["a"], ["a", "b"], ["a", "b", "c"]].map(list)).toEqual(["", "a", "a and b", "a, b and c"]);
});
