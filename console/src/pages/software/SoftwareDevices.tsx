import { useInfiniteQuery } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { severalDevices, unattendedDevices } from "../../api/queries";
import type { SoftwareDevice } from "../../api/types";
import { count } from "../../lib/text";
import { paths } from "../../paths";
import { List, type Column } from "../../ui/List";
import { Page } from "../../ui/Page";
import { Empty } from "../../ui/States";
import { Middle } from "../../ui/Text";
import { Tools } from "../../ui/Tools";
import { useView } from "../../ui/useView";

const device: Column<SoftwareDevice> = { key: "device", title: "Device", narrow: "title", width: "30%", cell: (d) => <><Link className="main" {...paths.device(d.device.id, { tab: "inventory" })}><Middle text={d.device.name} /></Link>{d.silent && <span className="dim"> silent</span>}</> };
const customer: Column<SoftwareDevice> = { key: "customer", title: "Customer", narrow: "plain", width: "30%", cell: (d) => <Middle text={d.customer.name} /> };
const site: Column<SoftwareDevice> = { key: "site", title: "Site", narrow: "plain", cell: (d) => <span className="dim"><Middle text={d.site.name} /></span> };
const programs: Column<SoftwareDevice> = { key: "programs", title: "Programs", narrow: "plain", cell: (d) => (d.programs ?? []).join(", ") };

/** Which devices have it? */
export function SoftwareDevices() {
  const [view] = useView();
  const of = view.of ?? "";
  return view.kind === "several" ? <SeveralOn purpose={of} /> : <UnattendedOn item={of} />;
}

function SeveralOn({ purpose }: { purpose: string }) {
  const [view] = useView();
  const query = useInfiniteQuery(severalDevices({ purpose, customer: view.customer, q: view.q }));
  return <Devices title={`Several: ${purpose}`} query={query} columns={[device, customer, programs]} />;
}

function UnattendedOn({ item }: { item: string }) {
  const [view] = useView();
  const query = useInfiniteQuery(unattendedDevices({ of: item, customer: view.customer, q: view.q }));
  return <Devices title={item.slice(item.indexOf("/") + 1) || "Updated by nobody"} query={query} columns={[device, customer, site]} />;
}

function Devices({ title, query, columns }: { title: string; query: Parameters<typeof List<SoftwareDevice>>[0]["query"]; columns: Column<SoftwareDevice>[] }) {
  const navigate = useNavigate();
  const first = query.data?.pages[0];
  return (
    <Page title={title} crumbs={[{ link: paths.software(), text: "Updated by nobody" }]} state={first && `On ${count(first.total, "device")}.`} asOf={first?.as_of}>
      <Tools search="Search devices and customers">{null}</Tools>
      <List label="Devices that have it" noun={["device", "devices"]} columns={columns} query={query} rowKey={(d) => d.device.id} open={(d) => void navigate(paths.device(d.device.id, { tab: "inventory" }))}
        empty={<Empty title="No device has it" act={<Link className="link" {...paths.software()}>Show all</Link>}>It may have been updated or removed since this list was made.</Empty>} />
    </Page>
  );
}
