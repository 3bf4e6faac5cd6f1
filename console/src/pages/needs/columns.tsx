import { Link } from "@tanstack/react-router";
import type { Need } from "../../api/types";
import { bytes } from "../../lib/text";
import { paths } from "../../paths";
import type { Column } from "../../ui/List";
import { Classes, Middle, VersionChange } from "../../ui/Text";
import { VerdictChip } from "../../ui/Verdict";
import { itemName } from "./itemName";

const item: Column<Need> = {
  key: "item",
  title: "Item",
  width: "15%",
  sort: "name",
  narrow: "title",
  cell: (n) => <span className="main"><Middle text={itemName(n.item)} /></span>,
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
  cell: (n) => <VersionChange from={n.installed} to={n.available ?? ""} />,
};

const classes: Column<Need> = {
  key: "class",
  title: "Class",
  width: "112px",
  narrow: "plain",
  wide: true,
  cell: (n) => <Classes classes={n.classes} severity={n.severity} />,
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
  width: "26%",
  sort: "verdict",
  narrow: "plain",
  cell: (n) => <VerdictChip verdict={n.verdict} />,
};

export const allColumns = [item, change, device, customer, classes, verdict];
export const deviceColumns = [item, change, classes, size, verdict];
export const updateColumns = [device, customer, change, verdict];
