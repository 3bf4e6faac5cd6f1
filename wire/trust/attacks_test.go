package trust

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"math"
	"testing"
	"time"

	"patchbay/wire"
)

// cell is one class of attack against one type of document: either what the attacker does
// and what must be seen, or why there is no such attack.
type cell struct {
	try  func(*testing.T)
	none string
}

// attackClasses are those that The Update Framework lists, in its words.
var attackClasses = []string{"arbitrary", "endless data", "extraneous", "fast-forward", "indefinite freeze", "mix-and-match",
	"rollback", "key compromise", "wrong software"}

// What agent/attacks_test.go has for orders is the ninth column.
func TestEveryClassOfAttackOnEveryDocument(t *testing.T) {
	table := map[string]map[string]cell{
		"root": rootAttacks(), "limits": limitsAttacks(), "server": serverAttacks(), "time": timeAttacks(),
		"catalog": catalogAttacks(), "approval": approvalAttacks(), "receipt": receiptAttacks(), "renewal": renewalAttacks(),
	}
	tried, none := 0, 0
	for docType, cells := range table {
		for _, class := range attackClasses {
			c, ok := cells[class]
			switch {
			case !ok || (c.try == nil) == (c.none == ""):
				t.Errorf("%s × %s: the table has no answer, or two", docType, class)
			case c.try == nil:
				none++
				t.Logf("%s × %s: does not exist. %s", docType, class, c.none)
			default:
				tried++
				t.Run(docType+"/"+class, c.try)
			}
		}
		if len(cells) != len(attackClasses) {
			t.Errorf("%s: the table has a class that does not exist", docType)
		}
	}
	t.Logf("%d cells: %d attacks tried, %d that cannot exist", tried+none, tried, none)
}

// endless is a document of the type that is larger than any that is read.
func endless(t testing.TB, docType string, signer string) *wire.Envelope {
	t.Helper()
	e := &wire.Envelope{Type: docType, Payload: bytes.Repeat([]byte(" "), wire.MaxDocument+1)}
	if err := e.Sign(key(signer)); err != nil {
		t.Fatal(err)
	}
	return e
}

// crowded is the document with more signatures than any may have, all of them good.
func crowded(e *wire.Envelope) *wire.Envelope {
	for len(e.Signatures) <= wire.MaxSignatures {
		e.Signatures = append(e.Signatures, e.Signatures[0])
	}
	return e
}

// as is the document under the name of another type.
func as(e *wire.Envelope, docType string) *wire.Envelope {
	e.Type = docType
	return e
}

