package verdict

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"patchbay/patch"
	"patchbay/server/assess"
	"patchbay/server/policy"
	"patchbay/server/rollout"
	"patchbay/window"
	"patchbay/wire"
)

var now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// usual is a case in which everything is well up to a job that waits for its window.
func usual(t testing.TB) Case {
	t.Helper()
	set, err := window.New(window.Spec{Opens: []window.Span{{From: now.Add(3 * time.Hour), Until: now.Add(5 * time.Hour), Reason: "tonight"}}})
	if err != nil {
		t.Fatal(err)
	}
	u := patch.Update{Provider: "apt", Name: "lib", Available: "1.1", Installed: "1.0"}
	return Case{
		Need:     assess.Need{Key: u.Key(), Update: u, Installed: "1.0", Offered: true, Since: now.Add(-48 * time.Hour), ScannedAt: now.Add(-time.Hour)},
		Decision: policy.Decision{Kind: policy.Install, ID: "apr_1", By: "Ann", At: now.Add(-2 * time.Hour)},
		Ring:     rollout.Ring{Open: true},
		Device:   Device{Name: "pc", Mode: wire.Manage, LastSeen: now.Add(-time.Minute), Windows: set},
		Work: Work{Step: wire.StepWaiting, Since: now.Add(-time.Hour),
			Tried: rollout.Tried{Open: &rollout.Past{Job: wire.Job{ID: "job_1"}}}},
	}
}

func failedPast(refused bool) *rollout.Past {
	return &rollout.Past{Ended: true, Failed: true, Refused: refused, EndedAt: now.Add(-time.Minute)}
}

