package agent

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"patchbay/patch"
	"patchbay/provider"
	"patchbay/window"
	"patchbay/wire"
)

// Unfinished are the items that an Apply left broken, as long as the test has a repair.
func (m *machine) Unfinished(context.Context) ([]patch.Item, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var items []patch.Item
	for name := range m.broken {
		if m.repair != nil && m.begun[name] != "" {
			items = append(items, patch.Item{Provider: "apt", Name: name, Architecture: "amd64", Version: m.installed[name], Broken: m.broken[name]})
		}
	}
	return items, nil
}

// Repair makes them whole when the test's repair says so.
func (m *machine) Repair(context.Context, time.Duration) (provider.Outcome, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.repairs++
	o, err := m.repair()
	if err != nil {
		return o, err
	}
	for name := range m.broken {
		m.installed[name] = m.begun[name]
		delete(m.broken, name)
	}
	return o, nil
}

// breaks makes Apply leave everything half done and fail.
func (w *world) breaks() {
	w.machine.begun = map[string]string{}
	w.machine.apply = func(r provider.Request) (provider.Outcome, bool, error) {
		for _, u := range r.Updates {
			w.machine.begun[u.Name], w.machine.broken[u.Name] = u.Available, "half-configured"
		}
		return provider.Outcome{}, false, errors.New("its script was killed")
	}
}

// What was begun is finished before its job is judged; the scan after says how it ended.
func TestWhatWasBegunIsFinishedBeforeItIsJudged(t *testing.T) {
	for _, works := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			defer w.end()
			w.breaks()
			w.machine.repair = func() (provider.Outcome, error) {
				if !works {
					return provider.Outcome{Messages: []string{"no such user"}}, errors.New("its script failed")
				}
				return provider.Outcome{Changes: []provider.Change{{Name: "curl", Architecture: "amd64", From: "1.0", To: "1.1", Asked: true}}}, nil
			}
			j := job("curl", "1.0", "1.1")
			w.order(j)
			w.start()
			pass(10 * time.Minute)
			o := w.last(j)
			r := w.receipt(o)
			if works && (o.Step != wire.StepDone || !r.Verified || r.After != "1.1" || len(r.Changes) != 1) {
				t.Errorf("finished: told %+v, receipt %+v", o, r)
			}
			if !works && (o.Step != wire.StepFailed || r.Verified || o.Message != "The package curl 1.0 was left half-configured. its script failed" || o.Detail != "no such user") {
				t.Errorf("not finished: told %+v, receipt %+v", o, r)
			}
		})
	}
}

// A job that was given up, and even one that is over, leaves nothing behind that it began.
func TestNothingStaysBehindAJobThatIsOver(t *testing.T) {
	inside(t, func(t *testing.T, w *world) {
		w.breaks()
		w.machine.repair = func() (provider.Outcome, error) { return provider.Outcome{}, errors.New("its script failed") }
		j := job("curl", "1.0", "1.1")
		w.order(j)
		w.start()
		pass(10 * time.Minute)
		if o := w.last(j); o.Step != wire.StepFailed {
			t.Fatalf("told %+v", o)
		}
		w.machine.mu.Lock()
		w.machine.repair = func() (provider.Outcome, error) { return provider.Outcome{}, nil }
		w.machine.mu.Unlock()
		pass(time.Hour)
		if v := w.machine.version("curl"); v != "1.1" || len(w.machine.broken) > 0 {
			t.Errorf("curl is %s and broken are %v", v, w.machine.broken)
		}
	})
}

// Finishing is part of the installation: it waits for a window, unless a person said now; and
// what nobody here began is not touched.
func TestFinishingKeepsTheWindows(t *testing.T) {
	for name, c := range map[string]struct {
		forced  string
		begun   bool
		open    bool
		repairs int
	}{
		"in a window": {begun: true, open: true, repairs: 1},
		"outside":     {begun: true},
		"forced":      {begun: true, forced: "Ann", repairs: 1},
		"not ours":    {open: true},
	} {
		t.Run(name, func(t *testing.T) {
			inside(t, func(t *testing.T, w *world) {
				w.breaks()
				j := job("curl", "1.0", "1.1", func(j *wire.Job) { j.Forced = c.forced })
				w.order(j)
				w.start()
				pass(10 * time.Minute) // it failed, and there was nothing to repair it with
				w.server.set(func(d *wire.DeviceOrders) {
					if !c.open {
						d.Windows = window.Spec{}
					}
				})
				pass(time.Hour) // the orders with no window have reached the agent before it could repair
				w.machine.mu.Lock()
				if !c.begun {
					clear(w.machine.begun)
				}
				w.machine.repair = func() (provider.Outcome, error) { return provider.Outcome{}, nil }
				w.machine.mu.Unlock()
				pass(2 * time.Hour)
				if w.machine.repairs != c.repairs {
					t.Errorf("finished %d times", w.machine.repairs)
				}
			})
		})
	}
}
