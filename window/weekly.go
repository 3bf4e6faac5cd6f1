package window

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Weekly is a window that comes back every week: it starts on each of the days
// when the zone's wall clock shows Start, and lasts Minutes of elapsed time.
type Weekly struct {
	Zone    string   `json:"zone"`    // IANA name: Europe/Berlin
	Days    []string `json:"days"`    // mon, tue, wed, thu, fri, sat, sun
	Start   string   `json:"start"`   // wall clock: 22:00
	Minutes int      `json:"minutes"` // 15 to 10080, which is 7 days
}

const (
	shortest = 15
	week     = 7 * 24 * 60
	allDays  = "mon, tue, wed, thu, fri, sat, sun"
)

// Check tells in a sentence what is wrong with the window.
func (w Weekly) Check() error {
	_, err := w.rule()
	return err
}

// rule is a checked Weekly, ready to compute with.
type rule struct {
	zone   *time.Location
	days   [7]bool // by time.Weekday
	start  time.Duration
	length time.Duration
	says   string
}

func (w Weekly) rule() (rule, error) {
	zone, err := Zone(w.Zone)
	if err != nil {
		return rule{}, err
	}
	days, err := parseDays(w.Days)
	if err != nil {
		return rule{}, err
	}
	clock, err := time.Parse("15:04", w.Start)
	if err != nil || len(w.Start) != len("15:04") {
		return rule{}, fmt.Errorf("start %.40q is not a time of day: write hours and minutes, 00:00 to 23:59", w.Start)
	}
	if w.Minutes < shortest || w.Minutes > week {
		return rule{}, fmt.Errorf("minutes is %d: a window lasts 15 minutes to 7 days, so write %d to %d", w.Minutes, shortest, week)
	}
	return rule{
		zone:   zone,
		days:   days,
		start:  time.Duration(clock.Hour())*time.Hour + time.Duration(clock.Minute())*time.Minute,
		length: time.Duration(w.Minutes) * time.Minute,
		says:   w.Describe(),
	}, nil
}

func parseDays(names []string) (days [7]bool, err error) {
	if len(names) == 0 {
		return days, errors.New("days is empty: name at least one of " + allDays)
	}
	for _, name := range names {
		i := slices.Index(strings.Split(allDays, ", "), name)
		if i < 0 {
			return days, fmt.Errorf("day %.40q is not known: use %s", name, allDays)
		}
		day := (i + 1) % 7 // time.Weekday begins on Sunday
		if days[day] {
			return days, fmt.Errorf("day %q stands twice: name it once", name)
		}
		days[day] = true
	}
	return days, nil
}

// spans are the rule's windows that reach into from..until, and a few beside.
func (r rule) spans(from, until time.Time) []Span {
	// A date's windows begin within two days of the same date in UTC: clocks are
	// at most 15 hours off, and a jump can carry a start into the next date.
	const slack = 2 * oneDay
	var out []Span
	date := from.Add(-r.length - slack).UTC().Truncate(oneDay)
	for ; date.Before(until.Add(slack)); date = date.Add(oneDay) {
		if !r.days[date.Weekday()] {
			continue
		}
		if start, ok := begin(date, r.start, r.zone); ok {
			out = append(out, Span{From: start, Until: start.Add(r.length), Reason: r.says})
		}
	}
	return out
}
