package feeds

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"hash/fnv"
	"slices"
	"strings"
	"time"

	"patchbay/server/catalog/feed"
)

// soon is how long after a failure a feed is tried again. It doubles with each one, up to as
// long as the feed is left alone anyway.
const soon = 5 * time.Minute

// due says when a feed is looked for next; never where it is not to be. spread, from 0 to 1,
// moves it by up to a tenth, so that not all servers come at once.
func (f Feed) due(s state, now time.Time, spread float64) (at time.Time, ever bool) {
	if f.Every <= 0 || len(f.From) == 0 {
		return time.Time{}, false
	}
	jitter := func(d time.Duration) time.Duration { return d + time.Duration(spread*float64(d)/10) }
	switch t := s.Trouble; {
	case t != nil && t.Tries > 0 && !t.At.After(now):
		at = t.At.Add(jitter(min(f.Every, soon<<min(t.Tries-1, 10))))
		if t.Until.After(at) {
			at = t.Until
		}
		return at, true
	case s.CheckedAt.IsZero() || s.CheckedAt.After(now): // never, or by a clock that was wrong
		return now, true
	}
	return s.CheckedAt.Add(jitter(f.Every)), true
}

// spread is where in the tenth a feed's next time lies: another for each server and time.
func (k *Keeper) spread(name string, s state) float64 {
	h := fnv.New64a()
	h.Write(k.salt[:])
	h.Write([]byte(name))
	at := s.CheckedAt
	if s.Trouble != nil {
		at = s.Trouble.At
	}
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], uint64(at.UnixNano()))
	h.Write(b[:])
	return float64(h.Sum64()>>11) / (1 << 53)
}

// newSalt tells this server from others.
func newSalt() (salt [8]byte) {
	rand.Read(salt[:]) // never fails
	return salt
}

// next is the feed that is looked for next, and when.
func (k *Keeper) next(now time.Time) (f *kept, at time.Time) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, one := range k.all {
		t, ever := one.due(one.state, now, k.spread(one.Name, one.state))
		if one.asked {
			t, ever = now, true
		}
		if ever && (f == nil || t.Before(at) || t.Equal(at) && one.Name < f.Name) {
			f, at = one, t
		}
	}
	return f, at
}

// Run gets what is due, one feed at a time, until ctx ends.
func (k *Keeper) Run(ctx context.Context) {
	defer k.client.CloseIdleConnections()
	for ctx.Err() == nil {
		now := k.Now()
		f, at := k.next(now)
		if f != nil && !at.After(now) {
			k.attempt(ctx, f)
			continue
		}
		wait := time.Hour
		if f != nil {
			wait = min(wait, at.Sub(now))
		}
		tick := time.NewTimer(wait)
		select {
		case <-tick.C:
		case <-k.wake:
		case <-ctx.Done():
		}
		tick.Stop()
	}
}

// Ask has a feed looked for at once, although it is not due.
func (k *Keeper) Ask(name string) error {
	k.mu.Lock()
	f := k.all[name]
	if f != nil && len(f.From) > 0 {
		f.asked = true
	}
	k.mu.Unlock()
	switch {
	case f == nil:
		return ErrUnknown
	case len(f.From) == 0:
		return errors.New("this server gets the feed from nowhere: it came in a bundle, or is not configured any more")
	}
	select {
	case k.wake <- struct{}{}:
	default: // it is awake
	}
	return nil
}

// attempt looks at a feed once, and notes how that went.
func (k *Keeper) attempt(ctx context.Context, f *kept) {
	select {
	case f.working <- struct{}{}:
	case <-ctx.Done():
		return
	}
	defer func() { <-f.working }()
	k.setBusy(f, true)
	defer k.setBusy(f, false)
	err := k.look(ctx, f, k.Now())
	if ctx.Err() != nil {
		return // the server stops; the next one goes on
	}
	now := k.Now()
	if err == nil {
		err = k.change(f, func(s *state) { s.checked(now) })
	}
	if err == nil {
		return
	}
	k.Log.Warn("a feed could not be got", "feed", f.Name, "error", err)
	if err := k.change(f, func(s *state) { s.failed(err, now) }); err != nil {
		k.Log.Error("that a feed could not be got could not be noted", "feed", f.Name, "error", err)
		k.mu.Lock()
		f.state.failed(err, now) // not to be tried again at once
		k.mu.Unlock()
	}
}

func (k *Keeper) setBusy(f *kept, busy bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	f.asked, f.busy = false, busy
}

// checked notes that a feed was looked at, and all of it is here.
func (s *state) checked(now time.Time) {
	s.CheckedAt, s.Trouble = now, nil
	if s.Held == nil {
		s.FreshAt = now
	}
}

// failed notes that nothing came, and why.
func (s *state) failed(err error, now time.Time) {
	t := Trouble{Since: now}
	if s.Trouble != nil {
		t = *s.Trouble
	}
	t.Text, t.At, t.Tries, t.Until = sentence(err), now, t.Tries+1, time.Time{}
	var busy *busyError
	if errors.As(err, &busy) && busy.after > 0 {
		t.Until = now.Add(busy.after)
	}
	s.Trouble = &t
}

// sentence makes an error one for people.
func sentence(err error) string {
	lines := strings.Split(err.Error(), "\n")
	text := feed.Clip(strings.Join(slices.Compact(lines), "; "))
	if text == "" {
		text = "it failed for a reason that is not told"
	}
	if !strings.HasPrefix(text, "http") { // an address stays as it is
		text = strings.ToUpper(text[:1]) + text[1:]
	}
	return strings.TrimSuffix(text, ".") + "."
}
