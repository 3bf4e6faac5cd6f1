// Package window answers one question: may this device be changed now?
//
// Time is seen as half-open spans [from, until), and the answer is one formula
// over them:
//
//	open = (weekly windows ∪ explicit opens) − freezes
//
// A Spec is what people write and what travels: weekly windows by wall clock,
// opens and freezes by absolute time. New checks a Spec and loads its zones
// into a Set; from there on everything is pure, so agent and server give the
// same answer to the same question. The law of the package: an answer holds
// until the change it names.
//
// Wall clocks jump. A start that a jump forward swallows is the first instant
// after the jump; a start that happens twice is the first of the two; a date
// the zone left out has no window. Length is elapsed time, whatever the wall
// clock does meanwhile.
package window

import (
	"fmt"
	"slices"
	"time"
)

// Horizon is how far Open looks back and ahead for a change of its answer.
const Horizon = 400 * oneDay

const oneDay = 24 * time.Hour // of elapsed time

// How much one Spec may hold, so that an answer always comes soon.
const (
	mostWeekly = 30
	mostSpans  = 100 // opens, and as many freezes
)

// Spec says when a device may be changed. The zero Spec is never open: without
// a window nothing happens.
type Spec struct {
	Weekly  []Weekly `json:"weekly,omitempty"`
	Opens   []Span   `json:"opens,omitempty"`   // catch-up, opportunity, deadline
	Freezes []Span   `json:"freezes,omitempty"` // stronger than any window or open
}

// Set is a checked Spec with its zones loaded.
type Set struct {
	rules   []rule
	opens   []Span
	freezes []Span
}

// State is the answer for one instant and the time for which it holds.
type State struct {
	Open  bool      `json:"open"`
	Since time.Time `json:"since,omitzero"` // the last change; zero: none within Horizon
	Until time.Time `json:"until,omitzero"` // the next change; zero: none within Horizon
	Why   string    `json:"why"`            // a sentence for people
}

// New checks a Spec and loads its zones. Its error says what to change.
func New(spec Spec) (Set, error) {
	if len(spec.Weekly) > mostWeekly || len(spec.Opens) > mostSpans || len(spec.Freezes) > mostSpans {
		return Set{}, fmt.Errorf("too many windows: at most %d weekly ones, %d opens and %d freezes", mostWeekly, mostSpans, mostSpans)
	}
	set := Set{opens: slices.Clone(spec.Opens), freezes: slices.Clone(spec.Freezes)}
	for i, weekly := range spec.Weekly {
		r, err := weekly.rule()
		if err != nil {
			return Set{}, fmt.Errorf("weekly window %d: %w", i+1, err)
		}
		set.rules = append(set.rules, r)
	}
	for i, span := range spec.Opens {
		if err := span.Check(); err != nil {
			return Set{}, fmt.Errorf("open %d: %w", i+1, err)
		}
	}
	for i, span := range spec.Freezes {
		if err := span.Check(); err != nil {
			return Set{}, fmt.Errorf("freeze %d: %w", i+1, err)
		}
	}
	return set, nil
}

// Open tells whether the set is open at now, since when and until when.
func Open(set Set, now time.Time) State {
	var state State
	// Nearly always the changes on both sides are days away; a long freeze or a
	// window that never closes is worth a longer look.
	for _, reach := range []time.Duration{8 * oneDay, 60 * oneDay, Horizon} {
		state = set.around(now, reach)
		if !state.Since.IsZero() && !state.Until.IsZero() {
			break
		}
	}
	state.Why = set.why(state, now)
	return state
}

// Next is the first opening that begins at or after now; one that is already
// under way is not it. The opening's end is zero when it is over Horizon away.
func Next(set Set, now time.Time) (from, until time.Time, ok bool) {
	state := Open(set, now)
	if state.Open && !state.Since.Equal(now) {
		if state.Until.IsZero() {
			return time.Time{}, time.Time{}, false
		}
		state = Open(set, state.Until)
	}
	if !state.Open {
		if state.Until.IsZero() {
			return time.Time{}, time.Time{}, false
		}
		state = Open(set, state.Until)
	}
	return state.Since, state.Until, true
}

// around answers for now from the changes that lie less than reach away.
func (s Set) around(now time.Time, reach time.Duration) State {
	from, until := now.Add(-reach), now.Add(reach)
	var state State
	for _, opening := range s.openings(from, until) {
		if opening.From.After(now) {
			state.Until = opening.From
			break
		}
		state.Since = opening.Until // closed since, unless it covers now
		if opening.covers(now) {
			state = State{Open: true, Since: opening.From, Until: opening.Until}
			break
		}
	}
	// Beyond the range spans are incomplete, so an edge there is no change.
	if !state.Since.After(from) {
		state.Since = time.Time{}
	}
	if !state.Until.Before(until) {
		state.Until = time.Time{}
	}
	return state
}

// openings is the formula: what is open between from and until, in order, with
// neither overlaps nor touching neighbours.
func (s Set) openings(from, until time.Time) []Span {
	return minus(united(s.candidates(from, until)), united(s.freezes))
}

// candidates are all spans that would be open if there were no freeze.
func (s Set) candidates(from, until time.Time) []Span {
	spans := slices.Clone(s.opens)
	for _, r := range s.rules {
		spans = append(spans, r.spans(from, until)...)
	}
	return spans
}
