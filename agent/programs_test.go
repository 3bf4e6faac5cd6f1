package agent

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"patchbay/patch"
	"patchbay/provider"
	"patchbay/wire"
)

// fresh is a job for what is not there.
func fresh(name, to string) wire.Job {
	return job(name, "", to, func(j *wire.Job) { j.Target.Architecture, j.Target.Instance, j.Target.Source = "", name, name })
}

func want(w *world, jobs ...wire.Job) {
	w.server.set(func(d *wire.DeviceOrders) {
		d.Windows, d.Jobs, d.Programs = always(), jobs, []patch.Wish{{Provider: "apt", Package: "tool", Install: true}}
	})
}

// offered is what the server holds of what is on offer.
func offered(w *world, name string) bool {
	return strings.Contains(string(w.server.held["apt/offered"].Body), `"name":"`+name+`"`)
}

// What orders want is offered from the next look on, which comes with the orders, and is
// installed, read back under the name it gives itself, and proven.
func TestAWantedProgramIsInstalledAndReadBack(t *testing.T) {
	inside(t, func(t *testing.T, w *world) {
		w.order()
		w.start()
		pass(time.Minute)
		if offered(w, "tool") {
			t.Fatal("it is on offer, and nobody wants it")
		}
		want(w)
		pass(3 * time.Minute)
		if !offered(w, "tool") {
			t.Fatal("it is wanted, and not on offer")
		}
		j := fresh("tool", "1.0")
		want(w, j)
		pass(3 * time.Minute)
		o := w.last(j)
		if r := w.receipt(o); o.Step != wire.StepDone || !r.Verified || r.Before != "" || r.After != "1.0" || len(r.Changes) != 1 || r.Changes[0].Name != "the tool" {
			t.Errorf("told %+v with %+v", o, r)
		}
		w.order()
		pass(3 * time.Minute)
		if offered(w, "tool") || w.machine.version("the tool") != "1.0" {
			t.Error("a wish that was withdrawn changes what is installed")
		}
	})
}

// The server alone has nothing installed: the device's own catalogue must have it on offer, in
// this version and by this name.
func TestWhatIsNotOnOfferHereIsNotInstalled(t *testing.T) {
	for says, c := range map[string]struct {
		wanted bool
		job    func() wire.Job
	}{
		"has no 1.0 of it on offer":   {false, func() wire.Job { return fresh("tool", "1.0") }},
		"has no 2.0 of it on offer":   {true, func() wire.Job { return fresh("tool", "2.0") }},
		"other is not installed here": {true, func() wire.Job { return fresh("other", "1.0") }},
		"there is nothing to update":  {true, func() wire.Job { return job("tool", "", "1.0") }},
		"this device has no 1.0": {true, func() wire.Job {
			return job("tool", "", "1.0", func(j *wire.Job) { j.Target.Architecture, j.Target.Instance, j.Target.Source = "", "tool", "another" })
		}},
	} {
		inside(t, func(t *testing.T, w *world) {
			j := c.job()
			if w.order(j); c.wanted {
				want(w, j)
			}
			w.start()
			pass(5 * time.Minute)
			if o := w.last(j); o.Step != wire.StepFailed || o.Result != wire.ResultRefused || !strings.Contains(o.Message, says) || len(w.machine.calls()) != 0 {
				t.Errorf("%s: told %+v, applied %v", says, o, w.machine.calls())
			}
		})
	}
}

// An installer that ends well and leaves nothing behind has failed; one whose program shows
// another version too.
func TestAWantedProgramThatDoesNotAppearHasFailed(t *testing.T) {
	for says, do := range map[string]func(*machine){
		"nothing that this machine lists is of tool": func(*machine) {},
		"still 0.9, not 1.0":                         func(m *machine) { m.installed["the tool"], m.sources = "0.9", map[string]string{"the tool": "tool"} },
	} {
		inside(t, func(t *testing.T, w *world) {
			w.machine.apply = func(provider.Request) (provider.Outcome, bool, error) {
				do(w.machine)
				return provider.Outcome{}, false, nil
			}
			j := fresh("tool", "1.0")
			want(w, j)
			w.start()
			pass(5 * time.Minute)
			if o := w.last(j); o.Step != wire.StepFailed || !strings.Contains(o.Message, says) {
				t.Errorf("told %+v", o)
			}
		})
	}
}

// What somebody installed meanwhile is verified, or, where it is older, left to a job of its own.
func TestAWantedProgramThatIsThereByNow(t *testing.T) {
	for version, says := range map[string]string{"1.0": "was already 1.0", "0.9": "is here by now"} {
		inside(t, func(t *testing.T, w *world) {
			w.machine.installed["the tool"], w.machine.sources = version, map[string]string{"the tool": "tool"}
			j := fresh("tool", "1.0")
			want(w, j)
			w.start()
			pass(5 * time.Minute)
			if o := w.last(j); !strings.Contains(o.Message, says) || len(w.machine.calls()) != 0 {
				t.Errorf("%s: told %+v", version, o)
			}
		})
	}
}

// What is not there comes in by the limits that hold for all updates.
func TestAWantedProgramIsHeldToTheLimits(t *testing.T) {
	for origin, runs := range map[string]bool{"Vendor": true, "Stranger": false} {
		synctest.Test(t, func(t *testing.T) {
			w := limited(t, newOffline(t), func(l *wire.Limits) { l.Sources = []wire.LimitSource{{Provider: "apt", Origin: "Vendor"}} })
			defer w.end()
			w.machine.origin = origin
			j := fresh("tool", "1.0")
			want(w, j)
			w.start()
			pass(5 * time.Minute)
			if o := w.last(j); (w.machine.version("the tool") == "1.0") != runs || !runs && (o.Result != wire.ResultRefused || !strings.Contains(o.Message, "The limits do not allow")) {
				t.Errorf("from %s: told %+v", origin, o)
			}
		})
	}
}

// Stopped in the middle of installing what was not there, the agent goes on: what appeared
// meanwhile is read back and not installed again.
func TestAWantedProgramSurvivesAStop(t *testing.T) {
	for _, appeared := range []bool{false, true} {
		inside(t, func(t *testing.T, w *world) {
			j := fresh("tool", "1.0")
			want(w, j)
			killed := false
			w.machine.apply = func(provider.Request) (provider.Outcome, bool, error) {
				if killed {
					return provider.Outcome{}, true, nil
				}
				killed = true
				w.disk.mu.Lock()
				w.disk.dead = true
				cut := w.disk.cut
				w.disk.mu.Unlock()
				cut()
				if appeared {
					w.machine.installed["the tool"], w.machine.sources = "1.0", map[string]string{"the tool": "tool"}
				}
				return provider.Outcome{}, false, nil
			}
			w.start()
			pass(5 * time.Minute)
			w.stop()
			w.disk = w.disk.revive()
			w.start()
			pass(time.Hour)
			o := w.last(j)
			if r := w.receipt(o); o.Step != wire.StepDone || !r.Verified || r.Before != "" || r.After != "1.0" {
				t.Errorf("appeared %v: told %+v, receipt %+v", appeared, o, r)
			}
			if n := len(w.machine.calls()); (n == 1) != appeared {
				t.Errorf("appeared %v: applied %d times", appeared, n)
			}
		})
	}
}
