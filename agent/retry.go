package agent

import (
	"errors"
	"time"

	"patchbay/agent/link"
)

const (
	retryMost   = 10 * time.Minute
	refusedWait = time.Hour
	windowMost  = time.Hour // beyond which no server's window is believed
)

// pause is how long to wait after so many failures in a row. The first tries of a fleet that
// lost its server at one moment are spread evenly over the window; later ones back off with
// full jitter. random is from 0 to below 1.
func pause(err error, failing int, window time.Duration, random float64) time.Duration {
	var overload link.Overload
	switch {
	case errors.Is(err, link.ErrRefused):
		return time.Duration((0.5 + random) * float64(refusedWait))
	case errors.As(err, &overload):
		return overload.After + time.Duration(random*float64(window))
	}
	most := min(window<<min(max(failing-1, 0), 10), max(retryMost, window))
	return apart + time.Duration(random*float64(max(0, most-apart)))
}

// window is over how long this agent's fleet spreads its first try: what the server told
// last, also before a restart. The caller holds the lock.
func (a *Agent) window() time.Duration {
	if told := a.status.Reconnect; told > 0 {
		return min(time.Duration(told)*time.Second, windowMost)
	}
	return a.Reconnect
}

// learnWindow keeps what the server tells; the status on disk keeps it over a restart.
func (a *Agent) learnWindow(seconds int) {
	if seconds <= 0 {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.status.Reconnect = min(seconds, int(windowMost/time.Second))
}
