import { Link } from "@tanstack/react-router";
import type { Need } from "../../api/types";
import { bytes } from "../../lib/text";
import { paths } from "../../paths";
import type { Column } from "../../ui/List";
import { Back, NothingKept } from "../../ui/Reversible";
import { Step } from "../../ui/Severity";
import { Classes, Middle, Titled } from "../../ui/Text";
import { VerdictChip } from "../../ui/Verdict";
import { itemName } from "./itemName";
import { NeedChange } from "./NeedChange";
import { installedHere, takingBack } from "./undo";

const item: Column<Need> = {
  key: "item",
  title: "Item",
  width: "16%",
  sort: "name",
  narrow: "title",
  covers: (n) => Boolean(n.title),
  cell: (n) => (
    <span className="item-of">
      {n.title ? <Titled name={itemName(n.item)} title={n.title} /> : <span className="main"><Middle text={itemName(n.item)} /></span>}
      {n.title && takingBack(n) && <span className="tag">undo</span>}
      {n.item.scope && <span className="tag" title={`Installed by ${n.item.scope} alone`}>{n.item.scope}</span>}
    </span>
  ),
};

const device: Column<Need> = {
  key: "device",
  title: "Device",
  width: "13%",
  sort: "device",
  narrow: "plain",
  cell: (n) => <Link {...paths.device(n.device.id)}><Middle text={n.device.name} /></Link>,
};

const customer: Column<Need> = {
  key: "customer",
  title: "Customer",
  width: "12%",
  sort: "customer",
  narrow: "plain",
  wide: true,
  cell: (n) => <span className="dim"><Middle text={n.customer.name} /></span>,
};

const change: Column<Need> = {
  key: "change",
  title: "Change",
  narrow: "plain",
  cell: (n) => <NeedChange need={n} />,
};

const classes: Column<Need> = {
  key: "class",
  title: "Class",
  width: "124px",
  narrow: "plain",
  wide: true,
  cell: (n) => <Classes classes={n.classes} severity={n.severity} />,
};

const soon: Column<Need> = {
  key: "soon",
  title: "How soon",
  width: "108px",
  sort: "place",
  firstDown: true,
  narrow: "hide",
  wide: true,
  cell: (n) => (n.step ? <Step step={n.step} why={n.why} /> : <span className="dim" title="No advisory is known that it mends.">–</span>),
};

const size: Column<Need> = {
  key: "size",
  title: "Size",
  width: "76px",
  number: true,
  sort: "size",
  narrow: "hide",
  wide: true,
  cell: (n) => bytes(n.size),
};

const verdict: Column<Need> = {
  key: "verdict",
  title: "Verdict",
  width: "22%",
  sort: "verdict",
  narrow: "plain",
  cell: (n) => <VerdictChip verdict={n.verdict} undo={takingBack(n)} />,
};

const undo: Column<Need> = {
  key: "undo",
  title: "Undo",
  width: "128px",
  cell: (n) => {
    if (!n.update) return null;
    if (installedHere(n) && !n.previous) return <NothingKept why={n.can.undo} />;
    return <Back known={n.reversibility} why={n.reversibility_why} />;
  },
};

export const allColumns = [item, change, device, customer, classes, undo, verdict];
export const deviceColumns = [{ ...item, width: "25%" }, change, classes, size, undo, { ...verdict, width: "26%" }];
/** Where what is to be done soonest comes first. */
export const soonColumns = [item, change, device, customer, soon, classes, verdict];
export const soonDeviceColumns = [{ ...item, width: "25%" }, change, soon, classes, { ...verdict, width: "26%" }];
export const updateColumns = [device, customer, change, undo, verdict];
/** Of an update that is an item of its own, and changes nothing from one version to another. */
export const ownColumns = [{ ...device, width: "24%" }, { ...customer, width: "24%" }, undo, { ...verdict, width: undefined }];
