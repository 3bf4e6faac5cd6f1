import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { deviceTimeline } from "../../api/queries";
import type { DeviceDetail, TimelineEntry } from "../../api/types";
import { paths } from "../../paths";
import { Loaded } from "../../ui/Loaded";
import { Empty } from "../../ui/States";
import { Ago } from "../../ui/Time";
import "../../styles/device.css";

const kinds: Record<TimelineEntry["kind"], string> = {
  enrolled: "Enrolled",
  scan: "Scan",
  outcome: "Outcome",
  notice: "Notice",
  approval: "Decision",
  job: "Job",
  audit: "Change",
};

/** A device's life, the newest first. */
export function Timeline({ device: d }: { device: DeviceDetail }) {
  const query = useQuery(deviceTimeline(d.id));
  return (
    <Loaded query={query} what="The timeline could not be read." lines={8}>
      {({ items }) =>
        items.length === 0 ? (
          <Empty title="Nothing has happened yet">Scans, decisions and outcomes of this device are kept here.</Empty>
        ) : (
          <>
            <p className="dim small">
              <a className="link" href={`/api/v1/devices/${d.id}/story`} download={`story-${d.id}.json`}>Save the whole story</a>, with every receipt as the device signed it, to check it anywhere: <code>patchbay verify story</code>
            </p>
            <ol className="timeline" aria-label="Timeline">
              {items.map((e) => <Entry key={e.at + e.kind + e.title + (e.job ?? "")} entry={e} zone={d.zone} />)}
            </ol>
          </>
        )
      }
    </Loaded>
  );
}

function Entry({ entry: e, zone }: { entry: TimelineEntry; zone: string }) {
  return (
    <li data-kind={e.kind} data-failed={(e.kind === "outcome" && /^(Failed|Could not)/.test(e.title)) || undefined}>
      <span className="timeline-at dim"><Ago at={e.at} zone={zone} /></span>
      <div>
        <p>
          <span className="tag">{kinds[e.kind] ?? e.kind}</span>{" "}
          {e.job ? <Link className="link" {...paths.job(e.job)}>{e.title}</Link> : <b>{e.title}</b>}
          {e.actor && <span className="dim"> · {e.actor}</span>}
        </p>
        {e.sentence && <p className="dim">{e.sentence}</p>}
        {e.detail && (
          <details>
            <summary>The manager's own words</summary>
            <pre>{e.detail}</pre>
          </details>
        )}
      </div>
    </li>
  );
}
