import { splitMiddle } from "../lib/text";
import { versionChange } from "../lib/version";

/** A name that may be long: its middle gives way first, its end stays. */
export function Middle({ text, tail = 10 }: { text: string; tail?: number }) {
  const [head, end] = splitMiddle(text, tail);
  return (
    <span className="middle" title={text}>
      <span>{head}</span>
      {end && <span>{end}</span>}
    </span>
  );
}

/** `3.0.15-1 → 3.0.17-1`, the differing part in bold. */
export function VersionChange({ from, to }: { from: string; to: string }) {
  if (!to && !from) return null;
  if (!to || from === to) return <span className="version">{from}</span>;
  const change = versionChange(from, to);
  return (
    <span className="version" title={`${from} → ${to}`}>
      <span className="from">{change.same}{change.from}</span>
      <span className="arrow">→</span>
      {change.same && <span className="to">{change.same}</span>}
      <b>{change.to}</b>
    </span>
  );
}

/** What an update is for, the part that matters most first. */
export function Classes({ classes, severity }: { classes?: string[] | null; severity?: string }) {
  const rated = severity && severity !== "unknown" ? severity : "";
  const words = (classes ?? []).map((c) => (c === "bugfix" ? "bug fix" : c));
  if ((words.length === 0 || words.join() === "other") && !rated) return <span className="dim">other</span>;
  return (
    <span className="nowrap">
      {words.map((word) => (
        <span key={word} className="tag" data-strong={word === "security" || undefined}>
          {word === "security" && rated ? `security, ${rated}` : word}
        </span>
      ))}
    </span>
  );
}
