package engine

import (
	"strings"
	"testing"
	"time"

	"patchbay/patch"
	"patchbay/server/assess"
	"patchbay/server/store"
	"patchbay/server/verdict"
	"patchbay/wire"
)

// recalls has the engine know of these, and the device looked at.
func (r *rig) recalls(list ...assess.Recall) {
	r.t.Helper()
	known := assess.NewRecalls(list)
	r.Engine.Recalls = func() *assess.Recalls { return known }
	r.must(r.Step(r.t.Context(), r.device))
}

func (r *rig) trouble() assess.Recall {
	return assess.Recall{Feed: "acme", ID: "A-1", Publisher: "Acme", Provider: "apt", Name: "lib", Versions: []string{"1.1"}, Trouble: "The till stops.", Since: r.now.Add(-time.Hour)}
}

// A hold comes with the feed, takes back what was ordered and not begun, whoever approved it,
// and goes by itself when the feed says nothing of it any more.
func TestAHoldComesAndGoesWithTheFeed(t *testing.T) {
	r := newRig(t, store.SitePolicy{Auto: store.Security})
	r.says("1.0", []patch.Update{lib}, nil)
	r.approve(store.Approve, "")
	jobs := r.ordered()
	if len(jobs) != 1 {
		t.Fatal("nothing was ordered")
	}
	r.says("1.0", []patch.Update{lib}, []wire.JobStep{{Job: jobs[0].ID, Step: wire.StepWaiting, Since: r.now}})
	r.recalls(r.trouble())
	r.expect(verdict.HELD)
	if v := r.verdict(); !strings.Contains(v.Sentence, "The till stops.") || v.Owner != verdict.Vendor {
		t.Errorf("%+v", v)
	}
	if jobs := r.ordered(); len(jobs) != 0 {
		t.Fatalf("still ordered: %v", jobs)
	}
	r.approve(store.Approve, "") // a hold goes before a person
	r.expect(verdict.HELD)
	if jobs := r.ordered(); len(jobs) != 0 {
		t.Fatalf("ordered because a person said yes: %v", jobs)
	}
	r.recalls()
	r.expect(verdict.WAITS_DEVICE)
	if jobs := r.ordered(); len(jobs) != 1 {
		t.Errorf("nothing holds it, and it is not ordered: %v", jobs)
	}
}

// A hold that is resolved at a time ends then, and the device is due at that time.
func TestAHoldEndsWhenItIsResolved(t *testing.T) {
	r := newRig(t, store.SitePolicy{Auto: store.Security})
	held := r.trouble()
	held.Resolved = r.now.Add(time.Hour)
	r.recalls(held)
	r.says("1.0", []patch.Update{lib}, nil)
	r.expect(verdict.HELD)
	r.Work(t.Context())
	r.now = held.Resolved
	r.Work(t.Context()) // by the clock alone
	if jobs := r.ordered(); len(jobs) != 1 {
		t.Errorf("ordered %v", jobs)
	}
}

// Nothing begins once a hold is known, and what was begun before it is finished.
func TestWhatWasBegunIsFinished(t *testing.T) {
	r := newRig(t, store.SitePolicy{Auto: store.Security})
	r.says("1.0", []patch.Update{lib}, nil)
	job := r.ordered()[0]
	r.says("1.0", []patch.Update{lib}, []wire.JobStep{{Job: job.ID, Step: wire.StepApplying, Since: r.now}})
	r.recalls(r.trouble())
	r.expect(verdict.APPLYING)
	if jobs := r.ordered(); len(jobs) != 1 || jobs[0].ID != job.ID {
		t.Fatalf("ordered %v", jobs)
	}
	r.says("1.0", []patch.Update{lib}, nil, wire.Outcome{Job: job.ID, Step: wire.StepFailed, Result: wire.ResultFailed, Message: "no"})
	r.expect(verdict.HELD)
	r.now = r.now.Add(2 * time.Hour)
	r.must(r.Step(t.Context(), r.device))
	if jobs := r.ordered(); len(jobs) != 0 {
		t.Errorf("tried again: %v", jobs)
	}
}

// What was installed before it was taken back is told, and can be taken back.
func TestAnInstalledRecallIsToldAndTakenBack(t *testing.T) {
	r := newRig(t, store.SitePolicy{Auto: store.ByHand})
	r.previous = "1.0"
	r.says("1.1", nil, nil)
	if n := r.needs(); n != 0 {
		t.Fatalf("%d needs", n)
	}
	r.recalls(r.trouble())
	r.expect(verdict.RECALLED)
	r.approve(store.Undo, "the till stops")
	jobs := r.ordered()
	if len(jobs) != 1 || jobs[0].Verb != wire.VerbUndo || jobs[0].Target.To != "1.0" {
		t.Fatalf("ordered %+v", jobs)
	}
	r.previous = ""
	r.says("1.0", nil, nil, wire.Outcome{Job: jobs[0].ID, Step: wire.StepDone, Result: wire.ResultOK})
	if n := r.needs(); n != 0 {
		t.Errorf("%d needs once it is gone", n)
	}
}

// The index finds who is concerned: first those that have it on offer.
func TestThoseWhoHaveItOnOfferComeFirst(t *testing.T) {
	r := newRig(t, store.SitePolicy{Auto: store.Security})
	r.says("1.0", []patch.Update{lib}, nil)
	other := r.trouble()
	other.Name = "something-else"
	if waiting, others := r.Index.Concerned([]assess.Recall{r.trouble()}); len(waiting) != 1 || len(others) != 0 {
		t.Errorf("%v %v", waiting, others)
	}
	if waiting, others := r.Index.Concerned([]assess.Recall{other}); len(waiting) != 0 || len(others) != 1 {
		t.Errorf("%v %v", waiting, others)
	}
	other.Provider = "dnf"
	if waiting, others := r.Index.Concerned([]assess.Recall{other}); len(waiting)+len(others) != 0 {
		t.Errorf("%v %v", waiting, others)
	}
}

// From the moment that a recall is known no order carries what it holds, although the device is
// not decided anew yet: there may be thousands before it.
func TestNoOrderCarriesWhatIsHeldFromTheMomentItIsKnown(t *testing.T) {
	r := newRig(t, store.SitePolicy{Auto: store.Security})
	r.says("1.0", []patch.Update{lib}, nil)
	if jobs := r.ordered(); len(jobs) != 1 {
		t.Fatal("nothing was ordered")
	}
	known := assess.NewRecalls([]assess.Recall{r.trouble()})
	r.Engine.Recalls = func() *assess.Recalls { return known }
	r.DueFirst(r.device)
	if jobs := r.ordered(); len(jobs) != 0 {
		t.Errorf("ordered %v", jobs)
	}
	r.expect(verdict.HELD)
	if len(r.first) != 0 {
		t.Errorf("it is never over: %v", r.first)
	}
}
