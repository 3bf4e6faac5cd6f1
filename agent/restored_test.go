package agent

import (
	"errors"
	"testing"
	"time"

	"patchbay/agent/journal"
	"patchbay/provider"
	"patchbay/wire"
)

// The server is restored from a backup in which jobs are open that ended since, and listed
// no more: one well, one badly. It lists them again, in a new epoch.
func TestAJobThatEndedIsNotBegunAgainForARestoredServer(t *testing.T) {
	inside(t, func(t *testing.T, w *world) {
		w.machine.apply = func(r provider.Request) (provider.Outcome, bool, error) {
			for _, u := range r.Updates {
				if u.Name != "nginx" {
					w.machine.installed[u.Name] = u.Available
				}
			}
			return provider.Outcome{}, false, errors.New("the maintainer's script of nginx failed")
		}
		w.start()
		good, bad := job("curl", "1.0", "1.1"), job("nginx", "2.0", "2.1")
		w.order(good, bad)
		pass(5 * time.Minute)
		before := w.server.told()
		w.order() // both are over and nobody lists them
		pass(5 * time.Minute)
		calls := len(w.machine.calls())
		if w.last(good).Step != wire.StepDone || w.last(bad).Step != wire.StepFailed || calls == 0 {
			t.Fatalf("told: %+v", before)
		}

		w.server.mu.Lock()
		w.server.ack, w.server.outcomes, w.server.held = 0, nil, map[string]wire.Section{}
		w.server.wish.Seen = wire.OrdersVersion{Epoch: time.Now().Unix()}
		w.server.mu.Unlock()
		w.order(good, bad)
		pass(time.Minute)
		if n := len(w.machine.calls()); n != calls {
			t.Errorf("%d calls became %d", calls, n)
		}
		if again := w.server.told(); len(again) != len(before) || again[0].Seq != before[0].Seq {
			t.Errorf("told %+v\nagain %+v", before, again)
		}
		w.receipt(w.last(good))
		if _, held := w.server.held["apt/installed"]; !held {
			t.Error("the server did not get again what it lost")
		}
	})
}

// A clock that leapt while the machine was off makes nothing old: the server may still ask
// for what was told yesterday.
func TestAClockThatLeaptMakesNoReceiptOld(t *testing.T) {
	inside(t, func(t *testing.T, w *world) {
		w.start()
		w.order(job("curl", "1.0", "1.1"))
		pass(5 * time.Minute)
		before := w.server.told()
		w.stop()
		w.server.net.cut(true)
		o := w.options()
		o.Now = func() time.Time { return time.Now().Add(100 * 24 * time.Hour) }
		w.startWith(o)
		pass(time.Minute)
		w.server.mu.Lock()
		w.server.ack, w.server.outcomes = 0, nil
		w.server.mu.Unlock()
		w.server.net.cut(false)
		pass(20 * time.Minute)
		if again := w.server.told(); len(before) == 0 || len(again) < len(before) || again[0].Seq != before[0].Seq {
			t.Errorf("told %+v\nagain %+v", before, again)
		}
	})
}

func TestAnEndedJobIsForgottenWhenNoReceiptOfItIsKept(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	ended := journal.Job{Job: wire.Job{ID: "job_a"}, Step: wire.StepFailed, Since: now}
	for after, want := range map[time.Duration]bool{0: false, -time.Hour: false, journal.Keep: false, journal.Keep + time.Second: true} {
		s := newSituation(now.Add(after), true, false, wire.DeviceOrders{})
		plan := adopt(s, wire.OrdersVersion{}, []journal.Job{ended}, func(wire.Job) string { return "" })
		if (len(plan.forget) == 1) != want {
			t.Errorf("%s after its end it is forgotten: %v", after, len(plan.forget) == 1)
		}
		s = newSituation(now.Add(after), true, false, wire.DeviceOrders{Jobs: []wire.Job{{ID: "job_a"}}})
		if plan := adopt(s, wire.OrdersVersion{}, []journal.Job{ended}, func(wire.Job) string { return "" }); len(plan.enter)+len(plan.forget) > 0 {
			t.Errorf("%s after its end it is begun again when listed: %+v", after, plan)
		}
	}
}
