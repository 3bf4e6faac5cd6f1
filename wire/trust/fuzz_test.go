package trust

import (
	"crypto"
	"encoding/json"
	"reflect"
	"testing"
	"time"

	"patchbay/wire"
)

// Whatever comes, a state changes only by what its keys have signed.
func FuzzTake(f *testing.F) {
	s := ground(f)
	for _, e := range []*wire.Envelope{
		seal(f, wire.RootDocument, rootOf(2), "r1", "r2"), seal(f, wire.LimitsDocument, limitsOf(6), "p1"),
		seal(f, wire.ServerDocument, serverOf(1, 6, "s1"), "s1"), seal(f, wire.TimeDocument, wire.Time{Time: t0.Add(1)}, "s1"),
		seal(f, wire.CatalogDocument, catalogOf(6), "p1"), seal(f, wire.RootDocument, rootOf(2), "thief"), seal(f, wire.RootDocument, wire.Root{}),
	} {
		data, err := json.Marshal(e)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	var known []crypto.PublicKey
	for _, name := range []string{"r1", "r2", "r3", "p1", "s1"} {
		known = append(known, key(name).Public())
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var e wire.Envelope
		if json.Unmarshal(data, &e) != nil {
			return
		}
		next, err := s.Take(&e)
		if err != nil {
			if !reflect.DeepEqual(next, s) {
				t.Fatalf("%v, and the state changes", err)
			}
			return
		}
		if names, err := e.Signers(e.Type, known...); err != nil || len(names) == 0 {
			t.Fatalf("nobody known signed it and it is taken: %v", err)
		}
		// Without a state there is nobody who could vouch for limits, and no root breaks it.
		if _, err := (State{}).Take(&e); err == nil && e.Type != wire.RootDocument {
			t.Fatalf("an empty state takes a %s", e.Type)
		}
	})
}

// Whatever a server sends as approvals and work, the rule has an answer, and only approvers
// let work begin outside a device's own hours.
func FuzzRule(f *testing.F) {
	s, w := ground(f), debianWork(f)
	signed, err := json.Marshal([]*wire.Envelope{seal(f, wire.ApprovalDocument, approvalFor(w), "a1", "a2")})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(signed, w.Agent, w.Verb, "apt", "lib", "1.1", "Debian", false, true, int64(0), int64(0))
	f.Add([]byte("[]"), "", "", "", "", "", "", true, false, int64(1e9), int64(-1e9))
	f.Fuzz(func(t *testing.T, approvals []byte, agent, verb, provider, name, to, origin string, security, forced bool, now, device int64) {
		var list []wire.Envelope
		if json.Unmarshal(approvals, &list) != nil {
			return
		}
		w := Work{Agent: agent, Verb: verb, Origin: origin, Security: security, Forced: forced,
			Target: wire.Target{Provider: provider, Name: name, Architecture: "amd64", To: to}}
		clock := time.Unix(device%(1<<37), 0) // years 2000 before and after
		at := t0.Add(time.Duration(now))
		r := s.Rule(w, list, at, clock)
		if r.OK && (r.Refused || r.Why != "") || !r.OK && r.Why == "" {
			t.Fatalf("%+v", r)
		}
		if r.OK && s.Lapsed(at) == "" && !s.own(agent, clock) && !approvedByTwo(list) {
			t.Fatalf("work begins that nobody approved: %+v", r)
		}
	})
}

func approvedByTwo(list []wire.Envelope) bool {
	for i := range list {
		names, err := list[i].Signers(wire.ApprovalDocument, key("a1").Public(), key("a2").Public(), key("a3").Public())
		if err == nil && len(names) >= 2 {
			return true
		}
	}
	return false
}
