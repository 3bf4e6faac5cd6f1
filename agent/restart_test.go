package agent

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"patchbay/patch"
	"patchbay/provider"
	"patchbay/provider/providertest"
	"patchbay/window"
	"patchbay/wire"
)

func TestWhatStillRunsOldIsNotVerified(t *testing.T) {
	inside(t, func(t *testing.T, w *world) {
		w.leaves("curl", "web.service")
		j, k := job("curl", "1.0", "1.1"), job("nginx", "2.0", "2.1")
		w.order(j, k)
		w.start()
		pass(time.Minute)
		if r := w.receipt(w.last(j)); r.Verified || r.Step != wire.StepDone || !strings.Contains(r.Message, "web.service still runs with the old files") {
			t.Errorf("receipt %+v", r)
		}
		if r := w.receipt(w.last(k)); !r.Verified {
			t.Errorf("nothing runs with old files of nginx; receipt %+v", r)
		}
		if len(w.restarts) > 0 {
			t.Errorf("restarted without leave: %v", w.restarts)
		}
	})
}

func TestWhatCannotBeLookedAtIsNotVerified(t *testing.T) {
	for name, c := range map[string]struct {
		doubt    []string
		verified bool
	}{"any": {nil, false}, "this one": {[]string{"curl"}, false}, "others": {[]string{"bash"}, true}, "none": {[]string{}, true}} {
		inside(t, func(t *testing.T, w *world) {
			w.machine.restart = wire.Restart{Unknown: []string{"2 of 9 processes could not be looked at."}, Doubt: c.doubt}
			j := job("curl", "1.0", "1.1")
			w.order(j)
			w.start()
			pass(time.Minute)
			if r := w.receipt(w.last(j)); r.Verified != c.verified || !c.verified && !strings.Contains(r.Message, "2 of 9") {
				t.Errorf("%s in doubt: receipt %+v", name, r)
			}
		})
	}
}

func TestServicesRestartOnceWhereTheOrdersSaySo(t *testing.T) {
	inside(t, func(t *testing.T, w *world) {
		w.leaves("curl", "web.service", "nginx", "web.service", "nginx", "proxy@a.service", "other", "other.service")
		w.machine.restart.Old = []wire.OldUse{{Service: "else.service", Packages: []string{"bash"}}}
		j, k := job("curl", "1.0", "1.1"), job("nginx", "2.0", "2.1")
		w.order(j, k)
		w.server.set(func(d *wire.DeviceOrders) { d.Restart = true })
		w.start()
		pass(time.Hour)
		for _, j := range []wire.Job{j, k} {
			if r := w.receipt(w.last(j)); !r.Verified {
				t.Errorf("receipt %+v", r)
			}
		}
		if len(w.restarts) != 2 || w.restarts["web.service"] != 1 || w.restarts["proxy@a.service"] != 1 {
			t.Errorf("restarted %v", w.restarts)
		}
		told := 0
		for _, o := range w.server.told() {
			if o.Step == wire.StepRestarting && o.Result == wire.ResultOK && strings.HasSuffix(o.Message, ".service was restarted.") {
				told++
			}
		}
		if told != 3 {
			t.Errorf("%d restarts were told, of two jobs with one service in common", told)
		}
	})
}

func TestServiceThatDoesNotRestartIsSaid(t *testing.T) {
	inside(t, func(t *testing.T, w *world) {
		w.leaves("curl", "web.service")
		w.restart = func(string) error { return errors.New("web.service could not be restarted: its port is taken") }
		j := job("curl", "1.0", "1.1")
		w.order(j)
		w.server.set(func(d *wire.DeviceOrders) { d.Restart = true })
		w.start()
		pass(time.Hour)
		if r := w.receipt(w.last(j)); r.Verified || r.Step != wire.StepDone || !strings.Contains(r.Message, "its port is taken") || w.restarts["web.service"] != 1 {
			t.Errorf("restarted %v, receipt %+v", w.restarts, r)
		}
	})
}

// A service that carries sessions is never restarted: the machine is, where that is allowed.
func TestSomeServicesAskForARebootInstead(t *testing.T) {
	for _, allowed := range []bool{false, true} {
		inside(t, func(t *testing.T, w *world) {
			reboots := 0
			w.reboot = func(context.Context) error { reboots++; return nil }
			w.leaves("curl", "dbus.service", "curl", "web.service", "curl", "a-program")
			j := job("curl", "1.0", "1.1")
			w.order(j)
			w.server.set(func(d *wire.DeviceOrders) { d.Restart, d.Reboot = true, allowed })
			w.start()
			pass(time.Minute)
			if allowed {
				if reboots != 1 || len(w.restarts) > 0 {
					t.Fatalf("%d reboots, restarted %v", reboots, w.restarts)
				}
				w.stop()
				w.boots()
				w.start()
				pass(time.Minute)
			}
			if r := w.receipt(w.last(j)); r.Verified != allowed || !allowed && (!strings.Contains(r.Message, "dbus.service") || w.restarts["web.service"] != 1) {
				t.Errorf("allowed %v: restarted %v, receipt %+v", allowed, w.restarts, r)
			}
			if w.restarts["dbus.service"] > 0 || w.restarts["a-program"] > 0 {
				t.Errorf("restarted %v", w.restarts)
			}
		})
	}
}

