package agent

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"log"
	"log/slog"
	"maps"
	"math/big"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"patchbay/agent/disk"
	"patchbay/agent/enroll"
	"patchbay/agent/identity"
	"patchbay/agent/link"
	"patchbay/patch"
	"patchbay/provider"
	"patchbay/window"
	"patchbay/wire"
)

const (
	testAgent  = "agt_00000000000000000000000000"
	testDevice = "dev_00000000000000000000000000"
)

// memory is a disk that can be cut: at its nth write it stops, before or after the bytes
// are there, or in the middle of them.
type memory struct {
	mu     sync.Mutex
	files  map[string][]byte
	writes int
	cutAt  int    // 0 never
	how    string // "before", "torn", "after"
	cut    func() // called once
	dead   bool
}

var errCut = errors.New("the power is gone")

func (m *memory) Read(name string) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	data, ok := m.files[name]
	if !ok {
		return nil, fs.ErrNotExist
	}
	return bytes.Clone(data), nil
}

// write stores what is there after a write of this many more bytes; torn is what a cut in
// the middle leaves.
func (m *memory) write(name string, whole, torn []byte) error {
	if m.dead {
		return errCut
	}
	m.writes++
	if m.writes != m.cutAt {
		m.files[name] = whole
		return nil
	}
	switch m.how {
	case "torn":
		m.files[name] = torn
	case "after":
		m.files[name] = whole
	}
	m.dead = true
	if m.cut != nil {
		m.cut()
	}
	return errCut
}

func (m *memory) Write(name string, data []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.how == "torn" && m.writes+1 == m.cutAt { // a whole file is never half there
		old, ok := m.files[name]
		if !ok {
			old = nil
		}
		err := m.write(name, data, old)
		if !ok {
			delete(m.files, name)
		}
		return err
	}
	return m.write(name, bytes.Clone(data), nil)
}

func (m *memory) Log(name string, size int64) (disk.Log, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.dead {
		return nil, errCut
	}
	m.files[name] = m.files[name][:size:size]
	return &memoryLog{m, name}, nil
}

func (m *memory) Remove(name string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.files, name)
	return nil
}

// revive is the disk after the power came back.
func (m *memory) revive() *memory {
	m.mu.Lock()
	defer m.mu.Unlock()
	return &memory{files: maps.Clone(m.files)}
}

type memoryLog struct {
	m    *memory
	name string
}

func (l *memoryLog) Append(data []byte) error {
	l.m.mu.Lock()
	defer l.m.mu.Unlock()
	old := l.m.files[l.name]
	return l.m.write(l.name, slices.Concat(old, data), slices.Concat(old, data[:len(data)/2]))
}

func (l *memoryLog) Close() error { return nil }

// machine is a device with one provider that does what it is told.
type machine struct {
	mu        sync.Mutex
	installed map[string]string
	broken    map[string]string
	offered   map[string]string
	shas      map[string]string
	boot      string
	restart   wire.Restart
	scanErr   error
	factsErr  error
	applied   [][]string                                             // names, per call
	stagedN   int                                                    //
	apply     func(provider.Request) (provider.Outcome, bool, error) // true: go on with the installation
}

func newMachine() *machine {
	return &machine{
		installed: map[string]string{"curl": "1.0", "nginx": "2.0", "kernel": "6.0"},
		offered:   map[string]string{"curl": "1.1", "nginx": "2.1", "kernel": "6.1"},
		broken:    map[string]string{}, shas: map[string]string{},
		boot: "boot-1",
	}
}

func (m *machine) kind() provider.Kind {
	return provider.Kind{Name: "apt", Traits: provider.Traits{Versions: "deb", Exact: true, Phase: provider.System},
		Open: func(context.Context, provider.Env) (provider.Provider, error) { return m, nil }}
}

func (m *machine) Installed(context.Context) ([]patch.Item, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var items []patch.Item
	for name, v := range m.installed {
		items = append(items, patch.Item{Provider: "apt", Name: name, Architecture: "amd64", Version: v, Broken: m.broken[name]})
	}
	return items, m.scanErr
}

