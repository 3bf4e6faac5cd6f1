package agent

import (
	"context"
	"errors"
	"time"

	"patchbay/agent/link"
	"patchbay/wire"
)

const (
	apart       = time.Second      // between check-ins that news ask for: steps in between are told together
	nextDefault = 15 * time.Minute // when the server names no time
	nextMost    = 24 * time.Hour
	outcomeSize = 4 << 20 // bytes of outcomes in one check-in
)

// held is what the server is known to hold of this device.
type held struct {
	known    bool
	digest   string
	sections map[string]string // hash by name
}

// runTalker checks in whenever that is due, until the context ends.
func (a *Agent) runTalker(ctx context.Context) {
	for ctx.Err() == nil {
		a.mu.Lock()
		wait := a.due.Sub(a.Now())
		a.mu.Unlock()
		if wait > 0 {
			a.talk.wait(ctx, wait, a.Sleep)
			continue
		}
		a.speak(ctx)
	}
}

// speak checks in once and sets when the next time is.
func (a *Agent) speak(ctx context.Context) {
	a.mu.Lock()
	a.spoke = a.Now()
	a.due = a.spoke.Add(nextMost) // news that come meanwhile bring it forward
	a.called = false
	a.mu.Unlock()
	a.renew(ctx, false)
	message := a.message()
	reply, err := a.link.CheckIn(ctx, message)
	if errors.Is(err, link.ErrCertificate) && a.renew(ctx, true) {
		reply, err = a.link.CheckIn(ctx, message)
	}
	if ctx.Err() != nil {
		return
	}
	wait := time.Duration(0)
	var doubt link.Doubted
	doubted := errors.As(err, &doubt)
	switch {
	case doubted:
		wait = a.doubted(ctx, doubt.Doubt)
	case err == nil:
		wait, err = a.hear(message, reply)
	}
	a.mu.Lock()
	a.asked = true
	if err == nil || doubted {
		a.due = earlier(a.due, a.Now().Add(wait))
		if a.called { // meanwhile, and perhaps for what this reply does not say yet
			a.due = earlier(a.due, a.spoke.Add(apart))
		}
		a.failing, a.told = 0, a.spoke
	} else {
		a.link.TryAnother(a.beliefs.state().Addresses)
		a.failing++
		a.due = a.Now().Add(pause(err, a.failing, a.window(), a.Random()))
	}
	a.status.spoke(a.Now(), a.due, err)
	a.mu.Unlock()
	if err != nil {
		a.Log.Warn("checking in failed", "error", err)
	} else {
		a.listen.ring()
	}
	a.keepStatus()
	a.work.ring() // a refusal, or its end, changes what may run
}

// news brings the next check-in forward. While the server is out of reach it changes
// nothing: everything is told when it is back.
func (a *Agent) news() { a.checkInWithin(0) }

// tell waits until the server has heard all that is written down by now, a little while at
// most: what comes next may take the network away.
func (a *Agent) tell(ctx context.Context) {
	const most = 15 * time.Second
	asked := a.Now()
	for left := most; left > 0 && ctx.Err() == nil; left = most - a.Now().Sub(asked) {
		a.mu.Lock()
		over := a.failing > 0 || a.told.After(asked)
		a.mu.Unlock()
		if over {
			break
		}
		a.work.wait(ctx, left, a.Sleep)
	}
	a.work.ring() // what rang meanwhile is still to be looked at
}

func (a *Agent) checkInWithin(d time.Duration) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.failing > 0 {
		return
	}
	at := a.Now().Add(d)
	if soonest := a.spoke.Add(apart); at.Before(soonest) {
		at = soonest
	}
	a.due = earlier(a.due, at)
	a.talk.ring()
}

