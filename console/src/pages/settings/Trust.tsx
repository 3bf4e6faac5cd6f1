import { useQuery } from "@tanstack/react-query";
import { trust } from "../../api/queries";
import type { Trust as State, TrustRole } from "../../api/types";
import { count, list, number } from "../../lib/text";
import { CopyLine } from "../../ui/Copy";
import { Loaded } from "../../ui/Loaded";
import { StateMark } from "../../ui/StateMark";
import { Empty } from "../../ui/States";
import { Middle } from "../../ui/Text";
import { Ago } from "../../ui/Time";
import "../../styles/trust.css";

type Root = NonNullable<State["root"]>;
type Limits = NonNullable<State["limits"]>;

/** Who may sign what, what agents hold this server to, and how many of them do. */
export function Trust() {
  const query = useQuery(trust());
  return (
    <Loaded query={query} what="Who may sign what could not be read.">
      {(t) => (
        <div className="trust">
          {t.missing.length > 0 && (
            <ul className="trust-missing" aria-label="What is missing">
              {t.missing.map((m) => <li key={m}><StateMark state="waits_person" size={12} /> <span>{m}</span></li>)}
            </ul>
          )}
          {t.root ? <Signers root={t.root} /> : <Unsigned />}
          {t.limits && <Held limits={t.limits} />}
          {t.root && <Holders state={t} />}
          <Server state={t} />
        </div>
      )}
    </Loaded>
  );
}

function Unsigned() {
  return (
    <Empty small title="No keys but the server's" act={<CopyLine text="patchbay key init keys" label="Copy the command" />}>
      Root and publisher keys are made on a machine that is no server. Then devices hold to limits that no server can change, whoever has it.
    </Empty>
  );
}

const signs: Record<TrustRole["name"], string> = {
  root: "the next root: which keys may sign what",
  publisher: "limits: what the server may order at most",
  approver: "approvals: exact updates on exact devices, beyond the rate",
  server: "orders and the time",
};

const names: Record<TrustRole["name"], string> = { root: "Root", publisher: "Publisher", approver: "Approver", server: "Server" };

function Signers({ root: r }: { root: Root }) {
  return (
    <section aria-label="Who may sign">
      <h3>Root <span className="dim">version {number(r.version)}, made <Ago at={r.issued_at} />, ends <Ago at={r.expires} /></span></h3>
      <ul className="lines trust-roles">
        {r.roles.map((role) => (
          <li key={role.name}>
            <b>{names[role.name]}</b>
            <span>
              {role.keys.length > 0 ? <>{quorum(role)} {signs[role.name]}</> : <span className="dim">nobody is named to sign {signs[role.name]}</span>}
              <span className="trust-keys">{role.keys.map((k) => <code key={k} className="mono dim"><Middle text={k} /></code>)}</span>
            </span>
          </li>
        ))}
      </ul>
      <p className="dim small">Installation <span className="mono">{r.installation}</span></p>
    </section>
  );
}

/** How many of the keys it takes, with the verb. */
function quorum(role: TrustRole): string {
  const all = role.keys.length;
  if (role.name === "approver") return `Each of ${count(all, "person", "people")} signs`;
  if (all === 1) return "One key signs";
  return role.threshold === 1 ? `Any of ${number(all)} keys signs` : `${number(role.threshold)} of ${number(all)} keys together sign`;
}

const verbs: Record<string, string> = { install: "installing updates", undo: "taking the last update of a thing back (nothing older)" };

function Held({ limits: l }: { limits: Limits }) {
  return (
    <section aria-label="Limits">
      <h3>Limits <span className="dim">version {number(l.version)}, made <Ago at={l.issued_at} />, end <Ago at={l.expires} /></span></h3>
      <dl className="facts">
        <dt>May order</dt><dd>{list(l.verbs.map((v) => verbs[v] ?? v)) || "nothing"}</dd>
        <dt>Updates from</dt><dd>{list(l.sources.map((s) => `${s.provider} ${s.origin ? `(${s.origin})` : "(any origin it trusts)"}`)) || "nowhere"}</dd>
        <dt>Rate</dt><dd>{l.devices_per_hour > 0 ? `About ${number(l.devices_per_hour)} of ${count(l.fleet, "device")} begin in an hour` : "None: all devices may begin at once"}</dd>
        {l.devices_per_hour > 0 && <><dt>Beyond the rate</dt><dd>{l.approvals > 0 ? `Only what ${count(l.approvals, "person", "people")} signed for` : "Nothing"}</dd></>}
        <dt>Outside a window</dt><dd>{l.forced > 0 ? `Only what ${count(l.forced, "person", "people")} signed for` : "Whatever is approved here"}</dd>
      </dl>
    </section>
  );
}

function Holders({ state: t }: { state: State }) {
  const h = t.holding;
  if (h.agents === 0) return <p className="dim">No agent is enrolled yet, so none holds this.</p>;
  const rows: [string, number][] = [["This root", h.root], ...(t.limits ? [["These limits", h.limits] satisfies [string, number]] : [])];
  return (
    <section aria-label="Agents">
      <h3>Agents <span className="dim">that said they hold them</span></h3>
      <ul className="bars trust-bars">
        {rows.map(([what, n]) => (
          <li key={what}>
            <span className="dim">{what}</span>
            <span className="bars-line" aria-hidden="true"><span data-good style={{ width: `${(n / h.agents) * 100}%` }} /></span>
            <b>{number(n)} of {number(h.agents)}</b>
          </li>
        ))}
      </ul>
      <p className="dim small">
        {h.unknown > 0 && `${count(h.unknown, "agent has", "agents have")} not said. `}
        An agent takes the newest when it next checks in; until then it holds to what it has.
      </p>
    </section>
  );
}

function Server({ state: t }: { state: State }) {
  return (
    <section aria-label="This server">
      <h3>This server</h3>
      <dl className="facts">
        <dt>Signs with</dt><dd className="mono">{t.server_key || "not known"}</dd>
        <dt>Agents look for it at</dt><dd>{t.addresses.length > 0 ? t.addresses.map((a) => <div key={a} className="mono">{a}</div>) : "no address is set"}</dd>
      </dl>
    </section>
  );
}
