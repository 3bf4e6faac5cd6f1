import { Button, NumberInput, SegmentedControl, Select, TextInput } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { makeToken } from "../../api/acts";
import { sites } from "../../api/queries";
import type { Mode, NewToken, Site } from "../../api/types";
import { paths } from "../../paths";
import { Loaded } from "../../ui/Loaded";
import { Empty, Trouble } from "../../ui/States";
import { useView } from "../../ui/useView";
import "../../styles/enrolment.css";

const lengths = [
  { value: "1", label: "1 hour" },
  { value: "24", label: "1 day" },
  { value: "168", label: "7 days" },
  { value: "720", label: "30 days" },
];

export function MakeToken({ made }: { made: (token: NewToken) => void }) {
  const [view] = useView();
  const query = useQuery(sites(view.customer));
  return (
    <Loaded query={query} what="The sites could not be read.">
      {({ items }) =>
        items.length === 0 ? (
          <Empty title="There is no site to enrol into" act={<Button renderRoot={(p) => <Link {...p} {...(view.customer ? paths.customer(view.customer) : paths.customers())} />}>Add a site</Button>}>
            A token belongs to a site of a customer. Add a customer and a site first.
          </Empty>
        ) : (
          <TokenForm sites={items} chosen={view.site} made={made} />
        )
      }
    </Loaded>
  );
}

function TokenForm({ sites: all, chosen, made }: { sites: Site[]; chosen?: string; made: (token: NewToken) => void }) {
  const [site, setSite] = useState(all.find((s) => s.id === chosen)?.id ?? (all.length === 1 ? all[0]?.id : undefined) ?? null);
  const [mode, setMode] = useState<Mode>("manage");
  const [hours, setHours] = useState("24");
  const [uses, setUses] = useState(1);
  const [note, setNote] = useState("");
  const client = useQueryClient();
  const make = useMutation({
    mutationFn: () => makeToken(site ?? "", { note, hours: Number(hours), uses, mode }),
    onSuccess: (token) => {
      void client.invalidateQueries({ queryKey: ["token"] });
      made(token);
    },
  });
  return (
    <form className="panel enrol" onSubmit={(e) => { e.preventDefault(); if (site) make.mutate(); }}>
      <Select label="Site" placeholder="Choose a site" searchable limit={80} value={site} onChange={setSite}
        data={all.map((s) => ({ value: s.id, label: `${s.customer.name}, ${s.name}` }))} />
      <div>
        <p className="enrol-label" id="enrol-mode">What the agent may do</p>
        <SegmentedControl aria-labelledby="enrol-mode" fullWidth value={mode} onChange={(v) => setMode(v === "observe" ? "observe" : "manage")}
          data={[{ value: "manage", label: "Scan and install" }, { value: "observe", label: "Only scan" }]} />
      </div>
      <Select label="Expires after" data={lengths} value={hours} onChange={(v) => v && setHours(v)} />
      <NumberInput label="Machines it is good for" min={1} max={1000} allowDecimal={false} value={uses} onChange={(v) => setUses(Number(v) || 1)} />
      <TextInput label="Note" placeholder="New front desk PCs" maxLength={200} value={note} onChange={(e) => setNote(e.currentTarget.value)} />
      <div className="enrol-go">
        <Button type="submit" fullWidth loading={make.isPending} disabled={!site} title={site ? undefined : "Choose a site first."}>Make a token</Button>
      </div>
      {make.error && <div className="enrol-all"><Trouble error={make.error} what="No token was made." /></div>}
    </form>
  );
}
