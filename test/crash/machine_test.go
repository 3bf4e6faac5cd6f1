package crash

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"time"

	"patchbay/agent/disk"
	"patchbay/agent/enroll"
	"patchbay/agent/identity"
	"patchbay/agent/inventory"
	"patchbay/agent/journal"
	"patchbay/agent/link"
	"patchbay/patch"
	"patchbay/provider"
	"patchbay/wire"
)

// memory is what a machine is like and what its agent knows. It is kept beside the agent's
// own files, so that a machine can be copied with the installation it belongs to.
type memory struct {
	Has      map[string]string // versions installed, by name
	Offers   map[string]string // versions on offer
	Known    bool              // it is known what the server holds
	Digest   string            // of what the server holds
	Sections map[string]string // hashes of what the server holds
	Wish     wire.Orders
	Boot     string
}

// machine is a device with an agent that says one thing at a time, and only when it is told
// to. It enrols, talks, keeps and signs with the agent's own packages.
type machine struct {
	memory
	name    string
	w       *world
	disk    disk.OS
	id      identity.Identity
	link    *link.Link
	journal *journal.Journal
	scanner *inventory.Scanner
	report  inventory.Report
	jobs    map[string]*work
	done    map[string]int         // installations, by name and version
	orders  map[string]string      // content of orders, by number
	told    map[int64]wire.Outcome // what was said, by number
	acked   int64                  // the server said that it has it through this number
	gone    bool                   // the server refuses it

	calls  chan struct{} // on the wake-up channel, where it is held
	over   chan error    // its end
	deafen func()        // ends it
}

// work is a job that has begun.
type work struct {
	wire.Job
	before string
	ended  bool
}

// machine is a machine of the world, from its files where there are some.
func (w *world) machine(name string) *machine {
	m := &machine{name: name, w: w, jobs: map[string]*work{}, done: map[string]int{}, orders: map[string]string{}, told: map[int64]wire.Outcome{}}
	m.memory = memory{Has: map[string]string{"curl": "1.0", "nginx": "1.0"}, Offers: map[string]string{}, Boot: "boot of " + name}
	var err error
	m.disk, err = disk.Open(filepath.Join(w.dir, "machines", name))
	w.must(err)
	if text, err := os.ReadFile(m.file()); err == nil {
		w.must(json.Unmarshal(text, &m.memory))
	}
	m.journal, err = journal.Open(m.disk, w.now())
	w.must(err)
	kind := provider.Kind{Name: "apt", Traits: provider.Traits{Versions: "deb", Exact: true, Phase: provider.System},
		Open: func(context.Context, provider.Env) (provider.Provider, error) { return manager{m}, nil }}
	m.scanner = &inventory.Scanner{Kinds: []provider.Kind{kind}, Env: func(string) provider.Env { return provider.Env{} },
		Facts: func(context.Context) (wire.Facts, error) { return m.facts(), nil },
		Log:   slog.New(slog.DiscardHandler), Text: func(s string) string { return s }}
	if m.id, err = identity.Load(m.disk); err == nil {
		m.connect()
	}
	w.machines = append(w.machines, m)
	return m
}

func (m *machine) file() string { return filepath.Join(m.disk.Path(), "memory") }

// keep writes the memory down.
func (m *machine) keep() {
	text, err := json.Marshal(m.memory)
	m.w.must(err)
	m.w.must(os.WriteFile(m.file(), text, 0o600))
}

func (m *machine) facts() wire.Facts {
	return wire.Facts{Hostname: m.name, OS: "linux", BootID: m.Boot}
}

// manager is the machine's package manager.
type manager struct{ m *machine }

// Installed lists what is installed.
func (p manager) Installed(context.Context) (items []patch.Item, err error) {
	for name, v := range p.m.Has {
		items = append(items, patch.Item{Provider: "apt", Name: name, Architecture: "amd64", Version: v})
	}
	return items, nil
}

// Available lists what is on offer.
func (p manager) Available(context.Context) (o patch.Offer, err error) {
	for name, v := range p.m.Offers {
		if p.m.Has[name] != v {
			o.Updates = append(o.Updates, patch.Update{Provider: "apt", Name: name, Architecture: "amd64", Installed: p.m.Has[name],
				Available: v, Classes: []patch.Class{patch.Security}, Origin: "test"})
		}
	}
	now := p.m.w.now()
	o.Sources = []patch.Source{{Provider: "apt", Name: "deb.example stable", Origin: "test", SignedAt: &now, RefreshedAt: &now}}
	return o, nil
}

// Apply is not called: jobs are done by hand.
func (manager) Apply(context.Context, provider.Request) (provider.Outcome, error) {
	return provider.Outcome{}, errors.New("jobs are done by hand here")
}

