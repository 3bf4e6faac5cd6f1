import { Button } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { sayOfCustomer, sayOfSite } from "../../api/acts";
import { attributes } from "../../api/queries";
import type { Attributes } from "../../api/types";
import { criticalities, exposures } from "../../lib/standing";
import { Loaded } from "../../ui/Loaded";
import { useNotice } from "../../ui/Notice";
import { Section } from "../../ui/Page";
import { Trouble } from "../../ui/States";
import { Choices } from "../devices/Choices";
import { Said } from "../devices/Standing";
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
    <Section title="Who reaches its devices" about={`Holds for every device of this ${place.level} of which nothing nearer is said, and decides how soon what is open there is to be mended.`}>
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
    <form className="stack standing-form" onSubmit={(e) => { e.preventDefault(); if (!nothing) save.mutate(); }}>
      <div className="standing-pair">
        <div className="stack" style={{ gap: 6 }}>
          <Choices label="Who reaches them" choices={exposures} value={exposure} change={setExposure} unset="Not set here" unsetAbout={`${farther}Not known counts as open to the internet.`} />
          <Said of={{ ...said.exposure, level: undefined }} />
        </div>
        <div className="stack" style={{ gap: 6 }}>
          <Choices label="How much depends on them" choices={criticalities} value={criticality} change={setCriticality} unset="Not set here" unsetAbout={`${farther}As much as on others, or what a device's role says.`} />
          <Said of={{ ...said.criticality, level: undefined }} />
        </div>
      </div>
      {save.error && <Trouble error={save.error} what="Nothing was changed." />}
      <div className="row">
        <Button type="submit" variant="default" loading={save.isPending} disabled={nothing} title={nothing ? "Nothing was changed." : undefined}>Save for all devices here</Button>
        {nothing && <span className="dim small">Nothing was changed.</span>}
      </div>
    </form>
  );
}
