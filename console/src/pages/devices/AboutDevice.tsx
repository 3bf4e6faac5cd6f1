import { Link } from "@tanstack/react-router";
import type { DeviceDetail, Section as Part, Source } from "../../api/types";
import { count, list, number } from "../../lib/text";
import { span } from "../../lib/time";
import { paths } from "../../paths";
import { Section } from "../../ui/Page";
import { StateMark } from "../../ui/StateMark";
import { Empty } from "../../ui/States";
import { Middle } from "../../ui/Text";
import { Ago } from "../../ui/Time";
import { ApplicationSupport, SystemSupport } from "./DeviceSupport";
import { systemOf } from "./system";
import { Retire } from "./Retire";
import { Running } from "./Running";
import { StandingOfDevice } from "./Standing";
import "../../styles/device.css";

/** The facts behind the verdicts, and how old they are. */
export function AboutDevice({ device: d }: { device: DeviceDetail }) {
  return (
    <>
      <StandingOfDevice device={d} />
      <div className="about">
        <section aria-label="Machine">
          <h2>Machine</h2>
          <dl className="facts">
            <dt>System</dt><dd>{systemOf(d) || "not known"}</dd>
            <dt>Support</dt><dd><SystemSupport device={d} /></dd>
            {d.edition && <><dt>Edition</dt><dd>{d.edition}</dd></>}
            {d.os === "windows" && <><dt>Servicing channel</dt><dd>{channelWords(d.channel)}</dd></>}
            <dt>{d.os === "windows" ? "Windows build" : "Kernel running"}</dt><dd className="mono">{d.kernel ?? "not known"}</dd>
            <dt>Architecture</dt><dd>{d.architecture ?? "not known"}{d.container && ", in a container"}</dd>
            <dt>Last start</dt><dd><Ago at={d.booted_at} zone={d.zone} none="not known" /></dd>
            <dt>Disk</dt><dd><Disk device={d} /></dd>
            <dt>At the machine</dt><dd>{presenceWords(d.presence)}</dd>
            <dt>Power</dt><dd>{d.presence.battery === "yes" ? "on its battery: no reboot is begun" : d.presence.battery === "no" ? "fed" : "not known"}</dd>
            <dt>Other patchers</dt><dd>{d.patchers?.length ? `${list(d.patchers)}: also ${d.patchers.length === 1 ? "installs" : "install"} updates here` : "none found"}</dd>
          </dl>
        </section>
        <section aria-label="Agent">
          <h2>Agent</h2>
          <dl className="facts">
            <dt>Mode</dt><dd>{d.agent.mode === "manage" ? "Manages: scans and installs" : "Observes: scans, installs nothing"}</dd>
            <dt>Build</dt><dd>{d.agent.build ?? "not known"}</dd>
            <dt>Last seen</dt><dd><Ago at={d.agent.last_seen} zone={d.zone} /></dd>
            <dt>Enrolled</dt><dd><Ago at={d.agent.enrolled_at} zone={d.zone} /></dd>
            <dt>Clock</dt><dd>{clockWords(d.agent.clock_off_seconds)}</dd>
            <dt>Zone</dt><dd>{d.zone}</dd>
            <dt>Holds</dt><dd>{holdsWords(d.agent)}</dd>
          </dl>
        </section>
      </div>
      <Running device={d} />
      <ApplicationSupport device={d} />
      <Section title="What was read" about="Each part ages by itself. A part that could not be read keeps what was known, and its age.">
        {d.sections?.length ? <ul className="lines">{d.sections.map((s) => <PartLine key={s.name} part={s} />)}</ul> : <Empty small title="Nothing was read yet" />}
      </Section>
      <Section title="Sources" about="Where this device takes updates from, and how old what it knows of them is.">
        {d.sources?.length ? <ul className="lines">{d.sources.map((s) => <SourceLine key={s.provider + s.name} source={s} />)}</ul> : <Empty small title="No source is known" />}
      </Section>
      <Section title="Retire" about="Retiring removes the device from every list and count. Its history stays.">
        <Retire device={d} />
      </Section>
    </>
  );
}

