package window

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// Zone loads a time zone by its IANA name. It refuses names that mean another
// zone, or other seconds, from one machine to the next.
func Zone(name string) (*time.Location, error) {
	switch {
	case name == "":
		return nil, errors.New("zone is empty: give an IANA name, such as Europe/Berlin or UTC")
	case name == "Local" || name == "localtime" || name == "posixrules":
		return nil, fmt.Errorf("zone %q means something else on every machine: give an IANA name, such as Europe/Berlin", name)
	case strings.HasPrefix(name, "right/") || strings.HasPrefix(name, "posix/"):
		return nil, fmt.Errorf("zone %.40q counts seconds in its own way: give the plain IANA name, such as Europe/Berlin", name)
	}
	zone, err := time.LoadLocation(name)
	if err != nil {
		return nil, fmt.Errorf("zone %.40q is not known: give an IANA name, such as Europe/Berlin or UTC", name)
	}
	return zone, nil
}

// A wall clock reading is kept as the same reading in UTC, and a date as its
// midnight in UTC: plain numbers to compare and add, free of any zone.

// begin is the instant at which a window begins that is to begin at the given
// time of that date. It is false where the zone left out the whole date.
func begin(date time.Time, clock time.Duration, zone *time.Location) (time.Time, bool) {
	start := reached(date.Add(clock), zone)
	return start, isOn(date, start, zone) || isOn(date, reached(date, zone), zone)
}

func isOn(date, t time.Time, zone *time.Location) bool {
	year, month, day := t.In(zone).Date()
	return date.Equal(time.Date(year, month, day, 0, 0, 0, 0, time.UTC))
}

// reached is the first instant at which the zone's wall clock shows the reading
// or a later one. That settles both kinds of jump: a reading that is skipped is
// reached by the jump itself, one that is repeated is reached the first time.
func reached(reading time.Time, zone *time.Location) time.Time {
	// A day earlier every clock on earth shows less.
	for t := reading.Add(-oneDay).In(zone); ; {
		_, offset := t.Zone()
		begins, ends := t.ZoneBounds() // of the time with this offset
		shown := reading.Add(-time.Duration(offset) * time.Second)
		switch {
		case !ends.IsZero() && !shown.Before(ends):
			t = ends
		case shown.Before(begins):
			return begins.UTC()
		default:
			return shown
		}
	}
}
