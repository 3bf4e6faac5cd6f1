import type { TrendDay } from "../../api/types";
import { number } from "../../lib/text";
import { dayMonth } from "../../lib/time";

const width = 720;
const height = 168;
const layers = ["unknown", "open", "verified"] as const;
const words = { unknown: "not known", open: "open", verified: "verified" };

/** Stacked areas with a scale: what is not known at the bottom, never left out. */
export function Area({ trend }: { trend: TrendDay[] }) {
  const most = niceTop(Math.max(1, ...trend.map((d) => d.verified + d.open + d.unknown)));
  const x = (i: number) => (i / Math.max(1, trend.length - 1)) * width;
  const y = (n: number) => height - (n / most) * height;
  const first = trend[0];
  const last = trend[trend.length - 1];
  if (!first || !last) return null;
  return (
    <figure className="area">
      <div className="area-plot">
        <span className="area-scale dim" aria-hidden="true"><span>{number(most)}</span><span>{number(most / 2)}</span><span>0</span></span>
        <svg viewBox={`0 0 ${width} ${height}`} preserveAspectRatio="none" role="img"
          aria-label={`From ${dayMonth(first.day)} to ${dayMonth(last.day)}: verified ${number(first.verified)} to ${number(last.verified)}, open ${number(first.open)} to ${number(last.open)}, not known ${number(first.unknown)} to ${number(last.unknown)}`}>
          <defs>
            <pattern id="hatch" width="5" height="5" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
              <rect width="5" height="5" className="area-unknown-ground" /><line x1="0" x2="0" y1="0" y2="5" className="area-hatch" />
            </pattern>
          </defs>
          {layers.map((layer, n) => {
            const below = (d: TrendDay) => layers.slice(0, n).reduce((sum, l) => sum + d[l], 0);
            const top = trend.map((d, i) => `${x(i)},${y(below(d) + d[layer])}`);
            const bottom = trend.map((d, i) => `${x(i)},${y(below(d))}`).reverse();
            return <polygon key={layer} className={`area-${layer}`} points={[...top, ...bottom].join(" ")} />;
          })}
          <line className="area-line" x1="0" x2={width} y1={height / 2} y2={height / 2} />
        </svg>
      </div>
      <figcaption className="dim small">
        <span>{dayMonth(first.day)}</span>
        <span className="area-legend">{[...layers].reverse().map((l) => <span key={l}><i className={`area-key area-key-${l}`} /> {words[l]}</span>)}</span>
        <span>{dayMonth(last.day)}</span>
      </figcaption>
    </figure>
  );
}

/** The next round number above the largest value. */
function niceTop(n: number): number {
  const power = 10 ** Math.floor(Math.log10(n));
  const step = [1, 2, 4, 5, 10].find((s) => s * power >= n) ?? 10;
  return Math.max(2, step * power);
}
