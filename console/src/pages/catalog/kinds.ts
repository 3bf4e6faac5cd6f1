const words: Record<string, string> = {
  msi: "MSI", wix: "MSI (WiX)", burn: "Burn bundle", inno: "Inno Setup", nullsoft: "NSIS", exe: "EXE", zip: "Archive", portable: "Portable program",
};

/** What made an installer. A kind that is not known here is shown as it is written. */
export const kindWord = (kind: string): string => words[kind] ?? kind;
