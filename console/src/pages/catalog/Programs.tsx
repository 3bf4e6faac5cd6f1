import { useInfiniteQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { packages } from "../../api/queries";
import type { Package } from "../../api/types";
import { number } from "../../lib/text";
import { paths } from "../../paths";
import { List, type Column } from "../../ui/List";
import { StateMark } from "../../ui/StateMark";
import { Empty } from "../../ui/States";
import { Middle, VersionChange } from "../../ui/Text";
import { Ago } from "../../ui/Time";
import { Chips, Tools } from "../../ui/Tools";
import { useView } from "../../ui/useView";
import { PresenceBar } from "./Presence";

export const keyOf = (p: { provider: string; id: string }) => `${p.provider}/${p.id}`;

const columns: Column<Package>[] = [
  { key: "name", title: "Program", sort: "name", narrow: "title", width: "21%", cell: (p) => <span className="main"><Middle text={p.name} tail={8} /></span> },
  { key: "publisher", title: "Publisher", sort: "publisher", narrow: "plain", wide: true, width: "12%", cell: (p) => <span className="dim"><Middle text={p.publisher || "not named"} tail={6} /></span> },
  { key: "newest", title: "Newest", narrow: "plain", cell: (p) => <Newest of={p} /> },
  { key: "marks", title: "Marks", narrow: "plain", width: "92px", cell: (p) => <Marks of={p} /> },
  { key: "released", title: "Released", sort: "released", width: "98px", narrow: "plain", wide: true, cell: (p) => <span className="dim"><Ago at={p.released_at} none="not known" /></span> },
  { key: "bar", title: "Standing", width: "7%", narrow: "hide", wide: true, cell: (p) => <PresenceBar of={p} /> },
  {
    key: "behind",
    title: "Behind",
    sort: "behind",
    number: true,
    width: "208px",
    cell: (p) =>
      p.devices === 0 ? (
        <span className="dim">on no device</span>
      ) : (
        <Link {...paths.updates({ q: p.id })}>
          {p.behind > 0 ? <b style={{ color: "var(--waits_person)" }}>{number(p.behind)}</b> : "0"} of {number(p.devices)}
          {p.unknown > 0 && <span className="dim not-known"> ({number(p.unknown)} not known)</span>}
        </Link>
      ),
  },
  { key: "files", title: "Files", width: "82px", number: true, cell: (p) => <FilesOf of={p} /> },
];

function Newest({ of: p }: { of: Package }) {
  if (!p.newest) return <span style={{ color: "var(--failed)" }}>{p.recalled > 0 ? "all recalled" : "no release"}</span>;
  return <VersionChange from={p.before ?? p.newest} to={p.newest} />;
}

/** What asks for a second look: the worst alone, because the rest stands in the drawer. */
function Marks({ of: p }: { of: Package }) {
  if (p.recalled > 0) return <span className="tag" data-strong title={`${number(p.recalled)} of its releases may not be installed any more`}>recalled</span>;
  if (p.unsigned > 0) return <span className="tag" data-strong title={`${number(p.unsigned)} of its installers let through although their maker did not sign them`}>unsigned</span>;
  if (p.security === "yes") return <span className="tag" data-strong title="The newest release mends security faults">security</span>;
  return null;
}

function FilesOf({ of: p }: { of: Package }) {
  const here = p.installers - p.missing;
  return (
    <span className="nowrap">
      {p.missing > 0 ? (
        <span style={{ color: "var(--waits_person)" }}><StateMark state="waits_person" /> {number(here)} of {number(p.installers)}</span>
      ) : (
        <span className="dim">{p.installers > 0 ? `${number(here)} of ${number(p.installers)}` : "none"}</span>
      )}
    </span>
  );
}

/** The packages of the catalogue. A row opens its releases and installers beside the list. */
export function Programs() {
  const [view, change] = useView();
  const query = useInfiniteQuery(packages({ state: view.state, q: view.q, sort: view.sort }));
  return (
    <>
      <Tools search="Search programs">
        <Chips
          name="state"
          label="State"
          choices={[
            { value: undefined, label: "All" },
            { value: "behind", label: "Behind somewhere" },
            { value: "missing", label: "File missing" },
            { value: "unsigned", label: "Unsigned" },
            { value: "recalled", label: "Recalled" },
          ]}
        />
      </Tools>
      <div className="catalog">
        <List
          label="Programs"
          noun={["program", "programs"]}
          columns={columns}
          query={query}
          rowKey={keyOf}
          openKey={view.package}
          open={(p) => change({ package: view.package === keyOf(p) ? undefined : keyOf(p) }, Boolean(view.package))}
          empty={
            <Empty title={view.q || view.state ? "No program like that" : "The catalogue names no program"} act={(view.q || view.state) && <Link className="link" {...paths.catalog()}>Show all programs</Link>}>
              {view.q ? "The catalogue has nothing of this name. What it does not name is never installed." : view.state ? "None is in this state." : "Put one in with the next catalogue."}
            </Empty>
          }
        />
      </div>
    </>
  );
}
