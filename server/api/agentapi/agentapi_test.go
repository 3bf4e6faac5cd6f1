package agentapi

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"patchbay/patch"
	"patchbay/server/access"
	"patchbay/server/ca"
	"patchbay/server/store"
	"patchbay/wire"
)

// scene is the agents' side over a real store and real mutual TLS.
type scene struct {
	t                     *testing.T
	api                   *API
	server                *httptest.Server
	authority             *ca.Authority
	store                 *store.Store
	customer, site, token string
	heard, received       int
	called                int
	due                   []string
	version               int64 // of the orders
	mu                    sync.Mutex
	call                  chan struct{}
}

// The engine, as the agents' side sees it.
func (s *scene) Received(_ string, due []string) { s.received, s.due = s.received+1, due }
func (s *scene) Heard(string, time.Time)         { s.heard++ }
func (s *scene) Enrolled(string, string, string) {}
func (s *scene) CheckInNow(string)               { s.called++ }
func (s *scene) Waiting(string) <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.call
}
func (s *scene) Orders(_ context.Context, agent string) (*wire.Envelope, wire.OrdersVersion, error) {
	e, err := wire.Seal(wire.OrdersDocument, wire.Orders{Agent: agent}, s.authority.OrdersKey())
	return e, wire.OrdersVersion{Epoch: 1, Version: s.version}, err
}

func newScene(t testing.TB) *scene {
	t.Helper()
	ctx := t.Context()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	s := &scene{call: make(chan struct{}), customer: patch.NewID(patch.CustomerID), site: patch.NewID(patch.SiteID), version: 1}
	s.t, _ = t.(*testing.T)
	now := time.Now()
	var err error
	s.authority, err = ca.Open(t.TempDir(), now)
	must(err)
	s.store, err = store.Open(ctx, "sqlite:"+filepath.Join(t.TempDir(), "db"))
	must(err)
	t.Cleanup(func() { s.store.Close() })
	w := store.Who{ID: "per_test", Name: "Ann"}
	must(s.store.MSP(w).CreateCustomer(ctx, now, store.CustomerRow{ID: s.customer, Name: "Acme", CreatedAt: now}))
	h := s.store.Customer(w, s.customer)
	must(h.CreateSite(ctx, now, store.Site{ID: s.site, Customer: s.customer, Name: "HQ", Zone: "UTC", CreatedAt: now, ChangedAt: now}))
	secret := wire.Token{Secret: patch.NewID("pbt"), Pin: s.authority.Pin()}
	s.token = secret.String()
	must(h.CreateToken(ctx, now, store.Token{ID: patch.NewID(patch.TokenID), Customer: s.customer, Site: s.site, Mode: wire.Manage, MaxUses: 3,
		CreatedAt: now, CreatedBy: w.ID, ExpiresAt: now.Add(time.Hour)}, access.TokenHash(secret.Secret)))
	s.api = New(Options{Store: s.store, Authority: s.authority, Engine: s, AgentURL: "https://here.example", Next: time.Minute,
		Hold: 10 * time.Millisecond, Now: time.Now, Log: slog.New(slog.DiscardHandler)})
	cert, err := s.authority.ServerCertificate([]string{"127.0.0.1"}, now)
	must(err)
	s.server = httptest.NewUnstartedServer(s.api.Handler())
	s.server.TLS = &tls.Config{Certificates: []tls.Certificate{*cert}, ClientAuth: tls.VerifyClientCertIfGiven, ClientCAs: s.authority.Pool(),
		Time: func() time.Time { return s.api.Now() }}
	s.server.StartTLS()
	t.Cleanup(s.server.Close)
	return s
}

// client speaks with the certificate, or with none.
func (s *scene) client(cert *tls.Certificate) *http.Client {
	config := &tls.Config{RootCAs: s.authority.Pool()}
	if cert != nil {
		config.Certificates = []tls.Certificate{*cert}
	}
	return &http.Client{Transport: &http.Transport{TLSClientConfig: config}}
}

// enrolled is an agent that was let in.
type enrolled struct {
	wire.Enrolled
	client *http.Client
}

