import { renderToStaticMarkup } from "react-dom/server";
import { describe, expect, it } from "vitest";
import document from "../../openapi.json";
import type { State, Verdict } from "../api/types";
import { countedStates, linkWord, ownerTurn, stateWord, verdictNames, verdictWords } from "../lib/verdicts";
import { StateMark } from "./StateMark";
import { VersionChange } from "./Text";

const versionMarkup = (from: string, to: string) => renderToStaticMarkup(<VersionChange from={from} to={to} />);

const schema = document.components.schemas.Verdict.properties;

describe("a state", () => {
  it("has a shape of its own: colour is never alone", () => {
    const shapes = countedStates.map((s: State) =>
      renderToStaticMarkup(<StateMark state={s} />).replace(/data-state="\w+"|var\(--[\w-]+\)/g, ""),
    );
    expect(new Set(shapes).size).toBe(countedStates.length);
  });

  it("that the server may name has a word", () => {
    for (const state of schema.state.enum) expect(stateWord(state as State)).not.toBe("");
  });

  it("is counted unless it is gone, so that the bar and the list agree", () => {
    expect([...countedStates, "gone"].sort()).toEqual([...schema.state.enum].sort());
  });
});

describe("a verdict", () => {
  it("of every name the server may give has words of at most three", () => {
    for (const name of schema.name.enum) {
      expect(verdictNames).toContain(name);
      expect(verdictWords(name).split(" ").length).toBeLessThanOrEqual(3);
    }
  });

  it("of a newer server is said in plain letters", () => {
    expect(verdictWords("WAITS_FOR_MOON")).toBe("Waits for moon");
  });

  it("says whose turn it is and what each link asks", () => {
    for (const owner of schema.owner.enum.filter((o) => o !== "")) expect(ownerTurn(owner as Verdict["owner"])).toMatch(/turn$/);
    for (const link of schema.link.enum) expect(linkWord(link)).not.toMatch(/_/);
  });
});

it("a version change has the differing part in bold and nothing else", () => {
  expect(versionMarkup("3.0.15-1", "3.0.17-1")).toMatch(/<b>17-1<\/b>/);
  expect(versionMarkup("3.0.15-1", "3.0.15-1")).not.toMatch(/<b>|→/);
});
