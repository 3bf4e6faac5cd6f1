import type { ReactNode } from "react";
import { CopyLine } from "../../ui/Copy";

/** How the next catalogue comes about. The exact lines, and on which machine each is run. */
export function Commands({ version, root }: { version: number; root: number }) {
  const file = `catalog-v${version + 1}.json`;
  const last = version > 0 ? `catalog-v${version}.json` : "";
  const rootFile = `root-v${Math.max(1, root)}.json`;
  const steps: { title: string; where: string; about: ReactNode; line: string }[] = [];
  if (root === 0) {
    steps.push(
      { title: "Make the keys", where: "Away from the server", about: "Root and publisher keys, and the first root. Copy each root key to sticks that lie apart.", line: "patchbay key init keys" },
      { title: "Publish the root", where: "Here", about: "From then on devices hold to it.", line: `patchbay trust publish keys/${rootFile}` },
    );
  }
  steps.push(
    {
      title: "Pin what may be installed",
      where: "Away from the server",
      about: <>In place of <code>7zip.7zip</code> any package of winget; <code>winget-pkgs</code> is a copy of its manifests. Without the installer at hand, <code>--fetch</code> downloads it. What its maker did not sign needs <code>--unsigned 7zip.7zip</code>.</>,
      line: ["patchbay catalog pin", file, "7zip.7zip --root", rootFile, last && `--last ${last}`, "--from winget-pkgs --installer 7z2408-x64.exe"].filter(Boolean).join(" "),
    },
    { title: "Read and sign it", where: "Away from the server", about: "It shows what is in it and what changed. Once for each key of the publisher that must sign.", line: ["patchbay sign", file, "--root", rootFile, last && `--previous ${last}`, "--with publisher.key"].filter(Boolean).join(" ") },
    { title: "Bring the installers", where: "Anywhere with this server's API key", about: "Devices fetch them from here, and never from their makers.", line: "patchbay content add 7z2408-x64.exe" },
    { title: "Publish it", where: "Anywhere with this server's API key", about: "Devices take it when they next check in.", line: `patchbay trust publish ${file}` },
  );
  return (
    <ol className="commands">
      {steps.map((s) => (
        <li key={s.title}>
          <p><b>{s.title}</b> <span className="dim small">{s.where}</span></p>
          <CopyLine text={s.line} />
          <p className="dim small">{s.about}</p>
        </li>
      ))}
    </ol>
  );
}
