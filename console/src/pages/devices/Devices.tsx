import { Button } from "@mantine/core";
import { useInfiniteQuery } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { devices } from "../../api/queries";
import type { Device } from "../../api/types";
import { count, number, outOf } from "../../lib/text";
import { paths } from "../../paths";
import { List, type Column } from "../../ui/List";
import { Page } from "../../ui/Page";
import { PostureBar } from "../../ui/Posture";
import { Empty } from "../../ui/States";
import { Middle } from "../../ui/Text";
import { Ago } from "../../ui/Time";
import { Chips, Tools } from "../../ui/Tools";
import { useView } from "../../ui/useView";
import { systemOf } from "./system";
import { DeviceState } from "./DeviceState";
import { StandingFilters } from "./StandingFilters";
import "../../styles/standing.css";

const columns: Column<Device>[] = [
  {
    key: "name",
    title: "Device",
    sort: "name",
    narrow: "title",
    width: "17%",
    cell: (d) => <Link className="main" {...paths.device(d.id)}><Middle text={d.name} /></Link>,
  },
  {
    key: "customer",
    title: "Customer",
    sort: "customer",
    narrow: "plain",
    width: "13%",
    cell: (d) => <span className="dim" title={`${d.customer.name}, ${d.site.name}`}><Middle text={d.customer.name} tail={6} /></span>,
  },
  { key: "system", title: "System", narrow: "plain", wide: true, width: "158px", cell: (d) => <span className="dim"><Middle text={systemOf(d) || "not known"} tail={5} /></span> },
  {
    key: "state",
    title: "State",
    sort: "last_seen",
    narrow: "plain",
    width: "184px",
    cell: (d) => <DeviceState device={d} />,
  },
  {
    key: "posture",
    title: "Needs",
    narrow: "hide",
    wide: true,
    cell: (d) => <PostureBar counts={d.posture} />,
  },
  {
    key: "needs",
    title: "Verified",
    number: true,
    width: "88px",
    cell: (d) => <Link {...paths.device(d.id, { tab: "needs" })}>{outOf(d.posture.verified, d.posture.needs)}</Link>,
  },
  {
    key: "security",
    title: "Security open",
    sort: "security_open",
    number: true,
    width: "106px",
    cell: (d) => <Some n={d.posture.security_open} to={paths.device(d.id, { tab: "needs" })} />,
  },
  {
    key: "failed",
    title: "Failed",
    sort: "failed",
    number: true,
    width: "62px",
    cell: (d) => <Some n={d.posture.failed} to={paths.device(d.id, { tab: "needs", state: "failed" })} bad />,
  },
  {
    key: "seen",
    title: "Last seen",
    narrow: "hide",
    width: "98px",
    number: true,
    cell: (d) => <span className="dim"><Ago at={d.agent.last_seen} /></span>,
  },
];

function Some({ n, to, bad }: { n: number; to: ReturnType<typeof paths.device>; bad?: boolean }) {
  if (n === 0) return <span className="dim">0</span>;
  return <Link {...to}><b data-state={bad ? "failed" : undefined} style={bad ? { color: "var(--state)" } : undefined}>{number(n)}</b></Link>;
}

export function Devices() {
  const [view] = useView();
  const navigate = useNavigate();
  const query = useInfiniteQuery(devices({ customer: view.customer, site: view.site, state: view.state, program: view.program, role: view.role, group: view.group, q: view.q, sort: view.sort }));
  const first = query.data?.pages[0];
  return (
    <Page
      title="Devices"
      state={first && `${count(first.total, "device")}${view.state || view.q || view.program || view.role || view.group ? " of those enrolled" : " enrolled"}.`}
      asOf={first?.as_of}
      act={<Button renderRoot={(p) => <Link {...p} {...paths.enrolment()} />}>Enrol a device</Button>}
    >
      <Tools search="Search devices">
        <Chips
          name="state"
          label="State"
          choices={[
            { value: undefined, label: "All" },
            { value: "talking", label: "Talking" },
            { value: "silent", label: "Silent" },
            { value: "not_back", label: "Not back from a restart" },
            { value: "never_scanned", label: "Never scanned" },
            { value: "observe", label: "Only observed" },
          ]}
        />
        <StandingFilters />
        {view.program && <Chips name="program" label="Program" choices={[{ value: view.program, label: `Has ${view.program.slice(view.program.indexOf("/") + 1)}` }]} />}
      </Tools>
      <List
        label="Devices"
        noun={["device", "devices"]}
        columns={columns}
        query={query}
        rowKey={(d) => d.id}
        open={(d) => void navigate(paths.device(d.id))}
        empty={<NoDevice filtered={Boolean(view.state || view.q || view.site || view.program || view.role || view.group)} />}
      />
    </Page>
  );
}

function NoDevice({ filtered }: { filtered: boolean }) {
  if (filtered) {
    return (
      <Empty title="No device like that" act={<Link className="link" {...paths.devices()}>Show all devices</Link>}>
        No enrolled device has this name, this role or this program, is in this group or in this state.
      </Empty>
    );
  }
  return (
    <Empty title="No device is enrolled" act={<Button renderRoot={(p) => <Link {...p} {...paths.enrolment()} />}>Enrol a device</Button>}>
      Make a token for a site, copy one line and run it on the machine. It shows up here within a minute.
    </Empty>
  );
}

