package main

import (
	"cmp"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"fmt"
	"slices"
	"strings"
	"time"

	"patchbay/patch"
	"patchbay/provider"
	"patchbay/server/access"
	"patchbay/server/store"
	"patchbay/window"
	"patchbay/wire"
)

// device is an invented one: what it has, what is on offer for it, and its script.
type device struct {
	customer, site, id, agent string
	key                       *ecdsa.PrivateKey
	facts                     wire.Facts
	mode                      wire.Mode
	installed                 []patch.Item
	offered                   []patch.Update
	system                    []systemUpdate // for a Windows itself
	sources                   []patch.Source
	history                   []patch.Event       // what its update engine says it did
	unread                    string              // why that cannot be read
	repair                    *patch.Repair       // of its update engine
	left                      map[string]bool     // items that nobody decides on
	fails                     map[string]string   // by item: what goes wrong there
	removes                   map[string][]string // by item: what would have to go for it
	refuses                   map[string]string   // by item: why the device guards itself
	fresh                     bool                // enrolled, and never heard of since
	stuck                     map[string]string   // by item: why it cannot be taken back when that is tried
	old                       bool                // its agent is of a build that knows no undo
	broken                    string              // why the offered section cannot be read
	quiet                     bool                // says nothing any more
	lost                      bool                // was told to restart two hours ago, and goes quiet then
	holds                     wire.HeldDocuments
	copyOf                    *device // whose disk this one began with
	seq                       int64
	steps                     map[string]wire.Step // by job
	steppedAt                 map[string]time.Time
}

func signer() (*ecdsa.PrivateKey, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("making a key: %w", err)
	}
	return key, nil
}

// enroll lets the device in at a time.
func (w *world) enroll(ctx context.Context, d *device, token string, now time.Time) error {
	var err error
	if d.key, err = signer(); err != nil {
		return err
	}
	pub, err := x509.MarshalPKIXPublicKey(&d.key.PublicKey)
	if err != nil {
		return fmt.Errorf("enrolling: %w", err)
	}
	d.id, d.agent = patch.NewID(patch.DeviceID), patch.NewID(patch.AgentID)
	d.steps, d.steppedAt = map[string]wire.Step{}, map[string]time.Time{}
	agent := store.Agent{ID: d.agent, Customer: d.customer, Site: d.site, PublicKey: pub, Build: "0.1.0", Mode: d.mode,
		Capabilities: d.verbs(), EnrolledAt: now, LastSeen: now}
	row := store.Device{ID: d.id, Customer: d.customer, Site: d.site, Agent: d.agent, Name: d.facts.Hostname, Facts: d.facts, EnrolledAt: now}
	h := w.store.Customer(store.Who{ID: "agent:" + d.agent, Name: d.facts.Hostname}, d.customer)
	if d.copyOf != nil {
		err = w.becomes(ctx, h, d.copyOf, agent, row)
	} else {
		err = h.Enroll(ctx, now, access.TokenHash(token), agent, row)
	}
	if err != nil {
		return err
	}
	w.engine.Enrolled(d.customer, d.id, d.agent)
	w.devices = append(w.devices, d)
	return nil
}

// checkIn says all the device has and did, and lets the server decide.
func (w *world) checkIn(ctx context.Context, d *device, now time.Time, outcomes ...wire.Outcome) error {
	sections, err := d.sections(now)
	if err != nil {
		return err
	}
	in := wire.CheckIn{Version: wire.Version, Agent: d.agent, Build: "0.1.0", Sent: now, Mode: d.mode,
		Capabilities: d.verbs(), Outcomes: outcomes, Documents: d.holds,
		Devices: []wire.DeviceReport{{Device: d.id, ScannedAt: now, Digest: wire.Digest(sections), Sections: sections, Jobs: d.standing()}}}
	h := w.store.Customer(store.Who{ID: "agent:" + d.agent, Name: d.facts.Hostname}, d.customer)
	if _, err := h.Receive(ctx, now, in); err != nil {
		return err
	}
	w.engine.Heard(d.id, now)
	return w.engine.Step(ctx, d.id)
}

