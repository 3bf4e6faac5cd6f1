package agent

import (
	"cmp"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"time"

	"patchbay/agent/inventory"
	"patchbay/agent/journal"
	"patchbay/patch"
	"patchbay/window"
	"patchbay/wire"
)

const (
	// rebootRoom is how long before the end of the window a machine is to go down.
	rebootRoom = time.Minute
	// rebootLook is when it is looked again whether what nobody tells of is over: the battery, a
	// locked screen, somebody who presents.
	rebootLook = 10 * time.Minute
	// rebootAsk is how long the question is shown, rebootAgain how long it is not shown again when
	// nobody answered, rebootLater when somebody put it off or could not be asked.
	rebootAsk   = 15 * time.Minute
	rebootAgain = time.Hour
	rebootLater = 4 * time.Hour
)

// rebootCase is all that the decision about a reboot rests on, besides what the journal says.
type rebootCase struct {
	situation
	mode    wire.Mode
	report  inventory.Report
	present wire.Presence
	people  int // who are logged in, as far as they can be told apart
	zone    *time.Location
}

// zoneOf is the device's, in which its days are counted and its people are told the time.
func zoneOf(f wire.Facts, d wire.DeviceOrders) *time.Location {
	names := []string{f.Zone}
	for _, w := range d.Windows.Weekly {
		names = append(names, w.Zone)
	}
	for _, name := range names {
		if zone, err := time.LoadLocation(name); name != "" && err == nil {
			return zone
		}
	}
	return time.UTC
}

func (c rebootCase) day(t time.Time) string { return t.In(c.zone).Format(time.DateOnly) }

// there reports whether somebody may be logged in: not known is not nobody.
func (c rebootCase) there() bool { return c.present.LoggedIn != patch.No }

// alone reports whether whoever chooses speaks for everybody who is logged in.
func (c rebootCase) alone() bool { return c.people <= 1 }

// rebootPlan is what is done now about a reboot that jobs ask for.
type rebootPlan struct {
	c      rebootCase
	jobs   []journal.Job // that ask for it
	reboot journal.Reboot
	change journal.Change
	say    string // to those who are logged in
	ask    bool   // reboot.Asked is to be shown
	now    bool   // the machine is to be told to restart
}

// planReboot decides it for all jobs together.
func planReboot(c rebootCase, all []journal.Job, r journal.Reboot) rebootPlan {
	p := rebootPlan{c: c, reboot: r}
	for _, j := range all {
		if rebootWanted(c.situation, j, c.report) {
			p.jobs = append(p.jobs, j)
		} else { // somebody made it meanwhile
			p.pass(j)
		}
	}
	if len(p.jobs) == 0 {
		p.reboot = r.Over()
	} else {
		if p.reboot.Since.IsZero() || p.reboot.Since.After(c.now) {
			p.reboot.Since = c.now
		}
		p.forget()
		p.decide()
	}
	if p.say != "" {
		p.reboot.Telling = &journal.Notice{Text: p.say, At: c.now, Job: p.jobs[0].ID}
	}
	if !reflect.DeepEqual(r, p.reboot) {
		p.change.Reboot = &p.reboot
	}
	return p
}

// forget drops a moment that nobody can have been told of rightly: the clock was set meanwhile,
// or the notice is so old that whoever is there now knows nothing of it.
func (p *rebootPlan) forget() {
	ahead := notices()[0] + noticeLate
	if p.reboot.Chosen {
		ahead = time.Duration(p.c.device.Rebooting().DeadlineHours) * time.Hour
	}
	left := p.reboot.At.Sub(p.c.now)
	if !p.reboot.At.IsZero() && (left > ahead || -left > noticeTime && p.c.there()) {
		p.unplan()
	}
}

// unplan takes back the moment.
func (p *rebootPlan) unplan() { p.reboot.At, p.reboot.Told, p.reboot.Chosen = time.Time{}, 0, false }

