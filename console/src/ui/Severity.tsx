import { Ago } from "./Time";
import { stepWord } from "../lib/findings";
import "../styles/findings.css";

/** How grave it is: a word with a bar of one to four parts, never colour alone. */
export function Severity({ of }: { of?: string }) {
  const grade = ["unknown", "low", "medium", "high", "critical"].indexOf(of ?? "unknown");
  return (
    <span className="severity nowrap" data-grade={grade > 0 ? grade : undefined}>
      <span className="severity-bar" aria-hidden="true">{[1, 2, 3, 4].map((n) => <i key={n} data-on={n <= grade || undefined} />)}</span>
      {grade > 0 ? of : "not rated"}
    </span>
  );
}

/** That attackers use it, and since when. */
export function Exploited({ at }: { at?: string | null }) {
  if (!at) return null;
  return <span className="tag exploited nowrap" title={`Known to be exploited since ${at.slice(0, 10)}`}>exploited <Ago at={at} /></span>;
}

/** How soon it is to be mended, with the sentence that says why. */
export function Step({ step, why }: { step?: string; why?: string }) {
  return <span className="step nowrap" data-step={step} title={why}>{stepWord(step)}</span>;
}
