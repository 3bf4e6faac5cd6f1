// Package rollout turns decisions into jobs.
//
// Jobs are a wish, not a queue: Plan says what should be ordered now, given what was
// ordered before. Planning twice from the same facts gives the same jobs, because a job's
// ID is derived from what it is for.
package rollout

import (
	"slices"
	"time"

	"patchbay/patch"
	"patchbay/server/assess"
	"patchbay/server/policy"
	"patchbay/wire"
)

// The limits of a job's life.
const (
	Life       = 14 * 24 * time.Hour // how long an agent may hold a job
	ForcedLife = 4 * time.Hour
	// Attempts is how often one decision is tried before a person has to look.
	Attempts = 3
)

// retryAfter is how long to wait after the nth failure.
var retryAfter = [Attempts]time.Duration{time.Hour, 6 * time.Hour, 24 * time.Hour}

// Ring says whether the rollout has reached the device.
type Ring struct {
	Open bool
	Why  string // a sentence, when it is closed
}

// Past is a job that was ordered before.
type Past struct {
	wire.Job
	Begun     bool // the device told that it began to apply: it runs to its end, wanted or not
	Ended     bool
	EndedAt   time.Time
	Failed    bool // it ended without the wanted version being there
	Refused   bool // a person has to look before it is tried again
	Expired   bool // it ended because its time was over, not because it was tried
	Withdrawn bool
}

// open reports a job that is still wished.
func (p Past) open() bool { return !p.Ended && !p.Withdrawn }

// Plan is what should be ordered.
type Plan struct {
	Jobs     []wire.Job // open ones, old and new, sorted by ID
	Make     []wire.Job // those of Jobs that are new
	Withdraw []string   // IDs of open jobs that are no longer wanted
	Until    time.Time  // when the answer may change by the clock alone; zero: not
}

// Jobs plans the work for one device. decisions[i] is the decision for needs[i]; past are
// all jobs of the device that are not forgotten.
func Jobs(device string, needs []assess.Need, decisions []policy.Decision, past []Past, ring Ring, now time.Time) Plan {
	var plan Plan
	wanted, byItem := map[string]bool{}, ByItem(past)
	for i, n := range needs {
		past := byItem[n.Key]
		job, next, ok := jobFor(device, n, decisions[i], past, ring, now)
		if next.After(now) && (plan.Until.IsZero() || next.Before(plan.Until)) {
			plan.Until = next
		}
		if !ok {
			continue
		}
		wanted[job.ID] = true
		if i := slices.IndexFunc(past, func(p Past) bool { return p.ID == job.ID }); i >= 0 {
			plan.Jobs = append(plan.Jobs, past[i].Job)
			continue
		}
		plan.Jobs = append(plan.Jobs, job)
		plan.Make = append(plan.Make, job)
	}
	for _, p := range past {
		switch {
		case !p.open() || wanted[p.ID]:
		case p.Begun:
			plan.Jobs = append(plan.Jobs, p.Job)
		default:
			plan.Withdraw = append(plan.Withdraw, p.ID)
		}
	}
	slices.SortFunc(plan.Jobs, func(a, b wire.Job) int { return compare(a.ID, b.ID) })
	return plan
}

// jobFor is the job a need asks for now, if any, and when that may change by itself. past are
// the jobs of its item.
func jobFor(device string, n assess.Need, d policy.Decision, past []Past, ring Ring, now time.Time) (wire.Job, time.Time, bool) {
	if !wants(n, d, ring) {
		return wire.Job{}, time.Time{}, false
	}
	verb, target := Wanted(n, d)
	tries := Tries(past, target, d.ID)
	if t := tries.Open; t != nil {
		return t.Job, t.NotAfter, true
	}
	if tries.GivenUp() || busy(past) {
		return wire.Job{}, time.Time{}, false
	}
	if again := tries.Again(); again.After(now) {
		return wire.Job{}, again, false
	}
	job := wire.Job{Verb: verb, Target: target, Decision: d.ID, Attempt: tries.Ended + 1,
		NotBefore: now, NotAfter: now.Add(Life), AllowRemovals: d.AllowRemovals}
	if d.ForcedUntil.After(now) {
		job.Forced, job.NotAfter = d.By, now.Add(min(ForcedLife, d.ForcedUntil.Sub(now)))
	}
	job.ID = wire.JobID(device, job.Verb, job.Target, job.Decision, job.Attempt)
	return job, job.NotAfter, true
}

