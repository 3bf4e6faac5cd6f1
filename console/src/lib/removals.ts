/** The packages that an update would have taken away, out of the words of the verdict it failed with. */
export function removalsIn(sentence: string): string[] {
  const found = /would have to remove (.+?)(?:, which\b|\.\s|\.?$)/.exec(sentence);
  return found?.[1] ? typedNames(found[1]) : [];
}

/** The names in what a person typed, each once. */
export function typedNames(typed: string): string[] {
  return [...new Set(typed.split(/[\s,]+/).filter(Boolean))];
}

/** The first of the names that no package can have, or nothing. */
export function noPackage(names: string[]): string {
  return names.find((name) => !/^[a-z0-9][a-z0-9+._:-]*$/i.test(name)) ?? "";
}
