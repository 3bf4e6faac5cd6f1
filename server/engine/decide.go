package engine

import (
	"cmp"
	"slices"
	"time"

	"patchbay/patch"
	"patchbay/server/assess"
	"patchbay/server/fleet"
	"patchbay/server/policy"
	"patchbay/server/roles"
	"patchbay/server/rollout"
	"patchbay/server/store"
	"patchbay/server/verdict"
	"patchbay/server/view"
	"patchbay/window"
	"patchbay/wire"
)

// Facts are all that is stored of one device and bears on what to do with it.
type Facts struct {
	Customer  store.CustomerRow
	Site      store.Site
	Agent     store.Agent
	Device    store.Device
	Inventory assess.Device
	Answers   []policy.Answer
	Jobs      []store.Job
	Sections  []view.Section
	Sources   []patch.Source
	Silent    time.Duration
	Stocks    []fleet.Stock // what advisories were compared with
	Said      []roles.Said  // by people, of the device, its site and its customer
	Standing  roles.Standing
	Groups    []view.Ref  // by rank
	Lives     fleet.Lives // what of it has an end of support
	Software  fleet.Software

	hashes map[string]string // of the sections of what is installed, by provider
}

// Result is what follows from facts.
type Result struct {
	Entry fleet.Entry
	Plan  rollout.Plan
	Until time.Time // when it may change by the clock alone; zero: not
}

// Decide runs the stages over one device: what it needs, what was decided, what to order
// and why each need stands where it does. It is pure: the same facts at the same time give
// the same result, and deciding again after its plan was stored changes nothing.
func Decide(f Facts, now time.Time) Result {
	f.Inventory.Wanted = wantedOf(f.Site)
	needs := assess.Needs(f.Inventory, now)
	versions := versionsOf(f.Inventory)
	decisions := policy.Decide(needs, f.Answers, ruleOf(f.Site), versions)
	decisions = policy.Contest(needs, decisions, mastersOf(f.Inventory.Facts, f.Site), now)
	past := pastOf(f.Jobs)
	decisions = policy.Withhold(needs, decisions, atWork(past))
	ring := rollout.Ring{Open: true} // there is one ring, and it is open
	var plan rollout.Plan
	if f.Agent.Mode == wire.Manage { // an observing agent is never ordered anything
		plan = rollout.Jobs(f.Device.ID, needs, decisions, past, ring, now)
	}

	set, _ := window.New(SpecOf(f.Site)) // checked when it was stored; a bad one is never open
	r := Result{Plan: plan, Until: soonest(now, plan.Until, assess.Until(f.Inventory, now), assess.RecallsEnd(needs))}
	device := verdict.Device{Name: f.Device.Name, Mode: f.Agent.Mode, LastSeen: f.Agent.LastSeen, Windows: set,
		Silent: f.Silent}
	r.Entry = fleet.Entry{Device: f.Device, Agent: f.Agent, Site: f.Site, Windows: set,
		Customer: view.Ref{ID: f.Customer.ID, Name: f.Customer.Name}, Sections: f.Sections, Sources: f.Sources,
		Found: fleet.HeldBy(f.Inventory.Findings), Stocks: f.Stocks, Standing: f.Standing, Groups: f.Groups, Lives: f.Lives, Software: f.Software}
	if len(plan.Jobs) > 0 { // a device at work that says nothing more is waited for, and that is told
		r.Until = soonest(now, r.Until, f.Agent.LastSeen.Add(verdict.Quiet+time.Second))
	}
	planned, jobs := rollout.ByItem(withPlan(past, plan)), map[string]*store.Job{}
	for i := range f.Jobs {
		jobs[f.Jobs[i].ID] = &f.Jobs[i]
	}
	for i, n := range needs {
		work := workOf(n, decisions[i], planned[n.Key], jobs, now)
		v := verdict.Of(verdict.Case{Need: n, Decision: decisions[i], Ring: ring, Device: device, Work: work}, now)
		if v.Until != nil {
			r.Until = soonest(now, r.Until, *v.Until)
		}
		r.Entry.Needs = append(r.Entry.Needs, fleet.Need{Need: n, Decision: decisions[i], Work: work, Verdict: v})
	}
	r.Entry.Programs = fleet.ProgramsOf(packagesOf(f), r.Entry.Needs)
	return r
}

// packagesOf are the packages of the signed catalogue that the device's items are of, as its
// providers recognised them.
func packagesOf(f Facts) []view.PackageKey {
	var keys []view.PackageKey
	for _, p := range f.Inventory.Providers {
		if !slices.ContainsFunc(f.Device.Facts.Providers, func(is wire.ProviderFacts) bool { return is.Name == p.Name && is.Traits.Catalog }) {
			continue
		}
		for _, item := range p.Items {
			if item.Source != "" {
				keys = append(keys, view.PackageKey{Provider: p.Name, ID: item.Source})
			}
		}
	}
	return keys
}

// ruleOf is the site's rule for updates nobody answered.
func ruleOf(s store.Site) policy.Rule {
	return policy.Rule{ID: "rule:" + s.ID, Place: s.Name, Security: s.Policy.Auto == store.Security, Classes: s.Policy.Classes, At: s.ChangedAt, Applications: applicationsOf(s)}
}