// wants reports whether the decision asks for a change of what is installed. An undo takes
// back the very version it was said of, and no ring holds it up.
func wants(n assess.Need, d policy.Decision, ring Ring) bool {
	if n.Blind != nil || n.Installed == "" && !n.Absent {
		return false
	}
	switch d.Kind {
	case policy.Install:
		return n.Offered && !n.Reached && !n.Leaving && !n.Update.Block.Keeps() && ring.Open
	case policy.Undo:
		return n.Installed == n.Update.Available && n.Previous != "" && n.Broken == "" && !n.Leaving
	}
	return false
}

// ByItem sorts jobs by the item they are for: a device may have a great many of both.
func ByItem(past []Past) map[patch.Key][]Past {
	items := map[patch.Key][]Past{}
	for _, p := range past {
		k := p.Target.Key()
		items[k] = append(items[k], p)
	}
	return items
}

// busy reports whether the device is at work on the item because of another decision.
func busy(past []Past) bool {
	return slices.ContainsFunc(past, func(p Past) bool { return p.open() && p.Begun })
}

// Target is the exact change a need asks for.
func Target(n assess.Need) wire.Target {
	t := wire.Target{Provider: n.Key.Provider, Scope: n.Key.Scope, Name: n.Key.Name, Architecture: n.Key.Architecture,
		Instance: n.Key.Instance, From: n.Installed, To: n.Update.Available, SHA256: n.Update.SHA256, Size: n.Update.Size}
	if n.Absent {
		t.Source = n.Update.Source
	}
	return t
}

// Wanted is the exact change a decision asks for, and the verb for it.
func Wanted(n assess.Need, d policy.Decision) (verb string, t wire.Target) {
	t = Target(n)
	if d.Kind != policy.Undo {
		return wire.VerbInstall, t
	}
	t.To, t.SHA256, t.Size = n.Previous, "", 0
	return wire.VerbUndo, t
}

// Tried sums up the jobs that were ordered for one change and decision.
type Tried struct {
	Open     *Past // not ended and not withdrawn
	Last     *Past // the newest that ended, nil when none did
	Ended    int   // also withdrawn and expired ones, so that every attempt has its own ID
	Failures int   // ended with failure, expired ones left out
}

// Tries sums up what was tried for a version because of a decision. From is left out: a try
// that failed halfway may have left another version behind than it found.
func Tries(past []Past, t wire.Target, decision string) Tried {
	var tried Tried
	for i := range past {
		p := &past[i]
		if p.Decision != decision || p.Target.Key() != t.Key() || p.Target.To != t.To {
			continue
		}
		if p.open() {
			tried.Open = p
			continue
		}
		tried.Ended = max(tried.Ended, p.Attempt)
		if p.Failed && !p.Expired {
			tried.Failures++
		}
		if p.Ended && (tried.Last == nil || p.Attempt > tried.Last.Attempt) {
			tried.Last = p
		}
	}
	return tried
}

// GivenUp reports whether a person has to look before it is tried again.
func (t Tried) GivenUp() bool {
	return t.Failures >= Attempts || t.Last != nil && t.Last.Failed && t.Last.Refused
}

// Again is when the next attempt may be made; zero means now.
func (t Tried) Again() time.Time {
	if t.Last == nil || !t.Last.Failed || t.Last.Expired || t.GivenUp() {
		return time.Time{}
	}
	return t.Last.EndedAt.Add(retryAfter[max(t.Failures-1, 0)])
}

func compare(a, b string) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}
