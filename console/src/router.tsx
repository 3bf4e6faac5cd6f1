import { QueryClient } from "@tanstack/react-query";
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
import { sessionQuery } from "./api/queries";
import { Shell } from "./app/Shell";
import { Lost, Broken } from "./app/Lost";

export const client = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 15_000,
      retry: (times, error) => times < 1 && !(error instanceof Problem && error.status >= 400 && error.status < 500),
    },
  },
});

/** What a page of the console may say in its URL. */
const words = ["customer", "need", "q", "sort", "state", "class", "site", "tab"] as const;
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

const page = <P extends string>(path: P, component: ReturnType<typeof lazyRouteComponent>) =>
  createRoute({ getParentRoute: () => app, path, component });

const tree = root.addChildren([
  signIn,
  setup,
  totp,
  app.addChildren([
    page("/", lazyRouteComponent(() => import("./pages/home/Home"), "Home")),
    page("/needs", lazyRouteComponent(() => import("./pages/needs/Needs"), "Needs")),
    page("/devices", lazyRouteComponent(() => import("./pages/devices/Devices"), "Devices")),
    page("/devices/$device", lazyRouteComponent(() => import("./pages/devices/Device"), "DevicePage")),
    page("/updates", lazyRouteComponent(() => import("./pages/updates/Updates"), "Updates")),
    page("/updates/$update", lazyRouteComponent(() => import("./pages/updates/Update"), "UpdatePage")),
    page("/customers", lazyRouteComponent(() => import("./pages/customers/Customers"), "Customers")),
    page("/customers/$id", lazyRouteComponent(() => import("./pages/customers/Customer"), "CustomerPage")),
    page("/sites/$site", lazyRouteComponent(() => import("./pages/customers/Site"), "SitePage")),
    page("/enrolment", lazyRouteComponent(() => import("./pages/enrolment/Enrolment"), "Enrolment")),
    page("/jobs", lazyRouteComponent(() => import("./pages/jobs/Jobs"), "Jobs")),
    page("/jobs/$job", lazyRouteComponent(() => import("./pages/jobs/Job"), "JobPage")),
    page("/activity", lazyRouteComponent(() => import("./pages/activity/Activity"), "ActivityPage")),
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
  scrollRestoration: true,
  parseSearch,
  stringifySearch,
});

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}
