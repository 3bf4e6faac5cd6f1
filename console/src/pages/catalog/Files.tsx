import { useInfiniteQuery, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useEffect } from "react";
import { contentFetches, contents, contentUsage, missingFiles } from "../../api/queries";
import type { Content, ContentFetch, MissingFile } from "../../api/types";
import { bytes, count, number } from "../../lib/text";
import { paths } from "../../paths";
import { List, type Column } from "../../ui/List";
import { Loaded } from "../../ui/Loaded";
import { Section } from "../../ui/Page";
import { StateMark } from "../../ui/StateMark";
import { Empty } from "../../ui/States";
import { Middle } from "../../ui/Text";
import { Ago } from "../../ui/Time";
import { Chips, Tools } from "../../ui/Tools";
import { useView } from "../../ui/useView";
import { Bring } from "./Bring";
import { Room } from "./Room";
import { kindWord } from "./kinds";

const columns: Column<Content>[] = [
  { key: "name", title: "File", sort: "name", narrow: "title", width: "26%", cell: (c) => <span className="main" title={c.source ? `Fetched from ${c.source}` : undefined}><Middle text={c.name} tail={14} /></span> },
  { key: "sha", title: "SHA-256", narrow: "plain", wide: true, width: "128px", cell: (c) => <span className="mono dim" title={c.sha256}>{c.sha256.slice(0, 12)}…</span> },
  { key: "needed", title: "Needed by", narrow: "plain", cell: (c) => <Needed of={c} /> },
  { key: "size", title: "Size", sort: "size", number: true, width: "82px", narrow: "plain", cell: (c) => bytes(c.size) },
  { key: "added", title: "Added", sort: "added_at", number: true, width: "116px", narrow: "hide", wide: true, cell: (c) => <span className="dim" title={`By ${c.added_by.name}`}><Ago at={c.added_at} /></span> },
  { key: "used", title: "Last used", sort: "used_at", number: true, width: "116px", narrow: "hide", cell: (c) => <span className="dim"><Ago at={c.used_at} /></span> },
  { key: "turn", title: "For room", sort: "turn", width: "112px", cell: (c) => <Turn of={c} /> },
];

function Needed({ of: c }: { of: Content }) {
  const n = c.needed_by;
  const work = [n.jobs > 0 && count(n.jobs, "job"), n.rollbacks > 0 && `${number(n.rollbacks)} to go back`].filter(Boolean).join(", ");
  if (!n.sentence) return <span className="dim">nothing</span>;
  return (
    <span className="row needed" title={n.sentence}>
      {n.catalog && <Middle text={n.catalog} tail={10} />}
      {work && <span className="dim nowrap">{work}</span>}
    </span>
  );
}

function Turn({ of: c }: { of: Content }) {
  if (c.state === "missing") return <span className="verdict" data-state="waits_person" title="It is known and its file is not here: add it or fetch it again."><StateMark state="waits_person" /> <span className="words">lost</span></span>;
  if (c.turn === 1) return <b>goes first</b>;
  if (c.turn > 0) return <span>goes {ordinal(c.turn)}</span>;
  return <span className="dim" title={c.young ? "It was added less than a day ago." : c.needed_by.sentence}>{c.young ? "stays a day" : "stays"}</span>;
}

const rules = new Intl.PluralRules("en-GB", { type: "ordinal" });
const ends: Record<string, string> = { one: "st", two: "nd", few: "rd", other: "th" };
const ordinal = (n: number): string => number(n) + (ends[rules.select(n)] ?? "th");

const asked: Record<string, { state?: string; needed?: string }> = { needed: { needed: "yes" }, unneeded: { needed: "no" }, lost: { state: "missing" } };

/** The files that devices install from: how full the store is, what is not here, and every file. */
export function Files() {
  const [view] = useView();
  const usage = useQuery(contentUsage());
  const query = useInfiniteQuery(contents({ ...asked[view.state ?? ""], q: view.q, sort: view.sort }));
  return (
    <>
      <Loaded query={usage} what="How full the store is could not be read." lines={3}>{(u) => <Room usage={u} />}</Loaded>
      <Fetches />
      <Missing />
      <Section title="Files here">
        <Tools search="Search files">
          <Chips
            name="state"
            label="State"
            choices={[
              { value: undefined, label: "All" },
              { value: "needed", label: "Needed" },
              { value: "unneeded", label: "Needed by nothing" },
              { value: "lost", label: "Lost" },
            ]}
          />
        </Tools>
        <List
          label="Files"
          noun={["file", "files"]}
          columns={columns}
          query={query}
          rowKey={(c) => c.sha256}
          empty={
            view.q || view.state ? (
              <Empty title="No file like that" act={<Link className="link" {...paths.catalog({ tab: "files" })}>Show all files</Link>} />
            ) : (
              <Empty title="No file is here">Installers that the catalogue names are brought with <code>patchbay content add FILE</code>. Devices fetch them from here.</Empty>
            )
          }
        />
      </Section>
    </>
  );
}

const missingColumns: Column<MissingFile>[] = [
  { key: "name", title: "Program", narrow: "title", width: "28%", cell: (m) => <Link className="main" {...paths.catalog({ tab: "files", package: `${m.provider}/${m.package}` })}><Middle text={`${m.name} ${m.version}`} tail={12} /></Link> },
  { key: "kind", title: "Installer", narrow: "plain", width: "18%", cell: (m) => <span className="dim nowrap">{kindWord(m.kind)} · {m.architecture} · {bytes(m.size)}</span> },
  { key: "act", title: "Bring it", narrow: "plain", cell: (m) => <Bring file={m} plain /> },
];

/** What the catalogue names and is not here. Where all is here, nothing is said. */
function Missing() {
  const query = useInfiniteQuery(missingFiles({ limit: 20 }));
  const first = query.data?.pages[0];
  if (!query.error && (!first || first.total === 0)) return null;
  return (
    <Section title="Not here" about="The catalogue names them; devices that need one wait until it is here.">
      <div className="missing-files"><List label="Files that are not here" noun={["missing file", "missing files"]} columns={missingColumns} query={query} rowKey={(m) => m.sha256} empty={null} /></div>
    </Section>
  );
}

/** What this server gets by itself, as long as it is not done. */
function Fetches() {
  const client = useQueryClient();
  const query = useQuery({ ...contentFetches(), refetchInterval: (q) => (q.state.data?.items.some(underWay) ? 2000 : false) });
  const open = (query.data?.items ?? []).filter((f) => f.state !== "done");
  const done = (query.data?.items ?? []).length - open.length;
  useEffect(() => {
    if (done > 0) void client.invalidateQueries({ predicate: (q) => q.queryKey[0] === "catalog" || (q.queryKey[0] === "content" && q.queryKey[2] !== "fetches") });
  }, [client, done]);
  if (open.length === 0) return null;
  return (
    <Section title="Being fetched">
      <ul className="lines">
        {open.map((f) => (
          <li key={f.sha256}>
            <span className="verdict" data-state={f.state === "failed" ? "failed" : "moving"}><StateMark state={f.state === "failed" ? "failed" : "moving"} /> <b><Middle text={f.name} /></b></span>
            <span className="dim">{f.size > 0 ? `${bytes(f.received)} of ${bytes(f.size)}` : bytes(f.received)}</span>
            <span className="dim">asked by {f.asked_by} <Ago at={f.asked_at} /></span>
            {f.error && <p className="lines-error">{f.error}</p>}
          </li>
        ))}
      </ul>
    </Section>
  );
}

const underWay = (f: ContentFetch) => f.state === "waiting" || f.state === "running";
