package agent

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"patchbay/provider"
)

const (
	// noticeTime is how long before a reboot, or before their program is closed, those who are
	// logged in are told at the latest.
	noticeTime = 5 * time.Minute
	// noticeLate is how much later than it is due a notice is still given.
	noticeLate = 2 * time.Minute
	// leastNotice is the least that a window has to leave.
	leastNotice = time.Minute
)

// notices are how long before a reboot people are told of it, each once.
func notices() []time.Duration { return []time.Duration{time.Hour, 15 * time.Minute, noticeTime} }

// firstNotice is the notice as which people are told of a moment for the first time, 0 when that
// is for later.
func firstNotice(when, now time.Time) (first time.Duration) {
	for _, n := range notices() {
		if when.Sub(now) <= n {
			first = n
		}
	}
	return first
}

// dueNotice is the notice that is due now, 0 when none is. told is the last that was given. One
// that was missed is not given late: the next shorter one comes at its own time.
func dueNotice(when, now time.Time, told time.Duration) time.Duration {
	left := when.Sub(now)
	for _, n := range notices() {
		if (told == 0 || n < told) && left <= n && left > n-noticeLate {
			return n
		}
	}
	return 0
}

// nextNotice is when something is to be done next before a reboot, or for it.
func nextNotice(when, now time.Time, told time.Duration) time.Time {
	for _, n := range notices() {
		if due := when.Add(-n); (told == 0 || n < told) && due.After(now) {
			return due
		}
	}
	return when
}

// notice is what people are told.
func (c rebootCase) notice(when time.Time) string {
	minutes := max(1, int(when.Sub(c.now).Round(time.Minute)/time.Minute))
	in := fmt.Sprintf("in %d minutes", minutes)
	if minutes == 1 {
		in = "in a minute"
	}
	return fmt.Sprintf("Patchbay restarts this machine %s, at %s, to finish updates. Save your work and log out.", in, c.clock(when))
}

// notice is how much warning is possible before a program is closed: a window that ends sooner
// leaves less.
func (s situation) notice() time.Duration {
	state := s.window()
	if !state.Open || state.Until.IsZero() {
		return noticeTime
	}
	return max(0, min(noticeTime, state.Until.Add(-rebootRoom).Sub(s.now)))
}

// announced tells those who are logged in. That it cannot be told stops nothing.
func (a *Agent) announced(ctx context.Context, text string) {
	if err := a.Announce(ctx, text); err != nil {
		a.Log.Warn("those who are logged in could not be told", "error", err)
	}
}

// announce writes to every terminal where somebody is logged in.
func announce(ctx context.Context, host provider.Host, text string) error {
	res, err := host.Run(ctx, provider.Command{Args: []string{"wall"}, Input: text + "\n"})
	if err == nil && res.Code != 0 {
		err = fmt.Errorf("wall ended with %d: %.200s", res.Code, cmp.Or(res.Stderr, res.Stdout))
	}
	return err
}
