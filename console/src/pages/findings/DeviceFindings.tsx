import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { deviceFindings } from "../../api/queries";
import type { DeviceDetail, DeviceFindings, Finding } from "../../api/types";
import { isOpen, statusOf } from "../../lib/findings";
import { count, number } from "../../lib/text";
import { paths } from "../../paths";
import { Loaded } from "../../ui/Loaded";
import { Exploited, Severity, Step } from "../../ui/Severity";
import { Empty } from "../../ui/States";
import { Middle } from "../../ui/Text";

const few = 5;

/** What is wrong with what is installed here? */
export function Findings({ device: d }: { device: DeviceDetail }) {
  const query = useQuery(deviceFindings(d.id));
  return <Loaded query={query} what="What affects this device could not be read.">{(f) => <Known of={f} />}</Loaded>;
}

function Known({ of: f }: { of: DeviceFindings }) {
  if (!f.compared) {
    return (
      <Empty title="Not known" act={<Link className="link" {...paths.catalog()}>Look at the feeds</Link>}>
        No feed that holds here speaks of this device's system, so what affects it is not known. That is not the same as nothing.
      </Empty>
    );
  }
  const items = f.items ?? [];
  if (items.length === 0) return <Empty title="Nothing is open here">No advisory for {(f.providers ?? []).map((p) => p.release).join(", ")} affects what is installed.</Empty>;
  return (
    <table className="list finding-table" aria-label="Findings of this device">
      <thead>
        <tr>
          <th scope="col" style={{ width: "24%" }}>Item</th>
          <th scope="col" style={{ width: "18%" }}>Installed</th>
          <th scope="col">Findings</th>
        </tr>
      </thead>
      <tbody>
        {items.map((one) => (
          <tr key={`${one.item.provider} ${one.item.name} ${one.item.architecture ?? ""} ${one.installed}`}>
            <td className="title"><span className="main"><Middle text={one.item.name} /></span></td>
            <td data-label="Installed"><span className="version">{one.installed}</span></td>
            <td><Several of={one.findings ?? []} /></td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** The first few of an item, and all of them on demand. */
function Several({ of }: { of: Finding[] }) {
  const [all, setAll] = useState(false);
  const open = of.filter(isOpen).length;
  return (
    <>
      {of.length > 1 && <p className="dim small">{open > 0 ? `${number(open)} open` : "none open"}{of.length > open && `, ${number(of.length - open)} no alarm here`}</p>}
      <ul className="finding-list">
        {(all ? of : of.slice(0, few)).map((f) => <One key={(f.advisory ?? "") + f.status} finding={f} />)}
      </ul>
      {of.length > few && <button type="button" className="link small" onClick={() => setAll(!all)}>{all ? "Show fewer" : `Show all ${count(of.length, "finding")}`}</button>}
    </>
  );
}

function One({ finding: f }: { finding: Finding }) {
  const id = f.cves?.length === 1 ? f.cves[0] : f.advisory;
  return (
    <li>
      {id ? <Link className="nowrap" {...paths.finding(f.cves?.[0] ?? id)} title={f.cves?.join("\n")}>{id}</Link> : <span className="dim">no advisory</span>}
      <span className={isOpen(f) ? undefined : "dim"} title={f.note}>{statusOf(f)}</span>
      {isOpen(f) && <Severity of={f.severity} />}
      <Exploited at={f.exploited} />
      {isOpen(f) && <Why of={f} />}
      {f.fixed && <span className="dim">fixed in <span className="version">{f.fixed}</span></span>}
      {!isOpen(f) && f.note && <span className="dim small">{f.note}</span>}
    </li>
  );
}

/** How soon, and on demand why, with who set what that rests on. */
function Why({ of: f }: { of: Finding }) {
  const [shown, setShown] = useState(false);
  return (
    <>
      <button type="button" className="finding-step" aria-expanded={shown} onClick={() => setShown(!shown)}><Step step={f.step} why={f.why} /></button>
      {shown && <p className="dim small finding-why">{f.why}</p>}
    </>
  );
}
