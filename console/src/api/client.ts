import createClient, { type Middleware } from "openapi-fetch";
import type { paths } from "./schema";

// One way to talk to the server: the typed client made from its OpenAPI document, with
// refusals as exceptions that people can read.

/** A refusal or failure, as the server tells it (RFC 9457) or as the network shows it. */
export class Problem extends Error {
  readonly status: number;
  readonly type: string;
  readonly fields: { location: string; message: string }[];

  constructor(status: number, type: string, message: string, fields: Problem["fields"] = []) {
    super(message);
    this.status = status;
    this.type = type;
    this.fields = fields;
  }

  /** What is wrong with one field of what was sent, if the server named it. */
  field(name: string): string | undefined {
    return this.fields.find((f) => f.location.split(".").pop() === name)?.message;
  }
}

interface ProblemBody {
  type?: string;
  title?: string;
  detail?: string;
  errors?: { location?: string; message?: string }[];
}

const refusals: Middleware = {
  async onResponse({ response }) {
    if (!response.ok) throw await problemOf(response);
  },
  onError({ error, request }) {
    if (request.signal.aborted || error instanceof Problem) return;
    return new Problem(0, "unreachable", "The server does not answer. Check that it is running and that this computer can reach it.");
  },
};

export const http = createClient<paths>();
http.use(refusals);

/** The body of an answer. A refusal has been thrown before. */
export async function got<T>(call: Promise<{ data?: T }>): Promise<T> {
  return (await call).data as T;
}

export async function problemOf(answer: Response): Promise<Problem> {
  const body: ProblemBody = await answer.json().then(
    (value: ProblemBody) => value,
    () => ({}),
  );
  const fields = (body.errors ?? []).map((e) => ({ location: e.location ?? "", message: e.message ?? "" }));
  const said = body.detail ?? body.title ?? `The server answered with status ${answer.status}.`;
  return new Problem(answer.status, body.type ?? "", said, fields);
}
