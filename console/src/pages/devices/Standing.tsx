import { Button } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { Link } from "@tanstack/react-router";
import type { Attribute, DeviceDetail, DeviceRole } from "../../api/types";
import { criticalityWords, exposureWords, held, roleWords, saidFor } from "../../lib/standing";
import { paths } from "../../paths";
import { Section } from "../../ui/Page";
import { Ago } from "../../ui/Time";
import { ChangeStanding } from "./ChangeStanding";
import "../../styles/standing.css";

/** What is it for, how much depends on it, and who reaches it? With who says so. */
export function StandingOfDevice({ device: d }: { device: DeviceDetail }) {
  const [changing, { open, close }] = useDisclosure();
  const s = d.standing;
  const groups = s.groups ?? [];
  return (
    <div className="standing">
      <Section title="What it is for" about="This decides how soon what is open here is to be mended." act={<Button size="xs" variant="default" onClick={open}>Change…</Button>}>
        <dl className="facts">
          <dt>Roles</dt>
          <dd>
            {s.roles?.length
              ? <ul className="standing-roles">{[...held(s), ...s.roles.filter((r) => !r.has)].map((r) => <RoleLine key={r.role} role={r} />)}</ul>
              : <>Not known<span className="dim">: it {d.scanned_at ? "shows none, which is not that it has none" : "was not read yet"}</span></>}
          </dd>
          <dt>Who reaches it</dt><dd>{exposureWords(s.exposure)}<Said of={s.exposure} /></dd>
          <dt>What depends on it</dt><dd>{criticalityWords(s)}<Said of={s.criticality} /></dd>
          <dt>Groups</dt>
          <dd>{groups.length ? groups.map((g, i) => <span key={g.id}>{i > 0 && ", "}<Link className="link" {...paths.devices({ customer: d.customer.id, group: g.id })}>{g.name}</Link></span>) : "none"}</dd>
        </dl>
        {changing && <ChangeStanding device={d} close={close} />}
      </Section>
    </div>
  );
}

/** A role with what shows it; one that a person took away is told as well. */
function RoleLine({ role: r }: { role: DeviceRole }) {
  return (
    <li>
      <span className={r.has ? undefined : "standing-not"}>{r.has ? roleWords[r.role] : `No ${roleWords[r.role].toLowerCase()}`}</span>
      <span className="dim">
        {r.by && <>, set by {r.by} <Ago at={r.set_at} /></>}
        {r.from && <>{r.by ? "; " : ", "}detected: {r.from}</>}
      </span>
    </li>
  );
}

/** Who said it, for what, and when. */
function Said({ of: a }: { of: Attribute }) {
  if (!a.value) return null;
  return <span className="dim">, set by {a.by} <Ago at={a.set_at} /> {saidFor(a)}</span>;
}

/** The roles in few words, beside a device's name. */
export function RoleTags({ device: d }: { device: Pick<DeviceDetail, "standing"> }) {
  return (
    <>
      {held(d.standing).map((r) => <span key={r.role} className="tag" title={r.by ? `Set by ${r.by}` : `Detected: ${r.from ?? ""}`}>{roleWords[r.role]}</span>)}
      {d.standing.exposure.value === "open" && <span className="tag" title={`Set by ${d.standing.exposure.by ?? ""}`}>Open to the internet</span>}
    </>
  );
}
