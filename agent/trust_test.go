package agent

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"patchbay/agent/identity"
	"patchbay/patch"
	"patchbay/provider"
	"patchbay/wire"
	"patchbay/wire/trust"
)

const dayLong = 24 * time.Hour

func newEd25519(t testing.TB) ed25519.PrivateKey {
	t.Helper()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func public(keys ...ed25519.PrivateKey) wire.Role {
	r := wire.Role{Threshold: 1}
	for _, k := range keys {
		r.Keys = append(r.Keys, k.Public().(ed25519.PublicKey))
	}
	return r
}

// offline are an MSP's keys that no server has.
type offline struct {
	root, publisher, approver, second ed25519.PrivateKey
}

func newOffline(t testing.TB) offline {
	return offline{newEd25519(t), newEd25519(t), newEd25519(t), newEd25519(t)}
}

func (o offline) rootDocument(version int64, change ...func(*wire.Root)) wire.Root {
	r := wire.Root{Version: version, Installation: "inst_1", IssuedAt: time.Now(), Expires: time.Now().Add(2000 * dayLong),
		Root: public(o.root), Publisher: public(o.publisher), Approver: public(o.approver, o.second), Limits: 1}
	for _, f := range change {
		f(&r)
	}
	return r
}

func (o offline) limits(version int64, change ...func(*wire.Limits)) wire.Limits {
	l := wire.Limits{Version: version, Root: 1, IssuedAt: time.Now(), Expires: time.Now().Add(90 * dayLong), Verbs: []string{wire.VerbInstall},
		Sources: []wire.LimitSource{{Provider: "apt"}}}
	for _, f := range change {
		f(&l)
	}
	return l
}

// limited is a world whose agent was enrolled under a root and has limits.
func limited(t *testing.T, o offline, change ...func(*wire.Limits)) *world {
	t.Helper()
	w := newWorld(t)
	w.server.publish(wire.RootDocument, o.rootDocument(1), o.root)
	w.enroll()
	w.server.publish(wire.LimitsDocument, o.limits(1, change...), o.publisher)
	return w
}

func TestCertificateIsRenewedLongBeforeItsEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		defer w.end()
		w.server.lifetime, w.server.slow, w.server.next = 7*dayLong, true, 3600
		w.server.set(func(d *wire.DeviceOrders) { d.ScanSeconds = 86400 })
		w.enroll()
		w.start()
		pass(30 * dayLong)
		if n := len(w.server.renewals); n < 7 || n > 10 {
			t.Errorf("renewed %d times in 30 days", n)
		}
		w.stop()
		id, err := identity.Load(w.disk)
		if err != nil {
			t.Fatal(err)
		}
		leaf, err := x509.ParseCertificate(id.Certificate)
		if err != nil || leaf.NotAfter.Before(time.Now().Add(3*dayLong)) {
			t.Errorf("kept a certificate until %v, %v", leaf.NotAfter, err)
		}
		last := w.server.times[len(w.server.times)-1]
		if time.Since(last) > time.Hour {
			t.Errorf("last heard %s ago", time.Since(last))
		}
	})
}

// However long it was away, and whatever its clock says now, an agent the server knows
// comes back by itself.
func TestBackAfterFourHundredDaysByItself(t *testing.T) {
	for _, off := range []time.Duration{0, -10 * 365 * dayLong, 10 * 365 * dayLong} {
		for _, running := range []bool{false, true} { // switched off, or only out of reach
			away := 400 * dayLong
			if running {
				away = 9 * dayLong // it tries all the time, and its certificate is long over
			}
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				defer w.end()
				w.server.lifetime, w.server.slow, w.server.next = 7*dayLong, true, 3600
				w.server.set(func(d *wire.DeviceOrders) { d.ScanSeconds = 86400 })
				w.enroll()
				w.start()
				pass(time.Hour)
				w.server.net.cut(true)
				if !running {
					w.stop()
				}
				pass(away)
				w.server.net.cut(false)
				before := len(w.server.heard())
				if !running {
					o := w.options()
					o.Now = func() time.Time { return time.Now().Add(off) }
					w.startWith(o)
				}
				pass(time.Hour)
				j := job("curl", "1.0", "1.1")
				w.order(j)
				pass(3 * time.Hour)
				if len(w.server.heard()) == before || len(w.server.renewals) == 0 {
					t.Fatalf("running %v, off by %s: heard %d times, renewed %d times", running, off, len(w.server.heard())-before, len(w.server.renewals))
				}
				if !w.receipt(w.last(j)).Verified {
					t.Error("it is back and does nothing")
				}
			})
		}
	}
}

