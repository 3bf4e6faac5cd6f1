import { Button } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { useInfiniteQuery } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { customers } from "../../api/queries";
import type { Customer } from "../../api/types";
import { count, number, outOf } from "../../lib/text";
import { needsIn, paths } from "../../paths";
import { List, type Column } from "../../ui/List";
import { Page } from "../../ui/Page";
import { PostureBar } from "../../ui/Posture";
import { Empty } from "../../ui/States";
import { Middle } from "../../ui/Text";
import { Next } from "../../ui/Time";
import { Tools } from "../../ui/Tools";
import { useView } from "../../ui/useView";
import { NewCustomer } from "./NewCustomer";

const columns: Column<Customer>[] = [
  {
    key: "name",
    title: "Customer",
    sort: "name",
    narrow: "title",
    width: "24%",
    cell: (c) => <Link className="main" {...paths.customer(c.id)}><Middle text={c.name} /></Link>,
  },
  { key: "bar", title: "Needs", narrow: "hide", width: "18%", cell: (c) => (c.posture.needs > 0 ? <PostureBar counts={c.posture} /> : null) },
  {
    key: "verified",
    title: "Verified",
    number: true,
    width: "140px",
    cell: (c) => <Link {...paths.needs({ customer: c.id })}>{outOf(c.posture.verified, c.posture.needs)}</Link>,
  },
  {
    key: "security",
    title: "Security open",
    sort: "security_open",
    number: true,
    width: "120px",
    cell: (c) =>
      c.posture.security_open > 0 ? (
        <Link {...paths.needs({ customer: c.id, class: "security" })}><b>{number(c.posture.security_open)}</b></Link>
      ) : (
        <span className="dim">0</span>
      ),
  },
  {
    key: "failed",
    title: "Failed",
    number: true,
    width: "76px",
    cell: (c) =>
      c.posture.failed > 0 ? (
        <Link {...needsIn("failed", { customer: c.id })}><b style={{ color: "var(--failed)" }}>{number(c.posture.failed)}</b></Link>
      ) : (
        <span className="dim">0</span>
      ),
  },
  {
    key: "devices",
    title: "Devices",
    number: true,
    width: "140px",
    cell: (c) => (
      <Link {...paths.devices({ customer: c.id })}>
        {number(c.posture.devices)}{c.posture.silent > 0 && <span className="dim"> ({number(c.posture.silent)} silent)</span>}
      </Link>
    ),
  },
  { key: "sites", title: "Sites", number: true, width: "70px", wide: true, cell: (c) => number(c.sites) },
  { key: "window", title: "Next window", narrow: "hide", wide: true, cell: (c) => <span className="dim"><NextWindow customer={c} /></span> },
];

function NextWindow({ customer: c }: { customer: Customer }) {
  const w = c.next_window;
  if (!w) return <>none set</>;
  return w.open ? <>open now at {w.site_name}</> : <Next at={w.at} />;
}

export function Customers() {
  const [view] = useView();
  const [making, { open, close }] = useDisclosure();
  const navigate = useNavigate();
  const query = useInfiniteQuery(customers({ q: view.q, sort: view.sort }));
  const first = query.data?.pages[0];
  const add = <Button onClick={open}>Add a customer</Button>;
  return (
    <Page title="Customers" state={first && first.total > 0 && `${count(first.total, "customer")}.`} asOf={first?.as_of} act={add}>
      <Tools search="Search customers" />
      <List
        label="Customers"
        noun={["customer", "customers"]}
        columns={columns}
        query={query}
        rowKey={(c) => c.id}
        open={(c) => void navigate(paths.customer(c.id))}
        empty={
          view.q ? (
            <Empty title="No customer of that name" act={<Link className="link" {...paths.customers()}>Show all customers</Link>} />
          ) : (
            <Empty title="No customer yet" act={add}>
              A customer is a company you look after. Its machines belong to its sites, each with a time zone and a maintenance window.
            </Empty>
          )
        }
      />
      {making && <NewCustomer close={close} />}
    </Page>
  );
}
