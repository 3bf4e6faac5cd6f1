package main

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"patchbay/agent"
	"patchbay/agent/disk"
	"patchbay/agent/enroll"
	"patchbay/agent/identity"
	"patchbay/agent/link"
	"patchbay/patch"
	"patchbay/provider"
	"patchbay/server/ca"
	"patchbay/test/bench/measure"
	"patchbay/wire"
	"patchbay/wire/trust"
)

// atOnce is how many agents speak at the same time: enough to keep the server busy, few
// enough that nobody waits long.
const atOnce = 16

// between is how long an agent is silent before it says again that nothing changed. The
// server writes down when it heard an agent, though not each time: after this it does.
const between = 31 * time.Second

// simulated is one agent of the fleet.
type simulated struct {
	id      identity.Identity
	tls     *tls.Config
	link    *link.Link
	counted *counter
	report  []wire.Section
	seen    wire.OrdersVersion
	mode    wire.Mode
	nonce   string
	beliefs trust.State
	jobs    int // in the last orders
}

// rates measures unchanged check-ins: their bytes, and how many of them a second of the
// server's processor answers, beside the echo.
func rates(ctx context.Context, in *installation, n int) error {
	fleet, _, err := enrolFleet(ctx, in, n, wire.Observe)
	if err != nil {
		return fmt.Errorf("enrolling the fleet: %w", err)
	}
	everyone := func(say func(*simulated) error) error { return inParallel(fleet, say) }
	for _, first := range []bool{true, false, false} { // all; orders taken; nothing more to say
		if err := everyone(func(a *simulated) error { return a.checkIn(ctx, first) }); err != nil {
			return fmt.Errorf("checking in: %w", err)
		}
	}
	if err := bytesOf(ctx, fleet[0]); err != nil {
		return err
	}
	echo, err := startEcho(ctx, in)
	if err != nil {
		return err
	}
	body, reply, err := fleet[0].bodies()
	if err != nil {
		return err
	}
	ask := echoFleet(fleet, echo.address, body, reply)
	if err := everyone(ask); err != nil { // makes the connections
		return fmt.Errorf("asking the echo: %w", err)
	}
	var server, bare, hot rate
	for range 3 { // in turns, so that both see the same machine
		quiet(ctx, in.server().Process.Pid, between)
		if err := server.add(in.server().Process.Pid, n, func() error {
			return everyone(func(a *simulated) error { return a.checkIn(ctx, false) })
		}); err != nil {
			return fmt.Errorf("checking in: %w", err)
		}
		if err := hot.add(in.server().Process.Pid, n, func() error {
			return everyone(func(a *simulated) error { return a.checkIn(ctx, false) })
		}); err != nil {
			return fmt.Errorf("checking in: %w", err)
		}
		if err := bare.add(echo.pid, n, func() error { return everyone(ask) }); err != nil {
			return fmt.Errorf("asking the echo: %w", err)
		}
	}
	measure.Figure("unchanged_check-ins", server.perSecond(), "/CPU-s", "mutual-TLS_echo", bare.perSecond(), ">=0.3x")
	measure.Figure("same,_seen_just_before", hot.perSecond(), "/CPU-s", "mutual-TLS_echo", bare.perSecond(), "-")
	return nil
}