// message is all there is to say now.
func (a *Agent) message() wire.CheckIn {
	now, _ := a.clock.time()
	jobs, boot := a.journal.Jobs(), a.bootID()
	a.mu.Lock()
	defer a.mu.Unlock()
	c := wire.CheckIn{
		Version: wire.Version, Agent: a.id.Agent, Build: a.Build, BootID: boot,
		Sent: a.Now().UTC().Truncate(time.Second), Mode: a.mode, Capabilities: a.capabilities(),
		Outcomes: a.journal.Pending(wire.MaxOutcomes, outcomeSize),
		Gone:     a.journal.Gone(),
		Nonce:    a.beliefs.nonce(), Documents: a.beliefs.state().Held(),
	}
	if a.wish != nil {
		c.Seen = a.wish.Seen
	}
	if len(a.report.Sections) == 0 {
		return c // not scanned yet: saying nothing of the device is not saying that it is empty
	}
	d := wire.DeviceReport{
		Device: a.id.Device, ScannedAt: a.report.ScannedAt.UTC().Truncate(time.Second), Digest: a.report.Digest(),
	}
	if a.held.known && a.held.digest != d.Digest {
		d.Sections = a.sections()
	}
	for _, j := range jobs {
		if !j.Step.Ended() && len(d.Jobs) < wire.MaxOutcomes {
			why := j.Why
			if why == "" && j.Step == wire.StepWaiting {
				why = "Its turn is looked for."
			}
			d.Jobs = append(d.Jobs, wire.JobStep{Job: j.ID, Step: j.Step, Since: laterOf(j.Since, now), Why: why})
		}
	}
	c.Devices = []wire.DeviceReport{d}
	return c
}

// laterOf keeps a step from having begun in the future after a clock was set right.
func laterOf(since, now time.Time) time.Time {
	return earlier(since, now).UTC().Truncate(time.Second)
}

// sections are the heads of all sections, with the bodies that the server does not hold.
func (a *Agent) sections() []wire.Section {
	sections := make([]wire.Section, len(a.report.Sections))
	for i, s := range a.report.Sections {
		s.ScannedAt = s.ScannedAt.UTC().Truncate(time.Second)
		if s.Hash != "" && a.held.sections[s.Name] == s.Hash {
			s.Body = nil
		}
		sections[i] = s
	}
	return sections
}

// hear takes a reply and says when the next check-in is due.
func (a *Agent) hear(said wire.CheckIn, r wire.Reply) (time.Duration, error) {
	if err := a.learn(r); err != nil {
		return 0, err
	}
	a.learnWindow(r.Reconnect)
	now, _ := a.clock.time()
	if err := a.journal.Acknowledge(r.Acknowledged, now); err != nil {
		return 0, err
	}
	if r.Orders != nil {
		a.take(r.Orders, now)
	}
	missing := a.holds(said, r.Holds)
	more := len(a.journal.Pending(1, 0)) > 0 && // also when none were said: a restored server holds fewer than before
		(len(said.Outcomes) == 0 || r.Acknowledged >= said.Outcomes[len(said.Outcomes)-1].Seq)
	if missing || more {
		return apart, nil
	}
	next := nextDefault
	if r.Next > 0 {
		next = min(time.Duration(min(r.Next, int(nextMost/time.Second)))*time.Second, nextMost)
	}
	return max(apart, time.Duration((0.9+0.2*a.Random())*float64(next))), nil
}

// holds learns what the server holds, and reports whether it should be sent more at once. It
// is never sent at once twice: a server that does not keep what it is sent would make a
// storm of its fleet.
func (a *Agent) holds(said wire.CheckIn, holds []wire.Held) bool {
	if len(said.Devices) == 0 {
		return false
	}
	d := said.Devices[0]
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, h := range holds {
		if h.Device == d.Device {
			a.held = held{known: true, digest: h.Digest, sections: h.Sections}
			return h.Digest != d.Digest && len(d.Sections) == 0
		}
	}
	a.held = held{known: true, digest: d.Digest, sections: map[string]string{}}
	for _, s := range a.report.Sections {
		a.held.sections[s.Name] = s.Hash
	}
	if a.report.Digest() != d.Digest { // scanned anew meanwhile: assume that it holds no bodies but those sent
		a.held.sections = map[string]string{}
		for _, s := range d.Sections {
			a.held.sections[s.Name] = s.Hash
		}
	}
	return false
}

// take accepts orders or says why not. What is not accepted changes nothing.
func (a *Agent) take(e *wire.Envelope, now time.Time) {
	o, err := acceptOrders(e, a.beliefs.state().Keys(), a.id.Agent, a.version(), now)
	if errors.Is(err, errKnown) {
		return
	}
	if err == nil {
		err = saveOrders(a.Disk, e)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if err != nil {
		a.status.RefusedOrders = sentence(err.Error())
		a.Log.Error("orders are not accepted", "error", err)
		return
	}
	a.status.RefusedOrders = ""
	a.wish = &o
	a.work.ring()
}
