import { useInfiniteQuery } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { supportDevices } from "../../api/queries";
import type { SupportDevice } from "../../api/types";
import { count } from "../../lib/text";
import { paths } from "../../paths";
import { List, type Column } from "../../ui/List";
import { Page } from "../../ui/Page";
import { Empty } from "../../ui/States";
import { Middle } from "../../ui/Text";
import { Tools } from "../../ui/Tools";
import { useView } from "../../ui/useView";

const columns: Column<SupportDevice>[] = [
  { key: "device", title: "Device", narrow: "title", width: "28%", cell: (d) => <><Link className="main" {...paths.device(d.device.id, { tab: "about" })}><Middle text={d.device.name} /></Link>{d.silent && <span className="dim"> silent</span>}</> },
  { key: "customer", title: "Customer", narrow: "plain", width: "24%", cell: (d) => <Middle text={d.customer.name} /> },
  { key: "item", title: "Item", cell: (d) => <Middle text={d.item} /> },
  { key: "version", title: "Version", width: "20%", cell: (d) => <span className="version">{d.version}</span> },
];

/** Which devices have it? */
export function SupportDevices() {
  const [view] = useView();
  const navigate = useNavigate();
  const of = view.of ?? "";
  const query = useInfiniteQuery(supportDevices({ of, customer: view.customer, q: view.q }));
  const first = query.data?.pages[0];
  const [, product = "", cycle = "", title = ""] = of.split(":");
  return (
    <Page title={title || `${product} ${cycle}`.trim() || "Support"} crumbs={[{ link: paths.support(), text: "Support" }]} act={product ? <Link className="link" {...paths.product(product)}>About this product</Link> : undefined} state={first && `${count(first.total, "time")} on devices.`} asOf={first?.as_of}>
      <Tools search="Search devices and customers">{null}</Tools>
      <List label="Devices that have it" noun={["item", "items"]} columns={columns} query={query} rowKey={(d) => `${d.device.id} ${d.item} ${d.version ?? ""}`} open={(d) => void navigate(paths.device(d.device.id, { tab: "about" }))}
        empty={<Empty title="No device has it" act={<Link className="link" {...paths.support()}>Show all</Link>}>It may have been updated or removed since this list was made.</Empty>} />
    </Page>
  );
}
