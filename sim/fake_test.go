package sim

import (
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"patchbay/patch"
	"patchbay/server/ca"
	"patchbay/window"
	"patchbay/wire"
)

// fake is a server without a network, a clock or a chance of its own: what it answers depends
// on what it was asked before and on nothing else.
type fake struct {
	t         testing.TB
	authority *ca.Authority
	sim       *Simulator // for the time

	mu       sync.Mutex
	away     func(now time.Time) bool // whether nobody answers
	busy     func(now time.Time) bool // whether it asks to be left alone
	agents   map[string]*fakeAgent
	attempts []time.Time // while it was not away
	wasted   int
}

// fakeAgent is what it holds of one agent.
type fakeAgent struct {
	device   string
	key      *ecdsa.PublicKey
	boot     string // of the machine that is on record
	sections map[string]wire.Section
	digest   string
	acked    int64
	outcomes map[int64]wire.Outcome
	orders   wire.Orders
	jobs     map[string]wire.Job
	fenced   bool // two machines with its key are told apart
}

func newFake(t testing.TB) *fake {
	t.Helper()
	authority, err := ca.Open(t.TempDir(), epoch)
	if err != nil {
		t.Fatal(err)
	}
	return &fake{t: t, authority: authority, agents: map[string]*fakeAgent{}, away: func(time.Time) bool { return false },
		busy: func(time.Time) bool { return false }}
}

func (f *fake) Listen(context.Context, *Credentials, string, func()) error { return errNoWake }

func (f *fake) Ask(_ context.Context, r Request) (Answer, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	now := f.sim.now()
	if f.away(now) {
		f.wasted++
		return Answer{}, errors.New("dial: connection refused")
	}
	f.attempts = append(f.attempts, now)
	if f.busy(now) {
		return Answer{Status: http.StatusServiceUnavailable, RetryAfter: 60}, nil
	}
	status, body := http.StatusOK, any(nil)
	switch r.Path {
	case "/agent/v1/enroll":
		body = f.enrol(r.Body)
	case "/agent/v1/checkin":
		status, body = f.checkIn(r, now)
	case "/agent/v1/renew":
		body = f.renew(r.Body)
	default:
		f.t.Errorf("asked for %s", r.Path)
	}
	text, err := json.Marshal(body)
	if err != nil {
		f.t.Error(err)
	}
	return Answer{Status: status, Body: text, Out: len(r.Body), In: len(text)}, nil
}

// join makes an agent with names that count up.
func (f *fake) join(csr []byte) (agent, device string, cert []byte) {
	n := len(f.agents) + 1
	agent, device = fmt.Sprintf("agt_%026d", n), fmt.Sprintf("dev_%026d", n)
	cert, key, err := f.authority.SignAgent(csr, agent, epoch)
	if err != nil {
		f.t.Error(err)
	}
	f.agents[agent] = &fakeAgent{device: device, key: key.(*ecdsa.PublicKey), sections: map[string]wire.Section{}, outcomes: map[int64]wire.Outcome{},
		jobs: map[string]wire.Job{}, orders: wire.Orders{Agent: agent}}
	return agent, device, cert
}

func (f *fake) enrol(body []byte) any {
	var in wire.Enroll
	if err := json.Unmarshal(body, &in); err != nil {
		f.t.Error(err)
	}
	agent, device, cert := f.join(in.CSR)
	return wire.Enrolled{Agent: agent, Device: device, Certificate: cert, CA: f.authority.Certificate.Raw, Nonce: "first",
		OrdersKey: f.authority.OrdersKey().Public().(ed25519.PublicKey), AgentURL: "https://here.example"}
}

func (f *fake) renew(body []byte) any {
	var e wire.Envelope
	var claim, in wire.Renewal
	if err := errors.Join(json.Unmarshal(body, &e), json.Unmarshal(e.Payload, &claim)); err != nil {
		f.t.Error(err)
	}
	if _, err := e.Open(wire.RenewalDocument, &in, f.agents[claim.Agent].key); err != nil {
		f.t.Errorf("a renewal that is not signed by the key before: %v", err)
	}
	if in.Become != "another" || in.Facts == nil {
		f.t.Errorf("it asks to become %q", in.Become)
	}
	if csr, err := x509.ParseCertificateRequest(in.CSR); err != nil || f.agents[in.Agent].key.Equal(csr.PublicKey) {
		f.t.Errorf("a copy keeps the key of the other: %v", err)
	}
	agent, device, cert := f.join(in.CSR)
	return wire.Renewed{Version: 1, Agent: agent, Device: device, Certificate: cert, CA: f.authority.Certificate.Raw}
}

