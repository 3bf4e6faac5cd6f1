import type { ReactNode } from "react";
import { Mark } from "../../ui/Mark";
import "../../styles/shell.css";

/** The pages before one is in: a mark, one panel, nothing else. */
export function Door({ title, about, children, foot }: { title: string; about?: ReactNode; children: ReactNode; foot?: ReactNode }) {
  return (
    <main className="door">
      <title>{`${title} · Patchbay`}</title>
      <div>
        <div className="brand"><Mark size={30} /> Patchbay</div>
        <div className="panel">
          <h1>{title}</h1>
          {about && <p className="dim" style={{ marginTop: 4 }}>{about}</p>}
          {children}
        </div>
        {foot && <p className="door-foot">{foot}</p>}
      </div>
    </main>
  );
}
