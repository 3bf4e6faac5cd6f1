package agent

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"patchbay/agent/inventory"
	"patchbay/agent/journal"
	"patchbay/patch"
	"patchbay/provider"
	"patchbay/wire"
)

const (
	lockWait    = 10 * time.Second // for another package manager, before its holder is named and it is tried again
	busyWait    = 30 * time.Second
	offlineWait = 10 * time.Minute
	readWait    = time.Minute

	// applyLimit ends a package manager that hangs. It is far beyond any real update,
	// because ending one does damage.
	applyLimit = 6 * time.Hour
)

// stage downloads ahead for new jobs. That it fails stops nothing: applying downloads what
// is missing.
func (a *Agent) stage(ctx context.Context) error {
	if s := a.situation(); s.refused || s.doubt != "" {
		return nil
	}
	for _, g := range a.groups(a.standing(wire.StepStaging)) {
		var err error
		if g.verb == wire.VerbInstall { // what an undo needs is here already
			err = a.stageGroup(ctx, g)
		}
		if ctx.Err() != nil {
			return nil
		}
		now, _ := a.clock.time()
		var c journal.Change
		for _, j := range g.jobs {
			edges := steps()[j.Step]
			if err != nil {
				c.Outcomes = append(c.Outcomes, told(j, result(err), err, now))
				c.Jobs = append(c.Jobs, at(j, edges.failed, "", now))
			} else {
				c.Jobs = append(c.Jobs, at(j, edges.ok, "", now))
			}
		}
		if err := a.save(c); err != nil {
			return err
		}
	}
	return nil
}

func (a *Agent) stageGroup(ctx context.Context, g group) error {
	p, err := a.scanner.Open(ctx, g.kind)
	if err != nil {
		return err
	}
	stager, ok := p.(provider.Stager)
	if !ok {
		return nil
	}
	return stager.Stage(ctx, a.request(g.jobs, a.report))
}

// group are the jobs of one provider and verb, which are applied together.
type group struct {
	kind provider.Kind
	verb string
	jobs []journal.Job
}

// groups sorts jobs by provider and verb, in the order of the phases. What is taken back goes
// first: it may be what keeps the rest from going on.
func (a *Agent) groups(jobs []journal.Job) []group {
	var groups []group
	for _, kind := range a.scanner.Kinds {
		for _, verb := range []string{wire.VerbUndo, wire.VerbInstall} {
			g := group{kind: kind, verb: verb}
			for _, j := range jobs {
				if j.Target.Provider == kind.Name && j.Verb == verb {
					g.jobs = append(g.jobs, j)
				}
			}
			if len(g.jobs) > 0 {
				groups = append(groups, g)
			}
		}
	}
	slices.SortStableFunc(groups, func(x, y group) int { return cmp.Compare(x.kind.Traits.Phase, y.kind.Traits.Phase) })
	return groups
}

// apply runs every waiting job whose time has come: all of one provider at once.
func (a *Agent) apply(ctx context.Context) error {
	s := a.situation()
	var ready []journal.Job
	var c journal.Change
	for _, j := range a.standing(wire.StepWaiting) {
		if ok, _, _ := a.ready(s, j); ok {
			ready = append(ready, at(j, steps()[j.Step].ok, "", s.now))
		}
	}
	if len(ready) == 0 {
		return nil
	}
	c.Jobs = ready
	if err := a.save(c); err != nil {
		return err
	}
	r := a.scan(ctx)
	if ctx.Err() != nil {
		return nil // the next start takes them up
	}
	ready, err := a.preflight(ready, r)
	if err != nil {
		return err
	}
	if ready, err = a.free(ctx, ready); err != nil {
		return err
	}
	for _, g := range a.groups(ready) {
		if err := a.applyGroup(ctx, g); err != nil || ctx.Err() != nil {
			return err
		}
	}
	return nil
}

// preflight looks before anything is touched, and gives the jobs that go on.
func (a *Agent) preflight(jobs []journal.Job, r inventory.Report) ([]journal.Job, error) {
	now, _ := a.clock.time()
	var c journal.Change
	var on []journal.Job
	for _, j := range jobs {
		item, installed := r.Item(j.Target)
		refusal := guard(j.Device, j.Job, a.capabilities(), a.scanner.Kind)
		switch {
		case refusal != "":
			a.end(&c, j, ending{result: wire.ResultRefused, message: refusal}, now)
		case !r.Read(j.Target.Provider):
			a.again(&c, j, wire.ResultBusy, fmt.Sprintf("What %s has installed could not be read just now.", j.Target.Provider), readWait, now)
		case a.reached(r, j):
			if j.Before == "" {
				j.Before = item.Version
			}
			a.end(&c, j, a.judge(j, r), now)
		case !installed && unoffered(r, j.Target) != "":
			a.end(&c, j, ending{result: wire.ResultRefused, message: unoffered(r, j.Target)}, now)
		case installed && j.Target.Source != "":
			why := fmt.Sprintf("%s is here by now, as %s %s: its update is a job of its own.", j.Target.Name, item.Name, item.Version)
			a.end(&c, j, ending{result: wire.ResultRefused, after: item.Version, message: why}, now)
		case stranded(item, j) != "":
			a.end(&c, j, ending{result: wire.ResultRefused, after: item.Version, message: stranded(item, j)}, now)
		case a.ruling(a.situation(), j).Refused:
			a.end(&c, j, ending{result: wire.ResultRefused, after: item.Version, message: a.ruling(a.situation(), j).Why}, now)
		case swapped(r.Offered[j.Target.Key()], j.Target):
			a.end(&c, j, ending{result: wire.ResultRefused, after: item.Version,
				message: fmt.Sprintf("The source now offers another file as %s %s than the one that was approved.", j.Target.Name, j.Target.To)}, now)
		default:
			on = append(on, j)
		}
	}
	return on, a.save(c)
}

