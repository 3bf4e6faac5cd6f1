package engine

import (
	"context"
	"errors"
	"time"

	"patchbay/server/store"
)

// daily writes down the day's counts of customers that have none yet: the first thing each
// day, and on the first day as soon as there is anything to count.
func (e *Engine) daily(ctx context.Context) error {
	now := e.Now()
	day := now.UTC().Format(time.DateOnly)
	written, err := e.Store.MSP(who).DailyFacts(ctx, store.FactFilter{From: day, Until: day})
	if err != nil {
		return err
	}
	done := map[string]bool{}
	for _, f := range written {
		done[f.Customer] = true
	}
	var errs []error
	for customer, facts := range e.Index.Daily(now) {
		if done[customer] {
			continue
		}
		if err := e.Store.Customer(who, customer).RecordDaily(ctx, now, facts); err != nil {
			errs = append(errs, err) // of one customer, which costs no other its day
		}
	}
	return errors.Join(errs...)
}

// Daily runs until ctx ends and writes daily facts. It begins when devices had time to be
// stepped after a start, so that a count is never taken of a half-filled index.
func (e *Engine) Daily(ctx context.Context, every time.Duration) {
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		if e.Idle() {
			if err := e.daily(ctx); err != nil && ctx.Err() == nil {
				e.Log.Error("writing daily facts", "error", err)
			}
		}
	}
}

// Idle reports whether nothing is due now, by the clock neither, and nothing at work.
func (e *Engine) Idle() bool {
	now := e.Now()
	e.mu.Lock()
	defer e.mu.Unlock()
	return len(e.queue) == 0 && !e.busy && (len(e.later) == 0 || e.later[0].at.After(now))
}
