import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { got, http } from "./client";
import type { paths } from "./schema";
import type { Page } from "./types";

// What the console asks the server. The first word of a key is the kind of thing asked for:
// events.ts drops answers by it.

const pageSize = 100;

type Lists = { [P in keyof paths]: paths[P] extends { get: { parameters: { query?: { after?: string } } } } ? P : never }[keyof paths];
type Query<P extends Lists> = NonNullable<paths[P]["get"] extends { parameters: { query?: infer Q } } ? Q : never>;

/** A question as a URL writes it: any text. What the server does not know, it refuses in words. */
type Loose<Q> = { [K in keyof Q]?: Q[K] extends number | boolean | undefined ? Q[K] : string | undefined };

function list<T, Q extends object>(kind: string, what: string, query: Loose<Q>, ask: (query: Q, signal: AbortSignal) => Promise<Page<T>>) {
  const pairs: [string, unknown][] = Object.entries({ limit: pageSize, ...query });
  const said = Object.fromEntries(pairs.filter(([, v]) => v !== undefined && v !== ""));
  return infiniteQueryOptions({
    queryKey: [kind, "list", what, said],
    queryFn: ({ pageParam, signal }) => ask({ ...said, ...(pageParam ? { after: pageParam } : {}) } as Q, signal),
    initialPageParam: "",
    getNextPageParam: (last) => last.next || undefined,
  });
}

function one<T>(kind: string, what: string, ask: (signal: AbortSignal) => Promise<T>) {
  return queryOptions({ queryKey: [kind, "one", what], queryFn: ({ signal }) => ask(signal) });
}

const v1 = "/api/v1";

export const sessionQuery = queryOptions({
  queryKey: ["session"],
  queryFn: ({ signal }) => got(http.GET(`${v1}/session`, { signal })),
  staleTime: 60_000,
});

export const overview = (customer?: string) =>
  one("overview", customer ?? "", (signal) => got(http.GET(`${v1}/overview`, { params: { query: { customer } }, signal })));

export const customers = (query: Loose<Query<"/api/v1/customers">> = {}) =>
  list("customer", "all", query, (q: Query<"/api/v1/customers">, signal) => got(http.GET(`${v1}/customers`, { params: { query: q }, signal })));

export const customer = (id: string) =>
  one("customer", id, (signal) => got(http.GET(`${v1}/customers/{customer}`, { params: { path: { customer: id } }, signal })));

export const sites = (customerID?: string) =>
  one("site", `of ${customerID ?? "all"}`, (signal) => got(http.GET(`${v1}/sites`, { params: { query: { customer: customerID, limit: 500 } }, signal })));

export const site = (id: string) =>
  one("site", id, (signal) => got(http.GET(`${v1}/sites/{site}`, { params: { path: { site: id } }, signal })));

/** What was said of all devices of a site or a customer. */
export const attributes = (level: "site" | "customer", id: string) =>
  one(level, `said of ${id}`, (signal) =>
    level === "site"
      ? got(http.GET(`${v1}/sites/{site}/attributes`, { params: { path: { site: id } }, signal }))
      : got(http.GET(`${v1}/customers/{customer}/attributes`, { params: { path: { customer: id } }, signal })),
  );

export const groups = (customerID?: string) =>
  one("group", `of ${customerID ?? "all"}`, (signal) => got(http.GET(`${v1}/groups`, { params: { query: { customer: customerID, limit: 500 } }, signal })));

export const tokens = (query: Loose<Query<"/api/v1/tokens">> = {}) =>
  list("token", "all", query, (q: Query<"/api/v1/tokens">, signal) => got(http.GET(`${v1}/tokens`, { params: { query: q }, signal })));

export const devices = (query: Loose<Query<"/api/v1/devices">> = {}) =>
  list("device", "all", query, (q: Query<"/api/v1/devices">, signal) => got(http.GET(`${v1}/devices`, { params: { query: q }, signal })));

export const device = (id: string) =>
  one("device", id, (signal) => got(http.GET(`${v1}/devices/{device}`, { params: { path: { device: id } }, signal })));

type Items = Query<"/api/v1/devices/{device}/items">;
export const deviceItems = (id: string, query: Loose<Items> = {}) =>
  list("device", `items of ${id}`, query, (q: Items, signal) =>
    got(http.GET(`${v1}/devices/{device}/items`, { params: { path: { device: id }, query: q }, signal })),
  );

