import { Button } from "@mantine/core";
import type { NewToken } from "../../api/types";
import { count } from "../../lib/text";
import { CopyLine } from "../../ui/Copy";
import { Ago } from "../../ui/Time";
import "../../styles/enrolment.css";

/** The token, shown this once: one line to run on the machine. */
export function Made({ token: t, again }: { token: NewToken; again: () => void }) {
  const lines = t.install_lines ?? [];
  return (
    <div className="panel stack" role="status">
      <h2>Run this line on the machine, as root</h2>
      <CopyLine text={t.secret_line} label="Copy the line" />
      <p className="dim small">
        It enrols {count(t.max_uses, "machine")} into {t.customer.name}, {t.site.name}. It expires <Ago at={t.expires_at} />, and it is shown only now.
      </p>
      {lines.length > 0 && (
        <details>
          <summary>The agent is not on the machine yet</summary>
          <div className="stack" style={{ marginTop: 10 }}>
            {lines.map((l) => <CopyLine key={l} text={l} />)}
          </div>
        </details>
      )}
      <div><Button size="xs" variant="default" onClick={again}>Make another token</Button></div>
    </div>
  );
}
