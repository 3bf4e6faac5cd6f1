import { Button, TextInput } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { changeGroup, deleteGroup, makeGroup } from "../../api/acts";
import { groups } from "../../api/queries";
import type { Customer, Group } from "../../api/types";
import { count } from "../../lib/text";
import { paths } from "../../paths";
import { Loaded } from "../../ui/Loaded";
import { useNotice } from "../../ui/Notice";
import { Section } from "../../ui/Page";
import { Empty, Trouble } from "../../ui/States";
import { Middle } from "../../ui/Text";
import "../../styles/standing.css";

/** Named sets of the customer's devices, by rank. */
export function Groups({ customer: c }: { customer: Customer }) {
  const query = useQuery(groups(c.id));
  return (
    <Section title="Groups" about="Named sets of devices. A device may be in several; where two would decide, the first one does.">
      <Loaded query={query} what="The groups could not be read.">
        {({ items }) => (
          <div className="stack" style={{ maxWidth: 720 }}>
            {items.length > 0
              ? <ol className="groups" aria-label="Groups by rank">{items.map((g) => <GroupRow key={g.id} group={g} last={g.rank === items.length} />)}</ol>
              : <Empty small title="No group yet">Make one, then put devices into it: on the About tab of each, or with patchbay device set.</Empty>}
            <NewGroup customer={c} />
          </div>
        )}
      </Loaded>
    </Section>
  );
}

function GroupRow({ group: g, last }: { group: Group; last: boolean }) {
  const [name, setName] = useState<string>();
  const client = useQueryClient();
  const tell = useNotice();
  const done = () => client.invalidateQueries();
  const change = useMutation({ mutationFn: (to: { name?: string; rank?: number }) => changeGroup(g.id, to), onSuccess: () => { setName(undefined); return done(); } });
  const remove = useMutation({ mutationFn: () => deleteGroup(g.id), onSuccess: () => { tell(`The group ${g.name} is deleted. Its devices stay.`); return done(); } });
  const wait = change.isPending || remove.isPending;
  return (
    <li>
      <span className="dim num">{g.rank}</span>
      {name === undefined ? (
        <b><Middle text={g.name} /></b>
      ) : (
        <form className="row" onSubmit={(e) => { e.preventDefault(); change.mutate({ name }); }}>
          <TextInput size="xs" aria-label={`New name of ${g.name}`} value={name} maxLength={100} data-autofocus onChange={(e) => setName(e.currentTarget.value)} />
          <Button size="xs" type="submit" disabled={name.trim() === "" || name === g.name} loading={change.isPending}>Rename</Button>
          <Button size="xs" variant="default" onClick={() => setName(undefined)}>Cancel</Button>
        </form>
      )}
      <Link className="link" {...paths.devices({ customer: g.customer.id, group: g.id })}>{count(g.devices, "device")}</Link>
      <span className="row groups-acts">
        <button type="button" className="link small" disabled={wait || g.rank === 1} title={g.rank === 1 ? "It is the first one." : undefined} onClick={() => change.mutate({ rank: g.rank - 1 })}>Move up</button>
        <button type="button" className="link small" disabled={wait || last} title={last ? "It is the last one." : undefined} onClick={() => change.mutate({ rank: g.rank + 1 })}>Move down</button>
        <button type="button" className="link small" disabled={wait} onClick={() => setName(g.name)}>Rename…</button>
        <Delete group={g} wait={wait} remove={() => remove.mutate()} />
      </span>
      {(change.error ?? remove.error) && <Trouble error={change.error ?? remove.error} what="The group was not changed." />}
    </li>
  );
}

/** Asks once more: who is in it is not written down anywhere else. */
function Delete({ group: g, wait, remove }: { group: Group; wait: boolean; remove: () => void }) {
  const [sure, setSure] = useState(false);
  if (!sure) return <button type="button" className="link small" disabled={wait} onClick={() => (g.devices === 0 ? remove() : setSure(true))}>Delete…</button>;
  return (
    <>
      <button type="button" className="link small" disabled={wait} onClick={remove}>Delete it; {count(g.devices, "device")} will be in no such group</button>
      <button type="button" className="link small" onClick={() => setSure(false)}>Keep it</button>
    </>
  );
}

function NewGroup({ customer: c }: { customer: Customer }) {
  const [name, setName] = useState("");
  const client = useQueryClient();
  const make = useMutation({ mutationFn: () => makeGroup(c.id, name), onSuccess: () => { setName(""); return client.invalidateQueries(); } });
  return (
    <form className="stack" style={{ gap: 8 }} onSubmit={(e) => { e.preventDefault(); make.mutate(); }}>
      <div className="row" style={{ alignItems: "flex-end" }}>
        <TextInput label="New group" placeholder="Tills" size="xs" value={name} maxLength={100} onChange={(e) => setName(e.currentTarget.value)} style={{ flex: "0 1 260px" }} />
        <Button size="xs" variant="default" type="submit" loading={make.isPending} disabled={name.trim() === ""} title={name.trim() === "" ? "Write a name first." : undefined}>Make the group</Button>
      </div>
      {make.error && <Trouble error={make.error} what="The group was not made." />}
    </form>
  );
}
