package msrc

import "time"

// behind is how far Microsoft's own clock is behind, in summer: its documents tell of a day's
// midnight there, an hour later in winter.
const behind = 7 * time.Hour

// Day is the day on which something was published, by Microsoft's own calendar.
func Day(at time.Time) time.Time {
	y, m, d := at.UTC().Add(-behind).Date()
	return time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
}

// Monthly reports whether a moment is on the day of the month on which Microsoft publishes its
// updates: the second Tuesday. What comes on another day is out of band.
func Monthly(at time.Time) bool {
	day := Day(at)
	return day.Weekday() == time.Tuesday && day.Day() > 7 && day.Day() <= 14
}
