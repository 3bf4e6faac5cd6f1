import { useInfiniteQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { needs } from "../../api/queries";
import type { Need } from "../../api/types";
import { useDecide, type Scope } from "../../app/useActs";
import { countedStates, stateWord } from "../../lib/verdicts";
import { List, type Column } from "../../ui/List";
import { StateMark } from "../../ui/StateMark";
import { Empty } from "../../ui/States";
import { Chips, Tools } from "../../ui/Tools";
import { useView } from "../../ui/useView";
import { askFor } from "./asks";
import { ClassBar, ClassChips } from "./ByClass";

interface Props {
  columns: Column<Need>[];
  /** What the list is narrowed to beside what the URL says. */
  within?: { device?: string; update?: string };
  /** Where an answer to a whole class holds; left out it is asked for. */
  scope?: Scope;
  search: string;
  empty: ReactNode;
}

/** Needs with their verdicts. A row opens the drawer beside the list. */
export function NeedList({ columns, within = {}, scope, search, empty }: Props) {
  const [view, change] = useView();
  const decide = useDecide();
  const query = useInfiniteQuery(
    needs({ customer: within.device ? undefined : view.customer, site: view.site, class: view.class, state: view.state, q: view.q, sort: view.sort, ...within }),
  );
  const where = { customer: within.device ? undefined : view.customer, device: within.device };
  const filtered = Boolean(view.q || view.state || view.class || view.site);
  return (
    <>
      <Tools search={search}>
        <Chips
          name="state"
          label="State"
          choices={[
            { value: undefined, label: "All" },
            ...countedStates.map((s) => ({ value: s, label: <><StateMark state={s} /> {stateWord(s)}</> })),
          ]}
        />
        {!within.update && <Chips name="sort" label="Order" choices={[{ value: "-place", label: "Soonest first" }]} />}
        {!within.update && <ClassChips {...where} />}
      </Tools>
      {!within.update && <ClassBar {...where} scope={scope} />}
      <List
        label="Needs"
        noun={["need", "needs"]}
        columns={columns}
        query={query}
        rowKey={(n) => n.id}
        openKey={view.need}
        open={(n) => change({ need: view.need === n.id ? undefined : n.id }, Boolean(view.need))}
        act={(n) => n.can.approve === "" && decide(askFor("approve", n))}
        actWord="approve"
        empty={
          filtered ? (
            <Empty
              title={view.q ? "Nothing here is called that" : "None in this state"}
              act={<button type="button" className="link" onClick={() => change({ q: undefined, state: undefined, class: undefined, site: undefined })}>Show all needs</button>}
            >
              {view.state === "waits_person" && !view.q ? "Nothing waits for a person here." : "Other filters may show more."}
            </Empty>
          ) : (
            empty
          )
        }
      />
    </>
  );
}