func TestRevokedAgentGetsNoCertificate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		defer w.end()
		w.server.lifetime, w.server.slow, w.server.next = 7*dayLong, true, 3600
		w.server.set(func(d *wire.DeviceOrders) { d.ScanSeconds = 86400 })
		w.enroll()
		w.start()
		pass(time.Hour)
		w.server.mu.Lock()
		w.server.status = 403
		w.server.mu.Unlock()
		pass(8 * dayLong)
		if n := len(w.server.renewals); n > 0 {
			t.Errorf("renewed %d times", n)
		}
	})
}

func TestServersNextKeyIsBelievedOnItsFormersWord(t *testing.T) {
	inside(t, func(t *testing.T, w *world) {
		w.start()
		pass(time.Minute)
		former, next := w.server.orders, newEd25519(t)
		keys := wire.ServerKeys{Version: wire.OrdersVersion{Epoch: 1, Version: 1}, IssuedAt: time.Now(), Orders: public(next).Keys,
			Authorities: [][]byte{w.server.ca.Raw}, Addresses: []string{"https://patchbay.example:8443"}}
		w.server.publish(wire.ServerDocument, keys, newEd25519(t)) // a stranger's word
		w.server.mu.Lock()
		w.server.orders = next
		w.server.mu.Unlock()
		j := job("curl", "1.0", "1.1")
		w.order(j)
		pass(time.Hour)
		if len(w.machine.calls()) > 0 {
			t.Fatal("orders of a key nobody vouched for were carried out")
		}
		w.server.publish(wire.ServerDocument, keys, former)
		w.order(j)
		pass(time.Hour)
		if !w.receipt(w.last(j)).Verified {
			t.Error("orders of the next key are not carried out")
		}
	})
}

func TestServerIsFoundAtItsOtherAddress(t *testing.T) {
	inside(t, func(t *testing.T, w *world) {
		w.server.publish(wire.ServerDocument, wire.ServerKeys{Version: wire.OrdersVersion{Epoch: 1, Version: 1}, IssuedAt: time.Now(),
			Orders: public(w.server.orders).Keys, Authorities: [][]byte{w.server.ca.Raw},
			Addresses: []string{"https://gone.example:8443", "https://patchbay.example:8443"}}, w.server.orders)
		w.server.net.only("patchbay.example:8443")
		w.start()
		pass(time.Minute)
		w.stop()
		w.start() // begins with the first address, where nobody answers
		before := len(w.server.heard())
		pass(time.Hour)
		if len(w.server.heard()) == before {
			t.Error("never tried where the server said it also is")
		}
	})
}

func TestDoubtLetsNothingBegin(t *testing.T) {
	inside(t, func(t *testing.T, w *world) {
		w.start()
		pass(time.Minute)
		j := job("curl", "1.0", "1.1")
		w.server.set(func(d *wire.DeviceOrders) { d.Jobs = []wire.Job{j} }) // known, and waiting for its window
		pass(10 * time.Minute)
		w.order(j)
		w.server.mu.Lock()
		w.server.doubt = &wire.Doubt{Version: 1, Why: "Another machine has this key.", Next: 15}
		w.server.mu.Unlock()
		pass(time.Hour)
		if len(w.machine.calls()) > 0 {
			t.Fatal("installed while it was not sure that it is the machine that was meant")
		}
		w.server.mu.Lock()
		w.server.doubt = nil
		w.server.mu.Unlock()
		pass(time.Hour)
		if !w.receipt(w.last(j)).Verified {
			t.Error("the doubt is over and nothing goes on")
		}
	})
}

