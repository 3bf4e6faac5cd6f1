package agent

import (
	"strings"
	"testing"
	"time"

	"patchbay/patch"
	"patchbay/provider"
	"patchbay/wire"
)

// TestAnUpdateOfItsOwnIsTakenOff: what was not there before goes back to not being there, and
// only a reading that does not show it proves that.
func TestAnUpdateOfItsOwnIsTakenOff(t *testing.T) {
	for name, removed := range map[string]bool{"it goes": true, "it stays": false} {
		inside(t, func(t *testing.T, w *world) {
			w.machine.adds = true
			w.machine.installed["KB1"], w.machine.previous["KB1"] = "200", patch.Nothing
			w.machine.apply = func(r provider.Request) (provider.Outcome, bool, error) {
				if removed {
					delete(w.machine.installed, "KB1")
				}
				return provider.Outcome{}, false, nil
			}
			j := job("KB1", "200", patch.Nothing)
			j.Verb = wire.VerbUndo
			j.ID = wire.JobID(testDevice, j.Verb, j.Target, j.Decision, j.Attempt)
			w.order(j)
			w.start()
			pass(time.Hour)
			o := w.last(j)
			if r := w.receipt(o); r.Verified != removed || (o.Step == wire.StepDone) != removed {
				t.Errorf("%s: told %+v, receipt %+v", name, o, r)
			}
		})
	}
}

// TestARemovalThatWaitsForARestartIsNoFailure: it is told as what it is, is proven only when the
// update is gone, and is no installation either.
func TestARemovalThatWaitsForARestartIsNoFailure(t *testing.T) {
	for _, verb := range []string{wire.VerbUndo, wire.VerbInstall} {
		inside(t, func(t *testing.T, w *world) {
			w.machine.adds = true
			w.machine.installed["KB1"], w.machine.previous["KB1"] = "200", patch.Nothing
			w.machine.apply = func(provider.Request) (provider.Outcome, bool, error) {
				w.machine.leaves, w.machine.restart = true, wire.Restart{Machine: true, Reasons: []string{"Windows Update"}}
				return provider.Outcome{Reboot: patch.Yes}, false, nil
			}
			j := job("KB1", "200", patch.Nothing, undone)
			if verb == wire.VerbInstall {
				w.machine.leaves = true
				j = job("KB1", "200", "200")
			}
			w.order(j)
			w.start()
			pass(time.Hour)
			o := w.last(j)
			if r := w.receipt(o); r.Verified || (o.Step == wire.StepDone) != (verb == wire.VerbUndo) || !strings.Contains(o.Message, "KB1 is taken off when the machine restarts") {
				t.Errorf("told %+v, receipt %+v", o, r)
			}
		})
	}
}

// TestOnlyWhatAddsItemsGoesBackToNothing: elsewhere it would be a removal.
func TestOnlyWhatAddsItemsGoesBackToNothing(t *testing.T) {
	inside(t, func(t *testing.T, w *world) {
		w.machine.previous["curl"] = patch.Nothing
		j := job("curl", "1.0", patch.Nothing)
		j.Verb = wire.VerbUndo
		j.ID = wire.JobID(testDevice, j.Verb, j.Target, j.Decision, j.Attempt)
		w.order(j)
		w.start()
		pass(time.Hour)
		if o := w.last(j); o.Result != wire.ResultRefused || len(w.machine.calls()) != 0 {
			t.Errorf("told %+v", o)
		}
	})
}

// TestWhatWaitsForARestartIsNotVerified: also where what asks for the restart names no item.
func TestWhatWaitsForARestartIsNotVerified(t *testing.T) {
	inside(t, func(t *testing.T, w *world) {
		w.machine.waits = true
		w.machine.restart = wire.Restart{Machine: true, Reasons: []string{"Windows Update"}}
		j := job("curl", "1.0", "1.1")
		w.order(j)
		w.start()
		pass(time.Hour)
		o := w.last(j)
		if r := w.receipt(o); r.Verified || o.Step != wire.StepDone || !strings.Contains(o.Message, "when the machine restarts") {
			t.Errorf("told %+v, receipt %+v", o, r)
		}
	})
}

// TestWhatIsDisputedIsNotInstalled: the number alone is not enough where another reading says
// otherwise.
func TestWhatIsDisputedIsNotInstalled(t *testing.T) {
	inside(t, func(t *testing.T, w *world) {
		w.machine.disputed = map[string]string{"curl": "The engine says that it is installed, and the build does not show it."}
		j := job("curl", "1.0", "1.1")
		w.order(j)
		w.start()
		pass(time.Hour)
		o := w.last(j)
		if r := w.receipt(o); r.Verified || o.Step != wire.StepFailed || o.Message != w.machine.disputed["curl"] {
			t.Errorf("told %+v, receipt %+v", o, r)
		}
	})
}
