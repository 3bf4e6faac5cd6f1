package window_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"
	_ "time/tzdata"

	"patchbay/window"
)

const oneDay = 24 * 60 * 60 // in seconds

var allDays = []string{"mon", "tue", "wed", "thu", "fri", "sat", "sun"}

func dayName(t time.Time) string {
	return allDays[(t.Weekday()+6)%7]
}

func mustSet(t testing.TB, spec window.Spec) window.Set {
	t.Helper()
	set, err := window.New(spec)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

func at(t testing.TB, s string) time.Time {
	t.Helper()
	when, err := time.Parse(time.RFC3339, s)
	if err != nil {
		t.Fatal(err)
	}
	return when
}

func saturdays() window.Weekly {
	return window.Weekly{Zone: "Europe/Berlin", Days: []string{"sat"}, Start: "22:00", Minutes: 240}
}

func TestSpecReadsAsPeopleWriteIt(t *testing.T) {
	text := `{"weekly":[{"zone":"Europe/Berlin","days":["sat"],"start":"22:00","minutes":240}],` +
		`"freezes":[{"from":"2026-12-24T00:00:00+01:00","until":"2027-01-02T00:00:00+01:00","reason":"year-end close"}]}`
	var spec window.Spec
	if err := json.Unmarshal([]byte(text), &spec); err != nil {
		t.Fatal(err)
	}
	again, err := json.Marshal(spec)
	if err != nil || string(again) != text {
		t.Errorf("written again: %s, %v", again, err)
	}
	got := spec.Describe()
	want := "Saturdays 22:00 for 4 h (Europe/Berlin); frozen Wed 2026-12-23 23:00 UTC to Fri 2027-01-01 23:00 UTC: year-end close"
	if got != want {
		t.Errorf("described as %q, want %q", got, want)
	}
}

func TestStateSaysSinceUntilAndWhy(t *testing.T) {
	weekly := window.Spec{Weekly: []window.Weekly{saturdays()}}
	frozen := weekly
	frozen.Freezes = []window.Span{{From: at(t, "2026-01-01T00:00:00Z"), Until: at(t, "2026-01-12T07:00:00Z"), Reason: "audit."}}
	inside := weekly
	inside.Freezes = []window.Span{{From: at(t, "2026-01-03T22:00:00Z"), Until: at(t, "2026-01-03T23:00:00Z"), Reason: "backup"}}
	yearFrozen := weekly
	yearFrozen.Freezes = []window.Span{{From: at(t, "2026-01-05T00:00:00Z"), Until: at(t, "2026-12-01T00:00:01Z"), Reason: "merger"}}
	west := window.Spec{Weekly: []window.Weekly{{Zone: "America/New_York", Days: []string{"sat"}, Start: "22:00", Minutes: 60}}}
	deadline := window.Spec{Opens: []window.Span{{From: at(t, "2026-01-05T00:00:00Z"), Until: at(t, "2026-01-06T00:00:00Z"), Reason: "deadline of KEV"}}}
	always := window.Spec{Weekly: []window.Weekly{{Zone: "UTC", Days: []string{"mon"}, Start: "00:00", Minutes: 7 * 24 * 60}}}
	frozenLong := always
	frozenLong.Freezes = []window.Span{{From: at(t, "2026-01-01T00:00:00Z"), Until: at(t, "2028-01-01T00:00:00Z"), Reason: "sold"}}

	for _, c := range []struct {
		name, now    string
		spec         window.Spec
		open         bool
		since, until string
		why          string
	}{
		{"nothing set", "2026-01-03T12:00:00Z", window.Spec{}, false, "", "", "Never open: no window is set."},
		{"before", "2026-01-03T12:00:00Z", weekly, false, "2025-12-28T01:00:00Z", "2026-01-03T21:00:00Z",
			"Closed until Sat 2026-01-03 22:00 CET: Saturdays 22:00 for 4 h (Europe/Berlin)."},
		{"first instant", "2026-01-03T21:00:00Z", weekly, true, "2026-01-03T21:00:00Z", "2026-01-04T01:00:00Z",
			"Open until Sun 2026-01-04 02:00 CET: Saturdays 22:00 for 4 h (Europe/Berlin)."},
		{"past midnight", "2026-01-04T00:59:59Z", weekly, true, "2026-01-03T21:00:00Z", "2026-01-04T01:00:00Z",
			"Open until Sun 2026-01-04 02:00 CET: Saturdays 22:00 for 4 h (Europe/Berlin)."},
		{"last instant is out", "2026-01-04T01:00:00Z", weekly, false, "2026-01-04T01:00:00Z", "2026-01-10T21:00:00Z",
			"Closed until Sat 2026-01-10 22:00 CET: Saturdays 22:00 for 4 h (Europe/Berlin)."},
		{"frozen over a window", "2026-01-03T22:00:00Z", frozen, false, "2025-12-28T01:00:00Z", "2026-01-17T21:00:00Z",
			"Frozen until Mon 2026-01-12 08:00 CET: audit. Opens Sat 2026-01-17 22:00 CET."},
		{"frozen inside a window", "2026-01-03T22:30:00Z", inside, false, "2026-01-03T22:00:00Z", "2026-01-03T23:00:00Z",
			"Frozen until Sun 2026-01-04 00:00 CET: backup. Opens then."},
		{"frozen for most of a year", "2026-12-01T00:00:00Z", yearFrozen, false, "2026-01-04T01:00:00Z", "2026-12-05T21:00:00Z",
			"Frozen until Tue 2026-12-01 01:00 CET: merger. Opens Sat 2026-12-05 22:00 CET."},
		{"evening in the west", "2026-01-04T03:30:00Z", west, true, "2026-01-04T03:00:00Z", "2026-01-04T04:00:00Z",
			"Open until Sat 2026-01-03 23:00 EST: Saturdays 22:00 for 1 h (America/New_York)."},
		{"deadline", "2026-01-05T12:00:00Z", deadline, true, "2026-01-05T00:00:00Z", "2026-01-06T00:00:00Z",
			"Open until Tue 2026-01-06 00:00 UTC: deadline of KEV."},
		{"deadline over", "2026-01-07T12:00:00Z", deadline, false, "2026-01-06T00:00:00Z", "",
			"Closed: no window opens within 400 days."},
		{"weeks that touch", "2026-01-05T00:00:00Z", always, true, "", "", "Open: Mondays 00:00 for 7 d (UTC)."},
		{"frozen beyond the horizon", "2026-02-01T00:00:00Z", frozenLong, false, "2026-01-01T00:00:00Z", "",
			"Frozen until Sat 2028-01-01 00:00 UTC: sold. No window opens within 400 days."},
	} {
		t.Run(c.name, func(t *testing.T) {
			want := window.State{Open: c.open, Why: c.why}
			if c.since != "" {
				want.Since = at(t, c.since)
			}
			if c.until != "" {
				want.Until = at(t, c.until)
			}
			if got := window.Open(mustSet(t, c.spec), at(t, c.now)); got != want {
				t.Errorf("\n got %+v\nwant %+v", got, want)
			}
		})
	}
}

func TestNextBeginsAtOrAfterNow(t *testing.T) {
	set := mustSet(t, window.Spec{Weekly: []window.Weekly{saturdays()}})
	for _, c := range []struct{ now, from, until string }{
		{"2026-01-03T20:59:00Z", "2026-01-03T21:00:00Z", "2026-01-04T01:00:00Z"},
		{"2026-01-03T21:00:00Z", "2026-01-03T21:00:00Z", "2026-01-04T01:00:00Z"},
		{"2026-01-03T21:00:01Z", "2026-01-10T21:00:00Z", "2026-01-11T01:00:00Z"},
	} {
		from, until, ok := window.Next(set, at(t, c.now))
		if !ok || !from.Equal(at(t, c.from)) || !until.Equal(at(t, c.until)) {
			t.Errorf("after %s: %v to %v, %v", c.now, from, until, ok)
		}
	}
	if from, _, ok := window.Next(window.Set{}, at(t, "2026-01-03T21:00:00Z")); ok {
		t.Errorf("no window opens at %v", from)
	}
}

func TestDescribe(t *testing.T) {
	for _, c := range []struct {
		days    []string
		minutes int
		want    string
	}{
		{[]string{"sat"}, 240, "Saturdays 22:00 for 4 h (Europe/Berlin)"},
		{[]string{"sun", "mon"}, 45, "Mondays and Sundays 22:00 for 45 min (Europe/Berlin)"},
		{[]string{"tue", "thu", "sat"}, 90, "Tuesdays, Thursdays and Saturdays 22:00 for 1 h 30 min (Europe/Berlin)"},
		{[]string{"mon", "tue", "wed", "thu", "fri"}, 1440, "Mondays to Fridays 22:00 for 1 d (Europe/Berlin)"},
		{[]string{"mon", "tue", "wed", "thu", "fri", "sat", "sun"}, 1501, "Every day 22:00 for 1 d 1 h 1 min (Europe/Berlin)"},
	} {
		weekly := window.Weekly{Zone: "Europe/Berlin", Days: c.days, Start: "22:00", Minutes: c.minutes}
		if got := weekly.Describe(); got != c.want {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
}

func TestRefusalsSayWhatToChange(t *testing.T) {
	change := func(f func(*window.Weekly)) window.Spec {
		weekly := saturdays()
		f(&weekly)
		return window.Spec{Weekly: []window.Weekly{weekly}}
	}
	span := func(from, until, reason string) window.Span {
		return window.Span{From: at(t, from), Until: at(t, until), Reason: reason}
	}
	const early, late = "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"
	for _, c := range []struct {
		spec window.Spec
		want string
	}{
		{change(func(w *window.Weekly) { w.Zone = "" }), "zone is empty"},
		{change(func(w *window.Weekly) { w.Zone = "Local" }), "every machine"},
		{change(func(w *window.Weekly) { w.Zone = "right/Europe/Berlin" }), "counts seconds in its own way"},
		{change(func(w *window.Weekly) { w.Zone = "Europe/Atlantis" }), `weekly window 1: zone "Europe/Atlantis" is not known`},
		{change(func(w *window.Weekly) { w.Zone = "../../etc/passwd" }), "is not known"},
		{change(func(w *window.Weekly) { w.Days = nil }), "days is empty"},
		{change(func(w *window.Weekly) { w.Days = []string{"Sa"} }), `day "Sa" is not known: use mon, tue`},
		{change(func(w *window.Weekly) { w.Days = []string{""} }), "is not known"},
		{change(func(w *window.Weekly) { w.Days = []string{"sat", "sat"} }), "twice"},
		{change(func(w *window.Weekly) { w.Start = "24:00" }), "not a time of day"},
		{change(func(w *window.Weekly) { w.Start = "7:00" }), "not a time of day"},
		{change(func(w *window.Weekly) { w.Start = strings.Repeat("9", 1000) }), "not a time of day"},
		{change(func(w *window.Weekly) { w.Minutes = 14 }), "15 to 10080"},
		{change(func(w *window.Weekly) { w.Minutes = 10081 }), "15 to 10080"},
		{window.Spec{Opens: []window.Span{{Reason: "x"}}}, "open 1: from or until is missing"},
		{window.Spec{Freezes: []window.Span{span(late, early, "x")}}, "freeze 1: until (2026-01-01T00:00:00Z) is not after"},
		{window.Spec{Freezes: []window.Span{span(early, early, "x")}}, "is not after"},
		{window.Spec{Freezes: []window.Span{span(early, late, " ")}}, "reason is empty"},
		{window.Spec{Freezes: []window.Span{span(early, late, "x\x1b[2J")}}, "control characters"},
		{window.Spec{Freezes: []window.Span{span(early, late, strings.Repeat("x", 201))}}, "too long"},
		{window.Spec{Weekly: slices.Repeat([]window.Weekly{saturdays()}, 31)}, "too many"},
	} {
		_, err := window.New(c.spec)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("got %v, want %q", err, c.want)
		} else if len(err.Error()) > 200 {
			t.Errorf("echoes too much: %v", err)
		}
	}
	if _, err := window.New(change(func(w *window.Weekly) { w.Minutes = 10080 })); err != nil {
		t.Error(err)
	}
}
