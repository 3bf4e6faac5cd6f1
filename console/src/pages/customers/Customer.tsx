import { Button } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import { Link, useParams } from "@tanstack/react-router";
import { customer, sites } from "../../api/queries";
import type { Customer } from "../../api/types";
import { useDecide } from "../../app/useActs";
import { number, outOf } from "../../lib/text";
import { paths } from "../../paths";
import { Loaded } from "../../ui/Loaded";
import { Page, Section } from "../../ui/Page";
import { PostureBar, PostureLegend } from "../../ui/Posture";
import { Empty } from "../../ui/States";
import { Since } from "../../ui/Time";
import { askForSecurity } from "../needs/asks";
import { Groups } from "./Groups";
import { NewSite } from "./NewSite";
import { PlaceStanding } from "./PlaceStanding";
import { SiteRow } from "./SiteRow";
import "../../styles/device.css";

/** What may happen there, when, and who decides? */
export function CustomerPage() {
  const { id } = useParams({ from: "/app/customers/$id" });
  const query = useQuery(customer(id));
  if (!query.data) {
    return (
      <Page title="Customer" crumbs={[{ link: paths.customers(), text: "Customers" }]}>
        <Loaded query={query} what="This customer could not be read.">{() => null}</Loaded>
      </Page>
    );
  }
  return <Known customer={query.data} />;
}

function Known({ customer: c }: { customer: Customer }) {
  const decide = useDecide();
  const [making, { open, close }] = useDisclosure();
  const places = useQuery(sites(c.id));
  const p = c.posture;
  const add = <Button variant="default" size="xs" onClick={open}>Add a site</Button>;
  return (
    <Page
      title={c.name}
      crumbs={[{ link: paths.customers(), text: "Customers" }]}
      state={<>{c.note || "Looked after"} <span className="nowrap">since <Since at={c.created_at} />.</span></>}
      act={
        <>
          <Button variant="default" renderRoot={(props) => <Link {...props} {...paths.enrolment({ customer: c.id })} />}>Enrol a device</Button>
          <Button
            disabled={p.security_open === 0}
            title={p.security_open === 0 ? "No security update is open here." : undefined}
            onClick={() => decide(askForSecurity({ level: "customer", target: c.id, where: `On every device of ${c.name}` }))}
          >
            Approve security updates
          </Button>
        </>
      }
    >
      <div className="summary" style={{ gridTemplateColumns: "minmax(0, 1fr)" }}>
        <div className="summary-count">
          <p>
            <Link {...paths.needs({ customer: c.id })}><b>{outOf(p.verified, p.needs)}</b></Link> <span className="dim">needs verified on </span>
            <Link className="link" {...paths.devices({ customer: c.id })}>{number(p.devices)} enrolled {p.devices === 1 ? "device" : "devices"}</Link>
            {p.silent > 0 && <>, <Link className="link" {...paths.devices({ customer: c.id, state: "silent" })}>{number(p.silent)} silent</Link></>}
            {p.never_scanned > 0 && <>, <Link className="link" {...paths.devices({ customer: c.id, state: "never_scanned" })}>{number(p.never_scanned)} never scanned</Link></>}
            {p.security_open > 0 && <>, <Link className="link" {...paths.needs({ customer: c.id, class: "security" })}>{number(p.security_open)} security needs open</Link></>}
          </p>
          <PostureBar counts={p} />
          <PostureLegend counts={p} search={{ customer: c.id }} />
        </div>
      </div>
      <Section title="Sites" about="A site is a place of the customer: its time zone, its maintenance window, and what goes by itself there." act={add}>
        <Loaded query={places} what="The sites could not be read.">
          {({ items }) =>
            items.length > 0 ? (
              <ul className="sites">{items.map((s) => <SiteRow key={s.id} site={s} />)}</ul>
            ) : (
              <Empty title="No site yet" act={<Button onClick={open}>Add a site</Button>}>
                Devices are enrolled into a site. Add one with the time zone its people live in.
              </Empty>
            )
          }
        </Loaded>
      </Section>
      <PlaceStanding place={{ level: "customer", id: c.id, name: c.name }} />
      <Groups customer={c} />
      {making && <NewSite customer={c} close={close} />}
    </Page>
  );
}
