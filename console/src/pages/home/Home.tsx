import { Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { lazy, Suspense } from "react";
import { overview, sites } from "../../api/queries";
import type { Overview } from "../../api/types";
import { paths } from "../../paths";
import { Loaded } from "../../ui/Loaded";
import { Page } from "../../ui/Page";
import { Ago } from "../../ui/Time";
import { Empty } from "../../ui/States";
import { useView } from "../../ui/useView";
import { Attention } from "./Attention";
import { Standing } from "./Standing";
import { Failed, Running, Silent, Waits, Worst } from "./Lists";
import "../../styles/home.css";

// Pictures are a chunk of their own: the page does not wait for them.
const Trend = lazy(() => import("./Charts").then((m) => ({ default: m.Trend })));
const Ages = lazy(() => import("./Charts").then((m) => ({ default: m.Ages })));

/** Am I safe? What is late? What broke? What waits for me? */
export function Home() {
  const [view] = useView();
  const query = useQuery(overview(view.customer));
  if (!query.data) {
    return (
      <Page title="Home">
        <Loaded query={query} what="The overview could not be read." lines={8}>{() => null}</Loaded>
      </Page>
    );
  }
  if (query.data.posture.devices === 0) return <First overview={query.data} />;
  return <Overviewed overview={query.data} customer={view.customer} />;
}

function Overviewed({ overview: o, customer }: { overview: Overview; customer?: string }) {
  return (
    <div className="page">
      <title>Home · Patchbay</title>
      <header className="home-head">
        <h1>{o.sentence}</h1>
        <p className="page-state">As of <Ago at={o.as_of} />.</p>
      </header>
      <Standing posture={o.posture} customer={customer} />
      <div className="home-grid">
        <div>
          <Attention rows={o.attention} />
          <Waits updates={o.waits} more={o.posture.waits_person} customer={customer} />
          <Failed needs={o.failed} more={o.posture.failed} customer={customer} />
          {o.trend.length > 1 && <Suspense fallback={<div style={{ height: 266 }} aria-busy="true" />}><Trend trend={o.trend} /></Suspense>}
        </div>
        <div>
          <Running jobs={o.running} customer={customer} />
          <Silent devices={o.silent} more={o.posture.silent} customer={customer} />
          {o.posture.security_open > 0 && <Suspense fallback={<div style={{ height: 208 }} aria-busy="true" />}><Ages ages={o.security_open_by_age} /></Suspense>}
          {!customer && <Worst customers={o.worst} />}
        </div>
      </div>
    </div>
  );
}

/** Nothing is here yet: the three things to do, in their order. */
function First({ overview: o }: { overview: Overview }) {
  const places = useQuery(sites()).data?.total ?? 0;
  return (
    <Page title="Home" state={o.sentence} asOf={o.as_of}>
      <Empty
        title="Enrol the first device"
        act={
          places > 0 ? (
            <Button renderRoot={(p) => <Link {...p} {...paths.enrolment()} />}>Enrol a device</Button>
          ) : (
            <Button renderRoot={(p) => <Link {...p} {...paths.customers()} />}>Add a customer</Button>
          )
        }
      >
        Add a customer and a site, make a token, and run one line on the machine. Within a minute its missing updates show up here, each with the reason why it is not installed.
      </Empty>
    </Page>
  );
}