// What the window no longer allows waits for the next, and is not begun by a withdrawal.
func TestRestartsAndRebootsWaitForTheWindow(t *testing.T) {
	for _, reboot := range []bool{false, true} {
		inside(t, func(t *testing.T, w *world) {
			reboots := 0
			w.reboot = func(context.Context) error { reboots++; return nil }
			j := job("curl", "1.0", "1.1")
			w.order(j)
			opens := time.Now().Add(5 * time.Hour)
			w.server.set(func(d *wire.DeviceOrders) {
				d.Restart, d.Reboot = true, true
				d.Windows.Opens = []window.Span{
					{From: time.Now().Add(-time.Hour), Until: time.Now().Add(10 * time.Minute), Reason: "now"},
					{From: opens, Until: opens.Add(time.Hour), Reason: "later"}}
			})
			w.machine.apply = func(provider.Request) (provider.Outcome, bool, error) {
				time.Sleep(20 * time.Minute) // in the bubble: until the window is over
				if reboot {
					return provider.Outcome{Reboot: patch.Yes}, true, nil
				}
				w.machine.restart.Old = []wire.OldUse{{Service: "web.service", Packages: []string{"curl"}}}
				return provider.Outcome{}, true, nil
			}
			w.start()
			pass(4 * time.Hour)
			if reboots > 0 || len(w.restarts) > 0 || len(w.server.told()) > 0 {
				t.Fatalf("outside the window: %d reboots, restarted %v, told %+v", reboots, w.restarts, w.server.told())
			}
			pass(90 * time.Minute)
			if reboot != (reboots == 1) || reboot == (w.restarts["web.service"] == 1) {
				t.Errorf("in the window: %d reboots, restarted %v", reboots, w.restarts)
			}
		})
	}
}

// No name but a service's own plain one reaches systemctl.
func TestOnlyPlainServicesAreRestarted(t *testing.T) {
	for name, want := range map[string]bool{
		"nginx.service": true, "php8.2-fpm.service": true, "postgresql@15-main.service": true, "ssh.service": true,
		"nginx": false, "nginx.socket": false, "-f.service": false, "--force.service": false, "a b.service": false, "*.service": false,
		"a;b.service": false, "$(x).service": false, "../x.service": false, "a\n.service": false, "\x00.service": false, ".service": false,
		`a\x2d.service`: false, "@a.service": false, "a@.service": false, strings.Repeat("a", 300) + ".service": false,
		"dbus.service": false, "systemd-logind.service": false, "gdm3.service": false, "user@1000.service": false, "getty@tty1.service": false,
		"patchbay-agent.service": false, "ssh@1-2.service": false, "init.scope": false, "": false,
	} {
		if isRestartable(name) != want {
			t.Errorf("%q may be restarted: %v", name, !want)
		}
		h, err := providertest.New(strings.NewReader(""), nil)
		if err != nil {
			t.Fatal(err)
		}
		h.Answer(provider.Result{}, "systemctl", "restart", "--", name)
		if err := restartService(t.Context(), h, name); (err == nil) != want {
			t.Errorf("%q: %v", name, err)
		}
	}
}

func FuzzServiceNames(f *testing.F) {
	f.Add("nginx.service")
	f.Fuzz(func(t *testing.T, name string) {
		if isRestartable(name) && (strings.ContainsAny(name, " \t\n\x00;$`'\"\\/*?[]|&<>()") || strings.HasPrefix(name, "-") || !strings.HasSuffix(name, ".service")) {
			t.Fatalf("%q", name)
		}
	})
}

func TestAnnouncedRebootIsCalledOffInWords(t *testing.T) {
	inside(t, func(t *testing.T, w *world) {
		w.people = true
		w.reboot = func(context.Context) error { t.Error("rebooted"); return nil }
		w.machine.apply = func(provider.Request) (provider.Outcome, bool, error) {
			w.machine.restart = wire.Restart{Machine: true}
			return provider.Outcome{}, true, nil
		}
		j := job("kernel", "6.0", "6.1")
		w.order(j)
		w.server.set(func(d *wire.DeviceOrders) { d.Reboot = true })
		w.start()
		pass(2 * time.Minute)
		w.server.set(func(d *wire.DeviceOrders) { d.Reboot = false })
		pass(30 * time.Minute)
		told := w.server.told()
		if len(w.notices) != 2 || len(told) != 4 || told[1].Step != wire.StepRebooting || !strings.Contains(told[1].Message, "called off") || w.receipt(told[3]).Verified {
			t.Errorf("said %q, told %+v", w.notices, told)
		}
	})
}
