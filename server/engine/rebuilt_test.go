package engine

import (
	"encoding/json"
	"testing"
	"time"

	"patchbay/patch"
	"patchbay/server/fleet"
	"patchbay/server/store"
	"patchbay/server/view"
	"patchbay/window"
	"patchbay/wire"
)

// What the index shows is a projection of what is stored: dropped at any moment and built
// anew, it is the same to the byte.
func TestTheIndexBuiltAnewIsTheSame(t *testing.T) {
	r := newRig(t, store.SitePolicy{Auto: store.Security, Windows: []window.Weekly{{Days: []string{"sat"}, Start: "22:00", Minutes: 240}}})
	held := lib
	held.Name, held.Block, held.BlockWhy = "other", patch.Held, "held by root"
	r.must(r.Step(t.Context(), r.device))
	r.same("nothing was read yet")
	r.says("1.0", []patch.Update{lib, held}, nil)
	r.same("two updates on offer")
	job := r.ordered()[0]
	r.says("1.0", []patch.Update{lib}, []wire.JobStep{{Job: job.ID, Step: wire.StepWaiting, Since: r.now, Why: "Closed until Saturday."}})
	r.same("one went, one waits for its window")
	r.now = r.now.Add(3 * time.Hour)
	r.must(r.Step(t.Context(), r.device))
	r.must(r.Step(t.Context(), r.device)) // which its alarm brings about
	r.same("silent for three hours")
	r.says("1.0", []patch.Update{lib}, nil, wire.Outcome{Job: job.ID, Step: wire.StepFailed, Result: wire.ResultFailed, Message: "postinst said no"})
	r.same("failed")
	r.previous = "1.0"
	r.says("1.1", nil, nil)
	r.same("installed by somebody else")
	r.approve(store.Undo, "breaks the till")
	r.same("to be taken back")
}

// same compares the index with one that is built from the store alone.
func (r *rig) same(when string) {
	r.t.Helper()
	o := r.Options
	o.Index = fleet.New(o.Silent)
	anew := New(o)
	r.must(anew.Load(r.t.Context()))
	r.must(anew.Step(r.t.Context(), r.device))
	if was, is := shown(r, r.Index), shown(r, o.Index); was != is {
		r.t.Errorf("%s: it was\n%s\nand built anew it is\n%s", when, was, is)
	}
}

// shown is all that an index shows.
func shown(r *rig, x *fleet.Index) string {
	r.t.Helper()
	text, err := json.MarshalIndent([]any{x.Needs(r.now, view.Filter{}), x.Updates(r.now, view.Filter{}), x.Devices(r.now, view.Filter{})}, "", " ")
	r.must(err)
	return string(text)
}