func TestTheFirstUnmetLinkIsTheVerdict(t *testing.T) {
	gone := now.Add(-30 * time.Minute)
	step := func(s wire.Step) func(*Case) { return func(c *Case) { c.Work.Step = s } }
	for _, tc := range []struct {
		want Name
		link Link
		edit func(*Case)
	}{
		{VERIFIED, Verified, func(c *Case) { c.Need.Reached, c.Need.Installed, c.Need.GoneAt = true, "1.1", &gone }},
		{NOT_APPLICABLE, Applicable, func(c *Case) { c.Need.Installed, c.Need.Offered = "", false }},
		{UNKNOWN, Known, func(c *Case) { c.Need.Blind = &assess.Blind{Sentence: "apt failed", Since: now} }},
		{STALE, Known, func(c *Case) { c.Need.Blind = &assess.Blind{Sentence: "too old", Since: now, Aged: true} }},
		{STALE, Known, func(c *Case) { c.Need.ScannedAt = now.Add(-assess.ScanAge - time.Second) }},
		{UNKNOWN, Known, func(c *Case) { c.Need.Installed = "" }},
		{UNKNOWN, Active, func(c *Case) { c.Need.Reached, c.Need.Unsure = true, "the host cannot be read" }},
		{STALE, Known, func(c *Case) { // silent
			c.Need.Reached, c.Device.Silent, c.Device.LastSeen = true, time.Hour, now.Add(-2*time.Hour)
		}},
		{WITHDRAWN, Offered, func(c *Case) { c.Need.Offered, c.Need.GoneAt = false, &gone }},
		{HELD, Offered, func(c *Case) { c.Need.Update.Block, c.Need.Update.BlockWhy = patch.Held, "held by root" }},
		{WAITS_DECISION, Decided, func(c *Case) {
			c.Need.Update.Block, c.Decision, c.Work = patch.Optional, policy.Decision{Kind: policy.Wait}, Work{}
		}},
		{INSTALLED_PENDING_REBOOT, Known, func(c *Case) { c.Need.Installed, c.Need.Leaving, c.Work.Tried.Open = "1.1", true, nil }},
		{DISPUTED, Known, func(c *Case) { c.Need.Installed, c.Need.Disputed = "1.1", "the engine and the build do not agree" }},
		{SUPERSEDED, Offered, func(c *Case) {
			c.Need.Installed, c.Need.Absent, c.Need.Offered, c.Need.GoneAt, c.Need.Replaced = "", true, false, &gone, "KB2"
		}},
		{WITHDRAWN, Offered, func(c *Case) { c.Need.Installed, c.Need.Absent, c.Need.Offered, c.Need.GoneAt = "", true, false, &gone }},
		{TWO_MASTERS, Decided, func(c *Case) { c.Decision.Kind, c.Work = policy.Contested, Work{} }},
		{WAITS_USER, InWindow, func(c *Case) { c.Work.Why = wire.Open + "lib (lib.exe). The update waits until it is closed." }},
		{HELD, Decided, func(c *Case) { recall(c); c.Decision.Kind = policy.Hold }},
		{WAITS_WINDOW, InWindow, recall}, // a person knows of it
		{RECALLED, Decided, func(c *Case) { recall(c); c.Need.Reached, c.Work = true, Work{} }},
		{RECALLED, Decided, func(c *Case) { recall(c); c.Need.Reached, c.Need.Restart = true, "it has to reboot" }},
		{WAITS_DEVICE, Reachable, func(c *Case) { recall(c); taken("1.1", "")(c) }}, // it is taken back already
		{STALE, Known, func(c *Case) {
			recall(c)
			c.Need.Reached, c.Need.ScannedAt = true, now.Add(-assess.ScanAge-time.Second)
		}},
		{KEPT_BACK, Offered, func(c *Case) { c.Need.Update.Block, c.Need.Update.BlockWhy = patch.Phased, "not yet for this machine" }},
		{WAITS_DECISION, Decided, func(c *Case) { c.Decision = policy.Decision{Kind: policy.Wait} }},
		{REJECTED, Approved, func(c *Case) { c.Decision.Kind, c.Decision.Reason = policy.Reject, "breaks the till" }},
		{REJECTED, Approved, func(c *Case) { // by a rule
			c.Decision = policy.Decision{Kind: policy.Reject, ID: "rule:site", Reason: "A rule at HQ leaves lib alone."}
		}},
		{WAITS_WINDOW, InWindow, func(c *Case) { c.Need.Installed, c.Need.Absent = "", true }},
		{NO_FIX, Offered, func(c *Case) { c.Need.Installed, c.Need.Absent, c.Need.Offered = "", true, false }},
		{WAITS_RING, RingOpen, func(c *Case) { c.Ring = rollout.Ring{Why: "ring 2 is closed"} }},
		{OBSERVED, Reachable, func(c *Case) { c.Device.Mode = wire.Observe }},
		{WAITS_DEVICE, Reachable, func(c *Case) { c.Device.LastSeen = now.Add(-time.Hour) }},
		{WAITS_DEVICE, Reachable, step("")},
		{STAGING, Staged, step(wire.StepStaging)},
		{WAITS_WINDOW, InWindow, step(wire.StepWaiting)},
		{PREFLIGHT, Preflight, step(wire.StepPreflight)},
		{APPLYING, Applied, step(wire.StepApplying)},
		{FAILED, Applied, func(c *Case) {
			c.Work = Work{Tried: rollout.Tried{Last: failedPast(false), Failures: 1}, Message: "boom"}
		}},
		{FAILED, Applied, func(c *Case) { c.Work = Work{Tried: rollout.Tried{Last: failedPast(true), Failures: 1}} }},
		{FAILED, Applied, func(c *Case) {
			c.Need.Installed, c.Need.Broken, c.Need.Offered = "1.1", "half-configured", false
			c.Work, c.Decision = Work{}, policy.Decision{Kind: policy.Wait}
		}},
		{INSTALLED_PENDING_REBOOT, Active, step(wire.StepRebooting)},
		{INSTALLED_PENDING_REBOOT, Active, func(c *Case) { c.Need.Reached, c.Need.Restart = true, "lib asks for a reboot" }},
		{RUNNING_OLD, Active, func(c *Case) { c.Need.Reached, c.Need.Running = true, []string{"nginx.service"} }},
		{RUNNING_OLD, Active, step(wire.StepRestarting)},
		{FAILED, Reachable, func(c *Case) { lose(c); c.Device.LastSeen = now.Add(-BackWithin - time.Second) }},
		{INSTALLED_PENDING_REBOOT, Active, func(c *Case) { lose(c); c.Device.LastSeen = now.Add(-BackWithin) }},
		{VERIFYING, Verified, step(wire.StepVerifying)},
		{WAITS_WINDOW, InWindow, taken("1.1", wire.StepWaiting)},
		{WAITS_DEVICE, Reachable, taken("1.1", "")},
		{APPLYING, Applied, taken("1.1", wire.StepApplying)},
		{VERIFYING, Verified, taken("1.1", wire.StepVerifying)},
		{FAILED, Applied, func(c *Case) { taken("1.1", "")(c); c.Need.Previous, c.Work = "", Work{} }},
		{FAILED, Applied, func(c *Case) {
			taken("1.1", "")(c)
			c.Work = Work{Tried: rollout.Tried{Last: failedPast(true), Failures: 1}, Message: "app needs it"}
		}},
		{ROLLED_BACK, Applied, func(c *Case) { taken("1.0", "")(c); c.Work = Work{Undone: true} }},
		{REJECTED, Approved, func(c *Case) { taken("1.0", "")(c); c.Work = Work{} }}, // it never was here
		{VERIFIED, Verified, func(c *Case) { taken("1.2", "")(c); c.Need.Reached, c.Work = true, Work{} }},
	} {
		c := usual(t)
		tc.edit(&c)
		v := Of(c, now)
		if v.Name != tc.want || v.Link != tc.link {
			t.Errorf("want %s at %s, got %s at %s: %s", tc.want, tc.link, v.Name, v.Link, v.Sentence)
		}
		checkForm(t, c, v)
	}
}

