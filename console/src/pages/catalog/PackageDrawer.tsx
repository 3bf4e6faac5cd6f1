import { useQuery } from "@tanstack/react-query";
import { useEffect } from "react";
import { onePackage } from "../../api/queries";
import type { Installer, PackageDetail, Release } from "../../api/types";
import { bytes, count } from "../../lib/text";
import { Icon } from "../../ui/Icon";
import { Loaded } from "../../ui/Loaded";
import { StateMark } from "../../ui/StateMark";
import { Middle } from "../../ui/Text";
import { Ago } from "../../ui/Time";
import { busyElsewhere } from "../../ui/useListKeys";
import { useView } from "../../ui/useView";
import { Bring } from "./Bring";
import { PresenceBar, PresenceLegend } from "./Presence";
import { kindWord } from "./kinds";
import "../../styles/need.css";

/** One program: who has it, its releases, and each installer as it was signed for. */
export default function PackageDrawer({ id }: { id: string }) {
  const [, change] = useView();
  const query = useQuery(onePackage(id));
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      if (event.key === "Escape" && !busyElsewhere(event)) change({ package: undefined });
    };
    addEventListener("keydown", press);
    return () => removeEventListener("keydown", press);
  }, [change]);
  return (
    <aside className="drawer" aria-label="One program of the catalogue">
      <div className="drawer-bar">
        <button type="button" className="plain" aria-label="Close" onClick={() => change({ package: undefined })}><Icon name="close" /></button>
      </div>
      <Loaded query={query} what="This program could not be read." lines={8}>{(p) => <Opened of={p} />}</Loaded>
    </aside>
  );
}

function Opened({ of: p }: { of: PackageDetail }) {
  return (
    <>
      <header>
        <h2 className="package-name">{p.name}</h2>
        <p className="dim">{p.publisher || "publisher not named"}</p>
        <p className="mono small"><Middle text={`${p.provider} ${p.id}`} tail={16} /></p>
      </header>
      <section aria-label="Devices">
        <h3>On devices</h3>
        {p.devices === 0 ? <p className="dim">No device has it, as far as they were read.</p> : <div className="package-on"><PresenceBar of={p} /><PresenceLegend of={p} provider={p.provider} id={p.id} /></div>}
      </section>
      {p.releases.map((r) => <OneRelease key={r.version} of={r} />)}
      {p.releases.length === 0 && <section><p className="dim">It is recognised on devices, and has no release that could be installed.</p></section>}
    </>
  );
}

function OneRelease({ of: r }: { of: Release }) {
  return (
    <section aria-label={`Release ${r.version}`} className="release">
      <h3>
        <span className="version">{r.version}</span>{" "}
        <span className="dim">{r.released_at ? <>released <Ago at={r.released_at} /></> : "release day not known"}{r.security === "yes" && ", mends security faults"}</span>
      </h3>
      {r.recalled && <p className="release-recalled"><StateMark state="failed" size={12} /> <span><b>Recalled.</b> {r.recalled} It is not installed any more, and nothing goes back to it.</span></p>}
      <ul>{r.installers.map((i) => <OneInstaller key={i.sha256} of={i} recalled={Boolean(r.recalled)} />)}</ul>
      {r.installers.length === 0 && <p className="dim small">{count(0, "installer")}</p>}
    </section>
  );
}

function OneInstaller({ of: i, recalled }: { of: Installer; recalled: boolean }) {
  return (
    <li className="installer">
      <p className="spread">
        <b><Middle text={[kindWord(i.kind), i.architecture, i.locale].filter(Boolean).join(" · ")} tail={14} /></b>
        <span className="nowrap dim">{i.scope === "machine" ? "for the machine" : i.scope === "user" ? "for one person" : "for either"}, {bytes(i.size)}</span>
      </p>
      <dl className="facts">
        <dt>File</dt><dd className="mono">{i.file || "not named"}</dd>
        <dt>Signed by</dt>
        <dd>{i.signer ? <span title={`With the certificate ${i.certificate}`}>{i.signer}</span> : <span style={{ color: "var(--waits_person)" }}>nobody: let through unsigned</span>}</dd>
        <dt>SHA-256</dt><dd className="mono hash">{i.sha256}</dd>
        <dt>Store</dt>
        <dd>
          {i.state === "here" ? <span className="row" style={{ gap: 6 }}><StateMark state="verified" /> its file is here</span>
            : recalled ? <span className="dim">not here, and not needed</span>
            : <Bring file={i} />}
        </dd>
      </dl>
    </li>
  );
}