// stranded says why an undo has nothing to go back from or to, "" when it has. It takes back
// the very update it names, to the version that the device itself had before it.
func stranded(item patch.Item, j journal.Job) string {
	t := j.Target
	switch {
	case j.Verb != wire.VerbUndo || j.Begun:
		return ""
	case item.Version != t.From:
		return fmt.Sprintf("%s is %s by now and not %s, so there is nothing to take back.", t.Name, item.Version, t.From)
	case item.Previous == "":
		return fmt.Sprintf("This device kept nothing that %s %s could be taken back to.", t.Name, t.From)
	case item.Previous != t.To:
		return fmt.Sprintf("%s can be taken back to %s here, and not to %s.", t.Name, item.Previous, t.To)
	}
	return ""
}

// swapped reports whether the version is on offer with other content than was ordered.
func swapped(u patch.Update, t wire.Target) bool {
	return u.Available == t.To && u.SHA256 != "" && t.SHA256 != "" && u.SHA256 != t.SHA256
}

// applyGroup applies the jobs of one provider together. When that fails, those left are
// tried once more each alone, so that one bad package does not keep the others out.
func (a *Agent) applyGroup(ctx context.Context, g group) error {
	jobs, err := a.begin(g.jobs)
	if err != nil || len(jobs) == 0 {
		return err
	}
	p, err := a.scanner.Open(ctx, g.kind)
	if err != nil {
		return a.applied(jobs, a.report, map[string]attempt{}, err)
	}
	tries := map[string]attempt{}
	all := a.try(ctx, p, jobs)
	r := a.rescan(ctx)
	for _, j := range jobs {
		tries[j.ID] = all
	}
	if len(jobs) > 1 && all.err != nil && !errors.Is(all.err, provider.ErrBusy) && !errors.Is(all.err, provider.ErrOffline) {
		for _, j := range jobs {
			if item, _ := r.Item(j.Target); ctx.Err() != nil || item.Version != j.Before {
				continue
			}
			if ok, _, _ := a.ready(a.situation(), j); ok {
				tries[j.ID] = a.try(ctx, p, []journal.Job{j})
			}
		}
		r = a.rescan(ctx)
	}
	return a.applied(jobs, r, tries, nil)
}

// begin writes down that the jobs are being applied. A job whose window closed meanwhile, or
// that is no longer wanted, goes back to waiting: others may have been applied for hours.
func (a *Agent) begin(jobs []journal.Job) ([]journal.Job, error) {
	s := a.situation()
	var c journal.Change
	var begun []journal.Job
	for _, j := range jobs {
		ok, why, _ := a.ready(s, j)
		if ok && !j.Begun && !s.lists(j) {
			ok, why = false, "The server no longer asks for it."
		}
		if !ok {
			c.Jobs = append(c.Jobs, at(j, steps()[j.Step].again, why, s.now))
			continue
		}
		j = at(j, steps()[j.Step].ok, "", s.now)
		if !j.Begun {
			j.Begun, j.StartedAt, j.Approval = true, s.now, a.ruling(s, j).Approval
			item, _ := a.report.Item(j.Target)
			j.Before = item.Version
		}
		j.BootBefore = a.report.Facts.BootID // each time: a restart between two tries makes nothing of the second active
		begun = append(begun, j)
	}
	c.Jobs = append(c.Jobs, begun...)
	return begun, a.save(c)
}

// attempt is one call of Apply.
type attempt struct {
	outcome provider.Outcome
	err     error
}

// try calls Apply. What has begun is not cut off when the agent is told to stop.
func (a *Agent) try(ctx context.Context, p provider.Provider, jobs []journal.Job) attempt {
	a.worker.fresh = false
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), applyLimit)
	defer cancel()
	work := p.Apply
	if jobs[0].Verb == wire.VerbUndo {
		work = undo(p)
	}
	outcome, err := work(ctx, a.request(jobs, a.report))
	if err != nil {
		a.Log.Warn("applying failed", "provider", jobs[0].Target.Provider, "jobs", len(jobs), "error", err)
	}
	return attempt{outcome, err}
}

// undo is the provider's Undo; one that has none refuses.
func undo(p provider.Provider) func(context.Context, provider.Request) (provider.Outcome, error) {
	if u, ok := p.(provider.Undoer); ok {
		return u.Undo
	}
	return func(context.Context, provider.Request) (provider.Outcome, error) {
		return provider.Outcome{}, fmt.Errorf("%w: what it installs cannot be taken back", provider.ErrRefused)
	}
}