// A copy takes over nothing of what was meant for its original, whenever the power goes on
// the way to its own identity.
func TestACopyBecomesADeviceOfItsOwn(t *testing.T) {
	for cut := 0; cut < 12; cut++ {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			defer w.end()
			w.mayEnd = true
			j := job("curl", "1.0", "1.1")
			w.server.set(func(d *wire.DeviceOrders) { d.Jobs = []wire.Job{j} })
			w.start()
			pass(10 * time.Minute)
			w.stop()
			w.disk = w.disk.revive() // the copy's disk
			w.server.doubt = &wire.Doubt{Version: 1, Why: "It is a copy.", Next: 15, Become: "word"}
			w.disk.cutAt, w.disk.how = cut, "before"
			for range 4 {
				if w.start() {
					pass(10 * time.Minute)
					w.stop()
				}
				w.disk = w.disk.revive()
			}
			id, err := identity.Load(w.disk)
			if err != nil || id.Agent != otherAgent || id.Device != otherDevice {
				t.Fatalf("cut at write %d: %+v, %v", cut, id, err)
			}
			if len(w.machine.calls()) > 0 || len(w.server.told()) > 0 {
				t.Errorf("cut at write %d: ran %v, told %+v", cut, w.machine.calls(), w.server.told())
			}
			before := len(w.server.heard())
			w.start()
			pass(time.Hour)
			if last := w.server.heard(); len(last) == before || last[len(last)-1].Agent != otherAgent {
				t.Errorf("cut at write %d: it does not speak for itself", cut)
			}
		})
	}
}

func TestDiskInAnotherMachineWaitsForTheServer(t *testing.T) {
	inside(t, func(t *testing.T, w *world) {
		j := job("curl", "1.0", "1.1")
		opens := time.Now().Add(3 * time.Hour)
		w.server.set(func(d *wire.DeviceOrders) { d.Jobs, d.Windows = []wire.Job{j}, always() })
		w.server.set(func(d *wire.DeviceOrders) { d.Windows.Opens[0].From = opens })
		o := w.options()
		o.Hardware = func() []string { return []string{"board:1", "card:2"} }
		w.startWith(o)
		pass(time.Hour)
		w.stop()
		w.server.net.cut(true)
		o.Hardware = func() []string { return []string{"board:3", "card:4"} }
		w.startWith(o)
		pass(24 * time.Hour)
		if len(w.machine.calls()) > 0 {
			t.Fatal("a job of one machine ran on another")
		}
		w.server.net.cut(false)
		pass(2 * time.Hour)
		if !w.receipt(w.last(j)).Verified {
			t.Error("the server knows the machine and nothing goes on")
		}
	})
}

