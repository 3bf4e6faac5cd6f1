import { Link } from "@tanstack/react-router";
import type { Counts } from "../api/types";
import { number } from "../lib/text";
import { countedStates, stateWord } from "../lib/verdicts";
import { needsIn, type ListSearch } from "../paths";
import { StateMark } from "./StateMark";
import "../styles/parts.css";

const present = (counts: Counts) => countedStates.filter((s) => counts[s] > 0);

export const total = (counts: Counts): number => countedStates.reduce((sum, s) => sum + counts[s], 0);

/** How the needs are divided over the states. The table behind it is the legend, or the title. */
export function PostureBar({ counts }: { counts: Counts }) {
  const states = present(counts);
  const words = states.map((s) => `${stateWord(s)}: ${number(counts[s])}`).join(", ");
  return (
    <span className="posture-bar" role="img" aria-label={words || "Nothing counted"} title={words}>
      {states.map((s) => (
        <span key={s} data-state={s} style={{ flexGrow: counts[s], flexBasis: 0 }} />
      ))}
    </span>
  );
}

/** The same in numbers. Every number leads to its list. */
export function PostureLegend({ counts, search = {} }: { counts: Counts; search?: ListSearch }) {
  return (
    <ul className="legend">
      {present(counts).map((s) => (
        <li key={s}>
          <Link {...needsIn(s, search)}>
            <StateMark state={s} /> <b>{number(counts[s])}</b>
            <span className="dim">{stateWord(s).toLowerCase()}</span>
          </Link>
        </li>
      ))}
    </ul>
  );
}
