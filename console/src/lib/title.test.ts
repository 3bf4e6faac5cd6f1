import { expect, test } from "vitest";
import { classOrder, classPlural, classWord, splitTitle, titleBeside } from "./title";

test("a title stands beside the name, and says it only once", () => {
  expect(titleBeside("KB5044285", "2024-10 Cumulative Update for Windows 11 (KB5044285)")).toBe("2024-10 Cumulative Update for Windows 11");
  expect(titleBeside("KB2267602", "Security Intelligence Update - KB2267602 (Version 1.4)")).toBe("Security Intelligence Update - KB2267602 (Version 1.4)");
  expect(titleBeside("Windows 11, version 24H2", "Windows 11, version 24H2")).toBe("");
  expect(titleBeside("openssl", undefined)).toBe("");
  expect(titleBeside("KB5044285 (b90749ba)", "2024-10 Cumulative Update for Windows 11 (KB5044285) (22631.4317)")).toBe("2024-10 Cumulative Update for Windows 11 (22631.4317)");
  expect(titleBeside("Intel - Display (0a1b2c3d)", "Intel - Display")).toBe("");
});

test("classes are words, and what is not finished comes first", () => {
  expect(classOrder(["bugfix", "preview"]).map(classWord)).toEqual(["preview", "bug fix"]);
  expect(classOrder(["rollup", "security"]).map(classWord)).toEqual(["security", "rollup"]);
  expect(classWord("critical")).toBe("critical fix");
  expect(["driver", "definition", "rollup"].map(classPlural)).toEqual(["drivers", "definitions", "rollups"]);
});

test("the version at a title's end is never what is left out", () => {
  expect(splitTitle("Security Intelligence Update - KB2267602 (Version 1.419.512.0) - Current Channel (Broad)")).toEqual(["Security Intelligence Update - KB2267602 ", "(Version 1.419.512.0)", " - Current Channel (Broad)"]);
  expect(splitTitle("2024-10 Cumulative Update for Windows 11 (22631.4317)")).toEqual(["2024-10 Cumulative Update for Windows 11 ", "(22631.4317)", ""]);
  expect(splitTitle("Intel - Display (Studio)")).toEqual(["Intel - Display (Studio)", "", ""]);
});
