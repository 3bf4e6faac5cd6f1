import { Link } from "@tanstack/react-router";
import type { Site } from "../../api/types";
import { count } from "../../lib/text";
import { policyWords } from "../../lib/windows";
import { paths } from "../../paths";
import { StateMark } from "../../ui/StateMark";
import { WeekStrip } from "./WeekStrip";
import "../../styles/site.css";

export function SiteRow({ site: s }: { site: Site }) {
  return (
    <li className="panel site-row">
      <div className="spread">
        <h3><Link className="link" {...paths.site(s.id)}>{s.name}</Link></h3>
        <Link className="dim small nowrap" {...paths.devices({ site: s.id, customer: s.customer.id })}>{count(s.devices, "device")}</Link>
      </div>
      <p className="small">{policyWords(s.policy, s.zone)}</p>
      <WeekStrip windows={s.policy.windows ?? []} />
      <p className="small verdict" data-state={s.window.open ? "moving" : "waits_time"}>
        <StateMark state={s.window.open ? "moving" : "waits_time"} /> <span className="rest" title={s.window.sentence}>{s.window.sentence}</span>
      </p>
    </li>
  );
}