// enrolFleet lets n agents in by the real protocol, each with a device of its own, all of
// one customer.
func enrolFleet(ctx context.Context, in *installation, n int, mode wire.Mode) (all []*simulated, customer string, err error) {
	tokens, customer, err := in.tokens(ctx, n, mode)
	if err != nil {
		return nil, "", err
	}
	fleet := make([]*simulated, n)
	for i := range fleet {
		fleet[i] = &simulated{counted: &counter{}, mode: mode}
	}
	numbers := map[*simulated]int{}
	for i, a := range fleet {
		numbers[a] = i
	}
	return fleet, customer, inParallel(fleet, func(a *simulated) error {
		i := numbers[a]
		dir, err := disk.Open(filepath.Join(in.dir, "fleet", strconv.Itoa(i)))
		if err != nil {
			return err
		}
		facts := wire.Facts{Hostname: fmt.Sprintf("bench-%d", i), OS: "linux", Distro: "debian", Release: "12", Architecture: "amd64",
			MachineID: strconv.Itoa(i), BootID: boot, Providers: []wire.ProviderFacts{{Name: "bench", Traits: provider.Traits{Versions: "deb", Exact: true}}}}
		keys := identity.SoftKey{Dir: dir}
		a.id, err = enroll.Run(ctx, enroll.Options{Server: in.agent, Token: tokens[i/tokenUses], Mode: mode,
			Capabilities: agent.Capabilities(mode), Build: "bench", Facts: facts, Disk: dir, Keys: keys, Now: time.Now})
		if err != nil {
			return err
		}
		key, err := keys.Key()
		if err != nil {
			return err
		}
		leaf, err := a.id.Leaf(key)
		if err != nil {
			return err
		}
		at, err := url.Parse(a.id.AgentURL)
		if err != nil {
			return err
		}
		a.tls = identity.Peer{Authorities: func() [][]byte { return [][]byte{a.id.CA} }, Hosts: func() []string { return []string{at.Hostname()} },
			Earliest: func() time.Time { return time.Time{} }, Certificate: func() *tls.Certificate { return leaf }}.TLS()
		if a.link, err = link.New(a.id.AgentURL, a.tls, a.counted.dial); err != nil {
			return err
		}
		b, err := identity.LoadBelief(dir, a.id)
		if err != nil {
			return err
		}
		a.beliefs = b.State
		a.report, err = sections(facts)
		return err
	})
}

// boot is that of every machine: they are told apart by their keys.
const boot = "0b9a40ba-6f29-4d1d-8c9b-8c5d3d4f3e11"

// sections are what a machine with one package says of itself, which could be newer.
func sections(facts wire.Facts) ([]wire.Section, error) {
	var all []wire.Section
	now := time.Now().UTC().Truncate(time.Second)
	installed := []patch.Item{{Provider: "bench", Name: "tool", Architecture: "amd64", Version: "1.0"}}
	offered := []patch.Update{{Provider: "bench", Name: "tool", Architecture: "amd64", Installed: "1.0", Available: "1.1", Origin: "Bench"}}
	sources := []patch.Source{{Provider: "bench", Name: "bench", Origin: "Bench", SignedAt: &now, RefreshedAt: &now}}
	for _, s := range []struct {
		name string
		body any
	}{{"bench/installed", installed}, {"bench/offered", offered}, {"bench/sources", sources}, {wire.HostSection, facts}} {
		body, err := wire.Canonical(s.body)
		if err != nil {
			return nil, err
		}
		all = append(all, wire.Section{Name: s.name, Hash: wire.Hash(body), State: wire.SectionOK,
			ScannedAt: time.Now().UTC().Truncate(time.Second), Body: body})
	}
	return all, nil
}

// message is what the agent says: all of it, or that nothing changed.
func (a *simulated) message(all bool) wire.CheckIn {
	d := wire.DeviceReport{Device: a.id.Device, ScannedAt: a.report[0].ScannedAt, Digest: wire.Digest(a.report)}
	if all {
		d.Sections = a.report
	}
	return wire.CheckIn{Version: wire.Version, Agent: a.id.Agent, Build: "0.1.0", BootID: boot,
		Sent: time.Now().UTC().Truncate(time.Second), Mode: a.mode, Capabilities: agent.Capabilities(a.mode),
		Seen: a.seen, Nonce: a.nonce, Documents: a.beliefs.Held(), Devices: []wire.DeviceReport{d}}
}

// errNews means that the server had something to say to an agent that had nothing.
var errNews = errors.New("the server does not hold what the agent reported")

func (a *simulated) checkIn(ctx context.Context, all bool) error {
	reply, err := a.link.CheckIn(ctx, a.message(all))
	if err != nil {
		return err
	}
	if reply.Nonce != "" {
		a.nonce = reply.Nonce
	}
	for i := range reply.Documents {
		if next, err := a.beliefs.Take(&reply.Documents[i]); err == nil {
			a.beliefs = next
		}
	}
	if reply.Orders != nil {
		var o wire.Orders
		if err := json.Unmarshal(reply.Orders.Payload, &o); err != nil {
			return err
		}
		a.seen, a.jobs = o.Seen, 0
		for _, d := range o.Devices {
			a.jobs += len(d.Jobs)
		}
	}
	if !all && len(reply.Holds) > 0 {
		return errNews
	}
	return nil
}

