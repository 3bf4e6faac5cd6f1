package agent

import (
	"io"
	"testing"
	"time"

	"patchbay/agent/link"
)

// Two old streams that were cut after the same quiet tell of something that cuts what is
// quiet; servers that stop, at any time, do not.
func TestTheSameQuietTwiceIsNoAccident(t *testing.T) {
	const old = shortLived + time.Minute
	for name, c := range map[string]struct {
		lived time.Duration
		quiet []time.Duration
		beat  time.Duration
	}{
		"one old stream":       {old, []time.Duration{47 * time.Second}, 0},
		"servers that stop":    {old, []time.Duration{20 * time.Second, 40 * time.Second, 30 * time.Second}, 0},
		"the same quiet twice": {old, []time.Duration{47 * time.Second, 46 * time.Second}, 25 * time.Second},
		"an early end":         {time.Minute, []time.Duration{30 * time.Second}, 20 * time.Second},
		"never below least":    {time.Minute, []time.Duration{11 * time.Second, 11 * time.Second}, link.BeatLeast},
		"ended while it spoke": {time.Second, []time.Duration{time.Second, time.Second}, 0},
	} {
		var e ear
		for _, quiet := range c.quiet {
			e = e.after(c.lived, link.Lost{Quiet: quiet, Err: io.EOF})
		}
		if e.beat != c.beat {
			t.Errorf("%s: a beat of %v is asked for, not %v", name, e.beat, c.beat)
		}
	}
}
