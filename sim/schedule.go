package sim

import (
	"container/heap"
	"context"
	"math"
	"time"
)

// schedule is virtual time: what is due, in order, and the pool that talks to the server.
//
// Everything that decides runs on one goroutine, one event after the other, so a fleet of
// thousands needs no lock and draws its chances in an order of its own. Only requests run
// beside it. Their answers come back as functions for that goroutine to run. At full speed
// (speed 0) time stands still while a request is under way, and the whole run depends on the
// seed and the server's answers alone. In real time, or a multiple of it, it depends also on
// when answers arrive.
type schedule struct {
	begin   time.Time // virtual
	started time.Time // real
	now     time.Time // virtual; moves only forward
	speed   float64   // virtual seconds in a real one; 0 is as fast as it goes
	real    func() time.Time
	follow  bool // a pause in real time is one in virtual time too

	due   events
	count uint64 // of events so far: those of one moment happen in the order they were asked for

	most    int                            // requests at once
	busy    int                            // requests under way
	queue   []func(context.Context) func() // requests that wait for their turn
	answers chan func()
	posts   chan func() // what comes by itself, such as a call of the server
}

// event is something to happen at a time.
type event struct {
	at    time.Time
	order uint64
	do    func()
}

func newSchedule(begin time.Time, speed float64, most int, real func() time.Time) *schedule {
	return &schedule{begin: begin, now: begin, speed: speed, real: real, started: real(), most: most, answers: make(chan func(), 256), posts: make(chan func(), 256)}
}

// at asks for something to happen. What should have happened already happens next.
func (s *schedule) at(t time.Time, do func()) {
	s.count++
	heap.Push(&s.due, event{t, s.count, do})
}

// ask has a request made beside the schedule. What it returns is run on the schedule.
func (s *schedule) ask(ctx context.Context, request func(context.Context) func()) {
	if s.busy == s.most {
		s.queue = append(s.queue, request)
		return
	}
	s.busy++
	go func() { s.answers <- request(ctx) }()
}

// answered runs what came back, and lets the next request begin.
func (s *schedule) answered(ctx context.Context, then func()) {
	s.busy--
	if len(s.queue) > 0 {
		request := s.queue[0]
		s.queue = s.queue[1:]
		s.ask(ctx, request)
	}
	then()
}

// run makes everything happen until the time, or the context, ends; a zero time never comes.
// Requests under way are waited for.
func (s *schedule) run(ctx context.Context, until time.Time) {
	for ctx.Err() == nil && s.step(ctx, until) {
	}
	s.drain(ctx)
}

// step takes an answer, makes the next event happen, or waits for one of them. It reports
// false when there is nothing more to wait for.
func (s *schedule) step(ctx context.Context, until time.Time) bool {
	select {
	case then := <-s.answers:
		s.answered(ctx, then)
		return true
	case do := <-s.posts:
		s.forward(s.now)
		do()
		return true
	default:
	}
	over := len(s.due) == 0 || !until.IsZero() && s.due[0].at.After(until)
	next := until
	if !over {
		next = s.due[0].at
	}
	ahead := s.ahead(next) // read once: asked again, a moment that was ahead has come
	switch {
	case s.speed == 0 && s.busy > 0, over && s.speed > 0 && until.IsZero():
		s.wait(ctx, forever)
	case over && ahead <= 0:
		s.forward(until)
		return false
	case ahead > 0:
		s.wait(ctx, ahead)
	default:
		next := heap.Pop(&s.due).(event)
		s.forward(next.at)
		next.do()
	}
	return true
}

// resume begins to measure real time anew: a pause is none in virtual time, unless that is
// the real one.
func (s *schedule) resume() {
	if s.started = s.real(); s.follow {
		s.now = s.started.Round(0)
	}
	s.begin = s.now
}

// discard runs what is left after everybody has ended.
func (s *schedule) discard() {
	for {
		select {
		case do := <-s.posts:
			do()
		default:
			return
		}
	}
}

// drain waits for the requests under way; those that wait for their turn are not made.
func (s *schedule) drain(ctx context.Context) {
	s.queue = nil
	for s.busy > 0 {
		then := <-s.answers
		s.answered(ctx, then)
	}
}

// forward moves the time on. In real time it is where the clock is, also when the schedule
// is late.
func (s *schedule) forward(t time.Time) {
	if s.speed > 0 {
		t = s.clock()
	}
	if t.After(s.now) {
		s.now = t
	}
}

// clock is what the virtual time should be by the real one.
func (s *schedule) clock() time.Time {
	return s.begin.Add(time.Duration(float64(s.real().Sub(s.started)) * s.speed))
}

// ahead is how long, in real time, it is until the virtual time t.
func (s *schedule) ahead(t time.Time) time.Duration {
	if s.speed == 0 {
		return 0
	}
	return time.Duration(float64(t.Sub(s.clock())) / s.speed)
}

// forever is how long to wait for an answer when nothing else is to happen.
const forever time.Duration = math.MaxInt64

// wait waits for an answer, at most so long.
func (s *schedule) wait(ctx context.Context, most time.Duration) {
	var end <-chan time.Time
	if most < forever {
		timer := time.NewTimer(most)
		defer timer.Stop()
		end = timer.C
	}
	select {
	case then := <-s.answers:
		s.forward(s.now)
		s.answered(ctx, then)
	case do := <-s.posts:
		s.forward(s.now)
		do()
	case <-end:
	case <-ctx.Done():
	}
}

// events is a heap, the earliest first.
type events []event

// Len, Less, Swap, Push and Pop make events a heap.
func (e events) Len() int { return len(e) }
func (e events) Less(i, j int) bool {
	if e[i].at.Equal(e[j].at) {
		return e[i].order < e[j].order
	}
	return e[i].at.Before(e[j].at)
}
func (e events) Swap(i, j int) { e[i], e[j] = e[j], e[i] }

// Push adds an event at the end.
func (e *events) Push(x any) { *e = append(*e, x.(event)) }

// Pop takes the last event.
func (e *events) Pop() any {
	old := *e
	last := old[len(old)-1]
	old[len(old)-1] = event{}
	*e = old[:len(old)-1]
	return last
}
