import { Link } from "@tanstack/react-router";
import type { DeviceDetail, Repair, RepairAct } from "../../api/types";
import { actWords, engineSource, engineStanding, repairEnd, upper } from "../../lib/engine";
import { number } from "../../lib/text";
import { paths } from "../../paths";
import { StateMark } from "../../ui/StateMark";
import { Ago, Next, useNow } from "../../ui/Time";
import { EngineHistory } from "./EngineHistory";
import { RestartCard } from "./RestartCard";
import "../../styles/engine.css";

/** The update engine of a Windows: how it stands, whether it waits for a restart, and what it says it did. */
export function Engine({ device: d }: { device: DeviceDetail }) {
  return (
    <>
      <div className="engine">
        <EngineCard device={d} />
        <RestartCard device={d} />
      </div>
      <EngineHistory device={d} />
    </>
  );
}

function EngineCard({ device: d }: { device: DeviceDetail }) {
  const now = useNow();
  const source = engineSource(d);
  const stands = engineStanding(d, source, now);
  const r = source?.repair;
  const wrong = r && r.turn !== "nobody";
  const done = r?.done ?? [];
  return (
    <section className="card" aria-label="Update engine">
      <h2>Update engine</h2>
      <p className="card-verdict" data-state={stands.state}>
        <StateMark state={stands.state} size={12} /> <b className="words">{stands.words}</b>
        {stands.turn && <span className="dim">{stands.turn}</span>}
      </p>
      {wrong && r.why && (
        <div className="card-why">
          <p>{r.why}. {r.code && <code>{r.code}</code>}</p>
          {r.next && <p><b>{r.next}</b></p>}
        </div>
      )}
      {!wrong && source?.error && <div className="card-why"><p>{source.error}</p></div>}
      {source && d.scanned_at && (
        <dl className="facts">
          <dt>Asks</dt><dd>{source.name}</dd>
          <dt>Last good search</dt><dd><Ago at={source.refreshed_at} zone={d.zone} none="never, as far as is known" /></dd>
          {wrong && <Fails device={d} repair={r} now={now} />}
        </dl>
      )}
      {!source && d.scanned_at && <p className="dim">The last scan told of no update engine: there is none here, or the agent is older than that. <Link className="link" {...paths.device(d.id, { tab: "about" })}>See what was read</Link></p>}
      {done.length > 0 && (
        <>
          <h3>What Patchbay did about it</h3>
          <ol className="acts">{done.map((a) => <Act key={a.at + a.act} act={a} zone={d.zone} />)}</ol>
        </>
      )}
    </section>
  );
}

/** Since when it fails, and what is done about it when. */
function Fails({ device: d, repair: r, now }: { device: DeviceDetail; repair: Repair; now: number }) {
  return (
    <>
      {r.since && <><dt>Fails since</dt><dd><Ago at={r.since} zone={d.zone} /></dd></>}
      {r.at && <><dt>Failed last</dt><dd><Ago at={r.at} zone={d.zone} /></dd></>}
      <dt>Patchbay {r.turn === "person" ? "did" : "does"}</dt><dd>{actWords(r)}</dd>
      {r.turn === "patchbay" && <><dt>Next try</dt><dd><NextTry device={d} after={r.after} now={now} /></dd></>}
    </>
  );
}

/** When something is done about it again: the agent does that in its windows, and once a day. */
function NextTry({ device: d, after, now }: { device: DeviceDetail; after?: string; now: number }) {
  if (d.agent.mode === "observe") return <>never: this agent only observes</>;
  const wait = after !== undefined && Date.parse(after) > now ? after : undefined;
  if (d.window.open && !wait) return <>at the next scan: the window is open</>;
  if (!d.window.open && !d.window.next_open) return <>never: this site has no window. {!wait && "An update that is forced brings it along."}</>;
  if (wait && (d.window.open || Date.parse(d.window.next_open ?? "") < Date.parse(wait))) return <>in a window after <Next at={wait} zone={d.zone} />, once a day at most</>;
  return <>in the next window, <Next at={d.window.next_open} zone={d.zone} /></>;
}

function Act({ act: a, zone }: { act: RepairAct; zone: string }) {
  const state = a.result === "worked" ? "verified" : a.result === "failed" ? "failed" : "unknown";
  return (
    <li>
      <p className="row" style={{ gap: "2px 10px" }}>
        <span className="verdict" data-state={state}><StateMark state={state} /> <b>{upper(a.act)}</b></span>
        <span className="dim"><Ago at={a.at} zone={zone} />{a.try ? `, try ${number(a.try)}` : ""}{a.code ? <>, for <code>{a.code}</code></> : ""}</span>
      </p>
      <p className="dim">{upper(repairEnd(a))}{a.said ? `: ${a.said}` : "."}</p>
    </li>
  );
}
