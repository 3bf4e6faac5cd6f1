package msrc

import (
	"testing"
	"time"
)

// The days are of Microsoft's documents and announcements: its monthly releases, and updates
// that it published between two of them.
func TestMonthlyIsTheSecondTuesday(t *testing.T) {
	for at, monthly := range map[string]bool{
		"2024-04-09T07:00:00Z": true,
		"2025-09-09T07:00:00Z": true,
		"2025-12-09T08:00:00Z": true,
		"2026-01-13T08:00:00Z": true,
		"2026-03-10T07:00:00Z": true,
		"2026-01-13T18:00:00Z": true,
		"2026-01-14T03:00:00Z": true,  // still Tuesday there
		"2026-01-13T03:00:00Z": false, // still Monday there
		"2024-04-18T07:00:00Z": false, // CVE-2024-28906 and others, revised with updates of their own
		"2025-12-18T08:00:00Z": false, // KB5074353
		"2026-01-26T08:00:00Z": false, // CVE-2026-21509 in Office, in an emergency
		"2026-03-13T07:00:00Z": false, // KB5084597, a hotpatch
		"2026-01-06T08:00:00Z": false, // a Tuesday, the first
		"2026-01-20T08:00:00Z": false, // and the third
	} {
		when, err := time.Parse(time.RFC3339, at)
		if err != nil {
			t.Fatal(err)
		}
		if got := Monthly(when); got != monthly {
			t.Errorf("%s is monthly: %v", at, got)
		}
	}
	months := map[string]int{}
	for day := time.Date(2024, 1, 1, 12, 0, 0, 0, time.UTC); day.Year() < 2028; day = day.AddDate(0, 0, 1) {
		if Monthly(day) {
			months[day.Format("2006-01")]++
		}
	}
	for month, n := range months {
		if n != 1 {
			t.Errorf("%s has %d such days", month, n)
		}
	}
	if len(months) != 48 {
		t.Errorf("%d months have one", len(months))
	}
}
