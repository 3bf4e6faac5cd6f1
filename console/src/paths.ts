import { linkOptions } from "@tanstack/react-router";
import type { PageLink, State } from "./api/types";

// Every link of the console. A page that moves is changed here and nowhere else.

export interface ListSearch {
  customer?: string;
  need?: string;
  q?: string;
  sort?: string;
  state?: string;
  class?: string;
  site?: string;
  program?: string;
  role?: string;
  group?: string;
}

export const paths = {
  home: () => linkOptions({ to: "/" }),
  signIn: (next?: string) => linkOptions({ to: "/signin", search: { next } }),
  totp: () => linkOptions({ to: "/totp" }),

  needs: (search: ListSearch = {}) => linkOptions({ to: "/needs", search }),
  devices: (search: ListSearch = {}) => linkOptions({ to: "/devices", search }),
  device: (device: string, search: DeviceSearch = {}) =>
    linkOptions({ to: "/devices/$device", params: { device }, search }),
  updates: (search: ListSearch = {}) => linkOptions({ to: "/updates", search }),
  update: (update: string, search: ListSearch = {}) =>
    linkOptions({ to: "/updates/$update", params: { update }, search }),
  findings: (search: ListSearch = {}) => linkOptions({ to: "/findings", search }),
  finding: (finding: string, search: ListSearch = {}) =>
    linkOptions({ to: "/findings/$finding", params: { finding }, search }),
  bulletins: (search: ListSearch = {}) => linkOptions({ to: "/bulletins", search }),
  bulletin: (bulletin: string) => linkOptions({ to: "/bulletins/$bulletin", params: { bulletin } }),
  support: (search: SupportSearch = {}) => linkOptions({ to: "/support", search }),
  supportDevices: (search: SupportSearch = {}) => linkOptions({ to: "/support/devices", search }),
  coverage: (search: ListSearch = {}) => linkOptions({ to: "/coverage", search }),
  software: (search: SupportSearch = {}) => linkOptions({ to: "/software", search }),
  softwareDevices: (search: SupportSearch = {}) => linkOptions({ to: "/software/devices", search }),
  product: (product: string) => linkOptions({ to: "/products/$product", params: { product } }),
  customers: (search: ListSearch = {}) => linkOptions({ to: "/customers", search }),
  customer: (customer: string) =>
    linkOptions({ to: "/customers/$id", params: { id: customer } }),
  site: (site: string) => linkOptions({ to: "/sites/$site", params: { site } }),
  enrolment: (search: ListSearch = {}) => linkOptions({ to: "/enrolment", search }),
  jobs: (search: ListSearch = {}) => linkOptions({ to: "/jobs", search }),
  job: (job: string) => linkOptions({ to: "/jobs/$job", params: { job } }),
  activity: (search: ListSearch = {}) => linkOptions({ to: "/activity", search }),
  catalog: (search: CatalogSearch = {}) => linkOptions({ to: "/catalog", search }),
  settings: () => linkOptions({ to: "/settings" }),
  trust: () => linkOptions({ to: "/settings", hash: "trust" }),
} as const;

export interface SupportSearch {
  customer?: string;
  kind?: string;
  state?: string;
  within?: string;
  of?: string;
  q?: string;
}

export interface CatalogSearch {
  tab?: "programs" | "files" | "feeds";
  package?: string;
  state?: string;
  q?: string;
}

export interface DeviceSearch {
  tab?: "needs" | "findings" | "timeline" | "inventory" | "engine" | "about";
  need?: string;
  state?: string;
  q?: string;
}

/** Where a sentence of the server leads: it names a page and what to filter it by. */
export function pathOf(link: PageLink) {
  const search: ListSearch = { ...link.params };
  switch (link.page) {
    case "needs":
      return paths.needs(search);
    case "devices":
      return paths.devices(search);
    case "updates":
      return paths.updates(search);
    case "customers":
      return paths.customers(search);
    case "enrol":
      return paths.enrolment(search);
    case "jobs":
      return paths.jobs(search);
    case "bulletins":
      return paths.bulletins(search);
    case "catalog":
      return paths.catalog();
    case "settings":
      return paths.trust();
    default:
      return paths.home();
  }
}

/** The needs in one state, within whatever else is being looked at. */
export const needsIn = (state: State, search: ListSearch = {}) => paths.needs({ ...search, state });
