package agent

import (
	"cmp"
	"context"
	"slices"
	"time"

	"patchbay/agent/inventory"
	"patchbay/agent/journal"
	"patchbay/patch"
	"patchbay/wire"
)

const (
	scanEvery  = 15 * time.Minute // until orders say otherwise
	scanLeast  = time.Minute
	diskAgain  = time.Minute // after the journal could not be written
	freshAgain = 15 * time.Minute
)

// worker is the state of the worker's loop.
type worker struct {
	resumed   bool
	fresh     bool         // nothing was applied since the last scan began
	programs  []patch.Wish // what was wanted of programs when the last scan began
	scanned   time.Time    // by Now: when the last scan ended
	refreshed time.Time    // the last try to refresh, by Now
	// restarting is when the machine was asked to restart, by Now: the server's time may leap
	// meanwhile.
	restarting time.Time
}

// runWorker scans and runs jobs until the context ends.
func (a *Agent) runWorker(ctx context.Context) {
	for ctx.Err() == nil {
		next := a.pass(ctx)
		if ctx.Err() != nil {
			return
		}
		a.work.wait(ctx, next.Sub(a.Now()), a.Sleep)
	}
}

// pass does all that is due now and says when something is due again.
func (a *Agent) pass(ctx context.Context) time.Time {
	every := a.scanEvery()
	called := a.look.Swap(false)
	device, _ := a.device()
	if called || !slices.Equal(device.Programs, a.worker.programs) || a.worker.scanned.IsZero() || a.wanted(a.worker.scanned) || !a.Now().Before(a.worker.scanned.Add(every)) {
		a.scan(ctx)
	}
	if called {
		a.news() // whoever called wants to see when it was read, also when nothing changed
	}
	if a.refresh(ctx) {
		a.scan(ctx)
	}
	next := a.worker.scanned.Add(every)
	if at, err := a.jobs(ctx); err != nil {
		a.Log.Error("jobs are put off", "error", err)
		a.mu.Lock()
		a.status.Problem = sentence(err.Error())
		a.mu.Unlock()
		next = earlier(next, a.Now().Add(diskAgain))
	} else if !at.IsZero() {
		next = earlier(next, at)
	}
	return next
}

// scan reads the device and lets the talker know when something is new.
func (a *Agent) scan(ctx context.Context) inventory.Report {
	now, _ := a.clock.time()
	device, _ := a.device()
	report, err := a.scanner.Scan(ctx, now)
	if err != nil {
		return a.report // the agent is told to stop
	}
	a.worker.programs = device.Programs
	a.worker.scanned = a.Now()
	a.mu.Lock()
	news := report.Digest() != a.report.Digest()
	a.report = report
	a.mu.Unlock()
	if news {
		a.news()
	}
	a.Tidy() // a scan is the largest thing an idle agent does
	return report
}

// refresh asks the sources anew when that is due and allowed.
func (a *Agent) refresh(ctx context.Context) bool {
	orders, _ := a.device()
	every := time.Duration(orders.RefreshSeconds) * time.Second
	if every <= 0 || !a.Refresh || a.mode != wire.Manage || a.refused() {
		return false
	}
	wanted := a.wanted(a.worker.refreshed)
	every = max(every, freshAgain)
	a.mu.Lock()
	last := a.status.RefreshedAt
	a.mu.Unlock()
	now, _ := a.clock.time()
	young := now.Sub(last) < every && !now.Before(last) || !a.worker.refreshed.IsZero() && a.Now().Sub(a.worker.refreshed) < freshAgain
	if young && !wanted {
		return false
	}
	a.worker.refreshed = a.Now()
	if err := a.scanner.Refresh(ctx); err != nil {
		a.Log.Warn("the sources could not be asked", "error", err)
		return true // the scan shows which
	}
	a.mu.Lock()
	a.status.RefreshedAt = now
	a.mu.Unlock()
	return true
}

func (a *Agent) scanEvery() time.Duration {
	orders, ok := a.device()
	if !ok || orders.ScanSeconds <= 0 {
		return scanEvery
	}
	return max(time.Duration(orders.ScanSeconds)*time.Second, scanLeast)
}

// wanted reports whether a person asked, after what was last done at the time by Now, for
// the device to be read anew.
func (a *Agent) wanted(last time.Time) bool {
	orders, _ := a.device()
	if orders.FreshAfter == nil {
		return false
	}
	now, _ := a.clock.time()
	return last.IsZero() || orders.FreshAfter.After(now.Add(last.Sub(a.Now())))
}

// device is what the orders want of this machine.
func (a *Agent) device() (wire.DeviceOrders, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.wish == nil {
		return wire.DeviceOrders{Device: a.id.Device}, false
	}
	for _, d := range a.wish.Devices {
		if d.Device == a.id.Device {
			return d, true
		}
	}
	return wire.DeviceOrders{Device: a.id.Device}, true
}

// version is that of the orders in force.
func (a *Agent) version() wire.OrdersVersion {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.wish == nil {
		return wire.OrdersVersion{}
	}
	return a.wish.Seen
}

func (a *Agent) refused() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.status.Refused
}

// situation is the ground for decisions now.
func (a *Agent) situation() situation {
	now, sure := a.clock.time()
	device, _ := a.device()
	s := newSituation(now, sure, a.refused(), device)
	a.mu.Lock()
	s.doubt = a.doubt
	a.mu.Unlock()
	return s
}

