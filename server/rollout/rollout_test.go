package rollout

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"patchbay/patch"
	"patchbay/server/assess"
	"patchbay/server/policy"
	"patchbay/wire"
)

var (
	now  = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	open = Ring{Open: true}
	yes  = policy.Decision{Kind: policy.Install, ID: "apr_1", By: "Ann", Reason: "approved", At: now}
)

func need() assess.Need {
	u := patch.Update{Provider: "apt", Name: "lib", Architecture: "amd64", Installed: "1.0", Available: "1.1"}
	return assess.Need{Key: u.Key(), Update: u, Installed: "1.0", Offered: true, Since: now}
}

func plan(n assess.Need, d policy.Decision, past []Past, ring Ring, at time.Time) Plan {
	return Jobs("dev_1", []assess.Need{n}, []policy.Decision{d}, past, ring, at)
}

func TestApprovedNeedIsOneJob(t *testing.T) {
	p := plan(need(), yes, nil, open, now)
	if len(p.Make) != 1 || len(p.Jobs) != 1 || p.Make[0].Target.To != "1.1" || p.Make[0].Target.From != "1.0" ||
		p.Make[0].Forced != "" || !p.Make[0].NotAfter.Equal(now.Add(Life)) {
		t.Errorf("%+v", p)
	}
}

func TestNoJobWithoutEveryCondition(t *testing.T) {
	for name, spoil := range map[string]func(*assess.Need, *policy.Decision, *Ring){
		"waits for an answer": func(_ *assess.Need, d *policy.Decision, _ *Ring) { d.Kind = policy.Wait },
		"rejected":            func(_ *assess.Need, d *policy.Decision, _ *Ring) { d.Kind = policy.Reject },
		"ring closed":         func(_ *assess.Need, _ *policy.Decision, r *Ring) { r.Open = false },
		"reached":             func(n *assess.Need, _ *policy.Decision, _ *Ring) { n.Reached = true },
		"not on offer":        func(n *assess.Need, _ *policy.Decision, _ *Ring) { n.Offered = false },
		"not installed":       func(n *assess.Need, _ *policy.Decision, _ *Ring) { n.Installed = "" },
		"blind":               func(n *assess.Need, _ *policy.Decision, _ *Ring) { n.Blind = &assess.Blind{} },
		"held":                func(n *assess.Need, _ *policy.Decision, _ *Ring) { n.Update.Block = patch.Held },
		"kept back":           func(n *assess.Need, _ *policy.Decision, _ *Ring) { n.Update.Block = patch.KeptBack },
	} {
		n, d, r := need(), yes, open
		spoil(&n, &d, &r)
		if p := plan(n, d, nil, r, now); len(p.Jobs) != 0 {
			t.Errorf("%s: a job was ordered: %+v", name, p.Jobs)
		}
	}
}

// An undo orders one job, from the very version it names to the one the device can bring
// back, and nothing where either is missing. No ring holds it up.
func TestUndoIsOrderedWhereThereIsSomethingToGoBackTo(t *testing.T) {
	back := policy.Decision{Kind: policy.Undo, ID: "apr_2", By: "Ann", Reason: "breaks the till", At: now}
	there := need()
	there.Installed, there.Previous, there.Reached, there.Offered = "1.1", "1.0", true, false
	p := plan(there, back, nil, Ring{}, now)
	if len(p.Make) != 1 || p.Make[0].Verb != wire.VerbUndo || p.Make[0].Target.From != "1.1" || p.Make[0].Target.To != "1.0" {
		t.Fatalf("%+v", p)
	}
	if again := plan(there, back, store(nil, p), Ring{}, now); len(again.Make)+len(again.Withdraw) > 0 || len(again.Jobs) != 1 {
		t.Errorf("planned again: %+v", again)
	}
	for name, spoil := range map[string]func(*assess.Need){
		"another version is there": func(n *assess.Need) { n.Installed = "1.2" },
		"it is back already":       func(n *assess.Need) { n.Installed, n.Previous, n.Reached, n.Offered = "1.0", "", false, true },
		"nothing was kept":         func(n *assess.Need) { n.Previous = "" },
		"not completely installed": func(n *assess.Need) { n.Broken = "half-configured" },
		"not installed":            func(n *assess.Need) { n.Installed = "" },
		"blind":                    func(n *assess.Need) { n.Blind = &assess.Blind{} },
	} {
		n := there
		spoil(&n)
		if p := plan(n, back, nil, open, now); len(p.Jobs) != 0 {
			t.Errorf("%s: a job was ordered: %+v", name, p.Jobs)
		}
	}
	for kind, jobs := range map[policy.Kind]int{policy.Install: 0, policy.Reject: 0, policy.Wait: 0, policy.Undo: 1} {
		d := back
		d.Kind = kind
		if p := plan(there, d, nil, open, now); len(p.Jobs) != jobs {
			t.Errorf("%s: %+v", kind, p.Jobs)
		}
	}
}

