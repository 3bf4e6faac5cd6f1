package api

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
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
	"testing/fstest"
	"time"

	"patchbay/patch"
	"patchbay/server/access"
	"patchbay/server/ca"
	"patchbay/server/catalog/feeds"
	"patchbay/server/content"
	"patchbay/server/documents"
	"patchbay/server/fleet"
	"patchbay/server/knowledge"
	"patchbay/server/store"
	"patchbay/server/surveyor"
	"patchbay/server/verdict"
	"patchbay/server/view"
	"patchbay/wire"
)

// world is a server on a real database, with an invented fleet behind it.
type world struct {
	t       testing.TB
	store   *store.Store
	access  *access.Access
	fleet   *invented
	engine  *heard
	events  *oneEvent
	server  *httptest.Server
	content *content.Shelf
	feeds   *feeds.Keeper
	source  string // the file that its feed is got from
	log     *bytes.Buffer
	setup   string // the set-up link's token
	cookie  string // of the first administrator, after signedIn
	now     time.Time

	options                Options
	customer, site, device string
}

const testPassword = "correct horse battery"

func newWorld(t testing.TB, beyond bool) *world {
	t.Helper()
	w := &world{t: t, now: time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC), engine: &heard{}, events: &oneEvent{}, log: &bytes.Buffer{}}
	var err error
	if w.store, err = store.Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "api.db")); err != nil {
		t.Fatal(err)
	}
	now := func() time.Time { return w.now }
	w.access, err = access.New(w.store, access.Options{Now: now, BeyondLoopback: beyond,
		Passwords: access.Cost{Memory: 64, Iterations: 1, AtOnce: 2}})
	if err != nil {
		t.Fatal(err)
	}
	if w.setup, err = w.access.SetupToken(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.fleet = &invented{}
	authority, err := ca.Open(t.TempDir(), now())
	if err != nil {
		t.Fatal(err)
	}
	held, err := documents.Open(t.Context(), documents.Options{Store: w.store, Key: authority.OrdersKey(), Authority: authority.Certificate.Raw,
		Addresses: []string{"https://patchbay.test:8421"}, Now: now, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	w.content, err = content.Open(t.Context(), content.Options{Path: filepath.Join(t.TempDir(), "content"), Store: w.store, Budget: 1 << 20,
		Free: func() (int64, error) { return 1 << 50, nil }, Now: now, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	w.source = filepath.Join(t.TempDir(), "feed.txt")
	w.feeds, err = feeds.Open(feeds.Options{Path: filepath.Join(t.TempDir(), "feeds"), Kinds: []feeds.Kind{lines()}, Now: now, Log: slog.New(slog.DiscardHandler),
		Feeds: []feeds.Feed{{Name: "one", Kind: "lines", From: []string{w.source}, Every: time.Hour}}})
	if err != nil {
		t.Fatal(err)
	}
	w.options = Options{Documents: held, Content: w.content, Feeds: w.feeds, Ends: fleet.Ends{Index: fleet.New(time.Hour)}, Surveys: &surveyor.Surveyor{Sources: func() []knowledge.Source { return nil }, Now: now, Log: slog.New(slog.DiscardHandler)}, Software: fleet.New(time.Hour), Looked: fleet.Looked{Index: fleet.New(time.Hour)}, Store: w.store, Access: w.access, Fleet: w.fleet, Agents: w.fleet, Engine: w.engine, Events: w.events,
		Console: fstest.MapFS{"index.html": {Data: []byte("<html>" + nonceMark)}, "assets/app-Ab3dEf9h.js": {Data: bytes.Repeat([]byte("console.log(1);"), 500)},
			"robots.txt": {Data: []byte("User-agent: *")}},
		Log: slog.New(slog.NewTextHandler(&locked{b: w.log}, nil)), Now: now, Version: "test", Installation: "Test MSP",
		AgentURL: "https://patchbay.test:8421", Pin: "00112233445566778899aabbccddeeff"}
	s, err := New(w.options)
	if err != nil {
		t.Fatal(err)
	}
	w.server = httptest.NewServer(s)
	t.Cleanup(func() {
		w.server.Close()
		w.store.Close()
	})
	return w
}

// locked makes a buffer safe for a logger.
type locked struct {
	mu sync.Mutex
	b  *bytes.Buffer
}

func (l *locked) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

// signedIn creates the first administrator.
func (w *world) signedIn() *world {
	w.t.Helper()
	_, cookie, err := w.access.Setup(w.t.Context(), access.First{Token: w.setup, Email: "mia@example.test", Name: "Mia", Password: testPassword})
	if err != nil {
		w.t.Fatal(err)
	}
	w.cookie = cookie
	return w
}

// populated makes a customer with a site and a device that needs things.
func (w *world) populated() *world {
	w.t.Helper()
	w.signedIn()
	c := do[view.Customer](w, 201, "POST", "/customers", NewCustomer{Name: "Müller GmbH"})
	s := do[view.Site](w, 201, "POST", "/customers/"+c.ID+"/sites", NewSite{Name: "Ulm", Zone: "Europe/Berlin"})
	w.customer, w.site = c.ID, s.ID
	w.device = w.enrolled("web-01")
	return w
}

// agentKey is the public key of a new agent.
func agentKey(t testing.TB) []byte {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	return der
}

// enrolled adds a device to store and fleet.
func (w *world) enrolled(name string) string {
	w.t.Helper()
	secret := do[view.NewToken](w, 201, "POST", "/sites/"+w.site+"/tokens", TokenWish{})
	_, text, _ := strings.Cut(secret.SecretLine, "--token ")
	token, err := wire.ParseToken(text)
	if err != nil {
		w.t.Fatalf("the line to copy is %q: %v", secret.SecretLine, err)
	}
	a := store.Agent{ID: patch.NewID(patch.AgentID), Mode: wire.Manage, PublicKey: agentKey(w.t), LastSeen: w.now}
	d := store.Device{ID: patch.NewID(patch.DeviceID), Agent: a.ID, Facts: wire.Facts{Hostname: name}}
	h := w.store.Customer(store.Who{ID: "agent:" + a.ID, Name: name}, w.customer)
	if err := h.Enroll(w.t.Context(), w.now, access.TokenHash(token.Secret), a, d); err != nil {
		w.t.Fatal(err)
	}
	w.fleet.add(view.Device{ID: d.ID, Name: name, Customer: view.Ref{ID: w.customer, Name: "Müller GmbH"},
		Site: view.Ref{ID: w.site, Name: "Ulm"}, Agent: view.Agent{ID: a.ID, Mode: wire.Manage, LastSeen: w.now, EnrolledAt: w.now}, State: view.DeviceOK})
	return d.ID
}

// call sends a request as the administrator and gives status and body.
func (w *world) call(method, path string, body any) (int, []byte) {
	w.t.Helper()
	var reader io.Reader
	switch b := body.(type) {
	case nil:
	case string:
		reader = strings.NewReader(b)
	default:
		text, err := json.Marshal(b)
		if err != nil {
			w.t.Fatal(err)
		}
		reader = bytes.NewReader(text)
	}
	r, err := http.NewRequest(method, w.server.URL+base+path, reader)
	if err != nil {
		w.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	answer := w.send(r)
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return answer.StatusCode, text
}

// send sends a request with the administrator's cookie, when there is one.
func (w *world) send(r *http.Request) *http.Response {
	w.t.Helper()
	if w.cookie != "" && r.Header.Get("Cookie") == "" && r.Header.Get("Authorization") == "" {
		r.AddCookie(&http.Cookie{Name: access.CookieName, Value: w.cookie})
	}
	answer, err := w.server.Client().Transport.RoundTrip(r)
	if err != nil {
		w.t.Fatal(err)
	}
	return answer
}

// do sends a request that must answer with a status, and reads the answer.
func do[T any](w *world, status int, method, path string, body any) T {
	w.t.Helper()
	var v T
	got, text := w.call(method, path, body)
	if got != status {
		w.t.Fatalf("%s %s answered %d, want %d: %s", method, path, got, status, text)
	}
	if len(text) > 0 {
		if err := json.Unmarshal(text, &v); err != nil {
			w.t.Fatalf("%s %s: %v in %s", method, path, err, text)
		}
	}
	return v
}

// heard is an engine that only remembers what it was told.
type heard struct {
	due, customers, checkIns, retried []string
}

func (h *heard) Due(devices ...string)       { h.due = append(h.due, devices...) }
func (h *heard) DueCustomer(customer string) { h.customers = append(h.customers, customer) }
func (h *heard) CheckInNow(device string)    { h.checkIns = append(h.checkIns, device) }
func (h *heard) Retry(_ context.Context, by view.Ref, device string, item patch.Key) (string, error) {
	h.retried = append(h.retried, by.Name+" "+device+" "+item.String())
	return "job_1", nil
}

// oneEvent tells every subscriber the same event once.
type oneEvent struct{}

func (*oneEvent) Subscribe(ctx context.Context) <-chan view.Event {
	c := make(chan view.Event, 1)
	c <- view.Event{Kind: "device", Device: "dev_1"}
	context.AfterFunc(ctx, func() { close(c) })
	return c
}

// invented is a fleet of rows that a test puts in.
type invented struct {
	mu       sync.Mutex
	devices  []view.Device
	needs    []view.Need
	notBack  map[string]bool // devices
	postures map[string]view.Posture
	programs map[view.PackageKey]view.Presence
	mends    map[string][]string // by item: CVEs that what is on offer mends
}

// Findings, Exposed and DeviceFindings say that nothing is known of findings.
func (f *invented) Findings(view.Filter) view.Page[view.ExposedTo] {
	return view.Page[view.ExposedTo]{}
}

func (f *invented) Exposed(_ time.Time, _ view.Filter, id string) view.Exposure {
	return view.Exposure{ID: id}
}

func (f *invented) DeviceFindings(string) view.DeviceFindings { return view.DeviceFindings{} }

func (f *invented) add(d view.Device) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.devices = append(f.devices, d)
}

// need adds a need for an update and gives its ID.
func (f *invented) need(device, name, version string, v verdict.Name, link verdict.Link, classes ...patch.Class) string {
	f.mu.Lock()
	defer f.mu.Unlock()
	i := slices.IndexFunc(f.devices, func(d view.Device) bool { return d.ID == device })
	d, item := f.devices[i], view.ItemKey{Provider: "apt", Name: name, Architecture: "amd64"}
	n := view.Need{ID: view.NeedID(device, item.Key()), Device: view.Ref{ID: d.ID, Name: d.Name}, Customer: d.Customer, Site: d.Site,
		Item: item, Installed: "1", Available: version, Origin: "Debian", Classes: classes, Update: view.UpdateID("apt", name, version, "Debian"),
		Verdict: verdict.Verdict{Name: v, State: verdict.StateOf(v), Link: link}, Can: view.NeedCan{Retry: "It has not failed."}}
	if v == verdict.FAILED {
		n.Can.Retry = ""
	}
	f.needs = append(f.needs, n)
	return n.ID
}

func (f *invented) Devices(_ time.Time, q view.Filter) view.Page[view.Device] {
	f.mu.Lock()
	defer f.mu.Unlock()
	rows := chosen(f.devices, func(d view.Device) bool {
		return (q.Customer == "" || d.Customer.ID == q.Customer) && matches(q.Q, d.Name) && (q.State != "not_back" || f.notBack[d.ID])
	})
	_, descending := q.Field("name")
	return view.Paginate(rows, q, descending, func(d view.Device) string { return view.Fold(d.Name) }, func(d view.Device) string { return d.ID })
}

func (f *invented) Device(_ time.Time, id string) (view.Device, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, d := range f.devices {
		if d.ID == id {
			return d, true
		}
	}
	return view.Device{}, false
}

func (f *invented) Needs(_ time.Time, q view.Filter) view.Page[view.Need] {
	f.mu.Lock()
	defer f.mu.Unlock()
	rows := chosen(f.needs, func(n view.Need) bool {
		return (q.Customer == "" || n.Customer.ID == q.Customer) && (q.Site == "" || n.Site.ID == q.Site) &&
			(q.Device == "" || n.Device.ID == q.Device) && (q.Update == "" || n.Update == q.Update) &&
			(q.Class == "" || slices.Contains(n.Classes, patch.Class(q.Class))) && (q.Mends == "" || slices.Contains(f.mends[n.Item.Name], q.Mends)) && (q.State == "" || string(n.Verdict.State) == q.State)
	})
	return view.Paginate(rows, q, false, func(n view.Need) string { return n.Item.Name }, func(n view.Need) string { return n.ID })
}

func (f *invented) Need(_ time.Time, id string) (view.NeedDetail, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, n := range f.needs {
		if n.ID == id {
			return view.NeedDetail{Need: n}, true
		}
	}
	return view.NeedDetail{}, false
}

func (f *invented) Updates(time.Time, view.Filter) view.Page[view.Update] {
	return view.Page[view.Update]{}
}

func (f *invented) Update(_ time.Time, id string) (view.UpdateDetail, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, n := range f.needs {
		if n.Update == id {
			return view.UpdateDetail{Update: view.Update{ID: id, Provider: n.Item.Provider, Name: n.Item.Name, Available: n.Available}}, true
		}
	}
	return view.UpdateDetail{Update: view.Update{ID: id}}, id == "upd_known"
}

func (f *invented) Classes(view.Filter) []view.ClassCount { return []view.ClassCount{} }

func (f *invented) Masters(string) []view.Master { return nil }

func (f *invented) Postures(time.Time, store.Level) map[string]view.Posture { return f.postures }

func (f *invented) Programs(time.Time) map[view.PackageKey]view.Presence { return f.programs }

func (f *invented) Holding(root, limits int64) view.Holding {
	return view.Holding{Agents: len(f.devices), Root: int(root), Limits: int(limits)}
}

func (f *invented) Ages(time.Time, string) []view.AgeCount { return nil }
