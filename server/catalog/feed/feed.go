// Package feed has what the readers of feeds share: walking through long documents of JSON a
// record at a time, dates as publishers write them, and the report of how a reading went.
//
// The one idea: a feed is a stranger's. One record that is not what it says is refused alone,
// by name; a document that breaks off, or is none, is an error as a whole, for then nobody
// knows what is missing. Nothing that is read decides how much memory is taken.
package feed

import (
	"fmt"
	"strings"
	"time"

	"patchbay/provider"
)

// MaxText is the longest text that is kept of one field.
const MaxText = 300

// maxWhy is how many refusals are told one by one; all are counted.
const maxWhy = 20

// Report is how a reading went.
type Report struct {
	Records int      `json:"records"` // taken
	Refused int      `json:"refused"` // that are not what they say; the rest is taken
	Why     []string `json:"why,omitempty"`
}

// Refuse notes a record that was not taken: of which feed, which one it was, and why.
func (r *Report) Refuse(feed string, n int, id string, err error) {
	r.Refused++
	if len(r.Why) < maxWhy {
		r.Why = append(r.Why, fmt.Sprintf("%s record %d (%.60q): %v", feed, n, Clip(id), err))
	}
}

// Clip makes a text of a stranger one that can be shown.
func Clip(s string) string { return provider.Calm(s, MaxText) }

// oldest is the year before which a date of a feed is none: several write the year 1 for it.
const oldest = 1970

// Day reads a plain date, which is in no zone. The year 1 is no date, and so is "".
func Day(s string) (time.Time, error) {
	if s = strings.TrimSpace(s); s == "" {
		return time.Time{}, nil
	}
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		return time.Time{}, fmt.Errorf("%.40q is no date", s)
	}
	return some(t), nil
}

// moments are the ways in which feeds write a moment. Those without a zone are in UTC.
var moments = []string{time.RFC3339Nano, "2006-01-02T15:04:05", "2006-01-02T15:04:05.999999999", "2006-01-02T15:04:05Z0700", "2006-01-02 15:04:05Z07:00", time.DateOnly}

// Moment reads a date with a time. The year 1 is none, and so is "".
func Moment(s string) (time.Time, error) {
	if s = strings.TrimSpace(s); s == "" {
		return time.Time{}, nil
	}
	for _, form := range moments {
		if t, err := time.Parse(form, s); err == nil {
			return some(t.UTC()), nil
		}
	}
	return time.Time{}, fmt.Errorf("%.40q is no moment", s)
}

func some(t time.Time) time.Time {
	if t.Year() < oldest {
		return time.Time{}
	}
	return t
}
