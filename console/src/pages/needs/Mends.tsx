import { useState } from "react";
import { count } from "../../lib/text";
import { Ago } from "../../ui/Time";
import "../../styles/need.css";

const few = 6;

/** What an update mends, and since when that could be mended. */
export function Mends({ of: u }: { of: { advisories?: string[] | null; first_at?: string } }) {
  const [all, setAll] = useState(false);
  const list = u.advisories ?? [];
  const rest = list.length - few;
  const shown = all || rest < 3 ? list : list.slice(0, few);
  return (
    <>
      {u.first_at && <><dt>Fix known since</dt><dd><Ago at={u.first_at} />, when an earlier update first carried it</dd></>}
      {list.length > 0 && (
        <>
          <dt>Mends</dt>
          <dd>
            <ul className="advisories">{shown.map((a) => <li key={a} className="mono">{a}</li>)}</ul>
            {rest >= 3 && <button type="button" className="link small" aria-expanded={all} onClick={() => setAll(!all)}>{all ? "Show fewer" : `Show all ${count(list.length, "advisory", "advisories")}`}</button>}
          </dd>
        </>
      )}
    </>
  );
}