func rootAttacks() map[string]cell {
	return map[string]cell{
		"arbitrary": {try: func(t *testing.T) {
			own := rootOf(2, func(r *wire.Root) { r.Root = role(1, "thief") })
			refuses(t, ground(t), seal(t, wire.RootDocument, own, "thief"), wire.ErrSignature)
			refuses(t, ground(t), seal(t, wire.RootDocument, rootOf(2)), wire.ErrSignature)
		}},
		"endless data": {try: func(t *testing.T) {
			refuses(t, ground(t), endless(t, wire.RootDocument, "r1"), ErrForm)
			refuses(t, ground(t), crowded(seal(t, wire.RootDocument, rootOf(2), "r1", "r2")), nil)
			many := make([]string, wire.MaxKeys+1)
			for i := range many {
				many[i] = string(rune('A' + i))
			}
			refuses(t, ground(t), seal(t, wire.RootDocument, rootOf(2, func(r *wire.Root) { r.Server = role(1, many...) }), "r1", "r2"), ErrForm)
		}},
		"extraneous": {try: func(t *testing.T) {
			for _, change := range []func(*wire.Root){
				func(r *wire.Root) { r.Publisher = role(1, "s1") }, // the server's key would sign its own limits
				func(r *wire.Root) { r.Root = role(2, "r1", "r1") },
				func(r *wire.Root) { r.Approver = role(2, "a1", "a2") },
				func(r *wire.Root) { r.Publisher.Threshold = 0 },
				func(r *wire.Root) { r.Root.Threshold = 4 },
				func(r *wire.Root) { r.Server.Keys = [][]byte{{1, 2, 3}} },
			} {
				refuses(t, ground(t), seal(t, wire.RootDocument, rootOf(2, change), "r1", "r2"), ErrForm)
			}
		}},
		"fast-forward": {try: func(t *testing.T) {
			refuses(t, ground(t), seal(t, wire.RootDocument, rootOf(1<<40), "r1", "r2"), ErrGap)
			refuses(t, ground(t), seal(t, wire.RootDocument, rootOf(math.MaxInt64), "r1", "r2"), ErrForm)
		}},
		"indefinite freeze": {try: func(t *testing.T) {
			s := takes(t, enrolled(), seal(t, wire.RootDocument, rootOf(1, func(r *wire.Root) { r.Limits = 0 }), "r1", "r2"))
			end := s.Root.Expires
			if r := s.Rule(Work{Verb: wire.VerbInstall}, nil, end.Add(-1), t0); !r.OK {
				t.Errorf("before its end: %+v", r)
			}
			if r := s.Rule(Work{Verb: wire.VerbInstall}, nil, end, t0); r.OK || r.Refused {
				t.Errorf("a root after which all others are held back still allows everything: %+v", r)
			}
			if r := s.Rule(Work{Verb: wire.VerbInstall, Security: true}, nil, end, t0); !r.OK {
				t.Errorf("security updates stop: %+v", r)
			}
			refuses(t, s, seal(t, wire.RootDocument, rootOf(2, func(r *wire.Root) { r.Expires = t0.AddDate(100, 0, 0) }), "r1", "r2"), ErrForm)
		}},
		"mix-and-match": {try: func(t *testing.T) {
			refuses(t, ground(t), seal(t, wire.RootDocument, rootOf(2, func(r *wire.Root) { r.Installation = "inst_2" }), "r1", "r2"), ErrForm)
		}},
		"rollback": {try: func(t *testing.T) {
			s := takes(t, ground(t), seal(t, wire.RootDocument, rootOf(2), "r1", "r2"))
			refuses(t, s, seal(t, wire.RootDocument, rootOf(1), "r1", "r2"), ErrKnown)
			refuses(t, s, seal(t, wire.RootDocument, rootOf(2, func(r *wire.Root) { r.Limits = 0 }), "r1", "r2"), ErrKnown)
		}},
		"key compromise": {try: func(t *testing.T) {
			refuses(t, ground(t), seal(t, wire.RootDocument, rootOf(2), "r1"), wire.ErrSignature)
			// Signed by enough of the new keys, and by one of the old.
			refuses(t, ground(t), seal(t, wire.RootDocument, rootOf(2, func(r *wire.Root) { r.Root = role(1, "r1", "thief") }), "r1", "thief"), wire.ErrSignature)
			// The keys of all other roles together make no root.
			refuses(t, ground(t), seal(t, wire.RootDocument, rootOf(2), "s1", "p1", "a1", "a2", "a3"), wire.ErrSignature)
		}},
		"wrong software": {try: func(t *testing.T) {
			refuses(t, ground(t), as(seal(t, wire.LimitsDocument, rootOf(2), "r1", "r2"), wire.RootDocument), wire.ErrSignature)
		}},
	}
}

