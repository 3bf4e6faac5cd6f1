import { QueryCache, QueryClient } from "@tanstack/react-query";
import {
  createRootRouteWithContext,
  createRoute,
  createRouter,
  lazyRouteComponent,
  Outlet,
  redirect,
  retainSearchParams,
} from "@tanstack/react-router";
import { Problem } from "./api/client";
import { bulletin, customer, device, finding, job, sessionQuery, site, update } from "./api/queries";
import { Shell } from "./app/Shell";
import { Lost, Broken } from "./app/Lost";

export const client = new QueryClient({
  queryCache: new QueryCache({ onError: (error) => void doorFor(error) }),
  defaultOptions: {
    queries: {
      staleTime: 15_000,
      retry: (times, error) => times < 1 && !(error instanceof Problem && error.status >= 400 && error.status < 500),
    },
  },
});

/** A session that ended, or a second factor that is asked for, leads to the page for it. */
async function doorFor(error: Error) {
  if (!(error instanceof Problem)) return;
  const totp = error.type === "totp-required";
  if (error.status !== 401 && !totp) return;
  client.removeQueries({ queryKey: sessionQuery.queryKey });
  const { pathname, href } = router.state.location;
  if (totp) await router.navigate({ to: "/totp" });
  else if (pathname !== "/signin" && pathname !== "/setup") await router.navigate({ to: "/signin", search: { next: href } });
}

/** What a page of the console may say in its URL. */
const words = ["customer", "need", "q", "sort", "state", "class", "site", "tab", "package", "program", "role", "group", "kind", "within", "of"] as const;
export type View = Partial<Record<(typeof words)[number], string>>;

const viewOf = (search: Record<string, unknown>): View =>
  Object.fromEntries(words.flatMap((w) => (typeof search[w] === "string" && search[w] !== "" ? [[w, search[w]]] : [])));

const root = createRootRouteWithContext<{ client: QueryClient }>()({
  component: Outlet,
  notFoundComponent: Lost,
});

const signIn = createRoute({
  getParentRoute: () => root,
  path: "/signin",
  validateSearch: (search): { next?: string } => ({ next: typeof search.next === "string" ? search.next : undefined }),
  component: lazyRouteComponent(() => import("./pages/door/SignIn"), "SignIn"),
});

const setup = createRoute({
  getParentRoute: () => root,
  path: "/setup",
  component: lazyRouteComponent(() => import("./pages/door/Setup"), "Setup"),
});

const totp = createRoute({
  getParentRoute: () => root,
  path: "/totp",
  beforeLoad: async ({ context }) => {
    const session = await context.client.ensureQueryData(sessionQuery);
    if (!session.person) throw redirect({ to: "/signin" });
  },
  component: lazyRouteComponent(() => import("./pages/door/Totp"), "Totp"),
});

const app = createRoute({
  getParentRoute: () => root,
  id: "app",
  validateSearch: viewOf,
  search: { middlewares: [retainSearchParams(["customer"])] },
  beforeLoad: async ({ context, location }) => {
    const session = await context.client.ensureQueryData(sessionQuery);
    if (!session.person && session.setup_open) throw redirect({ to: "/setup" });
    if (!session.person) throw redirect({ to: "/signin", search: { next: location.href } });
    if (session.totp_required && !session.person.totp) throw redirect({ to: "/totp" });
  },
  component: Shell,
  errorComponent: Broken,
});

type Component = ReturnType<typeof lazyRouteComponent>;

const page = <P extends string>(path: P, component: Component) => createRoute({ getParentRoute: () => app, path, component });

/** A page of one thing. What it shows is asked for as soon as somebody points at a link to it. */
const pageOf = <P extends string>(path: P, component: Component, warm: (client: QueryClient, id: string) => Promise<void>) =>
  createRoute({
    getParentRoute: () => app,
    path,
    component,
    loader: ({ context, params }) => {
      const [id] = Object.values(params as Record<string, string>);
      if (id) void warm(context.client, id);
    },
  });

