import { Link } from "@tanstack/react-router";
import type { Worst } from "../../api/types";
import { count, number } from "../../lib/text";
import { paths } from "../../paths";
import { Middle } from "../../ui/Text";

/** A dot plot: one line a customer, all open needs and the security ones among them. */
export function WorstDots({ customers }: { customers: Worst[] }) {
  const most = Math.max(1, ...customers.map((c) => c.open));
  return (
    <>
      <ul className="dots">
        {customers.map((c) => (
          <li key={c.customer.id} title={`${count(c.open, "open need")}, ${number(c.security_open)} of them security, on ${count(c.devices, "device")} (${number(c.silent)} silent)`}>
            <Link {...paths.customer(c.customer.id)}><Middle text={c.customer.name} tail={8} /></Link>
            <span className="dots-line" aria-hidden="true">
              <span style={{ left: `${(c.open / most) * 100}%` }} />
              <span data-security style={{ left: `${(c.security_open / most) * 100}%` }} />
            </span>
            <span className="dots-count"><b>{number(c.security_open)}</b> <span className="dim">of {number(c.open)}</span></span>
          </li>
        ))}
      </ul>
      <p className="dim small dots-legend"><span className="dot" data-security /> security <span className="dot" /> all open needs, 0 to {number(most)}</p>
    </>
  );
}