func (d *device) verbs() []string {
	if d.old {
		return []string{wire.VerbInstall}
	}
	return []string{wire.VerbInstall, wire.VerbUndo}
}

func (d *device) standing() []wire.JobStep {
	var list []wire.JobStep
	for job, step := range d.steps {
		if !step.Ended() {
			list = append(list, wire.JobStep{Job: job, Step: step, Since: d.steppedAt[job], Why: waiting(step)})
		}
	}
	return list
}

func waiting(step wire.Step) string {
	switch step {
	case wire.StepWaiting:
		return "Waits for the maintenance window."
	case wire.StepRebooting:
		return wire.Restarts
	}
	return ""
}

// sections is the device's inventory as it is sent, by name.
func (d *device) sections(now time.Time) ([]wire.Section, error) {
	bodies := map[string]any{wire.HostSection: d.facts}
	for _, p := range d.facts.Providers {
		bodies[p.Name+"/"+wire.InstalledSection] = of(p.Name, d.installed, itemOf)
		bodies[p.Name+"/"+wire.OfferedSection] = of(p.Name, d.offered, updateOf)
		bodies[p.Name+"/"+wire.SourcesSection] = of(p.Name, d.sources, sourceOf)
		if p.Name == winupdate {
			bodies[p.Name+"/"+wire.HistorySection] = d.history
		}
	}
	var list []wire.Section
	for name, v := range bodies {
		body, err := wire.Canonical(v)
		if err != nil {
			return nil, fmt.Errorf("writing section %s: %w", name, err)
		}
		s := wire.Section{Name: name, Hash: wire.Hash(body), State: wire.SectionOK, ScannedAt: now, Body: body}
		if d.broken != "" && strings.HasSuffix(name, "/"+wire.OfferedSection) {
			s.State, s.Error = wire.SectionFailed, d.broken
		}
		if d.unread != "" && strings.HasSuffix(name, "/"+wire.HistorySection) {
			s.State, s.Error = wire.SectionFailed, d.unread
		}
		list = append(list, s)
	}
	slices.SortFunc(list, func(a, b wire.Section) int { return cmp.Compare(a.Name, b.Name) })
	return list, nil
}

// of picks what is one provider's.
func of[T any](name string, all []T, is func(T) string) []T {
	mine := []T{}
	for _, v := range all {
		if is(v) == name {
			mine = append(mine, v)
		}
	}
	return mine
}

func itemOf(i patch.Item) string     { return i.Provider }
func updateOf(u patch.Update) string { return u.Provider }
func sourceOf(s patch.Source) string { return s.Provider }

// work moves every job the device has by one step and checks in.
func (w *world) work(ctx context.Context, d *device, now time.Time) error {
	jobs, err := w.store.Customer(store.Who{ID: "system", Name: "mock"}, d.customer).Jobs(ctx, store.JobFilter{Open: true, Devices: []string{d.id}})
	if err != nil || d.mode == wire.Observe {
		return err
	}
	var outcomes []wire.Outcome
	for _, j := range jobs {
		if o, ended, err := w.step(d, j.Job, now); err != nil {
			return err
		} else if ended {
			outcomes = append(outcomes, o)
		}
	}
	return w.checkIn(ctx, d, now, outcomes...)
}

// goesDown tells the device to restart for a job, after which it says nothing any more.
func (w *world) goesDown(ctx context.Context, d *device, now time.Time) error {
	for job, step := range d.steps {
		if step == wire.StepWaiting {
			d.steps[job], d.steppedAt[job], d.quiet = wire.StepRebooting, now, true
			return w.checkIn(ctx, d, now)
		}
	}
	return nil
}

// after is the step that follows.
func after(s wire.Step) wire.Step {
	return map[wire.Step]wire.Step{"": wire.StepStaging, wire.StepStaging: wire.StepWaiting, wire.StepWaiting: wire.StepPreflight,
		wire.StepPreflight: wire.StepApplying, wire.StepApplying: wire.StepVerifying, wire.StepVerifying: wire.StepDone}[s]
}