func (m *machine) Available(context.Context) (patch.Offer, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var o patch.Offer
	for name, v := range m.offered {
		if m.installed[name] != v {
			o.Updates = append(o.Updates, patch.Update{Provider: "apt", Name: name, Architecture: "amd64",
				Installed: m.installed[name], Available: v, SHA256: m.shas[name]})
		}
	}
	return o, m.scanErr
}

func (m *machine) Stage(context.Context, provider.Request) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.stagedN++
	return nil
}

func (m *machine) Apply(_ context.Context, r provider.Request) (provider.Outcome, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var names []string
	for _, u := range r.Updates {
		names = append(names, u.Name)
	}
	slices.Sort(names)
	m.applied = append(m.applied, names)
	o, err := provider.Outcome{}, error(nil)
	if m.apply != nil {
		var on bool
		if o, on, err = m.apply(r); !on {
			return o, err
		}
	}
	for _, u := range r.Updates {
		o.Changes = append(o.Changes, provider.Change{Name: u.Name, Architecture: u.Architecture, From: m.installed[u.Name], To: u.Available, Asked: true})
		m.installed[u.Name] = u.Available
	}
	return o, err
}

func (m *machine) facts(context.Context) (wire.Facts, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return wire.Facts{Hostname: "web1", OS: "linux", BootID: m.boot, Restart: m.restart}, m.factsErr
}

func (m *machine) version(name string) string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.installed[name]
}

func (m *machine) calls() [][]string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.applied)
}

// pipe is a network of one address, without an operating system.
type pipe struct {
	conns chan net.Conn
	mu    sync.Mutex
	down  bool
	dials int
	open  []net.Conn
}

func (p *pipe) Accept() (net.Conn, error) {
	c, ok := <-p.conns
	if !ok {
		return nil, net.ErrClosed
	}
	return c, nil
}

func (p *pipe) Close() error   { close(p.conns); return nil }
func (p *pipe) Addr() net.Addr { return &net.UnixAddr{Name: "pipe"} }

func (p *pipe) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.dials++
	if p.down {
		return nil, errors.New("connection refused")
	}
	near, far := net.Pipe()
	near, far = buffer(near), buffer(far)
	p.open = append(p.open, far)
	select {
	case p.conns <- far:
		return near, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// buffered is an end of a pipe whose writes do not wait for a reader, as a network's do not.
type buffered struct {
	net.Conn
	out  chan []byte
	once sync.Once
	done chan struct{}
}

func buffer(c net.Conn) net.Conn {
	b := &buffered{Conn: c, out: make(chan []byte, 1000), done: make(chan struct{})}
	go func() {
		for {
			select {
			case data := <-b.out:
				b.Conn.Write(data)
			case <-b.done:
				return
			}
		}
	}()
	return b
}

func (b *buffered) Write(data []byte) (int, error) {
	select {
	case <-b.done:
		return 0, net.ErrClosed
	case b.out <- bytes.Clone(data):
		return len(data), nil
	}
}

func (b *buffered) Close() error {
	b.once.Do(func() { close(b.done) })
	return b.Conn.Close()
}

func (p *pipe) dialled() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.dials
}

// cut breaks every connection; nobody answers until it is mended.
func (p *pipe) cut(down bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.down = down
	for _, c := range p.open {
		c.Close()
	}
	p.open = nil
}

// server is as much of a server as an agent can tell.
type server struct {
	t      testing.TB
	net    *pipe
	http   *http.Server
	caKey  *ecdsa.PrivateKey
	ca     *x509.Certificate
	orders ed25519.PrivateKey

	mu       sync.Mutex
	wish     wire.Orders
	envelope *wire.Envelope
	held     map[string]wire.Section
	ack      int64
	outcomes []wire.Outcome
	checkIns []wire.CheckIn
	times    []time.Time
	status   int
	call     chan struct{}
	next     int
	bend     func(*wire.Reply)
}

