package bulletin

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

var now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// advisory is one that a source says.
func advisory(source, id string, kind Kind) Said {
	return Said{Source: source, Key: id, News: func(func(string) bool) Bulletin { return Bulletin{ID: id, Kind: kind, Feed: "feed"} }}
}

// read reads sources once more, and remembers what they said.
func read(known map[string]Known, at time.Time, said ...Said) (told []string) {
	news, next := News(known, slices.Values(said), at)
	for name, k := range next {
		known[name] = k
	}
	for _, b := range news {
		told = append(told, string(b.Kind)+" "+b.ID)
	}
	slices.Sort(told)
	return told
}

func TestAFirstReadingTellsNothing(t *testing.T) {
	known := map[string]Known{}
	if told := read(known, now, advisory("a", "CVE-1", New), advisory("a", "CVE-2", New)); len(told) > 0 {
		t.Errorf("told %q", told)
	}
	if told := read(known, now, advisory("a", "CVE-1", New), advisory("b", "CVE-9", New)); len(told) > 0 {
		t.Errorf("another source is read for the first time, and told %q", told)
	}
	if told := read(known, now, advisory("a", "CVE-1", New), advisory("a", "CVE-3", New)); !slices.Equal(told, []string{"new CVE-3"}) {
		t.Errorf("told %q", told)
	}
}

// In whatever order things come, go and come back, and whenever a server starts anew, each is
// told at most once, and exactly once when it was not there at the first reading.
func TestTheSameIsToldOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		known, told := map[string]Known{}, map[string]int{}
		first := map[string]bool{}
		ever := map[string]bool{}
		for reading := range rapid.IntRange(1, 8).Draw(t, "readings") {
			var said []Said
			for _, id := range rapid.SliceOfN(rapid.IntRange(0, 20), 1, 30).Draw(t, "ids") {
				name := fmt.Sprint("CVE-", id)
				said = append(said, advisory("a", name, New))
				first[name], ever[name] = first[name] || reading == 0, true
			}
			for _, id := range read(known, now.Add(time.Duration(reading)*time.Hour), said...) {
				told[id]++
			}
		}
		for id := range ever {
			want := 1
			if first[id] {
				want = 0
			}
			if got := told["new "+id]; got != want {
				t.Fatalf("%s is told %d times, want %d", id, got, want)
			}
		}
	})
}

func TestWhatIsNewsInSeveralWaysIsToldOnce(t *testing.T) {
	known := map[string]Known{}
	old := []Said{advisory("new", "CVE-0", New), advisory("fix", "CVE-0", Fixed), advisory("soon", "CVE-0", Raised), advisory("kev", "CVE-0", Exploited)}
	read(known, now, old...)
	told := read(known, now, append(old, advisory("new", "CVE-1", New), advisory("fix", "CVE-1", Fixed), advisory("soon", "CVE-1", Raised),
		advisory("fix", "CVE-2", Fixed), advisory("kev", "CVE-3", Exploited), advisory("soon", "CVE-3", Raised), advisory("soon", "CVE-4", Raised), advisory("fix", "CVE-4", Fixed))...)
	if !slices.Equal(told, []string{"exploited CVE-3", "fixed CVE-2", "new CVE-1", "raised CVE-4"}) {
		t.Errorf("told %q", told)
	}
}

func TestAFloodIsBoundedAndTheMostUrgentIsTold(t *testing.T) {
	known := map[string]Known{}
	read(known, now, advisory("new", "CVE-0", New), advisory("kev", "CVE-0", Exploited))
	var said []Said
	for i := range 3 * mostAtOnce {
		said = append(said, advisory("new", fmt.Sprint("CVE-1-", i), New))
	}
	said = append(said, advisory("kev", "CVE-9", Exploited))
	news, next := News(known, slices.Values(said), now)
	if len(news) != mostAtOnce || news[0].ID != "CVE-9" || len(next["new"].Sums) != 3*mostAtOnce+1 {
		t.Errorf("%d told, %s first, %d known", len(news), news[0].ID, len(next["new"].Sums))
	}
}

func TestASourceThatNobodyReadForLongIsReadForTheFirstTime(t *testing.T) {
	known := map[string]Known{}
	read(known, now, advisory("a", "CVE-1", New))
	if told := read(known, now.Add(forgotten-time.Hour), advisory("a", "CVE-2", New)); len(told) != 1 {
		t.Errorf("told %q", told)
	}
	if told := read(known, now.Add(3*forgotten), advisory("a", "CVE-3", New)); len(told) > 0 {
		t.Errorf("told %q", told)
	}
}

func TestPartsOfOneBulletinArePutTogether(t *testing.T) {
	known := map[string]Known{}
	part := func(kb, cve string) Said {
		return Said{Source: "ms", Key: kb, News: func(func(string) bool) Bulletin {
			return Bulletin{ID: "2026-Jan", Kind: Monthly, Feed: "msrc", CVEs: []string{cve}, Updates: []string{kb}, Published: now}
		}}
	}
	read(known, now, part("KB1", "CVE-1"))
	news, _ := News(known, slices.Values([]Said{part("KB2", "CVE-2"), part("KB3", "CVE-2"), part("KB4", "CVE-3"), part("KB1", "CVE-1")}), now)
	if len(news) != 1 || !slices.Equal(news[0].CVEs, []string{"CVE-2", "CVE-3"}) || !slices.Equal(news[0].Updates, []string{"KB2", "KB3", "KB4"}) {
		t.Errorf("%+v", news)
	}
}

// What did not change is not written down again, but once a day that it was read.
func TestWhatDidNotChangeIsNotWritten(t *testing.T) {
	known := map[string]Known{}
	said := []Said{advisory("a", "CVE-1", New)}
	read(known, now, said...)
	if _, next := News(known, slices.Values(said), now.Add(time.Hour)); len(next) != 0 {
		t.Errorf("%+v", next)
	}
	if _, next := News(known, slices.Values(said), now.Add(25*time.Hour)); len(next) != 1 {
		t.Errorf("%+v", next)
	}
}
