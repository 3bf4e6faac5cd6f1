package agentapi

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"net/http"
	"testing"
	"time"

	"patchbay/server/ca"
	"patchbay/server/store"
	"patchbay/wire"
)

// machine is a machine with an agent's disk: an original or a copy of one.
type machine struct {
	enrolled
	key   *ecdsa.PrivateKey
	boot  string
	nonce string
}

// setUp lets a machine in.
func (s *scene) setUp(t testing.TB, boot string) *machine {
	t.Helper()
	e := s.enrol(t)
	transport := e.client.Transport.(*http.Transport)
	m := &machine{enrolled: e, boot: boot, key: transport.TLSClientConfig.Certificates[0].PrivateKey.(*ecdsa.PrivateKey)}
	if d := s.speak(t, m); d != nil {
		t.Fatalf("doubted at once: %+v", d)
	}
	return m
}

// copy is another machine with the same disk.
func (m *machine) copy(boot string) *machine {
	c := *m
	c.boot = boot
	return &c
}

// speak checks in and keeps the nonce; it gives the doubt, if there is one.
func (s *scene) speak(t testing.TB, m *machine) *wire.Doubt {
	t.Helper()
	in := m.says(hostSection(t))
	in.BootID, in.Nonce = m.boot, m.nonce
	status, body := post(t, m.client, s.server.URL+"/agent/v1/checkin", in)
	switch status {
	case http.StatusOK:
		var r wire.Reply
		if err := json.Unmarshal(body, &r); err != nil {
			t.Fatal(err)
		}
		if r.Nonce != "" {
			m.nonce = r.Nonce
		}
		return nil
	case http.StatusConflict:
		var d wire.Doubt
		if err := json.Unmarshal(body, &d); err != nil {
			t.Fatal(err)
		}
		return &d
	}
	t.Fatalf("%d %s", status, body)
	return nil
}

// renewal asks for a certificate for key, signed by the machine's own.
func (s *scene) renewal(t testing.TB, m *machine, key *ecdsa.PrivateKey, become string) (int, wire.Renewed) {
	t.Helper()
	csr, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{}, key)
	if err != nil {
		t.Fatal(err)
	}
	e, err := wire.Seal(wire.RenewalDocument, wire.Renewal{Version: 1, Agent: m.Agent, CSR: csr, BootID: m.boot, Become: become,
		Facts: &wire.Facts{Hostname: "copy-" + m.boot, BootID: m.boot}}, m.key)
	if err != nil {
		t.Fatal(err)
	}
	status, body := post(t, s.client(nil), s.server.URL+"/agent/v1/renew", e)
	var out wire.Renewed
	if status == http.StatusOK {
		if err := json.Unmarshal(body, &out); err != nil {
			t.Fatal(err)
		}
	}
	return status, out
}

