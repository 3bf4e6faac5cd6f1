import { Link } from "@tanstack/react-router";
import type { Package } from "../../api/types";
import { number } from "../../lib/text";
import { paths } from "../../paths";
import { StateMark } from "../../ui/StateMark";

type Counts = Pick<Package, "devices" | "behind" | "unknown">;

const parts = (of: Counts) =>
  [
    { state: "verified", n: of.devices - of.behind - of.unknown, words: "up to date" },
    { state: "waits_person", n: of.behind, words: "behind" },
    { state: "unknown", n: of.unknown, words: "not known" },
  ] as const;

/** The devices that have a program: up to date, behind, or not known. */
export function PresenceBar({ of }: { of: Counts }) {
  const words = parts(of).filter((p) => p.n > 0).map((p) => `${number(p.n)} ${p.words}`).join(", ");
  return (
    <span className="posture-bar" role="img" aria-label={words || "On no device"} title={words || "On no device"}>
      {parts(of).filter((p) => p.n > 0).map((p) => <span key={p.state} data-state={p.state} style={{ flexGrow: p.n, flexBasis: 0 }} />)}
    </span>
  );
}

/** The same in numbers. */
export function PresenceLegend({ of, id, provider }: { of: Counts; provider: string; id: string }) {
  return (
    <ul className="legend">
      <li><Link {...paths.devices({ program: `${provider}/${id}` })}><b>{number(of.devices)}</b> <span className="dim">{of.devices === 1 ? "device has it" : "devices have it"}</span></Link></li>
      {parts(of).filter((p) => p.n > 0).map((p) => (
        <li key={p.state}>
          {p.state === "waits_person" ? (
            <Link {...paths.updates({ q: id })}><StateMark state={p.state} /> <b>{number(p.n)}</b> <span className="dim">{p.words}</span></Link>
          ) : (
            <span className="row" style={{ gap: 6 }}><StateMark state={p.state} /> <b>{number(p.n)}</b> <span className="dim">{p.words}</span></span>
          )}
        </li>
      ))}
    </ul>
  );
}
