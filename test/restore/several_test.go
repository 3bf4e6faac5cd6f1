package restore

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"patchbay/patch"
	"patchbay/server"
	"patchbay/server/backup"
	"patchbay/server/ca"
	"patchbay/server/store"
)

// balancer is the one address of several servers. Where it leads is the test's to say.
type balancer struct {
	address string
	mu      sync.Mutex
	to      string
	open    []net.Conn
}

func balance(t *testing.T) *balancer {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	t.Cleanup(func() { l.Close() })
	b := &balancer{address: l.Addr().String()}
	go func() {
		for {
			in, err := l.Accept()
			if err != nil {
				return
			}
			b.mu.Lock()
			to := b.to
			b.open = append(b.open, in)
			b.mu.Unlock()
			go join(in, to)
		}
	}()
	return b
}

// join passes on what both sides say until one of them ends.
func join(in net.Conn, to string) {
	defer in.Close()
	out, err := net.Dial("tcp", to)
	if err != nil {
		return
	}
	defer out.Close()
	go func() { _, _ = io.Copy(out, in); out.Close(); in.Close() }()
	_, _ = io.Copy(in, out)
}

// lead sends who comes from now on to a server.
func (b *balancer) lead(to string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.to = to
}

// move sends everybody to a server, also who is at another.
func (b *balancer) move(to string) {
	b.lead(to)
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, c := range b.open {
		c.Close()
	}
	b.open = nil
}

// pair are two servers of one installation, in this process, with what they share.
type pair struct {
	*balancer
	t       *testing.T
	servers []*server.Server
	first   *installation
	token   string
}

// newPair starts two servers whose agents check in once an hour: what happens sooner was
// called for.
func newPair(t *testing.T) *pair {
	if testing.Short() {
		t.Skip("runs two servers on a real PostgreSQL")
	}
	p := &pair{balancer: balance(t), t: t}
	p.first = &installation{Place: backup.Place{Data: t.TempDir(), Database: postgresFor(t)("")}, t: t}
	p.token = p.first.found()
	second := t.TempDir()
	must(t, os.CopyFS(filepath.Join(second, "keys"), os.DirFS(filepath.Join(p.first.Data, "keys"))))
	for _, data := range []string{p.first.Data, second} {
		s, err := server.New(t.Context(), server.Options{Data: data, Database: p.first.Database, Listen: "127.0.0.1:0", AgentListen: "127.0.0.1:0",
			AgentURL: "https://" + p.address, Version: "test", CheckIn: time.Hour})
		must(t, err)
		ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
		ended := make(chan error, 1)
		go func() { ended <- s.Run(ctx) }()
		t.Cleanup(func() {
			stop()
			if err := <-ended; err != nil {
				t.Error(err)
			}
			s.Close()
		})
		p.servers = append(p.servers, s)
	}
	until(t, "the servers to hear each other", func() bool { return p.servers[0].Peers.Period() != 0 && p.servers[1].Peers.Period() != 0 })
	return p
}

// join has a machine enrol at one of the servers and stay with it.
func (p *pair) join(name string, at int) *machine {
	_, agents := p.servers[at].Addresses()
	p.lead(agents.String())
	m := newMachine(p.t, name)
	m.enrol(p.t, "https://"+p.address, p.token)
	m.start(p.t)
	return m
}

// needs are what a server shows of a machine's needs, by item.
func (p *pair) needs(at int, m *machine) map[string]string {
	all := map[string]string{}
	if e, ok := p.servers[at].Engine.Index.Entry(p.device(m).ID); ok {
		for _, n := range e.Needs {
			all[n.Key.Name] = fmt.Sprint(n.Installed, " to ", n.Update.Available, " ", n.Verdict.Name)
		}
	}
	return all
}

func (p *pair) device(m *machine) (found store.Device) {
	devices, err := p.servers[0].Store.MSP(who).Devices(p.t.Context(), store.DeviceFilter{})
	must(p.t, err)
	for _, d := range devices {
		if d.Name == m.name {
			return d
		}
	}
	return store.Device{}
}

// until waits until both servers show it of a machine.
func (p *pair) until(m *machine, item, shown string) {
	p.t.Helper()
	for at := range p.servers {
		defer func() {
			if p.t.Failed() {
				p.t.Logf("server %d shows %v", at, p.needs(at, m))
			}
		}()
		until(p.t, fmt.Sprintf("server %d to show %s %s on %s", at, item, shown, m.name), func() bool { return p.needs(at, m)[item] == shown })
	}
}

// handle writes in the name of a person who is at one of the servers.
func (p *pair) handle(at int) *store.Customer {
	return p.servers[at].Store.Customer(store.Who{ID: "per_ann", Name: "Ann"}, "cus_00000000000000000000000000")
}

// byHand has the site install nothing by itself.
func (p *pair) byHand(at int) {
	p.t.Helper()
	site, err := p.handle(at).Site(p.t.Context(), "site_00000000000000000000000000")
	must(p.t, err)
	site.Policy.Auto, site.ChangedAt = store.ByHand, time.Now()
	must(p.t, p.handle(at).UpdateSite(p.t.Context(), time.Now(), site))
	p.servers[at].Engine.DueCustomer(site.Customer)
}

