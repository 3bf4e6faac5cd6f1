import { Button, Modal, Select, TextInput } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { makeSite } from "../../api/acts";
import { Problem } from "../../api/client";
import type { Customer, Policy } from "../../api/types";
import { paths } from "../../paths";
import { Trouble } from "../../ui/States";
import { PolicyFields, policyProblem } from "./PolicyFields";
import { ownZone, zones } from "./zones";

const usual: Policy = { auto: "by_hand", windows: [{ days: ["sat"], start: "22:00", minutes: 240 }], reboots: { when: "never", daily: 2 } };

export function NewSite({ customer, close }: { customer: Customer; close: () => void }) {
  const [name, setName] = useState("");
  const [zone, setZone] = useState(ownZone);
  const [policy, setPolicy] = useState(usual);
  const client = useQueryClient();
  const navigate = useNavigate();
  const make = useMutation({
    mutationFn: () => makeSite(customer.id, { name, zone, policy }),
    onSuccess: (s) => {
      void client.invalidateQueries();
      void navigate(paths.site(s.id));
    },
  });
  const field = make.error instanceof Problem ? make.error.field("name") : undefined;
  const wrong = policyProblem(policy);
  return (
    <Modal opened onClose={close} size={620} title={<h2>Add a site to {customer.name}</h2>} closeButtonProps={{ "aria-label": "Close" }}>
      <form className="stack" onSubmit={(e) => { e.preventDefault(); if (!wrong) make.mutate(); }}>
        <TextInput label="Name" required maxLength={100} data-autofocus placeholder="Head office" value={name} onChange={(e) => setName(e.currentTarget.value)} error={field} />
        <Select label="Time zone" searchable limit={60} data={zones()} value={zone} onChange={(v) => v && setZone(v)} />
        <PolicyFields policy={policy} zone={zone} change={setPolicy} />
        {make.error && !field && <Trouble error={make.error} what="The site was not added." />}
        <div className="row" style={{ justifyContent: "flex-end" }}>
          {wrong && <span className="dim small" style={{ marginRight: "auto" }}>{wrong}</span>}
          <Button variant="default" onClick={close}>Cancel</Button>
          <Button type="submit" loading={make.isPending} disabled={Boolean(wrong)} title={wrong ?? undefined}>Add the site</Button>
        </div>
      </form>
    </Modal>
  );
}
