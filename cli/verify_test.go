package cli

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"strings"
	"testing"

	"patchbay/server/view"
	"patchbay/wire"
)

// signedReceipt is one by an agent of its own.
func signedReceipt(t *testing.T, r wire.Receipt) (s wire.SignedReceipt, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if key, err = wire.KeyName(private.Public()); err != nil {
		t.Fatal(err)
	}
	if s.Key, err = x509.MarshalPKIXPublicKey(private.Public()); err != nil {
		t.Fatal(err)
	}
	e, err := wire.Seal(wire.ReceiptDocument, r, private)
	if err != nil {
		t.Fatal(err)
	}
	s.Document = *e
	return s, key
}

func (o *offline) writeJSON(file string, v any) {
	o.t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		o.t.Fatal(err)
	}
	o.write(file, string(data))
}

func TestAReceiptIsCheckedOffline(t *testing.T) {
	o := newOffline(t)
	signed, name := signedReceipt(t, wire.Receipt{Job: "job_1", Verified: true, Target: wire.Target{Name: "openssl", To: "3"}, After: "3"})
	o.writeJSON("receipt.json", signed)
	if out := o.do("verify receipt receipt.json"); !strings.Contains(out, "The signature is right") || !strings.Contains(out, "server's word") || !strings.Contains(out, "openssl") {
		t.Error(out)
	}
	if out := o.do("verify receipt receipt.json --agent " + name); strings.Contains(out, "server's word") {
		t.Error(out)
	}
	if out := o.do("verify receipt receipt.json --json"); !strings.Contains(out, `"key_known": false`) || !strings.Contains(out, name) {
		t.Error(out)
	}
	signed.Document.Payload[5] ^= 1
	o.writeJSON("bent.json", signed)
	o.write("text.json", "verified")
	for line, want := range map[string]string{
		"verify receipt receipt.json --agent p256:0": "another device",
		"verify receipt bent.json":                   "not signed by the key",
		"verify receipt text.json":                   "is not a receipt",
		"verify receipt none.json":                   "none.json",
	} {
		if out, err := o.try("", line); err == nil || !strings.Contains(err.Error(), want) || out != "" {
			t.Errorf("%s: %q, %v", line, out, err)
		}
	}
}

// What people were asked is checked as a receipt is, alone and in a story.
func TestANoticeIsCheckedOffline(t *testing.T) {
	o := newOffline(t)
	signed, name := signedReceipt(t, wire.Receipt{Job: "job_1", Device: "dev_1", Step: wire.StepRebooting,
		Notice: &wire.Notice{Said: "When may it restart?", Session: 1, User: "ann", Choices: []string{"Restart now", "Ask me later"}, Answer: "Ask me later"}})
	o.writeJSON("notice.json", signed)
	for _, want := range []string{"The signature is right", "were asked", "When may it restart?", `Session 1 of "ann"`, `"Ask me later"`} {
		if out := o.do("verify receipt notice.json --agent " + name); !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
	o.writeJSON("story.json", view.Story{Device: view.Ref{ID: "dev_1", Name: "web-01"}, Receipts: []wire.SignedReceipt{signed}})
	if out := o.do("verify story story.json"); !strings.Contains(out, "answer: Ask me later") {
		t.Error(out)
	}
	signed.Document.Payload[len(signed.Document.Payload)-5] ^= 1
	o.writeJSON("notice.json", signed)
	if _, err := o.try("", "verify receipt notice.json"); err == nil {
		t.Error("a bent one is taken")
	}
}

func TestAStoryIsCheckedReceiptByReceipt(t *testing.T) {
	o := newOffline(t)
	target := wire.Target{Name: "openssl", To: "3"}
	good, name := signedReceipt(t, wire.Receipt{Device: "dev_1", Verified: true, Target: target, Before: "2", After: "3"})
	other, _ := signedReceipt(t, wire.Receipt{Device: "dev_1", Target: target})
	foreign, _ := signedReceipt(t, wire.Receipt{Device: "dev_2", Verified: true, Target: target})
	bent := good
	bent.Document.Payload = append([]byte{}, good.Document.Payload...)
	bent.Document.Payload[3] ^= 1
	story := func(receipts ...wire.SignedReceipt) string {
		o.writeJSON("story.json", view.Story{Device: view.Ref{ID: "dev_1", Name: "web-01"}, Receipts: receipts})
		return "verify story story.json"
	}
	if out := o.do(story(good, other)); !strings.Contains(out, "2 receipts of web-01") || !strings.Contains(out, "server's word") || strings.Count(out, " yes ") != 1 || strings.Count(out, " no ") != 1 {
		t.Error(out)
	}
	if out := o.do(story(good) + " --agent " + name); strings.Contains(out, "server's word") {
		t.Error(out)
	}
	if out := o.do(story()); !strings.Contains(out, "0 receipts") {
		t.Error(out)
	}
	for what, c := range map[string]struct {
		receipts []wire.SignedReceipt
		more     string
	}{"another key": {[]wire.SignedReceipt{good, other}, " --agent " + name}, "another device": {[]wire.SignedReceipt{good, foreign}, ""}, "bent": {[]wire.SignedReceipt{bent, good}, ""}} {
		out, err := o.try("", story(c.receipts...)+c.more)
		if err == nil || !strings.Contains(err.Error(), "1 of 2 receipts prove nothing") || strings.Count(out, "NO: ") != 1 {
			t.Errorf("%s: %v\n%s", what, err, out)
		}
	}
	of := view.UpdateStory{Update: view.Update{ID: "upd_1", Provider: "apt", Name: "openssl", Available: "3"},
		Devices: []view.UpdateDevice{{Device: view.Ref{ID: "dev_1"}}, {Device: view.Ref{ID: "dev_2"}}}}
	target.Provider, target.From = "apt", "2"
	back := wire.Target{Provider: "apt", Name: "openssl", From: "3", To: "2"}
	installed, _ := signedReceipt(t, wire.Receipt{Device: "dev_2", Verified: true, Target: target})
	undone, _ := signedReceipt(t, wire.Receipt{Device: "dev_1", Verified: true, Target: back})
	elsewhere, _ := signedReceipt(t, wire.Receipt{Device: "dev_3", Verified: true, Target: target})
	target.To = "4"
	another, _ := signedReceipt(t, wire.Receipt{Device: "dev_1", Verified: true, Target: target})
	of.Receipts = []wire.SignedReceipt{installed, undone}
	o.writeJSON("update.json", of)
	if out := o.do("verify story update.json"); !strings.Contains(out, "2 receipts of openssl 3") || strings.Count(out, " yes ") != 2 {
		t.Error(out)
	}
	of.Receipts = []wire.SignedReceipt{installed, elsewhere, another}
	o.writeJSON("update.json", of)
	if out, err := o.try("", "verify story update.json"); err == nil || !strings.Contains(err.Error(), "2 of 3 receipts") || strings.Count(out, "NO: ") != 2 {
		t.Errorf("%v\n%s", err, out)
	}
	o.write("text.json", `{"items": []}`)
	if _, err := o.try("", "verify story text.json"); err == nil || !strings.Contains(err.Error(), "not a story") {
		t.Error(err)
	}
}
