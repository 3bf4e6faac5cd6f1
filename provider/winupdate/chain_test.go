package winupdate

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"patchbay/patch"
	"patchbay/provider"
)

// drawn is a set of updates that supersede each other at random, in circles too.
func drawn(t *rapid.T) []provider.EngineUpdate {
	n := rapid.IntRange(1, 8).Draw(t, "updates")
	list := make([]provider.EngineUpdate, n)
	for i := range list {
		list[i] = plain(i)
		list[i].Changed = today.AddDate(0, 0, -rapid.IntRange(0, 400).Draw(t, "days"))
		list[i].Optional = rapid.Bool().Draw(t, "optional")
		list[i].Hidden = rapid.IntRange(0, 3).Draw(t, "hidden") == 0
		for _, below := range rapid.SliceOfN(rapid.IntRange(0, n), 0, 3).Draw(t, "supersedes") {
			list[i].Supersedes = append(list[i].Supersedes, id(below))
		}
	}
	return list
}

// TestSupersededIsCovered is the law: what is left out is carried by something that is not; what
// may be made by itself is left out only for such; hiding one hides no other; and a circle
// leaves out nobody for its own sake.
func TestSupersededIsCovered(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		list := drawn(t)
		var offered, hidden []provider.EngineUpdate
		for _, u := range list {
			if u.Hidden {
				hidden = append(hidden, u)
			} else {
				offered = append(offered, u)
			}
		}
		ups, _ := offers(today, nil, nil, offered, hidden)
		g := graphOf(today, nil, list)
		left := func(id string) *patch.Update {
			i := slices.IndexFunc(ups, func(u patch.Update) bool { return u.Source == id })
			if i < 0 {
				return nil
			}
			return &ups[i]
		}
		for _, u := range list {
			if left(u.ID.Update) != nil {
				continue
			}
			b, _ := block(u, classify(u))
			covered := false
			for _, v := range ups {
				covered = covered || g.over(v.Source, u.ID.Update) && (b != "" || v.Block == "") && (u.Hidden || v.Block != patch.Held)
			}
			if !covered {
				t.Fatalf("%s is left out, and nothing that is on offer carries it: %+v", u.ID.Update, ups)
			}
		}
		for _, u := range ups {
			for _, v := range ups {
				if u.Source != v.Source && g.over(v.Source, u.Source) && !g.over(u.Source, v.Source) && u.Block == "" && v.Block == "" {
					t.Fatalf("%s is a need of its own beside %s", u.Source, v.Source)
				}
			}
		}
	})
}

// TestFirstAtCounts is the law: the age of a fix is that of the oldest update of its chain that
// is missing here, never later than its own day, and installed ones end the chain.
func TestFirstAtCounts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		list := drawn(t)
		has := map[string]bool{}
		for _, u := range list[1:] {
			if rapid.Bool().Draw(t, "installed") {
				has[u.ID.Update] = true
			}
		}
		g := graphOf(today, nil, list)
		at := g.firstAt(list[0], g.covered(has))
		first := list[0].Changed
		for _, u := range list {
			covered := has[u.ID.Update]
			for i := range has {
				covered = covered || g.over(i, u.ID.Update)
			}
			if g.over(list[0].ID.Update, u.ID.Update) && !covered && u.Changed.Before(first) {
				first = u.Changed
			}
		}
		if at == nil && !first.Equal(list[0].Changed) || at != nil && (!at.Equal(first) || !at.Before(list[0].Changed)) {
			t.Fatalf("%v, not %v", at, first)
		}
	})
}

// TestTheFirstOfAChainIsRemembered: the engine forgets what was superseded, this agent does not.
func TestTheFirstOfAChainIsRemembered(t *testing.T) {
	october, november := cumulativeUpdate(1, 4317), cumulativeUpdate(2, 4460)
	october.Changed = today.AddDate(0, -1, -10)
	november.Supersedes = []string{october.ID.Update}
	d := &double{offered: []provider.EngineUpdate{october}}
	w, _ := opened(t, system(22631, 4169), d)
	if _, err := w.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	d.offered = []provider.EngineUpdate{november}
	o, err := w.Available(t.Context())
	if err != nil || len(o.Updates) != 1 || o.Updates[0].FirstAt == nil || !o.Updates[0].FirstAt.Equal(october.Changed) {
		t.Fatalf("%v, %+v", err, o.Updates)
	}
	if !slices.Equal(o.Updates[0].Supersedes, november.Supersedes) {
		t.Errorf("it supersedes %q", o.Updates[0].Supersedes)
	}
	d.installed = []provider.EngineUpdate{october} // then it is not missing
	if _, err := w.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	if o, err := w.Available(t.Context()); err != nil || o.Updates[0].FirstAt != nil {
		t.Errorf("%v, %+v", err, o.Updates)
	}
}

// TestACircleEnds: hundreds that all supersede each other all stay.
func TestACircleEnds(t *testing.T) {
	var list []provider.EngineUpdate
	for i := range 300 {
		u := plain(i)
		for j := range 150 {
			u.Supersedes = append(u.Supersedes, id((i+j)%300))
		}
		list = append(list, u)
	}
	ups, _ := offers(today, nil, nil, list, nil)
	if len(ups) != len(list) || len(ups[0].Supersedes) > maxSupersedes {
		t.Errorf("of a circle %d are left, the first supersedes %d", len(ups), len(ups[0].Supersedes))
	}
}

// TestTheEndOfTheChainIsNamed: who reads why an update is no need hears of the one that is.
func TestTheEndOfTheChainIsNamed(t *testing.T) {
	list := []provider.EngineUpdate{plain(1), plain(2), plain(3)}
	list[1].Supersedes, list[2].Supersedes = []string{id(1)}, []string{id(2)}
	for _, order := range [][]int{{0, 1, 2}, {2, 1, 0}, {1, 0, 2}} {
		offered := []provider.EngineUpdate{list[order[0]], list[order[1]], list[order[2]]}
		ups, notes := offers(today, nil, nil, offered, nil)
		want := []string{"KB5000001 is on offer and superseded by KB5000003.", "KB5000002 is on offer and superseded by KB5000003."}
		if len(ups) != 1 || ups[0].Source != id(3) || !slices.Equal(notes, want) {
			t.Errorf("%+v, %q", ups, notes)
		}
	}
}
