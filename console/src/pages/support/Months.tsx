import { useState } from "react";
import type { SupportMonth } from "../../api/types";
import { daysToEndOf, monthWords } from "../../lib/support";
import { count, number } from "../../lib/text";
import { useView } from "../../ui/useView";
import "../../styles/support.css";

/** What ends when, with the table behind the picture. */
export function Months({ months, now }: { months: SupportMonth[]; now: number }) {
  const [table, setTable] = useState(false);
  const some = months.some((m) => m.what?.length);
  return (
    <section className="support-months" aria-label="What ends in which month">
      <div className="spread">
        <h2>What ends when</h2>
        {some && <button type="button" className="link small" onClick={() => setTable(!table)}>{table ? "As a picture" : "As a table"}</button>}
      </div>
      {!some ? <p className="dim">Of nothing that devices have is an end known within two years.</p> : table ? <AsTable months={months} /> : <Picture months={months} now={now} />}
    </section>
  );
}

function Picture({ months, now }: { months: SupportMonth[]; now: number }) {
  const [, change] = useView();
  const most = Math.max(1, ...months.map((m) => Math.max(m.systems, m.applications)));
  return (
    <>
      <div className="months-plot">
        <div className="months-scale dim" aria-hidden="true"><span>{number(most)}</span><span>0</span></div>
        <ol className="months">
          {months.map((m, i) => (
            <li key={m.month} data-quarter={i % 3 === 0 || undefined}>
              <button type="button" disabled={!m.what?.length} title={said(m, i === 0)} aria-label={said(m, i === 0)} onClick={() => change({ within: String(daysToEndOf(m.month, now)), state: undefined })}>
                <span className="months-bar" data-kind="os" style={{ height: `${(m.systems / most) * 100}%` }} />
                <span className="months-bar" data-kind="application" style={{ height: `${(m.applications / most) * 100}%` }} />
              </button>
              <span className="months-name dim">{monthWords(m.month, i === 0)}</span>
            </li>
          ))}
        </ol>
      </div>
      <p className="months-key dim small">
        <span><i data-kind="os" /> devices whose system ends</span>
        <span><i data-kind="application" /> devices with an application that ends</span>
        <span>A month shows what ends until its last day.</span>
      </p>
    </>
  );
}

function said(m: SupportMonth, first: boolean): string {
  if (!m.what?.length) return `${monthWords(m.month, first)}: nothing ends`;
  return `${monthWords(m.month, first)}: ${m.what.join(", ")}. ${count(m.systems, "device")} by their system, ${number(m.applications)} by an application.`;
}

function AsTable({ months }: { months: SupportMonth[] }) {
  return (
    <div className="chart-table">
      <table className="list">
        <thead><tr><th scope="col" style={{ width: "110px" }}>Month</th><th scope="col">What ends</th><th scope="col" className="num" style={{ width: "96px" }}>Systems</th><th scope="col" className="num" style={{ width: "110px" }}>Applications</th></tr></thead>
        <tbody>
          {months.filter((m) => m.what?.length).map((m) => (
            <tr key={m.month}>
              <td className="title">{monthWords(m.month, true)}</td><td>{m.what?.join(", ")}</td>
              <td className="num" data-label="Systems">{number(m.systems)}</td><td className="num" data-label="Applications">{number(m.applications)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
