import { Button } from "@mantine/core";
import { useInfiniteQuery, useMutation, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { acceptFeed, fetchFeed } from "../../api/acts";
import { feeds } from "../../api/queries";
import type { Feed, State } from "../../api/types";
import { bytes, count, number } from "../../lib/text";
import { paths } from "../../paths";
import { CopyLine } from "../../ui/Copy";
import { List, type Column } from "../../ui/List";
import { useNotice } from "../../ui/Notice";
import { Section } from "../../ui/Page";
import { StateMark } from "../../ui/StateMark";
import { Empty, Trouble } from "../../ui/States";
import { Middle } from "../../ui/Text";
import { Ago, Next } from "../../ui/Time";
import { Chips, Tools } from "../../ui/Tools";
import { useView } from "../../ui/useView";

const standings: Record<Feed["standing"], { state: State; words: string; about: string }> = {
  fresh: { state: "verified", words: "fresh", about: "Its publisher has nothing newer, as far as was looked." },
  failing: { state: "waits_time", words: "failing", about: "The last look failed; what holds is young, and it is tried again." },
  held: { state: "waits_person", words: "held", about: "A newer version waits for a person." },
  old: { state: "failed", words: "old", about: "What holds is older than it should be: what came out since is not known." },
  missing: { state: "unknown", words: "not here", about: "Nothing holds: what it would say is not known." },
};

function Standing({ of: f }: { of: Feed }) {
  const s = standings[f.standing];
  if (f.busy && !f.held) return <span className="verdict" data-state="moving"><StateMark state="moving" /> <span className="words">being got</span></span>;
  return <span className="verdict" data-state={s.state} title={s.about}><StateMark state={s.state} /> <span className="words">{s.words}</span></span>;
}

function Change({ of: f }: { of: Feed }) {
  const v = f.version;
  if (!v) return <span className="dim">–</span>;
  if (v.before === 0) return <span className="dim">the first</span>;
  const parts = [v.added > 0 && `+${number(v.added)}`, v.removed > 0 && `−${number(v.removed)}`, v.changed > 0 && `~${number(v.changed)}`].filter(Boolean).join(" ");
  return <span className="feed-change" title={`Against the version before: ${number(v.added)} added, ${number(v.removed)} vanished, ${number(v.changed)} say another thing of versions`}>{parts || <span className="dim">none</span>}</span>;
}

const from = (f: Feed) => (f.from.length > 0 ? `From ${f.from.join("\n")}` : "It came in a bundle, or is not configured any more.");

const columns: Column<Feed>[] = [
  { key: "name", title: "Feed", sort: "name", narrow: "title", width: "24%", cell: (f) => <span className="main" title={from(f)}><Middle text={f.name} tail={10} /></span> },
  { key: "standing", title: "Standing", narrow: "plain", width: "112px", cell: (f) => <Standing of={f} /> },
  { key: "fresh", title: "Newest as of", sort: "fresh", number: true, width: "124px", narrow: "plain", cell: (f) => <Ago at={f.fresh_at} none="–" /> },
  { key: "records", title: "Records", sort: "records", number: true, width: "92px", cell: (f) => <Records of={f} /> },
  { key: "change", title: "Last change", number: true, cell: (f) => <Change of={f} /> },
  { key: "size", title: "Size", sort: "size", number: true, width: "82px", narrow: "hide", cell: (f) => bytes(f.version?.size) },
  { key: "next", title: "Next look", width: "190px", narrow: "hide", wide: true, cell: (f) => <span className="dim"><Next at={f.next_at} none="comes in bundles" /></span> },
];

function Records({ of: f }: { of: Feed }) {
  const v = f.version;
  if (!v) return <span className="dim">–</span>;
  return <span title={v.refused > 0 ? `${count(v.refused, "record")} refused:\n${v.reasons.join("\n")}` : undefined}>{number(v.records)}{v.refused > 0 && <span className="dim"> *</span>}</span>;
}

/** What the server knows the world by: how old it is, what failed, and what waits for a look. */
export function Feeds() {
  const [view] = useView();
  const query = useInfiniteQuery({ ...feeds({ state: view.state as Feed["standing"], q: view.q, sort: view.sort }), refetchInterval: (q) => (q.state.data?.pages.some((p) => p.items.some((f) => f.busy)) ? 3000 : false) });
  return (
    <>
      <Troubled />
      <Section title="Feeds" about="What the world says of software: which faults there are, what mends them, what is attacked. What holds stays until something newer is here whole.">
        <Tools search="Search feeds">
          <Chips
            name="state"
            label="Standing"
            choices={[
              { value: undefined, label: "All" },
              { value: "held", label: "Held" },
              { value: "failing", label: "Failing" },
              { value: "old", label: "Old" },
              { value: "missing", label: "Not here" },
            ]}
          />
        </Tools>
        <List
          label="Feeds"
          noun={["feed", "feeds"]}
          columns={columns}
          query={query}
          rowKey={(f) => f.name}
          empty={
            view.q || view.state ? (
              <Empty title="No feed like that" act={<Link className="link" {...paths.catalog({ tab: "feeds" })}>Show all feeds</Link>} />
            ) : (
              <Empty title="No feeds">This server gets none, and none was brought: what is unsafe on your devices is not known here. Start it without <code>--feeds none</code>, or bring a bundle.</Empty>
            )
          }
        />
      </Section>
      <Carried />
    </>
  );
}

/** Those that somebody should look at, the held ones first. Where there are none, nothing is said. */
function Troubled() {
  const all = useInfiniteQuery(feeds({ limit: 500 })).data?.pages[0]?.items ?? [];
  const troubled = all.filter((f) => f.held || f.error).sort((a, b) => Number(Boolean(b.held)) - Number(Boolean(a.held)));
  if (troubled.length === 0) return null;
  return (
    <Section title="To look at">
      <ul className="lines feed-troubles">{troubled.map((f) => <TroubledFeed key={f.name} feed={f} />)}</ul>
    </Section>
  );
}

function TroubledFeed({ feed: f }: { feed: Feed }) {
  const client = useQueryClient();
  const tell = useNotice();
  const changed = () => void client.invalidateQueries({ queryKey: ["feed"] });
  const accept = useMutation({ mutationFn: () => acceptFeed(f.name, f.held?.sha256 ?? ""), onSuccess: () => { tell(`The held version of ${f.name} holds now.`); changed(); } });
  const fetch = useMutation({ mutationFn: () => fetchFeed(f.name), onSuccess: changed });
  const state = f.held ? "waits_person" : standings[f.standing].state;
  return (
    <li>
      <span className="verdict" data-state={state}><StateMark state={state} /> <b><Middle text={f.name} /></b></span>
      <span className="dim">{f.held ? <>came <Ago at={f.held.fetched_at} />; what holds is from <Ago at={f.fresh_at} none="never" /></> : f.error && <>since <Ago at={f.error.since} />, {count(f.error.tries, "try", "tries")}; next <Ago at={f.next_at} none="never" /></>}</span>
      <span className="feed-act">
        {f.held ? (
          <Button size="xs" loading={accept.isPending} onClick={() => accept.mutate()}>Let it in: {number(f.held.records)} records for {number(f.version?.records ?? 0)}</Button>
        ) : (
          <Button size="xs" variant="default" loading={fetch.isPending} disabled={f.busy || f.can.fetch !== ""} title={f.can.fetch || (f.busy ? "It is being got." : undefined)} onClick={() => fetch.mutate()}>Look now</Button>
        )}
      </span>
      <p className={f.held ? "feed-why" : "lines-error"}>{f.held ? f.why : f.error?.sentence}</p>
      {(accept.error ?? fetch.error) && <Trouble error={accept.error ?? fetch.error} what="Nothing was changed." />}
    </li>
  );
}

/** How feeds reach a server that reaches nobody. */
function Carried() {
  return (
    <Section title="Without internet" about="Feeds are carried from one server to another in one file, which a publisher signs.">
      <ol className="commands">
        <li>
          <p><b>Write them into one file</b> <span className="dim small">On the machine of a server with internet</span></p>
          <CopyLine text="patchbay catalog export feeds.tar" />
        </li>
        <li>
          <p><b>Read what is in it, and sign it</b> <span className="dim small">Away from the server, where the key is</span></p>
          <CopyLine text="patchbay catalog seal feeds.tar --with publisher.key" />
        </li>
        <li>
          <p><b>Bring it</b> <span className="dim small">Anywhere with this server's API key</span></p>
          <CopyLine text="patchbay catalog import feeds.tar" />
        </li>
      </ol>
    </Section>
  );
}
