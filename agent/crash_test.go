package agent

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"patchbay/patch"
	"patchbay/provider"
	"patchbay/wire"
)

// TestStoppedWhileApplyingGoesOn kills the agent in the middle of applying: first with half
// of it done, then again and again.
func TestStoppedWhileApplyingGoesOn(t *testing.T) {
	for _, kills := range []int{1, 2, maxTries, maxTries + 2} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			defer w.end()
			j := job("curl", "1.0", "1.1")
			w.order(j)
			left := kills
			w.machine.apply = func(provider.Request) (provider.Outcome, bool, error) {
				if left--; left >= 0 {
					w.disk.mu.Lock()
					w.disk.dead = true
					cut := w.disk.cut
					w.disk.mu.Unlock()
					cut()
					w.machine.broken["curl"] = "half-installed"
					return provider.Outcome{}, false, errors.New("killed")
				}
				delete(w.machine.broken, "curl")
				return provider.Outcome{}, true, nil
			}
			for range kills + 1 {
				if w.start() {
					pass(10 * time.Minute)
					w.stop()
				}
				w.disk = w.disk.revive()
			}
			w.start()
			pass(time.Hour)
			want := wire.StepDone
			if kills >= maxTries {
				want = wire.StepFailed
			}
			o := w.last(j)
			if r := w.receipt(o); o.Step != want || r.Before != "1.0" || r.Verified != (want == wire.StepDone) {
				t.Errorf("killed %d times: told %+v, receipt %+v", kills, o, r)
			}
			if n := len(w.machine.calls()); n > maxTries {
				t.Errorf("applied %d times", n)
			}
		})
	}
}

// TestHalfInstalledIsNotInstalled: the number is there as soon as a package is unpacked. One
// that somebody left so is finished, and one that stays so is no success.
func TestHalfInstalledIsNotInstalled(t *testing.T) {
	for _, mends := range []bool{true, false} {
		inside(t, func(t *testing.T, w *world) {
			w.machine.installed["curl"], w.machine.broken["curl"] = "1.1", "half-configured"
			w.machine.apply = func(provider.Request) (provider.Outcome, bool, error) {
				if mends {
					delete(w.machine.broken, "curl")
				}
				return provider.Outcome{}, true, nil
			}
			j := job("curl", "1.0", "1.1")
			w.order(j)
			w.start()
			pass(time.Hour)
			if len(w.machine.calls()) == 0 {
				t.Error("it counts as there already")
			}
			if o := w.last(j); (o.Step == wire.StepDone) != mends || w.receipt(o).Verified != mends {
				t.Errorf("mended %v: told %s: %s", mends, o.Step, o.Message)
			}
		})
	}
}

// TestBegunJobIsNotWithdrawn: once applying began, the job runs to its verification even
// when the server no longer wants it.
func TestBegunJobIsNotWithdrawn(t *testing.T) {
	inside(t, func(t *testing.T, w *world) {
		j := job("curl", "1.0", "1.1")
		w.order(j)
		w.machine.apply = func(provider.Request) (provider.Outcome, bool, error) {
			w.disk.mu.Lock()
			w.disk.dead = true
			w.disk.cut()
			w.disk.mu.Unlock()
			return provider.Outcome{Reboot: patch.No}, false, nil
		}
		w.start()
		pass(time.Minute)
		w.stop()
		w.machine.apply = func(provider.Request) (provider.Outcome, bool, error) {
			t.Error("applied, though the server is there and no longer wants it")
			return provider.Outcome{}, false, nil
		}
		w.disk = w.disk.revive()
		w.server.set(func(d *wire.DeviceOrders) { d.Jobs, d.Windows.Opens = nil, nil })
		w.start()
		pass(10 * time.Minute)
		o := w.last(j)
		if r := w.receipt(o); o.Step != wire.StepFailed || r.Before != "1.0" || r.After != "1.0" {
			t.Errorf("told %+v", o)
		}
	})
}

// shop is a second package manager, with one thing in it.
type shop struct{ calls int }

func (s *shop) Installed(context.Context) ([]patch.Item, error) {
	return []patch.Item{{Provider: "shop", Name: "editor", Architecture: "amd64", Version: "1.0"}}, nil
}

