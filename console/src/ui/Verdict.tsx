import type { Verdict } from "../api/types";
import { ownerWord, verdictWords } from "../lib/verdicts";
import { Since } from "./Time";
import { StateMark } from "./StateMark";
import "../styles/parts.css";

/** A verdict, the same everywhere: shape, colour, three words, whose turn, since when. */
export function VerdictChip({ verdict, short = false, undo = false }: { verdict: Verdict; short?: boolean; undo?: boolean }) {
  const owner = ownerWord(verdict.owner);
  return (
    <span className="verdict" data-state={verdict.state} title={verdict.sentence}>
      <StateMark state={verdict.state} />
      <span className="words">{verdictWords(verdict.name, undo)}</span>
      {!short && (
        <span className="rest">
          {owner && <>· {owner} </>}
          {verdict.since && <>· since <Since at={verdict.since} /></>}
        </span>
      )}
    </span>
  );
}