func limitsAttacks() map[string]cell {
	// robbed is where somebody had the publisher's key for a day.
	robbed := func(t *testing.T) State {
		s := ground(t)
		return takes(t, s, seal(t, wire.LimitsDocument, limitsOf(1<<40, func(l *wire.Limits) { l.DevicesPerHour = 0 }), "p1"))
	}
	return map[string]cell{
		"arbitrary": {try: func(t *testing.T) {
			for _, signer := range []string{"thief", "s1", "r1", "a1"} {
				refuses(t, ground(t), seal(t, wire.LimitsDocument, limitsOf(6), signer), wire.ErrSignature)
			}
			refuses(t, enrolled(), seal(t, wire.LimitsDocument, limitsOf(6), "p1"), wire.ErrSignature)
		}},
		"endless data": {try: func(t *testing.T) {
			refuses(t, ground(t), endless(t, wire.LimitsDocument, "p1"), nil)
			refuses(t, ground(t), crowded(seal(t, wire.LimitsDocument, limitsOf(6), "p1")), nil)
			refuses(t, ground(t), seal(t, wire.LimitsDocument, limitsOf(6, func(l *wire.Limits) {
				l.Sources = make([]wire.LimitSource, 501)
			}), "p1"), ErrForm)
		}},
		"extraneous": {try: func(t *testing.T) {
			for _, change := range []func(*wire.Limits){
				func(l *wire.Limits) { l.Sources = []wire.LimitSource{{Origin: "Debian"}} },
				func(l *wire.Limits) { l.Fleet = 0 },
				func(l *wire.Limits) { l.DevicesPerHour = -1 },
				func(l *wire.Limits) { l.Approvals = wire.MaxKeys + 1 },
				func(l *wire.Limits) { l.Forced = -1 },
				func(l *wire.Limits) { l.Root = 0 },
			} {
				refuses(t, ground(t), seal(t, wire.LimitsDocument, limitsOf(6, change), "p1"), ErrForm)
			}
		}},
		"fast-forward": {try: func(t *testing.T) {
			refuses(t, ground(t), seal(t, wire.LimitsDocument, limitsOf(1<<40+1), "p1"), ErrForm)
			s := takes(t, robbed(t), seal(t, wire.RootDocument, rootOf(2, func(r *wire.Root) { r.Publisher = role(1, "p2") }), "r1", "r2"))
			if s.Limits != nil || s.Lapsed(t0) == "" {
				t.Errorf("the thief's limits outlive his key: %+v", s.Limits)
			}
			s = takes(t, s, seal(t, wire.LimitsDocument, limitsOf(1), "p2"))
			if s.Held().Limits != 1 {
				t.Errorf("%+v", s.Held())
			}
		}},
		"indefinite freeze": {try: func(t *testing.T) {
			s := ground(t)
			w := Work{Agent: keyName(t, "agent"), Verb: wire.VerbInstall, Target: wire.Target{Provider: "apt"}, Origin: "Debian"}
			if r := s.Rule(w, nil, s.Limits.Expires, t0); r.OK || s.Lapsed(s.Limits.Expires) == "" {
				t.Errorf("limits after which all others are held back still hold: %+v", r)
			}
			w.Security = true
			if r := s.Rule(w, nil, s.Limits.Expires, t0); !r.OK {
				t.Errorf("security updates stop: %+v", r)
			}
			never := limitsOf(6, func(l *wire.Limits) { l.Expires = t0.AddDate(100, 0, 0) })
			refuses(t, s, seal(t, wire.LimitsDocument, never, "p1"), ErrForm)
		}},
		"mix-and-match": {try: func(t *testing.T) {
			refuses(t, ground(t), seal(t, wire.LimitsDocument, limitsOf(6, func(l *wire.Limits) { l.Root = 2 }), "p1"), ErrGap)
			s := takes(t, ground(t), seal(t, wire.RootDocument, rootOf(2, func(r *wire.Root) { r.Limits = 7 }), "r1", "r2"))
			if s.Limits != nil {
				t.Error("limits that the root no longer wants stay")
			}
			refuses(t, s, seal(t, wire.LimitsDocument, limitsOf(6), "p1"), ErrForm)
		}},
		"rollback": {try: func(t *testing.T) {
			refuses(t, ground(t), seal(t, wire.LimitsDocument, limitsOf(4), "p1"), ErrKnown)
			refuses(t, ground(t), seal(t, wire.LimitsDocument, limitsOf(5, func(l *wire.Limits) { l.DevicesPerHour = 0 }), "p1"), ErrKnown)
		}},
		"key compromise": {try: func(t *testing.T) {
			two := func(r *wire.Root) { r.Publisher = role(2, "p1", "p2") }
			s := takes(t, enrolled(), seal(t, wire.RootDocument, rootOf(1, two), "r1", "r2"))
			refuses(t, s, seal(t, wire.LimitsDocument, limitsOf(1), "p1"), wire.ErrSignature)
			takes(t, s, seal(t, wire.LimitsDocument, limitsOf(1), "p1", "p2"))
			// After a root without it, the stolen key signs nothing any more.
			s = takes(t, robbed(t), seal(t, wire.RootDocument, rootOf(2, func(r *wire.Root) { r.Publisher = role(1, "p2") }), "r1", "r2"))
			refuses(t, s, seal(t, wire.LimitsDocument, limitsOf(1<<40), "p1"), wire.ErrSignature)
		}},
		"wrong software": {try: func(t *testing.T) {
			refuses(t, ground(t), as(seal(t, wire.ApprovalDocument, limitsOf(6), "p1"), wire.LimitsDocument), wire.ErrSignature)
		}},
	}
}