// store plays the part of the store: it makes the plan past.
func store(past []Past, p Plan) []Past {
	for _, j := range p.Make {
		past = append(past, Past{Job: j})
	}
	for _, id := range p.Withdraw {
		for i := range past {
			if past[i].ID == id {
				past[i].Withdrawn = true
			}
		}
	}
	return past
}

func TestPlanningTwiceChangesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var past []Past
		at := now
		for range rapid.IntRange(1, 12).Draw(t, "steps") {
			at = at.Add(time.Duration(rapid.IntRange(0, 20).Draw(t, "hours")) * time.Hour)
			n, d := need(), yes
			d.ID = rapid.SampledFrom([]string{"apr_1", "apr_2"}).Draw(t, "decision")
			d.Kind = rapid.SampledFrom([]policy.Kind{policy.Install, policy.Install, policy.Reject}).Draw(t, "kind")
			if rapid.Bool().Draw(t, "forced") {
				d.ForcedUntil = at.Add(time.Hour)
			}
			past = store(past, plan(n, d, past, open, at))
			if again := plan(n, d, past, open, at); len(again.Make)+len(again.Withdraw) != 0 {
				t.Fatalf("planned again, it would make %v and withdraw %v", again.Make, again.Withdraw)
			}
			openJobs, ids := 0, map[string]bool{}
			for _, p := range past {
				if ids[p.ID] {
					t.Fatalf("two jobs have the ID %s", p.ID)
				}
				ids[p.ID] = true
				if !p.Ended && !p.Withdrawn {
					openJobs++
				}
			}
			if openJobs > 1 {
				t.Fatalf("%d jobs are open for one item", openJobs)
			}
			if rapid.Bool().Draw(t, "ends") {
				for i := range past {
					if p := &past[i]; !p.Ended && !p.Withdrawn {
						p.Ended, p.EndedAt, p.Failed = true, at, true
						p.Refused = rapid.Bool().Draw(t, "refused")
						p.Expired = !p.Refused && rapid.Bool().Draw(t, "expired")
					}
				}
			}
		}
	})
}

func TestFailuresAreTriedAgainLaterThenLeftToAPerson(t *testing.T) {
	var past []Past
	at := now
	for attempt := 1; attempt <= Attempts; attempt++ {
		p := plan(need(), yes, past, open, at)
		if len(p.Make) != 1 || p.Make[0].Attempt != attempt {
			t.Fatalf("attempt %d: %+v", attempt, p)
		}
		past = store(past, p)
		last := &past[len(past)-1]
		last.Ended, last.EndedAt, last.Failed = true, at, true
		p = plan(need(), yes, past, open, at)
		if len(p.Jobs) != 0 {
			t.Fatalf("tried again at once after failure %d", attempt)
		}
		if attempt < Attempts {
			if !p.Until.After(at) {
				t.Fatalf("after failure %d nothing says when it is tried again", attempt)
			}
			at = p.Until
		}
	}
	if p := plan(need(), yes, past, open, at.Add(1000*time.Hour)); len(p.Jobs) != 0 || !p.Until.IsZero() {
		t.Errorf("after %d failures it goes on by itself: %+v", Attempts, p)
	}
	other := yes
	other.ID = "apr_2"
	if p := plan(need(), other, past, open, at); len(p.Make) != 1 {
		t.Errorf("a new answer is not tried: %+v", p)
	}
}

