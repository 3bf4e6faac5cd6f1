import { useInfiniteQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { needs } from "../../api/queries";
import type { DeviceDetail, Need, State } from "../../api/types";
import { list, number, outOf } from "../../lib/text";
import { engineSource, engineStanding } from "../../lib/engine";
import { restartReasons } from "../../lib/restart";
import { ownerWord, verdictWords } from "../../lib/verdicts";
import { paths } from "../../paths";
import { PostureBar } from "../../ui/Posture";
import { StateMark } from "../../ui/StateMark";
import { Since, useNow } from "../../ui/Time";
import "../../styles/device.css";

/** What is wrong with this one, whose turn it is first. */
export function Summary({ device: d }: { device: DeviceDetail }) {
  const query = useInfiniteQuery(needs({ device: d.id, limit: 500 }));
  const open = (query.data?.pages[0]?.items ?? []).filter((n) => n.verdict.state !== "verified" && n.verdict.state !== "gone");
  const p = d.posture;
  return (
    <div className="summary">
      <div className="summary-count">
        <p>
          <Link {...paths.device(d.id, { tab: "needs", state: "verified" })}><b>{outOf(p.verified, p.needs)}</b></Link>{" "}
          <span className="dim">needs verified{d.silent && ", and nothing heard since "}{d.silent && <Since at={d.silent_since} />}</span>
        </p>
        <PostureBar counts={p} />
        <p className="dim small">{d.window.sentence}</p>
      </div>
      <div className="summary-turns">
        {byOwner(open).map(([owner, groups]) => (
          <p key={owner}>
            <span className="summary-owner">{owner || "Nobody"}</span>
            <span className="row" style={{ gap: "2px 16px" }}>
              {groups.map((g) => (
                <Link key={g.name} className="verdict" data-state={g.state} {...paths.device(d.id, { tab: "needs", state: g.state })}>
                  <StateMark state={g.state} /> <b>{number(g.count)}</b> <span className="words">{verdictWords(g.name).toLowerCase()}</span>
                </Link>
              ))}
            </span>
          </p>
        ))}
        <Restart device={d} />
        <EngineLine device={d} />
        {d.patchers && d.patchers.length > 0 && (
          <p>
            <span className="summary-owner">Beside us</span>
            <span>{list(d.patchers)} also {d.patchers.length === 1 ? "installs" : "install"} updates here.</span>
          </p>
        )}
      </div>
    </div>
  );
}

function Restart({ device: d }: { device: DeviceDetail }) {
  const r = d.restart;
  const services = r.services ?? [];
  const unknown = r.unknown ?? [];
  const { asks } = restartReasons(r.reasons);
  if (!r.machine && services.length === 0 && unknown.length === 0) return null;
  return (
    <p>
      <span className="summary-owner">Restart</span>
      <span>
        {r.machine && <>This machine asks for a reboot{asks.length > 0 ? `: ${list(asks)}` : ""}. <span className="dim">{d.restart_plan}</span> </>}
        {services.length > 0 && (
          <>
            {services.length > 3 ? `${services.slice(0, 3).join(", ")} and ${number(services.length - 3)} more` : list(services)} still {services.length === 1 ? "runs" : "run"} with old files.{" "}
            <Link className="link" {...paths.device(d.id, { tab: "about" })}>See what runs</Link>{" "}
          </>
        )}
        {unknown.length > 0 && <span className="dim">Partly not known. </span>}
        {d.os === "windows" && <Link className="link" {...paths.device(d.id, { tab: "engine" })}>See who says so</Link>}
      </span>
    </p>
  );
}

/** What is wrong with the update engine, where something is. */
function EngineLine({ device: d }: { device: DeviceDetail }) {
  const now = useNow();
  const source = engineSource(d);
  if (d.os !== "windows" || !source) return null;
  const stands = engineStanding(d, source, now);
  if (stands.state === "verified") return null;
  return (
    <p>
      <span className="summary-owner">Engine</span>
      <span className="row" style={{ gap: "2px 10px" }}>
        <Link className="verdict" data-state={stands.state} {...paths.device(d.id, { tab: "engine" })}>
          <StateMark state={stands.state} /> <span className="words">{stands.words}</span>
        </Link>
        <span className="dim">{[stands.turn, source.repair?.code].filter(Boolean).join(", ")}</span>
      </span>
    </p>
  );
}

interface Group {
  name: string;
  state: State;
  count: number;
}

const turnOrder = ["your team", "customer", "user", "vendor", "Patchbay", ""];

function byOwner(open: Need[]): [string, Group[]][] {
  const owners = new Map<string, Map<string, Group>>();
  for (const { verdict: v } of open) {
    const owner = ownerWord(v.owner);
    const groups = owners.get(owner) ?? new Map<string, Group>();
    const group = groups.get(v.name) ?? { name: v.name, state: v.state, count: 0 };
    groups.set(v.name, { ...group, count: group.count + 1 });
    owners.set(owner, groups);
  }
  return [...owners]
    .sort(([a], [b]) => turnOrder.indexOf(a) - turnOrder.indexOf(b))
    .map(([owner, groups]) => [owner, [...groups.values()].sort((a, b) => b.count - a.count)]);
}
