import { describe, expect, it } from "vitest";
import type { ProgramRule } from "../api/types";
import { beyondHelp, rulesProblem, rulesWords } from "./programs";

const rule = (edit: Partial<ProgramRule> = {}): ProgramRule => ({ provider: "apt", package: "firefox-esr", wish: "update", ...edit });

describe("rules for programs", () => {
  it("says what is wrong with them", () => {
    expect(rulesProblem([])).toBeNull();
    expect(rulesProblem([rule(), rule({ package: "curl", pin: "7.88." })])).toBeNull();
    expect(rulesProblem([rule({ package: " " })])).toContain("Name the program");
    expect(rulesProblem([rule({ provider: "" })])).toContain("Name the provider of firefox-esr");
    expect(rulesProblem([rule({ pin: "newest" })])).toContain("Write a version for firefox-esr");
    expect(rulesProblem([rule(), rule({ package: " Firefox-ESR " })])).toContain("two rules");
    expect(rulesProblem([rule(), rule({ provider: "dnf" })])).toBeNull();
  });

  it("says what a version to stop at means", () => {
    expect(beyondHelp(rule({ pin: "8.6." }))).toContain("Every 8.6.…");
    expect(beyondHelp(rule({ pin: "8.6" }))).toContain("Up to 8.6,");
    expect(beyondHelp(rule({ wish: "leave" }))).toContain("left alone");
  });

  it("counts them in words", () => {
    expect(rulesWords([])).toBe("");
    expect(rulesWords([rule()])).toBe("One program has a rule of its own.");
    expect(rulesWords([rule(), rule()])).toBe("2 programs have rules of their own.");
  });
});
