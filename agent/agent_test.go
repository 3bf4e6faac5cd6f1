package agent

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"patchbay/agent/content"
	"patchbay/patch"
	"patchbay/provider"
	"patchbay/window"
	"patchbay/wire"
)

// inside runs a test in a bubble of its own time, with a server, a machine and an agent.
func inside(t *testing.T, f func(t *testing.T, w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		defer w.end()
		f(t, w)
	})
}

// pass lets time go by until everything that was due is done.
func pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func TestApprovedUpdateIsInstalledVerifiedAndProven(t *testing.T) {
	inside(t, func(t *testing.T, w *world) {
		j := job("curl", "1.0", "1.1")
		w.order(j)
		w.start()
		pass(time.Minute)
		if v := w.machine.version("curl"); v != "1.1" {
			t.Errorf("curl is %s", v)
		}
		o := w.last(j)
		r := w.receipt(o)
		if o.Step != wire.StepDone || !r.Verified || r.Before != "1.0" || r.After != "1.1" || len(r.Changes) != 1 {
			t.Errorf("told %+v with %+v", o, r)
		}
		if n := len(w.machine.calls()); n != 1 {
			t.Errorf("applied %d times", n)
		}
		w.agent.mu.Lock()
		digest := w.agent.report.Digest()
		w.agent.mu.Unlock()
		if held := string(w.server.held["apt/installed"].Body); held == "" || digest == "" {
			t.Error("the server holds no inventory")
		}
		pass(24 * time.Hour)
		if n := len(w.machine.calls()); n != 1 {
			t.Errorf("a job that is listed again was applied again: %d times", n)
		}
	})
}

func TestNothingIsInstalledOutsideItsWindow(t *testing.T) {
	inside(t, func(t *testing.T, w *world) {
		opens := time.Now().Add(5 * time.Hour)
		j := job("curl", "1.0", "1.1")
		w.server.set(func(d *wire.DeviceOrders) {
			d.Jobs = []wire.Job{j}
			d.Windows = window.Spec{Opens: []window.Span{{From: opens, Until: opens.Add(time.Hour), Reason: "night"}}}
		})
		w.start()
		for time.Now().Before(opens.Add(-time.Minute)) {
			pass(time.Minute)
			if len(w.machine.calls()) > 0 {
				t.Fatalf("applied %s before the window", time.Until(opens))
			}
		}
		jobs := w.server.heard()[len(w.server.heard())-1].Devices[0].Jobs
		if len(jobs) != 1 || jobs[0].Step != wire.StepWaiting || !strings.Contains(jobs[0].Why, "night") {
			t.Errorf("while it waits it stands as %+v", jobs)
		}
		pass(2 * time.Minute)
		if w.last(j).Step != wire.StepDone {
			t.Error("the window opened and nothing happened")
		}
		if w.machine.stagedN != 1 {
			t.Errorf("staged %d times", w.machine.stagedN)
		}
	})
}

func TestForcedJobDoesNotWaitForTheWindow(t *testing.T) {
	inside(t, func(t *testing.T, w *world) {
		j := job("curl", "1.0", "1.1", func(j *wire.Job) { j.Forced = "Ada" })
		later := job("nginx", "2.0", "2.1")
		w.server.set(func(d *wire.DeviceOrders) { d.Jobs = []wire.Job{j, later} })
		w.start()
		pass(time.Minute)
		if r := w.receipt(w.last(j)); !r.Verified || r.Forced != "Ada" {
			t.Errorf("receipt %+v", r)
		}
		if w.machine.version("nginx") != "2.0" {
			t.Error("a job that was not forced went along")
		}
	})
}

func TestForcingAJobThatWaitsStartsIt(t *testing.T) {
	inside(t, func(t *testing.T, w *world) {
		j := job("curl", "1.0", "1.1")
		w.server.set(func(d *wire.DeviceOrders) { d.Jobs = []wire.Job{j} })
		w.start()
		pass(time.Minute)
		w.server.set(func(d *wire.DeviceOrders) { d.Jobs[0].Forced = "Ada" })
		pass(10 * time.Second)
		if w.last(j).Step != wire.StepDone {
			t.Error("it still waits")
		}
	})
}

