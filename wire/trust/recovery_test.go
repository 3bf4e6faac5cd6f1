package trust

import (
	"bytes"
	"math"
	"testing"
	"time"

	"patchbay/wire"
)

// The most that a thief of the server's key can sign is undone by the root that takes the
// key away, in whatever order he lets documents through.
func TestRootHealsAfterStolenServerKey(t *testing.T) {
	future := time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)
	both := func(r *wire.Root) { r.Server = role(1, "s1", "s2") }
	ahead := func(epoch int64, keys ...string) *wire.Envelope {
		return seal(t, wire.ServerDocument, serverOf(epoch, math.MaxInt64, keys...), "s1")
	}
	for name, c := range map[string]struct {
		before func(*wire.Root)
		thief  []*wire.Envelope
	}{
		"counts ahead":                   {nil, []*wire.Envelope{ahead(math.MaxInt64, "s1")}},
		"puts the next key beside his":   {both, []*wire.Envelope{ahead(math.MaxInt64, "s1", "s2")}},
		"puts the next key into place":   {both, []*wire.Envelope{ahead(math.MaxInt64, "s2")}},
		"one after the other":            {both, []*wire.Envelope{ahead(7, "s1", "s2"), ahead(math.MaxInt64, "s2")}},
		"where the root named no server": {func(r *wire.Root) { r.Server = wire.Role{} }, []*wire.Envelope{ahead(7, "s1", "s2"), ahead(math.MaxInt64, "s1", "s2")}},
	} {
		first := rootOf(1)
		if c.before != nil {
			c.before(&first)
		}
		s := takes(t, enrolled(), seal(t, wire.RootDocument, first, "r1", "r2"))
		s = takes(t, s, seal(t, wire.TimeDocument, wire.Time{Time: future}, "s1"))
		for _, e := range c.thief {
			s = takes(t, s, e)
		}
		before := s
		s = takes(t, s, seal(t, wire.RootDocument, rootOf(2, func(r *wire.Root) { r.Server = role(1, "s2") }), "r1", "r2"))
		if !s.Replaced(before) {
			t.Errorf("%s: orders of the thief still count", name)
		}
		if !s.Time.IsZero() || s.Server != (wire.OrdersVersion{}) || len(s.Orders) != 1 || !bytes.Equal(s.Orders[0], pub("s2")) {
			t.Errorf("%s: %s, %+v, %d keys", name, s.Time, s.Server, len(s.Orders))
			continue
		}
		s = takes(t, s, seal(t, wire.TimeDocument, wire.Time{Time: t0}, "s2"))
		s = takes(t, s, seal(t, wire.ServerDocument, serverOf(2, 1, "s2"), "s2"))
		refuses(t, s, ahead(math.MaxInt64, "s2"), wire.ErrSignature)
	}
}

// A root that takes no key from the server leaves alone what the server said.
func TestRootThatKeepsTheServerKeepsItsWord(t *testing.T) {
	s := ground(t)
	for _, server := range []wire.Role{role(1, "s1"), role(1, "s1", "s2"), role(2, "s2", "s1")} {
		next := takes(t, s, seal(t, wire.RootDocument, rootOf(2, func(r *wire.Root) { r.Server = server }), "r1", "r2"))
		if next.Replaced(s) || next.Server != s.Server || !next.Time.Equal(s.Time) {
			t.Errorf("%d keys: %+v, %s", len(server.Keys), next.Server, next.Time)
		}
	}
}

// A server passes its word on to its next key by itself.
func TestServerRotatesItsOwnKey(t *testing.T) {
	s := takes(t, enrolled(), seal(t, wire.ServerDocument, serverOf(1, 1, "s1", "s2"), "s1"))
	before := s
	s = takes(t, s, seal(t, wire.ServerDocument, serverOf(1, 2, "s2"), "s2"))
	if s.Replaced(before) {
		t.Error("a key that stayed counts as none")
	}
	refuses(t, s, seal(t, wire.ServerDocument, serverOf(1, 3, "s1"), "s1"), wire.ErrSignature)
	at := takes(t, s, seal(t, wire.ServerDocument, serverOf(1, 3, "s3"), "s2"))
	if !at.Replaced(s) {
		t.Error("none of the keys is left, and that counts as some")
	}
}

// After the publisher's key was stolen, the root names another, and counting begins anew.
func TestRootHealsAfterStolenPublisherKey(t *testing.T) {
	s := takes(t, ground(t), seal(t, wire.LimitsDocument, limitsOf(1<<40, func(l *wire.Limits) { l.Expires = t0.AddDate(29, 0, 0) }), "p1"))
	refuses(t, s, seal(t, wire.LimitsDocument, limitsOf(1<<40+1), "p1"), ErrForm)
	s = takes(t, s, seal(t, wire.RootDocument, rootOf(2, func(r *wire.Root) { r.Publisher = role(1, "p2") }), "r1", "r2"))
	for version := int64(1); version <= 3; version++ {
		s = takes(t, s, seal(t, wire.LimitsDocument, limitsOf(version), "p2"))
	}
	if s.Held().Limits != 3 || s.Signed == nil {
		t.Errorf("%+v", s.Held())
	}
}

// Limits that both the former and the next publisher signed outlive a change of keys.
func TestLimitsStayWhereTheRootStillVouches(t *testing.T) {
	s := takes(t, enrolled(), seal(t, wire.RootDocument, rootOf(1, func(r *wire.Root) { r.Publisher = role(1, "p1", "p2") }), "r1", "r2"))
	s = takes(t, s, seal(t, wire.LimitsDocument, limitsOf(5), "p1", "p2"))
	s = takes(t, s, seal(t, wire.RootDocument, rootOf(2, func(r *wire.Root) { r.Publisher = role(1, "p2") }), "r1", "r2"))
	if s.Held() != (wire.HeldDocuments{Root: 2, Limits: 5}) {
		t.Errorf("%+v", s.Held())
	}
}
