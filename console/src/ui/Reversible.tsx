import type { Reversible } from "../api/types";
import { backWords, letterOf, worstFirst, type Letter } from "../lib/reversibility";
import { count, number } from "../lib/text";
import "../styles/parts.css";

/** How one update can be taken back: its letter and a plain word. In full where there is room. */
export function Back({ known, why, full = false }: { known?: string; why?: string; full?: boolean }) {
  const letter = letterOf(known);
  const { word, says, short } = backWords(letter);
  return <Chip letter={letter} said={`Undo: ${letter === "?" ? "" : `${letter}, `}${word}`} title={why || says}>{full ? word : short}</Chip>;
}

/** The same over many devices: the worst of them with its number, all of them when asked. */
export function BackOver({ devices }: { devices: Reversible }) {
  const all = worstFirst(devices);
  const worst = all[0];
  if (!worst) return null;
  const [letter, n] = worst;
  const each = all.map(([l, n]) => `${l === "?" ? "" : `${l}, `}${backWords(l).word}: ${count(n, "device")}`);
  return (
    <Chip letter={letter} said={`Undo: ${each.join("; ")}`} title={each.join("\n")}>
      {all.length > 1 && `${number(n)} `}{backWords(letter).short}
    </Chip>
  );
}

/** It is installed, and the device has nothing to go back to. */
export function NothingKept({ why }: { why: string }) {
  return (
    <span className="back" title={why}>
      <span className="sr">Undo: nothing kept</span>
      <span className="back-letter" aria-hidden="true">–</span>
      <span className="back-word" aria-hidden="true">nothing kept</span>
    </span>
  );
}

function Chip({ letter, said, title, children }: { letter: Letter; said: string; title: string; children: React.ReactNode }) {
  return (
    <span className="back" data-letter={letter} title={title}>
      <span className="sr">{said}</span>
      <span className="back-letter" aria-hidden="true">{letter}</span>
      <span className="back-word" aria-hidden="true">{children}</span>
    </span>
  );
}