func serverAttacks() map[string]cell {
	return map[string]cell{
		"arbitrary": {try: func(t *testing.T) {
			for _, signer := range []string{"thief", "p1", "r1", "a1"} {
				refuses(t, ground(t), seal(t, wire.ServerDocument, serverOf(1, 6, "s1"), signer), wire.ErrSignature)
			}
		}},
		"endless data": {try: func(t *testing.T) {
			refuses(t, ground(t), endless(t, wire.ServerDocument, "s1"), nil)
			refuses(t, ground(t), crowded(seal(t, wire.ServerDocument, serverOf(1, 6, "s1"), "s1")), nil)
			k := serverOf(1, 6, "s1")
			for len(k.Addresses) <= wire.MaxKeys {
				k.Addresses = append(k.Addresses, k.Addresses[0])
			}
			refuses(t, ground(t), seal(t, wire.ServerDocument, k, "s1"), ErrForm)
		}},
		"extraneous": {try: func(t *testing.T) {
			for _, change := range []func(*wire.ServerKeys){
				func(k *wire.ServerKeys) { k.Orders = role(1, "s1", "thief").Keys },
				func(k *wire.ServerKeys) { k.Orders = nil },
				func(k *wire.ServerKeys) { k.Addresses = []string{"http://patchbay.example"} },
				func(k *wire.ServerKeys) { k.Addresses = []string{"https:///path"} },
				func(k *wire.ServerKeys) { k.Authorities = [][]byte{{1}} },
			} {
				k := serverOf(1, 6, "s1")
				change(&k)
				refuses(t, ground(t), seal(t, wire.ServerDocument, k, "s1"), ErrForm)
			}
		}},
		"fast-forward": {try: func(t *testing.T) {
			s := takes(t, ground(t), seal(t, wire.ServerDocument, serverOf(math.MaxInt64, math.MaxInt64, "s1"), "s1"))
			s = takes(t, s, seal(t, wire.RootDocument, rootOf(2, func(r *wire.Root) { r.Server = role(1, "s2") }), "r1", "r2"))
			takes(t, s, seal(t, wire.ServerDocument, serverOf(2, 1, "s2"), "s2"))
		}},
		"indefinite freeze": {try: func(t *testing.T) {
			// It has no end. Held back, it cannot keep a key alive that the root took away.
			s := takes(t, ground(t), seal(t, wire.RootDocument, rootOf(2, func(r *wire.Root) { r.Server = role(1, "s2") }), "r1", "r2"))
			refuses(t, s, seal(t, wire.TimeDocument, wire.Time{Time: t0.Add(day24)}, "s1"), wire.ErrSignature)
			takes(t, s, seal(t, wire.TimeDocument, wire.Time{Time: t0.Add(day24)}, "s2"))
		}},
		"mix-and-match": {try: func(t *testing.T) {
			refuses(t, ground(t), seal(t, wire.ServerDocument, serverOf(1, 6, "s9"), "s9"), wire.ErrSignature)
		}},
		"rollback": {try: func(t *testing.T) {
			for _, v := range []wire.OrdersVersion{{Epoch: 1, Version: 5}, {Epoch: 1, Version: 4}, {Epoch: 0, Version: 99}, {Epoch: -1, Version: 99}} {
				refuses(t, ground(t), seal(t, wire.ServerDocument, serverOf(v.Epoch, v.Version, "s1"), "s1"), ErrKnown)
			}
		}},
		"key compromise": {try: func(t *testing.T) {
			refuses(t, ground(t), seal(t, wire.ServerDocument, serverOf(1, 6, "thief"), "s1"), ErrForm)
			for _, docType := range []string{wire.RootDocument, wire.LimitsDocument} {
				payload := map[string]any{wire.RootDocument: rootOf(2), wire.LimitsDocument: limitsOf(6)}[docType]
				refuses(t, ground(t), seal(t, docType, payload, "s1"), wire.ErrSignature)
			}
		}},
		"wrong software": {try: func(t *testing.T) {
			refuses(t, ground(t), as(seal(t, wire.TimeDocument, serverOf(1, 6, "s1"), "s1"), wire.ServerDocument), wire.ErrSignature)
			refuses(t, ground(t), seal(t, wire.OrdersDocument, serverOf(1, 6, "s1"), "s1"), ErrForm)
		}},
	}
}

