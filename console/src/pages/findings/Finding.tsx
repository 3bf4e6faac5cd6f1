import { useQuery } from "@tanstack/react-query";
import { Link, useParams } from "@tanstack/react-router";
import { finding } from "../../api/queries";
import type { ExposedCustomer, ExposedDevice, Exposure, MendedDevice } from "../../api/types";
import { exposedSentence, exposureParts, mendedSentence, fixWords, isOpen, statusOf } from "../../lib/findings";
import { count, list, number } from "../../lib/text";
import { paths } from "../../paths";
import { Loaded } from "../../ui/Loaded";
import { Page, Section } from "../../ui/Page";
import { Exploited, Severity, Step } from "../../ui/Severity";
import { StateMark } from "../../ui/StateMark";
import { Empty } from "../../ui/States";
import { Middle, VersionChange } from "../../ui/Text";
import { Ago } from "../../ui/Time";
import { useView } from "../../ui/useView";
import { VerdictChip } from "../../ui/Verdict";
import { ApproveFix } from "./ApproveFix";
import "../../styles/device.css";
import "../../styles/findings.css";
import "../../styles/list.css";

/** Who is exposed, and what fixes it? */
export function FindingPage() {
  const { finding: id } = useParams({ from: "/app/findings/$finding" });
  const [view] = useView();
  const query = useQuery(finding(id, view.customer));
  const crumbs = [{ link: paths.findings(), text: "Findings" }];
  if (!query.data) {
    return (
      <Page title={id} crumbs={crumbs}>
        <Loaded query={query} what="Who is exposed could not be read.">{() => null}</Loaded>
      </Page>
    );
  }
  const e = query.data;
  return (
    <Page title={e.id} crumbs={crumbs} state={exposedSentence(e)} act={<ApproveFix exposure={e} customer={view.customer} />}>
      <Summary exposure={e} />
      {(e.customers ?? []).map((c) => (
        <Section key={c.customer.id} title={c.customer.name} about={count(c.items, "item")}>
          <Devices of={c.devices ?? []} />
          <More finding={e.id} of={c} alone={view.customer === c.customer.id} />
        </Section>
      ))}
      {(e.mended.newest?.length ?? 0) > 0 && (
        <Section title="Mended" about={mendedSentence(e)}>
          <Mended of={e.mended.newest ?? []} />
        </Section>
      )}
      {!e.customers?.length && (
        <Empty title="Nobody is exposed, as far as is known">
          No feed says that anything installed on a device that was looked at is affected{e.unread > 0 ? `; ${count(e.unread, "device")} could not be looked at` : ""}.
        </Empty>
      )}
    </Page>
  );
}

function Summary({ exposure: e }: { exposure: Exposure }) {
  return (
    <div className="summary">
      <div className="summary-count">
        <p className="row"><Severity of={e.severity} /> <Exploited at={e.exploited} /> <Step step={e.step} why={e.why} /></p>
        {e.why && <p className="dim">{e.why}</p>}
      </div>
      <dl className="facts">
        <dt>Devices</dt>
        <dd><ExposureBar exposure={e} /></dd>
        {e.mended.devices > 0 && <><dt>Mended</dt><dd>on {count(e.mended.devices, "device")}, last <Ago at={e.mended.last} /></dd></>}
        <dt>Advisories</dt><dd>{e.advisories?.length ? list(e.advisories) : "none that names what is installed here"}</dd>
        <dt>Published</dt><dd><Ago at={e.published} none="not known" /></dd>
      </dl>
    </div>
  );
}

/** How all devices are divided: the length of what is not known is as much to be seen as the rest. */
function ExposureBar({ exposure: e }: { exposure: Exposure }) {
  const parts = exposureParts(e).filter((p) => p.devices > 0);
  return (
    <div className="exposure">
      <span className="posture-bar" role="img" aria-label={parts.map((p) => `${number(p.devices)} ${p.text}`).join(", ") || "No devices"}>
        {parts.map((p) => <span key={p.text} data-state={p.state} style={{ flexGrow: p.devices, flexBasis: 0 }} />)}
      </span>
      <ul>
        {parts.map((p) => <li key={p.text}><StateMark state={p.state} /> <b>{number(p.devices)}</b> <span className="dim">{p.text}</span></li>)}
      </ul>
    </div>
  );
}

