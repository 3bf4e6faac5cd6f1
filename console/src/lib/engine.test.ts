import { expect, test } from "vitest";
import type { Repair, Source } from "../api/types";
import { actWords, engineSource, engineStanding, eventSays, placeSays, searchAge } from "./engine";

const now = Date.parse("2026-11-28T06:00:00Z");
const ago = (ms: number) => new Date(now - ms).toISOString();
const device = (mode: "manage" | "observe" = "manage") => ({ scanned_at: ago(1000), silent: false, agent: { mode } as never });
const source = (repair?: Repair, more: Partial<Source> = {}): Source => ({ provider: "engine", name: "An engine", refreshed_at: ago(3600_000), repair, ...more }) as Source;

test("only an engine that searched lately is said to work", () => {
  expect(engineStanding(device(), source(), now).state).toBe("verified");
  expect(engineStanding(device(), source({ turn: "nobody" }), now).state).toBe("verified");
  const doubtful: [string, ReturnType<typeof engineStanding>][] = [
    ["never scanned", engineStanding({ silent: false, agent: { mode: "manage" } as never }, source(), now)],
    ["silent", engineStanding({ ...device(), silent: true }, source(), now)],
    ["no source", engineStanding(device(), undefined, now)],
    ["never searched", engineStanding(device(), source(undefined, { refreshed_at: undefined }), now)],
    ["searched long ago", engineStanding(device(), source(undefined, { refreshed_at: ago(searchAge + 1000) }), now)],
    ["an error alone", engineStanding(device(), source(undefined, { error: "no" }), now)],
    ["a turn nobody here knows", engineStanding(device(), source({ turn: "splendid" }), now)],
  ];
  for (const [name, stands] of doubtful) expect(stands.state, name).not.toBe("verified");
});

test("whose turn it is follows from what the agent may do", () => {
  const mends: Repair = { turn: "patchbay", search: true, act: "starting the services", tries: 1, most: 3 };
  expect(engineStanding(device(), source(mends), now)).toEqual({ state: "moving", words: "Cannot look for updates", turn: "Patchbay's turn" });
  expect(engineStanding(device("observe"), source(mends), now).turn).toBe("Your team's turn");
  expect(engineStanding(device(), source({ turn: "person" }), now).words).toBe("Stuck: cannot install some updates");
  expect(engineStanding(device(), source({ turn: "retry", search: true }), now).state).toBe("waits_time");
  expect(actWords(mends)).toBe("Starting the services, done 1 of 3 times.");
  expect(actWords({ turn: "person" })).toContain("Nothing by itself");
});

test("what Windows says it did is never marked as verified", () => {
  for (const result of ["succeeded", "partly", "failed", "aborted", "in_progress", "unknown", "splendid"]) {
    expect(eventSays({ result }).state).not.toBe("verified");
    if (result !== "succeeded") expect(eventSays({ result }).state).toBeDefined();
  }
  expect(eventSays({ result: "failed", removal: true }).words).toBe("Not removed");
});

test("a place that cannot be read is neither quiet nor asks", () => {
  expect(placeSays({ kind: "installer", state: "unknown", why: "denied" })).toEqual({ state: "unknown", words: "not known: denied" });
  expect(placeSays({ kind: "installer", state: "splendid" }).state).toBe("unknown");
  expect(placeSays({ kind: "windows_update", state: "asks" }, "device").state).toBe("waits_time");
  expect(placeSays({ kind: "windows_update", state: "asks" }, "person").state).toBe("waits_person");
  expect(placeSays({ kind: "installer", state: "quiet" }, "", true).state).toBe("unknown");
  expect(placeSays({ kind: "file_renames", state: "waits", count: 1 }).words).toContain("1 at the next start");
});

test("the engine is the provider that tells a history, or else the one that tells of its repair", () => {
  const sources = [{ ...source(), provider: "other" }, source({ turn: "nobody" })];
  const section = (name: string) => ({ name, state: "ok", items: 0, scanned_at: ago(0) }) as never;
  expect(engineSource({ sources, sections: [section("other/installed"), section("engine/history")] })?.provider).toBe("engine");
  expect(engineSource({ sources, sections: [section("other/installed")] })?.provider).toBe("engine");
  expect(engineSource({ sources: [sources[0] as Source], sections: [] })).toBeUndefined();
});
