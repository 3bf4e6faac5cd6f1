package window

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Span is a stretch of absolute time with the reason for it: From belongs to
// it, Until does not.
type Span struct {
	From   time.Time `json:"from"`
	Until  time.Time `json:"until"`
	Reason string    `json:"reason"`
}

// Check tells in a sentence what is wrong with the span.
func (s Span) Check() error {
	const longest = 200
	switch {
	case s.From.IsZero() || s.Until.IsZero():
		return errors.New("from or until is missing: give both, such as 2026-12-24T00:00:00+01:00")
	case !s.From.Before(s.Until):
		return fmt.Errorf("until (%s) is not after from (%s): swap or correct them",
			s.Until.Format(time.RFC3339), s.From.Format(time.RFC3339))
	case strings.TrimSpace(s.Reason) == "":
		return errors.New("reason is empty: say why, it is shown to everyone who waits")
	case utf8.RuneCountInString(s.Reason) > longest:
		return fmt.Errorf("reason is too long: shorten it to %d characters", longest)
	case strings.ContainsFunc(s.Reason, unicode.IsControl):
		return errors.New("reason contains line breaks or control characters: write it on one line")
	}
	return nil
}

func (s Span) covers(t time.Time) bool {
	return !t.Before(s.From) && t.Before(s.Until)
}

// united joins spans that overlap or touch and returns the rest in order, so
// that every edge is a true change. A joined span keeps the first one's reason.
func united(spans []Span) []Span {
	spans = slices.Clone(spans)
	slices.SortStableFunc(spans, func(a, b Span) int { return a.From.Compare(b.From) })
	out := spans[:0]
	for _, span := range spans {
		last := len(out) - 1
		switch {
		case last < 0 || span.From.After(out[last].Until):
			out = append(out, span)
		case span.Until.After(out[last].Until):
			out[last].Until = span.Until
		}
	}
	return out
}

// minus cuts holes out of spans; both are united.
func minus(spans, holes []Span) []Span {
	var out []Span
	for _, span := range spans {
		for _, hole := range holes {
			if !hole.Until.After(span.From) || !hole.From.Before(span.Until) {
				continue
			}
			if hole.From.After(span.From) {
				out = append(out, Span{From: span.From, Until: hole.From, Reason: span.Reason})
			}
			span.From = hole.Until
		}
		if span.From.Before(span.Until) {
			out = append(out, span)
		}
	}
	return out
}

// longest is the span that covers t and ends last.
func longest(spans []Span, t time.Time) (found Span, ok bool) {
	for _, span := range spans {
		if span.covers(t) && (!ok || span.Until.After(found.Until)) {
			found, ok = span, true
		}
	}
	return found, ok
}