func TestBusyAndOfflineAreTriedAgainAndToldOnce(t *testing.T) {
	for _, kind := range []error{provider.ErrBusy, provider.ErrOffline} {
		inside(t, func(t *testing.T, w *world) {
			n := 0
			w.machine.apply = func(provider.Request) (provider.Outcome, bool, error) {
				if n++; n < 5 {
					return provider.Outcome{}, false, fmt.Errorf("apt: process %d holds the lock: %w", n, kind)
				}
				return provider.Outcome{}, true, nil
			}
			j := job("curl", "1.0", "1.1")
			w.order(j)
			w.start()
			pass(30 * time.Second)
			jobs := w.server.heard()[len(w.server.heard())-1].Devices[0].Jobs
			if len(jobs) != 1 || jobs[0].Step != wire.StepWaiting || !strings.Contains(jobs[0].Why, "holds the lock") {
				t.Errorf("while it waits it stands as %+v", jobs)
			}
			pass(2 * time.Hour)
			if r := w.receipt(w.last(j)); !r.Verified || len(w.machine.calls()) != 5 {
				t.Errorf("%d calls, receipt %+v", len(w.machine.calls()), r)
			}
			if told := w.server.told(); len(told) != 2 {
				t.Errorf("told %+v", told)
			}
		})
	}
}

func TestBadPackageKeepsNoOtherOut(t *testing.T) {
	inside(t, func(t *testing.T, w *world) {
		w.machine.apply = func(r provider.Request) (provider.Outcome, bool, error) {
			if slices.ContainsFunc(r.Updates, func(u patch.Update) bool { return u.Name == "nginx" }) {
				return provider.Outcome{Messages: []string{"E: postinst"}}, false, errors.New("nginx: its script failed")
			}
			return provider.Outcome{}, true, nil
		}
		good, bad, also := job("curl", "1.0", "1.1"), job("nginx", "2.0", "2.1"), job("kernel", "6.0", "6.1")
		w.order(good, bad, also)
		w.start()
		pass(time.Minute)
		if !w.receipt(w.last(good)).Verified || !w.receipt(w.last(also)).Verified {
			t.Error("good packages were kept out")
		}
		o := w.last(bad)
		if o.Step != wire.StepFailed || o.Result != wire.ResultFailed || !strings.Contains(o.Message, "script failed") || o.Detail != "E: postinst" {
			t.Errorf("told %+v", o)
		}
		if r := w.receipt(o); r.Verified || r.After != "2.0" {
			t.Errorf("receipt %+v", r)
		}
		if n := len(w.machine.calls()); n != 4 {
			t.Errorf("applied %v", w.machine.calls())
		}
	})
}

func TestOnlyTheScanCounts(t *testing.T) {
	for name, c := range map[string]struct {
		apply func(*machine) (provider.Outcome, bool, error)
		done  bool
		says  string
	}{
		"claims success": {func(*machine) (provider.Outcome, bool, error) { return provider.Outcome{}, false, nil }, false, "still 1.0"},
		"fails and installed": {func(*machine) (provider.Outcome, bool, error) {
			return provider.Outcome{}, true, errors.New("odd exit code")
		}, true, "now 1.1"},
		"half configured": {func(m *machine) (provider.Outcome, bool, error) {
			m.broken["curl"] = "half-configured"
			return provider.Outcome{}, true, nil
		}, false, "half-configured"},
		"removed": {func(m *machine) (provider.Outcome, bool, error) {
			delete(m.installed, "curl")
			return provider.Outcome{}, false, nil
		}, false, "no longer installed"},
		"refused": {func(*machine) (provider.Outcome, bool, error) {
			return provider.Outcome{}, false, fmt.Errorf("it would remove nginx: %w", provider.ErrRefused)
		}, false, "remove nginx"},
		"newer": {func(m *machine) (provider.Outcome, bool, error) {
			m.installed["curl"] = "1.2"
			return provider.Outcome{}, false, nil
		}, true, "now 1.2"},
		"unreadable": {func(m *machine) (provider.Outcome, bool, error) {
			m.scanErr = errors.New("the status file is gone")
			return provider.Outcome{}, true, nil
		}, false, "could not be read back"},
	} {
		t.Run(name, func(t *testing.T) {
			inside(t, func(t *testing.T, w *world) {
				w.machine.apply = func(provider.Request) (provider.Outcome, bool, error) { return c.apply(w.machine) }
				j := job("curl", "1.0", "1.1")
				w.order(j)
				w.start()
				pass(time.Hour)
				o := w.last(j)
				if r := w.receipt(o); r.Verified != c.done || (o.Step == wire.StepDone) != c.done || !strings.Contains(o.Message, c.says) {
					t.Errorf("told %+v", o)
				}
			})
		})
	}
}

