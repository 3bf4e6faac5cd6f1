import type { Preview, State } from "../api/types";
import { count, list as joined, number } from "../lib/text";
import { titleBeside } from "../lib/title";
import { StateMark } from "../ui/StateMark";
import { Trouble, Waiting } from "../ui/States";
import type { Ask } from "./useActs";

interface Props {
  ask: Ask;
  preview?: Preview;
  error: unknown;
  now: boolean;
  /** Packages that may be removed for it. */
  removals: string[];
  stale: boolean;
}

/** What a decision would do: one sentence, then only the consequences there are. */
export function Foretold({ ask, preview, error, now, removals, stale }: Props) {
  if (error) return <Trouble error={error} what="What would happen is not known." />;
  if (!preview) return <Waiting lines={2} />;
  const undo = ask.answer === "undo";
  const rows = ask.answer === "reject" || preview.needs === 0 ? [] : consequences(preview, ask, now, removals);
  const list = preview.updates_list ?? [];
  return (
    <div className="foretold" aria-live="polite" data-stale={stale || undefined}>
      <p><strong>{rows.length > 0 ? `${undo ? "Takes back " : ""}${count(preview.updates, "update")} on ${count(preview.devices, "device")}` : preview.sentence}</strong></p>
      {rows.length > 0 && (
        <ul>
          {rows.map(([state, text]) => (
            <li key={text}><StateMark state={state} /> <span>{text}</span></li>
          ))}
        </ul>
      )}
      {list.length > 1 && (
        <details open={undo}>
          <summary>{count(preview.updates, "update")}{undo && ", taken back together"}</summary>
          <ul className="foretold-updates">
            {list.map((u) => (
              <li key={u.name + u.available}>
                <span>{u.name}</span> {u.title ? <span className="own dim">{titleBeside(u.name, u.title)}</span> : <code>{u.available}</code>}
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

function consequences(p: Preview, ask: Ask, now: boolean, removals: string[]): [State, string][] {
  const rows = ask.answer === "undo" ? left(p, ask) : back(p);
  if (removals.length > 0) rows.push(["failed", `${joined(removals)} may be removed. A removed package is gone from the device; Patchbay does not put it back.`]);
  if (p.licences > 0) rows.push(["waits_person", `The ${p.licences === 1 ? "licence of 1 update" : `licences of ${number(p.licences)} updates`} that nobody agreed to yet ${p.licences === 1 ? "is" : "are"} agreed to with it.`]);
  if (p.left_out > 0) rows.push(["excepted", `${count(p.left_out, "preview or optional update is", "previews and optional updates are")} left out: approve each by its name.`]);
  if (p.reboots > 0 && ask.answer === "approve") rows.push(["waits_person", `${count(p.reboots, "device")} will ask for a reboot.`]);
  if (now && p.outside_window > 0) rows.push(["failed", `${count(p.outside_window, "device is", "devices are")} outside the window now; this goes ahead anyway.`]);
  if (p.silent > 0) rows.push(["unknown", `${count(p.silent, "device is", "devices are")} silent and will hear of it when heard of again.`]);
  if (p.observed_only > 0) rows.push(["waits_person", `${count(p.observed_only, "device is", "devices are")} only observed: nothing is changed there.`]);
  return rows;
}

/** What an undo leaves behind. */
function left(p: Preview, ask: Ask): [State, string][] {
  const rows: [State, string][] = [];
  if (ask.security) rows.push(["failed", "It is a security update: what it closed is open again."]);
  if (p.cannot_undo > 0) rows.push(["waits_person", `${count(p.cannot_undo, "device that has it", "devices that have it")} cannot go back: it stays there.`]);
  return rows;
}

/** Whether an approval could be taken back, the worst first. */
function back({ reversible: r }: Preview): [State, string][] {
  const rows: [State, string][] = [];
  if (r.not_at_all > 0) rows.push(["waits_person", `${count(r.not_at_all, "device")} cannot go back: once installed it stays.`]);
  if (r.unknown > 0) rows.push(["unknown", `Of ${count(r.unknown, "device")} it is not known whether ${r.unknown === 1 ? "it" : "they"} could go back.`]);
  if (r.by_snapshot > 0) rows.push(["waits_person", `${count(r.by_snapshot, "device")} can go back only by a snapshot.`]);
  return rows;
}
