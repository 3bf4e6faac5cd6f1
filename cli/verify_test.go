package cli

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"strings"
	"testing"

	"patchbay/wire"
)

func TestAReceiptIsCheckedOffline(t *testing.T) {
	o := newOffline(t)
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	name, err := wire.KeyName(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	pub, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	e, err := wire.Seal(wire.ReceiptDocument, wire.Receipt{Job: "job_1", Verified: true, Target: wire.Target{Name: "openssl", To: "3"}, After: "3"}, key)
	if err != nil {
		t.Fatal(err)
	}
	good, err := json.Marshal(wire.SignedReceipt{Document: *e, Key: pub})
	if err != nil {
		t.Fatal(err)
	}
	o.write("receipt.json", string(good))
	if out := o.do("verify receipt receipt.json"); !strings.Contains(out, "The signature is right") || !strings.Contains(out, "server's word") || !strings.Contains(out, "openssl") {
		t.Error(out)
	}
	if out := o.do("verify receipt receipt.json --agent " + name); strings.Contains(out, "server's word") {
		t.Error(out)
	}
	if out := o.do("verify receipt receipt.json --json"); !strings.Contains(out, `"key_known": false`) || !strings.Contains(out, name) {
		t.Error(out)
	}
	e.Payload[5] ^= 1
	bent, err := json.Marshal(wire.SignedReceipt{Document: *e, Key: pub})
	if err != nil {
		t.Fatal(err)
	}
	o.write("bent.json", string(bent))
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
