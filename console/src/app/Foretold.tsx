import type { Preview, State } from "../api/types";
import { count, list as joined, number } from "../lib/text";
import { StateMark } from "../ui/StateMark";
import { Trouble, Waiting } from "../ui/States";

interface Props {
  preview?: Preview;
  error: unknown;
  approve: boolean;
  now: boolean;
  /** Packages that may be removed for it. */
  removals: string[];
  stale: boolean;
}

/** What a decision would do: one sentence, then only the consequences there are. */
export function Foretold({ preview, error, approve, now, removals, stale }: Props) {
  if (error) return <Trouble error={error} what="What would happen is not known." />;
  if (!preview) return <Waiting lines={2} />;
  const rows = approve ? consequences(preview, now, removals) : [];
  const list = preview.updates_list ?? [];
  return (
    <div className="foretold" aria-live="polite" data-stale={stale || undefined}>
      <p><strong>{rows.length > 0 ? `${count(preview.updates, "update")} on ${count(preview.devices, "device")}` : preview.sentence}</strong></p>
      {rows.length > 0 && (
        <ul>
          {rows.map(([state, text]) => (
            <li key={text}><StateMark state={state} /> <span>{text}</span></li>
          ))}
        </ul>
      )}
      {list.length > 1 && (
        <details>
          <summary>{count(preview.updates, "update")}</summary>
          <ul className="foretold-updates">
            {list.map((u) => (
              <li key={u.name + u.available}>
                <span>{u.name}</span> <code>{u.available}</code>
                <span className="dim">{count(u.devices, "device")}</span>
              </li>
            ))}
            {preview.updates > list.length && <li className="dim">and {number(preview.updates - list.length)} more</li>}
          </ul>
        </details>
      )}
    </div>
  );
}

function consequences(p: Preview, now: boolean, removals: string[]): [State, string][] {
  const rows: [State, string][] = [];
  if (removals.length > 0) rows.push(["failed", `${joined(removals)} may be removed. A removed package is gone from the device; Patchbay does not put it back.`]);
  if (p.reboots > 0) rows.push(["waits_person", `${count(p.reboots, "device")} will ask for a reboot.`]);
  if (now && p.outside_window > 0) rows.push(["failed", `${count(p.outside_window, "device is", "devices are")} outside the window now; this goes ahead anyway.`]);
  if (p.silent > 0) rows.push(["unknown", `${count(p.silent, "device is", "devices are")} silent and will hear of it when heard of again.`]);
  if (p.observed_only > 0) rows.push(["waits_person", `${count(p.observed_only, "device is", "devices are")} only observed: nothing is installed there.`]);
  return rows;
}