func (p *rebootPlan) decide() {
	c, policy := p.c, p.c.device.Rebooting()
	forced := slices.ContainsFunc(p.jobs, isForced)
	deadline := p.reboot.Since.Add(time.Duration(policy.DeadlineHours) * time.Hour)
	asks := policy.When == wire.RebootAsk && c.there() && !forced
	limited := policy.Daily > 0 && !forced && p.reboot.MadeOn(c.day(c.now), c.zone, c.report.Facts.BootID) >= policy.Daily
	switch {
	case c.mode != wire.Manage || policy.When == wire.RebootNever || !c.sound():
		why := cmp.Or(c.doubt, c.window().Why)
		if policy.When == wire.RebootNever {
			why = "it is no longer allowed here"
		}
		p.callOff(why)
		p.pass(p.jobs...)
	case p.reboot.Chosen && policy.When == wire.RebootAsk:
		p.keep(forced)
	case limited:
		p.callOff("this machine restarted as often today as its site allows")
		p.wait(c.tomorrow(), fmt.Sprintf("The machine restarted %s today, as often as its site allows. It waits for tomorrow.", times(policy.Daily)))
	case asks && c.now.Before(deadline.Add(-notices()[0])):
		p.unplan() // of when nobody was asked
		p.question(policy, deadline)
	case asks:
		p.restartAt(laterTime(c.now, deadline), false)
	default:
		p.restartAt(c.now, forced)
	}
}

// isForced reports whether a person forced the job, and the job asks for the reboot itself.
func isForced(j journal.Job) bool { return j.Forced != "" && j.Reboot == patch.Yes }

// keep keeps to the moment that somebody at the machine chose, also outside the window: it is
// theirs as long as nobody else is logged in.
func (p *rebootPlan) keep(forced bool) {
	c := p.c
	switch {
	case c.now.Before(p.reboot.At):
		p.remind()
	case !c.alone() && !forced && !c.window().Open:
		p.callOff("somebody else is logged in too")
		p.wait(c.now.Add(rebootLook), "Somebody chose when the machine restarts, and somebody else is logged in now. It is asked again.")
	default:
		p.begin(forced)
	}
}

// restartAt restarts the machine in a window, no earlier than a moment, and tells those who are
// logged in before. What a person forced needs no window.
func (p *rebootPlan) restartAt(earliest time.Time, forced bool) {
	c := p.c
	at, ok := c.moment(earliest, forced)
	told := !p.reboot.At.IsZero()
	switch {
	case told && !forced && !window.Open(c.windows, laterTime(p.reboot.At, c.now)).Open, !told && !ok, c.problem != "" && !forced:
		p.callOff(c.window().Why)
		p.wait(c.openingAfter(earliest), "The machine restarts when the window opens.")
	case c.present.Battery == patch.Yes && !forced && !(told && c.now.Before(p.reboot.At)):
		p.callOff(onBattery)
		p.wait(c.now.Add(rebootLook), "The machine runs on its battery. It restarts when it has power.")
	case !told && !c.there():
		p.begin(forced)
	case !told:
		p.announce(at)
	case c.now.Before(p.reboot.At):
		p.remind()
	case c.there() && p.reboot.Told != noticeTime && ok: // the agent was stopped when the last notice was due
		p.announce(at)
	default:
		p.begin(forced)
	}
}

const onBattery = "this machine runs on its battery"

// moment is when the machine can be restarted so that those who are logged in know as long
// before as the window leaves. A window that leaves no minute leaves no moment.
func (c rebootCase) moment(earliest time.Time, forced bool) (time.Time, bool) {
	if forced {
		return c.now.Add(noticeTime), true
	}
	state := window.Open(c.windows, earliest)
	if c.problem != "" || !state.Open {
		return time.Time{}, false
	}
	if !c.there() {
		return earliest, true
	}
	last := state.Until.Add(-rebootRoom)
	for _, n := range notices() {
		if at := laterTime(c.now.Add(n), earliest); state.Until.IsZero() || !at.After(last) {
			return at, true
		}
	}
	return last, !last.Before(earliest) && last.Sub(c.now) >= leastNotice
}

// openingAfter is the next opening of a window, after the one that is open at t.
func (c rebootCase) openingAfter(t time.Time) time.Time {
	if c.problem != "" {
		return time.Time{}
	}
	if state := window.Open(c.windows, t); state.Open && !state.Until.IsZero() {
		t = state.Until
	} else if state.Open {
		return time.Time{}
	}
	from, _, ok := window.Next(c.windows, t)
	if !ok {
		return time.Time{}
	}
	return from
}

