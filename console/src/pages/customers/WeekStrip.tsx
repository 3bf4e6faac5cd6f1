import type { Window } from "../../api/types";
import { dayName, days, stretches, windowWords } from "../../lib/windows";
import { list } from "../../lib/text";
import "../../styles/site.css";

const week = 7 * 1440;

/** A week from Monday to Sunday, with the windows as they lie in the site's own time. */
export function WeekStrip({ windows }: { windows: Window[] }) {
  const words = windows.length > 0 ? `Windows: ${list(windows.map(windowWords))}` : "No window";
  return (
    <figure className="week">
      <svg viewBox="0 0 700 14" preserveAspectRatio="none" role="img" aria-label={words}>
        <rect className="week-ground" width="700" height="14" rx="3" />
        {windows.flatMap((w, i) =>
          stretches(w).map((s) => (
            <rect key={`${i}/${s.from}`} className="week-open" x={(s.from / week) * 700} width={Math.max(2, ((s.to - s.from) / week) * 700)} height="14" />
          )),
        )}
        {days.slice(1).map((d, i) => <line key={d} className="week-line" x1={(i + 1) * 100} x2={(i + 1) * 100} y1="0" y2="14" />)}
      </svg>
      <figcaption aria-hidden="true">{days.map((d) => <span key={d} title={dayName(d)}>{dayName(d).slice(0, 3)}</span>)}</figcaption>
    </figure>
  );
}
