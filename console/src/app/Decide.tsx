import { Button, Checkbox, Modal, SegmentedControl, Select, Textarea, TextInput } from "@mantine/core";
import { keepPreviousData, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { decide, previewApproval } from "../api/acts";
import type { ApprovalWish, Preview } from "../api/types";
import { noPackage, typedNames } from "../lib/removals";
import { count } from "../lib/text";
import { useNotice } from "../ui/Notice";
import { Trouble } from "../ui/States";
import { Foretold } from "./Foretold";
import type { Ask } from "./useActs";
import "../styles/decide.css";

/** Approve or reject, with what would happen before it does. */
export default function Decide({ ask, close }: { ask: Ask; close: () => void }) {
  const [at, setAt] = useState(0);
  const [now, setNow] = useState(ask.now ?? false);
  const [follow, setFollow] = useState(ask.security);
  const [reason, setReason] = useState("");
  const [removable, setRemovable] = useState(() => (ask.removes ?? []).join(", "));
  const tell = useNotice();
  const client = useQueryClient();
  const approve = ask.answer === "approve";
  const removals = approve ? typedNames(removable) : [];
  const scope = ask.scopes[at] ?? ask.scopes[0];

  const request: ApprovalWish = {
    level: scope?.level ?? "device",
    target: scope?.target ?? "",
    what: ask.what,
    answer: ask.answer,
    reason,
    follow,
    now: approve && now,
    allow_removals: removals,
  };
  const foretold = useQuery({
    queryKey: ["preview", { ...request, reason: "", allow_removals: [] }],
    queryFn: () => previewApproval({ ...request, reason: reason || "preview" }),
    placeholderData: keepPreviousData,
    staleTime: 0,
  });
  const send = useMutation({
    mutationFn: () => decide(request),
    onSuccess: (done) => {
      const where = count(done.preview.devices, "device");
      tell(approve ? `Approved for ${where}.${now ? " It starts at the next check-in." : ""}` : `Rejected for ${where}.`);
      void client.invalidateQueries();
      close();
    },
  });
  const why = obstacle(approve, reason, removals, foretold.data);

  return (
    <Modal opened onClose={close} size={520} title={<span className="decide-title">{approve ? "Approve" : "Reject"} {ask.subject}</span>}
      closeButtonProps={{ "aria-label": "Close without deciding" }}>
      <form className="stack" onSubmit={(e) => { e.preventDefault(); if (!why) send.mutate(); }}>
        {ask.scopes.length > 1 ? (
          <Select label="Where" value={String(at)} onChange={(v) => setAt(Number(v))}
            data={ask.scopes.map((s, i) => ({ value: String(i), label: s.where }))} />
        ) : (
          <p className="dim">{scope?.where}</p>
        )}
        {approve && <When now={now} setNow={setNow} />}
        <Checkbox checked={follow} onChange={(e) => setFollow(e.currentTarget.checked)} label={followWords(approve, ask)} />
        {approve && <Removable ask={ask} typed={removable} type={setRemovable} />}
        <Textarea label={approve ? "Reason (kept with the decision, may stay empty)" : "Reason"} autosize minRows={approve ? 1 : 2}
          required={!approve} data-autofocus={!approve || undefined} value={reason} onChange={(e) => setReason(e.currentTarget.value)}
          description={approve ? undefined : "Whoever asks why this is not patched will read it."} />
        <Foretold preview={foretold.data} error={foretold.error} approve={approve} now={now} removals={removals} stale={foretold.isPlaceholderData} />
        {send.error && <Trouble error={send.error} what="Nothing was changed." />}
        <div className="decide-foot">
          {why && <span className="dim small" id="decide-why">{why}</span>}
          <Button variant="default" onClick={close}>Cancel</Button>
          <Button type="submit" color={approve && removals.length === 0 ? undefined : "red.9"} loading={send.isPending} disabled={Boolean(why)} aria-describedby={why ? "decide-why" : undefined}>
            {buttonWords(approve, removals.length > 0, foretold.data)}
          </Button>
        </div>
      </form>
    </Modal>
  );
}

/** What the button will do: "Approve for 1 device, with removal". */
function buttonWords(approve: boolean, removal: boolean, preview?: Preview): string {
  const where = preview ? ` for ${count(preview.devices, "device")}` : "";
  return (approve ? "Approve" : "Reject") + where + (removal ? ", with removal" : "");
}

function When({ now, setNow }: { now: boolean; setNow: (now: boolean) => void }) {
  return (
    <div>
      <SegmentedControl fullWidth aria-label="When" value={now ? "now" : "window"} onChange={(v) => setNow(v === "now")}
        data={[{ value: "window", label: "In the window" }, { value: "now", label: "Now" }]} />
      <p className="dim small" style={{ marginTop: 6 }}>
        {now
          ? "Starts at each device's next check-in, also outside its window, for the next 4 hours. This is recorded with your name."
          : "Each device waits for the maintenance window of its site."}
      </p>
    </div>
  );
}

/** What apt may take away for it. Folded away unless a failed attempt named something. */
function Removable({ ask, typed, type }: { ask: Ask; typed: string; type: (typed: string) => void }) {
  if (ask.what.all || ask.what.class) return null; // removals are allowed one update at a time
  const known = ask.removes ?? [];
  return (
    <details open={known.length > 0}>
      <summary>It may also remove…</summary>
      <TextInput className="decide-removals" label="Packages that may be removed" value={typed} onChange={(e) => type(e.currentTarget.value)}
        placeholder="none" spellCheck={false} autoComplete="off"
        description={
          known.length > 0
            ? "The last attempt stopped because these packages would have had to go. What is taken out of this list stays, and the update is refused again if it must go."
            : "Names with commas between them. Anything else that would have to be removed stops the update, and nothing is changed."
        } />
    </details>
  );
}

function followWords(approve: boolean, ask: Ask): string {
  if (ask.what.all || ask.what.class) return approve ? "Also newer versions of the same updates" : "Also reject newer versions of the same updates";
  return approve ? "Also newer versions from the same source" : "Also reject newer versions from the same source";
}

/** Why the button cannot be pressed, or nothing. */
function obstacle(approve: boolean, reason: string, removals: string[], preview?: Preview): string {
  if (!approve && reason.trim() === "") return "Write a reason first.";
  const wrong = noPackage(removals);
  if (wrong) return `“${wrong}” cannot be the name of a package.`;
  if (preview && preview.needs === 0) return "No device needs this here.";
  return preview ? "" : "Working out what would happen.";
}