// jobs takes every job as far as it can go and says when one can go on; zero when none can.
func (a *Agent) jobs(ctx context.Context) (time.Time, error) {
	a.worker.fresh = false
	if !a.worker.resumed {
		if err := a.resume(); err != nil {
			return time.Time{}, err
		}
		a.worker.resumed = true
	}
	if err := a.adopt(); err != nil {
		return time.Time{}, err
	}
	a.mu.Lock()
	asked := a.asked
	a.mu.Unlock()
	if !asked {
		return time.Time{}, nil // the server may think otherwise by now; the talker rings
	}
	if next, err := a.awaitReboot(ctx); err != nil || !next.IsZero() {
		return next, err
	}
	if err := a.stage(ctx); err != nil {
		return time.Time{}, err
	}
	if err := a.apply(ctx); err != nil {
		return time.Time{}, err
	}
	if err := a.repair(ctx); err != nil {
		return time.Time{}, err
	}
	if err := a.settle(ctx); err != nil {
		return time.Time{}, err
	}
	return a.nextMoment(), nil
}

// adopt brings the journal in line with the orders.
func (a *Agent) adopt() error {
	device, ok := a.device()
	if !ok {
		return nil // no orders were ever accepted
	}
	s := a.situation()
	plan := adopt(s, a.version(), a.journal.Jobs(), func(j wire.Job) string {
		return guard(device.Device, j, a.capabilities(), a.scanner.Kind)
	})
	var c journal.Change
	c.Jobs = plan.enter
	for _, j := range plan.refuse {
		a.Log.Warn("a job is refused", "job", j.ID, "why", j.Why)
		a.end(&c, j, ending{result: wire.ResultRefused, message: j.Why}, s.now)
	}
	for _, j := range plan.expired {
		a.end(&c, j, ending{result: wire.ResultFailed, message: "Expired before it could begin. " + j.Why}, s.now)
	}
	for _, j := range plan.drop {
		a.end(&c, j, ending{result: wire.ResultRefused, message: "Withdrawn by the server before it began; nothing was changed."}, s.now)
		c.Dropped = append(c.Dropped, j.ID)
	}
	for _, j := range plan.verify {
		c.Jobs = append(c.Jobs, at(j, wire.StepVerifying, "It is over; what it left is looked at.", s.now))
	}
	for _, id := range plan.forget {
		if !a.journal.PendingOf(id) {
			c.Dropped = append(c.Dropped, id)
		}
	}
	return a.save(c)
}

// resume takes up jobs that the last process left in the middle of a step. What was applying
// may be half done: it is tried again a few times, for applying twice is harmless.
func (a *Agent) resume() error {
	now, _ := a.clock.time()
	var c journal.Change
	a.cutOff(&c)
	for _, j := range a.journal.Jobs() {
		switch edges := steps()[j.Step]; j.Step {
		case wire.StepPreflight:
			c.Jobs = append(c.Jobs, at(j, edges.again, "The agent was restarted.", now))
		case wire.StepRebooting: // the agent may have been stopped before it asked
			if boot := a.report.Facts.BootID; j.Rebooted && boot != "" && boot == j.BootBefore && j.Tries+1 < maxTries {
				j.Tries, j.Rebooted = j.Tries+1, false
				c.Jobs = append(c.Jobs, at(j, edges.again, "The agent was stopped before the machine restarted.", now))
			}
		case wire.StepApplying:
			j.Tries++
			switch {
			case a.reached(a.report, j):
				c.Jobs = append(c.Jobs, arrived(a.situation(), j, a.report)) // it was done, and what follows was not
			case j.Tries >= maxTries:
				j.Failure = &journal.Failure{Result: wire.ResultFailed, Message: "The agent was stopped each time it worked on this."}
				c.Jobs = append(c.Jobs, at(j, edges.failed, "", now))
			default:
				c.Jobs = append(c.Jobs, at(j, edges.again, "The agent was stopped while it worked on this; it goes on.", now))
			}
		}
	}
	return a.save(c)
}

// nextMoment is when the first waiting job can go on. It also writes down why each waits.
func (a *Agent) nextMoment() time.Time {
	s := a.situation()
	soonest := a.Now().Add(time.Second)
	var next time.Time
	var c journal.Change
	for _, j := range a.journal.Jobs() {
		var when time.Time
		switch j.Step {
		case wire.StepWaiting:
			_, why, then := a.ready(s, j)
			if why != j.Why {
				j.Why = why
				c.Jobs = append(c.Jobs, j)
			}
			if when = earlier(j.NotAfter, cmp.Or(then, j.NotAfter)); !s.sure {
				when = s.now.Add(scanEvery)
			}
		case wire.StepVerifying, wire.StepRestarting, wire.StepRebooting:
			if when = j.Retry; !when.After(s.now) {
				when = s.now.Add(time.Minute)
			}
		default:
			continue
		}
		if when = a.Now().Add(when.Sub(s.now)); next.IsZero() || when.Before(next) {
			next = when
		}
	}
	if !next.IsZero() && next.Before(soonest) {
		next = soonest
	}
	if err := a.save(c); err != nil {
		a.Log.Error("why jobs wait could not be written", "error", err)
	}
	return next
}

// save writes the change down and lets the talker tell it.
func (a *Agent) save(c journal.Change) error {
	if c.Empty() {
		return nil
	}
	if err := a.journal.Save(c); err != nil {
		return err
	}
	a.news()
	return nil
}

// at is the job at a new step.
func at(j journal.Job, step wire.Step, why string, now time.Time) journal.Job {
	j.Step, j.Why, j.Since = step, why, now
	return j
}

// standing are the jobs at a step.
func (a *Agent) standing(step wire.Step) []journal.Job {
	return slices.DeleteFunc(a.journal.Jobs(), func(j journal.Job) bool { return j.Step != step })
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}
