package agent

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"patchbay/agent/journal"
	"patchbay/patch"
	"patchbay/provider"
	"patchbay/wire"
)

// errCutOff is how a notice or a question ended that the agent was stopped over.
var errCutOff = errors.New("the agent was stopped meanwhile, so it is not known whether it was seen")

// decideReboot restarts the machine when it is wanted, ordered and allowed now, and asks or tells
// those who are logged in before. Where it is not, the jobs go on to verification, which says
// that a reboot is pending.
func (a *Agent) decideReboot(ctx context.Context) error {
	if err := a.hearAnswer(); err != nil {
		return err
	}
	r := a.journal.Reboot()
	jobs := slices.DeleteFunc(a.standing(wire.StepRebooting), func(j journal.Job) bool { return j.Rebooted })
	if len(jobs) == 0 {
		if !r.Since.IsZero() {
			over := r.Over()
			return a.save(journal.Change{Reboot: &over})
		}
		return nil
	}
	c, sessions := a.rebootCase(ctx)
	p := planReboot(c, jobs, r)
	if p.ask {
		p.reboot.Asked.Session, p.reboot.Asked.User = firstOf(sessions)
	}
	if err := a.save(p.change); err != nil {
		return err
	}
	if p.say != "" {
		if err := a.tellPeople(ctx, p.reboot, sessions); err != nil {
			return err
		}
	}
	if p.ask {
		a.askReboot(ctx, *p.reboot.Asked)
	}
	if !p.now {
		return nil
	}
	a.Log.Info("restarting the machine", "jobs", len(jobs))
	a.worker.restarting = a.Now()
	a.tell(ctx)
	if err := a.Reboot(context.WithoutCancel(ctx)); err != nil {
		return a.rebooted(a.standing(wire.StepRebooting), err)
	}
	return nil
}

// rebootCase is the ground for the decision, as it is now.
func (a *Agent) rebootCase(ctx context.Context) (rebootCase, []provider.Session) {
	c := rebootCase{situation: a.situation(), mode: a.mode, report: a.report, present: a.Presence(ctx)}
	c.zone = zoneOf(c.report.Facts, c.device)
	if c.present.LoggedIn == patch.No {
		return c, nil
	}
	sessions, err := a.Desk.Sessions(ctx)
	if c.people = len(sessions); err != nil || len(sessions) == 0 {
		c.people = manyPeople
	}
	return c, sessions
}

// manyPeople are those whom nobody counted: then nobody speaks for all of them.
const manyPeople = 1000

func firstOf(sessions []provider.Session) (id uint32, user string) {
	for _, s := range sessions {
		if s.Locked != patch.Yes {
			return s.ID, sentence(s.User)
		}
	}
	return 0, ""
}

// askReboot puts the question, and wakes the worker when it is answered.
func (a *Agent) askReboot(ctx context.Context, asked journal.Question) {
	a.mu.Lock()
	a.asksReboot = true
	a.mu.Unlock()
	q := provider.Question{Text: asked.Text}
	for _, c := range asked.Choices {
		q.Choices = append(q.Choices, c.Text)
	}
	go func() {
		var said rebootAnswer
		said.choice, said.err = a.Desk.Choose(ctx, asked.Session, q, rebootAsk)
		if ctx.Err() != nil {
			return // the next start says that it is not known
		}
		a.mu.Lock()
		a.asksReboot, a.said = false, &said
		a.mu.Unlock()
		a.work.ring()
	}()
}

// hearAnswer writes down what people answered before anything is done about it.
func (a *Agent) hearAnswer() error {
	a.mu.Lock()
	said, asking := a.said, a.asksReboot
	a.said = nil
	a.mu.Unlock()
	r := a.journal.Reboot()
	if r.Asked == nil || asking {
		return nil
	}
	if said == nil { // an agent before this one asked
		said = &rebootAnswer{choice: -1, err: errCutOff}
	}
	now, _ := a.clock.time()
	asked := *r.Asked
	r = answered(r, *said, now)
	c := journal.Change{Reboot: &r}
	c.Outcomes = append(c.Outcomes, a.askedOutcome(asked, *said, now))
	if err := a.save(c); err != nil {
		a.mu.Lock()
		a.said = said
		a.mu.Unlock()
		return err
	}
	return nil
}

