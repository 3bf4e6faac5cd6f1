import { describe, expect, it } from "vitest";
import { noPackage, removalsIn, typedNames } from "./removals";

describe("what an update would remove", () => {
  it("is read out of the sentence it failed with", () => {
    const after = " A person has to look before it is tried again.";
    expect(removalsIn(`Refused: apt would have to remove libc6-i386, gcc-4.9:amd64, which nobody approved.${after}`)).toEqual(["libc6-i386", "gcc-4.9:amd64"]);
    expect(removalsIn("apt would have to remove libstdc++6")).toEqual(["libstdc++6"]);
    expect(removalsIn(`apt would have to remove which.${after}`)).toEqual(["which"]);
  });

  it("is nothing where the sentence says nothing of it", () => {
    expect(removalsIn("The package manager failed: port 22 is used by another program.")).toEqual([]);
    expect(removalsIn("")).toEqual([]);
  });

  it("may be typed with commas, spaces and twice", () => {
    expect(typedNames(" a-b,  c\nc ,a-b ")).toEqual(["a-b", "c"]);
    expect(typedNames("  , ")).toEqual([]);
  });

  it("is never an option or a path", () => {
    expect(noPackage(["libc6", "libstdc++6", "gcc:i386"])).toBe("");
    expect(noPackage(["libc6", "--all"])).toBe("--all");
    expect(noPackage(["/etc"])).toBe("/etc");
  });
});
