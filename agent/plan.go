package agent

import (
	"fmt"
	"slices"
	"time"

	"patchbay/agent/journal"
	"patchbay/window"
	"patchbay/wire"
)

// situation is all that a decision about jobs rests on.
type situation struct {
	now     time.Time
	sure    bool   // whether now can be relied on
	refused bool   // the server no longer accepts this agent
	doubt   string // a sentence, while it is not sure that this machine is the one it was
	device  wire.DeviceOrders
	windows window.Set
	problem string // a sentence, when the windows cannot be used: then they are closed
}

func newSituation(now time.Time, sure, refused bool, device wire.DeviceOrders) situation {
	s := situation{now: now, sure: sure, refused: refused, device: device}
	set, err := window.New(device.Windows)
	if err != nil {
		s.problem = fmt.Sprintf("Closed: the windows in the orders cannot be used: %v.", err)
	}
	s.windows = set
	return s
}

// window is whether the window is open, and the sentence and next change that go with it.
func (s situation) window() window.State {
	if s.problem != "" {
		return window.State{Why: s.problem}
	}
	return window.Open(s.windows, s.now)
}

// readiness is whether a waiting job may begin, and if not, why and when to look again.
// A zero time means that only new orders change the answer.
func (s situation) readiness(j journal.Job) (ready bool, why string, next time.Time) {
	state := s.window()
	switch {
	case s.refused:
		return false, "Stopped: the server no longer accepts this agent.", time.Time{}
	case s.doubt != "":
		return false, s.doubt, time.Time{}
	case !s.sure:
		return false, "Waiting to hear from the server: this machine's clock is not plausible.", time.Time{}
	case s.now.Before(j.NotBefore):
		return false, fmt.Sprintf("Not before %s.", j.NotBefore.UTC().Format("2006-01-02 15:04 MST")), j.NotBefore
	case j.Forced == "" && !state.Open:
		return false, state.Why, state.Until
	case s.now.Before(j.Retry):
		return false, j.Why, j.Retry
	}
	return true, "", time.Time{}
}

// lists reports whether the orders in force ask for the job.
func (s situation) lists(j journal.Job) bool {
	return slices.ContainsFunc(s.device.Jobs, func(o wire.Job) bool { return o.ID == j.ID })
}

// mayReboot is whether the machine may be restarted now for these jobs. Outside the window only
// a forced job that asked for a reboot itself allows it, or whoever is at the machine chose it.
func (s situation) mayReboot(jobs []journal.Job, chosen bool) bool {
	if s.device.Rebooting().When == wire.RebootNever || !s.sound() {
		return false
	}
	return s.window().Open || chosen || slices.ContainsFunc(jobs, isForced)
}

// adoption is what new orders change in what the journal holds.
type adoption struct {
	enter   []journal.Job // new jobs, and known ones whose terms changed
	refuse  []journal.Job // new jobs that are never run; Why says the reason
	drop    []journal.Job // withdrawn before applying began
	verify  []journal.Job // withdrawn or expired after that: looked at once more, then over
	expired []journal.Job
	forget  []string // ended jobs that nobody lists any more, and that no restored server would list again
}

// adopt compares the wish with what the journal holds. refusal is guard's.
func adopt(s situation, version wire.OrdersVersion, known []journal.Job, refusal func(wire.Job) string) adoption {
	var a adoption
	listed := map[string]wire.Job{}
	for _, j := range s.device.Jobs {
		listed[j.ID] = j
	}
	have := map[string]bool{}
	for _, j := range known {
		have[j.ID] = true
		wish, wanted := listed[j.ID]
		a.known(s, j, wish, wanted)
	}
	for _, j := range s.device.Jobs {
		if have[j.ID] {
			continue
		}
		have[j.ID] = true
		job := journal.Job{Job: j, Device: s.device.Device, Orders: version, Step: wire.StepStaging, Since: s.now}
		switch job.Why = refusal(j); {
		case job.Why != "":
			a.refuse = append(a.refuse, job)
		case s.sure && !s.now.Before(j.NotAfter):
			a.expired = append(a.expired, job)
		default:
			a.enter = append(a.enter, job)
		}
	}
	return a
}

// known decides about one job that the journal holds.
func (a *adoption) known(s situation, j journal.Job, wish wire.Job, wanted bool) {
	idle := j.Step == wire.StepStaging || j.Step == wire.StepWaiting
	switch {
	case j.Step.Ended() && !wanted && s.now.Sub(j.Since) > journal.Keep:
		a.forget = append(a.forget, j.ID)
	case j.Step.Ended() || !idle:
	case !wanted && !j.Begun:
		a.drop = append(a.drop, j)
	case !wanted:
		a.verify = append(a.verify, j)
	case s.sure && !s.now.Before(wish.NotAfter) && j.Begun:
		a.verify = append(a.verify, j)
	case s.sure && !s.now.Before(wish.NotAfter):
		a.expired = append(a.expired, j)
	case changed(j.Job, wish):
		j.Job = wish
		j.Retry = time.Time{}
		a.enter = append(a.enter, j)
	}
}

// changed reports whether the terms of a job are others than before. What makes it the same
// job cannot change: its ID is made of that.
func changed(was, is wire.Job) bool {
	return !was.NotBefore.Equal(is.NotBefore) || !was.NotAfter.Equal(is.NotAfter) || was.Forced != is.Forced ||
		!slices.Equal(was.AllowRemovals, is.AllowRemovals)
}
