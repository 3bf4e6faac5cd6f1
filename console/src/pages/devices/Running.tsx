import { Link } from "@tanstack/react-router";
import type { DeviceDetail } from "../../api/types";
import { count, list } from "../../lib/text";
import { restartReasons } from "../../lib/restart";
import { paths } from "../../paths";
import { Section } from "../../ui/Page";
import { StateMark } from "../../ui/StateMark";
import { Middle } from "../../ui/Text";

type OldUse = NonNullable<DeviceDetail["restart"]["old"]>[number];

/** What runs on a device although something newer is installed, and what of that is not known. */
export function Running({ device: d }: { device: DeviceDetail }) {
  const r = d.restart;
  const old = r.old ?? (r.services ?? []).map((service) => ({ service, processes: 0 }));
  const unknown = r.unknown ?? [];
  const { asks, waits } = restartReasons(r.reasons);
  const clear = !r.machine && waits.length === 0 && old.length === 0 && unknown.length === 0;
  return (
    <Section title="What still runs old" about="Services and programs that use files which an update has replaced. They go on with the old ones until they are restarted.">
      <ul className="lines">
        {clear && <li><Mark state={d.scanned_at ? "verified" : "unknown"} text={d.scanned_at ? "Nothing that could be found" : "Not known: it was never scanned"} /></li>}
        {r.machine && (
          <li>
            <Mark state="waits_time" text="The machine" />
            <span className="dim">asks for a reboot{asks.length > 0 ? ` for ${list(asks)}` : " and does not say for what"}</span>
          </li>
        )}
        {waits.map((w) => (
          <li key={w}>
            <Mark state="waits_time" text="The next start" />
            <span className="dim lines-words">{w}; that asks for none by itself</span>
          </li>
        ))}
        {old.map((u) => <OldLine key={u.service} use={u} device={d.id} />)}
        {unknown.map((u) => (
          <li key={u}>
            <Mark state="unknown" text="Not known" />
            <span className="dim lines-words">{u}</span>
          </li>
        ))}
      </ul>
    </Section>
  );
}

function OldLine({ use: u, device }: { use: OldUse; device: string }) {
  const packages = u.packages ?? [];
  return (
    <li>
      <Mark state="waits_person" text={u.service} />
      {u.processes > 0 && <span className="dim">{count(u.processes, "process", "processes")}</span>}
      <span className="lines-words">
        {packages.length === 0 && <span className="dim">of no known package</span>}
        {packages.map((p, i) => (
          <span key={p}>
            {i > 0 && ", "}
            <Link className="link" {...paths.device(device, { tab: "needs", q: p })}>{p}</Link>
          </span>
        ))}
      </span>
    </li>
  );
}

function Mark({ state, text }: { state: "verified" | "waits_time" | "waits_person" | "unknown"; text: string }) {
  return (
    <span className="verdict" data-state={state}>
      <StateMark state={state} />
      <b><Middle text={text} /></b>
    </span>
  );
}
