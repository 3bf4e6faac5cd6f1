import { Button, Checkbox, Radio, Switch, TagsInput } from "@mantine/core";
import type { ReactNode } from "react";
import type { Master, Policy, Window } from "../../api/types";
import { rulesProblem } from "../../lib/programs";
import { count } from "../../lib/text";
import { policyWords, rebootProblem, windowProblem } from "../../lib/windows";
import { classLabel } from "../needs/classChoices";
import { RebootFields } from "./RebootFields";
import { WeekStrip } from "./WeekStrip";
import { WindowFields } from "./WindowFields";
import "../../styles/site.css";

interface Props {
  policy: Policy;
  zone: string;
  /** Other programs that may install updates on the site's devices. */
  masters?: Master[];
  change: (policy: Policy) => void;
  children?: ReactNode;
}

const autoClasses = ["critical", "bugfix", "definition", "rollup", "service_pack", "driver", "tool"] as const satisfies readonly NonNullable<Policy["classes"]>[number][];

const inUse = (value: string): Policy["in_use"] => (value === "ask" || value === "close" ? value : "wait");

/** Who decides, when it may happen, what may be closed, restarted and rebooted: and what that means, in words. */
export function PolicyFields({ policy, zone, masters = [], change, children }: Props) {
  const windows = policy.windows ?? [];
  const set = (list: Window[]) => change({ ...policy, windows: list });
  return (
    <div className="policy">
      <Radio.Group label="Who decides" value={policy.auto} onChange={(auto) => change({ ...policy, auto: auto === "security" ? "security" : "by_hand" })}>
        <div className="stack" style={{ gap: 8, marginTop: 6 }}>
          <Radio value="by_hand" label="By hand" description="Every update waits for a person to approve or reject it." />
          <Radio value="security" label="Security by themselves" description="Security updates are approved as they come; the rest waits for a person." />
        </div>
      </Radio.Group>
      <Checkbox.Group label="Classes that go by themselves too" description="Previews, new releases and what is optional always wait for a person." value={policy.classes ?? []} onChange={(list) => change({ ...policy, classes: autoClasses.filter((c) => list.includes(c)) })}>
        <div className="row" style={{ gap: "8px 18px", marginTop: 8 }}>
          {autoClasses.map((c) => <Checkbox key={c} value={c} label={classLabel(c)} />)}
        </div>
      </Checkbox.Group>
      <fieldset>
        <legend>Maintenance windows</legend>
        {windows.map((w, i) => (
          <WindowFields key={i} window={w} siteZone={zone} nth={i + 1} change={(next) => set(windows.map((old, n) => (n === i ? next : old)))} remove={() => set(windows.filter((_, n) => n !== i))} />
        ))}
        {windows.length === 0 && <p className="dim small">No window: nothing is installed here unless a person forces it.</p>}
        <div>
          <Button size="xs" variant="default" disabled={windows.length >= 20} onClick={() => set([...windows, { days: ["sun"], start: "22:00", minutes: 240 }])}>
            Add {windows.length === 0 ? "a" : "another"} window
          </Button>
        </div>
      </fieldset>
      <Switch checked={policy.restarts === "in_window"} onChange={(e) => change({ ...policy, restarts: e.currentTarget.checked ? "in_window" : "by_hand" })}
        label="Devices restart services within the window" description="Those that still run with old files of what was updated. Otherwise such an update is not verified until a person restarts them." />
      <RebootFields reboots={policy.reboots ?? { when: "never", daily: 2 }} change={(reboots) => change({ ...policy, reboots })} />
      <Radio.Group label="A program that somebody has open" value={policy.in_use ?? "wait"} onChange={(v) => change({ ...policy, in_use: inUse(v) })}>
        <div className="stack" style={{ gap: 8, marginTop: 6 }}>
          <Radio value="wait" label="Wait" description="The update waits until they close it." />
          <Radio value="ask" label="Ask" description="They are asked whether it may be closed; without a yes, again an hour later." />
          <Radio value="close" label="Close" description="They are told, and it is closed five minutes later. What they did not save is lost." />
        </div>
      </Radio.Group>
      <TagsInput label="Installs beside" value={policy.beside ?? []} data={masters.map((m) => m.name)} maxTags={20} acceptValueOnBlur
        onChange={(beside) => change({ ...policy, beside })} placeholder={(policy.beside ?? []).length === 0 ? "No other program" : undefined}
        description={`Other programs that may install updates here, and beside which Patchbay installs all the same. ${seen(masters, policy)}`} />
      {children}
      <div className="policy-words">
        <p>{policyWords(policy, zone)}</p>
        <WeekStrip windows={windows} />
      </div>
    </div>
  );
}

/** Which other programs were seen, and what follows for those nobody answered for. */
function seen(masters: Master[], policy: Policy): string {
  const open = masters.filter((m) => !(policy.beside ?? []).includes(m.name));
  if (open.length === 0) return masters.length === 0 ? "None was seen on the devices of this site." : "All that were seen here are named.";
  return `Seen here and not named: ${open.map((m) => `${m.name} (${count(m.devices, "device")})`).join(", ")}. What they may install is not installed by Patchbay.`;
}

/** What is wrong with a policy, or nothing. */
export function policyProblem(policy: Policy): string | null {
  for (const w of policy.windows ?? []) {
    const wrong = windowProblem(w);
    if (wrong) return wrong;
  }
  const reboots = rebootProblem(policy.reboots);
  if (reboots) return reboots;
  return rulesProblem(policy.applications ?? []);
}
