import { Button, Select, TextInput } from "@mantine/core";
import type { ProgramRule } from "../../api/types";
import { beyondHelp, mostRules, wishes } from "../../lib/programs";
import { Icon } from "../../ui/Icon";
import { Ago } from "../../ui/Time";

interface Props {
  rules: ProgramRule[];
  change: (rules: ProgramRule[]) => void;
}

/** What becomes of single programs: left alone, updated, installed, and how far. */
export function ProgramRules({ rules, change }: Props) {
  const put = (nth: number, rule: ProgramRule) => change(rules.map((old, n) => (n === nth ? rule : old)));
  const add = () => change([...rules, { provider: rules.at(-1)?.provider ?? "", package: "", wish: "update" }]);
  return (
    <fieldset className="rules">
      <legend>Programs</legend>
      <p className="dim small">A rule for a program goes before what is approved by itself. What a person answers goes before both.</p>
      {rules.length > 0 && (
        <ul>
          {rules.map((r, i) => <RuleFields key={i} rule={r} nth={i + 1} change={(next) => put(i, next)} remove={() => change(rules.filter((_, n) => n !== i))} />)}
        </ul>
      )}
      <div>
        <Button size="xs" variant="default" disabled={rules.length >= mostRules} title={rules.length >= mostRules ? `A site has ${mostRules} rules at most.` : undefined} onClick={add}>
          Add {rules.length === 0 ? "a" : "another"} rule
        </Button>
      </div>
    </fieldset>
  );
}

function RuleFields({ rule: r, nth, change, remove }: { rule: ProgramRule; nth: number; change: (rule: ProgramRule) => void; remove: () => void }) {
  const alone = r.wish === "leave";
  const called = r.package || `rule ${nth}`;
  return (
    <li className="rule" aria-label={`Rule for ${called}`}>
      <TextInput size="xs" className="rule-program" label="Program" placeholder="Maker.Program" maxLength={200} value={r.package} title={r.package} spellCheck={false}
        onChange={(e) => change({ ...r, package: e.currentTarget.value })} />
      <TextInput size="xs" className="rule-provider" label="Provider" placeholder="as on the device" maxLength={40} value={r.provider} spellCheck={false} autoCapitalize="none"
        onChange={(e) => change({ ...r, provider: e.currentTarget.value.toLowerCase() })} />
      <Select size="xs" className="rule-wish" label="What happens" allowDeselect={false} data={wishes} value={r.wish}
        onChange={(v) => v && change({ ...r, wish: v, pin: v === "leave" ? undefined : r.pin })} />
      <TextInput size="xs" className="rule-pin" label="No further than" placeholder={alone ? "" : "any version"} maxLength={100} value={r.pin ?? ""} disabled={alone} title={beyondHelp(r)}
        onChange={(e) => change({ ...r, pin: e.currentTarget.value || undefined })} />
      <button type="button" className="plain rule-remove" aria-label={`Remove the rule for ${called}`} title="Remove this rule" onClick={remove}>
        <Icon name="close" size={14} />
      </button>
      <TextInput size="xs" className="rule-reason" label="Why" placeholder="Why, for colleagues and the customer" maxLength={500} value={r.reason ?? ""} title={r.reason}
        onChange={(e) => change({ ...r, reason: e.currentTarget.value || undefined })} />
      {r.by && r.at && <p className="dim small rule-by">{r.by}, <Ago at={r.at} /></p>}
    </li>
  );
}
