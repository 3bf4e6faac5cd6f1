import { Button, Tooltip } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { retryNeed } from "../../api/acts";
import type { NeedDetail } from "../../api/types";
import { useDecide } from "../../app/useActs";
import { paths } from "../../paths";
import { useNotice } from "../../ui/Notice";
import { Trouble } from "../../ui/States";
import { askFor, wouldRemove } from "./asks";
import { itemName } from "./itemName";
import { installedHere, takingBack } from "./undo";

/** The one act that can help, and beside it what else a person may say. */
export function NeedActs({ need: n }: { need: NeedDetail }) {
  const decide = useDecide();
  const retry = useRetry(n);
  const act = n.verdict.act ?? "";
  const best = helping(n, { approve: () => decide(askFor("approve", n)), force: () => decide(askFor("approve", n, true)), undo: () => decide(askFor("undo", n, true)), back: () => decide(askFor("undo", n)), retry });
  const removes = wouldRemove(n).length > 0 && n.can.retry === "";
  const others: [string, string, () => void][] = [
    ["Try again", removes ? "" : n.can.retry || "said by the first button", () => retry.mutate()],
    ["Approve", n.can.approve, () => decide(askFor("approve", n))],
    ["Install all the same", n.held?.length ? "" : "nothing holds it", () => decide(askFor("approve", n))],
    ["Install now", n.can.force, () => decide(askFor("approve", n, true))],
    ["Reject", n.verdict.name === "ROLLED_BACK" ? "the undo says no already" : n.can.reject, () => decide(askFor("reject", n))],
    ["Undo", takingBack(n) ? "is at work" : n.can.undo, () => decide(askFor("undo", n))],
  ];
  const open = others.filter(([word, why]) => why === "" && !(word === "Undo" && act === "undo") && !(word === "Approve" && act === "approve") && !(word === "Install now" && act === "force"));
  const shut = installedHere(n) && !takingBack(n) ? n.can.undo : "";
  if (!best && open.length === 0 && shut === "") return null;
  return (
    <div className="stack" style={{ gap: 8 }}>
      <div className="row need-acts">
        {best}
        {open.map(([word, , go]) => (
          <Button key={word} size="xs" variant="default" onClick={go}>{word}{word !== "Try again" && "…"}</Button>
        ))}
        {shut && <Possible why={shut}><Button size="xs" variant="default" disabled>Undo…</Button></Possible>}
      </div>
      {retry.error && <Trouble error={retry.error} what="It was not tried again." />}
    </div>
  );
}

interface Doers {
  approve: () => void;
  force: () => void;
  undo: () => void;
  /** In the window. */
  back: () => void;
  retry: ReturnType<typeof useRetry>;
}

function helping(n: NeedDetail, doers: Doers): ReactNode {
  switch (n.verdict.act) {
    case "approve":
      return <Possible why={n.can.approve}><Button size="xs" onClick={doers.approve} disabled={n.can.approve !== ""}>{n.verdict.name === "ROLLED_BACK" ? "Approve again…" : "Approve…"}</Button></Possible>;
    case "force":
      if (takingBack(n)) return <Possible why={n.can.undo}><Button size="xs" onClick={doers.undo} disabled={n.can.undo !== ""}>Undo now…</Button></Possible>;
      return <Possible why={n.can.force}><Button size="xs" onClick={doers.force} disabled={n.can.force !== ""}>Install now…</Button></Possible>;
    case "retry":
      if (wouldRemove(n).length > 0) return <Possible why={n.can.retry}><Button size="xs" onClick={doers.approve} disabled={n.can.retry !== ""}>Approve the removal…</Button></Possible>;
      return (
        <Possible why={n.can.retry}>
          <Button size="xs" loading={doers.retry.isPending} onClick={() => doers.retry.mutate()} disabled={n.can.retry !== ""}>Try again</Button>
        </Possible>
      );
    case "undo":
      return <Possible why={n.can.undo}><Button size="xs" onClick={doers.back} disabled={n.can.undo !== ""}>Undo…</Button></Possible>;
    case "settle":
      return <Button size="xs" renderRoot={(p) => <Link {...p} {...paths.site(n.site.id)} />}>Say who installs at {n.site.name}…</Button>;
    case "unhold":
    case "look":
    case "manage":
      return <Button size="xs" variant="default" renderRoot={(p) => <Link {...p} {...paths.device(n.device.id, { tab: "about" })} />}>Look at the device</Button>;
    default:
      return null;
  }
}

/** A button that cannot be pressed says why. */
function Possible({ why, children }: { why: string; children: ReactNode }) {
  if (why === "") return <>{children}</>;
  return <Tooltip label={why} multiline maw={320}><span className="row">{children}<span className="dim small">{why}</span></span></Tooltip>;
}

function useRetry(n: NeedDetail) {
  const client = useQueryClient();
  const tell = useNotice();
  return useMutation({
    mutationFn: () => retryNeed(n.id),
    onSuccess: () => {
      tell(`${itemName(n.item)} is tried again on ${n.device.name}.`);
      void client.invalidateQueries();
    },
  });
}