func (s *scene) enrol(t testing.TB) enrolled {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	csr, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{}, key)
	if err != nil {
		t.Fatal(err)
	}
	status, body := post(t, s.client(nil), s.server.URL+"/agent/v1/enroll", wire.Enroll{Version: 1, Token: s.token, CSR: csr,
		Mode: wire.Manage, Capabilities: []string{wire.VerbInstall}, Facts: wire.Facts{Hostname: "pc"}})
	if status != http.StatusOK {
		t.Fatalf("%d %s", status, body)
	}
	var e enrolled
	if err := json.Unmarshal(body, &e.Enrolled); err != nil {
		t.Fatal(err)
	}
	e.client = s.client(&tls.Certificate{Certificate: [][]byte{e.Certificate}, PrivateKey: key})
	return e
}

func post(t testing.TB, c *http.Client, url string, message any) (int, []byte) {
	t.Helper()
	text, ok := message.([]byte)
	if !ok {
		var err error
		if text, err = json.Marshal(message); err != nil {
			t.Fatal(err)
		}
	}
	reply, err := c.Post(url, "application/json", bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	defer reply.Body.Close()
	body, err := io.ReadAll(reply.Body)
	if err != nil {
		t.Fatal(err)
	}
	return reply.StatusCode, body
}

func (s *scene) checkIn(t testing.TB, e enrolled, in wire.CheckIn) (int, wire.Reply, string) {
	t.Helper()
	status, body := post(t, e.client, s.server.URL+"/agent/v1/checkin", in)
	var reply wire.Reply
	if status == http.StatusOK {
		if err := json.Unmarshal(body, &reply); err != nil {
			t.Fatal(err)
		}
	}
	return status, reply, string(body)
}

func (e enrolled) says(sections ...wire.Section) wire.CheckIn {
	return wire.CheckIn{Version: 1, Agent: e.Agent, Sent: time.Now(), Mode: wire.Manage, Capabilities: []string{wire.VerbInstall},
		Devices: []wire.DeviceReport{{Device: e.Device, ScannedAt: time.Now(), Digest: wire.Digest(sections), Sections: sections}}}
}

func hostSection(t testing.TB) wire.Section {
	t.Helper()
	body, err := wire.Canonical(wire.Facts{Hostname: "pc", OS: "linux"})
	if err != nil {
		t.Fatal(err)
	}
	return wire.Section{Name: wire.HostSection, Hash: wire.Hash(body), State: wire.SectionOK, ScannedAt: time.Now(), Body: body}
}

func TestUnchangedCheckInsAreAnsweredFromMemory(t *testing.T) {
	s := newScene(t)
	e := s.enrol(t)
	status, first, text := s.checkIn(t, e, e.says(hostSection(t)))
	if status != http.StatusOK || first.Orders == nil || first.Holds != nil || s.received != 1 {
		t.Fatalf("%d %s", status, text)
	}
	same := e.says(hostSection(t))
	same.Devices[0].Sections, same.Seen = nil, wire.OrdersVersion{Epoch: 1, Version: 1}
	for range 3 {
		status, reply, text := s.checkIn(t, e, same)
		if status != http.StatusOK || reply.Orders != nil || reply.Holds != nil {
			t.Fatalf("%d %s", status, text)
		}
	}
	if s.received != 2 { // the orders it has seen are news once
		t.Errorf("%d check-ins were taken for news", s.received)
	}
}

func TestWhoHoldsLessIsTold(t *testing.T) {
	s := newScene(t)
	e := s.enrol(t)
	in := e.says(hostSection(t))
	in.Devices[0].Sections = nil
	if _, reply, text := s.checkIn(t, e, in); len(reply.Holds) != 1 || reply.Holds[0].Digest == in.Devices[0].Digest {
		t.Errorf("the server does not say that it holds nothing: %s", text)
	}
}

func TestOutcomesAreAcknowledgedOnce(t *testing.T) {
	s := newScene(t)
	e := s.enrol(t)
	in := e.says(hostSection(t))
	in.Outcomes = []wire.Outcome{{Seq: 1, Device: e.Device, Job: "job_x", Step: wire.StepDone, Result: wire.ResultOK, At: time.Now()}}
	for range 2 {
		if status, reply, text := s.checkIn(t, e, in); status != http.StatusOK || reply.Acknowledged != 1 {
			t.Errorf("%d %s", status, text)
		}
	}
}

// An agent that has not read its device yet still tells what it did.
func TestAnOutcomeMakesItsDeviceDue(t *testing.T) {
	s := newScene(t)
	e := s.enrol(t)
	in := e.says()
	in.Devices = nil
	in.Outcomes = []wire.Outcome{{Seq: 1, Device: e.Device, Job: "job_x", Step: wire.StepFailed, Result: wire.ResultFailed, At: time.Now()}}
	if status, _, text := s.checkIn(t, e, in); status != http.StatusOK || !slices.Contains(s.due, e.Device) {
		t.Errorf("%d %s; due are %v", status, text, s.due)
	}
}

// What was ordered while the agent held no call is told as soon as it calls, and once.
func TestACallEndsAtOnceWhenThereAreNewerOrders(t *testing.T) {
	s := newScene(t)
	e := s.enrol(t)
	call := func(want int) {
		t.Helper()
		reply, err := e.client.Get(s.server.URL + "/agent/v1/wake")
		if err != nil {
			t.Fatal(err)
		}
		reply.Body.Close()
		if reply.StatusCode != want {
			t.Errorf("the call ended with %d, want %d", reply.StatusCode, want)
		}
	}
	call(http.StatusNoContent) // nobody knows yet what it has seen
	in := e.says(hostSection(t))
	s.checkIn(t, e, in)
	call(http.StatusNoContent) // it was sent the newest, whether it took them or not
	s.version++
	call(http.StatusOK)
	in.Seen = wire.OrdersVersion{Epoch: 1, Version: 1}
	s.checkIn(t, e, in)
	call(http.StatusNoContent)
}

func TestStrangersAreRefused(t *testing.T) {
	s := newScene(t)
	e, other := s.enrol(t), s.enrol(t)
	strange, err := ca.Open(t.TempDir(), time.Now())
	if err != nil {
		t.Fatal(err)
	}
	key, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	csr, _ := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{}, key)
	unknown, _, err := s.authority.SignAgent(csr, patch.NewID(patch.AgentID), time.Now())
	if err != nil {
		t.Fatal(err)
	}
	forged, _, err := strange.SignAgent(csr, e.Agent, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	url := s.server.URL + "/agent/v1/checkin"
	if status, body := post(t, s.client(nil), url, e.says()); status != http.StatusUnauthorized {
		t.Errorf("without a certificate: %d %s", status, body)
	}
	if status, body := post(t, s.client(&tls.Certificate{Certificate: [][]byte{unknown}, PrivateKey: key}), url, e.says()); status != http.StatusForbidden {
		t.Errorf("an agent nobody enrolled: %d %s", status, body)
	}
	if _, err := s.client(&tls.Certificate{Certificate: [][]byte{forged}, PrivateKey: key}).Get(url); err == nil {
		t.Error("a certificate by another authority was let in")
	}
	if status, _, text := s.checkIn(t, e, other.says(hostSection(t))); status != http.StatusBadRequest {
		t.Errorf("in another's name: %d %s", status, text)
	}
	foreign := e.says(hostSection(t))
	foreign.Devices[0].Device = other.Device
	if status, _, text := s.checkIn(t, e, foreign); status != http.StatusBadRequest {
		t.Errorf("about another's device: %d %s", status, text)
	}
	if err := s.store.Customer(store.Who{ID: "per_test"}, s.customer).RetireDevice(t.Context(), time.Now(), e.Device); err != nil {
		t.Fatal(err)
	}
	s.api.Forget(e.Agent)
	if status, _, text := s.checkIn(t, e, e.says()); status != http.StatusForbidden {
		t.Errorf("revoked: %d %s", status, text)
	}
}

func TestEnrolmentRefusesWithoutRepeatingTheToken(t *testing.T) {
	s := newScene(t)
	wrong := wire.Token{Secret: patch.NewID("pbt"), Pin: s.authority.Pin()}
	for name, in := range map[string]any{
		"unknown token": wire.Enroll{Version: 1, Token: wrong.String(), Mode: wire.Manage},
		"no token":      wire.Enroll{Version: 1, Token: wrong.Secret, Mode: wire.Manage},
		"bad request":   wire.Enroll{Version: 1, Token: s.token, CSR: []byte("x"), Mode: wire.Manage},
		"no version":    wire.Enroll{Token: s.token, Mode: wire.Manage},
		"odd mode":      wire.Enroll{Version: 1, Token: s.token, Mode: "everything"},
		"not JSON":      []byte(`{"token":"` + s.token),
		"wrong type":    []byte(`{"v":"` + s.token + `"}`),
	} {
		status, body := post(t, s.client(nil), s.server.URL+"/agent/v1/enroll", in)
		if status < 400 || status >= 500 || bytes.Contains(body, []byte(wrong.Secret)) || bytes.Contains(body, []byte(s.token)) {
			t.Errorf("%s: %d %s", name, status, body)
		}
	}
	devices, err := s.store.Customer(store.Who{ID: "per_test"}, s.customer).Devices(t.Context(), store.DeviceFilter{})
	if err != nil || len(devices) != 0 {
		t.Errorf("%d devices were left behind, %v", len(devices), err)
	}
	s.enrol(t) // none of the refusals used the token up
}

// What a token's mode does not say plainly allows the least.
func TestAnOddTokenLetsNobodyManage(t *testing.T) {
	s := newScene(t)
	secret := wire.Token{Secret: patch.NewID("pbt"), Pin: s.authority.Pin()}
	h := s.store.Customer(store.Who{ID: "per_test"}, s.customer)
	if err := h.CreateToken(t.Context(), time.Now(), store.Token{ID: patch.NewID(patch.TokenID), Customer: s.customer, Site: s.site,
		Mode: "managed", MaxUses: 1, CreatedAt: time.Now(), CreatedBy: "per_test", ExpiresAt: time.Now().Add(time.Hour)}, access.TokenHash(secret.Secret)); err != nil {
		t.Skip("the store keeps no such token: ", err)
	}
	s.token = secret.String()
	e := s.enrol(t)
	if agent, err := h.Agent(t.Context(), e.Agent); err != nil || agent.Mode != wire.Observe {
		t.Errorf("the agent is let in to %s, %v", agent.Mode, err)
	}
}

// hostile are bodies that must be refused whole.
func hostile(e enrolled) map[string][]byte {
	good, _ := json.Marshal(e.says())
	long := strings.Repeat("x", 600)
	return map[string][]byte{
		"empty":          nil,
		"truncated":      good[:len(good)/2],
		"list":           []byte(`[]`),
		"null":           []byte(`null`),
		"number":         []byte(`7`),
		"wrong types":    []byte(`{"v":"1","agent":7,"devices":{}}`),
		"deep":           []byte(strings.Repeat(`{"devices":[`, 20000)),
		"future version": []byte(`{"v":99,"agent":"` + e.Agent + `","mode":"manage"}`),
		"section name":   []byte(`{"v":1,"agent":"` + e.Agent + `","mode":"manage","devices":[{"device":"` + e.Device + `","sections":[{"name":"` + long + `","state":"ok"}]}]}`),
		"section state":  []byte(`{"v":1,"agent":"` + e.Agent + `","mode":"manage","devices":[{"device":"` + e.Device + `","sections":[{"name":"host","state":"fine"}]}]}`),
		"step":           []byte(`{"v":1,"agent":"` + e.Agent + `","mode":"manage","devices":[{"device":"` + e.Device + `","jobs":[{"job":"j","step":"rm -rf"}]}]}`),
		"sequence":       []byte(`{"v":1,"agent":"` + e.Agent + `","mode":"manage","outcomes":[{"seq":-1,"device":"` + e.Device + `","step":"done"}]}`),
		"oversized":      append([]byte(`{"agent":"`), bytes.Repeat([]byte("x"), wire.MaxCheckIn)...),
	}
}

func TestHostileBodiesAreRefusedWhole(t *testing.T) {
	s := newScene(t)
	e := s.enrol(t)
	for name, body := range hostile(e) {
		status, answer := post(t, e.client, s.server.URL+"/agent/v1/checkin", body)
		var p struct{ Detail string }
		if status < 400 || status >= 500 || json.Unmarshal(answer, &p) != nil || p.Detail == "" {
			t.Errorf("%s: %d %.200s", name, status, answer)
		}
	}
	if s.received != 0 {
		t.Error("something of it was taken")
	}
}

func FuzzCheckIn(f *testing.F) {
	s := newScene(f)
	e := s.enrol(f)
	for _, body := range hostile(e) {
		if len(body) < 1<<16 {
			f.Add(body)
		}
	}
	known, err := s.api.sessions.get(f.Context(), s.api, e.Agent)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		r := httptest.NewRequest(http.MethodPost, "/agent/v1/checkin", bytes.NewReader(body))
		w := httptest.NewRecorder()
		s.api.checkIn(w, r, known)
		if w.Code >= 500 {
			t.Fatalf("%d %s for %q", w.Code, w.Body, body)
		}
	})
}
