package agent

import (
	"errors"
	"strings"
	"testing"
	"time"

	"patchbay/provider"
	"patchbay/wire"
)

// TestUndoTakesBackTheLastUpdateAndNothingElse goes through every pair of versions that an
// undo can name, with every version that the device may have kept.
func TestUndoTakesBackTheLastUpdateAndNothingElse(t *testing.T) {
	versions := []string{"1.0", "1.1", "1.2", "1.3"}
	for _, from := range versions {
		for _, to := range versions {
			for _, kept := range []string{"", "1.0", "1.1"} {
				inside(t, func(t *testing.T, w *world) {
					w.machine.installed["curl"], w.machine.previous["curl"] = "1.2", kept
					j := job("curl", from, to, undone)
					w.order(j)
					w.start()
					pass(10 * time.Minute)
					o, want := w.last(j), from == "1.2" && to == kept
					r := w.receipt(o)
					there := to == "1.2" && from == "1.3" // nothing is left to do
					is := "1.2"
					if want {
						is = to
					}
					if now := w.machine.version("curl"); now != is {
						t.Errorf("from %s to %s, kept %q: it is %s", from, to, kept, now)
					}
					if (o.Step == wire.StepDone) != (want || there) || r.Verified != (want || there) {
						t.Errorf("from %s to %s, kept %q: told %s, verified %v: %s", from, to, kept, o.Step, r.Verified, o.Message)
					}
					if want && (r.Before != "1.2" || r.After != to || !strings.Contains(o.Message, "back at "+to)) {
						t.Errorf("the receipt says %s, then %s; told %q", r.Before, r.After, o.Message)
					}
				})
			}
		}
	}
}

// TestUndoIsVerifiedByTheScan: what the provider says of itself counts for nothing.
func TestUndoIsVerifiedByTheScan(t *testing.T) {
	inside(t, func(t *testing.T, w *world) {
		w.machine.installed["curl"], w.machine.previous["curl"] = "1.1", "1.0"
		w.machine.apply = func(provider.Request) (provider.Outcome, bool, error) { return provider.Outcome{}, false, nil }
		lied, failed := job("curl", "1.1", "1.0", undone), job("nginx", "2.1", "2.0", undone)
		w.order(lied)
		w.start()
		pass(10 * time.Minute)
		if o := w.last(lied); o.Step != wire.StepFailed || !strings.Contains(o.Message, "still 1.1, not 1.0") {
			t.Errorf("told %+v", o)
		}
		w.machine.mu.Lock()
		w.machine.installed["nginx"], w.machine.previous["nginx"] = "2.1", "2.0"
		w.machine.apply = func(provider.Request) (provider.Outcome, bool, error) {
			return provider.Outcome{}, true, errors.New("its script complained")
		}
		w.machine.mu.Unlock()
		w.order(failed)
		pass(20 * time.Minute)
		if o := w.last(failed); o.Step != wire.StepDone || !w.receipt(o).Verified {
			t.Errorf("told %+v", o)
		}
	})
}

// TestUndoWaitsForItsWindow, and an observing agent takes nothing back.
func TestUndoWaitsForItsWindow(t *testing.T) {
	inside(t, func(t *testing.T, w *world) {
		w.machine.installed["curl"], w.machine.previous["curl"] = "1.1", "1.0"
		j := job("curl", "1.1", "1.0", undone)
		w.order(j)
		w.server.set(func(d *wire.DeviceOrders) { d.Windows.Opens[0].From = time.Now().Add(time.Hour) })
		w.start()
		pass(30 * time.Minute)
		if w.machine.version("curl") != "1.1" {
			t.Error("taken back outside the window")
		}
		pass(2 * time.Hour)
		if w.machine.version("curl") != "1.0" || w.last(j).Step != wire.StepDone {
			t.Errorf("it is %s", w.machine.version("curl"))
		}
	})
}
