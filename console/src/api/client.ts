// One way to talk to the server: JSON in, JSON out, problems as exceptions that people can read.

/** A refusal or failure, as the server tells it (RFC 9457) or as the network shows it. */
export class Problem extends Error {
  readonly status: number;
  readonly type: string;
  readonly fields: { location: string; message: string }[];

  constructor(status: number, type: string, message: string, fields: Problem["fields"] = []) {
    super(message);
    this.status = status;
    this.type = type.split(/[/:#]/).pop() ?? type;
    this.fields = fields;
  }

  /** What is wrong with one field of what was sent, if the server named it. */
  field(name: string): string | undefined {
    return this.fields.find((f) => f.location.split(".").pop() === name)?.message;
  }
}

export type Query = Record<string, string | number | boolean | undefined>;

interface ProblemBody {
  type?: string;
  title?: string;
  detail?: string;
  errors?: { location?: string; message?: string }[];
}

const base = "/api/v1";

export const api = {
  get: <T>(path: string, query?: Query, signal?: AbortSignal) => send<T>("GET", path, query, undefined, signal),
  post: <T>(path: string, body?: unknown) => send<T>("POST", path, undefined, body),
  put: <T>(path: string, body?: unknown) => send<T>("PUT", path, undefined, body),
  patch: <T>(path: string, body?: unknown) => send<T>("PATCH", path, undefined, body),
  delete: <T>(path: string, query?: Query) => send<T>("DELETE", path, query),
};

async function send<T>(method: string, path: string, query?: Query, body?: unknown, signal?: AbortSignal): Promise<T> {
  let answer: Response;
  try {
    answer = await fetch(base + path + queryString(query), {
      method,
      signal,
      headers: body === undefined ? {} : { "Content-Type": "application/json" },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new Problem(0, "unreachable", "The server does not answer. Check that it is running and that this computer can reach it.");
  }
  if (!answer.ok) throw await problemOf(answer);
  const text = await answer.text();
  return (text === "" ? undefined : JSON.parse(text)) as T; // acts may answer without a body
}

export function queryString(query: Query = {}): string {
  const pairs = Object.entries(query).filter(([, value]) => value !== undefined && value !== "");
  if (pairs.length === 0) return "";
  return "?" + new URLSearchParams(pairs.map(([k, v]) => [k, String(v)])).toString();
}

async function problemOf(answer: Response): Promise<Problem> {
  const body: ProblemBody = await answer.json().then(
    (value: ProblemBody) => value,
    () => ({}),
  );
  const fields = (body.errors ?? []).map((e) => ({ location: e.location ?? "", message: e.message ?? "" }));
  const said = body.detail ?? body.title ?? `The server answered with status ${answer.status}.`;
  return new Problem(answer.status, body.type ?? "", said, fields);
}
