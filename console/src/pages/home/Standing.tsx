import { Link } from "@tanstack/react-router";
import type { Posture } from "../../api/types";
import { number, outOf } from "../../lib/text";
import { paths } from "../../paths";
import { PostureBar, PostureLegend } from "../../ui/Posture";

/** One bar and its legend: where all needs stand, of how many devices. */
export function Standing({ posture: p, customer }: { posture: Posture; customer?: string }) {
  const scope = { customer };
  return (
    <section className="standing" aria-label="Where all needs stand">
      <p>
        <Link {...paths.needs(scope)}><b>{outOf(p.verified, p.needs)}</b></Link> needs verified, on{" "}
        <Link className="link" {...paths.devices(scope)}>{number(p.enrolled)} enrolled {p.enrolled === 1 ? "device" : "devices"}</Link>
        {p.silent > 0 && <> (<Link className="link" {...paths.devices({ ...scope, state: "silent" })}>{number(p.silent)} silent</Link>)</>}
        {p.never_scanned > 0 && <>, <Link className="link" {...paths.devices({ ...scope, state: "never_scanned" })}>{number(p.never_scanned)} never scanned</Link></>}.
        {p.security_open > 0 && <> <Link className="link" {...paths.needs({ ...scope, class: "security" })}>{number(p.security_open)} security needs</Link> are open.</>}
      </p>
      <PostureBar counts={p} />
      <PostureLegend counts={p} search={scope} />
    </section>
  );
}
