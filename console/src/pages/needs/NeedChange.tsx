import type { Need } from "../../api/types";
import { VersionChange } from "../../ui/Text";
import { takingBack } from "./undo";

/** What a need would change: `1.0 → 1.1`, or back from there. */
export function NeedChange({ need: n }: { need: Need }) {
  if (!takingBack(n) || !n.previous) return <VersionChange from={n.installed} to={n.available ?? ""} />;
  return <span className="change-back"><span className="tag">undo</span><VersionChange from={n.installed} to={n.previous} /></span>;
}
