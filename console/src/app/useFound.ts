import { keepPreviousData, useInfiniteQuery } from "@tanstack/react-query";
import type { LinkProps } from "@tanstack/react-router";
import { customers, devices, updates } from "../api/queries";
import { count } from "../lib/text";
import { paths } from "../paths";
import type { IconName } from "../ui/Icon";

export interface Found {
  kind: string;
  icon: IconName;
  text: string;
  hint: string;
  link: LinkProps;
}

const pages: Found[] = [
  { kind: "act", icon: "enrolment", text: "Enrol a device", hint: "Make a token and copy one line", link: paths.enrolment() },
  { kind: "act", icon: "needs", text: "What waits for a person", hint: "Needs", link: paths.needs({ state: "waits_person" }) },
  { kind: "act", icon: "needs", text: "What failed", hint: "Needs", link: paths.needs({ state: "failed" }) },
  { kind: "act", icon: "updates", text: "Security updates", hint: "Updates", link: paths.updates({ class: "security" }) },
  { kind: "act", icon: "devices", text: "Silent devices", hint: "Devices", link: paths.devices({ state: "silent" }) },
  { kind: "act", icon: "jobs", text: "Jobs under way", hint: "Jobs", link: paths.jobs({ state: "running" }) },
  { kind: "page", icon: "home", text: "Home", hint: "Page", link: paths.home() },
  { kind: "page", icon: "customers", text: "Customers", hint: "Page", link: paths.customers() },
  { kind: "page", icon: "devices", text: "Devices", hint: "Page", link: paths.devices() },
  { kind: "page", icon: "updates", text: "Updates", hint: "Page", link: paths.updates() },
  { kind: "page", icon: "activity", text: "Activity", hint: "Page", link: paths.activity() },
  { kind: "page", icon: "settings", text: "Settings", hint: "Page", link: paths.settings() },
];

/** What has these letters in its name. Without any, the pages and acts. */
export function useFound(q: string, customer?: string): Found[] {
  const ask = { q, customer, limit: 6 };
  const how = { enabled: q !== "", placeholderData: keepPreviousData };
  const d = useInfiniteQuery({ ...devices(ask), ...how });
  const u = useInfiniteQuery({ ...updates(ask), ...how });
  const c = useInfiniteQuery({ ...customers({ q, limit: 6 }), ...how });
  if (q === "") return pages;
  const lower = q.toLowerCase();
  return [
    ...(d.data?.pages[0]?.items ?? []).map((x): Found => ({
      kind: "device", icon: "devices", text: x.name, hint: x.customer.name, link: paths.device(x.id),
    })),
    ...(u.data?.pages[0]?.items ?? []).map((x): Found => ({
      kind: "update", icon: "updates", text: `${x.name} ${x.available}`, hint: count(x.devices, "device"), link: paths.update(x.id),
    })),
    ...(c.data?.pages[0]?.items ?? []).map((x): Found => ({
      kind: "customer", icon: "customers", text: x.name, hint: count(x.posture.devices, "device"), link: paths.customer(x.id),
    })),
    { kind: "product", icon: "search", text: `About ${q}`, hint: "Product: support, how fast it is mended", link: paths.product(q) },
    ...pages.filter((p) => p.text.toLowerCase().includes(lower)),
  ];
}
