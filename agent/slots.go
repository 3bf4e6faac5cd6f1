package agent

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"patchbay/agent/journal"
	"patchbay/patch"
	"patchbay/window"
	"patchbay/wire"
)

const (
	// slotLeast is how far ahead a moment is that people may choose, so that it still is when they
	// have read the question.
	slotLeast = rebootAsk + noticeTime
	mostSlots = 5
)

// slots are the moments that people may choose for a reboot before the deadline, the earliest
// first: in an hour, at noon, at the end of the day, in the next window, and tomorrow. Where
// several are logged in, nobody chooses for the others: then it is the window alone.
func (c rebootCase) slots(deadline time.Time) []time.Time {
	first, zone := c.now.Add(slotLeast), c.zone
	var all []time.Time
	if c.alone() {
		all = append(all, c.now.Add(time.Hour).Truncate(5*time.Minute))
		y, m, d := c.now.In(zone).Date()
		for day := range 2 {
			all = append(all, time.Date(y, m, d+day, 12, 0, 0, 0, zone), time.Date(y, m, d+day, 17, 30, 0, 0, zone))
		}
	}
	if from, until, ok := window.Next(c.windows, first); ok && c.problem == "" && (until.IsZero() || until.Sub(from) > noticeTime) {
		all = append(all, from)
	}
	all = slices.DeleteFunc(all, func(t time.Time) bool { return t.Before(first) || t.After(deadline) })
	slices.SortFunc(all, time.Time.Compare)
	all = slices.CompactFunc(all, time.Time.Equal)
	return all[:min(len(all), mostSlots)]
}

// choices are what people are asked: at once, one of the slots, or later where they may put it
// off still.
func (c rebootCase) choices(r journal.Reboot, policy wire.Reboots, deadline time.Time) []journal.Choice {
	var all []journal.Choice
	if c.alone() {
		all = append(all, journal.Choice{Kind: journal.ChooseNow, Text: "Restart now"})
	}
	for _, t := range c.slots(deadline) {
		all = append(all, journal.Choice{Kind: journal.ChooseSlot, At: t.UTC(), Text: c.slotText(t)})
	}
	switch left := policy.Postpone - r.Postponed; {
	case left == 1:
		all = append(all, journal.Choice{Kind: journal.ChooseLater, Text: "Ask me later (the last time)"})
	case left > 1:
		all = append(all, journal.Choice{Kind: journal.ChooseLater, Text: fmt.Sprintf("Ask me later (%d times left)", left)})
	}
	return all
}

// slotText names a moment as people do.
func (c rebootCase) slotText(t time.Time) string {
	at := t.In(c.zone)
	switch {
	case t.Sub(c.now) <= time.Hour && c.day(t) == c.day(c.now):
		return "In an hour, at " + at.Format("15:04")
	case c.day(t) == c.day(c.now) && at.Hour() >= 18:
		return "Tonight at " + at.Format("15:04")
	case c.day(t) == c.day(c.now):
		return "Today at " + at.Format("15:04")
	case c.day(t) == c.day(c.tomorrow()):
		return "Tomorrow at " + at.Format("15:04")
	}
	return at.Format("Monday at 15:04")
}

// question asks those who are logged in, unless they cannot answer now.
func (p *rebootPlan) question(policy wire.Reboots, deadline time.Time) {
	c := p.c
	switch choices := c.choices(p.reboot, policy, deadline); {
	case p.reboot.Asked != nil:
		p.wait(p.reboot.Asked.At.Add(rebootAsk+time.Minute), asksWhen)
	case c.now.Before(p.reboot.Quiet) && p.reboot.Quiet.Sub(c.now) <= rebootLater:
		p.wait(p.reboot.Quiet, "Those who are logged in are asked again when the machine may restart. They decide until "+c.clock(deadline)+".")
	case c.present.Presenting == patch.Yes:
		p.wait(c.now.Add(rebootLook), "Somebody presents on the machine. They are asked about the restart after it.")
	case c.present.Locked == patch.Yes:
		p.wait(c.now.Add(rebootLook), "The screen is locked. Whoever comes back is asked when the machine may restart.")
	case len(choices) == 0:
		p.wait(deadline.Add(-notices()[0]), "The machine restarts after "+c.clock(deadline)+".")
	default:
		text := fmt.Sprintf("Updates are installed and need a restart of this machine. When may it restart? After %s it does so in the next maintenance window.", c.clock(deadline))
		p.reboot.Asked = &journal.Question{Notice: journal.Notice{Text: text, At: c.now, Job: p.jobs[0].ID}, Choices: choices}
		p.ask = true
		p.wait(c.now.Add(rebootAsk+time.Minute), asksWhen)
	}
}

const asksWhen = "Those who are logged in are asked when the machine may restart."

// answer is how a question about a reboot ended.
type rebootAnswer struct {
	choice int   // of the choices that were offered, -1 when none was made
	err    error // it could not be shown, or it is not known what became of it
}

// chosen is what was chosen. An answer only ever names one of the choices that were offered; what
// names none is no answer.
func (a rebootAnswer) chosen(q journal.Question) (journal.Choice, bool) {
	if a.err != nil || a.choice < 0 || a.choice >= len(q.Choices) {
		return journal.Choice{}, false
	}
	return q.Choices[a.choice], true
}

// answered is where the reboot stands after the question. A moment that is over by now is no
// answer either.
func answered(r journal.Reboot, a rebootAnswer, now time.Time) journal.Reboot {
	if r.Asked == nil {
		return r
	}
	c, ok := a.chosen(*r.Asked)
	asked := r.Asked.At
	r.Asked = nil
	switch {
	case r.Since.IsZero(): // nothing waits for it any more
	case errors.Is(a.err, errCutOff): // perhaps it was answered: it is asked again at once
	case !ok && a.err != nil:
		r.Quiet = now.Add(rebootLater)
	case !ok:
		r.Quiet = now.Add(rebootAgain)
	case c.Kind == journal.ChooseNow && now.Sub(asked) <= rebootAsk+time.Minute:
		r.At, r.Told, r.Chosen = now, noticeTime, true
	case c.Kind == journal.ChooseSlot && c.At.After(now):
		r.At, r.Told, r.Chosen = c.At, firstNotice(c.At, now), true // whoever chose knows it
	case c.Kind == journal.ChooseLater:
		r.Postponed++
		r.Quiet = now.Add(rebootLater)
	}
	return r
}
