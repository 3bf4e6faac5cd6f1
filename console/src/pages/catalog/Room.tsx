import { useInfiniteQuery } from "@tanstack/react-query";
import { contents } from "../../api/queries";
import type { ContentUsage } from "../../api/types";
import { bytes, count } from "../../lib/text";
import { Ago } from "../../ui/Time";

/** How full the store is, what of that stays, and what would go first. */
export function Room({ usage: u }: { usage: ContentUsage }) {
  const next = useInfiniteQuery(contents({ needed: "no", sort: "turn", limit: 1 })).data?.pages[0]?.items[0];
  const spare = Math.max(0, u.used - u.needed);
  const free = Math.max(0, u.budget - u.used - u.coming);
  const parts = [
    { key: "needed", n: u.needed, words: "needed, never removed" },
    { key: "spare", n: spare, words: "may go when room is needed" },
    { key: "coming", n: u.coming, words: "coming now" },
    { key: "free", n: free, words: "free" },
  ].filter((p) => p.n > 0);
  const over = u.used + u.coming - u.budget;
  return (
    <section className="room" aria-label="Room">
      <p>
        <b>{u.used > 0 ? bytes(u.used) : "Nothing"} of {bytes(u.budget)}</b> <span className="dim">in {count(u.files, "file")}{over > 0 && `, ${bytes(over)} too much: nothing more is taken`}</span>
      </p>
      <div className="room-bar" role="img" aria-label={parts.map((p) => `${bytes(p.n)} ${p.words}`).join(", ")}>
        {parts.map((p) => <span key={p.key} data-part={p.key} style={{ flexGrow: p.n, flexBasis: 0 }} />)}
      </div>
      <ul className="room-legend">
        {parts.map((p) => <li key={p.key}><i data-part={p.key} aria-hidden="true" /> <b>{bytes(p.n)}</b> <span className="dim">{p.words}</span></li>)}
      </ul>
      <p className="dim small">
        {next && next.turn > 0 ? <>When room is needed, <span className="mono room-next">{next.name}</span> goes first ({bytes(next.size)}, {next.used_at ? <>last used <Ago at={next.used_at} /></> : <>never used, added <Ago at={next.added_at} /></>}). </> : u.files > 0 && "Nothing may go: a file that finds no room is refused. "}
        What the catalogue names, an open job installs or a young update may go back to always stays. The budget is set where the server starts, with --content-budget.
      </p>
    </section>
  );
}
