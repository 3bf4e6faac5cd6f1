package agent

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"patchbay/window"
	"patchbay/wire"
)

func TestUnchangedCheckInIsSmallAndSectionsTravelOnce(t *testing.T) {
	inside(t, func(t *testing.T, w *world) {
		w.server.set(func(d *wire.DeviceOrders) { d.Windows = always() })
		w.start()
		pass(6 * time.Hour)
		with := 0
		for _, c := range w.server.heard() {
			for _, d := range c.Devices {
				if len(d.Sections) > 0 {
					with++
				}
			}
		}
		if with != 1 {
			t.Errorf("sections travelled %d times", with)
		}
		last, err := json.Marshal(w.server.heard()[len(w.server.heard())-1])
		if err != nil || len(last) > 400 {
			t.Errorf("an unchanged check-in has %d bytes: %s", len(last), last)
		}
		n := len(w.server.heard())
		w.machine.mu.Lock()
		w.machine.installed["curl"] = "1.0.1"
		w.machine.mu.Unlock()
		pass(time.Hour)
		for _, c := range w.server.heard()[n:] {
			for _, s := range c.Devices[0].Sections {
				if s.Body != nil && s.Name != "apt/installed" && s.Name != "apt/offered" {
					t.Errorf("%s did not change and travelled again", s.Name)
				}
			}
		}
		if !strings.Contains(string(w.server.held["apt/installed"].Body), "1.0.1") {
			t.Error("the server does not hold what changed")
		}
	})
}

func TestRestartedAgentSendsNothingTheServerHolds(t *testing.T) {
	inside(t, func(t *testing.T, w *world) {
		w.start()
		pass(time.Minute)
		w.stop()
		n := len(w.server.heard())
		w.start()
		pass(time.Minute)
		for _, c := range w.server.heard()[n:] {
			if len(c.Devices) != 1 || len(c.Devices[0].Sections) > 0 {
				t.Errorf("sent %+v", c.Devices)
			}
		}
	})
}

func TestServerThatKeepsNothingMakesNoStorm(t *testing.T) {
	inside(t, func(t *testing.T, w *world) {
		w.server.bend = func(r *wire.Reply) { r.Holds = []wire.Held{{Device: testDevice}} }
		w.start()
		pass(time.Hour)
		if n := len(w.server.heard()); n > 30 {
			t.Errorf("%d check-ins in an hour", n)
		}
	})
}

func TestFailedSectionAgesAndNeverEmpties(t *testing.T) {
	inside(t, func(t *testing.T, w *world) {
		w.start()
		pass(time.Minute)
		good := w.server.held["apt/installed"]
		w.machine.mu.Lock()
		w.machine.scanErr = errors.New("dpkg: the status file is torn")
		w.machine.mu.Unlock()
		pass(2 * time.Hour)
		w.stop()
		w.start() // a restart brings no forgetting
		pass(2 * time.Hour)
		bad := w.server.held["apt/installed"]
		if bad.State != wire.SectionFailed || bad.Hash != good.Hash || !bad.ScannedAt.Equal(good.ScannedAt) || !strings.Contains(bad.Error, "torn") {
			t.Errorf("was %+v, is %+v", good, bad)
		}
		if last := w.server.heard()[len(w.server.heard())-1].Devices[0]; !last.ScannedAt.Equal(good.ScannedAt) {
			t.Errorf("it claims a complete scan at %s", last.ScannedAt)
		}
	})
}

// hostile are orders that no agent may take.
func hostile(t *testing.T, s *server, good wire.Orders) map[string]*wire.Envelope {
	t.Helper()
	_, other, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	seal := func(kind string, key ed25519.PrivateKey, change func(*wire.Orders)) *wire.Envelope {
		o := good
		change(&o)
		e, err := wire.Seal(kind, o, key)
		if err != nil {
			t.Fatal(err)
		}
		return e
	}
	none := func(*wire.Orders) {}
	bent := seal(wire.OrdersDocument, s.orders, none)
	bent.Payload = append(bent.Payload[:len(bent.Payload)-1], ' ')
	unsigned := seal(wire.OrdersDocument, s.orders, none)
	unsigned.Signatures = nil
	return map[string]*wire.Envelope{
		"other key":    seal(wire.OrdersDocument, other, none),
		"other type":   seal(wire.ReceiptDocument, s.orders, none),
		"other agent":  seal(wire.OrdersDocument, s.orders, func(o *wire.Orders) { o.Agent = "agt_11111111111111111111111111" }),
		"older":        seal(wire.OrdersDocument, s.orders, func(o *wire.Orders) { o.Seen = wire.OrdersVersion{Epoch: 0, Version: 1 << 40} }),
		"expired":      seal(wire.OrdersDocument, s.orders, func(o *wire.Orders) { o.Expires = time.Now().Add(-time.Second) }),
		"never":        seal(wire.OrdersDocument, s.orders, func(o *wire.Orders) { o.Expires = time.Time{} }),
		"bent payload": bent,
		"unsigned":     unsigned,
		"empty":        {},
	}
}

