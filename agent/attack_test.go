package agent

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"patchbay/wire"
)

// thief holds all that a server has: its database, its TLS key, the key that signs orders,
// and an administrator's session. What he has not are the MSP's offline keys.
type thief struct {
	*world
	keys offline
}

// order signs the jobs as the server would, with the window open.
func (t thief) order(jobs ...wire.Job) { t.world.order(jobs...) }

// job is a wish that would be fine, bent.
func (t thief) job(bend func(*wire.Job)) {
	j := job("curl", "1.0", "1.1", bend)
	t.order(j)
}

// forced wants a job outside its window, with approvals.
func (t thief) forced(approvals ...wire.Envelope) {
	j := job("curl", "1.0", "1.1", func(j *wire.Job) { j.Forced = "Ann" })
	t.server.mu.Lock()
	t.server.wish.Approvals = approvals
	t.server.mu.Unlock()
	t.server.set(func(d *wire.DeviceOrders) { d.Windows.Opens, d.Jobs = nil, []wire.Job{j} })
}

// say replaces the envelope that is told, as if the server had made it.
func (t thief) say(bend func(*wire.Envelope, *wire.Orders)) {
	t.order(job("curl", "1.0", "1.1"))
	t.server.mu.Lock()
	defer t.server.mu.Unlock()
	o := t.server.wish
	e := *t.server.envelope
	bend(&e, &o)
	t.server.envelope = &e
}

// seal signs with the server's own key.
func (t thief) seal(docType string, v any, key wire.Key) wire.Envelope {
	e, err := wire.Seal(docType, v, key)
	if err != nil {
		t.t.Fatal(err)
	}
	return *e
}

func (t thief) approve(bend func(*wire.Approval), keys ...wire.Key) wire.Envelope {
	e := t.approval(job("curl", "1.0", "1.1"), true, keys...)
	var a wire.Approval
	if err := json.Unmarshal(e.Payload, &a); err != nil {
		t.t.Fatal(err)
	}
	bend(&a)
	return t.seal(wire.ApprovalDocument, a, keys[0])
}

func asIs(*wire.Approval) {}