const tree = root.addChildren([
  signIn,
  setup,
  totp,
  app.addChildren([
    page("/", lazyRouteComponent(() => import("./pages/home/Home"), "Home")),
    page("/needs", lazyRouteComponent(() => import("./pages/needs/Needs"), "Needs")),
    page("/devices", lazyRouteComponent(() => import("./pages/devices/Devices"), "Devices")),
    pageOf("/devices/$device", lazyRouteComponent(() => import("./pages/devices/Device"), "DevicePage"), (c, id) => c.prefetchQuery(device(id))),
    page("/updates", lazyRouteComponent(() => import("./pages/updates/Updates"), "Updates")),
    pageOf("/updates/$update", lazyRouteComponent(() => import("./pages/updates/Update"), "UpdatePage"), (c, id) => c.prefetchQuery(update(id))),
    page("/findings", lazyRouteComponent(() => import("./pages/findings/Findings"), "Findings")),
    pageOf("/findings/$finding", lazyRouteComponent(() => import("./pages/findings/Finding"), "FindingPage"), (c, id) => c.prefetchQuery(finding(id))),
    page("/bulletins", lazyRouteComponent(() => import("./pages/findings/Bulletins"), "Bulletins")),
    pageOf("/bulletins/$bulletin", lazyRouteComponent(() => import("./pages/findings/Bulletin"), "BulletinPage"), (c, id) => c.prefetchQuery(bulletin(id))),
    page("/support", lazyRouteComponent(() => import("./pages/support/Support"), "Support")),
    page("/support/devices", lazyRouteComponent(() => import("./pages/support/SupportDevices"), "SupportDevices")),
    page("/coverage", lazyRouteComponent(() => import("./pages/coverage/Coverage"), "CoveragePage")),
    page("/software", lazyRouteComponent(() => import("./pages/software/Software"), "Software")),
    page("/software/devices", lazyRouteComponent(() => import("./pages/software/SoftwareDevices"), "SoftwareDevices")),
    page("/products/$product", lazyRouteComponent(() => import("./pages/products/Product"), "ProductPage")),
    page("/customers", lazyRouteComponent(() => import("./pages/customers/Customers"), "Customers")),
    pageOf("/customers/$id", lazyRouteComponent(() => import("./pages/customers/Customer"), "CustomerPage"), (c, id) => c.prefetchQuery(customer(id))),
    pageOf("/sites/$site", lazyRouteComponent(() => import("./pages/customers/Site"), "SitePage"), (c, id) => c.prefetchQuery(site(id))),
    page("/enrolment", lazyRouteComponent(() => import("./pages/enrolment/Enrolment"), "Enrolment")),
    page("/jobs", lazyRouteComponent(() => import("./pages/jobs/Jobs"), "Jobs")),
    pageOf("/jobs/$job", lazyRouteComponent(() => import("./pages/jobs/Job"), "JobPage"), (c, id) => c.prefetchQuery(job(id))),
    page("/activity", lazyRouteComponent(() => import("./pages/activity/Activity"), "ActivityPage")),
    page("/catalog", lazyRouteComponent(() => import("./pages/catalog/Catalog"), "CatalogPage")),
    page("/settings", lazyRouteComponent(() => import("./pages/settings/Settings"), "Settings")),
  ]),
]);

// Search words are plain text: a search for 123 stays what was typed.
const parseSearch = (text: string): Record<string, unknown> => Object.fromEntries(new URLSearchParams(text));

function stringifySearch(search: Record<string, unknown>): string {
  const pairs = Object.entries(search).filter(([, v]) => v !== undefined && v !== "");
  return pairs.length === 0 ? "" : "?" + new URLSearchParams(pairs.map(([k, v]) => [k, String(v)])).toString();
}

export const router = createRouter({
  routeTree: tree,
  context: { client },
  defaultPreload: "intent",
  defaultPreloadDelay: 60,
  defaultPreloadStaleTime: 0,
  scrollRestoration: true,
  parseSearch,
  stringifySearch,
});

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}
