package years

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"patchbay/agent/journal"
	"patchbay/patch"
	"patchbay/server/store"
	"patchbay/server/verdict"
	"patchbay/window"
	"patchbay/wire"
)

// oracle holds what is done and said to what is so. It knows the machines.
type oracle struct {
	w    *world
	ends map[string]int // of jobs that began, by ID
}

func newOracle(w *world) *oracle { return &oracle{w: w, ends: map[string]int{}} }

// slack is how far a clock may be off that was just compared.
const slack = 2*time.Minute + 5*time.Second

// ordered is what the agent was last ordered, by its own disk.
func (o *oracle) ordered(l *life) (wire.DeviceOrders, bool) {
	data, err := l.disk.Read("orders.json")
	if err != nil {
		return wire.DeviceOrders{}, false
	}
	var e wire.Envelope
	var orders wire.Orders
	o.w.must(json.Unmarshal(data, &e))
	o.w.must(json.Unmarshal(e.Payload, &orders))
	if len(orders.Devices) != 1 {
		return wire.DeviceOrders{}, false
	}
	return orders.Devices[0], true
}

// open reports whether the window is, give or take what a good clock may be off.
func (o *oracle) open(d wire.DeviceOrders) bool {
	set, err := window.New(d.Windows)
	if err != nil {
		return false
	}
	now := time.Now()
	return window.Open(set, now).Open || window.Open(set, now.Add(slack)).Open || window.Open(set, now.Add(-slack)).Open
}

// applies is asked before a package manager is told to install, or to take back.
func (o *oracle) applies(l *life, u patch.Update, verb string) {
	d := l.d
	o.w.note("%s: is to %s %s %s over %s", d.name, verb, u.Name, u.Available, u.Installed)
	orders, ok := o.ordered(l)
	i := slices.IndexFunc(orders.Jobs, func(j wire.Job) bool {
		return j.Verb == verb && j.Target.Name == u.Name && j.Target.To == u.Available
	})
	if !ok || i < 0 {
		o.w.broke("%s is to %s %s %s, which nobody orders", d.name, verb, u.Name, u.Available)
		return
	}
	if forced := orders.Jobs[i].Forced != ""; !forced && !d.leapt && !o.open(orders) {
		o.w.broke("%s is to %s %s outside its window", d.name, verb, u.Name)
	}
	item := d.machine.items[u.Name]
	if down := minor(u.Available) < minor(u.Installed); down && verb != wire.VerbUndo {
		o.w.broke("%s is to go down from %s %s to %s", d.name, u.Name, u.Installed, u.Available)
	}
	goesOn := item.now.broken != "" && u.Installed == u.Available // what was cut in the middle of it
	if verb == wire.VerbUndo && item.now.version == u.Installed && item.previous != u.Available && !goesOn {
		o.w.broke("%s is to take %s %s back to %s, and before it was %q", d.name, u.Name, u.Installed, u.Available, item.previous)
	}
	if item.now.version == u.Available && item.now.broken == "" && u.Installed == u.Available {
		o.w.broke("%s is to %s %s %s, which is there", d.name, verb, u.Name, u.Available)
	}
}

// reboots is asked before a machine restarts because its agent wants it.
func (o *oracle) reboots(l *life) {
	d := l.d
	o.w.note("%s: is to restart", d.name)
	orders, _ := o.ordered(l)
	forced := slices.ContainsFunc(d.jobs(l), func(j journal.Job) bool { return j.Forced != "" && !j.Step.Ended() })
	if orders.Rebooting().When == wire.RebootNever {
		o.w.broke("%s restarts, which its site does not want", d.name)
	}
	if !forced && !d.leapt && !o.open(orders) {
		o.w.broke("%s restarts outside its window", d.name)
	}
}

// jobs are what the journal on the life's disk knows.
func (d *device) jobs(l *life) []journal.Job {
	j, err := journal.Read(l.disk)
	d.w.must(err)
	return j.Jobs()
}

// remembers is told each line of the journal that is on the disk for good.
func (d *device) remembers(name string, data []byte) {
	_, text, ok := bytes.Cut(data, []byte{' '})
	var c journal.Change
	if name != journal.Name || !ok || json.Unmarshal(text, &c) != nil {
		return
	}
	for _, out := range c.Outcomes {
		if was, ok := d.written[out.Seq]; ok && content(was) != content(out) {
			d.w.broke("%s gives the number %d twice: %s, and %s", d.name, out.Seq, content(was), content(out))
		}
		d.written[out.Seq] = out
		d.w.note("%s: %d %s %s: %s", d.name, out.Seq, out.Step, out.Result, out.Message)
		d.w.oracle.ended(d, out)
	}
}

// ended looks at the end of a job as it is written down.
func (o *oracle) ended(d *device, out wire.Outcome) {
	if !out.Step.Ended() {
		return
	}
	if out.Receipt == nil {
		o.w.broke("%s ends a job without a receipt", d.name)
		return
	}
	var r wire.Receipt
	o.w.must(json.Unmarshal(out.Receipt.Payload, &r))
	if r.Before != "" { // it began
		if o.ends[r.Job]++; o.ends[r.Job] > 1 {
			o.w.broke("%s ends the job for %s %s a second time: %s", d.name, r.Target.Name, r.Target.To, out.Message)
		}
	}
	i := d.machine.items[r.Target.Name]
	if r.After != "" && r.After != i.now.version {
		o.w.broke("%s says that %s is %s, and it is %s", d.name, i.name, r.After, i.now.version)
	}
	if r.Verified {
		if !i.active() {
			o.w.broke("%s says that %s %s runs, and it is %+v and %s runs", d.name, i.name, r.After, i.now, i.running)
		}
		if r.Before != "" && minor(r.Before) < minor(r.After) {
			o.w.figures.Cycles++
		}
		if minor(r.Before) > minor(r.After) {
			o.w.figures.Undone++
		}
	}
}

