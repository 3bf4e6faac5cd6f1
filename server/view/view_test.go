package view

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"patchbay/patch"
	"patchbay/server/verdict"
)

type row struct{ key, id string }

// TestPagesJoinToTheWholeList holds for any rows, any page size and both directions, also
// when rows come and go between pages: a row that stays is shown exactly once.
func TestPagesJoinToTheWholeList(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n, limit := rapid.IntRange(0, 60).Draw(t, "rows"), rapid.IntRange(1, 70).Draw(t, "limit")
		descending := rapid.Bool().Draw(t, "descending")
		var stay, all []row
		for i := range n {
			r := row{rapid.SampledFrom([]string{"", "a", "b", "bb", "ü", "\x00", "z"}).Draw(t, "key"), fmt.Sprintf("id%03d", i)}
			all = append(all, r)
			if rapid.IntRange(0, 4).Draw(t, "stays") > 0 {
				stay = append(stay, r)
			}
		}
		seen := map[string]int{}
		f := Filter{Limit: limit}
		rows := slices.Clone(all)
		for pages := 0; ; pages++ {
			rand.Shuffle(len(rows), func(i, j int) { rows[i], rows[j] = rows[j], rows[i] })
			p := Paginate(rows, f, descending, func(r row) string { return r.key }, func(r row) string { return r.id })
			if p.Items == nil || len(p.Items) > limit || p.Total != len(rows) {
				t.Fatalf("a page of %d with total %d of %d rows", len(p.Items), p.Total, len(rows))
			}
			for _, r := range p.Items {
				seen[r.id]++
			}
			if p.NextCursor == (Cursor{}) {
				break
			}
			if pages > n {
				t.Fatal("the pages do not end")
			}
			f.After, rows = p.NextCursor, slices.Clone(stay) // the others are gone now
		}
		for _, r := range stay {
			if seen[r.id] != 1 {
				t.Fatalf("%s was shown %d times", r.id, seen[r.id])
			}
		}
	})
}

func TestKeysOrderAsTheirValues(t *testing.T) {
	early, late := time.Unix(-5, 0), time.Unix(1e10, 0)
	if !(Number(9) < Number(10) && Number(0) < Number(1<<40) && Moment(nil) < Moment(&early) && Moment(&early) < Moment(&late)) {
		t.Error("keys are out of order")
	}
}

func TestNeedIDNamesItsDevice(t *testing.T) {
	device := patch.NewID(patch.DeviceID)
	id := NeedID(device, patch.Key{Provider: "apt", Name: "a"})
	if NeedDevice(id) != device {
		t.Errorf("%s names %q", id, NeedDevice(id))
	}
	if id == NeedID(device, patch.Key{Provider: "apta"}) || id == NeedID(device, patch.Key{Provider: "apt", Scope: "a"}) {
		t.Error("different items share an ID")
	}
	for _, bad := range []string{"", "need_", "need_x_y", "dev_" + id, strings.TrimSuffix(id, id[30:]), "need_../../x_y"} {
		if NeedDevice(bad) != "" {
			t.Errorf("%q names %q", bad, NeedDevice(bad))
		}
	}
}

func FuzzNeedDevice(f *testing.F) {
	f.Add(NeedID(patch.NewID(patch.DeviceID), patch.Key{}))
	f.Fuzz(func(t *testing.T, id string) {
		if d := NeedDevice(id); d != "" && !patch.IsID(patch.DeviceID, d) {
			t.Errorf("%q names %q", id, d)
		}
	})
}

func TestEveryStateIsCountedOnce(t *testing.T) {
	states := []verdict.State{verdict.Good, verdict.Moving, verdict.WaitsTime, verdict.WaitsPerson, verdict.Bad, verdict.Excused, verdict.NotKnown, "made up"}
	for _, s := range states {
		var p Posture
		p.Count(s, true, 3)
		if sum := p.Verified + p.Moving + p.WaitsTime + p.WaitsPerson + p.Failed + p.Excepted + p.Unknown; sum != 3 || p.Needs != 3 {
			t.Errorf("%s: %+v", s, p)
		}
		if (p.SecurityOpen == 0) != (s == verdict.Good) {
			t.Errorf("%s: %d security needs are open", s, p.SecurityOpen)
		}
		if q := p.Plus(p); q.Needs != 6 || q.Verified != 2*p.Verified || q.Open() != 2*p.Open() {
			t.Errorf("%s twice: %+v", s, q)
		}
	}
	var p Posture
	p.Count(verdict.Gone, true, 3)
	if p != (Posture{}) {
		t.Errorf("what is gone is counted: %+v", p)
	}
}

func TestAgeBucketsTouch(t *testing.T) {
	day := 24 * time.Hour
	for _, c := range []struct {
		age  time.Duration
		want string
	}{{-day, Under3Days}, {0, Under3Days}, {3*day - 1, Under3Days}, {3 * day, Days3To14}, {14*day - 1, Days3To14}, {14 * day, Days14To30}, {30*day - 1, Days14To30}, {30 * day, Over30Days}} {
		if got := AgeBucket(c.age); got != c.want {
			t.Errorf("%v is %s, want %s", c.age, got, c.want)
		}
	}
}
