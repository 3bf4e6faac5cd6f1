package agent

import (
	"context"
	"crypto/ecdsa"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

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

	otherAgent  = "agt_00000000000000000000000001"
	otherDevice = "dev_00000000000000000000000001"
)

// world is a server, a machine and the agent between them.
type world struct {
	t       testing.TB
	server  *server
	machine *machine
	disk    *memory
	mode    wire.Mode
	reboot  func(context.Context) error
	restart func(service string) error // nil does it
	adapt   func(*Options)             // what this world's agent has besides
	windows *windows                   // where the machine is one
	updates *updates                   // where the machine is a Windows with an update engine
	people  bool                       // somebody is logged in
	notices []string                   // to them
	asks    []string                   // them
	says    func() (bool, error)       // to a question; nil leaves it unanswered
	stays   bool                       // a program that is asked to close does not
	closed  int                        // programs, by asking
	ended   int                        // by force
	battery patch.Answer
	locked  patch.Answer
	present patch.Answer                         // a program fills the screen
	others  int                                  // who are logged in besides
	chooses func(provider.Question) (int, error) // when a reboot may be; nil leaves it unanswered

	restarts map[string]int // by service
	key      ecdsa.PublicKey

	rebooting atomic.Bool // the machine was asked to restart
	booted    int         // how often it did

	mayEnd bool // with ErrAnew
	agent  *Agent
	stop   func()
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
	o := Options{
		Now: time.Now, Build: "test", Disk: w.disk, Keys: identity.SoftKey{Dir: w.disk}, Kinds: []provider.Kind{w.machine.kind()},
		Facts: w.machine.facts, Dial: w.server.net.dial, Reboot: w.reboot, Restart: w.restarted,
		Presence: w.presence, Announce: func(_ context.Context, text string) error { w.notices = append(w.notices, text); return nil },
		Desk:   desk{w},
		Random: func() float64 { return 0.5 },
		Log:    slog.New(slog.NewTextHandler(testWriter{w.t}, nil)),
		Sleep: func(ctx context.Context, d time.Duration) {
			t := time.NewTimer(d)
			defer t.Stop()
			select {
			case <-ctx.Done():
			case <-t.C:
			}
		},
	}
	if w.adapt != nil {
		w.adapt(&o)
	}
	return o
}

// desk is where people of the world sit.
type desk struct{ *world }

func (d desk) Ask(ctx context.Context, _ uint32, text string, wait time.Duration) (bool, error) {
	d.asks = append(d.asks, text)
	if d.says != nil {
		return d.says()
	}
	select {
	case <-ctx.Done():
	case <-time.After(wait):
	}
	return false, nil
}

func (d desk) Close(_ context.Context, p provider.Process) error {
	if d.stays {
		return errors.New("it asks whether to save")
	}
	d.closed++
	d.machine.closes(p)
	return nil
}

func (d desk) End(_ context.Context, p provider.Process) error {
	d.ended++
	d.machine.closes(p)
	return nil
}

// presence is who is at the machine.
func (w *world) presence(context.Context) wire.Presence {
	p := wire.Presence{LoggedIn: patch.No, Battery: w.battery}
	if w.people {
		p.LoggedIn, p.Locked, p.Presenting = patch.Yes, w.locked, w.present
	}
	return p
}

func (d desk) Sessions(context.Context) ([]provider.Session, error) {
	all := []provider.Session{{ID: 1, User: "ann", Locked: d.locked}}
	for i := range d.others {
		all = append(all, provider.Session{ID: uint32(2 + i), User: fmt.Sprint("bob", i)})
	}
	return all, nil
}

func (d desk) Tell(_ context.Context, session uint32, text string) error {
	if session == 1 {
		d.notices = append(d.notices, text)
	}
	return nil
}

func (d desk) Choose(ctx context.Context, _ uint32, q provider.Question, wait time.Duration) (int, error) {
	d.asks = append(d.asks, q.Text)
	if d.chooses != nil {
		return d.chooses(q)
	}
	select {
	case <-ctx.Done():
	case <-time.After(wait):
	}
	return -1, nil
}

// restarted restarts a service: it no longer uses old files.
func (w *world) restarted(_ context.Context, service string) error {
	w.machine.mu.Lock()
	defer w.machine.mu.Unlock()
	if w.restarts == nil {
		w.restarts = map[string]int{}
	}
	w.restarts[service]++
	if w.restart != nil {
		if err := w.restart(service); err != nil {
			return err
		}
	}
	w.machine.restart.Old = slices.DeleteFunc(slices.Clone(w.machine.restart.Old), func(u wire.OldUse) bool { return u.Service == service })
	return nil
}

// leaves makes what is applied leave services with old files: package, then service, in turn.
func (w *world) leaves(pairs ...string) {
	w.machine.apply = func(r provider.Request) (provider.Outcome, bool, error) {
		for i := 0; i < len(pairs); i += 2 {
			if slices.ContainsFunc(r.Updates, func(u patch.Update) bool { return u.Name == pairs[i] }) {
				w.machine.restart.Old = append(slices.Clone(w.machine.restart.Old), wire.OldUse{Service: pairs[i+1], Packages: []string{pairs[i]}, Processes: 1})
			}
		}
		return provider.Outcome{}, true, nil
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
		if err := a.Run(ctx); err != nil && !(w.mayEnd && (errors.Is(err, ErrAnew) || errors.Is(err, errCut))) {
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

// undone makes a job one that takes an update back.
func undone(j *wire.Job) { j.Verb = wire.VerbUndo }

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
