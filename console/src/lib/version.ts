export interface Change {
  same: string;
  from: string;
  to: string;
}

/**
 * Splits two versions into what they share at the front and what differs. The cut is made
 * at a separator, so that 3.0.15 → 3.0.17 shows "15" and "17", not "5" and "7".
 */
export function versionChange(from: string, to: string): Change {
  let cut = 0;
  for (let i = 0; i < from.length && i < to.length && from[i] === to[i]; i++) {
    if (/[^0-9A-Za-z]/.test(from.charAt(i))) cut = i + 1;
  }
  return { same: from.slice(0, cut), from: from.slice(cut), to: to.slice(cut) };
}
