package agent

import (
	"sync"
	"time"
)

const (
	// slack is how far this machine's clock may be off before the server's is used instead.
	slack = 2 * time.Minute

	// absence is how long a machine may have been off or offline for its clock to be
	// believed without having heard from the server.
	absence = 400 * 24 * time.Hour
)

// clock tells the time as the server does, by this machine's clock and the offset seen at
// the last check-in. A machine whose clock is wrong still keeps its windows.
type clock struct {
	now func() time.Time

	mu     sync.Mutex
	offset time.Duration
	last   time.Time // the last time the server told; zero when never
}

// heard takes the server's time.
func (c *clock) heard(server time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.last = server
	c.offset = server.Sub(c.now().Round(0)) // without the monotonic reading, which stands still in a suspended machine
	if c.offset.Abs() < slack {
		c.offset = 0
	}
}

// set restores what was known before a restart.
func (c *clock) set(offset time.Duration, last time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.offset, c.last = offset, last
}

func (c *clock) known() (time.Duration, time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.offset, c.last
}

// time is the time, and whether it is sure. It is not when this machine's clock went back
// behind what the server said, or leapt far ahead of it: then the last word of the server
// is the answer, and nothing that depends on the hour may begin.
func (c *clock) time() (time.Time, bool) {
	offset, last := c.known()
	now := c.now().Round(0).Add(offset)
	if !last.IsZero() && (now.Before(last.Add(-slack)) || now.Sub(last) > absence) {
		return last, false
	}
	return now, true
}

// earliest is before when it certainly is not: what the server last told. Certificates are
// checked by it, and by no clock.
func (c *clock) earliest() time.Time {
	_, last := c.known()
	return last
}

// forget drops what a server told whose keys are no longer believed.
func (c *clock) forget() { c.set(0, time.Time{}) }
