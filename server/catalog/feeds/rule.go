package feeds

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// What may go in a day, of a hundred records.
const (
	mayGo = 20
	aDay  = 24 * time.Hour
)

// held says why a version that differs so much from the one that holds waits for a person, ""
// when it does not. recent are the versions before it. A record goes when it vanishes or says
// another thing of versions; what is added takes nothing away, and is never held. All that
// went within a day counts together, so that a feed is not emptied in small steps.
func held(now time.Time, c Change, recent []moved) string {
	before, gone := c.Before, c.Removed+c.Changed
	if gone == 0 {
		return "" // what went before it was let in already
	}
	for _, m := range slices.Backward(within(now, recent)) {
		before, gone = m.Before, gone+m.Gone
	}
	if before == 0 || gone*100 <= before*mayGo {
		return ""
	}
	var parts []string
	if c.Removed > 0 {
		parts = append(parts, fmt.Sprintf("%d vanished", c.Removed))
	}
	if c.Changed > 0 {
		parts = append(parts, fmt.Sprintf("%d say another thing of versions", c.Changed))
	}
	text := fmt.Sprintf("Of %d records %s", c.Before, strings.Join(parts, " and "))
	if gone > c.Removed+c.Changed {
		text += fmt.Sprintf(", with which %d of %d went within a day", gone, before)
	}
	return text + fmt.Sprintf(". More than %d %% in a day is held until a person has looked.", mayGo)
}

// gone is how many records go with a version, and went within the day before it.
func gone(now time.Time, c Change, recent []moved) int {
	n := c.Removed + c.Changed
	for _, m := range within(now, recent) {
		n += m.Gone
	}
	return n
}

// within leaves what is of the last day. A clock that went back forgets nothing.
func within(now time.Time, recent []moved) []moved {
	return slices.DeleteFunc(slices.Clone(recent), func(m moved) bool { return now.Sub(m.At) >= aDay })
}