func TestARefusedJobWaitsForAPerson(t *testing.T) {
	past := store(nil, plan(need(), yes, nil, open, now))
	past[0].Ended, past[0].EndedAt, past[0].Failed, past[0].Refused = true, now, true, true
	if p := plan(need(), yes, past, open, now.Add(1000*time.Hour)); len(p.Jobs) != 0 {
		t.Errorf("%+v", p)
	}
}

func TestForcedJobsLiveShort(t *testing.T) {
	d := yes
	d.ForcedUntil = now.Add(24 * time.Hour)
	p := plan(need(), d, nil, open, now)
	if len(p.Make) != 1 || p.Make[0].Forced != "Ann" || p.Make[0].NotAfter.After(now.Add(ForcedLife)) {
		t.Fatalf("%+v", p)
	}
	past := store(nil, p)
	past[0].Ended, past[0].EndedAt, past[0].Failed, past[0].Expired = true, now.Add(ForcedLife), true, true
	p = plan(need(), d, past, open, now.Add(25*time.Hour))
	if len(p.Make) != 1 || p.Make[0].Forced != "" {
		t.Errorf("when the force is over, the job waits for its window again: %+v", p)
	}
}

func TestWhatIsNoLongerWantedIsWithdrawn(t *testing.T) {
	past := store(nil, plan(need(), yes, nil, open, now))
	no := policy.Decision{Kind: policy.Reject, ID: "apr_2"}
	if p := plan(need(), no, past, open, now); len(p.Withdraw) != 1 || p.Withdraw[0] != past[0].ID {
		t.Errorf("%+v", p)
	}
}

// What has begun runs to its end: half of it may have happened.
func TestWhatHasBegunIsNeitherWithdrawnNorDoubled(t *testing.T) {
	past := store(nil, plan(need(), yes, nil, open, now))
	past[0].Begun = true
	no := policy.Decision{Kind: policy.Reject, ID: "apr_2"}
	gone := need()
	gone.Offered, gone.Installed, gone.Broken = false, "1.1", "half-configured"
	other := yes
	other.ID = "apr_3"
	for name, p := range map[string]Plan{
		"rejected":        plan(need(), no, past, open, now),
		"offer gone":      plan(gone, yes, past, open, now),
		"answered anew":   plan(need(), other, past, open, now),
		"nothing changed": plan(need(), yes, past, open, now),
	} {
		if len(p.Withdraw) != 0 || len(p.Make) != 0 || len(p.Jobs) != 1 || p.Jobs[0].ID != past[0].ID {
			t.Errorf("%s: %+v", name, p)
		}
	}
}

// What is not there and wanted is a job from nothing, which names its source package: what
// comes of it names itself.
func TestWhatIsWantedAndNotThereIsAJob(t *testing.T) {
	n := need()
	n.Installed, n.Update.Installed, n.Update.Source, n.Absent = "", "", "src", true
	p := plan(n, yes, nil, open, now)
	if len(p.Make) != 1 || p.Make[0].Target.From != "" || p.Make[0].Target.To != "1.1" || p.Make[0].Target.Source != "src" {
		t.Errorf("%+v", p)
	}
	n.Offered = false
	if p := plan(n, yes, nil, open, now); len(p.Jobs) != 0 {
		t.Errorf("it is ordered without being on offer: %+v", p)
	}
}
