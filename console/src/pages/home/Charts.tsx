import { useState } from "react";
import type { Bucket, TrendDay } from "../../api/types";
import { number } from "../../lib/text";
import { dayMonth } from "../../lib/time";
import { needsBuckets } from "./buckets";
import { Area } from "./Area";

/** Needs day by day, with the table behind the picture. */
export function Trend({ trend }: { trend: TrendDay[] }) {
  const [table, setTable] = useState(false);
  return (
    <section className="home-block" aria-label="Needs by day">
      <div className="spread">
        <h2>Needs by day</h2>
        <button type="button" className="link small" onClick={() => setTable(!table)}>{table ? "As a picture" : "As a table"}</button>
      </div>
      {table ? (
        <div className="chart-table">
          <table className="list">
            <thead><tr><th scope="col">Day</th><th scope="col" className="num">Verified</th><th scope="col" className="num">Open</th><th scope="col" className="num">Not known</th></tr></thead>
            <tbody>
              {[...trend].reverse().map((d) => (
                <tr key={d.day}><td>{dayMonth(d.day)}</td><td className="num" data-label="Verified">{number(d.verified)}</td><td className="num" data-label="Open">{number(d.open)}</td><td className="num" data-label="Not known">{number(d.unknown)}</td></tr>
              ))}
            </tbody>
          </table>
        </div>
      ) : (
        <Area trend={trend} />
      )}
    </section>
  );
}

/** How long the open security needs have been open. */
export function Ages({ ages }: { ages: Bucket[] }) {
  const most = Math.max(1, ...ages.map((a) => a.count));
  return (
    <section className="home-block" aria-label="Open security needs by age">
      <h2>Open security needs by age</h2>
      <ul className="bars">
        {ages.map((a) => (
          <li key={a.bucket}>
            <span className="dim">{needsBuckets[a.bucket] ?? a.bucket}</span>
            <span className="bars-line" aria-hidden="true"><span data-old={a.bucket === ">30d" || undefined} style={{ width: `${(a.count / most) * 100}%` }} /></span>
            <b>{number(a.count)}</b>
          </li>
        ))}
      </ul>
      <p className="dim small">Counted from when the update came out or, where nothing says so, from when it was first seen here.</p>
    </section>
  );
}
