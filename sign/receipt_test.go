package sign

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"patchbay/provider"
	"patchbay/wire"
)

func receiptOf(change ...func(*wire.Receipt)) wire.Receipt {
	r := wire.Receipt{Job: "job_1", Device: "dev_1", Agent: "agt_1", Decision: "apv_1", Verified: true, Before: "3.0.15-1", After: "3.0.17-1",
		Target:     wire.Target{Provider: "apt", Name: "openssl", Architecture: "amd64", From: "3.0.15-1", To: "3.0.17-1"},
		Changes:    []provider.Change{{Name: "openssl", From: "3.0.15-1", To: "3.0.17-1", Asked: true}, {Name: "libnew", To: "1"}, {Name: "libold", From: "2"}},
		BootBefore: "b1", BootAfter: "b2", StartedAt: t0, EndedAt: t0.Add(time.Minute), Step: wire.StepDone, Message: "openssl is now 3.0.17-1.",
		Orders: wire.OrdersVersion{Epoch: 2, Version: 7}}
	for _, f := range change {
		f(&r)
	}
	return r
}

func TestAReceiptIsSaidInPlainWords(t *testing.T) {
	for name, c := range map[string]struct {
		receipt wire.Receipt
		want    []string
	}{
		"verified": {receiptOf(), []string{`"3.0.15-1" before, "3.0.17-1" wanted, "3.0.17-1" after.`, "Yes: a scan", "The machine restarted in between.",
			`"libnew": installed, "1"`, `"libold": removed, was "2"`, "By orders 7 of epoch 2"}},
		"not verified": {receiptOf(func(r *wire.Receipt) { r.Verified, r.After, r.BootAfter = false, "", "b1" }),
			[]string{"No: nothing proves", "unknown after", "did not restart"}},
		"boots unknown": {receiptOf(func(r *wire.Receipt) { r.BootAfter = "" }), []string{"unknown."}},
		"forced": {receiptOf(func(r *wire.Receipt) { r.Forced, r.Approval = "Ann", "apv_9" }),
			[]string{`Outside its window, by "Ann"`, `under the signed approval "apv_9"`}},
		"settings": {receiptOf(func(r *wire.Receipt) { r.Conflicts = []provider.Conflict{{Path: "/etc/ssl/openssl.cnf"}} }), []string{`"/etc/ssl/openssl.cnf"`}},
	} {
		text := ShowReceipt(c.receipt)
		for _, want := range c.want {
			if !strings.Contains(strings.ToLower(text), strings.ToLower(want)) {
				t.Errorf("%s: no %q in\n%s", name, want, text)
			}
		}
	}
}

func TestAReceiptObeysNoDevice(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.OneOf(rapid.String(), rapid.Just(hostile))
		harmless(t, ShowReceipt(wire.Receipt{Job: text.Draw(t, "job"), Device: text.Draw(t, "device"), Decision: text.Draw(t, "decision"),
			Target: wire.Target{Provider: text.Draw(t, "provider"), Name: text.Draw(t, "name"), Architecture: text.Draw(t, "architecture"), To: text.Draw(t, "to")},
			Before: text.Draw(t, "before"), After: text.Draw(t, "after"), Message: text.Draw(t, "message"), Step: wire.Step(text.Draw(t, "step")),
			Forced: text.Draw(t, "forced"), Approval: text.Draw(t, "approval"),
			Changes:   []provider.Change{{Name: text.Draw(t, "changed"), To: text.Draw(t, "new")}},
			Conflicts: []provider.Conflict{{Path: text.Draw(t, "path")}}}))
		harmless(t, ShowReceipt(wire.Receipt{Job: text.Draw(t, "job"), Device: text.Draw(t, "device"), Notice: &wire.Notice{Said: text.Draw(t, "said"), Session: 1,
			User: text.Draw(t, "user"), Choices: []string{text.Draw(t, "choice")}, Answer: text.Draw(t, "answer"), Problem: text.Draw(t, "problem")}}))
	})
}
