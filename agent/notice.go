package agent

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"patchbay/agent/inventory"
	"patchbay/agent/journal"
	"patchbay/provider"
	"patchbay/wire"
)

const (
	// noticeTime is how long before a reboot those who are logged in are told.
	noticeTime = 5 * time.Minute
	// rebootRoom is how long before the end of the window a machine is to go down.
	rebootRoom = time.Minute
)

// rebootPlan is what is done now about a reboot that jobs ask for.
type rebootPlan struct {
	change journal.Change
	say    string // to those who are logged in
	now    bool   // the machine is to be told to restart
}

// planReboot decides it for all jobs together. people reports whether somebody is logged in.
func planReboot(s situation, all []journal.Job, r inventory.Report, mode wire.Mode, people func() bool) rebootPlan {
	var p rebootPlan
	var jobs []journal.Job
	var announced time.Time
	for _, j := range all {
		if !rebootWanted(s, j, r) { // somebody made it meanwhile
			j.RebootAt, j.Retry = time.Time{}, time.Time{}
			p.change.Jobs = append(p.change.Jobs, at(j, steps()[j.Step].ok, "", s.now))
			continue
		}
		jobs = append(jobs, j)
		if j.RebootAt.After(announced) {
			announced = j.RebootAt
		}
	}
	switch {
	case len(jobs) == 0:
	case mode != wire.Manage || !s.mayReboot(jobs):
		p.putOff(s, jobs, announced)
	case announced.IsZero() || announced.Sub(s.now) > noticeTime: // the clock was set meanwhile
		if notice := s.notice(); notice > 0 && people() {
			p.announce(s, jobs, s.now.Add(notice))
			return p
		}
		p.restart(s, jobs)
	case s.now.Before(announced):
		p.wait(s, jobs, announced)
	default:
		p.restart(s, jobs)
	}
	return p
}

// notice is how much warning is possible: a window that ends sooner leaves less.
func (s situation) notice() time.Duration {
	state := s.window()
	if !state.Open || state.Until.IsZero() {
		return noticeTime
	}
	return max(0, min(noticeTime, state.Until.Add(-rebootRoom).Sub(s.now)))
}

func (p *rebootPlan) restart(s situation, jobs []journal.Job) {
	p.now = true
	for _, j := range jobs {
		j.Rebooted, j.RebootAt, j.Retry = true, time.Time{}, time.Time{}
		p.change.Jobs = append(p.change.Jobs, at(j, wire.StepRebooting, wire.Restarts, s.now))
	}
}

func (p *rebootPlan) announce(s situation, jobs []journal.Job, when time.Time) {
	minutes := int(when.Sub(s.now).Round(time.Minute) / time.Minute)
	p.say = fmt.Sprintf("Patchbay restarts this machine in %d minutes to finish updates. Save your work and log out.", max(1, minutes))
	for _, j := range jobs {
		j.RebootAt, j.Retry = when, when
		why := fmt.Sprintf("Those who are logged in were told: the machine restarts at %s.", when.UTC().Format("15:04 MST"))
		p.change.Jobs = append(p.change.Jobs, at(j, steps()[j.Step].again, why, s.now))
	}
}

// wait has jobs that came later wait for the moment that was announced.
func (p *rebootPlan) wait(s situation, jobs []journal.Job, when time.Time) {
	for _, j := range jobs {
		if !j.RebootAt.Equal(when) {
			j.RebootAt, j.Retry = when, when
			p.change.Jobs = append(p.change.Jobs, at(j, steps()[j.Step].again, "The machine restarts when those who are logged in had their time.", s.now))
		}
	}
}

// putOff is for a reboot that may not be made now: it waits for the window where it may be
// made then; otherwise verification says that it is still to be made.
func (p *rebootPlan) putOff(s situation, jobs []journal.Job, announced time.Time) {
	if !announced.IsZero() {
		p.say = "Patchbay does not restart this machine now after all."
	}
	for _, j := range jobs {
		if !j.RebootAt.IsZero() {
			j.RebootAt = time.Time{}
			err := errors.New("the reboot that was announced is called off: " + cmp.Or(s.doubt, s.window().Why))
			if !s.device.Reboot {
				err = errors.New("the reboot that was announced is called off: it is no longer allowed here")
			}
			p.change.Outcomes = append(p.change.Outcomes, told(j, wire.ResultRefused, err, s.now))
		}
		opens := s.opens(j)
		switch {
		case !s.device.Reboot || opens.IsZero():
			j.Retry = time.Time{}
			p.change.Jobs = append(p.change.Jobs, at(j, steps()[j.Step].ok, "", s.now))
		case !j.Retry.Equal(opens):
			j.Retry = opens
			p.change.Jobs = append(p.change.Jobs, at(j, steps()[j.Step].again, "The machine restarts when the window opens.", s.now))
		}
	}
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
