package trust

import (
	"testing"
	"time"

	"patchbay/wire"
)

// debianWork is work that the limits of these tests allow.
func debianWork(t testing.TB) Work {
	return Work{Agent: keyName(t, "agent"), Verb: wire.VerbInstall, Origin: "Debian",
		Target: wire.Target{Provider: "apt", Name: "lib", Architecture: "amd64", From: "1.0", To: "1.1"}}
}

// notOwn is a moment of a device's clock in which it may not begin by itself.
func notOwn(s State, agent string) time.Time {
	at := t0
	for s.own(agent, at) {
		at = at.Add(time.Hour)
	}
	return at
}

// approvalFor approves the work.
func approvalFor(w Work, change ...func(*wire.Approval)) wire.Approval {
	a := wire.Approval{ID: "apv_1", Root: 1, IssuedAt: t0, Expires: t0.Add(7 * day24), Agents: []string{w.Agent}, Forced: true,
		Updates: []wire.ApprovedUpdate{{Provider: w.Target.Provider, Name: w.Target.Name, Architecture: w.Target.Architecture, To: w.Target.To}}}
	for _, c := range change {
		c(&a)
	}
	return a
}

// beyond reports whether the approvals let the work begin beyond the rate, for which the
// limits of these tests ask two approvers, and which one names it.
func beyond(t testing.TB, s State, w Work, now time.Time, approvals ...*wire.Envelope) (bool, string) {
	t.Helper()
	list := make([]wire.Envelope, 0, len(approvals))
	for _, e := range approvals {
		list = append(list, *e)
	}
	r := s.Rule(w, list, now, notOwn(s, w.Agent))
	return r.OK, r.Approval
}

func approvalAttacks() map[string]cell {
	// lets sees whether an approval signed by these lets the work begin.
	not := func(t *testing.T, s State, now time.Time, approvals ...*wire.Envelope) {
		t.Helper()
		if ok, id := beyond(t, s, debianWork(t), now, approvals...); ok || id != "" {
			t.Errorf("it lets work begin (%q)", id)
		}
	}
	by := func(t *testing.T, change func(*wire.Approval), names ...string) *wire.Envelope {
		a := approvalFor(debianWork(t))
		if change != nil {
			change(&a)
		}
		return seal(t, wire.ApprovalDocument, a, names...)
	}
	return map[string]cell{
		"arbitrary": {try: func(t *testing.T) {
			if ok, id := beyond(t, ground(t), debianWork(t), t0, by(t, nil, "a1", "a3")); !ok || id != "apv_1" {
				t.Fatal("two approvers do not suffice")
			}
			not(t, ground(t), t0, by(t, nil, "thief", "s1", "p1", "r1", "r2"))
			refuses(t, ground(t), by(t, nil, "a1", "a2"), ErrForm) // nor is it a document to hold
		}},
		"endless data": {try: func(t *testing.T) {
			s, w := ground(t), debianWork(t)
			many := by(t, func(a *wire.Approval) {
				for len(a.Agents) <= wire.MaxApproved {
					a.Agents = append(a.Agents, w.Agent)
				}
			}, "a1", "a2")
			not(t, s, t0, endless(t, wire.ApprovalDocument, "a1"), crowded(by(t, nil, "a1", "a2")), many)
		}},
		"extraneous": {try: func(t *testing.T) {
			s := ground(t)
			for _, change := range []func(*wire.Approval){
				func(a *wire.Approval) { a.Agents = []string{"p256:other"} },
				func(a *wire.Approval) { a.Agents = nil },
				func(a *wire.Approval) { a.Updates = nil },
				func(a *wire.Approval) { a.Updates[0].To = "1.2" },
				func(a *wire.Approval) { a.Updates[0].Name = "lib2" },
				func(a *wire.Approval) { a.Updates[0].Provider = "dnf" },
				func(a *wire.Approval) { a.Updates[0].Architecture = "arm64" },
			} {
				not(t, s, t0, by(t, change, "a1", "a2"))
			}
			// What is signed for a window is not signed for outside of it.
			w := debianWork(t)
			w.Forced = true
			if ok, _ := beyond(t, s, w, t0, by(t, func(a *wire.Approval) { a.Forced = false }, "a1", "a2")); ok {
				t.Error("work is forced outside its window that was approved for inside")
			}
		}},
		"fast-forward": {none: "It has no version: each stands by itself."},
		"indefinite freeze": {try: func(t *testing.T) {
			not(t, ground(t), t0.Add(7*day24), by(t, nil, "a1", "a2"))
			not(t, ground(t), t0, by(t, func(a *wire.Approval) { a.Expires = t0.Add(MaxApproval + 1) }, "a1", "a2"))
			not(t, ground(t), t0, by(t, func(a *wire.Approval) { a.Expires = a.IssuedAt }, "a1", "a2"))
		}},
		"mix-and-match": {try: func(t *testing.T) {
			// The signatures of two under two documents are not two under one.
			other := func(a *wire.Approval) { a.ID = "apv_2" }
			not(t, ground(t), t0, by(t, nil, "a1"), by(t, other, "a2"))
			moved := by(t, nil, "a1")
			moved.Signatures = append(moved.Signatures, by(t, other, "a2").Signatures...)
			not(t, ground(t), t0, moved)
		}},
		"rollback": {try: func(t *testing.T) {
			// Who is no longer an approver approved nothing.
			s := takes(t, ground(t), seal(t, wire.RootDocument, rootOf(2, func(r *wire.Root) { r.Approver = role(1, "a2", "a3") }), "r1", "r2"))
			not(t, s, t0, by(t, nil, "a1", "a2"))
			not(t, ground(t), t0, by(t, func(a *wire.Approval) { a.Root = 2 }, "a1", "a2"))
			not(t, ground(t), t0, by(t, func(a *wire.Approval) { a.Root = 0 }, "a1", "a2"))
		}},
		"key compromise": {try: func(t *testing.T) {
			s := ground(t)
			twice := by(t, nil, "a1")
			twice.Signatures = append(twice.Signatures, twice.Signatures[0])
			not(t, s, t0, by(t, nil, "a1"), twice)
			// An approver alone can neither widen the limits nor pass by them.
			w := debianWork(t)
			w.Origin = "Evil"
			if ok, _ := beyond(t, s, w, t0, by(t, nil, "a1", "a2", "a3")); ok {
				t.Error("three approvers allow a source that the limits do not")
			}
		}},
		"wrong software": {try: func(t *testing.T) {
			not(t, ground(t), t0, as(seal(t, wire.LimitsDocument, approvalFor(debianWork(t)), "a1", "a2"), wire.ApprovalDocument))
			not(t, ground(t), t0, seal(t, wire.LimitsDocument, approvalFor(debianWork(t)), "a1", "a2"))
		}},
	}
}
