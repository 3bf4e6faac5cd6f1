import { Button } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import type { UpdateDetail } from "../../api/types";
import { useDecide } from "../../app/useActs";
import { number } from "../../lib/text";
import { countedStates, stateWord } from "../../lib/verdicts";
import { paths } from "../../paths";
import { StateMark } from "../../ui/StateMark";
import { Middle } from "../../ui/Text";
import { askForUpdate } from "../needs/asks";
import "../../styles/list.css";

const few = 12;

/** Customers × state. Every number leads to the needs behind it. */
export function ByCustomer({ update: u }: { update: UpdateDetail }) {
  const decide = useDecide();
  const [all, setAll] = useState(false);
  const customers = u.by_customer ?? [];
  const states = countedStates.filter((s) => u.counts[s] > 0);
  const shown = all ? customers : customers.slice(0, few);
  return (
    <>
      <table className="list" aria-label="Where this update stands, by customer">
        <thead>
          <tr>
            <th scope="col">Customer</th>
            {states.map((s) => (
              <th key={s} scope="col" className="num" style={{ width: Math.min(172, 660 / states.length), whiteSpace: "normal" }}><StateMark state={s} /> {stateWord(s)}</th>
            ))}
            <th scope="col" className="num" style={{ width: 96 }}>Devices</th>
            <th scope="col" style={{ width: 108 }}><span className="sr">Act</span></th>
          </tr>
        </thead>
        <tbody>
          {shown.map((c) => (
            <tr key={c.customer.id}>
              <td className="title"><Link className="main" {...paths.customer(c.customer.id)}><Middle text={c.customer.name} /></Link></td>
              {states.map((s) => (
                <td key={s} className={c.counts[s] > 0 ? "num" : "num hide"} data-label={stateWord(s)}>
                  {c.counts[s] > 0 ? <Link {...paths.update(u.id, { customer: c.customer.id, state: s })}>{number(c.counts[s])}</Link> : <span className="dim">0</span>}
                </td>
              ))}
              <td className="num" data-label="Devices">{number(c.devices)}{c.silent > 0 && <span className="dim"> ({number(c.silent)} silent)</span>}</td>
              <td className="num">
                {c.counts.waits_person > 0 && (
                  <Button size="compact-xs" variant="default"
                    onClick={() => decide(askForUpdate("approve", u, [{ level: "customer", target: c.customer.id, where: `At ${c.customer.name}` }]))}>
                    Approve…
                  </Button>
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {customers.length > few && (
        <div className="list-foot">
          <button type="button" className="link" onClick={() => setAll(!all)}>{all ? "Show fewer" : `Show all ${number(customers.length)} customers`}</button>
        </div>
      )}
    </>
  );
}