func newServer(t testing.TB) *server {
	t.Helper()
	s := &server{t: t, net: &pipe{conns: make(chan net.Conn)}, held: map[string]wire.Section{}, next: 300, call: make(chan struct{}, 1)}
	var err error
	if s.caKey, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		t.Fatal(err)
	}
	if _, s.orders, err = ed25519.GenerateKey(rand.Reader); err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(20 * 365 * 24 * time.Hour)}
	s.ca = s.sign(template, template, s.caKey.Public())
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	leaf := s.sign(&x509.Certificate{SerialNumber: big.NewInt(2), DNSNames: []string{"patchbay.example"}, NotBefore: time.Now().Add(-time.Hour),
		NotAfter: time.Now().Add(365 * 24 * time.Hour), ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}, s.ca, key.Public())
	roots := x509.NewCertPool()
	roots.AddCert(s.ca)
	mux := http.NewServeMux()
	mux.HandleFunc("POST /agent/v1/enroll", s.enroll)
	mux.HandleFunc("POST /agent/v1/checkin", s.checkIn)
	mux.HandleFunc("GET /agent/v1/wake", s.wake)
	s.http = &http.Server{Handler: mux, ErrorLog: log.New(io.Discard, "", 0), TLSConfig: &tls.Config{
		Certificates: []tls.Certificate{{Certificate: [][]byte{leaf.Raw, s.ca.Raw}, PrivateKey: key}},
		ClientAuth:   tls.VerifyClientCertIfGiven, ClientCAs: roots, MinVersion: tls.VersionTLS13,
	}}
	s.set(nil)
	go s.http.ServeTLS(s.net, "", "")
	return s
}

func (s *server) close() { s.http.Close() }

func (s *server) sign(template, parent *x509.Certificate, pub any) *x509.Certificate {
	der, err := x509.CreateCertificate(rand.Reader, template, parent, pub, s.caKey)
	if err != nil {
		s.t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		s.t.Fatal(err)
	}
	return cert
}

func (s *server) token() string {
	return wire.Token{Secret: "pbt_" + strings.Repeat("a", 26), Pin: wire.PinOf(s.ca.RawSubjectPublicKeyInfo)}.String()
}

// set makes new orders of the wish.
func (s *server) set(change func(*wire.DeviceOrders)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.wish.Devices == nil {
		s.wish = wire.Orders{Agent: testAgent, Seen: wire.OrdersVersion{Epoch: 1}, Devices: []wire.DeviceOrders{{Device: testDevice}}}
	}
	d := &s.wish.Devices[0]
	if change != nil {
		change(d)
	}
	slices.SortFunc(d.Jobs, func(a, b wire.Job) int { return strings.Compare(a.ID, b.ID) })
	s.wish.Seen.Version++
	s.wish.IssuedAt, s.wish.Expires = time.Now(), time.Now().Add(24*time.Hour)
	envelope, err := wire.Seal(wire.OrdersDocument, s.wish, s.orders)
	if err != nil {
		s.t.Fatal(err)
	}
	s.envelope = envelope
	select {
	case s.call <- struct{}{}:
	default:
	}
}

func (s *server) enroll(w http.ResponseWriter, r *http.Request) {
	var e wire.Enroll
	if err := json.NewDecoder(r.Body).Decode(&e); err != nil || e.Token != s.token() {
		w.WriteHeader(http.StatusForbidden)
		io.WriteString(w, `{"detail":"This token is not known."}`)
		return
	}
	csr, err := x509.ParseCertificateRequest(e.CSR)
	if err != nil || csr.CheckSignature() != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	cert := s.sign(&x509.Certificate{SerialNumber: big.NewInt(3), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(2 * 365 * 24 * time.Hour),
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}, s.ca, csr.PublicKey)
	json.NewEncoder(w).Encode(wire.Enrolled{Agent: testAgent, Device: testDevice, Customer: "Acme", Site: "HQ", Certificate: cert.Raw,
		CA: s.ca.Raw, OrdersKey: s.orders.Public().(ed25519.PublicKey), AgentURL: "https://patchbay.example:8443"})
}

