package sim

import (
	"slices"
	"time"

	"patchbay/patch"
	"patchbay/provider"
	"patchbay/window"
	"patchbay/wire"
	"patchbay/wire/trust"
)

// job is one job and how far the machine is with it. Times are by the server's clock.
type job struct {
	wire.Job
	Step       wire.Step          `json:"step"`
	Since      time.Time          `json:"since"`
	Due        time.Time          `json:"due"` // when the step ends
	Why        string             `json:"why,omitempty"`
	Fate       fate               `json:"fate,omitempty"`
	Orders     wire.OrdersVersion `json:"orders"`
	Before     string             `json:"before,omitempty"`
	BootBefore string             `json:"boot_before,omitempty"`
	StartedAt  time.Time          `json:"started_at"`
	Failure    string             `json:"failure,omitempty"`
	Approval   string             `json:"approval,omitempty"`
}

// fate is what is to become of a job, drawn when it comes.
type fate string

// The fates.
const (
	works      fate = ""
	fails      fate = "fails"       // to install
	busyOnce   fate = "busy"        // another program works at first
	noDownload fate = "no_download" // what is missing is then fetched while applying
)

// adopt compares the orders with the jobs the machine has.
func (m *machine) adopt() {
	wish := m.orders()
	listed := map[string]wire.Job{}
	for _, j := range wish.Jobs {
		listed[j.ID] = j
	}
	m.Jobs = slices.DeleteFunc(m.Jobs, func(j job) bool {
		_, wanted := listed[j.ID]
		return !wanted && (j.Step.Ended() || j.Step == wire.StepStaging || j.Step == wire.StepWaiting)
	})
	for i := range m.Jobs {
		if j, wanted := listed[m.Jobs[i].ID]; wanted {
			m.Jobs[i].Job = j // its terms may have changed
			delete(listed, j.ID)
		}
	}
	for _, j := range wish.Jobs {
		if _, fresh := listed[j.ID]; !fresh {
			continue
		}
		delete(listed, j.ID)
		if j.ID != wire.JobID(m.Device, j.Verb, j.Target, j.Decision, j.Attempt) || j.Verb != wire.VerbInstall {
			m.sim.account.failure("job that is not what its ID says")
			continue
		}
		m.Jobs = append(m.Jobs, m.enter(j))
	}
}

func (m *machine) enter(j wire.Job) job {
	d := roll(m.sim.fleet.Seed, j.Target.Name, m.Number*16+j.Attempt)
	entered := job{Job: j, Step: wire.StepStaging, Since: m.now(), Orders: m.Orders.Seen}
	switch x := d.below(100); {
	case d.hits(m.sim.options.Faults.FailedJobs):
		entered.Fate = fails
	case x < 3:
		entered.Fate = busyOnce
	case x < 5:
		entered.Fate = noDownload
	}
	entered.Due = m.now().Add(m.takes(2, 60))
	return entered
}

// takes is how long a step takes, in seconds, and in the pace of the work.
func (m *machine) takes(low, high int) time.Duration {
	return max(time.Second, scale(m.sim.options.Pace, time.Duration(m.Chance.between(low, high))*time.Second))
}

// workBy looks at the jobs again at a time of the server's clock.
func (m *machine) workBy(server time.Time) {
	at := server.Add(-m.ahead)
	if now := m.sim.now(); at.Before(now) {
		at = now
	}
	if !m.workAt.IsZero() && !at.Before(m.workAt) {
		return
	}
	m.workAt = at
	m.sim.schedule.at(at, func() {
		if m.workAt.Equal(at) {
			m.workAt = time.Time{}
			m.work()
		}
	})
}

// work moves every job on whose step is over, and says when to look again.
func (m *machine) work() {
	if m.Quiet || m.down {
		return
	}
	moved := false
	for i := range m.Jobs {
		moved = m.advance(&m.Jobs[i]) || moved
		if m.down {
			return
		}
	}
	moved = m.beginReady() || moved
	for _, j := range m.Jobs {
		switch {
		case j.Step == wire.StepWaiting:
			if next := m.opens(j); !next.IsZero() {
				m.workBy(next)
			}
		case !j.Step.Ended():
			m.workBy(j.Due)
		}
	}
	if moved {
		m.news()
	}
}

