package agentapi

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"net/http"
	"testing"

	"patchbay/server/ca"
	"patchbay/server/store"
	"patchbay/wire"
)

// A machine that never got the answer asks again with the same key, and is the same device.
func TestALostEnrolmentIsNoSecondDevice(t *testing.T) {
	s := newScene(t)
	newCSR := func() []byte {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		csr, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{}, key)
		if err != nil {
			t.Fatal(err)
		}
		return csr
	}
	ask := func(csr []byte) (e wire.Enrolled) {
		t.Helper()
		status, body := post(t, s.client(nil), s.server.URL+"/agent/v1/enroll", wire.Enroll{Version: 1, Token: s.token, CSR: csr,
			Mode: wire.Manage, Facts: wire.Facts{Hostname: "pc"}})
		if status != http.StatusOK {
			t.Fatalf("%d %s", status, body)
		}
		if err := json.Unmarshal(body, &e); err != nil {
			t.Fatal(err)
		}
		cert, err := x509.ParseCertificate(e.Certificate)
		if err != nil || ca.AgentOf(cert) != e.Agent {
			t.Fatalf("the certificate of %s names another: %v", e.Agent, err)
		}
		return e
	}
	csr := newCSR()
	first := ask(csr)
	for range 5 { // more often than the token has uses
		if again := ask(csr); again.Agent != first.Agent || again.Device != first.Device {
			t.Errorf("it became %s, and was %s", again.Agent, first.Agent)
		}
	}
	if other := ask(newCSR()); other.Agent == first.Agent {
		t.Error("another key got its identity")
	}
	h := s.store.Customer(store.Who{ID: "per_test"}, s.customer)
	_, err := h.Receive(t.Context(), s.api.Now(), wire.CheckIn{Version: 1, Agent: first.Agent, Mode: wire.Manage})
	if err != nil {
		t.Fatal(err)
	}
	if spoken := ask(csr); spoken.Agent == first.Agent {
		t.Error("an agent that has spoken had its answer, and was let in again")
	}
}
