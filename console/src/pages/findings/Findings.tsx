import { useInfiniteQuery } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { findings } from "../../api/queries";
import type { ExposedTo } from "../../api/types";
import { count, list, number } from "../../lib/text";
import { paths } from "../../paths";
import { List, type Column } from "../../ui/List";
import { Page } from "../../ui/Page";
import { Exploited, Severity, Step } from "../../ui/Severity";
import { Empty } from "../../ui/States";
import { Ago } from "../../ui/Time";
import { Tools } from "../../ui/Tools";
import { useView } from "../../ui/useView";
import { FindingsTabs } from "./FindingsTabs";

const columns: Column<ExposedTo>[] = [
  { key: "id", title: "CVE", narrow: "title", width: "152px", cell: (e) => <Link className="main nowrap" {...paths.finding(e.id)}>{e.id}</Link> },
  { key: "severity", title: "Severity", narrow: "plain", width: "116px", cell: (e) => <Severity of={e.severity} /> },
  { key: "exploited", title: "Exploited", narrow: "plain", width: "148px", cell: (e) => e.exploited ? <Exploited at={e.exploited} /> : <span className="dim wide">–</span> },
  { key: "step", title: "To be mended", narrow: "plain", width: "118px", cell: (e) => <Step step={e.step} why={e.why} /> },
  { key: "items", title: "Packages", narrow: "plain", cell: (e) => <span className="own" title={list(e.items ?? [])}>{(e.items ?? []).join(", ")}</span> },
  { key: "fix", title: "Fix", width: "98px", cell: (e) => e.fixable ? "published" : <span className="dim">not for all</span> },
  { key: "published", title: "Published", width: "118px", narrow: "hide", cell: (e) => <span className="dim"><Ago at={e.published} none="not known" /></span> },
  { key: "customers", title: "Customers", width: "86px", number: true, narrow: "hide", cell: (e) => number(e.customers) },
  { key: "devices", title: "Devices", width: "78px", number: true, cell: (e) => <Link {...paths.finding(e.id)}>{number(e.devices)}</Link> },
];

/** What are we exposed to? */
export function Findings() {
  const [view] = useView();
  const navigate = useNavigate();
  const query = useInfiniteQuery(findings({ customer: view.customer, q: view.q }));
  const first = query.data?.pages[0];
  return (
    <Page title="Findings" state={first && (first.total > 0 ? `${count(first.total, "CVE")} open, those that cannot wait first.` : "Nothing that feeds speak of is open.")} asOf={first?.as_of}>
      <FindingsTabs />
      <Tools search="Search CVEs and packages">{null}</Tools>
      <List
        label="Findings"
        noun={["CVE", "CVEs"]}
        columns={columns}
        query={query}
        rowKey={(e) => e.id}
        open={(e) => void navigate(paths.finding(e.id))}
        empty={<NoFinding filtered={Boolean(view.q)} />}
      />
    </Page>
  );
}

function NoFinding({ filtered }: { filtered: boolean }) {
  if (filtered) return <Empty title="Nothing like that is open" act={<Link className="link" {...paths.findings()}>Show all findings</Link>}>No device has something that an open advisory of this name affects.</Empty>;
  return (
    <Empty title="Nothing is open" act={<Link className="link" {...paths.catalog()}>Look at the feeds</Link>}>
      Devices whose system no feed speaks of are not looked at, and what is not looked at is not known to be well.
    </Empty>
  );
}
