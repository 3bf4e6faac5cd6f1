package window_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"patchbay/window"
)

// TestEveryWeekByHalfHours tries every set of days with lengths from within a
// day to the whole week, and asks at every half-hour of a fortnight.
func TestEveryWeekByHalfHours(t *testing.T) {
	monday := at(t, "2026-01-05T00:00:00Z")
	for days := 1; days < 1<<7; days++ {
		for _, minutes := range []int{30, 240, 24 * 60, 50 * 60, 7 * 24 * 60} {
			weekly := window.Weekly{Zone: "UTC", Start: "22:00", Minutes: minutes}
			for i, name := range allDays {
				if days&(1<<i) != 0 {
					weekly.Days = append(weekly.Days, name)
				}
			}
			set := mustSet(t, window.Spec{Weekly: []window.Weekly{weekly}})
			var state window.State
			for i := range 14 * 48 {
				now := monday.Add(time.Duration(i) * 30 * time.Minute)
				if i == 0 || !state.Until.IsZero() && !now.Before(state.Until) {
					state = window.Open(set, now)
				}
				if want := openInWeek(days, 22*60, minutes, i*30); state.Open != want {
					t.Fatalf("%s: open is %v at %v", weekly.Describe(), state.Open, now)
				}
			}
		}
	}
}

// openInWeek counts in minutes since a Monday: is any start at most so many
// minutes ago, in a week that never changes its clock?
func openInWeek(days, start, minutes, now int) bool {
	const week = 7 * 24 * 60
	for day := range 7 {
		if days&(1<<day) == 0 {
			continue
		}
		if ago := (now - day*24*60 - start + 2*week) % week; ago < minutes {
			return true
		}
	}
	return false
}

// Specs are drawn from the weeks around two changes of the clock, so that
// windows, opens and freezes meet each other and the changes.
var epoch = time.Date(2026, 3, 20, 0, 0, 0, 0, time.UTC)

func instants() *rapid.Generator[time.Time] {
	return rapid.Custom(func(t *rapid.T) time.Time {
		minutes := rapid.IntRange(0, 30*24*12).Draw(t, "five minutes")
		return epoch.Add(time.Duration(minutes) * 5 * time.Minute)
	})
}

func spans() *rapid.Generator[[]window.Span] {
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) window.Span {
		from := instants().Draw(t, "from")
		hours := rapid.IntRange(1, 200).Draw(t, "hours")
		return window.Span{From: from, Until: from.Add(time.Duration(hours) * time.Hour), Reason: "drawn"}
	}), 0, 3)
}

func weeklies() *rapid.Generator[[]window.Weekly] {
	zones := []string{"UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "Pacific/Apia", "America/Nuuk"}
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) window.Weekly {
		clock := rapid.IntRange(0, 24*12-1).Draw(t, "start") * 5
		return window.Weekly{
			Zone:    rapid.SampledFrom(zones).Draw(t, "zone"),
			Days:    rapid.SliceOfNDistinct(rapid.SampledFrom(allDays), 1, 7, rapid.ID).Draw(t, "days"),
			Start:   fmt.Sprintf("%02d:%02d", clock/60, clock%60),
			Minutes: rapid.OneOf(rapid.IntRange(3, 60), rapid.IntRange(3, 2016)).Draw(t, "length") * 5,
		}
	}), 0, 3)
}

func specs() *rapid.Generator[window.Spec] {
	return rapid.Custom(func(t *rapid.T) window.Spec {
		return window.Spec{Weekly: weeklies().Draw(t, "weekly"), Opens: spans().Draw(t, "opens"), Freezes: spans().Draw(t, "freezes")}
	})
}

func isOpen(t testing.TB, spec window.Spec, now time.Time) bool {
	return window.Open(mustSet(t, spec), now).Open
}

func within(spans []window.Span, now time.Time) bool {
	return slices.ContainsFunc(spans, func(s window.Span) bool { return !now.Before(s.From) && now.Before(s.Until) })
}

func TestOpenIsWindowsAndOpensMinusFreezes(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		spec, now := specs().Draw(r, "spec"), instants().Draw(r, "now")
		want := within(spec.Opens, now)
		for _, weekly := range spec.Weekly {
			want = want || isOpen(t, window.Spec{Weekly: []window.Weekly{weekly}}, now)
		}
		want = want && !within(spec.Freezes, now)
		if got := isOpen(t, spec, now); got != want {
			r.Fatalf("open is %v at %v", got, now)
		}
	})
}

func TestFreezeAlwaysWins(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		spec, now := specs().Draw(r, "spec"), instants().Draw(r, "now")
		spec.Freezes = append(spec.Freezes, window.Span{From: now, Until: now.Add(time.Hour), Reason: "drawn"})
		state := window.Open(mustSet(t, spec), now)
		if state.Open || !state.Until.IsZero() && state.Until.Before(now.Add(time.Hour)) {
			r.Fatalf("at %v, frozen for an hour: %+v", now, state)
		}
	})
}

