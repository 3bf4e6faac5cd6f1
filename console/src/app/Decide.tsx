import { Button, Checkbox, Modal, SegmentedControl, Select, Textarea, TextInput } from "@mantine/core";
import { keepPreviousData, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { decide, previewApproval } from "../api/acts";
import type { ApprovalWish, Preview, PreviewRecall } from "../api/types";
import { noPackage, typedNames } from "../lib/removals";
import { count } from "../lib/text";
import { useNotice } from "../ui/Notice";
import { Trouble } from "../ui/States";
import { VersionChange } from "../ui/Text";
import { Foretold } from "./Foretold";
import { HeldUp } from "./HeldUp";
import type { Ask } from "./useActs";
import "../styles/decide.css";

type Answer = Ask["answer"];

const verbs: Record<Answer, string> = { approve: "Approve", reject: "Reject", undo: "Undo" };

/** Approve, reject or undo, with what would happen before it does. */
export default function Decide({ ask, close }: { ask: Ask; close: () => void }) {
  const [at, setAt] = useState(0);
  const [now, setNow] = useState(ask.now ?? false);
  const [follow, setFollow] = useState(ask.security && ask.answer !== "undo");
  const [reason, setReason] = useState("");
  const [despite, setDespite] = useState<PreviewRecall[]>([]);
  const [removable, setRemovable] = useState(() => (ask.removes ?? []).join(", "));
  const tell = useNotice();
  const client = useQueryClient();
  const approve = ask.answer === "approve";
  const removals = approve ? typedNames(removable) : [];
  const scope = ask.scopes[at] ?? ask.scopes[0];

  const optional = approve && despite.length === 0;
  const request = wishOf(ask, scope, { reason, follow, now, removals, despite });
  const foretold = useQuery({
    queryKey: ["preview", { ...request, reason: "", allow_removals: [] }],
    queryFn: () => previewApproval({ ...request, reason: reason || "preview" }),
    placeholderData: keepPreviousData,
    staleTime: 0,
  });
  const send = useMutation({
    mutationFn: () => decide(request),
    onSuccess: (done) => {
      tell(doneWords(ask.answer, done.preview, now));
      void client.invalidateQueries();
      close();
    },
  });
  const why = obstacle(ask.answer, !optional && reason.trim() === "",  removals, foretold.data);

  return (
    <Modal opened onClose={close} size={520} title={<span className="decide-title">{verbs[ask.answer]} {ask.subject}</span>}
      closeButtonProps={{ "aria-label": "Close without deciding" }}>
      <form className="stack" onSubmit={(e) => { e.preventDefault(); if (!why) send.mutate(); }}>
        {ask.change && <p><VersionChange {...ask.change} /></p>}
        {ask.scopes.length > 1 ? (
          <Select label="Where" value={String(at)} onChange={(v) => setAt(Number(v))}
            data={ask.scopes.map((s, i) => ({ value: String(i), label: s.where }))} />
        ) : (
          <p className="dim">{scope?.where}</p>
        )}
        {ask.answer !== "reject" && <When now={now} setNow={setNow} />}
        {ask.answer === "undo" ? (
          <p className="dim small">The version before is put back, and this one is not installed again until somebody approves it. A newer one is decided on as always.</p>
        ) : (
          <Checkbox checked={follow} onChange={(e) => setFollow(e.currentTarget.checked)} label={followWords(approve, ask)} />
        )}
        {approve && <Removable ask={ask} typed={removable} type={setRemovable} />}
        <HeldUp ask={ask} by={foretold.data?.held} despite={despite} change={setDespite} />
        <Reason optional={optional} read={approve ? "Whoever asks why it was installed will read it." : "Whoever asks why this is not patched will read it."} typed={reason} type={setReason} />
        <Foretold ask={ask} preview={foretold.data} error={foretold.error} now={now} removals={removals} stale={foretold.isPlaceholderData} />
        {send.error && <Trouble error={send.error} what="Nothing was changed." />}
        <div className="decide-foot">
          {why && <span className="dim small" id="decide-why">{why}</span>}
          <Button variant="default" onClick={close}>Cancel</Button>
          <Button type="submit" color={optional && removals.length === 0 ? undefined : "red.9"} loading={send.isPending} disabled={Boolean(why)} aria-describedby={why ? "decide-why" : undefined}>
            {buttonWords(ask.answer, removals.length > 0, foretold.data)}
          </Button>
        </div>
      </form>
    </Modal>
  );
}

interface Typed {
  reason: string;
  follow: boolean;
  now: boolean;
  removals: string[];
  despite: PreviewRecall[];
}

/** What is asked of the server. */
function wishOf(ask: Ask, scope: Ask["scopes"][number] | undefined, t: Typed): ApprovalWish {
  return {
    level: scope?.level ?? "device",
    target: scope?.target ?? "",
    what: ask.what,
    answer: ask.answer,
    reason: t.reason,
    follow: t.follow,
    now: ask.answer !== "reject" && t.now,
    allow_removals: t.removals,
    despite: t.despite.length > 0 ? t.despite.map((r) => r.key) : undefined,
  };
}

function doneWords(answer: Answer, preview: Preview, now: boolean): string {
  const where = count(preview.devices, "device");
  if (answer === "reject") return `Rejected for ${where}.`;
  return `${answer === "undo" ? "Undo asked for on" : "Approved for"} ${where}.${now ? " It starts at the next check-in." : ""}`;
}

/** What the button will do: "Approve for 1 device, with removal". */
function buttonWords(answer: Answer, removal: boolean, preview?: Preview): string {
  const where = preview ? ` ${answer === "undo" ? "on" : "for"} ${count(preview.devices, "device")}` : "";
  return verbs[answer] + where + (removal ? ", with removal" : "");
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

function Reason({ optional, read, typed, type }: { optional: boolean; read: string; typed: string; type: (typed: string) => void }) {
  return (
    <Textarea label={optional ? "Reason (kept with the decision, may stay empty)" : "Reason"} autosize minRows={optional ? 1 : 2}
      required={!optional} data-autofocus={!optional || undefined} value={typed} onChange={(e) => type(e.currentTarget.value)}
      description={optional ? undefined : read} />
  );
}

/** What apt may take away for it. Folded away unless a failed attempt named something. */
function Removable({ ask, typed, type }: { ask: Ask; typed: string; type: (typed: string) => void }) {
  if (ask.what.all || ask.what.class || ask.what.fix) return null; // removals are allowed one update at a time
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
  if (ask.what.all || ask.what.class || ask.what.fix) return approve ? "Also newer versions of the same updates" : "Also reject newer versions of the same updates";
  return approve ? "Also newer versions from the same source" : "Also reject newer versions from the same source";
}

/** Why the button cannot be pressed, or nothing. */
function obstacle(answer: Answer, unsaid: boolean, removals: string[], preview?: Preview): string {
  if (unsaid) return "Write a reason first.";
  const wrong = noPackage(removals);
  if (wrong) return `“${wrong}” cannot be the name of a package.`;
  if (preview && preview.needs === 0) return answer === "undo" ? "Nothing can be taken back here." : "No device needs this here.";
  return preview ? "" : "Working out what would happen.";
}
