import { Checkbox } from "@mantine/core";
import type { PreviewRecall } from "../api/types";
import { count } from "../lib/text";
import type { Ask } from "./useActs";

interface Props {
  ask: Ask;
  /** What still holds it up, as it was foretold last. */
  by?: PreviewRecall[];
  despite: PreviewRecall[];
  change: (despite: PreviewRecall[]) => void;
}

/** What holds up what is approved. Each recall is set aside by itself, by whoever read it. */
export function HeldUp({ ask, by = [], despite, change }: Props) {
  const single = ask.what.update !== undefined || ask.what.need !== undefined;
  const all = [...despite, ...by.filter((r) => !despite.some((d) => d.key === r.key))];
  if (ask.answer !== "approve" || !single || all.length === 0) return null;
  return (
    <fieldset className="held-up">
      <legend>Held on {count(Math.max(...all.map((r) => r.devices)), "device")}</legend>
      {all.map((r) => {
        const aside = despite.some((d) => d.key === r.key);
        return (
          <div key={r.key} className="stack" style={{ gap: 4 }}>
            <p>{r.sentence}</p>
            <Checkbox checked={aside} label="Install it here all the same. This is recorded with your name and reason."
              onChange={() => change(aside ? despite.filter((d) => d.key !== r.key) : [...despite, r])} />
          </div>
        );
      })}
      {despite.length === 0 && <p className="dim small">Otherwise the approval waits: it is installed by itself when nothing holds it any more.</p>}
    </fieldset>
  );
}