func (w *world) step(d *device, j wire.Job, now time.Time) (wire.Outcome, bool, error) {
	was := d.steps[j.ID]
	next := after(was)
	if j.Verb == wire.VerbUndo {
		next = afterUndoing(was)
	}
	entry, ok := w.index.Entry(d.id)
	if was == wire.StepWaiting && j.Forced == "" && (!ok || !window.Open(entry.Windows, now).Open) {
		return wire.Outcome{}, false, nil
	}
	why := d.fails[j.Target.Name]
	if j.Verb == wire.VerbUndo {
		why = d.stuck[j.Target.Name]
	}
	refused := d.refused(j)
	if next == wire.StepApplying && refused != "" {
		next, why = wire.StepFailed, "refused: "+refused
	}
	if (next == wire.StepVerifying || next == wire.StepDone) && why != "" {
		next = wire.StepFailed
	}
	d.steps[j.ID], d.steppedAt[j.ID] = next, now
	if next == wire.StepDone {
		d.makes(j)
	}
	if !next.Ended() {
		return wire.Outcome{}, false, nil
	}
	d.seq++
	o := wire.Outcome{Seq: d.seq, Device: d.id, Job: j.ID, Step: next, Result: wire.ResultOK, At: now,
		Message: "A scan shows " + j.Target.To + "."}
	if next == wire.StepFailed {
		o.Result, o.Message = wire.ResultFailed, "The package manager failed: "+why
		if refused != "" {
			o.Result, o.Message = wire.ResultRefused, why
		}
		if j.Target.Provider == "apt" {
			o.Detail = "Setting up " + j.Target.Name + " (" + j.Target.To + ") ...\n" + why + "\nE: Sub-process /usr/bin/dpkg returned an error code (1)"
		}
	}
	var err error
	o.Receipt, err = wire.Seal(wire.ReceiptDocument, receipt(d, j, now, next), d.key)
	return o, true, err
}

// refused says why the device does not do the job, "" when it does.
func (d *device) refused(j wire.Job) string {
	left := slices.DeleteFunc(slices.Clone(d.removes[j.Target.Name]), func(name string) bool { return slices.Contains(j.AllowRemovals, name) })
	if len(left) > 0 {
		return "apt would have to remove " + strings.Join(left, ", ") + ", which nobody approved"
	}
	return d.refuses[j.Target.Name]
}

func receipt(d *device, j wire.Job, now time.Time, step wire.Step) wire.Receipt {
	r := wire.Receipt{Job: j.ID, Device: d.id, Agent: d.agent, Decision: j.Decision, Target: j.Target, Before: j.Target.From,
		After: j.Target.From, BootBefore: "b1", BootAfter: "b1", StartedAt: now.Add(-3 * time.Minute), EndedAt: now, Step: step}
	if step == wire.StepDone {
		r.Verified, r.After = true, j.Target.To
		r.Changes = []provider.Change{{Name: j.Target.Name, Architecture: j.Target.Architecture, From: j.Target.From, To: j.Target.To, Asked: true}}
		if strings.HasPrefix(j.Target.Name, "nginx") {
			r.Conflicts = []provider.Conflict{{Path: "/etc/nginx/nginx.conf", Vendor: "/etc/nginx/nginx.conf.dpkg-dist"}}
		}
	}
	return r
}

// makes changes the inventory as the package manager would.
func (d *device) makes(j wire.Job) {
	t := j.Target
	if t.To == patch.Nothing {
		d.installed = slices.DeleteFunc(d.installed, func(i patch.Item) bool { return i.Key() == t.Key() })
		return
	}
	for i := range d.installed {
		if d.installed[i].Key() == t.Key() {
			d.installed[i].Version, d.installed[i].Previous, d.installed[i].Broken = t.To, d.keeps(j), ""
		}
	}
	if j.Verb == wire.VerbUndo {
		d.offerAgain(t)
		return
	}
	d.addsSystem(t)
	d.offered = slices.DeleteFunc(slices.Clone(d.offered), func(u patch.Update) bool { return u.Key() == t.Key() && u.Available == t.To })
}
