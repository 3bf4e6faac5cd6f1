package journal

import (
	"slices"
	"time"

	"patchbay/patch"
	"patchbay/provider"
	"patchbay/wire"
)

// Job is one job and where it stands. It holds all that is needed to go on after a restart,
// also when the orders no longer list it.
type Job struct {
	wire.Job
	Device string             `json:"device"`
	Orders wire.OrdersVersion `json:"orders"` // under which it was taken on

	Step  wire.Step `json:"step"`
	Since time.Time `json:"since"`
	Why   string    `json:"why,omitempty"`   // a sentence, while it waits
	Loops int       `json:"loops,omitempty"` // busy, offline or not readable
	Tries int       `json:"tries,omitempty"` // begun and interrupted
	Retry time.Time `json:"retry,omitzero"`  // not to be tried again before

	// Begun says that applying began once: from then on the job is no longer withdrawn, it
	// runs to its verification.
	Begun      bool                `json:"begun,omitempty"`
	StartedAt  time.Time           `json:"started_at,omitzero"`
	Before     string              `json:"before,omitempty"`
	BootBefore string              `json:"boot_before,omitempty"`
	Approval   string              `json:"approval,omitempty"` // the signed one under which it began
	Changes    []provider.Change   `json:"changes,omitempty"`
	Conflicts  []provider.Conflict `json:"conflicts,omitempty"`
	Reboot     patch.Answer        `json:"reboot,omitempty"`
	Restarts   []Restart           `json:"restarts,omitempty"` // of services, in the order they were begun
	CloseAt    time.Time           `json:"close_at,omitzero"`  // the moment at which its program is closed, as was announced
	Rebooted   bool                `json:"rebooted,omitempty"` // a reboot was asked for
	Failure    *Failure            `json:"failure,omitempty"`  // of the last apply
}

// Failure is how applying went wrong, in the provider's words.
type Failure struct {
	Result  wire.Result `json:"result"`
	Message string      `json:"message"`
	Detail  string      `json:"detail,omitempty"`
}

// Restart is one service restarted for a job.
type Restart struct {
	Service string `json:"service"`
	Tries   int    `json:"tries"` // begun, and all but the last of them interrupted
	Ended   bool   `json:"ended,omitempty"`
	Problem string `json:"problem,omitempty"` // a sentence, when it failed
}

// Ended is what is remembered of a job that is over: enough to know it when it is listed
// again, and when what it left is to be finished.
func (j Job) Ended(step wire.Step, now time.Time) Job {
	return Job{Job: wire.Job{ID: j.ID, Verb: j.Verb, Target: j.Target, Forced: j.Forced}, Device: j.Device, Orders: j.Orders,
		Step: step, Since: now, Begun: j.Begun}
}

// state is what all lines together say.
type state struct {
	Next         int64          `json:"next"` // number of the next outcome
	Acknowledged int64          `json:"acknowledged"`
	Jobs         map[string]Job `json:"jobs"`
	Reboot       Reboot         `json:"reboot,omitzero"`
	Outcomes     []outcome      `json:"outcomes,omitempty"` // by number
}

type outcome struct {
	wire.Outcome
	AckedAt *time.Time `json:"acked_at,omitempty"`
}

// apply makes one line true. It must give the same result each time the journal is read.
func (s *state) apply(c Change) {
	if c.Base != nil {
		*s = *c.Base
		if s.Jobs == nil {
			s.Jobs = map[string]Job{}
		}
	}
	for _, job := range c.Jobs {
		s.Jobs[job.ID] = job
	}
	for _, id := range c.Dropped {
		delete(s.Jobs, id)
	}
	for _, o := range c.Outcomes {
		s.Outcomes = append(s.Outcomes, outcome{Outcome: o})
		s.Next = max(s.Next, o.Seq+1)
	}
	if c.Reboot != nil {
		s.Reboot = *c.Reboot
	}
	if c.Ack != nil {
		s.acknowledge(*c.Ack)
	}
}

func (s *state) acknowledge(a Ack) {
	if a.Through >= s.Next {
		s.renumber(a.Through + 1)
	}
	s.Acknowledged = a.Through
	for i, o := range s.Outcomes {
		switch {
		case o.Seq > a.Through:
			s.Outcomes[i].AckedAt = nil
		case o.AckedAt == nil:
			s.Outcomes[i].AckedAt = &a.At
		}
	}
	s.prune(a.At) // last: what a restored server turns out to lack is old by now, and is told again
}

// renumber gives the pending outcomes numbers from next on.
func (s *state) renumber(next int64) {
	for i := range s.Outcomes {
		if s.Outcomes[i].AckedAt == nil {
			s.Outcomes[i].Seq = next
			next++
		}
	}
	s.Next = next
}

// prune forgets what the server has held for long enough.
func (s *state) prune(now time.Time) {
	s.Outcomes = slices.DeleteFunc(s.Outcomes, func(o outcome) bool {
		return o.AckedAt != nil && now.Sub(*o.AckedAt) > Keep
	})
}
