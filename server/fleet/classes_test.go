package fleet

import (
	"fmt"
	"testing"
	"time"

	"patchbay/patch"
	"patchbay/server/assess"
	"patchbay/server/store"
	"patchbay/server/verdict"
	"patchbay/server/view"
)

// TestUpdatesAreCountedByClass: an update counts once in each of its classes, on however many
// devices it is, and what is gone counts in none.
func TestUpdatesAreCountedByClass(t *testing.T) {
	x := New(24 * time.Hour)
	need := func(name string, v verdict.Name, classes ...patch.Class) Need {
		u := patch.Update{Provider: "winupdate", Name: name, Available: "200", Origin: "Windows Update", Classes: classes}
		return Need{Need: assess.Need{Key: u.Key(), Update: u, Offered: true}, Verdict: verdict.Verdict{Name: v, State: verdict.StateOf(v)}}
	}
	for i, customer := range []string{"a", "a", "b"} {
		e := Entry{Device: store.Device{ID: fmt.Sprint("dev_", i), Customer: customer}, Customer: view.Ref{ID: customer, Name: "Customer " + customer}}
		e.Needs = []Need{need("KB1", verdict.WAITS_DECISION, patch.Security, patch.Rollup), need("KB2", verdict.VERIFIED, patch.Rollup), need("KB3", verdict.SUPERSEDED, patch.Driver)}
		x.Put(&e)
	}
	for _, c := range []struct {
		filter view.Filter
		want   string
	}{
		{view.Filter{}, "[{security 1 1 3 3 [{{a Customer a} 2} {{b Customer b} 1}]} {rollup 2 1 3 3 [{{a Customer a} 2} {{b Customer b} 1}]}]"},
		{view.Filter{Customer: "b"}, "[{security 1 1 1 1 [{{b Customer b} 1}]} {rollup 2 1 1 1 [{{b Customer b} 1}]}]"},
		{view.Filter{Device: "dev_0"}, "[{security 1 1 1 1 [{{a Customer a} 1}]} {rollup 2 1 1 1 [{{a Customer a} 1}]}]"},
		{view.Filter{Customer: "c"}, "[]"},
	} {
		if got := fmt.Sprint(x.Classes(c.filter)); got != c.want {
			t.Errorf("%+v: %s", c.filter, got)
		}
	}
}
