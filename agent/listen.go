package agent

import (
	"cmp"
	"context"
	"errors"
	"time"

	"patchbay/agent/link"
)

const (
	noWakeWait = 10 * time.Minute
	// pollsFor is for how long calls are held where no stream came through.
	pollsFor = time.Hour
	// shortLived is a stream that ended so early that its being quiet may be why.
	shortLived = 3 * link.BeatMost
	// sameQuiet is how much two times after which a quiet connection is cut may differ.
	sameQuiet = 2 * time.Second
)

// ear is what the listener knows of the way to the server.
type ear struct {
	polls time.Time     // until then calls are held, since no stream comes through
	beat  time.Duration // how often the server is asked for a sign of life; 0 is seldom
	quiet time.Duration // since the last sign of life when the last stream was lost
}

// runListener listens for the server's call after each successful check-in.
func (a *Agent) runListener(ctx context.Context) {
	for ctx.Err() == nil {
		a.listen.wait(ctx, nextMost, a.Sleep)
		a.hold(ctx)
	}
}

// hold keeps the wake-up channel open until the server is lost: as a stream of events, or
// where none comes through by one held call after the other.
func (a *Agent) hold(ctx context.Context) {
	for ctx.Err() == nil {
		if a.Now().Before(a.ear.polls) {
			if !a.poll(ctx) {
				return
			}
			continue
		}
		began := a.Now()
		err := a.stream(ctx)
		if !errors.Is(err, link.ErrNoStream) {
			a.ear = a.ear.after(a.Now().Sub(began), err)
			a.lost(ctx, err)
			return
		}
		if ctx.Err() == nil {
			a.Log.Info("calls are held in place of a stream", "reason", err)
		}
		a.ear.polls = a.Now().Add(time.Duration((0.5 + a.Random()) * float64(pollsFor)))
		a.mu.Lock()
		a.status.HeldCalls = a.ear.polls.UTC().Truncate(time.Second)
		a.mu.Unlock()
		a.keepStatus()
	}
}

func (a *Agent) stream(ctx context.Context) error {
	boot := a.bootID()
	beat := cmp.Or(a.ear.beat, link.BeatMost)
	return a.link.Listen(ctx, link.Stream{Boot: boot, Beat: beat, Now: a.Now, Call: a.call})
}

// after is the ear after a stream that lived that long was lost. Proxies and firewalls that
// cut quiet connections cut every stream, most often early, and always after the same quiet;
// a server that stops cuts old ones, after any.
func (e ear) after(lived time.Duration, err error) ear {
	var lost link.Lost
	if !errors.As(err, &lost) || lost.Quiet < link.BeatLeast {
		return e
	}
	again := (lost.Quiet - e.quiet).Abs() <= sameQuiet
	e.quiet = lost.Quiet
	if lived <= shortLived || again {
		e.beat = max(link.BeatLeast, min(cmp.Or(e.beat, link.BeatMost)/2, lost.Quiet*2/3))
	}
	return e
}

// poll holds one call, and reports whether to hold the next.
func (a *Agent) poll(ctx context.Context) bool {
	began := a.Now()
	call, err := a.link.Wake(ctx)
	switch {
	case err != nil:
		a.lost(ctx, err)
		return false
	case call:
		a.listen.hush() // wait for the check-in that this one asks for
		a.call()
		return false
	}
	if a.Now().Sub(began) < apart {
		a.Sleep(ctx, apart) // a server that never holds the call
	}
	return true
}

// call is the server's wish to hear from this agent. It is kept while a check-in is under
// way, which may have been answered already.
func (a *Agent) call() {
	a.look.Store(true)
	a.work.ring()
	a.mu.Lock()
	a.called = true
	a.mu.Unlock()
	a.news()
}

// lost takes the end of the wake-up channel for the loss of the server, which a check-in
// finds out: at a time of its own, for the whole fleet may have lost it, and not when it
// would have been due, which is sooner than a large fleet may come back. Only a check-in
// that succeeds after this opens the channel again.
func (a *Agent) lost(ctx context.Context, err error) {
	if ctx.Err() != nil {
		return
	}
	if errors.Is(err, link.ErrNoWake) {
		a.Sleep(ctx, noWakeWait)
		return
	}
	a.Log.Info("the call to the server was lost", "error", err)
	a.listen.hush()
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.failing > 0 || a.due.Before(a.Now().Add(apart)) {
		return // it is found out anyway
	}
	a.due = a.Now().Add(pause(err, 1, a.window(), a.Random()))
	a.talk.ring()
}
