import { Button } from "@mantine/core";
import type { Exposure } from "../../api/types";
import { useDecide } from "../../app/useActs";
import { count } from "../../lib/text";
import { askForFix } from "../needs/asks";

/** Approves whatever mends it, wherever that is on offer. */
export function ApproveFix({ exposure: e, customer }: { exposure: Exposure; customer?: string }) {
  const decide = useDecide();
  const shut = e.waiting > 0 ? "" : e.updates?.length ? "All that is on offer and mends it is answered already." : e.devices === 0 ? "It is open nowhere." : "Nothing that mends it is on offer on any device.";
  return (
    <div className="stack" style={{ gap: 6, justifyItems: "end" }}>
      <Button disabled={shut !== ""} title={shut || undefined} aria-describedby={shut ? "fix-why" : undefined} onClick={() => decide(askForFix(e, customer))}>
        {e.waiting > 0 ? `Approve the fix for ${count(e.waiting, "device")}…` : "Approve the fix…"}
      </Button>
      {shut && <p className="dim small" id="fix-why">{shut}</p>}
    </div>
  );
}
