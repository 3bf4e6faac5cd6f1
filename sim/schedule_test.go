package sim

import (
	"testing"
	"time"
)

// What is due happens, also when the clock moves on between two looks at it.
func TestAMomentThatComesWhileLookingIsNotWaitedForForEver(t *testing.T) {
	begin := time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)
	now := begin
	s := newSchedule(begin, 1, 1, func() time.Time {
		now = now.Add(2 * time.Millisecond)
		return now
	})
	happened := 0
	for n := range 20 {
		s.at(begin.Add(time.Duration(3+3*n)*time.Millisecond), func() { happened++ })
	}
	s.run(t.Context(), begin.Add(time.Minute/1000))
	if happened != 20 {
		t.Errorf("%d of 20 things happened", happened)
	}
}
