import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { deviceSupport } from "../../api/queries";
import type { DeviceDetail, ItemSupport } from "../../api/types";
import { paidWords, supportName } from "../../lib/support";
import { count, number } from "../../lib/text";
import { paths } from "../../paths";
import { Loaded } from "../../ui/Loaded";
import { Section } from "../../ui/Page";
import { Empty } from "../../ui/States";
import { Middle } from "../../ui/Text";
import { SupportState } from "../support/SupportState";

/** For how long anybody mends the system of this device, and by whose word. */
export function SystemSupport({ device: d }: { device: DeviceDetail }) {
  const query = useQuery(deviceSupport(d.id));
  const s = query.data?.system;
  if (query.isPending) return <span className="dim">…</span>;
  if (query.error ?? !s) return <>{d.support_ends ? `until ${d.support_ends}, by the agent's own table` : "not known"}</>;
  return (
    <>
      <SupportState of={s} /> {s.last && <span className="nowrap">{s.state === "ended" ? "on" : "until"} {s.last}</span>}
      <p className="dim small">{s.why}{s.by && ` By the word of ${s.by}.`}</p>
    </>
  );
}

/** What of the applications here nobody mends any more, or soon. */
export function ApplicationSupport({ device: d }: { device: DeviceDetail }) {
  const query = useQuery(deviceSupport(d.id));
  return (
    <Section title="Support" about="For how long anybody mends the applications here. What the system's distribution made ends with the system.">
      <Loaded query={query} what="The support of what is installed here could not be read.">
        {(s) => (
          <>
            {s.applications?.length ? <Applications of={s.applications} /> : <Empty small title="Of no application here an end is known" />}
            <p className="dim small">
              Of {count(s.counts.items, "item")} {number(s.counts.distribution)} are the distribution's own, of {number(s.counts.known)} their publisher's end is told, of {number(s.counts.unmapped)} nobody says anything. {s.hardware}
            </p>
          </>
        )}
      </Loaded>
    </Section>
  );
}

function Applications({ of }: { of: ItemSupport[] }) {
  return (
    <table className="list" aria-label="Support of the applications here">
      <thead>
        <tr>
          <th scope="col" style={{ width: "30%" }}>Item</th>
          <th scope="col" style={{ width: "20%" }}>Of</th>
          <th scope="col" style={{ width: "116px" }}>Support</th>
          <th scope="col" style={{ width: "110px" }}>Last day</th>
          <th scope="col">For those who pay</th>
        </tr>
      </thead>
      <tbody>
        {of.map((a) => (
          <tr key={`${a.item} ${a.version}`}>
            <td className="title"><span className="main" title={`${a.item} ${a.version}`}><Middle text={a.item} /></span></td>
            <td data-label="Of">{a.cycle ? <Link {...paths.supportDevices({ of: `application:${a.product ?? ""}:${a.cycle}` })}>{supportName(a)}</Link> : supportName(a)}</td>
            <td data-label="Support"><SupportState of={a} /></td>
            <td data-label="Last day">{a.last ?? <span className="dim">not known</span>}</td>
            <td data-label="For those who pay"><span className="dim">{paidWords(a) || "–"}</span></td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
