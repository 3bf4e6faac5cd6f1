import { Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link, useParams } from "@tanstack/react-router";
import { useState } from "react";
import { bulletin } from "../../api/queries";
import type { BulletinCustomer, BulletinDetail } from "../../api/types";
import { useDecide } from "../../app/useActs";
import { bulletinName, isRecall, isUrgent, kindWords, touchSentence } from "../../lib/bulletins";
import { count, list, number } from "../../lib/text";
import { paths } from "../../paths";
import { Loaded } from "../../ui/Loaded";
import { Page, Section } from "../../ui/Page";
import { Severity, Step } from "../../ui/Severity";
import { Empty } from "../../ui/States";
import { Ago } from "../../ui/Time";
import { useView } from "../../ui/useView";
import { everywhere } from "../needs/asks";
import "../../styles/bulletins.css";
import "../../styles/device.css";
import "../../styles/list.css";

/** What is the news, whom does it touch, and what can be done? */
export function BulletinPage() {
  const { bulletin: id } = useParams({ from: "/app/bulletins/$bulletin" });
  const [view] = useView();
  const query = useQuery(bulletin(id, view.customer));
  const crumbs = [{ link: paths.bulletins(), text: "Bulletins" }];
  if (!query.data) {
    return (
      <Page title="Bulletin" crumbs={crumbs}>
        <Loaded query={query} what="The bulletin could not be read.">{() => null}</Loaded>
      </Page>
    );
  }
  const b = query.data;
  return (
    <Page title={bulletinName(b)} crumbs={crumbs} state={touchSentence(b)} act={<Act of={b} customer={view.customer} />}>
      <Summary of={b} />
      {b.by_customer?.length ? (
        <Section title="Customers" about={count(b.by_customer.length, "customer")}>
          {isRecall(b) ? <Held of={b.by_customer} /> : <Exposed of={b.by_customer} />}
        </Section>
      ) : (
        <div className="bulletin-nobody">
          <Empty title="It touches nobody now, as far as is known">
            {isRecall(b) ? "No device that was looked at has it, or has it on offer" : "Nothing that it speaks of is open on a device that was looked at"}
            {b.unread > 0 ? `; ${count(b.unread, "device")} could not be looked at` : ""}.
          </Empty>
        </div>
      )}
    </Page>
  );
}

/** Approves whatever mends it, where it stands for one CVE; of several each is looked at by itself. */
function Act({ of: b, customer }: { of: BulletinDetail; customer?: string }) {
  const decide = useDecide();
  const only = b.open?.length === 1 ? b.open[0] : undefined;
  if (isRecall(b) && b.devices > 0) return <Button variant="default" renderRoot={(p) => <Link {...p} {...paths.needs({ q: b.updates?.[0]?.split(" ")[0] })} />}>Show the devices</Button>;
  if (isRecall(b) || !only) return null;
  const offered = (b.by_customer ?? []).reduce((n, c) => n + c.offered, 0);
  const scopes = (b.by_customer ?? []).map((c) => ({ level: "customer" as const, target: c.customer.id, where: `At ${c.customer.name}` }));
  const shut = b.offers?.length ? "" : "Nothing that mends it is on offer on any device.";
  return (
    <div className="stack" style={{ gap: 6, justifyItems: "end" }}>
      <Button disabled={shut !== ""} title={shut || undefined}
        onClick={() => decide({ answer: "approve", what: { fix: only }, subject: `what mends ${only}`, scopes: customer ? scopes : [everywhere, ...scopes], security: true })}>
        {offered > 0 ? `Approve the fix for ${count(offered, "device")}…` : "Approve the fix…"}
      </Button>
      {shut && <p className="dim small">{shut}</p>}
    </div>
  );
}

function Summary({ of: b }: { of: BulletinDetail }) {
  return (
    <div className="summary">
      <div className="summary-count">
        <p className="row">
          <span className={isUrgent(b) ? "tag bulletin-urgent" : "tag"}>{kindWords[b.kind]}</span>
          {b.severity && <Severity of={b.severity} />} {b.step && <Step step={b.step} why={b.why} />}
        </p>
        {b.title && !b.recall && <p>{b.title}</p>}
        {b.recall && <p>{b.recall.sentence}</p>}
        {isRecall(b) && !b.recall && <p className="dim">{b.title} The feed {b.feed} says nothing of it any more, so nothing is held by it.</p>}
        {b.why && <p className="dim">{b.why}</p>}
      </div>
      <dl className="facts">
        <dt>First seen here</dt><dd><Ago at={b.seen_at} /> <span className="dim">in the feed {b.feed}</span></dd>
        <dt>{isRecall(b) ? "Since" : "Published"}</dt><dd><Ago at={b.published} none="not known" /></dd>
        {b.cve_count > 0 && <><dt>CVEs</dt><dd><Numbers of={b} /></dd></>}
        {b.updates?.length ? <><dt>{isRecall(b) ? "About" : "Updates"}</dt><dd>{list(b.updates.slice(0, 20))}{b.updates.length > 20 && ` and ${number(b.updates.length - 20)} more`}</dd></> : null}
        {b.offers?.length ? (
          <>
            <dt>{isRecall(b) ? "Held" : "On offer"}</dt>
            <dd className="bulletin-names">{b.offers.map((o) => <Link key={o.id} {...paths.update(o.id)}>{o.name}</Link>)}</dd>
          </>
        ) : null}
      </dl>
    </div>
  );
}

const few = 12;

/** The CVEs that are open here, each with its own page; the others are only counted until somebody asks. */
function Numbers({ of: b }: { of: BulletinDetail }) {
  const [all, setAll] = useState(false);
  const open = b.open ?? [];
  const others = (b.cves ?? []).filter((id) => !open.includes(id));
  const shown = all ? [...open, ...others] : open.length > 0 ? open.slice(0, few) : others.slice(0, few);
  const rest = b.cve_count - shown.length;
  return (
    <div className="bulletin-names">
      {shown.map((id) => <Link key={id} className={open.includes(id) ? undefined : "dim"} {...paths.finding(id)}>{id}</Link>)}
      {!all && rest > 0 && <button type="button" className="link small" onClick={() => setAll(true)}>{open.length > 0 ? `${number(rest)} more, ${number(Math.max(0, open.length - few))} of them open here` : `${number(rest)} more`}</button>}
    </div>
  );
}

function Exposed({ of }: { of: BulletinCustomer[] }) {
  return (
    <Table of={of} heads={["Fix on offer", "Not offered", "No fix"]} cells={(c) => [c.offered, c.unoffered, c.none]} />
  );
}

function Held({ of }: { of: BulletinCustomer[] }) {
  return <Table of={of} heads={["Held", "Installed"]} cells={(c) => [c.held, c.installed]} />;
}

function Table({ of, heads, cells }: { of: BulletinCustomer[]; heads: string[]; cells: (c: BulletinCustomer) => number[] }) {
  return (
    <table className="list" aria-label="Customers that it touches">
      <thead>
        <tr>
          <th scope="col">Customer</th>
          {["Devices", ...heads, "Silent"].map((h) => <th key={h} scope="col" className="num" style={{ width: "112px" }}>{h}</th>)}
        </tr>
      </thead>
      <tbody>
        {of.map((c) => (
          <tr key={c.customer.id}>
            <td className="title"><Link className="main" {...paths.customer(c.customer.id)}>{c.customer.name}</Link></td>
            {[c.devices, ...cells(c), c.silent].map((n, i) => (
              <td key={i} className="num" data-label={["Devices", ...heads, "Silent"][i]}>{n > 0 ? number(n) : <span className="dim">–</span>}</td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}