func TestWhatIsThereAlreadyIsNotTouched(t *testing.T) {
	inside(t, func(t *testing.T, w *world) {
		w.machine.installed["curl"] = "1.2"
		j := job("curl", "1.0", "1.1")
		w.order(j)
		w.start()
		pass(time.Minute)
		if r := w.receipt(w.last(j)); !r.Verified || r.Before != "1.2" || r.After != "1.2" || len(w.machine.calls()) != 0 {
			t.Errorf("calls %v, receipt %+v", w.machine.calls(), r)
		}
	})
}

// refuse are jobs that no agent may run.
func refuse() map[string]func(*wire.Job) {
	return map[string]func(*wire.Job){
		"unknown verb":      func(j *wire.Job) { j.Verb = "shell" },
		"lower version":     func(j *wire.Job) { j.Target.To = "0.9" },
		"unknown provider":  func(j *wire.Job) { j.Target.Provider = "../../bin/sh" },
		"option as name":    func(j *wire.Job) { j.Target.Name = "-oDPkg::Pre-Invoke=sh" },
		"option as version": func(j *wire.Job) { j.Target.To, j.Target.From = "--force", "" },
		"line break":        func(j *wire.Job) { j.Target.Name = "curl\nnginx" },
		"no name":           func(j *wire.Job) { j.Target.Name = "" },
		"no version":        func(j *wire.Job) { j.Target.To = "" },
		"not a version":     func(j *wire.Job) { j.Target.To = "latest" },
		"not installed":     func(j *wire.Job) { j.Target.Name = "emacs" },
		"endless name":      func(j *wire.Job) { j.Target.Name = strings.Repeat("x", 10_000) },
		"removal option":    func(j *wire.Job) { j.AllowRemovals = []string{"--all"} },
		"expired":           func(j *wire.Job) { j.NotAfter = time.Now().Add(-time.Second) },
	}
}

func TestJobsThatMustNotRunAreRefusedAloud(t *testing.T) {
	for name, bend := range refuse() {
		t.Run(name, func(t *testing.T) {
			inside(t, func(t *testing.T, w *world) {
				bad, good := job("curl", "1.0", "1.1", bend), job("nginx", "2.0", "2.1")
				w.order(bad, good)
				w.start()
				pass(time.Minute)
				o := w.last(bad)
				if o.Step != wire.StepFailed || o.Result == wire.ResultOK || o.Message == "" || len(o.Message) > 500 || w.receipt(o).Verified {
					t.Errorf("told %+v", o)
				}
				if w.machine.version("curl") != "1.0" || !w.receipt(w.last(good)).Verified {
					t.Error("it ran, or kept the good one out")
				}
				if told := w.server.told(); len(told) != 2 {
					t.Errorf("told %d outcomes: %+v", len(told), told)
				}
			})
		})
	}
}

func TestJobWithAnotherJobsIDIsRefused(t *testing.T) {
	inside(t, func(t *testing.T, w *world) {
		j := job("curl", "1.0", "1.1")
		j.Target.To = "1.3"
		w.order(j)
		w.start()
		pass(time.Minute)
		if w.last(j).Result != wire.ResultRefused || len(w.machine.calls()) > 0 {
			t.Error("it ran")
		}
	})
}

