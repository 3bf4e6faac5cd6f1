import { Button, TextInput } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { retireDevice } from "../../api/acts";
import type { DeviceDetail } from "../../api/types";
import { paths } from "../../paths";
import { useNotice } from "../../ui/Notice";
import { Trouble } from "../../ui/States";

/** Cannot be undone, so it asks for the name of the thing. */
export function Retire({ device: d }: { device: DeviceDetail }) {
  const [typed, setTyped] = useState("");
  const navigate = useNavigate();
  const client = useQueryClient();
  const tell = useNotice();
  const retire = useMutation({
    mutationFn: () => retireDevice(d.id, typed),
    onSuccess: async () => {
      tell(`${d.name} is retired.`);
      await navigate(paths.devices());
      void client.invalidateQueries();
    },
  });
  if (d.can.retire) return <p className="dim">{d.can.retire}</p>;
  return (
    <form className="stack" style={{ maxWidth: 520 }} onSubmit={(e) => { e.preventDefault(); retire.mutate(); }}>
      <p>This cannot be undone: the agent's key stops being accepted, and the machine has to be enrolled again to come back.</p>
      <div className="row" style={{ alignItems: "flex-end" }}>
        <TextInput label={`Type ${d.name} to retire it`} value={typed} onChange={(e) => setTyped(e.currentTarget.value)} autoComplete="off" style={{ flex: "1 1 240px" }} />
        <Button type="submit" color="red" variant="outline" loading={retire.isPending} disabled={typed !== d.name} title={typed !== d.name ? "Type the name of the device first." : undefined}>
          Retire this device
        </Button>
      </div>
      {retire.error && <Trouble error={retire.error} what="The device was not retired." />}
    </form>
  );
}
