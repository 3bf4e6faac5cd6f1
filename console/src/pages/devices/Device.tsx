import { Button } from "@mantine/core";
import { useMutation, useQuery } from "@tanstack/react-query";
import { Link, useParams } from "@tanstack/react-router";
import { checkIn } from "../../api/acts";
import { device } from "../../api/queries";
import type { DeviceDetail } from "../../api/types";
import { useDecide } from "../../app/useActs";
import { paths, type DeviceSearch } from "../../paths";
import { Loaded } from "../../ui/Loaded";
import { useNotice } from "../../ui/Notice";
import { Page } from "../../ui/Page";
import { Empty, Trouble } from "../../ui/States";
import { Ago } from "../../ui/Time";
import { useView } from "../../ui/useView";
import { NeedList } from "../needs/NeedList";
import { askForSecurity } from "../needs/asks";
import { deviceColumns, soonDeviceColumns } from "../needs/columns";
import { AboutDevice } from "./AboutDevice";
import { Findings } from "../findings/DeviceFindings";
import { DeviceState } from "./DeviceState";
import { Engine } from "./Engine";
import { systemOf } from "./system";
import { Inventory } from "./Inventory";
import { RoleTags } from "./Standing";
import { Summary } from "./Summary";
import { Timeline } from "./Timeline";

const tabs: { tab: NonNullable<DeviceSearch["tab"]>; title: string }[] = [
  { tab: "needs", title: "Needs" },
  { tab: "findings", title: "Findings" },
  { tab: "timeline", title: "Timeline" },
  { tab: "inventory", title: "Inventory" },
  { tab: "engine", title: "Windows Update" },
  { tab: "about", title: "About" },
];

/** The parts of a device's page: an update engine is only told of a Windows. */
const tabsOf = (d: DeviceDetail) => tabs.filter((t) => t.tab !== "engine" || d.os === "windows");

export function DevicePage() {
  const { device: id } = useParams({ from: "/app/devices/$device" });
  const query = useQuery(device(id));
  const known = query.data;
  if (!known) {
    return (
      <Page title="Device">
        <Loaded query={query} what="This device could not be read.">{() => null}</Loaded>
      </Page>
    );
  }
  return <Known device={known} />;
}

function Known({ device: d }: { device: DeviceDetail }) {
  const [view] = useView();
  const tab = view.tab ?? "needs";
  return (
    <Page
      title={d.name}
      crumbs={[
        { link: paths.customer(d.customer.id), text: d.customer.name },
        { link: paths.site(d.site.id), text: d.site.name },
      ]}
      state={<State device={d} />}
      act={<DeviceActs device={d} />}
    >
      <Summary device={d} />
      <nav className="tabs" aria-label="Parts of this page">
        {tabsOf(d).map((t) => (
          <Link key={t.tab} {...paths.device(d.id, { tab: t.tab })} aria-current={t.tab === tab ? "page" : undefined} activeProps={{}} resetScroll={false}>
            {t.title}
          </Link>
        ))}
      </nav>
      {tab === "needs" && (
        <NeedList columns={view.sort?.endsWith("place") ? soonDeviceColumns : deviceColumns} within={{ device: d.id }} scope={{ level: "device", target: d.id, where: `On ${d.name}` }} search="Search items" empty={<NoNeed device={d} />} />
      )}
      {tab === "findings" && <Findings device={d} />}
      {tab === "timeline" && <Timeline device={d} />}
      {tab === "inventory" && <Inventory device={d} />}
      {tab === "engine" && (d.os === "windows" ? <Engine device={d} /> : <NoEngine device={d} />)}
      {tab === "about" && <AboutDevice device={d} />}
    </Page>
  );
}

function State({ device: d }: { device: DeviceDetail }) {
  return (
    <span className="row" style={{ gap: "2px 14px" }}>
      <DeviceState device={d} />
      <span>{systemOf(d) || "system not known"}</span>
      <RoleTags device={d} />
      <span>last seen <Ago at={d.agent.last_seen} zone={d.zone} /></span>
      <span>scanned <Ago at={d.scanned_at} none="never" zone={d.zone} /></span>
      {d.copy_of && <span>copy of <Link className="link" {...paths.device(d.copy_of.id)}>{d.copy_of.name}</Link></span>}
    </span>
  );
}

function DeviceActs({ device: d }: { device: DeviceDetail }) {
  const decide = useDecide();
  const tell = useNotice();
  const ask = useMutation({
    mutationFn: () => checkIn(d.id),
    onSuccess: () => tell(`${d.name} is asked to scan and check in.`),
  });
  const security = () => decide(askForSecurity({ level: "device", target: d.id, where: `On ${d.name}` }));
  return (
    <div className="stack" style={{ gap: 6, justifyItems: "end" }}>
      <div className="page-act">
        <Button variant="default" loading={ask.isPending} onClick={() => ask.mutate()} disabled={Boolean(d.can.checkin)} title={d.can.checkin || undefined}>
          Check in now
        </Button>
        <Button onClick={security} disabled={Boolean(d.can.approve)} title={d.can.approve || undefined}>Approve security updates</Button>
      </div>
      {(d.can.approve || d.can.checkin) && <p className="dim small" style={{ maxWidth: "44ch" }}>{d.can.approve || d.can.checkin}</p>}
      {ask.error && <Trouble error={ask.error} what="The device was not asked." />}
    </div>
  );
}

function NoEngine({ device: d }: { device: DeviceDetail }) {
  return (
    <Empty title="There is no Windows Update here" act={<Link className="link" {...paths.device(d.id, { tab: "about" })}>See its sources</Link>}>
      {d.os ? `${d.name} runs ${systemOf(d) || d.os}.` : "What this device runs is not known yet."}
    </Empty>
  );
}

function NoNeed({ device: d }: { device: DeviceDetail }) {
  if (!d.scanned_at) {
    return (
      <Empty title="Not scanned yet">
        What this device needs is not known: it was enrolled <Ago at={d.agent.enrolled_at} /> and has not finished a scan.
      </Empty>
    );
  }
  return <Empty title="Nothing is needed here">The scan <Ago at={d.scanned_at} /> found the newest version of everything its sources offer.</Empty>;
}
