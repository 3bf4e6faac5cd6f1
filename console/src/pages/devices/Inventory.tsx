import { useInfiniteQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { deviceItems } from "../../api/queries";
import type { DeviceDetail, Item } from "../../api/types";
import { paths } from "../../paths";
import { List, type Column } from "../../ui/List";
import { StateMark } from "../../ui/StateMark";
import { Empty } from "../../ui/States";
import { Middle, Titled } from "../../ui/Text";
import { Chips, Tools } from "../../ui/Tools";
import { useView } from "../../ui/useView";

const name: Column<Item> = { key: "name", title: "Item", narrow: "title", width: "27%", cell: (i) => <Named item={i} /> };
const marked: Column<Item> = { ...name, cell: (i) => <span className="item-of"><Named item={i} /><Marks item={i} /></span> };
const version: Column<Item> = { key: "version", title: "Version", narrow: "plain", cell: (i) => <span className="version"><Middle text={i.version} /></span> };
const whose: Column<Item> = { key: "scope", title: "Whose", width: "12%", narrow: "plain", cell: (i) => (i.scope ? <b><Middle text={i.scope} tail={6} /></b> : <span className="dim">the machine</span>) };
const arch: Column<Item> = { key: "arch", title: "Architecture", width: "104px", narrow: "plain", wide: true, cell: (i) => <span className="dim">{i.architecture}</span> };
const provider: Column<Item> = { key: "provider", title: "Provider", width: "108px", narrow: "plain", cell: (i) => <span className="dim">{i.provider}</span> };
const by: Column<Item> = { key: "by", title: "Updated by", width: "23%", narrow: "plain", cell: (i) => <By item={i} /> };
const marks: Column<Item> = {
  key: "marks",
  title: "Marks",
  width: "12%",
  narrow: "plain",
  cell: (i) => <Marks item={i} />,
};

/** An item's name, which leads to what is known of the product. */
function Named({ item: i }: { item: Item }) {
  const product = i.catalog ? i.name : i.source || i.name;
  if (product.includes("/") || product.length > 100) return <Titled name={i.name} title={i.title} />;
  return <Link className="plain" title="What is known of this product" {...paths.product(product)} preload={false}><Titled name={i.name} title={i.title} /></Link>;
}

function Marks({ item: i }: { item: Item }) {
  if (!i.held && !i.broken && !i.auto && !i.disputed && !i.leaving) return null;
  return (
    <span className="nowrap">
      {i.disputed && <span className="tag" data-strong title={i.disputed}>disputed</span>} {i.leaving && <span className="tag" data-strong>leaves at the restart</span>} {i.held && <span className="tag" data-strong>held</span>} {i.broken && <span className="tag" data-strong>{i.broken}</span>} {i.auto && <span className="tag">automatic</span>}
    </span>
  );
}

/** Whose a program is stands where it makes a difference: on desktops, where people install for themselves. */
const columnsOf = (d: DeviceDetail) => (people(d) ? [marked, version, whose, arch, provider, by] : [name, version, arch, provider, by, marks]);

const people = (d: DeviceDetail) => d.os === "windows" || d.os === "darwin";

/** Who sees to it that the newest version comes: a source, the catalogue, the program itself, or nobody. */
function By({ item: i }: { item: Item }) {
  if (i.updater) return <span title={i.catalog ? "The catalogue has it too." : undefined}><Middle text={`${i.updater}${i.catalog ? ", catalogue" : ""}`} tail={i.catalog ? 11 : 8} /></span>;
  if (i.orphan) return <span className="verdict" data-state="waits_person"><StateMark state="waits_person" /> <b>nobody</b></span>;
  if (i.catalog) return <Link className="dim" title={[i.source, i.origin].filter(Boolean).join(" by ")} {...paths.catalog({ package: i.catalog })}>the catalogue</Link>;
  return <span className="dim"><Middle text={i.origin || "not known"} /></span>;
}

/** What is installed, as each package manager records it. */
export function Inventory({ device: d }: { device: DeviceDetail }) {
  const [view] = useView();
  const query = useInfiniteQuery(deviceItems(d.id, { q: view.q, state: view.state }));
  return (
    <>
      <Tools search="Search the inventory">
        <Chips
          name="state"
          label="State"
          choices={[
            { value: undefined, label: "All" },
            { value: "orphan", label: <><StateMark state="waits_person" /> Nobody updates it</> },
            { value: "self_updating", label: "Something else updates it" },
            ...(people(d) ? [{ value: "personal", label: "Of one person" }] : []),
            { value: "broken", label: "Not completely installed" },
          ]}
        />
      </Tools>
      <List
        label="Inventory"
        noun={["item", "items"]}
        columns={columnsOf(d)}
        query={query}
        rowKey={(i) => [i.provider, i.scope, i.name, i.architecture, i.instance].join("/")}
        empty={
          view.q || view.state ? (
            <Empty title={view.q ? "Nothing installed is called that" : "Nothing installed is like that"} act={<Link className="link" {...paths.device(d.id, { tab: "inventory" })}>Show all that is installed</Link>} />
          ) : (
            <Empty title="No inventory yet">It comes with the first complete scan.</Empty>
          )
        }
      />
    </>
  );
}
