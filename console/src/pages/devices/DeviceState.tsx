import type { Device, State } from "../../api/types";
import { StateMark } from "../../ui/StateMark";
import { Since } from "../../ui/Time";

/** Whether what is known of a device can be believed. Silent is never shown as good. */
export function DeviceState({ device: d }: { device: Device }) {
  const [state, words] = told(d);
  return (
    <span className="verdict" data-state={state}>
      <StateMark state={state} />
      <span className="words">{words}</span>
      {d.silent && d.silent_since && <span className="rest">· since <Since at={d.silent_since} /></span>}
      {!d.silent && d.agent.mode === "observe" && <span className="rest">· observed</span>}
    </span>
  );
}

function told(d: Device): [State, string] {
  switch (d.state) {
    case "not_back":
      return ["failed", "Not back from a restart"];
    case "silent":
      return ["unknown", "Silent"];
    case "never_scanned":
      return ["unknown", "Never scanned"];
    case "scan_failed":
      return ["failed", "Scan failed"];
    default:
      return ["verified", "Talking"];
  }
}