func (s *shop) Available(context.Context) (patch.Offer, error) { return patch.Offer{}, nil }

func (s *shop) Apply(context.Context, provider.Request) (provider.Outcome, error) {
	s.calls++
	return provider.Outcome{}, nil
}

// TestWithdrawnWhileAnotherIsAppliedIsNotBegun: one package manager works for a while, and
// meanwhile the server takes back what the next was to do.
func TestWithdrawnWhileAnotherIsAppliedIsNotBegun(t *testing.T) {
	inside(t, func(t *testing.T, w *world) {
		first := job("curl", "1.0", "1.1")
		second := job("editor", "1.0", "1.1", func(j *wire.Job) { j.Target.Provider = "shop" })
		w.order(first, second)
		w.machine.apply = func(provider.Request) (provider.Outcome, bool, error) {
			w.order(first)
			w.machine.mu.Unlock()
			time.Sleep(10 * time.Minute)
			w.machine.mu.Lock()
			return provider.Outcome{}, true, nil
		}
		other := &shop{}
		o := w.options()
		o.Kinds = append(o.Kinds, provider.Kind{Name: "shop", Traits: provider.Traits{Versions: "deb", Phase: provider.Firmware},
			Open: func(context.Context, provider.Env) (provider.Provider, error) { return other, nil }})
		w.startWith(o)
		pass(time.Hour)
		if w.last(first).Step != wire.StepDone || w.last(second).Result != wire.ResultRefused || other.calls > 0 {
			t.Errorf("the withdrawn one was begun %d times; told %+v", other.calls, w.server.told())
		}
	})
}

func TestFullDiskStopsJobsAndNothingElse(t *testing.T) {
	inside(t, func(t *testing.T, w *world) {
		w.start()
		pass(time.Minute)
		w.disk.mu.Lock()
		w.disk.dead, w.disk.cut = true, nil
		w.disk.mu.Unlock()
		j := job("curl", "1.0", "1.1")
		w.order(j)
		pass(time.Hour)
		if len(w.machine.calls()) > 0 {
			t.Error("a step was taken that is not written down")
		}
		before := len(w.server.heard())
		w.server.mu.Lock()
		w.server.nonce = "the next"
		w.server.mu.Unlock()
		pass(time.Hour)
		if heard := w.server.heard(); len(heard) == before {
			t.Error("it no longer checks in")
		} else if last := heard[len(heard)-1]; last.Nonce != "the next" {
			t.Errorf("it still says the nonce %q: as if its disk had been set back, again and again", last.Nonce)
		}
		w.disk.mu.Lock()
		w.disk.dead = false
		w.disk.mu.Unlock()
		pass(time.Hour)
		if w.last(j).Step != wire.StepDone {
			t.Error("it did not go on")
		}
	})
}

func TestStepsHaveBothEdges(t *testing.T) {
	all := []wire.Step{wire.StepStaging, wire.StepWaiting, wire.StepPreflight, wire.StepApplying, wire.StepRestarting, wire.StepRebooting, wire.StepVerifying}
	table := steps()
	if len(table) != len(all) {
		t.Errorf("%d steps", len(table))
	}
	for _, step := range all {
		e, ok := table[step]
		if !ok || e.ok == "" || e.failed == "" {
			t.Errorf("%s lacks an edge: %+v", step, e)
		}
		reach := map[wire.Step]bool{}
		walk(step, reach)
		if !reach[wire.StepDone] || !reach[wire.StepFailed] {
			t.Errorf("from %s only %v can be reached", step, reach)
		}
	}
	if table[wire.StepApplying].failed != wire.StepVerifying {
		t.Error("a failed apply must be looked at: half of it may have happened")
	}
	for _, end := range []wire.Step{wire.StepDone, wire.StepFailed} {
		if _, ok := table[end]; ok {
			t.Errorf("%s leads on", end)
		}
	}
}

func walk(step wire.Step, reach map[wire.Step]bool) {
	if step == "" || reach[step] {
		return
	}
	reach[step] = true
	e := steps()[step]
	for _, next := range []wire.Step{e.ok, e.failed, e.again} {
		walk(next, reach)
	}
}