type History = Query<"/api/v1/devices/{device}/history">;
export const deviceHistory = (id: string, query: Loose<History> = {}) =>
  list("device", `history of ${id}`, query, (q: History, signal) =>
    got(http.GET(`${v1}/devices/{device}/history`, { params: { path: { device: id }, query: q }, signal })),
  );

export const deviceTimeline = (id: string) =>
  one("device", `timeline of ${id}`, (signal) =>
    got(http.GET(`${v1}/devices/{device}/timeline`, { params: { path: { device: id }, query: { limit: 200 } }, signal })),
  );

export const needs = (query: Loose<Query<"/api/v1/needs">> = {}) =>
  list("need", "all", query, (q: Query<"/api/v1/needs">, signal) => got(http.GET(`${v1}/needs`, { params: { query: q }, signal })));

export const need = (id: string) =>
  one("need", id, (signal) => got(http.GET(`${v1}/needs/{need}`, { params: { path: { need: id } }, signal })));

export const updates = (query: Loose<Query<"/api/v1/updates">> = {}) =>
  list("update", "all", query, (q: Query<"/api/v1/updates">, signal) => got(http.GET(`${v1}/updates`, { params: { query: q }, signal })));

/** Updates on offer, counted by what they are for. */
export const classes = (where: { customer?: string; device?: string }) =>
  one("update", `classes of ${where.device ?? where.customer ?? "all"}`, (signal) => got(http.GET(`${v1}/classes`, { params: { query: where }, signal })));

export const update = (id: string) =>
  one("update", id, (signal) => got(http.GET(`${v1}/updates/{update}`, { params: { path: { update: id } }, signal })));

export const findings = (query: Loose<Query<"/api/v1/findings">> = {}) =>
  list("finding", "all", query, (q: Query<"/api/v1/findings">, signal) => got(http.GET(`${v1}/findings`, { params: { query: q }, signal })));

export const finding = (id: string, customer?: string) =>
  one("finding", `${id} at ${customer ?? "all"}`, (signal) =>
    got(http.GET(`${v1}/findings/{finding}`, { params: { path: { finding: id }, query: { customer } }, signal })),
  );

export const deviceFindings = (id: string) =>
  one("finding", `on ${id}`, (signal) => got(http.GET(`${v1}/devices/{device}/findings`, { params: { path: { device: id } }, signal })));

export const bulletins = (query: Loose<Query<"/api/v1/bulletins">> = {}) =>
  list("bulletin", "all", query, (q: Query<"/api/v1/bulletins">, signal) => got(http.GET(`${v1}/bulletins`, { params: { query: q }, signal })));

export const bulletin = (id: string, customer?: string) =>
  one("bulletin", `${id} at ${customer ?? "all"}`, (signal) =>
    got(http.GET(`${v1}/bulletins/{bulletin}`, { params: { path: { bulletin: id }, query: { customer } }, signal })),
  );
export const support = (query: Loose<Query<"/api/v1/support">> = {}) =>
  list("support", "all", query, (q: Query<"/api/v1/support">, signal) => got(http.GET(`${v1}/support`, { params: { query: q }, signal })));

export const supportSummary = (customer: string | undefined, within: number) =>
  one("support", `summary of ${customer ?? "all"} within ${within}`, (signal) => got(http.GET(`${v1}/support/summary`, { params: { query: { customer, within } }, signal })));

type Supported = Query<"/api/v1/support/devices">;
export const supportDevices = (query: Loose<Supported> & { of: string }) =>
  list("support", "devices", query, (q: Supported, signal) => got(http.GET(`${v1}/support/devices`, { params: { query: q }, signal })));

export const deviceSupport = (id: string) =>
  one("support", `on ${id}`, (signal) => got(http.GET(`${v1}/devices/{device}/support`, { params: { path: { device: id } }, signal })));

export const coverage = (query: Loose<Query<"/api/v1/coverage">> = {}) =>
  list("coverage", "all", query, (q: Query<"/api/v1/coverage">, signal) => got(http.GET(`${v1}/coverage`, { params: { query: q }, signal })));

export const coverageSummary = (customer?: string) =>
  one("coverage", `summary of ${customer ?? "all"}`, (signal) => got(http.GET(`${v1}/coverage/summary`, { params: { query: { customer } }, signal })));

