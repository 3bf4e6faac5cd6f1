import type { NeedDetail } from "../../api/types";
import { exact } from "../../lib/time";
import { titleBeside } from "../../lib/title";
import { linkWord, ownerTurn, verdictWords } from "../../lib/verdicts";
import { itemName } from "./itemName";
import { takingBack, untried } from "./undo";

/** The whole answer as plain text, to be sent to a customer. */
export function asText(n: NeedDetail, now: Date): string {
  const v = n.verdict;
  const chain = n.chain ?? [];
  const first = chain.findIndex((l) => !l.met);
  const reached = first < 0 ? chain : chain.slice(0, first);
  const lines = [
    `${itemName(n.item)} on ${n.device.name} (${n.customer.name}, ${n.site.name})`,
    ...(titleBeside(n.item.name, n.title) ? [titleBeside(n.item.name, n.title)] : []),
    n.title ? `${n.installed ? "Installed" : "On offer"}: revision ${n.installed || n.available}${n.origin ? ` from ${n.origin}` : ""}` : n.available ? `Installed ${n.installed}, on offer ${n.available}${n.origin ? ` from ${n.origin}` : ""}` : `Installed ${n.installed}`,
    "",
    [verdictWords(v.name, takingBack(n)), ownerTurn(v.owner).toLowerCase(), `since ${exact(v.since)}`].filter(Boolean).join(", "),
    v.sentence,
    ...(v.facts ?? []).map((f) => `- ${f.text} (${exact(f.at)})`),
    v.state === "verified" ? "" : v.next ? `Next try: ${exact(v.next)}` : untried(n),
    "",
    `Met so far: ${reached.map((l) => linkWord(l.link, takingBack(n)).toLowerCase()).join(", ") || "nothing yet"}.`,
    `As of ${exact(now)}.`,
  ];
  return lines.join("\n").replace(/\n{3,}/g, "\n\n");
}
