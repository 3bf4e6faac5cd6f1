import { Button, Modal } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { lazy, Suspense } from "react";
import { catalog } from "../../api/queries";
import type { Catalog, State } from "../../api/types";
import { count, number } from "../../lib/text";
import { paths, type CatalogSearch } from "../../paths";
import { Loaded } from "../../ui/Loaded";
import { Page } from "../../ui/Page";
import { StateMark } from "../../ui/StateMark";
import { Empty } from "../../ui/States";
import { Ago, useNow } from "../../ui/Time";
import { useView } from "../../ui/useView";
import { Files } from "./Files";
import { Commands } from "./Commands";
import { Feeds } from "./Feeds";
import { Programs } from "./Programs";
import "../../styles/catalog.css";

const PackageDrawer = lazy(() => import("./PackageDrawer"));

const tabs: { tab: NonNullable<CatalogSearch["tab"]>; title: string }[] = [
  { tab: "programs", title: "Programs" },
  { tab: "files", title: "Files" },
  { tab: "feeds", title: "Feeds" },
];

/** What may be installed beside what package managers verify, and whether its files are here. */
export function CatalogPage() {
  const [view] = useView();
  const query = useQuery(catalog());
  const [opened, { open, close }] = useDisclosure();
  const c = query.data;
  const tab = view.tab ?? "programs";
  return (
    <Page title="Catalogue" state={c && <Standing catalog={c} />} asOf={c?.as_of}
      act={c && c.root > 0 && c.version > 0 && <Button onClick={open}>Make the next one</Button>}>
      {c && c.version > 0 && <Warnings catalog={c} files={tab !== "files"} />}
      <nav className="tabs catalog-tabs" aria-label="Parts of this page">
        {tabs.map((t) => (
          <Link key={t.tab} {...paths.catalog({ tab: t.tab })} aria-current={t.tab === tab ? "page" : undefined} activeProps={{}}>{t.title}</Link>
        ))}
      </nav>
      {tab === "files" ? (
        <Files />
      ) : tab === "feeds" ? (
        <Feeds />
      ) : (
        <Loaded query={query} what="The catalogue could not be read." lines={8}>
          {(known) => (known.version === 0 ? <NoCatalog root={known.root} /> : <Programs />)}
        </Loaded>
      )}
      <Suspense>{view.package && <PackageDrawer id={view.package} />}</Suspense>
      {c && opened && (
        <Modal opened onClose={close} size={720} title={<h2>Make catalogue {number(c.version + 1)}</h2>} closeButtonProps={{ "aria-label": "Close" }}>
          <Commands version={c.version} root={c.root} />
        </Modal>
      )}
    </Page>
  );
}

function Standing({ catalog: c }: { catalog: Catalog }) {
  if (c.version === 0) return <>There is none: no program is installed beside what package managers verify.</>;
  return (
    <>
      Catalogue {number(c.version)}: {count(c.packages, "program")} in {count(c.installers, "installer")}, signed <Ago at={c.issued_at} /> by{" "}
      {c.signatures === 1 ? "one publisher key" : `${number(c.signatures)} publisher keys`}
      {c.threshold > 1 && ` (${number(c.threshold)} needed)`}, ends <Ago at={c.expires} />.
    </>
  );
}

const day = 24 * 3600_000;

/** What about it asks for somebody, or will soon. */
function Warnings({ catalog: c, files }: { catalog: Catalog; files: boolean }) {
  const now = useNow();
  const left = Date.parse(c.expires ?? "") - now;
  const lines: [State, React.ReactNode][] = [];
  if (left <= 0) lines.push(["failed", <>It ended <Ago at={c.expires} />: devices install nothing of it until the next one is published.</>]);
  else if (left < 30 * day) lines.push(["waits_person", <>It ends <Ago at={c.expires} />: from then on devices install nothing of it. Publish the next one before.</>]);
  if (Date.parse(c.ages_at ?? "") <= now && left > 0) {
    lines.push(["unknown", <>It is more than seven days old: what is newer than it is not known, and devices say so. Sign it anew, also when nothing came out.</>]);
  }
  if (files && c.missing > 0) {
    lines.push(["waits_person", (
      <>
        {c.missing === 1 ? "The file of one installer is" : `The files of ${count(c.missing, "installer")} are`} not here: devices that need {c.missing === 1 ? "it" : "one"} wait.{" "}
        <Link className="link" {...paths.catalog({ tab: "files" })}>{c.missing === 1 ? "Bring it" : "Bring them"}</Link>
      </>
    )]);
  }
  if (lines.length === 0) return null;
  return (
    <ul className="catalog-warnings" aria-label="What is missing">
      {lines.map(([state, text], i) => <li key={i}><StateMark state={state} size={12} /> <span>{text}</span></li>)}
    </ul>
  );
}

function NoCatalog({ root }: { root: number }) {
  return (
    <div className="catalog-first">
      <Empty title={root > 0 ? "No catalogue is published" : "No keys yet that could sign one"}>
        Programs of Windows machines are read and never updated until a catalogue names them, byte for byte.
        It is signed on another machine, with a key that no server has.
      </Empty>
      <section aria-label="What to do first">
        <h2>What to do first</h2>
        <Commands version={0} root={root} />
      </section>
    </div>
  );
}
