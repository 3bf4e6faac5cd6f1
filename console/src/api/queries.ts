import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { api, type Query } from "./client";
import type * as t from "./types";

// What the console asks the server. The first word of a key is the kind of thing asked for:
// events.ts drops answers by it.

const pageSize = 100;

function list<T>(kind: string, path: string, query: Query = {}) {
  return infiniteQueryOptions({
    queryKey: [kind, "list", path, query],
    queryFn: ({ pageParam, signal }) =>
      api.get<t.Page<T>>(path, { limit: pageSize, ...query, after: pageParam }, signal),
    initialPageParam: "",
    getNextPageParam: (last) => last.next || undefined,
  });
}

function one<T>(kind: string, path: string, query: Query = {}) {
  return queryOptions({
    queryKey: [kind, "one", path, query],
    queryFn: ({ signal }) => api.get<T>(path, query, signal),
  });
}

export const sessionQuery = queryOptions({
  queryKey: ["session"],
  queryFn: ({ signal }) => api.get<t.Session>("/session", undefined, signal),
  staleTime: 60_000,
});

export const overview = (customer?: string) => one<t.Overview>("overview", "/overview", { customer });

export const customers = (query?: Query) => list<t.Customer>("customer", "/customers", query);
export const customer = (id: string) => one<t.Customer>("customer", `/customers/${id}`);
export const sites = (query?: Query) => one<t.Page<t.Site>>("site", "/sites", { limit: 500, ...query });
export const site = (id: string) => one<t.Site>("site", `/sites/${id}`);
export const tokens = (query?: Query) => list<t.Token>("token", "/tokens", query);

export const devices = (query?: Query) => list<t.Device>("device", "/devices", query);
export const device = (id: string) => one<t.DeviceDetail>("device", `/devices/${id}`);
export const deviceItems = (id: string, query?: Query) => list<t.Item>("device", `/devices/${id}/items`, query);
export const deviceTimeline = (id: string) =>
  one<t.Page<t.TimelineEntry>>("device", `/devices/${id}/timeline`, { limit: 200 });

export const needs = (query?: Query) => list<t.Need>("need", "/needs", query);
export const need = (id: string) => one<t.NeedDetail>("need", `/needs/${encodeURIComponent(id)}`);

export const updates = (query?: Query) => list<t.Update>("update", "/updates", query);
export const update = (id: string) => one<t.UpdateDetail>("update", `/updates/${encodeURIComponent(id)}`);

export const jobs = (query?: Query) => list<t.Job>("job", "/jobs", query);
export const job = (id: string) => one<t.JobDetail>("job", `/jobs/${encodeURIComponent(id)}`);

export const approvals = (query?: Query) => one<t.Page<t.Approval>>("approval", "/approvals", query);
export const activity = (query?: Query) => list<t.Activity>("activity", "/activity", query);
export const chains = () => one<{ chains: t.ChainCheck[] }>("chains", "/activity/verify");
export const keys = () => one<{ items: t.Key[] }>("keys", "/me/keys");
