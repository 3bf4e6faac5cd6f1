import type { ReactNode } from "react";
import { Button } from "@mantine/core";
import { Problem } from "../api/client";
import "../styles/parts.css";

interface EmptyProps {
  title: string;
  children?: ReactNode;
  act?: ReactNode;
  small?: boolean;
}

/** Nothing is here: say why, what to do next, and offer it. */
export function Empty({ title, children, act, small }: EmptyProps) {
  return (
    <div className="empty" data-small={small || undefined}>
      <strong>{title}</strong>
      {children && <p>{children}</p>}
      {act && <div className="page-act">{act}</div>}
    </div>
  );
}

/** What happened and what to do, in the place where it happened. */
export function Trouble({ error, what, retry }: { error: unknown; what: string; retry?: () => void }) {
  const said = error instanceof Error ? error.message : "Something went wrong that has no name.";
  const fields = error instanceof Problem ? error.fields : [];
  return (
    <div className="problem" role="alert">
      <strong>{what}</strong>
      <span>{said}</span>
      {fields.length > 0 && (
        <ul>
          {fields.map((f) => (
            <li key={f.location + f.message}>{[f.location.split(".").pop(), f.message].filter(Boolean).join(": ")}</li>
          ))}
        </ul>
      )}
      {retry && (
        <div>
          <Button size="xs" variant="default" mt={6} onClick={retry}>Try again</Button>
        </div>
      )}
    </div>
  );
}

/** Bones of what is coming. They appear only when it takes longer than 150 ms. */
export function Waiting({ lines = 4 }: { lines?: number }) {
  return (
    <div className="stack waiting" role="status" aria-busy="true" aria-label="Loading">
      {Array.from({ length: lines }, (_, i) => (
        <div key={i} className="bone" style={{ width: `${78 - ((i * 17) % 40)}%` }} />
      ))}
    </div>
  );
}