// What the limits say holds against everything the server signs.
func TestLimitsHoldAgainstTheServer(t *testing.T) {
	keys := newOffline(t)
	forced := func(j *wire.Job) { j.Forced = "Mallory" }
	closed := func(d *wire.DeviceOrders) { d.Windows.Opens = nil }
	for name, c := range map[string]struct {
		limits func(*wire.Limits)
		job    func(*wire.Job)
		orders func(*wire.DeviceOrders)
		signed func(w *world, j wire.Job) []wire.Envelope
		runs   bool
	}{
		"what is allowed":            {runs: true},
		"another verb alone":         {limits: func(l *wire.Limits) { l.Verbs = []string{"script"} }},
		"another provider":           {limits: func(l *wire.Limits) { l.Sources = []wire.LimitSource{{Provider: "dnf"}} }},
		"another origin":             {limits: func(l *wire.Limits) { l.Sources = []wire.LimitSource{{Provider: "apt", Origin: "Debian"}} }},
		"its origin":                 {limits: func(l *wire.Limits) { l.Sources = []wire.LimitSource{{Provider: "apt", Origin: "Vendor"}} }, runs: true},
		"ended":                      {limits: func(l *wire.Limits) { l.Expires = time.Now().Add(time.Minute) }},
		"forced without a signature": {limits: func(l *wire.Limits) { l.Forced = 1 }, job: forced, orders: closed},
		"forced with one": {limits: func(l *wire.Limits) { l.Forced = 1 }, job: forced, orders: closed, runs: true,
			signed: func(w *world, j wire.Job) []wire.Envelope { return []wire.Envelope{w.approval(j, true, keys.approver)} }},
		"forced with one that is for the window": {limits: func(l *wire.Limits) { l.Forced = 1 }, job: forced, orders: closed,
			signed: func(w *world, j wire.Job) []wire.Envelope {
				return []wire.Envelope{w.approval(j, false, keys.approver)}
			}},
		"forced with the server's signature": {limits: func(l *wire.Limits) { l.Forced = 1 }, job: forced, orders: closed,
			signed: func(w *world, j wire.Job) []wire.Envelope {
				return []wire.Envelope{w.approval(j, true, w.server.orders)}
			}},
		"two asked, one signed twice": {limits: func(l *wire.Limits) { l.Forced = 2 }, job: forced, orders: closed,
			signed: func(w *world, j wire.Job) []wire.Envelope {
				e := w.approval(j, true, keys.approver)
				e.Signatures = append(e.Signatures, e.Signatures[0])
				return []wire.Envelope{e, w.approval(j, true, keys.approver)}
			}},
		"two asked, two signed": {limits: func(l *wire.Limits) { l.Forced = 2 }, job: forced, orders: closed, runs: true,
			signed: func(w *world, j wire.Job) []wire.Envelope {
				return []wire.Envelope{w.approval(j, true, keys.approver, keys.second)}
			}},
	} {
		synctest.Test(t, func(t *testing.T) {
			var change []func(*wire.Limits)
			if c.limits != nil {
				change = append(change, c.limits)
			}
			w := limited(t, keys, change...)
			defer w.end()
			w.machine.origin = "Vendor"
			var jobs []func(*wire.Job)
			if c.job != nil {
				jobs = append(jobs, c.job)
			}
			j := job("curl", "1.0", "1.1", jobs...)
			w.start()
			pass(5 * time.Minute)
			w.server.mu.Lock()
			if c.signed != nil {
				w.server.wish.Approvals = c.signed(w, j)
			}
			w.server.mu.Unlock()
			w.server.set(func(d *wire.DeviceOrders) {
				d.Windows, d.Jobs = always(), []wire.Job{j}
				if c.orders != nil {
					c.orders(d)
				}
			})
			pass(3 * time.Hour)
			if ran := len(w.machine.calls()) > 0; ran != c.runs {
				t.Errorf("%s: ran %v; told %+v", name, ran, w.server.told())
			}
			if c.runs && c.signed != nil && w.receipt(w.last(j)).Approval == "" {
				t.Errorf("%s: the receipt names no approval", name)
			}
		})
	}
}

// approval signs for the job on this world's agent.
func (w *world) approval(j wire.Job, forced bool, keys ...wire.Key) wire.Envelope {
	w.t.Helper()
	name, err := wire.KeyName(&w.key)
	if err != nil {
		w.t.Fatal(err)
	}
	e, err := wire.Seal(wire.ApprovalDocument, wire.Approval{ID: "apv_1", Root: 1, IssuedAt: time.Now(), Expires: time.Now().Add(dayLong), Forced: forced,
		Agents: []string{name}, Updates: []wire.ApprovedUpdate{{Provider: "apt", Name: j.Target.Name, Architecture: "amd64", To: j.Target.To}}}, keys[0])
	for _, k := range keys[1:] {
		if err == nil {
			err = e.Sign(k)
		}
	}
	if err != nil {
		w.t.Fatal(err)
	}
	return *e
}