export const unattended = (query: Loose<Query<"/api/v1/software/unattended">> = {}) =>
  list("software", "unattended", query, (q: Query<"/api/v1/software/unattended">, signal) => got(http.GET(`${v1}/software/unattended`, { params: { query: q }, signal })));

export const unattendedSummary = (customer?: string) =>
  one("software", `unattended of ${customer ?? "all"}`, (signal) => got(http.GET(`${v1}/software/unattended/summary`, { params: { query: { customer } }, signal })));

type UnattendedOn = Query<"/api/v1/software/unattended/devices">;
export const unattendedDevices = (query: Loose<UnattendedOn> & { of: string }) =>
  list("software", "unattended on", query, (q: UnattendedOn, signal) => got(http.GET(`${v1}/software/unattended/devices`, { params: { query: q }, signal })));

export const several = (customer?: string) =>
  one("software", `several of ${customer ?? "all"}`, (signal) => got(http.GET(`${v1}/software/several`, { params: { query: { customer, limit: 200 } }, signal })));

type SeveralOn = Query<"/api/v1/software/several/devices">;
export const severalDevices = (query: Loose<SeveralOn> & { purpose: string }) =>
  list("software", "several on", query, (q: SeveralOn, signal) => got(http.GET(`${v1}/software/several/devices`, { params: { query: q }, signal })));

export const product = (name: string) =>
  one("product", name, (signal) => got(http.GET(`${v1}/products/{product}`, { params: { path: { product: name } }, signal })));

export const jobs = (query: Loose<Query<"/api/v1/jobs">> = {}) =>
  list("job", "all", query, (q: Query<"/api/v1/jobs">, signal) => got(http.GET(`${v1}/jobs`, { params: { query: q }, signal })));

export const job = (id: string) =>
  one("job", id, (signal) => got(http.GET(`${v1}/jobs/{job}`, { params: { path: { job: id } }, signal })));

/** The answers that hold for a device. */
export const approvals = (device: string) =>
  one("approval", `of ${device}`, (signal) => got(http.GET(`${v1}/approvals`, { params: { query: { device, limit: 500 } }, signal })));

export const activity = (query: Loose<Query<"/api/v1/activity">> = {}) =>
  list("activity", "all", query, (q: Query<"/api/v1/activity">, signal) => got(http.GET(`${v1}/activity`, { params: { query: q }, signal })));

export const chains = () => one("chains", "all", (signal) => got(http.GET(`${v1}/activity/verify`, { signal })));

export const keys = () => one("keys", "mine", (signal) => got(http.GET(`${v1}/me/keys`, { signal })));

export const catalog = () => one("catalog", "all", (signal) => got(http.GET(`${v1}/catalog`, { signal })));

export const packages = (query: Loose<Query<"/api/v1/catalog/packages">> = {}) =>
  list("catalog", "packages", query, (q: Query<"/api/v1/catalog/packages">, signal) => got(http.GET(`${v1}/catalog/packages`, { params: { query: q }, signal })));

/** A package by its provider and ID, as the URL says it: "winget/7zip.7zip". */
export const onePackage = (key: string) => {
  const [provider = "", ...id] = key.split("/");
  return one("catalog", key, (signal) =>
    got(http.GET(`${v1}/catalog/packages/{provider}/{package}`, { params: { path: { provider, package: id.join("/") } }, signal })),
  );
};

export const missingFiles = (query: Loose<Query<"/api/v1/catalog/missing">> = {}) =>
  list("catalog", "missing", query, (q: Query<"/api/v1/catalog/missing">, signal) => got(http.GET(`${v1}/catalog/missing`, { params: { query: q }, signal })));

export const contents = (query: Loose<Query<"/api/v1/content">> = {}) =>
  list("content", "all", query, (q: Query<"/api/v1/content">, signal) => got(http.GET(`${v1}/content`, { params: { query: q }, signal })));

export const contentUsage = () => one("content", "usage", (signal) => got(http.GET(`${v1}/content/usage`, { signal })));

export const feeds = (query: Loose<Query<"/api/v1/feeds">> = {}) =>
  list("feed", "all", query, (q: Query<"/api/v1/feeds">, signal) => got(http.GET(`${v1}/feeds`, { params: { query: q }, signal })));

export const contentFetches = () => one("content", "fetches", (signal) => got(http.GET(`${v1}/content/fetches`, { signal })));

export const trust = () => one("trust", "all", (signal) => got(http.GET(`${v1}/trust`, { signal })));