func (f *fake) checkIn(r Request, now time.Time) (int, any) {
	var in wire.CheckIn
	if err := json.Unmarshal(r.Body, &in); err != nil {
		f.t.Error(err)
	}
	a := f.agents[in.Agent]
	if a == nil || r.From.Agent != in.Agent {
		f.t.Errorf("%s speaks with the certificate of %s", in.Agent, r.From.Agent)
		return http.StatusForbidden, nil
	}
	if a.fenced && in.BootID != a.boot {
		return http.StatusConflict, wire.Doubt{Version: 1, Why: "This is a copy.", Next: 30, Become: "another"}
	}
	a.boot = in.BootID
	for _, o := range in.Outcomes {
		if _, there := a.outcomes[o.Seq]; !there {
			a.outcomes[o.Seq] = o
		}
	}
	for a.outcomes[a.acked+1].Seq != 0 {
		a.acked++
	}
	reply := wire.Reply{Version: 1, Time: now, Acknowledged: a.acked, Next: 60, Nonce: fmt.Sprint(len(a.outcomes))}
	d := in.Devices[0]
	if held := a.take(d); held != d.Digest {
		hashes := map[string]string{}
		for name, s := range a.sections {
			hashes[name] = s.Hash
		}
		reply.Holds = []wire.Held{{Device: d.Device, Digest: held, Sections: hashes}}
	}
	f.order(a, now)
	if a.orders.Seen.Newer(in.Seen) {
		e, err := wire.Seal(wire.OrdersDocument, a.orders, f.authority.OrdersKey())
		if err != nil {
			f.t.Error(err)
		}
		reply.Orders = e
	}
	return http.StatusOK, reply
}

// take stores what was sent and gives the digest over it.
func (a *fakeAgent) take(d wire.DeviceReport) string {
	for _, s := range d.Sections {
		if s.Body != nil {
			a.sections[s.Name] = s
		}
	}
	var all []wire.Section
	for _, s := range a.sections {
		all = append(all, s)
	}
	slices.SortFunc(all, func(x, y wire.Section) int { return compare(x.Name, y.Name) })
	a.digest = wire.Digest(all)
	return a.digest
}

// order wishes one job for all that is on offer.
func (f *fake) order(a *fakeAgent, now time.Time) {
	jobs := []wire.Job{}
	for name, s := range a.sections {
		if !hasSuffix(name, wire.OfferedSection) {
			continue
		}
		var offers []patch.Update
		if err := json.Unmarshal(s.Body, &offers); err != nil {
			f.t.Error(err)
		}
		for _, u := range offers {
			t := wire.Target{Provider: u.Provider, Name: u.Name, Architecture: u.Architecture, From: u.Installed, To: u.Available}
			j := wire.Job{Verb: wire.VerbInstall, Target: t, Decision: "rule", Attempt: 1, NotBefore: epoch, NotAfter: epoch.AddDate(0, 0, 14)}
			j.ID = wire.JobID(a.device, j.Verb, t, j.Decision, j.Attempt)
			if !a.ended(j.ID) {
				jobs = append(jobs, j)
			}
		}
	}
	slices.SortFunc(jobs, func(x, y wire.Job) int { return compare(x.ID, y.ID) })
	wish := []wire.DeviceOrders{{Device: a.device, Reboot: true, ScanSeconds: 900, RefreshSeconds: 21600, Jobs: jobs,
		Windows: window.Spec{Weekly: []window.Weekly{{Zone: "UTC", Days: []string{"mon"}, Start: "00:00", Minutes: 10080}}}}}
	if was, err := json.Marshal(a.orders.Devices); err == nil {
		if is, err := json.Marshal(wish); err == nil && string(was) == string(is) {
			return
		}
	}
	a.orders.Devices, a.orders.IssuedAt, a.orders.Expires = wish, now, now.Add(24*time.Hour)
	a.orders.Seen.Version++
}

func (a *fakeAgent) ended(job string) bool {
	for _, o := range a.outcomes {
		if o.Job == job && o.Step.Ended() {
			return true
		}
	}
	return false
}

func hasSuffix(name, kind string) bool {
	return len(name) > len(kind) && name[len(name)-len(kind)-1:] == "/"+kind
}

// simulate makes a fleet before the fake server, at full speed.
func simulate(t testing.TB, f *fake, change func(*Options)) *Simulator {
	t.Helper()
	token := wire.Token{Secret: "pbt_" + fmt.Sprintf("%026d", 1), Pin: f.authority.Pin()}
	o := Options{Shape: small(30), Server: "https://here.example", Token: token.String(), Ramp: time.Minute, Begin: epoch,
		Now: func() time.Time { return epoch }, Carrier: f}
	if change != nil {
		change(&o)
	}
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	f.sim = s
	return s
}

// small is a fleet whose inventories are, to be quick.
func small(devices int) Shape {
	s := Scaled(devices)
	s.Items = 16
	return s
}
