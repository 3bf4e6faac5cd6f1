import { splitMiddle } from "../lib/text";
import { classOrder, classWord, splitTitle, titleBeside } from "../lib/title";
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

/** A name and, where it is a number, what its publisher calls it. */
export function Titled({ name, title }: { name: string; title?: string }) {
  const beside = titleBeside(name, title);
  if (!beside) return <span className="main"><Middle text={name} /></span>;
  const [head, version, rest] = splitTitle(beside);
  return (
    <span className="titled">
      <span className="main">{name}</span>{" "}
      {version ? <span className="own own-parted dim" title={beside}><span>{head}</span><span>{version}</span><span>{rest}</span></span> : <span className="own dim" title={beside}>{beside}</span>}
    </span>
  );
}

/** What an update is for, the part that matters most first; in lists that part alone, with how many more there are. */
export function Classes({ classes, severity, full }: { classes?: string[] | null; severity?: string; full?: boolean }) {
  const rated = severity && severity !== "unknown" ? severity : "";
  const words = classOrder(classes ?? []).map(classWord);
  if ((words.length === 0 || words.join() === "other") && !rated) return <span className="dim">other</span>;
  return (
    <span className="nowrap" title={words.length > 1 ? words.join(", ") : undefined}>
      {words.slice(0, full ? undefined : 1).map((word) => (
        <span key={word} className="tag" data-strong={word === "security" || undefined}>
          {word === "security" && rated ? `security, ${rated}` : word}
        </span>
      ))}
      {!full && words.length > 1 && <span className="dim small"> +{words.length - 1}</span>}
    </span>
  );
}