// enrol lets the machine in.
func (m *machine) enrol(token string) error {
	id, err := enroll.Run(m.w.t.Context(), enroll.Options{Server: agentURL, Token: token, Mode: wire.Manage, Capabilities: []string{wire.VerbInstall},
		Disk: m.disk, Keys: identity.SoftKey{Dir: m.disk}, Now: m.w.now, Facts: m.facts(), Dial: m.w.dial})
	if err != nil {
		return err
	}
	m.id = id
	m.connect()
	return nil
}

// connect makes the way to the server with the identity.
func (m *machine) connect() {
	if m.link != nil {
		m.link.Close()
	}
	key, err := identity.SoftKey{Dir: m.disk}.Key()
	m.w.must(err)
	leaf, err := m.id.Leaf(key)
	m.w.must(err)
	peer := identity.Peer{Authorities: func() [][]byte { return [][]byte{m.id.CA} }, Hosts: func() []string { return []string{"127.0.0.1"} },
		Earliest: func() time.Time { return time.Time{} }, Certificate: func() *tls.Certificate { return leaf }}
	m.link, err = link.New(agentURL, peer.TLS(), m.w.dial)
	m.w.must(err)
}

// scan reads the machine.
func (m *machine) scan() {
	var err error
	m.report, err = m.scanner.Scan(m.w.t.Context(), m.w.now())
	m.w.must(err)
}

// message is all there is to say now.
func (m *machine) message() wire.CheckIn {
	belief, err := identity.LoadBelief(m.disk, m.id)
	m.w.must(err)
	c := wire.CheckIn{Version: wire.Version, Agent: m.id.Agent, Build: "test", BootID: m.Boot, Sent: m.w.now().UTC().Truncate(time.Second),
		Mode: wire.Manage, Capabilities: []string{wire.VerbInstall}, Seen: m.Wish.Seen, Nonce: belief.Nonce, Documents: belief.State.Held(),
		Outcomes: m.journal.Pending(wire.MaxOutcomes, 1<<20)}
	if len(m.report.Sections) == 0 {
		return c
	}
	d := wire.DeviceReport{Device: m.id.Device, ScannedAt: m.report.ScannedAt.UTC().Truncate(time.Second), Digest: m.report.Digest()}
	if m.Known && m.Digest != d.Digest {
		for _, s := range m.report.Sections {
			if m.Sections[s.Name] == s.Hash {
				s.Body = nil
			}
			d.Sections = append(d.Sections, s)
		}
	}
	for _, j := range m.jobs {
		if !j.ended {
			d.Jobs = append(d.Jobs, wire.JobStep{Job: j.ID, Step: wire.StepApplying, Since: c.Sent})
		}
	}
	c.Devices = []wire.DeviceReport{d}
	return c
}

// tell says all there is to say, until nothing is left.
func (m *machine) tell() error {
	for range 5 {
		said := m.message()
		for range m.w.times() {
			reply, err := m.link.CheckIn(m.w.t.Context(), said)
			if err != nil {
				m.gone = m.gone || errors.Is(err, link.ErrRefused)
				return err
			}
			if err := m.hear(said, reply); err != nil {
				return err
			}
		}
		if len(m.journal.Pending(1, 0)) == 0 && (len(m.report.Sections) == 0 || m.Digest == m.report.Digest()) {
			return nil
		}
	}
	return errors.New("the server takes it and takes it and does not have it")
}

// hear takes a reply.
func (m *machine) hear(said wire.CheckIn, r wire.Reply) error {
	belief, err := identity.LoadBelief(m.disk, m.id)
	m.w.must(err)
	for i := range r.Documents {
		next, err := belief.State.Take(&r.Documents[i])
		if err == nil {
			belief.State = next
		} else if r.Documents[i].Type != wire.TimeDocument { // the time may be the one that it knows
			return fmt.Errorf("a document is not believed: %w", err)
		}
	}
	if r.Nonce != "" {
		belief.Nonce = r.Nonce
	}
	m.w.must(identity.SaveBelief(m.disk, belief))
	for _, o := range said.Outcomes {
		m.told[o.Seq] = o
	}
	m.acked = r.Acknowledged
	m.w.must(m.journal.Acknowledge(r.Acknowledged, m.w.now()))
	if r.Orders != nil {
		if err := m.take(r.Orders, belief.State.Keys()); err != nil {
			return err
		}
	}
	if len(said.Devices) > 0 {
		m.holds(said.Devices[0], r.Holds)
	}
	return nil
}

// holds learns what the server holds.
func (m *machine) holds(said wire.DeviceReport, holds []wire.Held) {
	for _, h := range holds {
		if h.Device == said.Device {
			m.Known, m.Digest, m.Sections = true, h.Digest, h.Sections
			return
		}
	}
	m.Known, m.Digest, m.Sections = true, said.Digest, map[string]string{}
	for _, s := range m.report.Sections {
		m.Sections[s.Name] = s.Hash
	}
}

