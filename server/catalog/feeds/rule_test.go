package feeds

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

var noon = time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC)

func TestWhatIsHeld(t *testing.T) {
	for _, c := range []struct {
		what   string
		change Change
		recent []moved
		held   bool
	}{
		{"nothing differs", Change{Before: 100}, nil, false},
		{"a fifth vanished", Change{Before: 100, Removed: 20}, nil, false},
		{"more than a fifth vanished", Change{Before: 100, Removed: 21}, nil, true},
		{"more than a fifth changed", Change{Before: 100, Changed: 21}, nil, true},
		{"both together", Change{Before: 100, Removed: 11, Changed: 10}, nil, true},
		{"it doubled", Change{Before: 100, Added: 100}, nil, false},
		{"what is added makes up for nothing", Change{Before: 100, Added: 100, Removed: 21}, nil, true},
		{"all of it vanished", Change{Before: 3, Removed: 3}, nil, true},
		{"a first import", Change{Added: 100}, nil, false},
		{"in small steps", Change{Before: 90, Removed: 5}, []moved{{noon.Add(-time.Hour), 100, 10}, {noon.Add(-time.Minute), 90, 6}}, true},
		{"in small steps of two days", Change{Before: 90, Removed: 5}, []moved{{noon.Add(-25 * time.Hour), 100, 10}, {noon.Add(-time.Minute), 90, 6}}, false},
		{"what went before does not hold what takes nothing", Change{Before: 90, Added: 5}, []moved{{noon.Add(-time.Hour), 100, 20}}, false},
	} {
		if why := held(noon, c.change, c.recent); (why != "") != c.held {
			t.Errorf("%s: %q", c.what, why)
		}
	}
}

// In whatever steps records go, no more than a fifth of what there was goes within a day
// without a person, and a single step of up to a fifth on its own is let through.
func TestNoMoreThanAFifthGoesInADay(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		now, records := noon, rapid.IntRange(10, 1000).Draw(t, "records")
		type step struct {
			at   time.Time
			gone int
			was  int
		}
		var let []step
		var s state
		s.Current = &Version{}
		for range rapid.IntRange(4, 20).Draw(t, "steps") {
			now = now.Add(time.Duration(rapid.IntRange(0, 10).Draw(t, "hours")) * time.Hour)
			removed := rapid.IntRange(0, records/7).Draw(t, "removed")
			changed := rapid.IntRange(0, records/7).Draw(t, "changed")
			c := Change{Before: records, Removed: removed, Changed: changed, Added: rapid.IntRange(0, 100).Draw(t, "added")}
			why := held(now, c, s.Recent)
			sum, first := removed+changed, records
			for i := len(let) - 1; i >= 0 && now.Sub(let[i].at) < aDay; i-- {
				sum, first = sum+let[i].gone, let[i].was
			}
			if removed+changed > 0 && (why != "") != (sum*100 > first*mayGo) {
				t.Fatalf("%+v after %+v: %q", c, s.Recent, why)
			}
			if why == "" {
				s.hold(&Version{Change: c}, now)
				let = append(let, step{now, removed + changed, records})
				records += c.Added - removed
			}
			if records == 0 {
				return
			}
		}
	})
}

func TestCompareCountsEachRecordOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		draw := func(name string) map[uint64]uint64 {
			return rapid.MapOf(rapid.Uint64Range(0, 30), rapid.Uint64Range(0, 2)).Draw(t, name)
		}
		old, new := draw("old"), draw("new")
		want := Change{Before: len(old)}
		for id, says := range new {
			if was, ok := old[id]; !ok {
				want.Added++
			} else if was != says {
				want.Changed++
			}
		}
		for id := range old {
			if _, ok := new[id]; !ok {
				want.Removed++
			}
		}
		a, b := collector{all: old}, collector{all: new}
		if got := compare(a.index(), b.index()); got != want {
			t.Fatalf("%+v, not %+v", got, want)
		}
	})
}

func TestWhenFeedsAreDue(t *testing.T) {
	f := Feed{Name: "one", From: []string{"/x"}, Every: time.Hour}
	ago := func(d time.Duration) time.Time { return noon.Add(-d) }
	for _, c := range []struct {
		what  string
		feed  Feed
		state state
		want  time.Duration // from noon; -1 is never
	}{
		{"never looked at", f, state{}, 0},
		{"looked at a while ago", f, state{CheckedAt: ago(10 * time.Minute)}, 50 * time.Minute},
		{"overdue", f, state{CheckedAt: ago(3 * time.Hour)}, -2 * time.Hour},
		{"by a clock that was wrong", f, state{CheckedAt: noon.Add(72 * time.Hour)}, 0},
		{"failed once", f, state{CheckedAt: ago(time.Hour), Trouble: &Trouble{At: ago(time.Minute), Tries: 1}}, 4 * time.Minute},
		{"failed thrice", f, state{Trouble: &Trouble{At: noon, Tries: 3}}, 20 * time.Minute},
		{"fails all the time", f, state{Trouble: &Trouble{At: noon, Tries: 1000}}, time.Hour},
		{"is to be left alone", f, state{Trouble: &Trouble{At: noon, Tries: 1, Until: noon.Add(2 * time.Hour)}}, 2 * time.Hour},
		{"what is known of it was damaged", f, state{Trouble: &Trouble{At: noon}}, 0},
		{"from nowhere", Feed{Name: "one", Every: time.Hour}, state{}, -1},
		{"never to be looked for", Feed{Name: "one", From: []string{"/x"}}, state{}, -1},
	} {
		at, ever := c.feed.due(c.state, noon, 0)
		if ever != (c.want != -1) || ever && at.Sub(noon) != c.want {
			t.Errorf("%s: %v, %v", c.what, at.Sub(noon), ever)
		}
		late, _ := c.feed.due(c.state, noon, 0.999)
		if ever && (late.Before(at) || late.Sub(at) > c.feed.Every/10) {
			t.Errorf("%s: spread over %v", c.what, late.Sub(at))
		}
	}
}
