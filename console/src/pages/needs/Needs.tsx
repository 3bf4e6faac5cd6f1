import { Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { overview } from "../../api/queries";
import type { Posture } from "../../api/types";
import { count, number, outOf } from "../../lib/text";
import { paths } from "../../paths";
import { Page } from "../../ui/Page";
import { PostureBar } from "../../ui/Posture";
import { Empty } from "../../ui/States";
import { useView } from "../../ui/useView";
import { allColumns, soonColumns } from "./columns";
import { NeedList } from "./NeedList";

export function Needs() {
  const [view] = useView();
  const known = useQuery(overview(view.customer)).data;
  return (
    <Page title="Needs" state={known && sentence(known.posture)} asOf={known?.as_of}>
      {known && known.posture.needs > 0 && (
        <div style={{ maxWidth: 560, margin: "-8px 0 20px" }}><PostureBar counts={known.posture} /></div>
      )}
      <NeedList
        columns={view.sort?.endsWith("place") ? soonColumns : allColumns}
        search="Search items and devices"
        empty={
          known?.posture.devices === 0 ? (
            <Empty title="No device yet" act={<Button renderRoot={(p) => <Link {...p} {...paths.enrolment()} />}>Enrol a device</Button>}>
              A need is an item on a device with an update on offer. Enrol a device to see its own.
            </Empty>
          ) : (
            <Empty title="Nothing is needed here">
              Every device that was scanned has the newest version of everything its sources offer.
            </Empty>
          )
        }
      />
    </Page>
  );
}

function sentence(p: Posture): string {
  if (p.needs === 0) return "No need is known.";
  return `${outOf(p.verified, p.needs)} needs are verified, on ${count(p.devices, "enrolled device")}${p.silent > 0 ? ` (${number(p.silent)} silent)` : ""}.`;
}