func (s *server) checkIn(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(r.TLS.VerifiedChains) == 0 {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	if s.status != 0 {
		w.WriteHeader(s.status)
		return
	}
	body := io.Reader(r.Body)
	if r.Header.Get("Content-Encoding") == "gzip" {
		z, err := gzip.NewReader(body)
		if err != nil {
			s.t.Error(err)
			return
		}
		body = z
	}
	var c wire.CheckIn
	if err := json.NewDecoder(body).Decode(&c); err != nil {
		s.t.Error(err)
	}
	s.checkIns, s.times = append(s.checkIns, c), append(s.times, time.Now())
	reply := wire.Reply{Version: 1, Time: time.Now(), Next: s.next}
	for _, o := range c.Outcomes {
		if o.Seq > s.ack {
			s.outcomes, s.ack = append(s.outcomes, o), o.Seq
		}
	}
	reply.Acknowledged = s.ack
	for _, d := range c.Devices {
		if h, missing := s.keep(d); missing {
			reply.Holds = append(reply.Holds, h)
		}
	}
	if s.wish.Seen.Newer(c.Seen) {
		reply.Orders = s.envelope
	}
	if s.bend != nil {
		s.bend(&reply)
	}
	json.NewEncoder(w).Encode(reply)
}

// keep stores sections and says what is held when it is not all that was reported.
func (s *server) keep(d wire.DeviceReport) (wire.Held, bool) {
	for _, section := range d.Sections {
		if section.Body == nil && s.held[section.Name].Hash == section.Hash {
			section.Body = s.held[section.Name].Body
		}
		if section.Body != nil && wire.Hash(section.Body) != section.Hash {
			s.t.Errorf("section %s is not what its hash says", section.Name)
		}
		if section.Body != nil || section.Hash == "" {
			s.held[section.Name] = section
		}
	}
	heads := slices.SortedFunc(maps.Values(s.held), func(a, b wire.Section) int { return strings.Compare(a.Name, b.Name) })
	h := wire.Held{Device: d.Device, Digest: wire.Digest(heads), Sections: map[string]string{}}
	for _, section := range heads {
		h.Sections[section.Name] = section.Hash
	}
	return h, h.Digest != d.Digest
}

func (s *server) wake(w http.ResponseWriter, r *http.Request) {
	hold := time.NewTimer(50 * time.Second)
	defer hold.Stop()
	select {
	case <-s.call:
		w.WriteHeader(http.StatusOK)
	case <-hold.C:
		w.WriteHeader(http.StatusNoContent)
	case <-r.Context().Done():
	}
}

func (s *server) told() []wire.Outcome {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.outcomes)
}

func (s *server) heard() []wire.CheckIn {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.checkIns)
}

// world is a server, a machine and the agent between them.
type world struct {
	t       testing.TB
	server  *server
	machine *machine
	disk    *memory
	mode    wire.Mode
	reboot  func(context.Context) error
	key     ecdsa.PublicKey

	agent *Agent
	stop  func()
}

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{t: t, server: newServer(t), machine: newMachine(), disk: &memory{files: map[string][]byte{}}, mode: wire.Manage}
	w.enroll()
	return w
}

func (w *world) enroll() {
	w.t.Helper()
	keys := identity.SoftKey{Dir: w.disk}
	_, err := enroll.Run(context.Background(), enroll.Options{Server: "https://patchbay.example:8443", Token: w.server.token(), Mode: w.mode,
		Disk: w.disk, Keys: keys, Now: time.Now, Dial: w.server.net.dial, Replace: true})
	if err != nil {
		w.t.Fatal(err)
	}
	key, err := keys.Key()
	if err != nil {
		w.t.Fatal(err)
	}
	w.key = *key.Public().(*ecdsa.PublicKey)
}

func (w *world) options() Options {
	return Options{
		Now: time.Now, Build: "test", Disk: w.disk, Keys: identity.SoftKey{Dir: w.disk}, Kinds: []provider.Kind{w.machine.kind()},
		Facts: w.machine.facts, Dial: w.server.net.dial, Reboot: w.reboot, Random: func() float64 { return 0.5 },
		Log: slog.New(slog.NewTextHandler(testWriter{w.t}, nil)),
		Sleep: func(ctx context.Context, d time.Duration) {
			t := time.NewTimer(d)
			defer t.Stop()
			select {
			case <-ctx.Done():
			case <-t.C:
			}
		},
	}
}