func TestAnswerHoldsUntilTheChangeItNames(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		set, now := mustSet(t, specs().Draw(r, "spec")), instants().Draw(r, "now")
		state := window.Open(set, now)
		first, last := now.Add(-window.Horizon+time.Second), now.Add(window.Horizon-time.Second)
		if !state.Since.IsZero() {
			first = state.Since
			if window.Open(set, first.Add(-1)).Open == state.Open {
				r.Fatalf("at %v: nothing changed at %v", now, first)
			}
		}
		if !state.Until.IsZero() {
			last = state.Until.Add(-1)
			if window.Open(set, state.Until).Open == state.Open {
				r.Fatalf("at %v: nothing changes at %v", now, state.Until)
			}
		}
		if now.Before(first) || now.After(last) {
			r.Fatalf("%v is not between %v and %v", now, first, last)
		}
		probes := []time.Time{first, last}
		for range 20 {
			share := rapid.Int64Range(0, int64(last.Sub(first))).Draw(r, "probe")
			probes = append(probes, first.Add(time.Duration(share)))
		}
		for _, probe := range probes {
			if window.Open(set, probe).Open != state.Open {
				r.Fatalf("%+v does not hold at %v", state, probe)
			}
		}
	})
}

func TestNextAgreesWithOpen(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		set, now := mustSet(t, specs().Draw(r, "spec")), instants().Draw(r, "now")
		from, until, ok := window.Next(set, now)
		state := window.Open(set, now)
		if !ok {
			if !state.Until.IsZero() && (!state.Open || !window.Open(set, state.Until).Until.IsZero()) {
				r.Fatalf("at %v no opening is found, but %+v", now, state)
			}
			return
		}
		opening := window.Open(set, from)
		if from.Before(now) || !opening.Open || !opening.Since.Equal(from) || !opening.Until.Equal(until) {
			r.Fatalf("after %v the next opening is %v to %v, but then %+v", now, from, until, opening)
		}
		if !state.Open && !state.Until.Equal(from) || state.Open && from.After(now) && !window.Open(set, state.Until).Until.Equal(from) {
			r.Fatalf("an opening between %v and %v is passed over: %+v", now, from, state)
		}
	})
}

func TestOrderOfListsDoesNotMatter(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		spec, now := specs().Draw(r, "spec"), instants().Draw(r, "now")
		turned := window.Spec{Weekly: slices.Clone(spec.Weekly), Opens: slices.Clone(spec.Opens), Freezes: slices.Clone(spec.Freezes)}
		slices.Reverse(turned.Weekly)
		slices.Reverse(turned.Opens)
		slices.Reverse(turned.Freezes)
		a, b := window.Open(mustSet(t, spec), now), window.Open(mustSet(t, turned), now)
		if a.Open != b.Open || !a.Since.Equal(b.Since) || !a.Until.Equal(b.Until) {
			r.Fatalf("at %v: %+v, turned around %+v", now, a, b)
		}
	})
}

func FuzzSpec(f *testing.F) {
	f.Add([]byte(`{"weekly":[{"zone":"Europe/Berlin","days":["sat"],"start":"22:00","minutes":240}]}`), int64(1767477600))
	f.Add([]byte(`{"weekly":[{"zone":"Pacific/Apia","days":["fri","sat"],"start":"00:00","minutes":10080}],`+
		`"opens":[{"from":"2011-12-29T00:00:00Z","until":"2011-12-31T00:00:00Z","reason":"deadline"}],`+
		`"freezes":[{"from":"2011-12-30T00:00:00+14:00","until":"9999-12-31T00:00:00Z","reason":"sold"}]}`), int64(1325239200))
	f.Add([]byte(`{"opens":[{"from":"0000-01-01T00:00:00Z","until":"9999-12-31T23:59:59.999999999Z","reason":"x"}]}`), int64(-62135596800))
	f.Add([]byte(`{"weekly":[{"zone":"Local","days":[],"start":"","minutes":-1}]}`), int64(1)<<60)
	f.Fuzz(func(t *testing.T, data []byte, unix int64) {
		var spec window.Spec
		if json.Unmarshal(data, &spec) != nil {
			return
		}
		set, err := window.New(spec)
		if err != nil {
			if err.Error() == "" {
				t.Error("a refusal without a word")
			}
			return
		}
		now := time.Unix(unix, 0)
		state := window.Open(set, now)
		if state.Why == "" || spec.Describe() == "" {
			t.Error("an answer without a word")
		}
		if !state.Since.IsZero() && state.Since.After(now) || !state.Until.IsZero() && !state.Until.After(now) {
			t.Errorf("%v is not within %+v", now, state)
		}
		if from, _, ok := window.Next(set, now); ok && (from.Before(now) || !window.Open(set, from).Open) {
			t.Errorf("the next opening after %v is %v", now, from)
		}
		if _, err := json.Marshal(spec); err != nil {
			t.Errorf("accepted, but cannot be written again: %v", err)
		}
	})
}

func BenchmarkOpen(b *testing.B) {
	set := mustSet(b, window.Spec{Weekly: []window.Weekly{saturdays()}})
	now := at(b, "2026-03-25T12:00:00Z")
	for b.Loop() {
		window.Open(set, now)
	}
}

// BenchmarkOpenAtWorst is the most a Spec can ask for: thirty windows that
// never close, looked through up to the horizon.
func BenchmarkOpenAtWorst(b *testing.B) {
	weekly := window.Weekly{Zone: "America/Nuuk", Days: allDays, Start: "02:30", Minutes: 7 * oneDay / 60}
	set := mustSet(b, window.Spec{Weekly: slices.Repeat([]window.Weekly{weekly}, 30)})
	now := at(b, "2026-03-25T12:00:00Z")
	for b.Loop() {
		window.Open(set, now)
	}
}