func newP256(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// at moves the server's clock.
func (s *scene) at(now *time.Time) { s.api.Options.Now = func() time.Time { return *now } }

func TestACertificateIsRenewedForTheKeyOnRecordAlone(t *testing.T) {
	s := newScene(t)
	m := s.setUp(t, "a")
	later := time.Now().Add(400 * 24 * time.Hour) // its certificate is long over
	s.at(&later)
	status, out := s.renewal(t, m, m.key, "")
	if status != http.StatusOK || out.Agent != m.Agent {
		t.Fatalf("%d %+v", status, out)
	}
	leaf, err := x509.ParseCertificate(out.Certificate)
	if err != nil || ca.AgentOf(leaf) != m.Agent || leaf.NotAfter.Before(later.Add(6*24*time.Hour)) {
		t.Errorf("%+v, %v", leaf, err)
	}
	if status, _ := s.renewal(t, m, newP256(t), ""); status != http.StatusBadRequest {
		t.Errorf("another key: %d", status)
	}
	stranger := m.copy("a")
	stranger.key = newP256(t)
	if status, _ := s.renewal(t, stranger, stranger.key, ""); status != http.StatusForbidden {
		t.Errorf("a stranger in its name: %d", status)
	}
	if status, _ := s.renewal(t, m, newP256(t), "wrd_guessed"); status != http.StatusForbidden {
		t.Errorf("an identity nobody offered: %d", status)
	}
	h := s.store.Customer(store.Who{ID: "per_test"}, s.customer)
	if err := h.RetireDevice(context.Background(), later, m.Device); err != nil {
		t.Fatal(err)
	}
	s.api.Forget(m.Agent)
	if status, _ := s.renewal(t, m, m.key, ""); status != http.StatusForbidden {
		t.Errorf("a revoked one: %d", status)
	}
}

func TestNothingIsTakenFromAMachineInDoubt(t *testing.T) {
	s := newScene(t)
	now := time.Now()
	s.at(&now)
	m := s.setUp(t, "a")
	before := s.received
	clone := m.copy("b")
	if d := s.speak(t, clone); d == nil || d.Become != "" || d.Next < 1 || s.called != 1 {
		t.Fatalf("%+v; the one on record was called %d times", d, s.called)
	}
	if s.received != before {
		t.Error("something was taken from it")
	}
	now = now.Add(80 * time.Second) // nobody else spoke: it is the same machine after a restart
	if d := s.speak(t, clone); d != nil {
		t.Fatalf("still doubted: %+v", d)
	}
}

// Two hundred machines started from one image become two hundred devices, and at no time
// are two of them taken for the one on record.
func TestCopiesOfOneImageBecomeDevices(t *testing.T) {
	const copies = 200
	s := newScene(t)
	now := time.Now()
	s.at(&now)
	image := s.setUp(t, "image")
	now = now.Add(24 * time.Hour)
	machines := make([]*machine, copies)
	for i := range machines {
		machines[i] = image.copy(fmt.Sprintf("boot-%d", i))
	}
	accepted, became := map[int]bool{}, map[int]string{}
	began := now
	for round := 0; len(became) < copies-1 && round < 60; round++ {
		now = now.Add(15 * time.Second)
		for i, m := range machines {
			if became[i] != "" {
				continue
			}
			now = now.Add(time.Millisecond)
			d := s.speak(t, m)
			if d == nil {
				accepted[i] = true
			} else if d.Become != "" {
				key := newP256(t)
				status, out := s.renewal(t, m, key, d.Become)
				if told := s.speak(t, m); told == nil || told.Become != d.Become { // the reply was lost
					t.Fatalf("it became another, does not know it, and is told %+v", told)
				}
				again, same := s.renewal(t, m, key, d.Become)
				if status != http.StatusOK || again != status || same.Agent != out.Agent || out.Agent == m.Agent || out.Device == m.Device {
					t.Fatalf("%d %+v, then %d %+v", status, out, again, same)
				}
				if status, _ := s.renewal(t, m, newP256(t), d.Become); status != http.StatusForbidden {
					t.Fatalf("one word gave two identities: %d", status)
				}
				became[i] = out.Device
				own := &machine{enrolled: m.enrolled, key: key, boot: m.boot}
				own.Agent, own.Device = out.Agent, out.Device
				own.client = s.client(&tls.Certificate{Certificate: [][]byte{out.Certificate}, PrivateKey: key})
				if d := s.speak(t, own); d != nil {
					t.Fatalf("its own identity is doubted: %+v", d)
				}
			}
		}
	}
	if len(accepted) != 1 || len(became) != copies-1 {
		t.Fatalf("%d were taken for the one on record, %d became devices", len(accepted), len(became))
	}
	t.Logf("%d copies are %d records after %s", copies, copies, now.Sub(began))
	devices, err := s.store.Customer(store.Who{ID: "per_test"}, s.customer).Devices(context.Background(), store.DeviceFilter{})
	if err != nil {
		t.Fatal(err)
	}
	named := 0
	for _, d := range devices {
		if d.CopyOf == image.Device {
			named++
		}
	}
	if len(devices) != copies || named != copies-1 {
		t.Errorf("%d devices, %d named as copies", len(devices), named)
	}
}

func TestASnapshotIsReadAnew(t *testing.T) {
	s := newScene(t)
	now := time.Now()
	s.at(&now)
	m := s.setUp(t, "a")
	snapshot := m.copy("a") // with its memory
	for range 3 {
		now = now.Add(2 * time.Hour)
		s.speak(t, m)
	}
	if d := s.speak(t, snapshot); d != nil {
		t.Fatalf("kept out: %+v", d)
	}
	device, err := s.store.Customer(store.Who{ID: "per_test"}, s.customer).Device(context.Background(), m.Device)
	if err != nil || device.FreshAfter == nil || device.FreshAfter.Before(now.Add(-time.Second)) {
		t.Errorf("not asked to be read anew: %v, %v", device.FreshAfter, err)
	}
}