const channels: Record<string, string> = {
  gac: "General Availability", ltsc: "Long-Term Servicing (LTSC)", annual: "Annual",
  insider: "Insider", insider_canary: "Insider, Canary", insider_dev: "Insider, Dev", insider_beta: "Insider, Beta", insider_release_preview: "Insider, Release Preview",
};

/** By which channel a Windows gets its updates. */
function channelWords(channel?: string): string {
  const word = channel && (channels[channel] ?? channel);
  if (!word) return "not known";
  return channel.startsWith("insider") ? `${word}: gets builds before their release` : word;
}

/** Who was at the machine when it was last read. */
function presenceWords(p: DeviceDetail["presence"]): string {
  if (p.logged_in === "no") return "nobody was logged in";
  if (p.logged_in !== "yes") return "not known";
  const screen = p.locked === "yes" ? "the screen was locked" : p.locked === "no" ? "the screen was not locked" : "whether the screen was locked is not known";
  const shows = p.presenting === "yes" ? "something filled it" : p.presenting === "no" ? "nothing filled it" : "whether somebody presented is not known";
  return `somebody was logged in; ${screen}; ${shows}`;
}

function clockWords(off: number): string {
  if (Math.abs(off) < 60) return "right";
  return `${span(Math.abs(off) * 1000)} ${off > 0 ? "ahead" : "behind"}; times told by the device are not believed`;
}

/** Which signed documents the agent holds to. */
function holdsWords({ held_root: root, held_limits: limits }: DeviceDetail["agent"]): string {
  if (root === undefined) return "not known: it has not said which root and limits it holds";
  if (root === 0) return "no root and no limits: it does what this server orders";
  return `root version ${number(root)}, ${limits ? `limits version ${number(limits)}` : "no limits"}`;
}

/** Whether the disk is one machine's alone, and whether it was set back. */
function Disk({ device: d }: { device: DeviceDetail }) {
  const copies = d.copies ?? [];
  if (!d.copy_of && copies.length === 0 && !d.set_back) return <>no sign of a copy or of being set back</>;
  return (
    <>
      {d.copy_of && <p>A copy of <DeviceLink to={d.copy_of} />, which kept the record; this one became a device of its own.</p>}
      {copies.length > 0 && <p>Copied to {count(copies.length, "other machine", "other machines")}: {copies.map((c, i) => <span key={c.id}>{i > 0 && ", "}<DeviceLink to={c} /></span>)}.</p>}
      {d.set_back && <p>Set back to an earlier state, as by restoring a snapshot, <Ago at={d.set_back} zone={d.zone} />; everything was to be read anew after.</p>}
    </>
  );
}

const DeviceLink = ({ to }: { to: { id: string; name: string } }) => <Link className="link" {...paths.device(to.id)}><Middle text={to.name} /></Link>;

function PartLine({ part: s }: { part: Part }) {
  return (
    <li>
      <span className="verdict" data-state={s.state === "ok" ? "verified" : s.state === "failed" ? "failed" : "unknown"}>
        <StateMark state={s.state === "ok" ? "verified" : s.state === "failed" ? "failed" : "unknown"} />
        <b>{s.name}</b>
      </span>
      <span className="dim">{s.state === "absent" ? "not on this device" : s.items > 0 ? count(s.items, "item") : ""}</span>
      <span className="dim">read <Ago at={s.scanned_at} none="never" /></span>
      {s.error && <p className="lines-error">Last reading failed <Ago at={s.failed_at} none="" />: {s.error}</p>}
    </li>
  );
}

function SourceLine({ source: s }: { source: Source }) {
  const state = s.error ? "failed" : s.refreshed_at || s.signed_at ? "verified" : "unknown";
  return (
    <li>
      <span className="verdict" data-state={state}>
        <StateMark state={state} />
        <b><Middle text={s.name} /></b>
      </span>
      <span className="dim">{[s.origin, s.suite].filter(Boolean).join(", ")}</span>
      {s.third_party && <span className="tag">third party</span>}
      <span className="dim">
        signed <Ago at={s.signed_at} none="at an unknown time" />
        {s.refreshed_at ? <>, refreshed <Ago at={s.refreshed_at} /></> : s.signed_at ? "" : ", refreshed never"}
        {s.valid_until && <>, ends <Ago at={s.valid_until} /></>}
      </span>
      {s.error && <p className="lines-error">{s.error}</p>}
    </li>
  );
}
