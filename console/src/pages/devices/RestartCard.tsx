import { useInfiniteQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { needs } from "../../api/queries";
import type { DeviceDetail, Need, RestartSource, State } from "../../api/types";
import { placeSays, placeWord } from "../../lib/engine";
import { restartReasons } from "../../lib/restart";
import { count, number } from "../../lib/text";
import { titleBeside } from "../../lib/title";
import { paths } from "../../paths";
import { StateMark } from "../../ui/StateMark";
import { Ago } from "../../ui/Time";
import { itemName } from "../needs/itemName";
import "../../styles/engine.css";

const few = 5;

/** Whether the machine waits for a restart, who says so, what waits for it, and who makes it. */
export function RestartCard({ device: d }: { device: DeviceDetail }) {
  const places = d.scanned_at ? (d.restart_sources ?? []) : [];
  const [state, words] = standing(d);
  return (
    <section className="card" aria-label="Restart">
      <h2>Restart</h2>
      <p className="card-verdict" data-state={state}><StateMark state={state} size={12} /> <b className="words">{words}</b></p>
      {d.restart_plan && <div className="card-why"><p>{d.restart_plan}</p></div>}
      <dl className="facts">
        <dt>Last start</dt><dd><Ago at={d.scanned_at && d.booted_at} zone={d.zone} none="not known" /></dd>
      </dl>
      <Waiting device={d} />
      <h3>Where Windows says it</h3>
      {places.length > 0 ? <ul className="acts">{places.map((p) => <Place key={p.kind} place={p} device={d} />)}</ul> : <Untold device={d} />}
    </section>
  );
}

function standing(d: DeviceDetail): [State, string] {
  if (!d.scanned_at) return ["unknown", "Not known: never scanned"];
  if (d.restart.machine) return [d.restart_by === "device" ? "waits_time" : "waits_person", "A restart is asked for"];
  if (d.silent) return ["unknown", "Not known: the device is silent"];
  const unread = d.restart_sources?.some((p) => p.state !== "asks" && p.state !== "waits" && p.state !== "quiet");
  if (unread) return ["unknown", "Partly not known: the rest asks for none"];
  return ["verified", "No restart is asked for"];
}

function Place({ place: p, device: d }: { place: RestartSource; device: DeviceDetail }) {
  const says = placeSays(p, d.restart_by, d.silent);
  return (
    <li>
      <p className="row" style={{ gap: "2px 10px" }}>
        <span className="verdict" data-state={says.state}><StateMark state={says.state} /> <b>{placeWord(p.kind)}</b></span>
        <span className="dim own-words">{says.words}{p.state === "asks" && p.at && <Written at={p.at} device={d} />}</span>
      </p>
    </li>
  );
}

/** When a place was last written. What asks since before the last start was not cleared by it. */
function Written({ at, device: d }: { at: string; device: DeviceDetail }) {
  const stale = d.booted_at !== undefined && Date.parse(at) < Date.parse(d.booted_at);
  return <>, written <Ago at={at} zone={d.zone} />{stale && <b>, before the last start, which did not clear it</b>}</>;
}

/** An agent from before the places were told apart says only its reasons. */
function Untold({ device: d }: { device: DeviceDetail }) {
  const { asks, waits } = restartReasons(d.restart.reasons);
  if (!d.scanned_at) return <p className="dim">It comes with the first complete scan.</p>;
  return (
    <p className="dim">
      This agent does not tell the places apart{asks.length + waits.length > 0 ? `. It says: ${[...asks, ...waits].join(", ")}.` : ", and gives no reason for a restart."}
    </p>
  );
}

const waitsForIt = (n: Need): boolean => n.verdict.name === "INSTALLED_PENDING_REBOOT" || n.job?.step === "rebooting";

function Waiting({ device: d }: { device: DeviceDetail }) {
  const query = useInfiniteQuery(needs({ device: d.id, limit: 500 }));
  const waiting = (query.data?.pages[0]?.items ?? []).filter(waitsForIt);
  if (waiting.length === 0) return null;
  return (
    <>
      <h3>{count(waiting.length, "update waits", "updates wait")} for it</h3>
      <ul className="acts">
        {waiting.slice(0, few).map((n) => (
          <li key={n.id}>
            <Link className="link" {...paths.device(d.id, { tab: "needs", need: n.id })}>{itemName(n.item)}</Link>{" "}
            <span className="dim">{titleBeside(n.item.name, n.title)}</span>
          </li>
        ))}
        {waiting.length > few && <li className="dim">and {number(waiting.length - few)} more</li>}
      </ul>
    </>
  );
}