// content is what an outcome says, without when.
func content(out wire.Outcome) string {
	return fmt.Sprint(out.Job, " ", out.Step, " ", out.Result, " ", out.Message)
}

// says looks at what an agent says.
func (o *oracle) says(d *device, in wire.CheckIn) {
	for _, out := range in.Outcomes {
		if was, ok := d.told[out.Seq]; ok && was != content(out) {
			o.w.broke("%s told number %d as %s, and tells it as %s", d.name, out.Seq, was, content(out))
		}
		d.told[out.Seq] = content(out)
		if _, ok := d.written[out.Seq]; !ok {
			o.w.broke("%s tells number %d, which it did not write down", d.name, out.Seq)
		}
	}
}

// answered looks at what the server answered.
func (o *oracle) answered(d *device, body []byte) {
	var r wire.Reply
	o.w.must(json.Unmarshal(body, &r))
	if _, ok := d.written[r.Acknowledged]; r.Acknowledged > 0 && !ok {
		o.w.broke("the server acknowledges number %d of %s, which it was not told", r.Acknowledged, d.name)
	}
	d.acked = max(d.acked, r.Acknowledged)
}

// kept looks, after the server was killed, for what it had acknowledged.
func (o *oracle) kept() {
	for _, d := range o.w.devices {
		if d.agent == "" {
			continue
		}
		stored := o.stored(d)
		for seq, out := range d.written {
			if seq <= d.acked && stored[seq] != content(out) {
				o.w.broke("the server acknowledged number %d of %s and holds %q", seq, d.name, stored[seq])
			}
		}
	}
}

// stored are the outcomes that the server holds of a device.
func (o *oracle) stored(d *device) map[int64]string {
	rows, err := o.w.server.core.store.MSP(system).Outcomes(background(), store.OutcomeFilter{Device: d.id})
	o.w.must(err)
	all := map[int64]string{}
	for _, row := range rows {
		all[row.Seq] = content(row.Outcome)
	}
	return all
}

// served looks at what the server shows.
func (o *oracle) served() {
	now := time.Now()
	for _, d := range o.w.devices {
		e, ok := o.w.server.core.index.Entry(d.id)
		if !ok {
			continue
		}
		for i := range e.Needs {
			n := &e.Needs[i]
			if n.Verdict.Name != verdict.VERIFIED {
				continue
			}
			if now.Sub(e.Agent.LastSeen) > silent+time.Minute && now.Sub(d.heard) > silent+time.Minute {
				o.w.broke("%s was silent since %s, and %s counts as good", d.name, d.heard.UTC().Format(time.DateTime), n.Key.Name)
			}
			from, until := n.ScannedAt.Add(-3*time.Second), n.ScannedAt.Add(3*time.Second)
			if d.off != 0 || now.Sub(d.jumped) < 72*time.Hour { // then nobody can know when exactly it was read
				from, until = from.Add(-48*time.Hour), now
			}
			if !d.machine.was(n.Key.Name, n.Installed, from, until) {
				o.w.broke("%s %s of %s is shown as verified by the reading of %s, when it did not run", n.Key.Name, n.Installed, d.name,
					n.ScannedAt.UTC().Format(time.DateTime))
			}
		}
	}
}

// settled says what is still to come, "" when nothing is.
func (o *oracle) settled() string {
	for _, d := range o.w.devices {
		if d.life == nil {
			return d.name + " is off"
		}
		e, ok := o.w.server.core.index.Entry(d.id)
		if !ok {
			return "the server does not know " + d.name
		}
		for _, n := range e.Needs {
			if n.Verdict.State != verdict.Good && !o.honest(d, n.Verdict.Name, n.Key.Name) {
				return fmt.Sprintf("%s on %s is %s: %s", n.Key.Name, d.name, n.Verdict.Name, n.Verdict.Sentence)
			}
		}
		if !d.machine.newest() {
			return d.name + " is not up to date, which the server does not see"
		}
		j, err := journal.Read(d.life.disk)
		o.w.must(err)
		if n := len(j.Pending(1000, 1<<30)); n > 0 {
			return fmt.Sprintf("%s has %d outcomes to tell", d.name, n)
		}
	}
	open, err := o.w.server.core.store.MSP(system).Jobs(background(), store.JobFilter{Open: true})
	o.w.must(err)
	if len(open) > 0 {
		return fmt.Sprintf("the job for %s %s is open, at %q", open[0].Target.Name, open[0].Target.To, open[0].Step)
	}
	return ""
}

// honest reports whether a verdict other than the good one says what is so: that the vendor
// took a version back, which then nobody can install.
func (o *oracle) honest(d *device, v verdict.Name, item string) bool {
	return v == verdict.WITHDRAWN && minor(o.w.offers[item].version) <= minor(d.machine.items[item].now.version)
}

// final looks at what everything came to.
func (o *oracle) final() {
	if why := o.settled(); why != "" {
		o.w.broke("ten days after all trouble ended, %s", why)
	}
	for _, d := range o.w.devices {
		stored := o.stored(d)
		for seq, out := range d.written {
			if stored[seq] != content(out) {
				o.w.broke("number %d of %s (%s) is nowhere: the server holds %q", seq, d.name, content(out), stored[seq])
			}
		}
	}
	chains, err := o.w.server.core.store.MSP(system).VerifyChains(background())
	o.w.must(err)
	for _, c := range chains {
		if c.Broken != "" {
			o.w.broke("the audit chain %s: %s", c.Chain, c.Broken)
		}
	}
}
