import { Link } from "@tanstack/react-router";
import type { ChainLink, NeedDetail } from "../../api/types";
import { doingWord, linkWord, ownerTurn, verdictWords } from "../../lib/verdicts";
import { paths } from "../../paths";
import { Icon } from "../../ui/Icon";
import { StateMark } from "../../ui/StateMark";
import { Ago, Next, Since } from "../../ui/Time";
import { NeedActs } from "./NeedActs";
import { takingBack, untried } from "./undo";

/**
 * The chain of conditions as a cable through jacks: what is met is small and above, the
 * first that is not is large, what comes after it is only named.
 */
export function Chain({ need: n }: { need: NeedDetail }) {
  const chain = n.chain ?? [];
  const first = chain.findIndex((l) => !l.met);
  const met = first < 0 ? chain : chain.slice(0, first);
  const after = first < 0 || n.verdict.name === "ROLLED_BACK" ? [] : chain.slice(first + 1);
  const done = n.verdict.state === "verified";
  const undo = takingBack(n) || n.verdict.name === "ROLLED_BACK";
  return (
    <ol className="chain" aria-label="The chain of conditions" data-state={n.verdict.state}>
      {met.map((l) => (done && l === met[met.length - 1] ? null : <Met key={l.link} link={l} undo={undo} />))}
      <li className="chain-now" data-done={done || undefined}>
        <Unmet need={n} />
      </li>
      {after.length > 0 && (
        <li className="chain-after">
          <span className="sr">Not reached yet: </span>
          {after.map((l) => linkWord(l.link, undo)).join(" · ")}
        </li>
      )}
    </ol>
  );
}

function Met({ link, undo }: { link: ChainLink; undo: boolean }) {
  return (
    <li className="chain-met">
      <span className="sr">Met: </span>
      <span className="chain-word">{linkWord(link.link, undo)}</span>
      {link.sentence && <span className="dim">{link.sentence}</span>}
      {link.at && <span className="dim nowrap chain-at"><Ago at={link.at} /></span>}
    </li>
  );
}

function Unmet({ need: n }: { need: NeedDetail }) {
  const v = n.verdict;
  const facts = v.facts ?? [];
  return (
    <>
      <p className="chain-verdict" data-state={v.state}>
        <StateMark state={v.state} size={13} />
        <strong>{verdictWords(v.name, takingBack(n))}</strong>
        {v.owner && <span>{ownerTurn(v.owner)}</span>}
        <span className="dim">since <Since at={v.since} /></span>
      </p>
      <p className="chain-sentence">{v.sentence}</p>
      {n.job && (
        <p className="small">
          <Link className="link" {...paths.job(n.job.id)}>{doingWord(n.job.step, n.job.verb === "undo")}</Link>
          {n.job.since && <span className="dim"> since <Since at={n.job.since} /></span>}
          {n.job.why && <span className="dim">: {n.job.why}</span>}
        </p>
      )}
      {facts.length > 0 && (
        <ul className="chain-facts" aria-label="What this rests on">
          {facts.map((f) => (
            <li key={f.text + f.at}>
              <span>{f.text}</span>
              <span className="dim nowrap"><Ago at={f.at} /></span>
            </li>
          ))}
        </ul>
      )}
      {v.state !== "verified" && (
        <p className="chain-next">
          <Icon name="jobs" size={14} />
          {v.next ? <span>Next try <Next at={v.next} /></span> : <span>{untried(n)}</span>}
        </p>
      )}
      <NeedActs need={n} />
    </>
  );
}