// tomorrow is when the device's next day begins.
func (c rebootCase) tomorrow() time.Time {
	y, m, d := c.now.In(c.zone).Date()
	return time.Date(y, m, d+1, 0, 0, 0, 0, c.zone)
}

// begin restarts the machine now.
func (p *rebootPlan) begin(forced bool) {
	c := p.c
	if c.present.Battery == patch.Yes && !forced {
		p.callOff(onBattery)
		p.wait(c.now.Add(rebootLook), "The machine runs on its battery. It restarts when it has power.")
		return
	}
	if !c.mayReboot(p.jobs, p.reboot.Chosen && c.alone() && c.device.Rebooting().When == wire.RebootAsk) {
		p.callOff(c.window().Why)
		p.wait(c.openingAfter(c.now), "The machine restarts when the window opens.")
		return
	}
	p.now = true
	p.reboot = p.reboot.Making(journal.Made{At: c.now, Day: c.day(c.now), Boot: c.report.Facts.BootID, Forced: forced, Chosen: p.reboot.Chosen})
	for _, j := range p.jobs {
		j.Rebooted, j.Retry = true, time.Time{}
		p.change.Jobs = append(p.change.Jobs, at(j, wire.StepRebooting, wire.Restarts, c.now))
	}
}

// announce tells those who are logged in of a moment, with the first notice.
func (p *rebootPlan) announce(when time.Time) {
	p.reboot.At, p.reboot.Chosen = when, false
	p.reboot.Told = firstNotice(when, p.c.now)
	if p.reboot.Told > 0 {
		p.say = p.c.notice(when)
	}
	p.wait(nextNotice(when, p.c.now, p.reboot.Told), p.c.awaits(when))
}

// remind gives the notice that is due now, and waits for the next.
func (p *rebootPlan) remind() {
	if due := dueNotice(p.reboot.At, p.c.now, p.reboot.Told); due > 0 {
		p.reboot.Told = due
		p.say = p.c.notice(p.reboot.At)
	}
	p.wait(nextNotice(p.reboot.At, p.c.now, p.reboot.Told), p.c.awaits(p.reboot.At))
}

// awaits says in the history when the machine restarts, in words that stay the same until then.
func (c rebootCase) awaits(when time.Time) string {
	return fmt.Sprintf("The machine restarts at %s, as those who are logged in know.", c.clock(when))
}

// callOff takes a moment back that people were told of.
func (p *rebootPlan) callOff(why string) {
	known := !p.reboot.At.IsZero() && (p.reboot.Told > 0 || p.reboot.Chosen)
	p.unplan()
	if !known {
		return
	}
	p.say = "Patchbay does not restart this machine now after all."
	for _, j := range p.jobs {
		err := errors.New("the reboot that was announced is called off: " + why)
		p.change.Outcomes = append(p.change.Outcomes, told(j, wire.ResultRefused, err, p.c.now))
	}
}

// pass takes jobs on to verification, which says whether a reboot is still to be made.
func (p *rebootPlan) pass(jobs ...journal.Job) {
	for _, j := range jobs {
		j.Retry = time.Time{}
		p.change.Jobs = append(p.change.Jobs, at(j, steps()[j.Step].ok, "", p.c.now))
	}
}

// wait has the jobs wait. One whose time is over by then, or that waits for nothing, goes on to
// verification.
func (p *rebootPlan) wait(until time.Time, why string) {
	for _, j := range p.jobs {
		switch {
		case until.IsZero() || !until.Before(j.NotAfter) && p.reboot.At.IsZero():
			p.pass(j)
		case j.Why == why && j.Retry.After(p.c.now) && !j.Retry.After(until) && until.Sub(j.Retry) < rebootLook: // it waits for this already
		case !j.Retry.Equal(until) || j.Why != why:
			j.Retry = until
			p.change.Jobs = append(p.change.Jobs, at(j, steps()[j.Step].again, why, p.c.now))
		}
	}
}

// clock is a moment as people at the machine read it.
func (c rebootCase) clock(t time.Time) string {
	t = t.In(c.zone)
	if c.day(t) == c.day(c.now) {
		return t.Format("15:04")
	}
	return t.Format("Mon 15:04")
}

// times is how often, in a word.
func times(n int) string {
	switch n {
	case 1:
		return "once"
	case 2:
		return "twice"
	}
	return fmt.Sprintf("%d times", n)
}