func TestOrdersThatAreNotTheServersAreRefused(t *testing.T) {
	var names []string
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		defer s.close()
		for name := range hostile(t, s, wire.Orders{}) {
			names = append(names, name)
		}
	})
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			inside(t, func(t *testing.T, w *world) {
				w.order()
				w.start()
				pass(time.Minute)
				before := w.agent.version()
				evil := w.server.wish
				evil.Seen.Version += 100
				evil.Devices = []wire.DeviceOrders{{Device: testDevice, Windows: always(), Jobs: []wire.Job{job("curl", "1.0", "1.1")}}}
				envelope := hostile(t, w.server, evil)[name]
				w.server.mu.Lock()
				w.server.bend = func(r *wire.Reply) { r.Orders = envelope }
				w.server.mu.Unlock()
				pass(time.Hour)
				if len(w.machine.calls()) > 0 || w.agent.version() != before {
					t.Error("taken")
				}
				standing, err := Look(w.disk)
				if err != nil || standing.Status.RefusedOrders == "" {
					t.Errorf("nobody is told: %+v %v", standing.Status, err)
				}
			})
		})
	}
}

func TestOrdersForAnotherDeviceRunNothing(t *testing.T) {
	inside(t, func(t *testing.T, w *world) {
		w.server.set(func(d *wire.DeviceOrders) {
			d.Device, d.Windows, d.Jobs = "dev_11111111111111111111111111", always(), []wire.Job{job("curl", "1.0", "1.1")}
		})
		w.start()
		pass(time.Hour)
		if len(w.machine.calls()) > 0 {
			t.Error("ran another device's job")
		}
	})
}

func TestOrdersOutliveARestartWithoutTheServer(t *testing.T) {
	inside(t, func(t *testing.T, w *world) {
		opens := time.Now().Add(30 * time.Hour) // after the orders expire, which ends only their acceptance
		j := job("curl", "1.0", "1.1")
		w.server.set(func(d *wire.DeviceOrders) {
			d.Jobs = []wire.Job{j}
			d.Windows = window.Spec{Opens: []window.Span{{From: opens, Until: opens.Add(time.Hour), Reason: "night"}}}
		})
		w.start()
		pass(time.Minute)
		w.stop()
		w.server.net.cut(true)
		w.start()
		pass(31 * time.Hour)
		if w.machine.version("curl") != "1.1" {
			t.Error("an offline agent did not run the job it holds")
		}
		w.server.net.cut(false)
		pass(time.Hour)
		if !w.receipt(w.last(j)).Verified {
			t.Error("the outcome did not arrive")
		}
	})
}

func TestFirstRetryIsSpreadAndLaterOnesBackOff(t *testing.T) {
	inside(t, func(t *testing.T, w *world) {
		w.start()
		pass(time.Minute)
		w.server.net.cut(true)
		down := time.Now()
		dials := w.server.net.dialled()
		pass(59 * time.Second) // Random is a half: half of two minutes
		if n := w.server.net.dialled() - dials; n != 0 {
			t.Errorf("a lost server was called at once, %d times", n)
		}
		pass(2 * time.Second)
		before := w.server.net.dialled()
		if before == dials {
			t.Error("nobody called when it was time")
		}
		for range 5 {
			w.agent.news()
			pass(time.Second)
		}
		if n := w.server.net.dialled() - before; n != 0 {
			t.Errorf("news called a lost server %d times", n)
		}
		pass(24*time.Hour - time.Since(down))
		if n := w.server.net.dialled() - dials; n > 24*60/5+10 || n < 24 {
			t.Errorf("%d calls in a day", n)
		}
		w.server.net.cut(false)
		n := len(w.server.heard())
		if pass(6 * time.Minute); len(w.server.heard()) == n {
			t.Error("the server is back and hears nothing")
		}
	})
}

func TestCallMakesTheAgentCheckIn(t *testing.T) {
	inside(t, func(t *testing.T, w *world) {
		w.start()
		pass(2 * time.Minute)
		n := len(w.server.heard())
		w.machine.mu.Lock()
		w.machine.installed["curl"] = "1.0.1" // before the call: who is quick looks at once
		w.machine.mu.Unlock()
		w.server.set(nil)
		if pass(5 * time.Second); len(w.server.heard()) == n || len(w.server.heard()) > n+2 {
			t.Errorf("%d check-ins after a call", len(w.server.heard())-n)
		}
		if !strings.Contains(string(w.server.held["apt/installed"].Body), "1.0.1") {
			t.Error("it was called and did not look")
		}
	})
}