// take takes orders, and holds them to it that a number means one wish and never goes down.
func (m *machine) take(e *wire.Envelope, keys []crypto.PublicKey) error {
	var o wire.Orders
	if _, err := e.Open(wire.OrdersDocument, &o, keys...); err != nil {
		return fmt.Errorf("orders are not believed: %w", err)
	}
	number := fmt.Sprint(o.Seen)
	if !o.Seen.Newer(m.Wish.Seen) && o.Seen != m.Wish.Seen {
		m.w.fault("%s: orders %s come after %v", m.name, number, m.Wish.Seen)
	}
	content := o
	content.IssuedAt, content.Expires = time.Time{}, time.Time{}
	text, err := json.Marshal(content)
	m.w.must(err)
	if held, ok := m.orders[number]; ok && held != string(text) {
		m.w.fault("%s: orders %s say %s and then %s", m.name, number, held, text)
	}
	m.orders[number] = string(text)
	m.w.mu.Lock()
	defer m.w.mu.Unlock()
	for _, d := range o.Devices {
		for _, j := range d.Jobs {
			m.w.ordered[j.ID] = d.Device
			if j.ID != wire.JobID(d.Device, j.Verb, j.Target, j.Decision, j.Attempt) {
				m.w.fault("%s: job %s has another's ID", m.name, j.ID)
			}
		}
	}
	m.Wish = o
	return nil
}

// wished are the jobs of the last orders that have not begun.
func (m *machine) wished() (jobs []wire.Job) {
	for _, d := range m.Wish.Devices {
		for _, j := range d.Jobs {
			if m.jobs[j.ID] == nil {
				jobs = append(jobs, j)
			}
		}
	}
	return jobs
}

// begin begins all jobs that are wished.
func (m *machine) begin() {
	for _, j := range m.wished() {
		m.jobs[j.ID] = &work{Job: j, before: m.Has[j.Target.Name]}
	}
}

// finish ends all jobs that have begun: those named as failing badly, all others well. It
// reads the machine again, writes the outcomes down and tells nobody yet.
func (m *machine) finish(failing ...string) {
	key, err := identity.SoftKey{Dir: m.disk}.Key()
	m.w.must(err)
	var change journal.Change
	for _, j := range m.jobs {
		if j.ended {
			continue
		}
		j.ended = true
		o := wire.Outcome{Device: m.id.Device, Job: j.ID, Step: wire.StepDone, Result: wire.ResultOK, At: m.w.now().UTC().Truncate(time.Second)}
		for _, name := range failing {
			if name == j.Target.Name {
				o.Step, o.Result, o.Message = wire.StepFailed, wire.ResultFailed, "its script failed"
			}
		}
		if o.Step == wire.StepDone {
			m.done[j.Target.Name+" "+j.Target.To]++
			m.Has[j.Target.Name] = j.Target.To
		}
		o.Receipt, err = wire.Seal(wire.ReceiptDocument, wire.Receipt{Job: j.ID, Device: m.id.Device, Agent: m.id.Agent, Decision: j.Decision, Target: j.Target,
			Verified: o.Step == wire.StepDone, Before: j.before, After: m.Has[j.Target.Name], Step: o.Step, StartedAt: o.At, EndedAt: o.At, Orders: m.Wish.Seen}, key)
		m.w.must(err)
		applied := o
		applied.Step, applied.Result, applied.Receipt = wire.StepApplying, o.Result, nil
		change.Outcomes = append(change.Outcomes, applied, o)
	}
	m.w.must(m.journal.Save(change))
	m.scan()
}

// renew asks for a new certificate for the same key.
func (m *machine) renew() error {
	key, err := identity.SoftKey{Dir: m.disk}.Key()
	m.w.must(err)
	csr, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{}, key)
	m.w.must(err)
	request, err := wire.Seal(wire.RenewalDocument, wire.Renewal{Version: wire.Version, Agent: m.id.Agent, CSR: csr,
		Sent: m.w.now().UTC().Truncate(time.Second), BootID: m.Boot}, key)
	m.w.must(err)
	answer, err := m.link.Renew(m.w.t.Context(), request)
	if err != nil {
		return err
	}
	m.id.Certificate = answer.Certificate
	m.w.must(m.id.Save(m.disk))
	m.connect()
	return nil
}

// itemKey is how an item is named.
func itemKey(name string) patch.Key {
	return patch.Key{Provider: "apt", Name: name, Architecture: "amd64"}
}

// dial reaches the agents' side of whichever server lives.
func (w *world) dial(ctx context.Context, network, _ string) (net.Conn, error) {
	_, agents := w.server.Addresses()
	return (&net.Dialer{}).DialContext(ctx, network, agents.String())
}
