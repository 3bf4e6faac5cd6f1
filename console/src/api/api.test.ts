import { afterEach, describe, expect, it, vi } from "vitest";
import { got, http, Problem } from "./client";
import { kindsOf } from "./events";

const answering = (status: number, body: string, type = "application/problem+json") =>
  vi.stubGlobal("fetch", () => Promise.resolve(new Response(body, { status, headers: { "Content-Type": type } })));

// The client keeps the fetch it was made with, so each question brings its own.
const ask = () => got(http.GET("/api/v1/session", { baseUrl: "http://console.test", fetch: (r: Request) => globalThis.fetch(r) }));

afterEach(() => vi.unstubAllGlobals());

describe("a refusal", () => {
  it("is thrown with what people can read and the fields it is about", async () => {
    answering(422, JSON.stringify({ type: "about:blank", detail: "Write a name.", errors: [{ location: "body.name", message: "Write a name." }] }));
    const problem = await ask().then(() => null, (e: unknown) => e);
    expect(problem).toBeInstanceOf(Problem);
    expect((problem as Problem).message).toBe("Write a name.");
    expect((problem as Problem).field("name")).toBe("Write a name.");
    expect((problem as Problem).field("note")).toBeUndefined();
  });

  it("keeps the type that a page acts on", async () => {
    answering(401, JSON.stringify({ type: "code-required", detail: "Enter the code." }));
    await expect(ask()).rejects.toMatchObject({ status: 401, type: "code-required" });
  });

  it("without words of the server still has some", async () => {
    answering(502, "<html>Bad gateway</html>", "text/html");
    await expect(ask()).rejects.toMatchObject({ status: 502, message: "The server answered with status 502." });
  });

  it("by the network says what to check", async () => {
    vi.stubGlobal("fetch", () => Promise.reject(new TypeError("Failed to fetch")));
    await expect(ask()).rejects.toMatchObject({ status: 0, message: expect.stringMatching(/does not answer/) });
  });
});

describe("an event", () => {
  it("of a job makes old what shows jobs, needs and counts", () => {
    expect(kindsOf(JSON.stringify({ kind: "job" }))).toEqual(expect.arrayContaining(["job", "need", "overview"]));
  });

  it("of an unknown kind makes everything old rather than nothing", () => {
    expect(kindsOf(JSON.stringify({ kind: "moon" }))).toEqual(expect.arrayContaining(["device", "need", "token", "customer"]));
  });

  it("that cannot be read is let go", () => {
    expect(kindsOf("{")).toEqual([]);
  });
});
