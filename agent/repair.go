package agent

import (
	"context"
	"errors"
	"slices"

	"patchbay/agent/inventory"
	"patchbay/agent/journal"
	"patchbay/patch"
	"patchbay/provider"
	"patchbay/wire"
)

// repair finishes what an installation began and something cut short, also when its job is
// over by now or was given up. It is part of that installation: it keeps the windows as that
// does, and it is told by reading the machine again. A job that goes on does it itself.
func (a *Agent) repair(ctx context.Context) error {
	s := a.situation()
	if a.mode != wire.Manage || s.refused || s.doubt != "" || !s.sure || ctx.Err() != nil {
		return nil
	}
	for _, kind := range a.scanner.Kinds {
		p, err := a.scanner.Open(ctx, kind)
		if err != nil {
			continue // the scan says so
		}
		r, ok := p.(provider.Repairer)
		if !ok {
			continue
		}
		left, err := r.Unfinished(ctx)
		if err != nil {
			a.Log.Warn("what was begun and not finished is not known", "provider", kind.Name, "error", err)
			continue
		}
		if len(left) == 0 || !mayRepair(s, kind.Name, left, a.journal.Jobs()) {
			continue
		}
		if err := a.mend(ctx, kind.Name, r, left); err != nil {
			return err
		}
	}
	return nil
}

// mayRepair is whether what is left may be finished now: in a window, or when a person said
// that it need not wait for one.
func mayRepair(s situation, kind string, left []patch.Item, jobs []journal.Job) bool {
	forced := false
	for _, j := range jobs {
		if !j.Begun || j.Target.Provider != kind {
			continue
		}
		switch j.Step {
		case wire.StepStaging, wire.StepWaiting, wire.StepPreflight, wire.StepApplying:
			return false // applying it again finishes it
		}
		forced = forced || j.Forced != "" && slices.ContainsFunc(left, func(i patch.Item) bool { return i.Key() == j.Target.Key() })
	}
	return forced || s.window().Open
}

// mend lets the provider finish and moves the jobs on that wait to be verified.
func (a *Agent) mend(ctx context.Context, kind string, r provider.Repairer, left []patch.Item) error {
	a.worker.fresh = false
	whole, cancel := context.WithTimeout(context.WithoutCancel(ctx), applyLimit)
	defer cancel()
	outcome, err := r.Repair(whole, lockWait)
	if err != nil {
		a.Log.Warn("what was begun could not be finished", "provider", kind, "error", err)
	}
	return a.mended(kind, left, attempt{outcome, err}, a.rescan(ctx))
}

// mended moves the jobs on by what the scan after shows.
func (a *Agent) mended(kind string, left []patch.Item, t attempt, r inventory.Report) error {
	var c journal.Change
	for _, j := range a.standing(wire.StepVerifying) {
		if !j.Begun || j.Target.Provider != kind {
			continue
		}
		incomplete := func(i patch.Item) bool { return i.Broken != "" && i.Key() == j.Target.Key() }
		switch ours := slices.ContainsFunc(left, incomplete); {
		case a.reached(r, j) && ours:
			j.Failure = nil
			j.Changes, j.Conflicts, j.Reboot = own(t.outcome.Changes, j.Target), t.outcome.Conflicts, t.outcome.Reboot
			j.Step = wire.StepApplying // which has now succeeded
			c.Jobs = append(c.Jobs, arrived(a.situation(), j, r))
		case ours && t.err != nil && !errors.Is(t.err, provider.ErrBusy):
			j.Failure = &journal.Failure{Result: result(t.err), Message: words(t.err), Detail: lines(t.outcome.Messages)}
			c.Jobs = append(c.Jobs, j)
		}
	}
	return a.save(c)
}
