package wire

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"slices"
	"testing"
)

// A receipt proves something only as the agent signed it, beside that agent's own key.
func TestABentReceiptProvesNothing(t *testing.T) {
	signed := func(docType string) (SignedReceipt, string) {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		name, err := KeyName(key.Public())
		if err != nil {
			t.Fatal(err)
		}
		pub, err := x509.MarshalPKIXPublicKey(key.Public())
		if err != nil {
			t.Fatal(err)
		}
		e, err := Seal(docType, Receipt{Job: "job_1", Verified: true, After: "2"}, key)
		if err != nil {
			t.Fatal(err)
		}
		return SignedReceipt{*e, pub}, name
	}
	good, name := signed(ReceiptDocument)
	if r, key, err := good.Check(); err != nil || key != name || r.Job != "job_1" || !r.Verified {
		t.Fatalf("%+v by %s: %v", r, key, err)
	}
	refused := func(what string, s SignedReceipt) {
		t.Helper()
		if r, _, err := s.Check(); err == nil || r.Job != "" {
			t.Errorf("%s proves %+v", what, r)
		}
	}
	for i := range good.Document.Payload {
		bent := good
		bent.Document.Payload = bytes.Clone(good.Document.Payload)
		bent.Document.Payload[i] ^= 1
		refused("a bent payload", bent)
	}
	bent := good
	bent.Document.Signatures = slices.Clone(good.Document.Signatures)
	bent.Document.Signatures[0].Sig = bytes.Clone(bent.Document.Signatures[0].Sig)
	bent.Document.Signatures[0].Sig[9] ^= 1
	refused("a bent signature", bent)
	bent.Document.Signatures = nil
	refused("no signature", bent)
	other, _ := signed(ReceiptDocument)
	refused("another's key", SignedReceipt{good.Document, other.Key})
	refused("no key", SignedReceipt{Document: good.Document})
	renewal, _ := signed(RenewalDocument)
	refused("another document", renewal)
	renewal.Document.Type = ReceiptDocument
	refused("another document under this name", renewal)
}
