import { Button, Select, TextInput } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, useParams } from "@tanstack/react-router";
import { useState } from "react";
import { changeSite } from "../../api/acts";
import { site } from "../../api/queries";
import type { Site } from "../../api/types";
import { useDecide } from "../../app/useActs";
import { count, outOf } from "../../lib/text";
import { paths } from "../../paths";
import { Loaded } from "../../ui/Loaded";
import { useNotice } from "../../ui/Notice";
import { Page, Section } from "../../ui/Page";
import { PostureBar } from "../../ui/Posture";
import { Trouble } from "../../ui/States";
import { Ago } from "../../ui/Time";
import { askForSecurity } from "../needs/asks";
import { PlaceStanding } from "./PlaceStanding";
import { PolicyFields, policyProblem } from "./PolicyFields";
import { ProgramRules } from "./ProgramRules";
import { zones } from "./zones";
import "../../styles/device.css";

export function SitePage() {
  const { site: id } = useParams({ from: "/app/sites/$site" });
  const query = useQuery(site(id));
  if (!query.data) {
    return (
      <Page title="Site" crumbs={[{ link: paths.customers(), text: "Customers" }]}>
        <Loaded query={query} what="This site could not be read.">{() => null}</Loaded>
      </Page>
    );
  }
  return <Known key={query.data.id} site={query.data} />;
}

function Known({ site: s }: { site: Site }) {
  const decide = useDecide();
  return (
    <Page
      title={s.name}
      crumbs={[
        { link: paths.customers(), text: "Customers" },
        { link: paths.customer(s.customer.id), text: s.customer.name },
      ]}
      state={
        <>
          {s.window.sentence} {s.window.next_change && <span className="nowrap">{s.window.open ? "It closes" : "It opens"} <Ago at={s.window.next_change} zone={s.zone} />.</span>}
        </>
      }
      act={
        <>
          <Button variant="default" renderRoot={(p) => <Link {...p} {...paths.enrolment({ customer: s.customer.id, site: s.id })} />}>Enrol a device</Button>
          <Button disabled={s.posture.security_open === 0} title={s.posture.security_open === 0 ? "No security update is open here." : undefined}
            onClick={() => decide(askForSecurity({ level: "site", target: s.id, where: `On every device of ${s.name}, ${s.customer.name}` }))}>
            Approve security updates
          </Button>
        </>
      }
    >
      <div className="row" style={{ gap: "4px 20px", marginTop: -8 }}>
        <Link className="link" {...paths.devices({ customer: s.customer.id, site: s.id })}>{count(s.devices, "device")}</Link>
        <Link className="link" {...paths.needs({ customer: s.customer.id, site: s.id })}>{outOf(s.posture.verified, s.posture.needs)} needs verified</Link>
        {s.posture.needs > 0 && <span style={{ width: 180 }}><PostureBar counts={s.posture} /></span>}
      </div>
      <Section title="Policy" about="What goes by itself here, and when. Devices hold the window themselves, also while they are offline.">
        <PolicyForm site={s} />
      </Section>
      <PlaceStanding place={{ level: "site", id: s.id, name: s.name }} />
    </Page>
  );
}

function PolicyForm({ site: s }: { site: Site }) {
  const [name, setName] = useState(s.name);
  const [zone, setZone] = useState(s.zone);
  const [policy, setPolicy] = useState(s.policy);
  const client = useQueryClient();
  const tell = useNotice();
  const save = useMutation({
    mutationFn: () => changeSite(s.id, { name, zone, policy: { ...policy, windows: policy.windows ?? [] } }),
    onSuccess: () => {
      tell(`${name} now works by the new policy. Its devices hear of it at their next check-in.`);
      return client.invalidateQueries();
    },
  });
  const wrong = policyProblem(policy) ?? (name.trim() === "" ? "Write a name." : null);
  const changed = name !== s.name || zone !== s.zone || JSON.stringify(policy) !== JSON.stringify(s.policy);
  const why = wrong ?? (changed ? "" : "Nothing was changed.");
  return (
    <form className="stack" style={{ maxWidth: 720, gap: 18 }} onSubmit={(e) => { e.preventDefault(); if (!why) save.mutate(); }}>
      <div className="row" style={{ alignItems: "flex-start" }}>
        <TextInput label="Name" value={name} maxLength={100} onChange={(e) => setName(e.currentTarget.value)} style={{ flex: "1 1 220px" }} />
        <Select label="Time zone" searchable limit={60} data={zones()} value={zone} onChange={(v) => v && setZone(v)} style={{ flex: "1 1 220px" }} />
      </div>
      <PolicyFields policy={policy} zone={zone} masters={s.masters} change={setPolicy}>
        <ProgramRules rules={policy.applications ?? []} change={(applications) => setPolicy({ ...policy, applications })} />
      </PolicyFields>
      {save.error && <Trouble error={save.error} what="The policy was not changed." />}
      <div className="row">
        <Button type="submit" loading={save.isPending} disabled={Boolean(why)} aria-describedby="policy-why">Change the policy</Button>
        {why && <span id="policy-why" className="dim small">{why}</span>}
      </div>
    </form>
  );
}