// rescan scans after applying.
func (a *Agent) rescan(ctx context.Context) inventory.Report {
	a.worker.fresh = true
	return a.scan(context.WithoutCancel(ctx))
}

// request is what the jobs ask of their provider.
func (a *Agent) request(jobs []journal.Job, r inventory.Report) provider.Request {
	req := provider.Request{LockWait: lockWait}
	for _, j := range jobs {
		t := j.Target
		u, ok := r.Offered[t.Key()]
		if !ok || u.Available != t.To {
			u = patch.Update{Provider: t.Provider, Scope: t.Scope, Name: t.Name, Architecture: t.Architecture, Instance: t.Instance,
				Available: t.To, Size: t.Size, Source: t.Source}
		}
		item, _ := r.Item(t)
		u.Installed = item.Version
		if t.SHA256 != "" {
			u.SHA256 = t.SHA256
		}
		req.Updates = append(req.Updates, u)
		for _, name := range j.AllowRemovals {
			if !slices.Contains(req.AllowRemovals, name) {
				req.AllowRemovals = append(req.AllowRemovals, name)
			}
		}
	}
	return req
}

// applied moves the jobs on by what the scan after shows, not by what Apply said. opening
// is the error when there was no provider to call.
func (a *Agent) applied(jobs []journal.Job, r inventory.Report, tries map[string]attempt, opening error) error {
	now, _ := a.clock.time()
	var c journal.Change
	for _, j := range jobs {
		t := tries[j.ID]
		err := cmp.Or(opening, t.err)
		edges := steps()[j.Step]
		j.Changes, j.Conflicts, j.Reboot = own(t.outcome.Changes, named(r, j.Target)), t.outcome.Conflicts, t.outcome.Reboot
		item, _ := r.Item(j.Target)
		untouched := r.Read(j.Target.Provider) && item.Version == j.Before
		switch {
		case a.reached(r, j):
			c.Jobs = append(c.Jobs, arrived(a.situation(), j, r))
		case untouched && errors.Is(err, provider.ErrBusy):
			a.again(&c, j, wire.ResultBusy, words(err), busyWait, now)
		case untouched && errors.Is(err, provider.ErrOffline):
			a.again(&c, j, wire.ResultOffline, words(err), offlineWait, now)
		default:
			j.Failure = nil
			if err != nil {
				o := told(j, result(err), err, now)
				o.Detail = lines(t.outcome.Messages)
				j.Failure = &journal.Failure{Result: o.Result, Message: o.Message, Detail: o.Detail}
				c.Outcomes = append(c.Outcomes, o)
			}
			c.Jobs = append(c.Jobs, at(j, edges.failed, "", now))
		}
	}
	return a.save(c)
}

// own are the changes that belong to a job: its item's, and what was pulled in on the way.
func own(changes []provider.Change, t wire.Target) []provider.Change {
	return slices.DeleteFunc(slices.Clone(changes), func(c provider.Change) bool {
		return c.Asked && (c.Name != t.Name || c.Scope != t.Scope || c.Instance != "" && c.Instance != t.Instance || c.Architecture != "" && t.Architecture != "" && c.Architecture != t.Architecture)
	})
}

// again puts a job back to waiting for a while. It is told once per kind of reason, and the
// last sentence stands with the job.
func (a *Agent) again(c *journal.Change, j journal.Job, r wire.Result, why string, wait time.Duration, now time.Time) {
	why = sentence(why)
	if j.Loops++; j.Loops > maxLoops {
		a.end(c, j, ending{result: wire.ResultFailed, message: "Tried too often. " + why}, now)
		return
	}
	if j.Failure == nil || j.Failure.Result != r {
		c.Outcomes = append(c.Outcomes, wire.Outcome{Device: j.Device, Job: j.ID, Step: j.Step, Result: r, At: now, Message: why})
	}
	j.Failure = &journal.Failure{Result: r, Message: why}
	if j.Step == wire.StepApplying && j.Tries == 0 {
		j.Begun = false // the provider says that it did nothing, and the scan agrees
	}
	j.Retry = now.Add(wait + time.Duration(a.Random()*float64(wait)/4))
	c.Jobs = append(c.Jobs, at(j, steps()[j.Step].again, why, now))
}

// result maps an error of a provider to what is told of it.
func result(err error) wire.Result {
	switch {
	case errors.Is(err, provider.ErrBusy):
		return wire.ResultBusy
	case errors.Is(err, provider.ErrOffline):
		return wire.ResultOffline
	case errors.Is(err, provider.ErrRefused), errors.Is(err, provider.ErrAbsent):
		return wire.ResultRefused
	}
	return wire.ResultFailed
}

// told is the outcome of a step that ended with an error.
func told(j journal.Job, r wire.Result, err error, now time.Time) wire.Outcome {
	return wire.Outcome{Device: j.Device, Job: j.ID, Step: j.Step, Result: r, At: now, Message: words(err)}
}