// bodies are an unchanged check-in and the reply to it, as they stand on the line.
func (a *simulated) bodies() (ask, answer []byte, err error) {
	if ask, err = json.Marshal(a.message(false)); err != nil {
		return nil, nil, err
	}
	answer, err = json.Marshal(wire.Reply{Version: wire.Version, Time: time.Now(), Next: 60})
	return ask, answer, err
}

// bytesOf counts one unchanged check-in, both ways, above TLS.
func bytesOf(ctx context.Context, a *simulated) error {
	before := a.counted.plain()
	if err := a.checkIn(ctx, false); err != nil {
		return err
	}
	measure.Figure("unchanged_check-in", float64(a.counted.plain()-before), "bytes", "-", 0, "<=1024")
	return nil
}

// inParallel does something for every agent, some at once, and gives the first error.
func inParallel(fleet []*simulated, do func(*simulated) error) error {
	var wg sync.WaitGroup
	work, failed := make(chan *simulated), make(chan error, atOnce)
	for range atOnce {
		wg.Go(func() {
			var first error
			for a := range work {
				if first == nil {
					first = do(a)
				}
			}
			failed <- first
		})
	}
	for _, a := range fleet {
		work <- a
	}
	close(work)
	wg.Wait()
	close(failed)
	for err := range failed {
		if err != nil {
			return err
		}
	}
	return nil
}

// rate is work done and the processor time a process spent on it.
type rate struct {
	done  int
	spent time.Duration
}

func (r *rate) add(pid, n int, work func() error) error {
	before, err := measure.ProcessorTime(pid)
	if err != nil {
		return err
	}
	if err := work(); err != nil {
		return err
	}
	after, err := measure.ProcessorTime(pid)
	r.done, r.spent = r.done+n, r.spent+after-before
	return err
}

func (r *rate) perSecond() float64 { return float64(r.done) / r.spent.Seconds() }

// quiet waits for at least that long, and until the process has nothing left to do.
func quiet(ctx context.Context, pid int, atLeast time.Duration) {
	for began, last := time.Now(), time.Duration(0); ctx.Err() == nil && time.Since(began) < 3*atLeast; {
		now, err := measure.ProcessorTime(pid)
		if err != nil || time.Since(began) >= atLeast && now-last < 20*time.Millisecond {
			return
		}
		last = now
		select {
		case <-ctx.Done():
		case <-time.After(time.Second):
		}
	}
}

// echo is the bare server that the real one is compared with.
type echo struct {
	address string
	pid     int
}

func startEcho(ctx context.Context, in *installation) (*echo, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	log := filepath.Join(in.dir, "echo.log")
	cmd, err := measure.Spawn(ctx, log, self, "-echo", filepath.Join(in.dir, "server", "keys"))
	if err != nil {
		return nil, fmt.Errorf("starting the echo: %w", err)
	}
	in.running = append(in.running, cmd)
	for range 100 {
		text, err := os.ReadFile(log)
		if err != nil {
			return nil, err
		}
		if address, whole := strings.CutSuffix(string(text), "\n"); whole {
			return &echo{address, cmd.Process.Pid}, nil
		}
		time.Sleep(50 * time.Millisecond)
	}
	return nil, errors.New("the echo does not start")
}

// serveEcho answers every request, under the same keys and with the same demand for a
// client's certificate, with as many bytes as the header asks for.
func serveEcho(ctx context.Context, keys string) error {
	authority, err := ca.Open(keys, time.Now())
	if err != nil {
		return err
	}
	cert, err := authority.ServerCertificate([]string{"127.0.0.1"}, time.Now())
	if err != nil {
		return err
	}
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{MinVersion: tls.VersionTLS13, Certificates: []tls.Certificate{*cert},
		ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: authority.Pool()})
	if err != nil {
		return err
	}
	context.AfterFunc(ctx, func() { l.Close() })
	fmt.Println(l.Addr())
	filler := make([]byte, 64<<10)
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, err := io.Copy(io.Discard, r.Body); err != nil {
			return
		}
		n, err := strconv.Atoi(r.URL.Query().Get("n"))
		if err != nil || n > len(filler) {
			http.Error(w, "n must say how many bytes to answer", http.StatusBadRequest)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(filler[:n]) // the asker sees what is missing
	})}
	if err := server.Serve(l); ctx.Err() == nil {
		return err
	}
	return nil
}
