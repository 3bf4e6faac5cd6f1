package engine

import (
	"strings"
	"testing"
	"time"

	"patchbay/patch"
	"patchbay/server/store"
	"patchbay/server/verdict"
	"patchbay/server/view"
	"patchbay/window"
	"patchbay/wire"
)

func always() []window.Weekly {
	return []window.Weekly{{Days: []string{"mon", "tue", "wed", "thu", "fri", "sat", "sun"}, Start: "00:00", Minutes: 1440}}
}

// runs makes the agent report the version installed and what still runs in an old one.
func (r *rig) runs(installed string, restart wire.Restart, jobs ...wire.JobStep) {
	r.t.Helper()
	r.restart = restart
	r.says(installed, nil, jobs)
}

// An update whose old files are in use is not good, and becomes it by the next reading.
func TestWhatStillRunsOldClearsByItself(t *testing.T) {
	r := newRig(t, store.SitePolicy{Auto: store.ByHand})
	r.says("1.0", []patch.Update{lib}, nil)
	r.runs("1.1", wire.Restart{Old: []wire.OldUse{{Service: "nginx.service", Packages: []string{"lib"}, Processes: 2}}})
	r.expect(verdict.RUNNING_OLD)
	if v := r.verdict(); !strings.Contains(v.Sentence, "nginx.service still runs with the old files of lib.") {
		t.Errorf("%s", v.Sentence)
	}
	r.runs("1.1", wire.Restart{Unknown: []string{"1 of 9 processes could not be looked at."}, Doubt: []string{"lib"}})
	r.expect(verdict.UNKNOWN)
	r.runs("1.1", wire.Restart{})
	r.expect(verdict.VERIFIED)
}

// The policy of the site reaches the device's orders.
func TestOrdersSayWhoRestartsServices(t *testing.T) {
	for policy, want := range map[store.Restarts]bool{"": false, store.RestartByHand: false, store.InWindow: true} {
		r := newRig(t, store.SitePolicy{Auto: store.Security, Restarts: policy})
		r.says("1.0", []patch.Update{lib}, nil)
		envelope, _, err := r.Orders(t.Context(), r.agent)
		r.must(err)
		var o wire.Orders
		_, err = envelope.Open(wire.OrdersDocument, &o, r.Key.Public())
		r.must(err)
		if o.Devices[0].Restart != want {
			t.Errorf("%q: the orders say %v", policy, o.Devices[0].Restart)
		}
	}
}

// From being told to restart until it is heard again, by the clock alone.
func TestMachineThatDoesNotComeBackFailsUntilItIsHeard(t *testing.T) {
	r := newRig(t, store.SitePolicy{Auto: store.Security, Windows: always(), Reboots: wire.Reboots{When: wire.RebootWindow, Daily: wire.UsualDaily}})
	r.says("1.0", []patch.Update{lib}, nil)
	job := r.ordered()[0]
	asks := wire.Restart{Machine: true, Reasons: []string{"lib"}}
	r.runs("1.1", asks, wire.JobStep{Job: job.ID, Step: wire.StepRebooting, Since: r.now, Why: wire.Restarts})
	r.expect(verdict.INSTALLED_PENDING_REBOOT)
	down := r.now
	for r.now.Before(down.Add(time.Hour)) {
		r.mu.Lock()
		due := r.alarm[r.device]
		r.mu.Unlock()
		if !due.After(r.now) {
			t.Fatalf("at %s nothing is looked at again", r.now.Sub(down))
		}
		r.now = due
		r.next(r.now)
		r.must(r.Step(t.Context(), r.device))
		if verdict.IsNotBack(r.verdict()) {
			break
		}
	}
	if v := r.verdict(); v.Name != verdict.FAILED || r.now.Sub(down) > verdict.BackWithin+time.Minute {
		t.Fatalf("after %s: %+v", r.now.Sub(down), v)
	}
	if d := r.Index.Devices(r.now, view.Filter{State: "not_back"}); d.Total != 1 {
		t.Errorf("%d devices are listed as not back", d.Total)
	}
	r.now = r.now.Add(time.Hour)
	r.Heard(r.device, r.now)
	r.runs("1.1", wire.Restart{}, wire.JobStep{Job: job.ID, Step: wire.StepVerifying, Since: r.now})
	r.expect(verdict.VERIFIED)
	if d := r.Index.Devices(r.now, view.Filter{State: "not_back"}); d.Total != 0 {
		t.Errorf("heard again, %d devices are listed as not back", d.Total)
	}
}
