import { Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { classes } from "../../api/queries";
import type { ClassCount } from "../../api/types";
import { useDecide, type Scope } from "../../app/useActs";
import { count, number, outOf } from "../../lib/text";
import { Chips } from "../../ui/Tools";
import { useView } from "../../ui/useView";
import { askForClass } from "./asks";
import { classesThere, classLabel } from "./classChoices";

interface Props {
  customer?: string;
  device?: string;
}

/** Chips for the classes that there are updates of, each with how many. */
export function ClassChips(where: Props) {
  const [view] = useView();
  const { data } = useQuery(classes(where));
  const there = classesThere(data?.items ?? [], view.class);
  if (there.length < 2 && !view.class) return null;
  return <Chips name="class" label="Class" choices={there.map((c) => ({ value: c.name, label: <>{classLabel(c.name)} <span className="dim">{number(c.updates)}</span></> }))} />;
}

/** What waits of the class that is chosen, and the act that answers all of it. */
export function ClassBar({ scope, ...where }: Props & { scope?: Scope }) {
  const [view] = useView();
  const decide = useDecide();
  const { data } = useQuery(classes(where));
  const c = data?.items.find((one) => one.class === view.class);
  if (!view.class || !c) return null;
  const scopes = scope ? [scope] : places(c);
  const why = obstacle(c, scopes);
  return (
    <div className="class-bar" role="status">
      <p>
        <b>{classLabel(c.class)}:</b> {outOf(c.open, c.updates)} {c.updates === 1 ? "update is" : "updates are"} open{c.devices > 0 && !where.device && <>, on {count(c.devices, "device")}</>}.{" "}
        {c.waiting > 0 ? <>{count(c.waiting, "need waits", "needs wait")} for a person{!scope && c.customers && c.customers.length > 0 ? ` at ${count(c.customers.length, "customer")}` : ""}.</> : "None waits for a person."}
      </p>
      {why ? <span className="dim small">{why}</span> : <Button size="xs" variant="default" onClick={() => decide(askForClass(c.class, scopes))}>Approve {classLabel(c.class).toLowerCase()}…</Button>}
    </div>
  );
}

/** A class is answered at one customer at a time. */
const places = (c: ClassCount): Scope[] =>
  (c.customers ?? []).map((at) => ({ level: "customer", target: at.customer.id, where: `At ${at.customer.name} (${count(at.waiting, "need waits", "needs wait")})` }));

function obstacle(c: ClassCount, scopes: Scope[]): string {
  if (c.class === "preview") return "Previews are not finished: they are approved one by one.";
  return c.waiting === 0 || scopes.length === 0 ? " " : "";
}