// attacks are the ways he tries. None may bring anything onto the machine.
func attacks() map[string]func(thief) {
	target := func(bend func(*wire.Target)) func(thief) {
		return func(t thief) { t.job(func(j *wire.Job) { bend(&j.Target) }) }
	}
	verb := func(v string) func(thief) { return func(t thief) { t.job(func(j *wire.Job) { j.Verb = v }) } }
	name := func(n string) func(thief) { return target(func(w *wire.Target) { w.Name = n }) }
	version := func(from, to string) func(thief) {
		return target(func(w *wire.Target) { w.From, w.To = from, to })
	}
	return map[string]func(thief){
		// foreign code
		"a verb that runs scripts":       verb("script"),
		"a verb that runs programs":      verb("exec"),
		"no verb":                        verb(""),
		"the verb in capitals":           verb("Install"),
		"the verb with a zero byte":      verb("install\x00"),
		"an unknown provider":            target(func(w *wire.Target) { w.Provider = "shell" }),
		"no provider":                    target(func(w *wire.Target) { w.Provider = "" }),
		"a path as provider":             target(func(w *wire.Target) { w.Provider = "../apt" }),
		"an option as name":              name("-oAPT::Update::Pre-Invoke::=id"),
		"a command behind the name":      name("curl;id"),
		"a command in the name":          name("$(id)"),
		"two lines as name":              name("curl\nbackdoor"),
		"two words as name":              name("curl backdoor"),
		"a file as name":                 name("/tmp/backdoor.deb"),
		"an address as name":             name("https://evil.example/backdoor.deb"),
		"a name without end":             name(strings.Repeat("a", 5000)),
		"no name":                        name(""),
		"an option as version":           version("1.0", "-o=x"),
		"an option behind the version":   version("1.0", "1.1 -oDebug=1"),
		"an option as architecture":      target(func(w *wire.Target) { w.Architecture = "-oX" }),
		"an option as hash":              target(func(w *wire.Target) { w.SHA256 = "--force" }),
		"an option as scope":             target(func(w *wire.Target) { w.Scope = "-x" }),
		"an option as a removal":         func(t thief) { t.job(func(j *wire.Job) { j.AllowRemovals = []string{"-oDpkg::Options::=x"} }) },
		"a package that is not there":    name("backdoor"),
		"a version nobody offers":        version("1.0", "9.9"),
		"another file under its version": func(t thief) { t.machine.shas["curl"] = "aa"; target(func(w *wire.Target) { w.SHA256 = "bb" })(t) },
		"an origin that is not allowed":  func(t thief) { t.machine.origin = "Evil"; t.job(func(*wire.Job) {}) },
		"no origin":                      func(t thief) { t.machine.origin = ""; t.job(func(*wire.Job) {}) },

		// downgrade
		"a lower version":                   version("1.0", "0.9"),
		"a lower version that seems higher": version("0.1", "0.9"),
		"a lower epoch":                     version("1:0.1", "1.1"),

		"an undo that no limits allow":      func(t thief) { t.undo("1.0", "0.9", "0.9") },
		"an undo to a version of his own":   func(t thief) { t.mayUndo(); t.undo("1.0", "0.8", "0.9") },
		"an undo of what was not installed": func(t thief) { t.mayUndo(); t.undo("1.0", "0.9", "") },
		"an undo that goes up":              func(t thief) { t.mayUndo(); t.undo("1.0", "1.1", "0.9") },
		"an undo of nothing":                func(t thief) { t.mayUndo(); t.undo("", "0.9", "0.9") },
		"an undo of another version":        func(t thief) { t.mayUndo(); t.undo("1.1", "0.9", "0.9") },
		"an undo forced with the signature under an install": func(t thief) {
			t.mayUndo()
			t.undo("1.0", "0.9", "0.9")
			t.forced(t.approve(func(a *wire.Approval) { a.Updates[0].To = "0.9" }, t.keys.approver))
			j := job("curl", "1.0", "0.9", undone, func(j *wire.Job) { j.Forced = "Ann" })
			t.server.set(func(d *wire.DeviceOrders) { d.Windows.Opens, d.Jobs = nil, []wire.Job{j} })
		},

		// freeze and replay
		"orders of another key": func(t thief) {
			t.say(func(e *wire.Envelope, o *wire.Orders) { *e = t.seal(wire.OrdersDocument, *o, newEd25519(t.t)) })
		},
		"orders of another type": func(t thief) {
			t.say(func(e *wire.Envelope, o *wire.Orders) { *e = t.seal(wire.ReceiptDocument, *o, t.server.orders) })
		},
		"orders for another agent": func(t thief) {
			t.say(func(e *wire.Envelope, o *wire.Orders) {
				o.Agent = otherAgent
				*e = t.seal(wire.OrdersDocument, *o, t.server.orders)
			})
		},
		"orders for another device": func(t thief) {
			t.server.set(func(d *wire.DeviceOrders) {
				d.Windows, d.Jobs, d.Device = always(), []wire.Job{job("curl", "1.0", "1.1")}, otherDevice
			})
		},
		"orders that have ended": func(t thief) {
			t.say(func(e *wire.Envelope, o *wire.Orders) {
				o.Expires = time.Now().Add(-time.Hour)
				*e = t.seal(wire.OrdersDocument, *o, t.server.orders)
			})
		},
		"a bent payload": func(t thief) {
			t.say(func(e *wire.Envelope, o *wire.Orders) { e.Payload = append([]byte(" "), e.Payload...) })
		},
		"a job under another's ID":                func(t thief) { j := job("curl", "1.0", "1.1"); j.ID = job("nginx", "2.0", "2.1").ID; t.order(j) },
		"a job that has ended":                    func(t thief) { t.job(func(j *wire.Job) { j.NotAfter = time.Now().Add(-time.Minute) }) },
		"a window he signs for a stolen approval": func(t thief) { t.forced(t.approve(func(a *wire.Approval) { a.Forced = false }, t.keys.approver)) },

		// more than the limits allow
		"forcing without a signature":       func(t thief) { t.forced() },
		"forcing with his own signature":    func(t thief) { t.forced(t.approve(asIs, t.server.orders)) },
		"forcing with the root's signature": func(t thief) { t.forced(t.approve(asIs, t.keys.root)) },
		"forcing with the publisher's":      func(t thief) { t.forced(t.approve(asIs, t.keys.publisher)) },
		"an approval of another agent's": func(t thief) {
			t.forced(t.approve(func(a *wire.Approval) { a.Agents = []string{"p256:00"} }, t.keys.approver))
		},
		"an approval of another update": func(t thief) {
			t.forced(t.approve(func(a *wire.Approval) { a.Updates[0].To = "1.2" }, t.keys.approver))
		},
		"an approval of another architecture": func(t thief) {
			t.forced(t.approve(func(a *wire.Approval) { a.Updates[0].Architecture = "arm64" }, t.keys.approver))
		},
		"an approval that has ended": func(t thief) {
			t.forced(t.approve(func(a *wire.Approval) {
				a.IssuedAt, a.Expires = time.Now().Add(-2*time.Hour), time.Now().Add(-time.Hour)
			}, t.keys.approver))
		},
		"an approval for ever": func(t thief) {
			t.forced(t.approve(func(a *wire.Approval) { a.Expires = time.Now().Add(9000 * time.Hour) }, t.keys.approver))
		},
		"an approval of a root to come":        func(t thief) { t.forced(t.approve(func(a *wire.Approval) { a.Root = 9 }, t.keys.approver)) },
		"an approval bent after it was signed": func(t thief) { e := t.approve(asIs, t.keys.approver); e.Payload = append(e.Payload, ' '); t.forced(e) },
		"limits of his own":                    func(t thief) { t.widen(t.server.orders) },
		"limits the approver signed":           func(t thief) { t.widen(t.keys.approver) },
		"limits the root signed":               func(t thief) { t.widen(t.keys.root) },
		"a root of his own":                    func(t thief) { t.reroot(2, newOffline(t.t)) },
		"a root of his own, far ahead":         func(t thief) { t.reroot(1<<39, newOffline(t.t)) },
		"the first root again, without limits": func(t thief) { t.reroot(1, newOffline(t.t)) },
	}
}

