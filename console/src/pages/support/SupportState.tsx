import type { Supported } from "../../api/types";
import { supportStates } from "../../lib/support";
import { StateMark } from "../../ui/StateMark";

/** How it is supported: a shape, a colour and a word; the sentence behind it when pointed at. */
export function SupportState({ of }: { of: Pick<Supported, "state" | "why"> }) {
  const s = supportStates[of.state];
  return <span className="verdict nowrap" data-state={s.state} title={of.why}><StateMark state={s.state} /> <span className="words">{s.words}</span></span>;
}
