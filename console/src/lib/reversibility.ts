import type { Reversible } from "../api/types";

// How an update can be taken back, as people say it. The letters are Patchbay's classes.

export type Letter = "A" | "B" | "C" | "D" | "?";

interface Words {
  /** Where there is little room, under the word "Undo". */
  short: string;
  word: string;
  says: string;
}

const words: Record<Letter, Words> = {
  A: { short: "by manager", word: "taken back by its manager", says: "The package manager takes it back by itself." },
  B: { short: "version kept", word: "old version kept", says: "The device keeps the version before, and can put it back." },
  C: { short: "snapshot only", word: "snapshot only", says: "Only a snapshot or an image of the machine brings the version before back." },
  D: { short: "not possible", word: "cannot be taken back", says: "Nothing brings the version before back." },
  "?": { short: "not known", word: "not known", says: "The device has not told how it could be taken back. It does not count as possible." },
};

/** A class this console does not know is not known: never good. */
export const letterOf = (known?: string): Letter => (known === "A" || known === "B" || known === "C" || known === "D" ? known : "?");

export const backWords = (letter: Letter): Words => words[letter];

/** The classes that there are among devices, the worst first. */
export function worstFirst(r: Reversible): [letter: Letter, devices: number][] {
  const all: [Letter, number][] = [["D", r.not_at_all], ["?", r.unknown], ["C", r.by_snapshot], ["B", r.by_kept], ["A", r.by_manager]];
  return all.filter(([, n]) => n > 0);
}