// advance moves one job over the end of its step.
func (m *machine) advance(j *job) bool {
	if j.Step.Ended() || j.Step == wire.StepWaiting || m.now().Before(j.Due) {
		return false
	}
	switch j.Step {
	case wire.StepStaging:
		if j.Fate == noDownload {
			m.tell(wire.Outcome{Job: j.ID, Step: j.Step, Result: wire.ResultFailed, Message: "The download broke off; it is tried again while installing."})
		}
		m.to(j, wire.StepWaiting, 0)
	case wire.StepApplying:
		m.applied(j)
	case wire.StepRebooting:
		m.to(j, wire.StepVerifying, m.takes(5, 20))
	case wire.StepVerifying:
		m.verify(j)
	}
	return true
}

func (m *machine) to(j *job, step wire.Step, takes time.Duration) {
	j.Step, j.Since, j.Due, j.Why = step, m.now(), m.now().Add(takes), ""
	m.sim.trace(m, string(step)+" "+j.Target.Name)
}

// opens is when a waiting job may begin next, the zero time when only new orders change that.
func (m *machine) opens(j job) time.Time {
	now := m.now()
	switch {
	case now.Before(j.NotBefore):
		return j.NotBefore
	case now.Before(j.Due):
		return j.Due
	case j.Forced != "":
		return now
	}
	set, err := window.New(m.orders().Windows)
	if err != nil {
		return time.Time{}
	}
	if state := window.Open(set, now); !state.Open {
		return state.Until
	}
	return now
}

// beginReady begins every waiting job that may, all of them together.
func (m *machine) beginReady() bool {
	if !m.heard || slices.ContainsFunc(m.Jobs, func(j job) bool { return j.Step == wire.StepRebooting }) {
		return false
	}
	begun := false
	takes := m.takes(10, 240)
	for i := range m.Jobs {
		j := &m.Jobs[i]
		if j.Step != wire.StepWaiting {
			continue
		}
		if at := m.opens(*j); at.IsZero() || at.After(m.now()) || !m.now().Before(j.NotAfter) {
			continue
		}
		if may := m.rule(j); !may.OK {
			j.Why, j.Due = may.Why, m.now().Add(10*time.Minute)
			continue
		}
		j.Before, j.BootBefore, j.StartedAt = m.version(j.Target), m.bootID(), m.own()
		m.to(j, wire.StepApplying, takes)
		begun = true
	}
	return begun
}

// rule asks the limits, as far as the machine holds any.
func (m *machine) rule(j *job) trust.Ruling {
	if !m.Trust.Limited() {
		return trust.Ruling{OK: true}
	}
	name, err := wire.KeyName(m.key.Public())
	if err != nil {
		return trust.Ruling{Why: err.Error()}
	}
	u := m.offer(j.Target)
	r := m.Trust.Rule(trust.Work{Agent: name, Verb: j.Verb, Target: j.Target, Origin: u.Origin, Security: u.Is(patch.Security), Forced: j.Forced != ""},
		m.Orders.Approvals, m.now(), m.own())
	j.Approval = r.Approval
	return r
}

// offer is the update of a target as the device first had it on offer.
func (m *machine) offer(t wire.Target) patch.Update {
	for _, sw := range m.sim.fleet.Software(m.device) {
		for _, u := range sw.Updates {
			if u.Key() == t.Key() {
				return u
			}
		}
	}
	return patch.Update{}
}

// version is the one installed now, "" when there is none.
func (m *machine) version(t wire.Target) string {
	if v, ok := m.Changed[t.Key().String()]; ok {
		return v
	}
	for _, sw := range m.sim.fleet.Software(m.device) {
		for _, item := range sw.Items {
			if item.Key() == t.Key() {
				return item.Version
			}
		}
	}
	return ""
}

