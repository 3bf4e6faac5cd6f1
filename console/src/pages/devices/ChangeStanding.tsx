import { Button, Modal, MultiSelect, SegmentedControl } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { changeDevices } from "../../api/acts";
import { groups } from "../../api/queries";
import type { DeviceDetail } from "../../api/types";
import { changed, criticalities, exposures, own, roles, roleSaid, roleWords, type Role } from "../../lib/standing";
import { paths } from "../../paths";
import { useNotice } from "../../ui/Notice";
import { Trouble } from "../../ui/States";
import { Choices } from "./Choices";

/** What a person says of one device. Only what they change is sent. */
export function ChangeStanding({ device: d, close }: { device: DeviceDetail; close: () => void }) {
  const s = d.standing;
  const had = Object.fromEntries((s.roles ?? []).map((r) => [r.role, roleSaid(r)]));
  const was = (s.groups ?? []).map((g) => g.id);
  const [said, setSaid] = useState<Record<string, string>>(had);
  const [exposure, setExposure] = useState(own(s.exposure));
  const [criticality, setCriticality] = useState(own(s.criticality));
  const [into, setInto] = useState(was);
  const client = useQueryClient();
  const tell = useNotice();
  const change = {
    roles: changed(had, said),
    exposure: exposure === own(s.exposure) ? undefined : exposure,
    criticality: criticality === own(s.criticality) ? undefined : criticality,
    join: into.filter((g) => !was.includes(g)),
    leave: was.filter((g) => !into.includes(g)),
  };
  const nothing = Object.keys(change.roles).length + change.join.length + change.leave.length === 0 && change.exposure === undefined && change.criticality === undefined;
  const save = useMutation({
    mutationFn: () => changeDevices({ devices: [d.id], ...change }),
    onSuccess: () => {
      tell(`What you said of ${d.name} is kept.`);
      close();
      return client.invalidateQueries();
    },
  });
  return (
    <Modal opened onClose={close} size={680} title={<h2>What {d.name} is for</h2>} closeButtonProps={{ "aria-label": "Close" }}>
      <form className="stack standing-form" onSubmit={(e) => { e.preventDefault(); if (!nothing) save.mutate(); }}>
        <fieldset>
          <legend>Roles</legend>
          <p className="dim small">By scans means that what the device shows decides. What you set stays, whatever later scans find.</p>
          {roles.map((r) => <RoleField key={r} device={d} role={r} value={said[r] ?? ""} change={(value) => setSaid({ ...said, [r]: value })} />)}
        </fieldset>
        <div className="standing-pair">
          <Choices label="Who reaches it" choices={exposures} value={exposure} change={setExposure} unset="Not set here" unsetAbout={unsetWords(s.exposure.level, "Not known, which counts as open to the internet.")} />
          <Choices label="How much depends on it" choices={criticalities} value={criticality} change={setCriticality} unset="Not set here" unsetAbout={unsetWords(s.criticality.level, "As much as on others, or what its role says.")} />
        </div>
        <GroupField device={d} value={into} change={setInto} />
        {save.error && <Trouble error={save.error} what="Nothing was changed." />}
        <div className="row" style={{ justifyContent: "flex-end" }}>
          {nothing && <span className="dim small" style={{ marginRight: "auto" }}>Nothing was changed.</span>}
          <Button variant="default" onClick={close}>Cancel</Button>
          <Button type="submit" loading={save.isPending} disabled={nothing} title={nothing ? "Nothing was changed." : undefined}>Save the changes</Button>
        </div>
      </form>
    </Modal>
  );
}

/** What holds where nothing is set at the device itself. */
function unsetWords(level: string | undefined, none: string): string {
  if (level === "site") return "What was said for its site holds.";
  if (level === "customer") return "What was said for its customer holds.";
  return `What its site or its customer says. ${level ? "" : none}`.trim();
}

function RoleField({ device: d, role, value, change }: { device: DeviceDetail; role: Role; value: string; change: (value: string) => void }) {
  const shown = d.standing.roles?.find((r) => r.role === role)?.from;
  return (
    <div className="standing-role">
      <span>{roleWords[role]} <span className="dim small">{shown ?? "nothing shows it"}</span></span>
      <SegmentedControl size="xs" aria-label={roleWords[role]} value={value} onChange={change}
        data={[{ value: "", label: "By scans" }, { value: "yes", label: "Yes" }, { value: "no", label: "No" }]} />
    </div>
  );
}

function GroupField({ device: d, value, change }: { device: DeviceDetail; value: string[]; change: (value: string[]) => void }) {
  const known = useQuery(groups(d.customer.id)).data?.items ?? [];
  const place = <Link className="link" {...paths.customer(d.customer.id)}>{d.customer.name}</Link>;
  if (known.length === 0) return <p className="dim small">There is no group yet. Make one on the page of {place}.</p>;
  return <MultiSelect label="Groups" placeholder={value.length === 0 ? "None" : undefined} description={<>Groups are made on the page of {place}.</>} data={known.map((g) => ({ value: g.id, label: g.name }))} value={value} onChange={change} searchable={known.length > 8} comboboxProps={{ withinPortal: true }} />;
}
