package sim

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"patchbay/wire"
)

const (
	apart       = time.Second // between check-ins that news ask for
	nextDefault = 15 * time.Minute
	nextMost    = 24 * time.Hour
	retryMost   = 10 * time.Minute
	refusedWait = time.Hour
)

// Why an exchange did not succeed, as the report counts it.
var (
	errRefused = errors.New("refused")
	errLost    = errors.New("reply lost on purpose")
	errDoubt   = errors.New("doubted")
)

// overload is a server that asks to be left alone for a while.
type overload struct{ after time.Duration }

// Error names it.
func (overload) Error() string { return "overload" }

func compare(a, b string) int { return strings.Compare(a, b) }

// talkBy brings the next check-in forward to a time.
func (m *machine) talkBy(at time.Time) {
	if !m.talkAt.IsZero() && !at.Before(m.talkAt) {
		return
	}
	m.talkAt = at
	m.sim.schedule.at(at, func() {
		if m.talkAt.Equal(at) {
			m.talkAt = time.Time{}
			m.speak()
		}
	})
}

// news asks for a check-in soon. While the server is out of reach it changes nothing:
// everything is told when it is back.
func (m *machine) news() {
	if m.talking {
		m.again = true
		return
	}
	if m.failing > 0 || m.Agent == "" {
		return
	}
	at := m.sim.now()
	if soonest := m.spoke.Add(apart); at.Before(soonest) {
		at = soonest
	}
	m.talkBy(at)
}

// speak enrols, renews or checks in: whatever the machine has to say next.
func (m *machine) speak() {
	switch {
	case m.talking || m.down || m.Quiet:
		return
	case m.Agent == "":
		m.enrol()
	case m.expiring():
		m.renew("")
	default:
		m.checkIn()
	}
}

// checkIn says all there is to say now.
func (m *machine) checkIn() {
	said, err := m.message()
	if err != nil {
		m.failed(err)
		return
	}
	faults := m.sim.options.Faults
	lose, double := m.Chance.hits(faults.LostReplies), m.Chance.hits(faults.Doubled)
	m.begin("check-in")
	as, server, carrier := m.as, m.URL, m.sim.carrier
	m.sim.schedule.ask(m.sim.context(), func(ctx context.Context) func() {
		body, err := json.Marshal(said)
		var a Answer
		if err == nil {
			a, err = carrier.Ask(ctx, Request{From: as, URL: server, Method: http.MethodPost, Path: "/agent/v1/checkin", Body: body})
		}
		if err == nil && double {
			a, err = carrier.Ask(ctx, Request{From: as, URL: server, Method: http.MethodPost, Path: "/agent/v1/checkin", Body: body})
		}
		return func() { m.answered(said, a, err, lose) }
	})
}

// begin notes an attempt.
func (m *machine) begin(what string) {
	m.talking, m.again, m.spoke = true, false, m.sim.now()
	m.sim.trace(m, what)
	m.sim.account.attempt(m.sim.now(), !m.lost.IsZero())
}

// message is all there is to say.
func (m *machine) message() (wire.CheckIn, error) {
	m.scanIfDue()
	digest, err := m.digest()
	if err != nil {
		return wire.CheckIn{}, err
	}
	c := wire.CheckIn{Version: wire.Version, Agent: m.Agent, Build: m.sim.options.Build, BootID: m.bootID(), Sent: m.own(), Mode: wire.Manage,
		Capabilities: []string{wire.VerbInstall}, Seen: m.Orders.Seen, Nonce: m.Nonce, Documents: m.Trust.Held(), Outcomes: m.pending()}
	d := wire.DeviceReport{Device: m.Device, ScannedAt: m.ScannedAt, Digest: digest, Jobs: m.standing()}
	if m.held.known && m.held.digest != digest {
		if d.Sections, err = m.sections(); err != nil {
			return wire.CheckIn{}, err
		}
		for i := range d.Sections {
			if s := &d.Sections[i]; m.held.sections[s.Name] == s.Hash {
				s.Body = nil
			}
		}
	}
	c.Devices = []wire.DeviceReport{d}
	return c, nil
}

// answered takes what came back from a check-in.
func (m *machine) answered(said wire.CheckIn, a Answer, err error, lose bool) {
	if m.cut(a, err) {
		return
	}
	if err == nil && lose {
		err = errLost
	}
	if err == nil {
		err = m.refusal(a)
	}
	var reply wire.Reply
	if err == nil {
		if err = json.Unmarshal(a.Body, &reply); err == nil && reply.Time.IsZero() {
			err = errors.New("the reply has no time")
		}
	}
	switch {
	case errors.Is(err, errDoubt):
		m.doubted(a)
	case err != nil:
		m.failed(err)
	default:
		m.hear(said, reply)
	}
}

// cut takes note that an exchange is over. It reports whether it was only cut off because
// the simulation stops, which says nothing about the server.
func (m *machine) cut(a Answer, err error) bool {
	m.talking = false
	m.sim.account.carried(a)
	return err != nil && m.sim.context().Err() != nil
}