// recall has the version on offer, or the one that is installed, known to make trouble.
func recall(c *Case) {
	r := []assess.Recall{{Feed: "acme", ID: "A-1", Publisher: "Acme", Trouble: "It breaks", Since: now.Add(-time.Hour)}}
	c.Need.Held, c.Need.Recalled = r, r
}

// taken is a case whose update a person asked to take back, with this version installed.
func taken(installed string, step wire.Step) func(*Case) {
	return func(c *Case) {
		c.Decision.Kind, c.Decision.Reason = policy.Undo, "breaks the till"
		c.Need.Installed, c.Need.Reached, c.Need.Offered, c.Need.Previous = installed, installed == "1.1", installed != "1.1", "1.0"
		c.Work.Step = step
	}
}

// lose has the machine told to restart.
func lose(c *Case) { c.Work.Step, c.Work.Why = wire.StepRebooting, wire.Restarts }

// checkForm holds what is true of every verdict.
func checkForm(t *testing.T, c Case, v Verdict) {
	t.Helper()
	if v.Sentence == "" || !strings.HasSuffix(v.Sentence, ".") || v.Since.IsZero() || v.State != StateOf(v.Name) {
		t.Errorf("%s: sentence %q, since %v, state %s", v.Name, v.Sentence, v.Since, v.State)
	}
	if v.State != Good && v.State != Gone && v.Owner == Nobody {
		t.Errorf("%s: nobody owns it", v.Name)
	}
	if v.Next != nil && !v.Next.After(now) {
		t.Errorf("%s: the next try is in the past", v.Name)
	}
	met := true
	for _, l := range Explain(v) {
		if l.Link == v.Link && v.Name != VERIFIED {
			met = false
		}
		if l.Met != met {
			t.Errorf("%s: link %s is met %v", v.Name, l.Link, l.Met)
		}
	}
}

