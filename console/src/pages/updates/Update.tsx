import { Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useParams } from "@tanstack/react-router";
import { update } from "../../api/queries";
import type { UpdateDetail } from "../../api/types";
import { useDecide, type Scope } from "../../app/useActs";
import { worstFirst } from "../../lib/reversibility";
import { bytes, count, number } from "../../lib/text";
import { titleBeside } from "../../lib/title";
import { paths } from "../../paths";
import { Loaded } from "../../ui/Loaded";
import { Page, Section } from "../../ui/Page";
import { PostureBar, PostureLegend, total } from "../../ui/Posture";
import { Empty } from "../../ui/States";
import { Back } from "../../ui/Reversible";
import { Classes, VersionChange } from "../../ui/Text";
import { Ago } from "../../ui/Time";
import { askForUpdate, everywhere } from "../needs/asks";
import { ownColumns, updateColumns } from "../needs/columns";
import { Mends } from "../needs/Mends";
import { NeedList } from "../needs/NeedList";
import { ByCustomer } from "./ByCustomer";
import { useUndo } from "./useUndo";
import "../../styles/device.css";

/** Where does it stand? */
export function UpdatePage() {
  const { update: id } = useParams({ from: "/app/updates/$update" });
  const query = useQuery(update(id));
  if (!query.data) {
    return (
      <Page title="Update" crumbs={[{ link: paths.updates(), text: "Updates" }]}>
        <Loaded query={query} what="This update could not be read.">{() => null}</Loaded>
      </Page>
    );
  }
  return <Known update={query.data} />;
}

function Known({ update: u }: { update: UpdateDetail }) {
  const decide = useDecide();
  const shut = useUndo(u);
  const customers = u.by_customer ?? [];
  const scopes: Scope[] = [everywhere, ...customers.map((c) => ({ level: "customer" as const, target: c.customer.id, where: `At ${c.customer.name} (${count(c.devices, "device")})` }))];
  return (
    <Page
      title={u.name}
      crumbs={[{ link: paths.updates(), text: "Updates" }]}
      state={`${number(u.counts.verified)} of ${number(total(u.counts))} verified${u.silent > 0 ? ` (${number(u.silent)} on silent devices)` : ""}, at ${count(customers.length, "customer")}.`}
      act={
        <>
          <Button variant="default" disabled={shut !== ""} aria-describedby={shut ? "undo-why" : undefined} title={shut} onClick={() => decide(askForUpdate("undo", u, scopes))}>Undo…</Button>
          <Button variant="default" onClick={() => decide(askForUpdate("reject", u, scopes))}>Reject…</Button>
          <Button onClick={() => decide(askForUpdate("approve", u, scopes))}>Approve for…</Button>
        </>
      }
    >
      <div className="summary">
        <div className="summary-count">
          {titleBeside(u.name, u.title) && <p>{titleBeside(u.name, u.title)}</p>}
          <p className="row">{u.title ? <span className="dim">revision {u.available}</span> : <span className="version"><b>{u.available}</b></span>} <Classes classes={u.classes} severity={u.severity} full /></p>
          <PostureBar counts={u.counts} />
          <PostureLegend counts={u.counts} search={{ q: u.name }} />
        </div>
        <dl className="facts">
          <dt>Replaces</dt>
          <dd className="stack" style={{ gap: 2 }}>
            {(u.from ?? []).map((v) => <VersionChange key={v} from={v} to={u.available} />)}
            {!u.from?.length && (u.title ? "nothing: it is an item of its own" : "not known")}
          </dd>
          <dt>From</dt><dd>{[u.origin, u.suite].filter(Boolean).join(", ") || "not known"} · {u.provider}</dd>
          <dt>Released</dt><dd>{u.released_at ? <><Ago at={u.released_at} />{u.released_by && ` (by the ${u.released_by === "index" ? "index that offers it" : u.released_by})`}</> : <>not known; first seen here <Ago at={u.first_seen} /></>}</dd>
          <Mends of={u} />
          <dt>Download</dt><dd>{u.size ? `${bytes(u.size)} on each device` : "size not known"}</dd>
          <dt>Reboot</dt><dd>{u.reboot === "yes" ? "asks for one" : u.reboot === "no" ? "not needed" : "not known"}</dd>
          <dt>Undo</dt>
          <dd className="stack" style={{ gap: 2 }}>
            {worstFirst(u.reversible).map(([letter, n]) => <span key={letter}><Back known={letter} full /> <span className="dim">on {count(n, "device")}</span></span>)}
            {shut && <span className="dim small" id="undo-why">{shut}</span>}
          </dd>
        </dl>
      </div>
      <Section title="By customer">
        {customers.length > 0 ? <ByCustomer update={u} /> : <Empty small title="No customer needs it now" />}
      </Section>
      <Section title="By device">
        <NeedList columns={u.title ? ownColumns : updateColumns} within={{ update: u.id }} search="Search devices" empty={<Empty small title="No device needs it now" />} />
        <p className="dim small">
          <a className="link" href={`/api/v1/updates/${u.id}/story`} download={`story-${u.id}.json`}>Save the whole story</a> of this update, with every receipt as its device signed it, to check it anywhere: <code>patchbay verify story</code>
        </p>
      </Section>
    </Page>
  );
}
