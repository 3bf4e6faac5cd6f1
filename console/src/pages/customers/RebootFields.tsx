import { NumberInput, Radio } from "@mantine/core";
import type { Policy } from "../../api/types";

type Reboots = NonNullable<Policy["reboots"]>;

const when = (value: string): Reboots["when"] => (value === "window" || value === "ask" ? value : "never");
const whole = (value: number | string): number => (typeof value === "number" ? value : 0);

/** When devices reboot by themselves, and how far whoever is logged in decides. */
export function RebootFields({ reboots, change }: { reboots: Reboots; change: (reboots: Reboots) => void }) {
  const ask = { postpone: reboots.postpone ?? 3, deadline_hours: reboots.deadline_hours || 48 };
  const choose = (value: string) =>
    change(when(value) === "ask" ? { when: "ask", daily: reboots.daily, ...ask } : { when: when(value), daily: reboots.daily });
  return (
    <Radio.Group label="An update that asks for a reboot" value={reboots.when} onChange={choose}>
      <div className="stack" style={{ gap: 8, marginTop: 6 }}>
        <Radio value="never" label="Never reboot" description="It waits for a person after it is installed." />
        <Radio value="window" label="Within the window" description="Whoever is logged in is told 60, 15 and 5 minutes before." />
        <Radio value="ask" label="Ask" description="Whoever is logged in chooses a time or puts it off, until a deadline. Otherwise within the window." />
        {reboots.when === "ask" && (
          <div className="row" style={{ gap: 12 }}>
            <NumberInput label="Hours to decide" min={1} max={336} allowDecimal={false} value={ask.deadline_hours} onChange={(v) => change({ ...reboots, deadline_hours: whole(v) })} />
            <NumberInput label="Times it may be put off" min={0} max={20} allowDecimal={false} value={ask.postpone} onChange={(v) => change({ ...reboots, postpone: whole(v) })} />
          </div>
        )}
        {reboots.when !== "never" && (
          <NumberInput label="Reboots a day" description="More wait for the next day; 0 is no limit." min={0} max={24} allowDecimal={false} value={reboots.daily} onChange={(v) => change({ ...reboots, daily: whole(v) })} style={{ maxWidth: 240 }} />
        )}
      </div>
    </Radio.Group>
  );
}