// approve approves a version for a machine at one of the servers.
func (p *pair) approve(at int, m *machine, item, version string) {
	p.t.Helper()
	d := p.device(m)
	must(p.t, p.handle(at).CreateApprovals(p.t.Context(), time.Now(), []store.Approval{{ID: patch.NewID(patch.ApprovalID), Customer: d.Customer,
		Level: store.LevelDevice, Target: d.ID, Provider: "apt", Name: item, Version: version, Origin: "test", Answer: store.Approve,
		By: "per_ann", ByName: "Ann", At: time.Now()}}))
	p.servers[at].Engine.Due(d.ID)
}

// once checks that each job was made and done once.
func (p *pair) once(jobs int, fleet ...*machine) {
	p.t.Helper()
	if all := p.first.jobs(); len(all) != jobs {
		p.t.Errorf("%d jobs, want %d", len(all), jobs)
	}
	for _, m := range fleet {
		for _, what := range m.twice() {
			p.t.Error(what)
		}
	}
}

// Whichever server an agent or a person is at, all servers show the same, and each job is
// made once.
func TestWhatOneServerLearnsTheOtherShows(t *testing.T) {
	p := newPair(t)
	a, b := p.join("at-one", 0), p.join("at-two", 1)
	for _, m := range []*machine{a, b} {
		m.offer("curl", "1.1")
		m.lookAgain(t)
		p.until(m, "curl", "1.1 to 1.1 VERIFIED")
	}
	p.once(2, a, b)
}

// What a person decides at one server reaches an agent that is at the other at once.
func TestAnAgentAtTheOtherServerIsCalled(t *testing.T) {
	p := newPair(t)
	p.byHand(0)
	m := p.join("at-two", 1)
	m.offer("curl", "1.1")
	m.lookAgain(t)
	p.until(m, "curl", "1.0 to 1.1 WAITS_DECISION")
	p.approve(0, m, "curl", "1.1")
	p.until(m, "curl", "1.1 to 1.1 VERIFIED")
	must(t, p.handle(0).RetireDevice(t.Context(), time.Now(), p.device(m).ID))
	p.servers[0].Engine.Due(p.device(m).ID)
	until(t, "the other server to forget it", func() bool { return len(p.needs(1, m)) == 0 })
	p.once(1, m)
}

// An agent that goes from server to server and back is the same to both.
func TestAnAgentMayMoveBetweenServers(t *testing.T) {
	p := newPair(t)
	m := p.join("wanderer", 0)
	for i, version := range []string{"1.1", "1.2", "1.3", "1.4"} {
		_, agents := p.servers[i%2].Addresses()
		p.move(agents.String())
		m.offer("curl", version)
		m.lookAgain(t)
		p.until(m, "curl", version+" to "+version+" VERIFIED")
	}
	p.once(4, m)
	restored, err := p.servers[0].Store.MSP(who).Audit(t.Context(), store.AuditFilter{Act: "agent.restored"})
	must(t, err)
	if len(restored) > 0 {
		t.Errorf("%d times it was taken for a machine that was set back", len(restored))
	}
}

// A server that heard nothing for a while misses nothing.
func TestAServerThatWasCutOffLooksAtEverything(t *testing.T) {
	p := newPair(t)
	p.byHand(0)
	m := p.join("at-two", 1)
	m.offer("curl", "1.1")
	m.offer("nginx", "1.1")
	m.lookAgain(t)
	p.until(m, "curl", "1.0 to 1.1 WAITS_DECISION")
	before := p.servers[1].Peers.Period()
	p.cut()
	until(t, "the cut to be noticed", func() bool { return p.servers[1].Peers.Period() == 0 })
	p.approve(0, m, "curl", "1.1")
	until(t, "the server to hear again", func() bool { return p.servers[1].Peers.Period() > before })
	p.until(m, "curl", "1.1 to 1.1 VERIFIED")
	p.once(1, m)
}

// Servers with other keys, or none, would shut out every agent: they do not start.
func TestAServerWithOtherKeysDoesNotStart(t *testing.T) {
	p := newPair(t)
	data := t.TempDir()
	start := func() error {
		s, err := server.New(t.Context(), server.Options{Data: data, Database: p.first.Database, Listen: "127.0.0.1:0", AgentListen: "127.0.0.1:0"})
		if err == nil {
			s.Close()
		}
		return err
	}
	if err := start(); err == nil {
		t.Error("a server started that has no keys")
	}
	if _, err := os.Stat(filepath.Join(data, "keys")); err == nil {
		t.Error("it made keys before it found out")
	}
	_, err := ca.Open(filepath.Join(data, "keys"), time.Now())
	must(t, err)
	if err := start(); err == nil {
		t.Error("a server started that has other keys")
	}
}

// cut ends the connections on which the servers hear each other.
func (p *pair) cut() {
	p.t.Helper()
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/psql")
	out, err := exec.Command(found[len(found)-1], p.first.Database, "-c",
		"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'patchbay listening'").CombinedOutput()
	if err != nil {
		p.t.Fatalf("%v: %s", err, out)
	}
}