func TestOtherFileUnderTheApprovedVersionIsRefused(t *testing.T) {
	inside(t, func(t *testing.T, w *world) {
		w.machine.shas["curl"] = strings.Repeat("b", 64)
		j := job("curl", "1.0", "1.1", func(j *wire.Job) { j.Target.SHA256 = strings.Repeat("a", 64) })
		w.order(j)
		w.start()
		pass(time.Minute)
		if o := w.last(j); o.Result != wire.ResultRefused || len(w.machine.calls()) > 0 {
			t.Errorf("told %+v", o)
		}
	})
}

func TestObservingInstallsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{t: t, server: newServer(t), machine: newMachine(), disk: &memory{files: map[string][]byte{}}, mode: wire.Observe}
		w.enroll()
		defer w.end()
		j := job("curl", "1.0", "1.1", func(j *wire.Job) { j.Forced = "Ada" })
		w.order(j)
		w.start()
		pass(time.Hour)
		if o := w.last(j); o.Result != wire.ResultRefused || len(w.machine.calls()) > 0 || w.machine.stagedN > 0 {
			t.Errorf("told %+v", o)
		}
		for _, c := range w.server.heard() {
			if c.Mode != wire.Observe || len(c.Capabilities) > 0 {
				t.Errorf("claims %s %v", c.Mode, c.Capabilities)
			}
		}
	})
}

func TestWithdrawnJobNeverRuns(t *testing.T) {
	inside(t, func(t *testing.T, w *world) {
		j := job("curl", "1.0", "1.1")
		w.server.set(func(d *wire.DeviceOrders) { d.Jobs = []wire.Job{j} })
		w.start()
		pass(time.Minute)
		w.order() // the window is open now, and the job gone
		pass(time.Hour)
		if o := w.last(j); o.Step != wire.StepFailed || !strings.Contains(o.Message, "Withdrawn") || len(w.machine.calls()) > 0 {
			t.Errorf("told %+v", o)
		}
		w.order(j)
		pass(time.Hour)
		if w.last(j).Step != wire.StepDone {
			t.Error("wished for anew, it did not run")
		}
	})
}

func TestWaitingJobExpires(t *testing.T) {
	inside(t, func(t *testing.T, w *world) {
		j := job("curl", "1.0", "1.1", func(j *wire.Job) { j.NotAfter = time.Now().Add(time.Hour) })
		w.server.set(func(d *wire.DeviceOrders) { d.Jobs = []wire.Job{j} })
		w.start()
		pass(2 * time.Hour)
		if o := w.last(j); o.Step != wire.StepFailed || !strings.Contains(o.Message, "Expired") || len(w.machine.calls()) > 0 {
			t.Errorf("told %+v", o)
		}
	})
}

func TestRebootIsMadeOnceWhenAllowedAndComesBeforeVerification(t *testing.T) {
	inside(t, func(t *testing.T, w *world) {
		reboots := 0
		w.reboot = func(context.Context) error { reboots++; return nil }
		w.machine.apply = func(provider.Request) (provider.Outcome, bool, error) {
			w.machine.restart = wire.Restart{Machine: true, Reasons: []string{"kernel"}}
			return provider.Outcome{Reboot: patch.Yes}, true, nil
		}
		j, k := job("kernel", "6.0", "6.1"), job("curl", "1.0", "1.1")
		w.server.set(func(d *wire.DeviceOrders) { d.Windows, d.Reboot, d.Jobs = always(), true, []wire.Job{j, k} })
		w.start()
		pass(time.Minute)
		if reboots != 1 || len(w.server.told()) != 0 {
			t.Fatalf("%d reboots; told %+v", reboots, w.server.told())
		}
		w.stop() // the machine goes down
		w.machine.boot, w.machine.restart = "boot-2", wire.Restart{}
		w.start()
		pass(time.Minute)
		for _, j := range []wire.Job{j, k} {
			if r := w.receipt(w.last(j)); !r.Verified || r.BootBefore != "boot-1" || r.BootAfter != "boot-2" {
				t.Errorf("receipt %+v", r)
			}
		}
		if pass(time.Hour); reboots != 1 {
			t.Errorf("%d reboots", reboots)
		}
	})
}

