// Package rival decides, when several machines speak with one key, which of them is the one
// on record.
//
// A machine that was copied with its disk has everything its original has: key, certificate,
// orders, serial numbers. What it cannot have is the same boot. So each message names the
// boot of its machine, and the record names the boot it belongs to. A message of that boot
// is the machine's own. One of another boot may be the same machine after a restart, or
// another machine: it is told nothing and nothing is taken from it until the one on record
// has been silent for a grace, during which it was called. If it speaks up, and again after
// the other did, there are two machines: the one on record stays, the other becomes a new
// device with a key of its own.
//
// A nonce that the server gives now and then tells a machine that went on from one whose
// state was set back. A state from before with nobody else speaking is a restored snapshot:
// it is read anew, and not kept out. A state ahead of the server's is no sign of anything:
// the server may have been restored itself.
package rival

import (
	"slices"
	"time"
)

// Record is what is known of the machines that speak with one agent's key.
type Record struct {
	Boot   string    // of the machine on record; "" before it was told
	Nonce  string    // the one in force
	Former string    // the one before it: told again when the reply with the new one was lost
	Given  time.Time // when Nonce was given
	Heard  time.Time // when the machine on record last spoke
	Others []Other   // other boots with the same key, in the order they came
}

// Other is another boot that speaks with the key.
type Other struct {
	Boot   string
	First  time.Time // when it first spoke
	Last   time.Time // and last
	Marked time.Time // when the machine on record last spoke beside it; zero when it did not
	Turns  int       // how often the two spoke in turns
	Behind bool      // its nonce was not the one in force
	Copy   bool      // it is another machine, for sure
}

// Claim is what a message says of the machine that sent it.
type Claim struct {
	Boot  string // "" from a system that never tells, and nothing can be known, or before it was read
	Nonce string // "" from an agent that keeps none
}

// Answer is what to make of a message.
type Answer int

// The answers.
const (
	Accept Answer = iota // it is the machine on record
	Wait                 // not sure yet: take nothing, order nothing
	Become               // it is another machine, and becomes a new device
)

// Sign is something that people should be told.
type Sign int

// The signs.
const (
	None      Sign = iota
	Restarted      // the machine on record has another boot
	Restored       // the machine's state was set back: what it says is to be read anew
	Appeared       // another boot speaks: the one on record is to be called
	Copied         // it became certain that there is a copy
)

// Decision is what follows from a message.
type Decision struct {
	Record  Record // as it is from now on
	Answer  Answer
	Sign    Sign
	Changed bool // the record is another than before, beyond Heard
	Renew   bool // a new nonce is to be given: Record.Nonce is the old one until then
}

const (
	nonceLife = time.Hour // of a nonce; a state that was set back by less is not noticed
	turns     = 2         // spoken in turns so often, two machines are certain; once may be a message that was late
	quiet     = 10 * time.Minute
	mostOther = 1000 // boots remembered of one key
)

// Hear decides about one message. grace is for how long the machine on record must have been
// silent for another boot to take its place.
func Hear(r Record, c Claim, now time.Time, grace time.Duration) Decision {
	if c.Boot == "" { // from the one on record, if that never tells; otherwise it comes once it knows
		d := Decision{Record: r, Answer: Accept}
		if r.Boot != "" {
			d.Answer = Wait
		}
		return d
	}
	r.Others = slices.Clone(r.Others)
	if r.Boot == "" {
		r.Boot, r.Heard = c.Boot, now
		return Decision{Record: r, Answer: Accept, Changed: true, Renew: true}
	}
	if c.Boot == r.Boot {
		return own(r, c, now)
	}
	return other(r, c, now, grace)
}

// own is a message of the machine on record.
func own(r Record, c Claim, now time.Time) Decision {
	r.Heard = now
	d := Decision{Answer: Accept}
	for i := range r.Others {
		o := &r.Others[i]
		if o.Copy {
			continue // it is told so when it speaks
		}
		if o.Last.After(o.Marked) {
			o.Turns++
		}
		o.Marked = now
		if o.Turns >= turns {
			o.Copy, d.Sign = true, Copied
		}
		d.Changed = true
	}
	if behind(r, c) {
		d.Sign, d.Renew, d.Changed = Restored, true, true
	}
	if now.Sub(r.Given) >= nonceLife {
		d.Renew, d.Changed = true, true
	}
	d.Record = r
	return d
}

// behind reports whether the machine's state is older than what the server gave it.
func behind(r Record, c Claim) bool {
	return c.Nonce != "" && r.Nonce != "" && c.Nonce != r.Nonce && c.Nonce != r.Former
}

// other is a message of another boot than the one on record.
func other(r Record, c Claim, now time.Time, grace time.Duration) Decision {
	i := slices.IndexFunc(r.Others, func(o Other) bool { return o.Boot == c.Boot })
	if i < 0 {
		if len(r.Others) >= mostOther {
			return Decision{Record: r, Answer: Wait}
		}
		stale := c.Nonce != "" && c.Nonce != r.Nonce
		r.Others = append(r.Others, Other{Boot: c.Boot, First: now, Last: now, Behind: stale})
		return Decision{Record: r, Answer: Wait, Sign: Appeared, Changed: true}
	}
	o := &r.Others[i]
	o.Last = now
	since := o.First
	if o.Marked.After(since) {
		since = o.Marked
	}
	switch {
	case o.Copy:
		return Decision{Record: r, Answer: Become, Changed: true}
	case now.Sub(since) < grace:
		return Decision{Record: r, Answer: Wait, Changed: true}
	}
	return takeOver(r, i, now)
}

// takeOver makes another boot the one on record. Those that waited with it wait anew: now
// for this one.
func takeOver(r Record, i int, now time.Time) Decision {
	sign := Restarted
	if r.Others[i].Behind {
		sign = Restored
	}
	r.Boot, r.Heard = r.Others[i].Boot, now
	r.Others = slices.Delete(r.Others, i, i+1)
	for j := range r.Others {
		if o := &r.Others[j]; !o.Copy {
			o.First, o.Marked, o.Turns, o.Behind = now, time.Time{}, 0, true
		}
	}
	return Decision{Record: r, Answer: Accept, Sign: sign, Changed: true, Renew: true}
}

// Open reports whether it is still to be found out who another boot is: until then each
// message of the machine on record counts.
func (r Record) Open() bool {
	return slices.ContainsFunc(r.Others, func(o Other) bool { return !o.Copy })
}

// Fresh reports whether the nonce need not be replaced yet.
func (r Record) Fresh(now time.Time) bool { return now.Sub(r.Given) < nonceLife }

// Give puts a new nonce in force.
func (r Record) Give(nonce string, now time.Time) Record {
	r.Former, r.Nonce, r.Given = r.Nonce, nonce, now
	return r
}

// Grace is how long the machine on record is waited for: a little more than it may take
// until its next check-in, and hardly at all when it has been silent for long already.
func Grace(checkIn time.Duration, heard, now time.Time) time.Duration {
	if now.Sub(heard) > max(quiet, 3*checkIn) {
		return min(10*time.Second, checkIn)
	}
	return checkIn + checkIn/4
}
