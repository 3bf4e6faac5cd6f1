import { Button } from "@mantine/core";
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { activity, chains } from "../../api/queries";
import type { Activity, ChainCheck } from "../../api/types";
import { count, list, number } from "../../lib/text";
import { List, type Column } from "../../ui/List";
import { Page } from "../../ui/Page";
import { StateMark } from "../../ui/StateMark";
import { Empty, Trouble } from "../../ui/States";
import { Middle } from "../../ui/Text";
import { Ago } from "../../ui/Time";
import { Tools } from "../../ui/Tools";
import { useView } from "../../ui/useView";

const columns: Column<Activity>[] = [
  { key: "at", title: "When", width: "104px", narrow: "plain", cell: (a) => <span className="dim"><Ago at={a.at} /></span> },
  { key: "actor", title: "Who", width: "15%", narrow: "plain", cell: (a) => <Middle text={a.actor.name || "Patchbay"} /> },
  { key: "sentence", title: "What", narrow: "title", cell: (a) => <span title={`${a.actor.name} ${a.sentence}`}>{a.sentence}</span> },
  { key: "chain", title: "Chain", width: "18%", narrow: "plain", wide: true, cell: (a) => <span className="dim"><Middle text={a.chain_name} /></span> },
  {
    key: "seq",
    title: "Row",
    width: "170px",
    narrow: "hide",
    wide: true,
    number: true,
    cell: (a) => <span className="dim mono" title={a.hash}>{number(a.seq)} · {a.hash.slice(0, 10)}</span>,
  },
];

/** Who did what? Every row stands in a hash chain, so none can be taken out unseen. */
export function ActivityPage() {
  const [view] = useView();
  const [checking, setChecking] = useState(false);
  const query = useInfiniteQuery(activity({ customer: view.customer, q: view.q }));
  return (
    <Page
      title="Activity"
      state="Every change by a person and every act of Patchbay, in one chain for each customer and one for the installation."
      asOf={query.data?.pages[0]?.as_of}
      act={<Button variant="default" onClick={() => setChecking(true)}>Check the chains</Button>}
    >
      {checking && <Checked />}
      <Tools search="Search activity" />
      <List
        label="Activity"
        noun={["row", "rows"]}
        columns={columns}
        query={query}
        rowKey={(a) => `${a.chain}/${a.seq}`}
        empty={view.q ? <Empty title="Nothing like that was done" /> : <Empty title="Nothing was done yet">What people and Patchbay do here is kept in this list.</Empty>}
      />
    </Page>
  );
}

function Checked() {
  const query = useQuery({ ...chains(), staleTime: 0 });
  if (query.error) return <Trouble error={query.error} what="The chains could not be checked." retry={() => void query.refetch()} />;
  if (!query.data) return <p className="dim waiting" style={{ marginBottom: 14 }}>Recomputing every hash…</p>;
  const bad = query.data.chains.filter((c) => !c.ok);
  const rows = query.data.chains.reduce((sum, c) => sum + c.rows, 0);
  return (
    <p className="panel row" style={{ marginBottom: 16 }} role="status">
      <StateMark state={bad.length > 0 ? "failed" : "verified"} size={12} />
      {bad.length > 0
        ? `${list(bad.map(broken))}. Something changed rows behind Patchbay's back.`
        : `${count(query.data.chains.length, "chain")} with ${count(rows, "row")}: every hash fits.`}
    </p>
  );
}

const broken = (c: ChainCheck): string => `The chain of ${c.name} is broken${c.problem ? `: ${c.problem}` : ""}`;
