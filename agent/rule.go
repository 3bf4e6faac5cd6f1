package agent

import (
	"slices"
	"time"

	"patchbay/agent/journal"
	"patchbay/patch"
	"patchbay/wire"
	"patchbay/wire/trust"
)

// ready is whether a waiting job may begin: by its own terms, and by the limits that the
// server cannot change. One that the limits refuse for good is let through to preflight,
// which ends it.
func (a *Agent) ready(s situation, j journal.Job) (ok bool, why string, next time.Time) {
	if ok, why, next = s.readiness(j); !ok {
		return false, why, next
	}
	r := a.ruling(s, j)
	if r.OK || r.Refused {
		return true, "", time.Time{}
	}
	if !r.Next.IsZero() { // told by this machine's clock, and compared with the server's
		next = s.now.Add(r.Next.Sub(a.Now()))
	}
	return false, r.Why, next
}

// ruling is what the limits say of a job. Where an update comes from and whether it is for
// security is read off this device's own signed index, not off the orders.
func (a *Agent) ruling(s situation, j journal.Job) trust.Ruling {
	a.mu.Lock()
	offer := a.report.Offered[j.Target.Key()]
	var approvals []wire.Envelope
	if a.wish != nil {
		approvals = a.wish.Approvals
	}
	a.mu.Unlock()
	w := trust.Work{Agent: a.keyName, Verb: j.Verb, Target: j.Target, Forced: j.Forced != "" && !s.window().Open}
	if offer.Available == j.Target.To {
		w.Origin, w.Security = offer.Origin, slices.Contains(offer.Classes, patch.Security)
	}
	// A clock that is ahead ends limits early, a server that lies about the time does not
	// make them last.
	return a.beliefs.state().Rule(w, approvals, laterTime(s.now, a.Now()), a.Now())
}

func laterTime(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
