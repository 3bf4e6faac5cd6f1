import type { Need } from "../../api/types";
import { titleBeside } from "../../lib/title";
import { VersionChange } from "../../ui/Text";
import { takingBack } from "./undo";

/** What a need would change: `1.0 → 1.1`, or back from there. Of what is an item of its own, what that is. */
export function NeedChange({ need: n }: { need: Need }) {
  if (n.title) {
    const own = <Own name={n.item.name} title={n.title} revision={n.available || n.installed} />;
    return takingBack(n) ? <span className="change-back"><span className="tag">undo</span>{own}</span> : own;
  }
  if (!takingBack(n) || !n.previous) return <VersionChange from={n.installed} to={n.available ?? ""} />;
  return <span className="change-back"><span className="tag">undo</span><VersionChange from={n.installed} to={n.previous} /></span>;
}

/** An update that is an item of its own. Its revision says something only where nothing else does. */
function Own({ name, title, revision }: { name: string; title: string; revision: string }) {
  const beside = titleBeside(name, title);
  return beside ? <span className="own" title={`${title}, revision ${revision}`}>{beside}</span> : <span className="dim">revision {revision}</span>;
}