// tellPeople gives a notice that was written down, to each who is logged in, and writes down who
// saw it. That it cannot be told stops nothing.
func (a *Agent) tellPeople(ctx context.Context, r journal.Reboot, sessions []provider.Session) error {
	notice := *r.Telling
	var c journal.Change
	for _, s := range sessions {
		err := a.Desk.Tell(ctx, s.ID, notice.Text)
		c.Outcomes = append(c.Outcomes, a.toldOutcome(notice, s, err))
	}
	if len(sessions) == 0 {
		err := a.Announce(ctx, notice.Text)
		c.Outcomes = append(c.Outcomes, a.toldOutcome(notice, provider.Session{}, err))
	}
	r.Telling = nil
	c.Reboot = &r
	return a.save(c)
}

// cutOff says of a notice that was being given when the agent was stopped that nobody knows who
// saw it.
func (a *Agent) cutOff(c *journal.Change) {
	if r := a.journal.Reboot(); r.Telling != nil {
		c.Outcomes = append(c.Outcomes, a.toldOutcome(*r.Telling, provider.Session{}, errCutOff))
		r.Telling = nil
		c.Reboot = &r
	}
}

func (a *Agent) toldOutcome(n journal.Notice, s provider.Session, err error) wire.Outcome {
	told := wire.Notice{Said: n.Text, Session: s.ID, User: sentence(s.User), At: n.At}
	message := "Those who are logged in were told: " + n.Text
	if s.User != "" {
		message = sentence(s.User) + " was told: " + n.Text
	}
	if err != nil {
		told.Problem = words(err)
		message = "Those who are logged in may not have been told: " + n.Text + " " + told.Problem
	}
	return a.noticed(n.Job, told, message, n.At)
}

func (a *Agent) askedOutcome(q journal.Question, said rebootAnswer, now time.Time) wire.Outcome {
	asked := wire.Notice{Said: q.Text, Session: q.Session, User: q.User, At: q.At, AnsweredAt: now}
	for _, c := range q.Choices {
		asked.Choices = append(asked.Choices, c.Text)
	}
	who := cmp.Or(q.User, "Whoever is logged in")
	message := who + " was asked when the machine may restart and did not answer."
	if c, ok := said.chosen(q); ok {
		asked.Answer = c.Text
		message = fmt.Sprintf("%s was asked when the machine may restart: %s.", who, c.Text)
	}
	if said.err != nil {
		asked.Problem = words(said.err)
		message = who + " could not be asked when the machine may restart: " + asked.Problem
	}
	return a.noticed(q.Job, asked, message, now)
}

// noticed is the outcome, with its receipt, of what people were told or asked.
func (a *Agent) noticed(job string, n wire.Notice, message string, at time.Time) wire.Outcome {
	o := wire.Outcome{Device: a.id.Device, Job: job, Step: wire.StepRebooting, Result: wire.ResultTold, At: at, Message: sentence(message)}
	receipt := wire.Receipt{Job: job, Device: a.id.Device, Agent: a.id.Agent, StartedAt: n.At, EndedAt: at, Step: wire.StepRebooting,
		BootBefore: a.report.Facts.BootID, BootAfter: a.report.Facts.BootID, Message: o.Message, Orders: a.version(), Notice: &n}
	for _, j := range a.journal.Jobs() {
		if j.ID == job {
			receipt.Decision, receipt.Target, receipt.Forced = j.Decision, j.Target, j.Forced
		}
	}
	envelope, err := wire.Seal(wire.ReceiptDocument, receipt, a.key)
	if err != nil {
		a.Log.Error("a receipt could not be signed", "job", job, "error", err) // the outcome is told all the same
	}
	o.Receipt = envelope
	return o
}
