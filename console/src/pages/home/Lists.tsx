import { Button } from "@mantine/core";
import { Link, type LinkProps } from "@tanstack/react-router";
import type { ReactNode } from "react";
import type { Device, Job, Need, Update, Worst as WorstRow } from "../../api/types";
import { useDecide } from "../../app/useActs";
import { count, number } from "../../lib/text";
import { titleBeside } from "../../lib/title";
import { needsIn, paths } from "../../paths";
import { Classes, Middle } from "../../ui/Text";
import { Since } from "../../ui/Time";
import { VerdictChip } from "../../ui/Verdict";
import { askForUpdate, everywhere } from "../needs/asks";
import { JobState } from "../jobs/JobState";
import { WorstDots } from "./WorstDots";
import { itemName } from "../needs/itemName";
import { NeedChange } from "../needs/NeedChange";
import { takingBack } from "../needs/undo";

interface BlockProps {
  title: string;
  more?: { n: number; shown: number; link: LinkProps };
  children: ReactNode;
}

function Block({ title, more, children }: BlockProps) {
  return (
    <section className="home-block" aria-label={title}>
      <div className="spread">
        <h2>{title}</h2>
        {more && more.n > 0 && <Link className="link small" {...more.link}>{more.n > more.shown ? `All ${number(more.n)}` : "As a list"}</Link>}
      </div>
      {children}
    </section>
  );
}

interface Scoped {
  customer?: string;
}

export function Waits({ updates, more, customer }: Scoped & { updates: Update[]; more: number }) {
  const decide = useDecide();
  if (updates.length === 0) return null;
  const scope = customer ? [{ level: "customer" as const, target: customer, where: "At this customer" }] : [everywhere];
  return (
    <Block title="Waits for your decision" more={{ n: more, shown: 0, link: needsIn("waits_person", { customer }) }}>
      <ul className="home-rows">
        {updates.map((u) => (
          <li key={u.id}>
            <Link className="main" {...paths.update(u.id)}><Middle text={u.name} /></Link>
            {u.title ? <span className="own dim">{titleBeside(u.name, u.title)}</span> : <span className="version"><b>{u.available}</b></span>}
            <Classes classes={u.classes} severity={u.severity} />
            <span className="dim small nowrap">{count(u.counts.waits_person, "device")}</span>
            <Button size="compact-xs" variant="default" onClick={() => decide(askForUpdate("approve", u, scope))}>Approve…</Button>
          </li>
        ))}
      </ul>
    </Block>
  );
}

export function Failed({ needs, more, customer }: Scoped & { needs: Need[]; more: number }) {
  if (needs.length === 0) return null;
  return (
    <Block title="Failed" more={{ n: more, shown: needs.length, link: needsIn("failed", { customer }) }}>
      <ul className="home-rows">
        {needs.map((n) => (
          <li key={n.id}>
            <Link className="main" {...paths.needs({ state: "failed", customer, need: n.id })}><Middle text={itemName(n.item)} /></Link>
            <NeedChange need={n} />
            <Link className="dim" {...paths.device(n.device.id)}><Middle text={n.device.name} /></Link>
            <span className="home-verdict"><VerdictChip verdict={n.verdict} undo={takingBack(n)} short /></span>
          </li>
        ))}
      </ul>
    </Block>
  );
}

export function Running({ jobs, customer }: Scoped & { jobs: Job[] }) {
  if (jobs.length === 0) return null;
  return (
    <Block title="Under way" more={{ n: jobs.length, shown: jobs.length, link: paths.jobs({ state: "running", customer }) }}>
      <ul className="home-rows">
        {jobs.map((j) => (
          <li key={j.id}>
            <Link className="main" {...paths.job(j.id)}><Middle text={j.item.name} /></Link>
            <Link className="dim" {...paths.device(j.device.id)}><Middle text={j.device.name} /></Link>
            <span className="home-verdict"><JobState job={j} short /></span>
          </li>
        ))}
      </ul>
    </Block>
  );
}

export function Silent({ devices, more, customer }: Scoped & { devices: Device[]; more: number }) {
  if (devices.length === 0) return null;
  return (
    <Block title="Silent" more={{ n: more, shown: devices.length, link: paths.devices({ state: "silent", customer }) }}>
      <ul className="home-rows">
        {devices.map((d) => (
          <li key={d.id}>
            <Link className="main" {...paths.device(d.id)}><Middle text={d.name} /></Link>
            <span className="dim"><Middle text={d.customer.name} /></span>
            <span className="dim small nowrap push">since <Since at={d.silent_since ?? d.agent.last_seen} /></span>
          </li>
        ))}
      </ul>
    </Block>
  );
}

export function Worst({ customers }: { customers: WorstRow[] }) {
  if (customers.length < 2) return null;
  return (
    <Block title="Customers with most open" more={{ n: customers.length, shown: customers.length, link: paths.customers({ sort: "-security_open" }) }}>
      <WorstDots customers={customers} />
    </Block>
  );
}
