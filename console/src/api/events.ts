import type { QueryClient } from "@tanstack/react-query";

// The server says what changed; the console asks again for what is on screen and drops the rest.

const touches: Record<string, string[]> = {
  device: ["device", "overview", "finding", "group"],
  need: ["need", "update", "device", "customer", "overview"],
  job: ["job", "need", "update", "device", "overview"],
  customer: ["customer", "overview"],
  site: ["site", "customer", "device", "need"],
  token: ["token"],
  bulletin: ["bulletin", "finding", "overview"],
};

const always = ["activity", "approval"];

/**
 * Listens until told to stop. A change is shown at once; many changes in a short time make
 * one round of questions every two seconds.
 */
export function listen(client: QueryClient, soon = 250, pause = 2000): () => void {
  const source = new EventSource("/api/v1/events");
  let dirty = new Set<string>();
  let timer: ReturnType<typeof setTimeout> | undefined;
  let last = -pause;

  const flush = () => {
    timer = undefined;
    last = performance.now();
    const kinds = dirty;
    dirty = new Set();
    void client.invalidateQueries({ predicate: (query) => kinds.has(String(query.queryKey[0])) });
  };
  const mark = (kinds: string[]) => {
    for (const kind of kinds) dirty.add(kind);
    timer ??= setTimeout(flush, Math.max(soon, last + pause - performance.now()));
  };

  let lost = false;
  source.addEventListener("change", (event) => mark([...kindsOf(event.data), ...always]));
  source.addEventListener("error", () => (lost = true));
  source.addEventListener("open", () => {
    if (lost) mark(Object.values(touches).flat()); // whatever happened meanwhile was not heard
    lost = false;
  });
  return () => {
    clearTimeout(timer);
    source.close();
  };
}

/** The kinds of answers that one event makes old. */
export function kindsOf(data: unknown): string[] {
  try {
    const event = JSON.parse(String(data)) as { kind?: string };
    return touches[event.kind ?? ""] ?? Object.values(touches).flat();
  } catch {
    return [];
  }
}