func timeAttacks() map[string]cell {
	at := func(d time.Duration) wire.Time { return wire.Time{Time: t0.Add(d)} }
	return map[string]cell{
		"arbitrary": {try: func(t *testing.T) {
			for _, signer := range []string{"thief", "p1", "r1", "a1"} {
				refuses(t, ground(t), seal(t, wire.TimeDocument, at(day24), signer), wire.ErrSignature)
			}
		}},
		"endless data": {try: func(t *testing.T) {
			refuses(t, ground(t), endless(t, wire.TimeDocument, "s1"), nil)
			refuses(t, ground(t), crowded(seal(t, wire.TimeDocument, at(day24), "s1")), nil)
		}},
		"extraneous": {none: "It says one thing."},
		"fast-forward": {try: func(t *testing.T) {
			s := takes(t, ground(t), seal(t, wire.TimeDocument, wire.Time{Time: time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)}, "s1"))
			s = takes(t, s, seal(t, wire.RootDocument, rootOf(2, func(r *wire.Root) { r.Server = role(1, "s2") }), "r1", "r2"))
			s = takes(t, s, seal(t, wire.TimeDocument, at(day24), "s2"))
			if !s.Time.Equal(t0.Add(day24)) {
				t.Errorf("it is %s", s.Time)
			}
		}},
		"indefinite freeze": {try: func(t *testing.T) {
			s := ground(t)
			refuses(t, s, seal(t, wire.TimeDocument, at(0), "s1"), ErrKnown)
			if s.Lapsed(s.Limits.Expires) == "" { // which the device's own clock reaches, whatever it is told
				t.Error("limits outlive their end while the time is held back")
			}
		}},
		"mix-and-match": {try: func(t *testing.T) {
			refuses(t, ground(t), seal(t, wire.TimeDocument, at(day24), "s9"), wire.ErrSignature)
		}},
		"rollback": {try: func(t *testing.T) {
			refuses(t, ground(t), seal(t, wire.TimeDocument, at(-1), "s1"), ErrKnown)
			refuses(t, ground(t), seal(t, wire.TimeDocument, wire.Time{}, "s1"), ErrKnown)
		}},
		"key compromise": {try: func(t *testing.T) {
			// A server that lies about the time makes no hour a device's own, and lapses limits only.
			s, w := ground(t), debianWork(t)
			device := notOwn(s, w.Agent)
			for _, lie := range []time.Duration{-365 * day24, 0, day24, 89 * day24, 3650 * day24} {
				if r := s.Rule(w, nil, t0.Add(lie), device); r.OK {
					t.Errorf("with the time put by %s the device works outside its hours: %+v", lie, r)
				}
			}
		}},
		"wrong software": {try: func(t *testing.T) {
			refuses(t, ground(t), as(seal(t, wire.OrdersDocument, at(day24), "s1"), wire.TimeDocument), wire.ErrSignature)
		}},
	}
}

// heard is how a server reads what an agent signs: with the key that the agent enrolled, and
// about the very thing that was asked.
func heard(e *wire.Envelope, docType string, v any, enrolled *ecdsa.PrivateKey, asked func() bool) error {
	if _, err := e.Open(docType, v, enrolled.Public()); err != nil {
		return err
	}
	if !asked() {
		return errOther
	}
	return nil
}

var errOther = errors.New("it is about something else")

func deviceKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func sealed(t testing.TB, docType string, payload any, k wire.Key) *wire.Envelope {
	t.Helper()
	e, err := wire.Seal(docType, payload, k)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// fromAgent are the cells of a document that an agent signs; says makes one about something,
// read reads it as one about "this".
func fromAgent(docType string, says func(about string) any, read func(*wire.Envelope, *ecdsa.PrivateKey) error) map[string]cell {
	is := func(t *testing.T, err, want error) {
		t.Helper()
		if !errors.Is(err, want) {
			t.Errorf("%v; it should be %v", err, want)
		}
	}
	return map[string]cell{
		"arbitrary": {try: func(t *testing.T) {
			mine := deviceKey(t)
			is(t, read(sealed(t, docType, says("this"), mine), mine), nil)
			is(t, read(sealed(t, docType, says("this"), key("s1")), mine), wire.ErrSignature)
			is(t, read(&wire.Envelope{Type: docType, Payload: []byte("{}")}, mine), wire.ErrSignature)
		}},
		"endless data": {try: func(t *testing.T) {
			mine := deviceKey(t)
			e := &wire.Envelope{Type: docType, Payload: bytes.Repeat([]byte(" "), wire.MaxDocument+1)}
			if err := e.Sign(mine); err != nil {
				t.Fatal(err)
			}
			if read(e, mine) == nil || read(crowded(sealed(t, docType, says("this"), mine)), mine) == nil {
				t.Error("it is read")
			}
		}},
		"extraneous": {try: func(t *testing.T) {
			mine := deviceKey(t)
			is(t, read(sealed(t, docType, says("that"), mine), mine), errOther)
		}},
		"mix-and-match": {try: func(t *testing.T) {
			is(t, read(sealed(t, docType, says("this"), deviceKey(t)), deviceKey(t)), wire.ErrSignature)
		}},
		"key compromise": {try: func(t *testing.T) {
			mine := deviceKey(t) // with which its thief may lie about this device, and of nothing else
			is(t, read(sealed(t, docType, says("this"), mine), deviceKey(t)), wire.ErrSignature)
			s := ground(t)
			for of, payload := range map[string]any{wire.RootDocument: rootOf(2), wire.LimitsDocument: limitsOf(6),
				wire.ServerDocument: serverOf(1, 6, "s1"), wire.TimeDocument: wire.Time{Time: t0.Add(day24)}} {
				refuses(t, s, sealed(t, of, payload, mine), wire.ErrSignature)
			}
		}},
		"wrong software": {try: func(t *testing.T) {
			mine := deviceKey(t)
			is(t, read(as(sealed(t, wire.OrdersDocument, says("this"), mine), docType), mine), wire.ErrSignature)
			is(t, read(sealed(t, wire.OrdersDocument, says("this"), mine), mine), wire.ErrSignature)
		}},
	}
}

func receiptAttacks() map[string]cell {
	says := func(job string) any { return wire.Receipt{Job: job} }
	read := func(e *wire.Envelope, k *ecdsa.PrivateKey) error {
		var r wire.Receipt
		return heard(e, wire.ReceiptDocument, &r, k, func() bool { return r.Job == "this" })
	}
	cells := fromAgent(wire.ReceiptDocument, says, read)
	cells["fast-forward"] = cell{none: "It has no version: outcomes are numbered by the check-in that brings them."}
	cells["indefinite freeze"] = cell{none: "One that is held back leaves its job open and its device silent, and neither counts as good."}
	cells["rollback"] = cell{try: func(t *testing.T) {
		// The receipt of the first attempt is not one of the second: that is another job.
		mine, target := deviceKey(t), wire.Target{Provider: "apt", Name: "lib", To: "1.1"}
		first := wire.JobID("dev_1", wire.VerbInstall, target, "apr_1", 1)
		second := wire.JobID("dev_1", wire.VerbInstall, target, "apr_1", 2)
		var r wire.Receipt
		err := heard(sealed(t, wire.ReceiptDocument, says(first), mine), wire.ReceiptDocument, &r, mine, func() bool { return r.Job == second })
		if !errors.Is(err, errOther) {
			t.Error(err)
		}
	}}
	return cells
}

func renewalAttacks() map[string]cell {
	says := func(agent string) any { return wire.Renewal{Version: 1, Agent: agent, Sent: t0} }
	read := func(e *wire.Envelope, k *ecdsa.PrivateKey) error {
		var r wire.Renewal
		return heard(e, wire.RenewalDocument, &r, k, func() bool { return r.Agent == "this" })
	}
	cells := fromAgent(wire.RenewalDocument, says, read)
	cells["fast-forward"] = cell{none: "It has no version."}
	cells["indefinite freeze"] = cell{none: "The agent asks by itself, again and again; one that is not heard is silent, and that is shown."}
	cells["rollback"] = cell{none: "An old one asks for a certificate for the key in it, which whoever repeats it does not have."}
	return cells
}
