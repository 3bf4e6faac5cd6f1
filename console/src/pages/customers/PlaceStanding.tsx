import { Button, Select } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { sayOfCustomer, sayOfSite } from "../../api/acts";
import { attributes } from "../../api/queries";
import type { Attribute, Attributes } from "../../api/types";
import { criticalities, exposures, type Choice } from "../../lib/standing";
import { Loaded } from "../../ui/Loaded";
import { useNotice } from "../../ui/Notice";
import { Section } from "../../ui/Page";
import { Trouble } from "../../ui/States";
import { Ago } from "../../ui/Time";
import "../../styles/standing.css";

interface Place {
  level: "site" | "customer";
  id: string;
  name: string;
}

/** What holds for all devices of a place that say nothing of their own. */
export function PlaceStanding({ place }: { place: Place }) {
  const query = useQuery(attributes(place.level, place.id));
  return (
    <Section title="What holds for its devices" about={`Holds for every device of this ${place.level} of which nothing nearer is said, and decides how soon what is open there is to be mended.`}>
      <Loaded query={query} what="What was said could not be read.">{(said) => <Form key={JSON.stringify(said)} place={place} said={said} />}</Loaded>
    </Section>
  );
}

function Form({ place, said }: { place: Place; said: Attributes }) {
  const [exposure, setExposure] = useState(said.exposure.value);
  const [criticality, setCriticality] = useState(said.criticality.value);
  const client = useQueryClient();
  const tell = useNotice();
  const change = { exposure: exposure === said.exposure.value ? undefined : exposure, criticality: criticality === said.criticality.value ? undefined : criticality };
  const nothing = change.exposure === undefined && change.criticality === undefined;
  const save = useMutation({
    mutationFn: () => (place.level === "site" ? sayOfSite(place.id, change) : sayOfCustomer(place.id, change)),
    onSuccess: () => {
      tell(`What you said of the devices of ${place.name} is kept.`);
      return client.invalidateQueries();
    },
  });
  const farther = place.level === "site" ? "What its customer says. " : "";
  return (
    <form className="stack" onSubmit={(e) => { e.preventDefault(); if (!nothing) save.mutate(); }}>
      <div className="row" style={{ alignItems: "flex-start", gap: "12px 24px" }}>
        <Field label="Who reaches them" choices={exposures} said={said.exposure} value={exposure} change={setExposure} unset={`${farther}Not known counts as open to the internet.`} />
        <Field label="How much depends on them" choices={criticalities} said={said.criticality} value={criticality} change={setCriticality} unset={`${farther}As much as on others, or what a device's role says.`} />
      </div>
      {save.error && <Trouble error={save.error} what="Nothing was changed." />}
      <div className="row">
        <Button type="submit" variant="default" loading={save.isPending} disabled={nothing} title={nothing ? "Nothing was changed." : undefined}>Save for all devices here</Button>
        {nothing && <span className="dim small">Nothing was changed.</span>}
      </div>
    </form>
  );
}

interface FieldProps {
  label: string;
  choices: Choice[];
  said: Attribute;
  value: string;
  change: (value: string) => void;
  /** What holds where nothing is set. */
  unset: string;
}

function Field({ label, choices, said, value, change, unset }: FieldProps) {
  const about = choices.find((c) => c.value === value)?.description ?? unset;
  return (
    <div className="stack" style={{ gap: 6, flex: "1 1 260px", maxWidth: 400 }}>
      <Select label={label} allowDeselect={false} data={[{ value: "", label: "Not set here" }, ...choices.map((c) => ({ value: c.value, label: c.label }))]} value={value} onChange={(v) => change(v ?? "")} />
      <p className="dim small">{about}{said.value && said.value === value && <> Set by {said.by} <Ago at={said.set_at} />.</>}</p>
    </div>
  );
}