// Limits that ended let security updates through in their windows and nothing else, until
// there are new ones.
func TestSecurityGoesOnWhenLimitsEnded(t *testing.T) {
	keys := newOffline(t)
	synctest.Test(t, func(t *testing.T) {
		w := limited(t, keys, func(l *wire.Limits) { l.Expires = time.Now().Add(time.Hour) })
		defer w.end()
		w.machine.classes = map[string]patch.Class{"nginx": patch.Security}
		w.start()
		pass(2 * time.Hour)
		curl, nginx := job("curl", "1.0", "1.1"), job("nginx", "2.0", "2.1")
		w.order(curl, nginx)
		pass(time.Hour)
		if w.machine.version("curl") != "1.0" || w.machine.version("nginx") != "2.1" {
			t.Fatalf("curl %s, nginx %s", w.machine.version("curl"), w.machine.version("nginx"))
		}
		w.server.publish(wire.LimitsDocument, keys.limits(2), keys.publisher)
		pass(time.Hour)
		if w.machine.version("curl") != "1.1" {
			t.Error("new limits are there and nothing goes on")
		}
	})
}

// A device begins in its own hours only, whatever time the server tells.
func TestRateIsKeptWhateverTimeTheServerTells(t *testing.T) {
	keys := newOffline(t)
	rate := func(l *wire.Limits) { l.DevicesPerHour, l.Fleet = 10, 100 }
	synctest.Test(t, func(t *testing.T) {
		w := limited(t, keys, rate)
		defer w.end()
		w.server.slow, w.server.next = true, 3600
		w.server.bend = func(r *wire.Reply) { r.Time = r.Time.Add(time.Duration(time.Now().Unix()%48) * time.Hour) }
		w.start()
		pass(5 * time.Minute)
		name, err := wire.KeyName(&w.key)
		if err != nil {
			t.Fatal(err)
		}
		root, limits := keys.rootDocument(1), keys.limits(1, rate)
		state := trust.State{Root: &root, Limits: &limits}
		var began time.Time
		w.machine.apply = func(provider.Request) (provider.Outcome, bool, error) {
			began = time.Now()
			return provider.Outcome{}, true, nil
		}
		j := job("curl", "1.0", "1.1")
		w.order(j)
		w.server.set(func(d *wire.DeviceOrders) { d.ScanSeconds = 86400 })
		pass(10 * dayLong)
		if began.IsZero() {
			t.Fatal("its hour never came")
		}
		ruling := state.Rule(trust.Work{Agent: name, Verb: wire.VerbInstall, Target: j.Target}, nil, began, began)
		if !ruling.OK {
			t.Errorf("it began at %s, which is not its hour: %s", began, ruling.Why)
		}
	})
}

// A root taken on the server's word binds, and its successor must be signed by it.
func TestARootIsHeldOnTo(t *testing.T) {
	keys, thief := newOffline(t), newOffline(t)
	inside(t, func(t *testing.T, w *world) {
		w.server.publish(wire.RootDocument, keys.rootDocument(1), keys.root)
		w.start()
		pass(5 * time.Minute)
		w.server.publish(wire.RootDocument, thief.rootDocument(2, func(r *wire.Root) { r.Limits = 0 }), thief.root)
		pass(time.Hour)
		w.stop()
		b, err := identity.LoadBelief(w.disk, identity.Identity{})
		if err != nil || b.State.Root == nil || b.State.Root.Version != 1 || b.State.Pinned {
			t.Fatalf("%+v, %v", b.State.Root, err)
		}
		s, err := readStatus(w.disk)
		if err != nil || !strings.Contains(s.RefusedDocument, "root") {
			t.Errorf("it is not said: %q, %v", s.RefusedDocument, err)
		}
	})
}

func TestADamagedBeliefIsNotReplacedByAFreshOne(t *testing.T) {
	w := newWorld(t)
	defer w.server.close()
	w.disk.files["trust.json"] = []byte("{")
	if _, err := New(w.options()); err == nil || errors.Is(err, identity.ErrNone) {
		t.Errorf("started with %v", err)
	}
}
