import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { several, unattended, unattendedSummary } from "../../api/queries";
import type { Several, Unattended, UnattendedSummary } from "../../api/types";
import { count, number } from "../../lib/text";
import { paths } from "../../paths";
import { List, type Column } from "../../ui/List";
import { Loaded } from "../../ui/Loaded";
import { Page, Section } from "../../ui/Page";
import { Empty } from "../../ui/States";
import { Middle } from "../../ui/Text";
import { Tools } from "../../ui/Tools";
import { useView } from "../../ui/useView";
import { FindingsTabs } from "../findings/FindingsTabs";
import "../../styles/coverage.css";

const columns: Column<Unattended>[] = [
  { key: "name", title: "Item", sort: "name", narrow: "title", width: "32%", cell: (u) => <Link className="main" {...paths.softwareDevices({ kind: "unattended", of: u.id })}><Middle text={u.name} /></Link> },
  { key: "provider", title: "Provider", narrow: "plain", width: "120px", cell: (u) => <span className="dim">{u.provider}</span> },
  { key: "why", title: "Why nobody does", narrow: "plain", cell: (u) => <span className="coverage-why"><span>{u.why}</span></span> },
  { key: "customers", title: "Customers", width: "86px", number: true, narrow: "hide", cell: (u) => number(u.customers) },
  { key: "devices", title: "Devices", sort: "devices", width: "82px", number: true, cell: (u) => <Link {...paths.softwareDevices({ kind: "unattended", of: u.id })}>{number(u.devices)}</Link> },
];

/** What does nobody update, and of what is there more than one? */
export function Software() {
  const [view] = useView();
  const navigate = useNavigate();
  const summary = useQuery(unattendedSummary(view.customer));
  const query = useInfiniteQuery(unattended({ customer: view.customer, q: view.q, sort: view.sort as "name" }));
  const many = useQuery(several(view.customer));
  const s = summary.data;
  return (
    <Page title="Updated by nobody" state={s && sentence(s)} asOf={query.data?.pages[0]?.as_of}>
      <FindingsTabs />
      <Tools search="Search items and providers">{null}</Tools>
      <List label="Items that nobody updates" noun={["item", "items"]} columns={columns} query={query} rowKey={(u) => u.id + u.why} open={(u) => void navigate(paths.softwareDevices({ kind: "unattended", of: u.id }))}
        empty={view.q ? <Empty title="Nothing like that" act={<Link className="link" {...paths.software()}>Show all</Link>} /> : <Empty title="Somebody updates everything">For each item that was read a provider, a package of the catalogue or an updater of its own sees to it.</Empty>} />
      <Section title="Several programs for one purpose" about="Each is one more to keep up to date. A program counts once on a device, in whatever version.">
        <Loaded query={many} what="What there are several of could not be read.">
          {(p) => (p.items.length > 0 ? <Purposes of={p.items} /> : <Empty small title="There is one program for each purpose that is known, on every device and for every customer" />)}
        </Loaded>
      </Section>
    </Page>
  );
}

function sentence(s: UnattendedSummary): string {
  if (s.devices === 0) return "No device is enrolled.";
  const unread = s.unread > 0 ? `; of ${count(s.unread, "device")} the software is not known` : "";
  return `Nobody updates ${number(s.nobody)} of ${count(s.items, "item")}, on ${number(s.with)} of ${count(s.devices, "device")}${unread}.`;
}

function Purposes({ of }: { of: Several[] }) {
  return (
    <table className="list" aria-label="Purposes with several programs">
      <thead>
        <tr>
          <th scope="col" style={{ width: "18%" }}>Purpose</th>
          <th scope="col">Programs, and devices that have them</th>
          <th scope="col" className="num" style={{ width: "190px" }}>Devices with several</th>
          <th scope="col" className="num" style={{ width: "190px" }}>Customers with several</th>
        </tr>
      </thead>
      <tbody>
        {of.map((p) => (
          <tr key={p.purpose}>
            <td className="title"><span className="main">{p.purpose}</span></td>
            <td><span className="coverage-why"><span>{p.programs.map((x) => `${x.name} (${number(x.devices)})`).join(", ")}</span></span></td>
            <td className="num" data-label="Devices with several">{p.several > 0 ? <Link {...paths.softwareDevices({ kind: "several", of: p.purpose })}>{number(p.several)}</Link> : "0"} <span className="dim">of {number(p.devices)}</span></td>
            <td className="num" data-label="Customers with several">{number(p.mixed)} <span className="dim">of {number(p.customers)}</span></td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
