import type { ReactNode } from "react";
import { CopyLine } from "../../ui/Copy";

const here = "Anywhere with this server's API key";
const example = "Notepad++.Notepad++";
const installer = "npp.8.7.Installer.x64.exe";

/** How the next catalogue comes about. The exact lines, and on which machine each is run. */
export function Commands({ version, root }: { version: number; root: number }) {
  const file = `catalog-v${version + 1}.json`;
  const last = version > 0 ? `catalog-v${version}.json` : "";
  const folder = root === 0 ? "keys/" : ""; // where they were just made; later each reader has them elsewhere
  const rootFile = `${folder}root-v${Math.max(1, root)}.json`;
  const steps: { title: string; where: string; about: ReactNode; line: string }[] = [];
  if (root === 0) {
    steps.push(
      { title: "Make the keys", where: "Away from the server", about: "Root and publisher keys, and the first root. Copy each root key to sticks that lie apart.", line: "patchbay key init keys" },
      { title: "Publish the root", where: here, about: "From then on devices hold to it.", line: `patchbay trust publish ${rootFile}` },
    );
  }
  steps.push(
    {
      title: "Pin what may be installed",
      where: "Away from the server",
      about: <>In place of <code>{example}</code> any package of winget; <code>winget-pkgs</code> is a copy of its manifests. Without the installer at hand, <code>--fetch</code> downloads it. What its maker did not sign, as 7-Zip, needs <code>--unsigned 7zip.7zip</code>.</>,
      line: ["patchbay catalog pin", file, example, "--root", rootFile, last && `--last ${last}`, "--from winget-pkgs --installer", installer].filter(Boolean).join(" "),
    },
    { title: "Read and sign it", where: "Away from the server", about: "It shows what is in it and what changed. Once for each key of the publisher that must sign.", line: ["patchbay sign", file, "--root", rootFile, last && `--previous ${last}`, `--with ${folder}publisher.key`].filter(Boolean).join(" ") },
    { title: "Bring the installers", where: here, about: "Devices fetch them from here, and never from their makers.", line: `patchbay content add ${installer}` },
    { title: "Publish it", where: here, about: "Devices take it when they next check in.", line: `patchbay trust publish ${file}` },
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