// Every combination of what can be true at once: there is always exactly one verdict, and
// never a good one for what the machine does not show.
func TestGoodOnlyWhatTheMachineShows(t *testing.T) {
	bools := []bool{false, true}
	cases := 0
	for _, reached := range bools {
		for _, why := range inactive() {
			for _, blind := range bools {
				for _, offered := range bools {
					for _, old := range bools {
						for _, block := range []patch.Block{patch.NotBlocked, patch.Held, patch.Pinned, patch.Phased, patch.KeptBack} {
							for _, kind := range []policy.Kind{policy.Install, policy.Wait, policy.Reject, policy.Undo, policy.Hold} {
								for _, mode := range []wire.Mode{wire.Observe, wire.Manage} {
									for _, step := range append(steps(), "none", "failed once", "given up", "restarts", "not back") {
										c := usual(t)
										c.Need.Reached, c.Need.Offered, c.Need.Update.Block, c.Need.Update.BlockWhy = reached, offered, block, "so it is"
										why.edit(&c)
										if blind {
											c.Need.Blind = &assess.Blind{Sentence: "apt failed", Since: now}
										}
										if old {
											c.Need.ScannedAt = now.Add(-assess.ScanAge - time.Second)
										}
										c.Decision.Kind, c.Device.Mode = kind, mode
										c.Work = workAt(step)
										if c.Need.Previous = "0.9"; reached {
											c.Need.Installed = c.Need.Update.Available
										}
										if step == "not back" {
											c.Device.LastSeen = now.Add(-BackWithin - time.Second)
										}
										v := Of(c, now)
										checkForm(t, c, v)
										if proven := reached && why.active && !blind && !old && step != "not back" && kind != policy.Undo; (v.State == Good) != proven {
											t.Fatalf("reached %v, %s, blind %v, old %v, %s: %s", reached, why.name, blind, old, step, v.Name)
										}
										if (step == "not back") != IsNotBack(v) {
											t.Fatalf("%s: %s at %s", step, v.Name, v.Link)
										}
										cases++
									}
								}
							}
						}
					}
				}
			}
		}
	}
	t.Logf("%d cases", cases)
}

// inactive are the ways in which what is installed is, may be, or is not what runs: each of
// the three facts there or not.
func inactive() []way {
	var all []way
	for i := range 8 {
		w := way{active: i == 0}
		w.edit = func(c *Case) {
			if i&1 != 0 {
				c.Need.Restart = "lib asks for a reboot"
			}
			if i&2 != 0 {
				c.Need.Running = []string{"nginx.service"}
			}
			if i&4 != 0 {
				c.Need.Unsure = "some processes could not be looked at"
			}
		}
		w.name = fmt.Sprintf("reboot %v, running old %v, unsure %v", i&1 != 0, i&2 != 0, i&4 != 0)
		all = append(all, w)
	}
	return all
}

type way struct {
	name   string
	active bool
	edit   func(*Case)
}

func steps() []wire.Step {
	return []wire.Step{"", wire.StepStaging, wire.StepWaiting, wire.StepPreflight, wire.StepApplying, wire.StepRestarting, wire.StepRebooting, wire.StepVerifying}
}

func workAt(step wire.Step) Work {
	switch step {
	case "none":
		return Work{Since: now}
	case "restarts", "not back":
		return Work{Tried: rollout.Tried{Open: &rollout.Past{}}, Step: wire.StepRebooting, Why: wire.Restarts, Since: now.Add(-time.Hour)}
	case "failed once":
		return Work{Tried: rollout.Tried{Last: failedPast(false), Failures: 1}, Receipt: now, Message: "boom"}
	case "given up":
		return Work{Tried: rollout.Tried{Last: failedPast(false), Failures: rollout.Attempts}, Receipt: now}
	}
	return Work{Tried: rollout.Tried{Open: &rollout.Past{}}, Step: step, Since: now}
}

func TestWindowSaysWhenItStarts(t *testing.T) {
	v := Of(usual(t), now)
	if v.Next == nil || !v.Next.Equal(now.Add(3*time.Hour)) || v.Act != ActForce {
		t.Errorf("%+v", v)
	}
	c := usual(t)
	c.Device.Windows, _ = window.New(window.Spec{})
	if v := Of(c, now); v.Name != WAITS_WINDOW || v.Next != nil || v.Owner != MSP {
		t.Errorf("a site without a window: %+v", v)
	}
}