func TestPendingRebootIsNotVerified(t *testing.T) {
	inside(t, func(t *testing.T, w *world) {
		w.reboot = func(context.Context) error { t.Error("rebooted without leave"); return nil }
		w.machine.apply = func(provider.Request) (provider.Outcome, bool, error) {
			w.machine.restart = wire.Restart{Machine: true, Reasons: []string{"kernel"}}
			return provider.Outcome{}, true, nil
		}
		j, k := job("kernel", "6.0", "6.1"), job("curl", "1.0", "1.1")
		w.order(j, k)
		w.start()
		pass(time.Minute)
		if r := w.receipt(w.last(j)); r.Verified || r.Step != wire.StepDone || r.After != "6.1" {
			t.Errorf("receipt %+v", r)
		}
		if r := w.receipt(w.last(k)); !r.Verified {
			t.Errorf("curl needs no reboot; receipt %+v", r)
		}
	})
}

func TestRebootThatDoesNotComeIsSaid(t *testing.T) {
	inside(t, func(t *testing.T, w *world) {
		w.reboot = func(context.Context) error { return nil }
		w.machine.apply = func(provider.Request) (provider.Outcome, bool, error) {
			w.machine.restart = wire.Restart{Machine: true}
			return provider.Outcome{Reboot: patch.Yes}, true, nil
		}
		j := job("kernel", "6.0", "6.1")
		w.server.set(func(d *wire.DeviceOrders) { d.Windows, d.Reboot, d.Jobs = always(), true, []wire.Job{j} })
		w.start()
		pass(time.Hour)
		if r := w.receipt(w.last(j)); r.Verified || r.Step != wire.StepDone {
			t.Errorf("receipt %+v", r)
		}
		if told := w.server.told(); len(told) != 2 || told[0].Step != wire.StepRebooting || told[0].Result != wire.ResultFailed {
			t.Errorf("told %+v", told)
		}
	})
}

func TestRevokedAgentStopsAndKnocksSlowly(t *testing.T) {
	inside(t, func(t *testing.T, w *world) {
		opens := time.Now().Add(time.Hour)
		j := job("curl", "1.0", "1.1")
		w.server.set(func(d *wire.DeviceOrders) {
			d.Jobs = []wire.Job{j}
			d.Windows = window.Spec{Opens: []window.Span{{From: opens, Until: opens.Add(100 * time.Hour), Reason: "x"}}}
		})
		w.start()
		pass(time.Minute)
		w.server.mu.Lock()
		w.server.status = http.StatusForbidden
		w.server.mu.Unlock()
		pass(30 * time.Minute)
		w.server.net.cut(true) // that nobody answers takes nothing back
		pass(5 * time.Hour)
		w.server.net.cut(false)
		pass(5 * time.Hour)
		standing, err := Look(w.disk)
		if err != nil || !standing.Status.Refused || len(w.machine.calls()) > 0 {
			t.Errorf("%+v %v, calls %v", standing.Status, err, w.machine.calls())
		}
		var text strings.Builder
		if err := standing.Print(&text, time.Now()); err != nil || !strings.Contains(text.String(), "refuses this agent") {
			t.Errorf("status says: %s", text.String())
		}
		w.server.mu.Lock()
		w.server.status = 0
		w.server.mu.Unlock()
		pass(2 * time.Hour)
		if w.last(j).Step != wire.StepDone {
			t.Error("let in again, it did not go on")
		}
	})
}

// A provider has a way to the server's files where the agent has a place to keep them, and
// none where it has not.
func TestProvidersAreGivenAWayToFiles(t *testing.T) {
	for _, kept := range []bool{true, false} {
		w := newWorld(t)
		o := w.options()
		if kept {
			folder, err := content.OpenDir(filepath.Join(t.TempDir(), "content"))
			if err != nil {
				t.Fatal(err)
			}
			o.Files = folder
		}
		a, err := New(o)
		if err != nil {
			t.Fatal(err)
		}
		if got := a.scanner.Env("any").Content; (got != nil) != kept {
			t.Errorf("with a place %v, a provider is given %v", kept, got)
		}
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	}
}