/** Where scans have shown that it is not open any more. */
function Mended({ of }: { of: MendedDevice[] }) {
  return (
    <table className="list" aria-label="Devices on which it was mended">
      <thead>
        <tr>
          <th scope="col" style={{ width: "22%" }}>Device</th>
          <th scope="col" style={{ width: "20%" }}>Customer</th>
          <th scope="col" style={{ width: "18%" }}>Item</th>
          <th scope="col">Change</th>
          <th scope="col" style={{ width: "140px" }}>Shown by the scan</th>
        </tr>
      </thead>
      <tbody>
        {of.map((m) => (
          <tr key={`${m.device.id} ${m.item} ${m.from} ${m.at}`}>
            <td className="title">{m.device.name ? <Link className="main" {...paths.device(m.device.id)}><Middle text={m.device.name} /></Link> : <span className="dim">no longer enrolled</span>}</td>
            <td data-label="Customer"><Middle text={m.customer.name || "–"} /></td>
            <td data-label="Item"><Middle text={m.item} /></td>
            <td data-label="Change">{m.to ? <VersionChange from={m.from} to={m.to} /> : <><span className="version">{m.from}</span> <span className="dim">taken off</span></>}</td>
            <td data-label="Shown by the scan"><Ago at={m.at} /></td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** What is not listed of a customer, and the way to it. */
function More({ finding: id, of, alone }: { finding: string; of: ExposedCustomer; alone: boolean }) {
  const listed = of.devices?.length ?? 0;
  if (listed >= of.items) return null;
  return (
    <p className="dim more">
      The first {number(listed)} of {number(of.items)}.{" "}
      {!alone && <Link className="link" {...paths.finding(id, { customer: of.customer.id })}>Show those of {of.customer.name}</Link>}
    </p>
  );
}

/** Every device with the item that is affected, and what can be done there. */
function Devices({ of }: { of: ExposedDevice[] }) {
  return (
    <table className="list" aria-label="Devices that have it">
      <thead>
        <tr>
          <th scope="col" style={{ width: "17%" }}>Device</th>
          <th scope="col" style={{ width: "15%" }}>Item</th>
          <th scope="col">Installed → fixed in</th>
          <th scope="col" style={{ width: "168px" }}>How soon</th>
          <th scope="col" style={{ width: "168px" }}>Fix</th>
          <th scope="col" style={{ width: "176px" }}>Verdict</th>
        </tr>
      </thead>
      <tbody>
        {of.map((d) => (
          <tr key={`${d.device.id} ${d.item.name} ${d.item.architecture ?? ""} ${d.installed} ${d.finding.advisory ?? ""}`}>
            <td className="title"><Link className="main" {...paths.device(d.device.id, { tab: "findings" })}><Middle text={d.device.name} /></Link>{d.silent && <span className="dim"> silent</span>}</td>
            <td data-label="Item"><Middle text={d.item.name} /></td>
            <td>{d.finding.fixed ? <VersionChange from={d.installed} to={d.finding.fixed} /> : <span className="version">{d.installed}</span>}</td>
            <td data-label="How soon">{isOpen(d.finding) ? <><Step step={d.finding.step} why={d.finding.why} />{d.finding.unconfirmed && <span className="dim" title={d.finding.note}> unconfirmed</span>}</> : <span className="dim" title={d.finding.note}>{statusOf(d.finding)}</span>}</td>
            <td data-label="Fix">{fixWords[d.fix]}</td>
            <td data-label="Verdict">{d.verdict ? <Link {...paths.device(d.device.id, { need: d.need })}><VerdictChip verdict={d.verdict} short /></Link> : <span className="dim">–</span>}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
