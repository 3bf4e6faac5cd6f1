package agent

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"patchbay/agent/journal"
	"patchbay/provider"
	"patchbay/wire"
)

const (
	openWait = 5 * time.Minute // until it is looked again whether a program was closed
	askTime  = 5 * time.Minute // how long a question is shown
	askAgain = time.Hour       // after a no
	askLook  = 30 * time.Second
)

// answer is what somebody said to the question whether a program may be closed.
type answer string

const (
	notAsked answer = ""
	asking   answer = "asking"
	saidYes  answer = "yes"
	saidNo   answer = "no"
	unasked  answer = "unasked" // the question could not be shown
)

// question is one that was put for a job.
type question struct {
	answer answer
	at     time.Time // when it was put, or answered
}

// openPlan is what is done about a job whose program somebody has open.
type openPlan struct {
	job   journal.Job // as it waits from now on
	say   string      // to those who are logged in
	ask   string      // to whoever has it open
	close bool        // it is closed now, and the job goes on
}

// planOpen decides it by what the orders say. open is not empty.
func planOpen(s situation, j journal.Job, open []provider.Process, q question) openPlan {
	switch s.device.InUse {
	case wire.InUseClose:
		return planClose(s, j, open)
	case wire.InUseAsk:
		return planAsk(s, j, open, q)
	}
	return waits(s, j, open, openWait, "The update waits until it is closed.")
}

// waits has a job wait because its program is open.
func waits(s situation, j journal.Job, open []provider.Process, wait time.Duration, why string) openPlan {
	j.Retry = s.now.Add(wait)
	return openPlan{job: at(j, steps()[j.Step].again, fmt.Sprintf("%s%s (%s). %s", wire.Open, j.Target.Name, files(open), why), s.now)}
}

// planClose tells everybody first. What was told long ago counts for nothing: whoever opened
// the program since does not know of it.
func planClose(s situation, j journal.Job, open []provider.Process) openPlan {
	told := !j.CloseAt.IsZero() && j.CloseAt.Sub(s.now).Abs() <= noticeTime
	if told && !s.now.Before(j.CloseAt) {
		return openPlan{job: j, close: true}
	}
	var say string
	if !told {
		notice := s.notice()
		if notice <= 0 {
			return waits(s, j, open, openWait, "The window ends too soon to tell whoever has it open.")
		}
		j.CloseAt = s.now.Add(notice)
		say = fmt.Sprintf("Patchbay closes %s in %d minutes to update it. Save your work and close it.", j.Target.Name, max(1, int(notice.Round(time.Minute)/time.Minute)))
	}
	p := waits(s, j, open, j.CloseAt.Sub(s.now), fmt.Sprintf("Whoever has it open was told: it is closed at %s.", j.CloseAt.UTC().Format("15:04 MST")))
	p.say = say
	return p
}

// planAsk asks, and asks again some time after a no. A yes is to the question that was shown,
// and not to whatever is open later.
func planAsk(s situation, j journal.Job, open []provider.Process, q question) openPlan {
	since := s.now.Sub(q.at)
	switch {
	case q.answer == saidYes && since <= askTime:
		return openPlan{job: j, close: true}
	case q.answer == unasked && since < askAgain:
		return waits(s, j, open, openWait, "Whoever has it open could not be asked. The update waits until it is closed.")
	case q.answer == saidNo && since < askAgain:
		return waits(s, j, open, openWait, "Whoever has it open did not let it be closed, and is asked again later.")
	}
	p := waits(s, j, open, askLook, "Whoever has it open is asked whether it may be closed.")
	if q.answer != asking {
		p.ask = fmt.Sprintf("%s is to be updated to %s. May it be closed now? What is not saved is lost.", j.Target.Name, j.Target.To)
	}
	return p
}

// files names the programs that run, without their folders.
func files(open []provider.Process) string {
	const most = 3
	var names []string
	for _, p := range open {
		names = append(names, short(p.Program[strings.LastIndexAny(p.Program, `\/`)+1:]))
	}
	slices.Sort(names)
	names = slices.Compact(names)
	if len(names) > most {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
	}
	return strings.Join(names, ", ")
}

// free gives those of the jobs whose programs nobody has open, and closes what may be closed.
func (a *Agent) free(ctx context.Context, jobs []journal.Job) ([]journal.Job, error) {
	var c journal.Change
	var on []journal.Job
	for _, g := range a.groups(jobs) {
		p, err := a.scanner.Open(ctx, g.kind)
		closer, ok := p.(provider.Closer)
		if err != nil || !ok { // applying says why it cannot be opened
			on = append(on, g.jobs...)
			continue
		}
		for _, j := range g.jobs {
			if a.freed(ctx, &c, closer, j) {
				j.CloseAt = time.Time{} // whoever opens it before the next try is told anew
				on = append(on, j)
			}
		}
	}
	return on, a.save(c)
}

// freed reports whether a job may go on; otherwise the change says what it waits for.
func (a *Agent) freed(ctx context.Context, c *journal.Change, closer provider.Closer, j journal.Job) bool {
	s := a.situation()
	request := a.request([]journal.Job{j}, a.report)
	open, err := closer.InUse(ctx, request)
	if err != nil {
		a.again(c, j, wire.ResultBusy, fmt.Sprintf("whether %s is in use could not be seen: %v", j.Target.Name, err), readWait, s.now)
		return false
	}
	if len(open) == 0 {
		a.unask(j.ID)
		return true
	}
	plan := planOpen(s, j, open, a.questionOf(j.ID))
	if plan.say != "" {
		a.announced(ctx, plan.say)
	}
	if plan.ask != "" {
		a.ask(ctx, j.ID, open[0].Session, plan.ask)
	}
	if !plan.close {
		c.Jobs = append(c.Jobs, plan.job)
		return false
	}
	for _, p := range open {
		if err = a.closed(ctx, p); err != nil {
			break
		}
	}
	if err == nil {
		open, err = closer.InUse(ctx, request)
	}
	if err != nil || len(open) > 0 {
		a.Log.Warn("a program that is to be replaced could not be closed", "program", j.Target.Name, "error", err)
		j.CloseAt = time.Time{}
		c.Jobs = append(c.Jobs, waits(s, j, open, openWait, "It could not be closed.").job)
		return false
	}
	a.unask(j.ID)
	return true
}

// closed has a program closed: by its own windows where it can be asked, else it is ended.
func (a *Agent) closed(ctx context.Context, p provider.Process) error {
	err := a.Desk.Close(ctx, p)
	if err == nil {
		return nil
	}
	a.Log.Info("a program that is to be replaced does not close by itself and is ended", "program", short(p.Program), "why", err)
	return a.Desk.End(ctx, p)
}

// ask puts a question, and wakes the worker when it is answered.
func (a *Agent) ask(ctx context.Context, job string, session uint32, text string) {
	a.answered(job, asking)
	go func() {
		yes, err := a.Desk.Ask(ctx, session, text, askTime)
		said := saidNo
		switch {
		case err != nil:
			a.Log.Warn("whether a program may be closed could not be asked", "error", err)
			said = unasked
		case yes:
			said = saidYes
		}
		a.answered(job, said)
		a.work.ring()
	}()
}

func (a *Agent) answered(job string, said answer) {
	now, _ := a.clock.time()
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.questions == nil {
		a.questions = map[string]question{}
	}
	a.questions[job] = question{said, now}
}

func (a *Agent) questionOf(job string) question {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.questions[job]
}

func (a *Agent) unask(job string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.questions, job)
}
