/** "1 device", "14 devices", "20,000 devices". */
export function count(n: number, one: string, many = one + "s"): string {
  return `${number(n)} ${n === 1 ? one : many}`;
}

export const number = (n: number): string => n.toLocaleString("en-GB");

/** "38 of 41 (2 silent)": never a share without what it is a share of. */
export function outOf(good: number, all: number, silent = 0): string {
  return `${number(good)} of ${number(all)}${silent > 0 ? ` (${number(silent)} silent)` : ""}`;
}

/** Bytes to download; zero is not known. */
export function bytes(n = 0): string {
  if (n <= 0) return "–";
  const units = ["B", "kB", "MB", "GB", "TB"];
  const power = Math.min(units.length - 1, Math.floor(Math.log10(n) / 3));
  const value = n / 1000 ** power;
  return `${value >= 10 || power === 0 ? Math.round(value) : value.toFixed(1)} ${units[power]}`;
}

/** Splits a long name so that the middle can be left out and its end is always seen. */
export function splitMiddle(text: string, tail = 10): [string, string] {
  const letters = [...text];
  if (letters.length <= tail * 2) return [text, ""];
  return [letters.slice(0, -tail).join(""), letters.slice(-tail).join("")];
}

/** Joins as people do: "a, b and c". */
export function list(words: string[]): string {
  if (words.length < 2) return words.join("");
  return `${words.slice(0, -1).join(", ")} and ${words[words.length - 1]}`;
}