func TestServerRestoredFromBackupGetsWhatItLost(t *testing.T) {
	inside(t, func(t *testing.T, w *world) {
		first, second := job("curl", "1.0", "1.1"), job("nginx", "2.0", "2.1")
		w.order(first)
		w.start()
		pass(time.Minute)
		w.order(first, second)
		pass(time.Minute)
		w.server.mu.Lock()
		w.server.outcomes, w.server.ack = w.server.outcomes[:1], 1
		w.server.held = map[string]wire.Section{}
		w.server.wish.Seen = wire.OrdersVersion{Epoch: 2}
		w.server.mu.Unlock()
		w.server.set(func(d *wire.DeviceOrders) { d.Jobs = nil })
		pass(time.Hour)
		if !w.receipt(w.last(second)).Verified || len(w.server.told()) != 2 || len(w.server.held) == 0 {
			t.Errorf("told %+v", w.server.told())
		}
		if n := len(w.machine.calls()); n != 2 {
			t.Errorf("applied %d times", n)
		}
	})
}

func TestAgentRestoredFromBackupUsesNoNumberTwice(t *testing.T) {
	inside(t, func(t *testing.T, w *world) {
		w.start()
		pass(time.Minute)
		w.stop()
		backup := w.disk.revive()
		w.start()
		w.order(job("curl", "1.0", "1.1"))
		pass(time.Minute)
		w.stop()
		w.disk = backup
		w.start()
		j := job("nginx", "2.0", "2.1")
		w.order(j)
		pass(time.Hour)
		if !w.receipt(w.last(j)).Verified {
			t.Errorf("told %+v", w.server.told())
		}
	})
}

func TestWrongClockKeepsTheWindows(t *testing.T) {
	for _, off := range []time.Duration{-30 * 365 * 24 * time.Hour, -5 * time.Hour, 5 * time.Hour, 10 * 365 * 24 * time.Hour} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			defer w.end()
			opens := time.Now().Add(5 * time.Hour)
			j := job("curl", "1.0", "1.1")
			w.server.set(func(d *wire.DeviceOrders) {
				d.Jobs = []wire.Job{j}
				d.Windows = window.Spec{Opens: []window.Span{{From: opens, Until: opens.Add(time.Hour), Reason: "night"}}}
			})
			w.start()
			pass(time.Minute)
			w.stop()
			o := w.options()
			o.Now = func() time.Time { return time.Now().Add(off) } // the battery of the clock is empty
			w.startWith(o)
			pass(4 * time.Hour)
			if len(w.machine.calls()) > 0 {
				t.Errorf("clock off by %s: installed before the window", off)
			}
			pass(90 * time.Minute)
			if r := w.receipt(w.last(j)); !r.Verified || r.StartedAt.Before(opens) || r.StartedAt.After(opens.Add(time.Hour)) {
				t.Errorf("clock off by %s: receipt %+v", off, r)
			}
		})
	}
}

func TestImplausibleClockWaitsForTheServer(t *testing.T) {
	inside(t, func(t *testing.T, w *world) {
		j := job("curl", "1.0", "1.1")
		w.server.set(func(d *wire.DeviceOrders) { d.Jobs = []wire.Job{j} })
		w.start()
		pass(time.Minute)
		w.order(j)
		w.server.net.cut(false) // the agent hears of it only by checking in
		w.stop()
		w.server.net.cut(true)
		o := w.options()
		o.Now = func() time.Time { return time.Now().Add(-20 * 365 * 24 * time.Hour) }
		w.startWith(o)
		pass(10 * time.Hour)
		if len(w.machine.calls()) > 0 {
			t.Error("installed without knowing the time")
		}
		w.server.net.cut(false)
		pass(time.Hour)
		if !w.receipt(w.last(j)).Verified {
			t.Error("the server told the time and it still waits")
		}
	})
}

// FuzzReply gives an agent any reply at all: it must neither fail nor install anything.
func FuzzReply(f *testing.F) {
	w := newWorld(f)
	defer w.end()
	w.order(job("curl", "1.0", "1.1"))
	good, err := json.Marshal(wire.Reply{Version: 1, Time: time.Now(), Acknowledged: 3, Next: 60, Orders: w.server.envelope,
		Holds: []wire.Held{{Device: testDevice, Sections: map[string]string{"host": "sha256:00"}}}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add([]byte(`{"v":1,"time":"2026-01-01T00:00:00Z","ack":-1,"next":-1}`))
	f.Add([]byte(`{"v":1,"time":"9999-01-01T00:00:00Z","ack":9223372036854775807,"next":9223372036854775807}`))
	f.Add([]byte(strings.Replace(string(good), `"patchbay/orders/v1"`, `"patchbay/receipt/v1"`, 1)))
	f.Fuzz(func(t *testing.T, data []byte) { fuzzReply(t, w, data) })
}