// mastersOf are the other programs that decide over what is installed on the device, without
// those that a person answered for.
func mastersOf(facts wire.Facts, s store.Site) []policy.Master {
	var masters []policy.Master
	for _, m := range facts.Masters {
		if slices.Contains(s.Policy.Beside, m.Name) {
			continue
		}
		over := policy.Master{Name: m.Name}
		for _, p := range facts.Providers {
			if m.Over(p.Traits.Phase) {
				over.Providers = append(over.Providers, p.Name)
			}
		}
		masters = append(masters, over)
	}
	return masters
}

// SpecOf is when devices of a site may be changed. Windows without a zone are in the site's.
func SpecOf(s store.Site) window.Spec {
	var spec window.Spec
	for _, w := range s.Policy.Windows {
		if w.Zone == "" {
			w.Zone = s.Zone
		}
		spec.Weekly = append(spec.Weekly, w)
	}
	return spec
}

// versionsOf tells the version order of each provider on the device.
func versionsOf(d assess.Device) func(string) string {
	schemes := map[string]string{}
	for _, p := range d.Providers {
		schemes[p.Name] = p.Versions
	}
	return func(provider string) string { return schemes[provider] }
}

// answerOf is a stored approval as the policy reads it.
func answerOf(a store.Approval) policy.Answer {
	levels := map[store.Level]policy.Level{store.LevelCustomer: policy.CustomerLevel,
		store.LevelSite: policy.SiteLevel, store.LevelDevice: policy.DeviceLevel}
	answer := policy.Answer{ID: a.ID, Level: levels[a.Level], Yes: a.Answer == store.Approve, Undo: a.Answer == store.Undo,
		Key:     patch.Key{Provider: a.Provider, Name: a.Name, Architecture: a.Architecture},
		Version: a.Version, Origin: a.Origin, Follow: a.Follow, Reason: a.Reason, By: a.ByName, At: a.At,
		AllowRemovals: a.AllowRemovals, Despite: a.Despite}
	if a.ForcedUntil != nil {
		answer.ForcedUntil = *a.ForcedUntil
	}
	return answer
}

// pastOf are the stored jobs as the rollout reads them. A job that ended counts as failed,
// whatever the device said of it: the rollout looks only at jobs whose change is still to be
// made, so the inventory says that it was not made.
func pastOf(jobs []store.Job) []rollout.Past {
	past := make([]rollout.Past, 0, len(jobs))
	for _, j := range jobs {
		p := rollout.Past{Job: j.Job, Begun: begun(j.Step), Ended: j.EndedAt != nil, Withdrawn: j.WithdrawnAt != nil,
			Failed: j.EndedAt != nil && j.WithdrawnAt == nil, Refused: j.Result == wire.ResultRefused,
			Expired: j.Step == wire.StepFailed && j.EndedAt != nil && !j.EndedAt.Before(j.NotAfter)}
		if j.EndedAt != nil {
			p.EndedAt = *j.EndedAt
		}
		past = append(past, p)
	}
	return past
}

// begun reports a step after which there is no way back to waiting.
func begun(s wire.Step) bool {
	return s == wire.StepApplying || s == wire.StepRestarting || s == wire.StepRebooting || s == wire.StepVerifying
}

// atWork tells which items a device has begun to change, and is not done with.
func atWork(past []rollout.Past) func(patch.Key) bool {
	items := map[patch.Key]bool{}
	for _, p := range past {
		if p.Begun && !p.Ended && !p.Withdrawn {
			items[p.Target.Key()] = true
		}
	}
	return func(k patch.Key) bool { return items[k] }
}

// withPlan is the past as it will be when the plan is stored, so that a verdict given now
// is the one that would be given then.
func withPlan(past []rollout.Past, plan rollout.Plan) []rollout.Past {
	withdrawn := map[string]bool{}
	for _, id := range plan.Withdraw {
		withdrawn[id] = true
	}
	after := make([]rollout.Past, 0, len(past)+len(plan.Make))
	for _, p := range past {
		p.Withdrawn = p.Withdrawn || withdrawn[p.ID]
		after = append(after, p)
	}
	for _, j := range plan.Make {
		after = append(after, rollout.Past{Job: j})
	}
	return after
}

// workOf is what came of a decision so far; past are the jobs of the need's item.
func workOf(n assess.Need, d policy.Decision, past []rollout.Past, jobs map[string]*store.Job, now time.Time) verdict.Work {
	if n.Blind != nil || d.Kind != policy.Install && d.Kind != policy.Undo {
		return verdict.Work{}
	}
	verb, target := rollout.Wanted(n, d)
	w := verdict.Work{Tried: rollout.Tries(past, target, d.ID), Since: now}
	w.Undone = verb == wire.VerbUndo && slices.ContainsFunc(past, func(p rollout.Past) bool { return p.Verb == verb && p.Decision == d.ID && p.Ended })
	if open := w.Tried.Open; open != nil && jobs[open.ID] != nil {
		j := jobs[open.ID]
		w.Step, w.Since, w.Why = j.Step, j.CreatedAt, j.Why
		if j.StepSince != nil {
			w.Since = *j.StepSince
		}
	}
	if last := w.Tried.Last; last != nil && jobs[last.ID] != nil {
		j := jobs[last.ID]
		w.Message, w.Receipt = j.Message, last.EndedAt
		if j.Step == wire.StepDone {
			w.Message = "the device said it was done, but its inventory still shows " + cmp.Or(n.Installed, "nothing of it")
		}
	}
	return w
}

// soonest is the first of the times that is after now; zero when there is none.
func soonest(now time.Time, times ...time.Time) time.Time {
	var first time.Time
	for _, t := range times {
		if t.After(now) && (first.IsZero() || t.Before(first)) {
			first = t
		}
	}
	return first
}
