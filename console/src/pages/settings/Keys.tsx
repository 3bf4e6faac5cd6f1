import { Button, NumberInput, TextInput } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { makeKey, revokeKey } from "../../api/acts";
import { Problem } from "../../api/client";
import { keys } from "../../api/queries";
import type { Key } from "../../api/types";
import { CopyLine } from "../../ui/Copy";
import { Loaded } from "../../ui/Loaded";
import { Empty, Trouble } from "../../ui/States";
import { Ago } from "../../ui/Time";
import "../../styles/device.css";

export function Keys() {
  const query = useQuery(keys());
  const [made, setMade] = useState<Key | null>(null);
  return (
    <div className="stack" style={{ maxWidth: 820 }}>
      {made && (
        <div className="panel stack" role="status">
          <h3>The key {made.name}, shown only now</h3>
          <CopyLine text={made.key ?? ""} label="Copy the key" />
        </div>
      )}
      <Loaded query={query} what="The keys could not be read.">
        {({ items }) =>
          items.length > 0 ? <ul className="lines">{items.map((k) => <Line key={k.id} one={k} />)}</ul> : <Empty small title="No key">Programs cannot act in your name.</Empty>
        }
      </Loaded>
      <MakeKey made={setMade} />
    </div>
  );
}

function MakeKey({ made }: { made: (key: Key) => void }) {
  const [name, setName] = useState("");
  const [days, setDays] = useState(90);
  const client = useQueryClient();
  const make = useMutation({
    mutationFn: () => makeKey({ name, days }),
    onSuccess: (key) => {
      made(key);
      setName("");
      return client.invalidateQueries({ queryKey: ["keys"] });
    },
  });
  const wrong = make.error instanceof Problem ? make.error.field("name") : undefined;
  return (
    <form className="row" style={{ alignItems: "flex-end" }} onSubmit={(e) => { e.preventDefault(); make.mutate(); }}>
      <TextInput label="What it is for" required placeholder="Nightly report" maxLength={100} value={name} onChange={(e) => setName(e.currentTarget.value)} error={wrong} style={{ flex: "1 1 240px" }} />
      <NumberInput label="Days" min={1} max={366} allowDecimal={false} w={96} value={days} onChange={(v) => setDays(Number(v) || 90)} />
      <Button type="submit" variant="default" loading={make.isPending}>Make a key</Button>
      {make.error && !wrong && <Trouble error={make.error} what="No key was made." />}
    </form>
  );
}

function Line({ one: k }: { one: Key }) {
  const client = useQueryClient();
  const revoke = useMutation({
    mutationFn: () => revokeKey(k.id),
    onSuccess: () => client.invalidateQueries({ queryKey: ["keys"] }),
  });
  return (
    <li>
      <b>{k.name}</b>
      <span className="dim">made <Ago at={k.created_at} /></span>
      <span className="dim">last used <Ago at={k.seen_at} /></span>
      {k.revoked_at ? <span className="dim">revoked <Ago at={k.revoked_at} /></span> : <span className="dim">ends <Ago at={k.expires_at} /></span>}
      {!k.revoked_at && <Button style={{ marginLeft: "auto" }} size="compact-xs" variant="default" loading={revoke.isPending} onClick={() => revoke.mutate()}>Revoke</Button>}
      {revoke.error && <Trouble error={revoke.error} what="The key still works." />}
    </li>
  );
}