// start starts the agent on what the disk holds; false when the disk gave out.
func (w *world) start() bool { return w.startWith(w.options()) }

func (w *world) startWith(o Options) bool {
	w.t.Helper()
	a, err := New(o)
	if errors.Is(err, errCut) {
		return false
	}
	if err != nil {
		w.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	w.disk.mu.Lock()
	w.disk.cut = cancel
	w.disk.mu.Unlock()
	go func() {
		defer close(ended)
		if err := a.Run(ctx); err != nil {
			w.t.Error(err)
		}
	}()
	w.agent, w.stop = a, func() {
		cancel()
		<-ended
		a.Close()
	}
	return true
}

// end stops everything, so that the bubble can.
func (w *world) end() {
	if w.stop != nil {
		w.stop()
	}
	w.server.close()
	w.server.net.cut(true)
}

type testWriter struct{ t testing.TB }

func (w testWriter) Write(p []byte) (int, error) {
	if testing.Verbose() {
		w.t.Log(strings.TrimSpace(string(p)))
	}
	return len(p), nil
}

// job is a wish for one item of the machine, good for a fortnight.
func job(name, from, to string, change ...func(*wire.Job)) wire.Job {
	j := wire.Job{Verb: wire.VerbInstall, Decision: "apr_1", Attempt: 1, NotBefore: time.Now().Add(-time.Minute), NotAfter: time.Now().Add(14 * 24 * time.Hour),
		Target: wire.Target{Provider: "apt", Name: name, Architecture: "amd64", From: from, To: to}}
	for _, f := range change {
		f(&j)
	}
	j.ID = wire.JobID(testDevice, j.Verb, j.Target, j.Decision, j.Attempt)
	return j
}

func always() window.Spec {
	return window.Spec{Opens: []window.Span{{From: time.Now().Add(-time.Hour), Until: time.Now().Add(300 * 24 * time.Hour), Reason: "test"}}}
}

// order makes the jobs the wish, with the window always open.
func (w *world) order(jobs ...wire.Job) {
	w.server.set(func(d *wire.DeviceOrders) { d.Windows, d.Jobs = always(), jobs })
}

// last is the last outcome told of a job.
func (w *world) last(j wire.Job) wire.Outcome {
	w.t.Helper()
	told := w.server.told()
	for _, o := range slices.Backward(told) {
		if o.Job == j.ID {
			return o
		}
	}
	w.t.Fatalf("nothing was told of %s; told: %+v", j.Target.Name, told)
	return wire.Outcome{}
}

// receipt opens the receipt of an outcome with the agent's key.
func (w *world) receipt(o wire.Outcome) wire.Receipt {
	w.t.Helper()
	var r wire.Receipt
	if o.Receipt == nil {
		w.t.Fatalf("no receipt: %+v", o)
	}
	if _, err := o.Receipt.Open(wire.ReceiptDocument, &r, &w.key); err != nil {
		w.t.Fatal(err)
	}
	return r
}

// fuzzReply lets a new agent hear data as a reply, then look at its jobs.
func fuzzReply(t *testing.T, w *world, data []byte) {
	reply, err := link.ParseReply(data)
	if err != nil {
		return
	}
	w.machine.apply = func(provider.Request) (provider.Outcome, bool, error) {
		t.Error("a reply that the server did not sign was carried out")
		return provider.Outcome{}, false, nil
	}
	o := w.options()
	o.Disk = w.disk.revive()
	o.Log = nil
	a, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	a.scan(t.Context())
	if wait, err := a.hear(a.message(), reply); err == nil && (wait < apart || wait > 2*nextMost) {
		t.Errorf("the next check-in is in %s", wait)
	}
	a.asked = true
	if _, err := a.jobs(t.Context()); err != nil {
		t.Fatal(err)
	}
	if known := a.journal.Pending(1, 0); len(known) > 0 && known[0].Seq < 1 {
		t.Errorf("number %d", known[0].Seq)
	}
}
