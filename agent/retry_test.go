package agent

import (
	"errors"
	"math/rand/v2"
	"testing"
	"time"

	"patchbay/agent/link"
)

// Two thousand agents that lose their server at one instant come back evenly over the
// window: no second has many more of them than another.
func TestAFleetComesBackEvenly(t *testing.T) {
	const fleet, window = 2000, 100 * time.Second
	for seed := range uint64(50) {
		random := rand.New(rand.NewPCG(seed, 1))
		counts := make([]int, int(window/time.Second)+1)
		for range fleet {
			d := pause(errors.New("lost"), 1, window, random.Float64())
			if d < apart || d > window {
				t.Fatalf("seed %d: after %s", seed, d)
			}
			counts[d/time.Second]++
		}
		for second, n := range counts {
			if n > 50 { // 20 on average: nearly seven deviations
				t.Errorf("seed %d: %d in second %d", seed, n, second)
			}
		}
	}
}

func TestABusyServerIsLeftAloneForAsLongAsItAsks(t *testing.T) {
	for _, r := range []float64{0, 0.5, 0.999} {
		if d := pause(link.Overload{After: time.Minute}, 1, 2*time.Minute, r); d < time.Minute || d > 3*time.Minute {
			t.Errorf("%v: %s", r, d)
		}
	}
}
