import { useInfiniteQuery } from "@tanstack/react-query";
import { deviceItems } from "../../api/queries";
import type { DeviceDetail, Item } from "../../api/types";
import { List, type Column } from "../../ui/List";
import { Empty } from "../../ui/States";
import { Middle } from "../../ui/Text";
import { Tools } from "../../ui/Tools";
import { useView } from "../../ui/useView";

const columns: Column<Item>[] = [
  { key: "name", title: "Item", narrow: "title", width: "30%", cell: (i) => <span className="main"><Middle text={i.name} /></span> },
  { key: "version", title: "Version", narrow: "plain", cell: (i) => <span className="version"><Middle text={i.version} /></span> },
  { key: "arch", title: "Architecture", width: "112px", narrow: "plain", wide: true, cell: (i) => <span className="dim">{i.architecture}</span> },
  { key: "provider", title: "Provider", width: "92px", narrow: "plain", cell: (i) => <span className="dim">{i.provider}</span> },
  { key: "origin", title: "Origin", width: "18%", narrow: "plain", cell: (i) => <Origin item={i} /> },
  {
    key: "marks",
    title: "Marks",
    width: "15%",
    narrow: "plain",
    cell: (i) => (
      <span className="nowrap">
        {i.held && <span className="tag" data-strong>held</span>} {i.broken && <span className="tag" data-strong>{i.broken}</span>} {i.auto && <span className="tag">automatic</span>}
      </span>
    ),
  },
];

/** Where the version comes from. What updates itself has an owner: it is not what nobody updates. */
function Origin({ item: i }: { item: Item }) {
  if (i.updater) return <span><Middle text={`${i.updater} updates it`} /></span>;
  if (i.orphan) return <b>No source updates it</b>;
  return <span className="dim"><Middle text={i.origin || "not known"} /></span>;
}

/** What is installed, as each package manager records it. */
export function Inventory({ device: d }: { device: DeviceDetail }) {
  const [view] = useView();
  const query = useInfiniteQuery(deviceItems(d.id, { q: view.q }));
  return (
    <>
      <Tools search="Search the inventory" />
      <List
        label="Inventory"
        noun={["item", "items"]}
        columns={columns}
        query={query}
        rowKey={(i) => [i.provider, i.scope, i.name, i.architecture, i.instance].join("/")}
        empty={view.q ? <Empty title="Nothing installed is called that" /> : <Empty title="No inventory yet">It comes with the first complete scan.</Empty>}
      />
    </>
  );
}