// applied is what the package manager did: it installed the version, or it did not.
func (m *machine) applied(j *job) {
	switch {
	case j.Fate == busyOnce:
		j.Fate = works
		m.tell(wire.Outcome{Job: j.ID, Step: j.Step, Result: wire.ResultBusy, Message: "Another package manager works on this machine."})
		m.to(j, wire.StepWaiting, m.takes(30, 45))
		j.Why = "Another package manager works on this machine."
		return
	case j.Fate == fails || j.Before == "":
		j.Failure = "The package manager ended with an error."
		m.tell(wire.Outcome{Job: j.ID, Step: j.Step, Result: wire.ResultFailed, Message: j.Failure, Detail: "sub-process returned an error code (1)"})
		m.to(j, wire.StepVerifying, m.takes(5, 20))
		return
	}
	m.Changed[j.Target.Key().String()] = j.Target.To
	m.scan()
	if m.offer(j.Target).Reboot != patch.Yes {
		m.to(j, wire.StepVerifying, m.takes(5, 20))
		return
	}
	if !slices.Contains(m.Pending, j.Target.Name) {
		m.Pending = append(m.Pending, j.Target.Name)
		slices.Sort(m.Pending)
	}
	if !m.mayReboot(j) || slices.ContainsFunc(m.Jobs, func(o job) bool { return o.ID != j.ID && o.Step == wire.StepApplying && m.now().Before(o.Due) }) {
		m.to(j, wire.StepVerifying, m.takes(5, 20))
		return
	}
	m.to(j, wire.StepRebooting, 0)
	m.reboot()
}

func (m *machine) mayReboot(j *job) bool {
	set, err := window.New(m.orders().Windows)
	return err == nil && m.orders().Rebooting().When != wire.RebootNever && (window.Open(set, m.now()).Open || j.Forced != "")
}

// reboot takes the machine away for a while. What is not on its disk is gone then.
func (m *machine) reboot() {
	m.down = true
	m.sim.trace(m, "restarts")
	if m.hangUp != nil {
		m.hangUp()
	}
	m.sim.schedule.at(m.sim.now().Add(m.takes(40, 180)), func() {
		m.down, m.talkAt, m.workAt = false, time.Time{}, time.Time{}
		m.Boot++
		m.BootedAt, m.Pending, m.held = m.own(), nil, held{}
		m.scan()
		for i := range m.Jobs {
			if j := &m.Jobs[i]; j.Step == wire.StepRebooting {
				m.tell(wire.Outcome{Job: j.ID, Step: j.Step, Result: wire.ResultOK, Message: "The machine restarted."})
				m.to(j, wire.StepVerifying, m.takes(5, 20))
			}
		}
		m.talkBy(m.sim.now())
		m.work()
	})
}

// verify ends a job by what a fresh scan shows, and signs for it.
func (m *machine) verify(j *job) {
	m.scan()
	after := m.version(j.Target)
	r := wire.Receipt{Job: j.ID, Device: m.Device, Agent: m.Agent, Decision: j.Decision, Target: j.Target, Before: j.Before, After: after,
		BootBefore: j.BootBefore, BootAfter: m.bootID(), StartedAt: j.StartedAt, EndedAt: m.own(), Orders: j.Orders, Forced: j.Forced,
		Approval: j.Approval, Step: wire.StepFailed, Message: j.Failure}
	o := wire.Outcome{Job: j.ID, Step: wire.StepFailed, Result: wire.ResultFailed}
	if after == j.Target.To {
		pending := slices.Contains(m.Pending, j.Target.Name)
		r.Step, r.Verified, r.Message = wire.StepDone, !pending, j.Target.Name+" is now "+after+"."
		r.Changes = []provider.Change{{Name: j.Target.Name, Architecture: j.Target.Architecture, From: j.Before, To: after, Asked: true}}
		o.Step, o.Result = wire.StepDone, wire.ResultOK
		if pending {
			r.Message += " It becomes active when the machine restarts, which is still to be done."
		}
	}
	o.Message = r.Message
	envelope, err := wire.Seal(wire.ReceiptDocument, r, m.key)
	if err != nil {
		m.sim.account.failure("receipt not signed")
	}
	o.Receipt = envelope
	m.tell(o)
	m.to(j, o.Step, 0)
	m.sim.account.Jobs[string(o.Step)]++
}
