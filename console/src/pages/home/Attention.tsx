import { Button } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import type { Attention as Row, State } from "../../api/types";
import { pathOf } from "../../paths";
import { StateMark } from "../../ui/StateMark";

const states: Record<string, State> = {
  not_back: "failed",
  failed: "failed",
  security: "failed",
  silent: "unknown",
  unknown: "unknown",
  never_scanned: "unknown",
  waits_person: "waits_person",
  enrol: "waits_person",
  bulletin: "waits_person",
  trust_ended: "failed",
  trust_ends: "waits_person",
};

/** What needs somebody, each with the one thing to do about it. */
export function Attention({ rows }: { rows: Row[] }) {
  if (rows.length === 0) {
    return (
      <section className="home-block" aria-label="What needs attention">
        <h2>What needs attention</h2>
        <p className="home-none"><StateMark state="verified" /> Nothing waits for a person, nothing failed, no device is silent.</p>
      </section>
    );
  }
  return (
    <section className="home-block" aria-label="What needs attention">
      <h2>What needs attention</h2>
      <ul className="attention">
        {rows.map((r) => (
          <li key={r.kind + r.sentence}>
            <StateMark state={states[r.kind] ?? "waits_person"} size={12} />
            <span>{r.sentence}</span>
            <Button size="compact-sm" variant="default" renderRoot={(p) => <Link {...p} {...pathOf(r.link)} />}>{r.act || "Show"}</Button>
          </li>
        ))}
      </ul>
    </section>
  );
}