// refusal turns an answer that is not a reply into an error.
func (m *machine) refusal(a Answer) error {
	switch a.Status {
	case http.StatusOK:
		return nil
	case http.StatusConflict:
		return errDoubt
	case http.StatusUnauthorized, http.StatusForbidden:
		return errRefused
	case http.StatusServiceUnavailable, http.StatusTooManyRequests:
		return overload{time.Duration(a.RetryAfter) * time.Second}
	}
	return fmt.Errorf("status %d", a.Status)
}

// failed counts a failure and says when to try again: the first try is spread over the whole
// time that the server gave, later ones back off with full jitter.
func (m *machine) failed(err error) {
	m.talking = false
	m.failing++
	m.sim.account.failed(m.sim.now(), err)
	if m.lost.IsZero() {
		m.lost = m.sim.now()
	}
	spread, most := m.sim.reconnect, max(retryMost, m.sim.reconnect)
	wait := max(apart, scale(m.Chance.unit(), min(spread<<min(m.failing-1, 10), most)))
	var busy overload
	switch {
	case errors.Is(err, errRefused):
		wait = scale(0.5+m.Chance.unit(), refusedWait)
	case errors.As(err, &busy) && busy.after > 0:
		wait = busy.after + scale(m.Chance.unit(), spread)
	}
	m.talkAt = time.Time{}
	m.talkBy(m.sim.now().Add(wait))
}

func scale(by float64, d time.Duration) time.Duration { return time.Duration(by * float64(d)) }

// back notes that the server is there.
func (m *machine) back() {
	if !m.lost.IsZero() && m.Agent != "" {
		m.sim.account.foundAgain(m.sim.now(), m.sim.now().Sub(m.lost))
	}
	m.failing, m.lost = 0, time.Time{}
}

// hear takes a reply.
func (m *machine) hear(said wire.CheckIn, r wire.Reply) {
	m.back()
	m.sim.heard(r)
	m.sim.account.CheckIns++
	m.ahead, m.heard = r.Time.Sub(m.sim.now()), true
	m.acknowledge(r.Acknowledged)
	if r.Nonce != "" {
		m.Nonce = r.Nonce
	}
	m.takeDocuments(r.Documents)
	if r.Orders != nil {
		m.take(r.Orders)
	}
	soon := m.holds(said, r.Holds) || len(m.pending()) > 0 && len(said.Outcomes) > 0 && r.Acknowledged >= said.Outcomes[len(said.Outcomes)-1].Seq
	wait := scale(0.9+0.2*m.Chance.unit(), cmp.Or(min(time.Duration(r.Next)*time.Second, nextMost), nextDefault))
	if soon {
		wait = apart
	}
	m.talkAt = time.Time{}
	m.talkBy(m.sim.now().Add(max(apart, wait)))
	if m.again {
		m.news()
	}
	m.settled()
	m.hold()
	m.work()
}

// holds learns what the server holds, and reports whether it should be sent more at once.
func (m *machine) holds(said wire.CheckIn, holds []wire.Held) bool {
	d := said.Devices[0]
	for _, h := range holds {
		if h.Device == d.Device {
			m.held = held{true, h.Digest, h.Sections}
			return h.Digest != d.Digest && len(d.Sections) == 0
		}
	}
	m.held = held{known: true, digest: d.Digest, sections: map[string]string{}}
	if d.Digest == wire.Digest(m.heads) {
		for _, s := range m.heads {
			m.held.sections[s.Name] = s.Hash
		}
	}
	return false
}

// settled is what happens to a machine once the server knows all of it.
func (m *machine) settled() {
	if !m.settledOnce() {
		return
	}
	m.sim.account.settled(m)
	if m.device.Silent && m.Copy == 0 {
		m.Quiet = true
		m.sim.trace(m, "falls silent")
		return
	}
	m.misbehave()
}

// takeDocuments follows the signed documents, one after the other.
func (m *machine) takeDocuments(all []wire.Envelope) {
	for i := range all {
		next, err := m.Trust.Take(&all[i])
		if err != nil {
			m.sim.account.failure("document not taken")
			continue
		}
		m.Trust = next
		if len(next.Addresses) > 0 && !m.sim.options.Stay {
			m.URL = next.Addresses[0]
		}
	}
}

// take accepts orders that are signed, meant for this machine, and newer than the last.
func (m *machine) take(e *wire.Envelope) {
	var o wire.Orders
	if _, err := e.Open(wire.OrdersDocument, &o, m.Trust.Keys()...); err != nil {
		m.sim.account.failure("orders with a wrong signature")
		return
	}
	switch {
	case o.Agent != m.Agent:
		m.sim.account.failure("orders for another agent")
	case !o.Seen.Newer(m.Orders.Seen):
		// the same ones again, or older ones
	case !m.now().Before(o.Expires):
		m.sim.account.failure("orders that have expired")
	default:
		m.Orders = o
		m.adopt()
		m.news() // that it saw them
	}
}
