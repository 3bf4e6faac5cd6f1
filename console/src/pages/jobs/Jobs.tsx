import { useInfiniteQuery } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { jobs } from "../../api/queries";
import type { Job } from "../../api/types";
import { paths } from "../../paths";
import { List, type Column } from "../../ui/List";
import { Page } from "../../ui/Page";
import { Empty } from "../../ui/States";
import { Middle } from "../../ui/Text";
import { Ago } from "../../ui/Time";
import { Chips, Tools } from "../../ui/Tools";
import { useView } from "../../ui/useView";
import { JobChange } from "./JobChange";
import { JobState } from "./JobState";

const columns: Column<Job>[] = [
  { key: "item", title: "Item", sort: "name", narrow: "title", width: "15%", cell: (j) => <Link className="main" {...paths.job(j.id)}><Middle text={j.item.name} /></Link> },
  { key: "change", title: "Change", narrow: "plain", cell: (j) => <JobChange job={j} /> },
  { key: "device", title: "Device", sort: "device", width: "13%", narrow: "plain", cell: (j) => <Link {...paths.device(j.device.id)}><Middle text={j.device.name} /></Link> },
  { key: "customer", title: "Customer", width: "12%", narrow: "plain", wide: true, cell: (j) => <span className="dim"><Middle text={j.customer.name} /></span> },
  { key: "step", title: "Step", width: "26%", narrow: "plain", cell: (j) => <JobState job={j} /> },
  { key: "made", title: "Ordered", sort: "created_at", width: "104px", number: true, narrow: "hide", cell: (j) => <span className="dim"><Ago at={j.created_at} /></span> },
];

export function Jobs() {
  const [view] = useView();
  const navigate = useNavigate();
  const query = useInfiniteQuery(jobs({ customer: view.customer, state: view.state, q: view.q, sort: view.sort }));
  return (
    <Page title="Jobs" state="A job is one device's work on one item: download, wait, check, install or take back, restart services, reboot, verify." asOf={query.data?.pages[0]?.as_of}>
      <Tools search="Search jobs">
        <Chips
          name="state"
          label="State"
          choices={[
            { value: undefined, label: "All" },
            { value: "running", label: "Under way" },
            { value: "ended", label: "Ended" },
            { value: "failed", label: "Failed" },
          ]}
        />
      </Tools>
      <List
        label="Jobs"
        noun={["job", "jobs"]}
        columns={columns}
        query={query}
        rowKey={(j) => j.id}
        open={(j) => void navigate(paths.job(j.id))}
        empty={
          view.state || view.q ? (
            <Empty title={view.state === "running" ? "Nothing is under way" : "No job like that"} act={<Link className="link" {...paths.jobs()}>Show all jobs</Link>} />
          ) : (
            <Empty title="No job yet" act={<Link className="link" {...paths.needs({ state: "waits_person" })}>See what waits for a decision</Link>}>
              A job begins when an update is approved for a device whose agent may install.
            </Empty>
          )
        }
      />
    </Page>
  );
}
