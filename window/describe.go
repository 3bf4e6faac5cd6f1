package window

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Describe says the window in words: "Saturdays 22:00 for 4 h (Europe/Berlin)".
func (w Weekly) Describe() string {
	return fmt.Sprintf("%s %s for %s (%s)", dayNames(w.Days), w.Start, duration(w.Minutes), w.Zone)
}

// Describe says in words when the spec is open.
func (s Spec) Describe() string {
	var parts []string
	for _, weekly := range s.Weekly {
		parts = append(parts, weekly.Describe())
	}
	for _, span := range s.Opens {
		parts = append(parts, span.describe("open"))
	}
	if len(parts) == 0 {
		return "Never open: no window is set"
	}
	for _, span := range s.Freezes {
		parts = append(parts, span.describe("frozen"))
	}
	return strings.Join(parts, "; ")
}

func (s Span) describe(word string) string {
	return fmt.Sprintf("%s %s to %s: %s", word, moment(s.From, time.UTC), moment(s.Until, time.UTC), s.Reason)
}

// why puts the answer for now into a sentence.
func (s Set) why(state State, now time.Time) string {
	if len(s.rules)+len(s.opens) == 0 {
		return "Never open: no window is set."
	}
	if freeze, ok := longest(s.freezes, now); ok {
		return s.until("Frozen", freeze.Until, freeze.Reason) + s.afterFreeze(state, freeze)
	}
	if state.Open {
		cause, _ := longest(s.candidates(now, now), now)
		return s.until("Open", state.Until, cause.Reason)
	}
	if state.Until.IsZero() {
		return "Closed: no window opens within 400 days."
	}
	cause, _ := longest(s.candidates(state.Until, state.Until), state.Until)
	return s.until("Closed", state.Until, cause.Reason)
}

func (s Set) afterFreeze(state State, freeze Span) string {
	switch {
	case state.Until.IsZero():
		return " No window opens within 400 days."
	case state.Until.Equal(freeze.Until):
		return " Opens then."
	}
	return " Opens " + moment(state.Until, s.zone()) + "."
}

func (s Set) until(word string, end time.Time, reason string) string {
	if !end.IsZero() {
		word += " until " + moment(end, s.zone())
	}
	return word + ": " + strings.TrimRight(reason, ".") + "."
}

// zone is the one in which sentences tell the time.
func (s Set) zone() *time.Location {
	if len(s.rules) == 0 {
		return time.UTC
	}
	return s.rules[0].zone
}

func moment(t time.Time, zone *time.Location) string {
	return t.In(zone).Format("Mon 2006-01-02 15:04 MST")
}

func dayNames(days []string) string {
	names := []string{"Mondays", "Tuesdays", "Wednesdays", "Thursdays", "Fridays", "Saturdays", "Sundays"}
	var said []string
	for i, day := range strings.Split(allDays, ", ") {
		if slices.Contains(days, day) {
			said = append(said, names[i])
		}
	}
	last := len(said) - 1
	switch {
	case len(said) == 7:
		return "Every day"
	case slices.Equal(said, names[:5]):
		return "Mondays to Fridays"
	case len(said) < 2:
		return strings.Join(said, "")
	}
	return strings.Join(said[:last], ", ") + " and " + said[last]
}

// duration writes minutes as people say them: 45 min, 4 h, 1 h 30 min, 7 d.
func duration(minutes int) string {
	var parts []string
	for _, unit := range []struct {
		name string
		size int
	}{{"d", 24 * 60}, {"h", 60}, {"min", 1}} {
		if n := minutes / unit.size; n > 0 {
			parts = append(parts, fmt.Sprint(n, " ", unit.name))
			minutes -= n * unit.size
		}
	}
	return strings.Join(parts, " ")
}
