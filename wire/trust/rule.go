package trust

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"time"

	"patchbay/wire"
)

func unmarshal(data []byte, v any) error {
	if err := json.Unmarshal(data, v); err != nil {
		return form("%v", err)
	}
	return nil
}

// Work is what a job would do on a device, by the device's own reading.
type Work struct {
	Agent    string // name of the agent's key (wire.KeyName)
	Verb     string
	Target   wire.Target
	Origin   string // of the version wanted, as the device's signed index says; "" when it does not
	Security bool   // it is a security update, as the device's signed index says
	Forced   bool   // outside its window
}

// Ruling says whether work may begin.
type Ruling struct {
	OK       bool
	Refused  bool      // it may not, and waiting changes nothing
	Why      string    // a sentence, unless it may
	Next     time.Time // when the clock alone may change the answer, by the device's clock; zero: only documents do
	Approval string    // the signed approval it rests on, where one was needed
}

// Limited reports whether there is anything that limits the server here.
func (s State) Limited() bool { return s.Limits != nil || s.Root != nil && s.Root.Limits > 0 }

// Lapsed says in a sentence why the root and the limits cannot be gone by now, "" when they
// can, or when there are none. A root that ended lapses also where it asks for no limits:
// somebody may be holding back the one after it, which does.
func (s State) Lapsed(now time.Time) string {
	switch {
	case s.Root == nil:
		return ""
	case !now.Before(s.Root.Expires):
		return fmt.Sprintf("The installation's root ended on %s.", day(s.Root.Expires))
	case !s.Limited():
		return ""
	case s.Limits == nil:
		return "The limits that the installation's root asks for have not arrived."
	case !now.Before(s.Limits.Expires):
		return fmt.Sprintf("The limits ended on %s.", day(s.Limits.Expires))
	}
	return ""
}

func day(t time.Time) string { return t.UTC().Format(time.DateOnly) }

// Rule says whether the work may begin under the limits. now is the server's time as far as
// it is known. device is what the device's own clock says, right or wrong: the hours in which
// it may work come from that alone, so that a server that lies about the time changes nothing.
func (s State) Rule(w Work, approvals []wire.Envelope, now, device time.Time) Ruling {
	if why := s.Lapsed(now); why != "" {
		if w.Security && !w.Forced && w.Verb == wire.VerbInstall {
			return Ruling{OK: true}
		}
		return Ruling{Why: why + " Until there is a newer one, only security updates are installed, in their windows."}
	}
	if !s.Limited() {
		return Ruling{OK: true}
	}
	l := *s.Limits
	switch {
	case !slices.Contains(l.Verbs, w.Verb):
		return Ruling{Refused: true, Why: fmt.Sprintf("The limits do not allow the verb %.40q.", w.Verb)}
	case w.Verb == wire.VerbInstall && !allows(l, w): // undoing brings back what the device had, from nowhere
		return Ruling{Refused: true, Why: fmt.Sprintf("The limits do not allow updates of %s from %q.", w.Target.Provider, w.Origin)}
	}
	signed, id := s.approved(w, approvals, now)
	if w.Forced && signed < l.Forced {
		return Ruling{Why: fmt.Sprintf("The limits ask for the signatures of %d approvers before it is forced outside its window; it has %d.", l.Forced, signed)}
	}
	if s.own(w.Agent, device) {
		return Ruling{OK: true, Approval: id}
	}
	if l.Approvals > 0 && signed >= l.Approvals {
		return Ruling{OK: true, Approval: id}
	}
	return Ruling{Why: fmt.Sprintf("The limits let about %d devices begin in an hour; this one's turn comes.", l.DevicesPerHour),
		Next: s.turn(w.Agent, device)}
}

func allows(l wire.Limits, w Work) bool {
	return slices.ContainsFunc(l.Sources, func(s wire.LimitSource) bool {
		return s.Provider == w.Target.Provider && (s.Origin == "" || s.Origin == w.Origin)
	})
}