// undo orders an update to be taken back on a device that kept a version.
func (t thief) undo(from, to, kept string) {
	t.machine.mu.Lock()
	t.machine.previous["curl"] = kept
	t.machine.mu.Unlock()
	t.order(job("curl", from, to, undone))
}

// The same undo, with nothing bent, is made.
func TestWhatWasInstalledMayBeTakenBack(t *testing.T) {
	keys := newOffline(t)
	inside(t, func(t *testing.T, _ *world) {
		w := underLimits(t, keys)
		defer w.end()
		a := thief{w, keys}
		a.mayUndo()
		a.undo("1.0", "0.9", "0.9")
		pass(20 * time.Minute)
		if w.machine.version("curl") != "0.9" {
			t.Errorf("it was not taken back; told %+v", w.server.told())
		}
	})
}

// mayUndo has the publisher allow undos, as an MSP may.
func (t thief) mayUndo() {
	t.server.publish(wire.LimitsDocument, t.keys.limits(9, func(l *wire.Limits) {
		l.Verbs = append(l.Verbs, wire.VerbUndo)
		l.Sources, l.Forced = []wire.LimitSource{{Provider: "apt", Origin: "Debian"}}, 1
	}), t.keys.publisher)
}

// widen tells limits that allow anything, then orders what the present ones do not.
func (t thief) widen(key wire.Key) {
	t.machine.origin = "Evil"
	t.server.publish(wire.LimitsDocument, t.keys.limits(9), key)
	t.order(job("curl", "1.0", "1.1"))
}

// reroot tells a root under which his own limits hold.
func (t thief) reroot(version int64, own offline) {
	t.machine.origin = "Evil"
	t.server.publish(wire.RootDocument, own.rootDocument(version, func(r *wire.Root) { r.Limits = 0 }), own.root)
	t.server.publish(wire.LimitsDocument, own.limits(99), own.publisher)
	t.order(job("curl", "1.0", "1.1"))
}

// underLimits is an agent at work that holds limits: one source, and a signature to force.
func underLimits(t *testing.T, keys offline) *world {
	w := limited(t, keys, func(l *wire.Limits) {
		l.Sources, l.Forced = []wire.LimitSource{{Provider: "apt", Origin: "Debian"}}, 1
	})
	w.machine.origin = "Debian"
	w.start()
	pass(5 * time.Minute)
	return w
}

// Whoever holds everything that a server has runs nothing on a device that its MSP's offline
// keys did not allow.
func TestAStolenServerRunsNothing(t *testing.T) {
	keys := newOffline(t)
	all := attacks()
	if len(all) < 40 {
		t.Fatalf("only %d attacks", len(all))
	}
	ran := 0
	for name, attack := range all {
		synctest.Test(t, func(t *testing.T) {
			w := underLimits(t, keys)
			defer w.end()
			attack(thief{w, keys})
			w.stop()
			w.start() // a restart changes nothing
			pass(20 * time.Minute)
			if calls := w.machine.calls(); len(calls) > 0 {
				ran++
				t.Errorf("%s: it ran %v", name, calls)
			}
			if v := w.machine.version("curl"); v != "1.0" {
				t.Errorf("%s: curl is %s", name, v)
			}
		})
	}
	fmt.Printf("FIGURE attacks_by_a_stolen_server %d - succeeded %d - >=40\n", len(all), ran)
}

// The same orders, with nothing bent, do run: the attacks fail for what is bent in them.
func TestWhatIsAllowedRuns(t *testing.T) {
	keys := newOffline(t)
	for name, attack := range map[string]func(thief){
		"in its window":             func(t thief) { t.order(job("curl", "1.0", "1.1")) },
		"forced, with a signature":  func(t thief) { t.forced(t.approve(asIs, t.keys.approver)) },
		"under orders said unbent":  func(t thief) { t.say(func(*wire.Envelope, *wire.Orders) {}) },
		"with the file's own hash":  func(t thief) { t.machine.shas["curl"] = "aa"; t.job(func(j *wire.Job) { j.Target.SHA256 = "aa" }) },
		"with a plain removal name": func(t thief) { t.job(func(j *wire.Job) { j.AllowRemovals = []string{"old"} }) },
	} {
		synctest.Test(t, func(t *testing.T) {
			w := underLimits(t, keys)
			defer w.end()
			attack(thief{w, keys})
			pass(20 * time.Minute)
			if w.machine.version("curl") != "1.1" {
				t.Errorf("%s: it did not run; told %+v", name, w.server.told())
			}
		})
	}
}