// approved counts the approvers who signed for exactly this work, under the one document
// that most of them signed, and names it.
func (s State) approved(w Work, approvals []wire.Envelope, now time.Time) (most int, id string) {
	for i := range approvals {
		e := &approvals[i]
		if s.Root.Approver.Empty() || e.SignedBy(wire.ApprovalDocument, s.Root.Approver) != nil {
			continue
		}
		var a wire.Approval
		if unmarshal(e.Payload, &a) != nil || !covers(a, w, now) || a.Root > s.Root.Version {
			continue
		}
		names, err := e.Signers(wire.ApprovalDocument, s.Root.Approver.Public()...)
		if err == nil && len(names) > most {
			most, id = len(names), a.ID
		}
	}
	return most, id
}

func covers(a wire.Approval, w Work, now time.Time) bool {
	return CheckApproval(a) == nil && now.Before(a.Expires) && (a.Forced || !w.Forced) && slices.Contains(a.Agents, w.Agent) &&
		slices.ContainsFunc(a.Updates, func(u wire.ApprovedUpdate) bool {
			return u.Provider == w.Target.Provider && u.Name == w.Target.Name && u.Architecture == w.Target.Architecture && u.To == w.Target.To && u.Does(w.Verb)
		})
}

// CheckApproval says what is wrong with the form of a signed approval.
func CheckApproval(a wire.Approval) error {
	switch {
	case a.ID == "" || len(a.ID) > 100:
		return form("it has no ID")
	case a.Root < 1:
		return form("it names no root")
	case !a.Expires.After(a.IssuedAt) || a.Expires.Sub(a.IssuedAt) > MaxApproval:
		return form("it holds for longer than %s, or for no time", MaxApproval)
	case len(a.Agents) == 0 || len(a.Agents) > wire.MaxApproved:
		return form("it names %d agents; 1 to %d can be", len(a.Agents), wire.MaxApproved)
	case len(a.Updates) == 0 || len(a.Updates) > wire.MaxApproved:
		return form("it names %d updates; 1 to %d can be", len(a.Updates), wire.MaxApproved)
	}
	return nil
}

// MaxApproval is for how long a signed approval can hold.
const MaxApproval = 14 * 24 * time.Hour

// cycle is the number of hours of which one is a device's own. A fleet that is divided by
// chance into that many parts has, in each hour, a part whose size scatters around an
// expected one by its square root. Four such deviations, and a little for the smallest
// numbers, are left below the limit: the chance that an hour has more devices than the limit
// says is below 1 in 1,000, and below 1 in 10,000 from 50 on.
func cycle(l wire.Limits) int64 {
	if l.DevicesPerHour <= 0 || l.DevicesPerHour >= l.Fleet {
		return 1
	}
	root := math.Sqrt(float64(l.DevicesPerHour)+4-0.125) - 2 // of the expected size: x + 4√x + 1/8 = limit
	return int64(math.Ceil(float64(l.Fleet) / (root * root)))
}

// own reports whether the hour of the device's clock is one of those in which this agent may
// begin work.
func (s State) own(agent string, device time.Time) bool {
	n := cycle(*s.Limits)
	hour := hourOf(device)
	return hour%n == slot(agent, hour/n, n)
}

// turn is the beginning of the next hour of the device's clock that is its own.
func (s State) turn(agent string, device time.Time) time.Time {
	n := cycle(*s.Limits)
	hour := hourOf(device) + 1
	next := hour/n*n + slot(agent, hour/n, n)
	if next < hour {
		next = (hour/n+1)*n + slot(agent, hour/n+1, n)
	}
	return time.Unix(next*3600, 0).UTC()
}

// hourOf counts hours from 1970; a clock before it is at its beginning.
func hourOf(t time.Time) int64 { return max(t.Unix(), 0) / 3600 }

// slot is the hour of a cycle that belongs to an agent: by its key, which the server did not
// choose, and anew in each cycle, so that no device is always left to a bad hour.
func slot(agent string, cycle, n int64) int64 {
	sum := sha256.Sum256(fmt.Appendf(nil, "patchbay hour\x00%s\x00%d", agent, cycle))
	return int64(binary.BigEndian.Uint64(sum[:8]) % uint64(n))
}
