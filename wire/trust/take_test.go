package trust

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"patchbay/wire"
)

// drawn is a document such as the holders of the keys, or their thieves, can make.
func drawn(t testing.TB, r *rapid.T) *wire.Envelope {
	names := []string{"r1", "r2", "r3", "r4", "p1", "p2", "s1", "s2", "a1", "thief"}
	signers := rapid.SliceOfNDistinct(rapid.SampledFrom(names), 0, 6, rapid.ID[string]).Draw(r, "signers")
	version := rapid.Int64Range(0, 6).Draw(r, "version")
	publisher := rapid.SampledFrom([]string{"p1", "p2"}).Draw(r, "publisher")
	servers := rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"s1", "s2"}), 0, 2, rapid.ID[string]).Draw(r, "servers")
	switch rapid.IntRange(0, 4).Draw(r, "type") {
	case 0:
		root := rootOf(version, func(r *wire.Root) {
			r.Publisher, r.Limits, r.Server = role(1, publisher), version/3, role(min(1, len(servers)), servers...)
		})
		if rapid.Bool().Draw(r, "new root keys") {
			root.Root = role(2, "r2", "r3", "r4")
		}
		return seal(t, wire.RootDocument, root, signers...)
	case 1:
		return seal(t, wire.LimitsDocument, limitsOf(version), signers...)
	case 3:
		return seal(t, wire.CatalogDocument, catalogOf(version), signers...)
	case 2:
		return seal(t, wire.ServerDocument, serverOf(version/3, version, append(servers, "s1")[:max(1, len(servers))]...), signers...)
	}
	return seal(t, wire.TimeDocument, wire.Time{Time: t0.Add(time.Duration(version) * time.Hour)}, signers...)
}

func TestTakeNeverGoesBack(t *testing.T) {
	taken := map[string]int{}
	rapid.Check(t, func(r *rapid.T) {
		s := ground(t)
		if rapid.Bool().Draw(r, "fresh") {
			s = enrolled()
		}
		for range rapid.IntRange(1, 30).Draw(r, "documents") {
			e := drawn(t, r)
			next, err := s.Take(e)
			if err != nil {
				if !reflect.DeepEqual(next, s) {
					r.Fatalf("%v, and the state changes", err)
				}
				continue
			}
			taken[e.Type]++
			wentBack(r, s, next)
			s = next
		}
	})
	if len(taken) != 5 && !testing.Short() { // rapid tries a fifth of the inputs then
		t.Errorf("the test takes only %v", taken)
	}
}

// wentBack fails where a state is behind the one before it in a way that no root explains.
func wentBack(t *rapid.T, s, next State) {
	newRoot := next.Held().Root != s.Held().Root
	switch {
	case s.Root != nil && newRoot && next.Root.Version != s.Root.Version+1:
		t.Fatalf("root %d follows %d", next.Root.Version, s.Root.Version)
	case s.Limits != nil && next.Limits == nil && !newRoot:
		t.Fatal("limits are gone without a root that drops them")
	case s.Limits != nil && next.Limits != nil && next.Limits.Version < s.Limits.Version:
		t.Fatalf("limits %d follow %d", next.Limits.Version, s.Limits.Version)
	case s.Catalog != nil && next.Catalog == nil && !newRoot:
		t.Fatal("the catalogue is gone without a root that drops it")
	case s.Catalog != nil && next.Catalog != nil && next.Catalog.Version < s.Catalog.Version:
		t.Fatalf("catalogue %d follows %d", next.Catalog.Version, s.Catalog.Version)
	case next.Time.Before(s.Time) && !(newRoot && next.Replaced(s)):
		t.Fatalf("the time goes back from %s to %s", s.Time, next.Time)
	case s.Server.Newer(next.Server) && !(newRoot && next.Replaced(s)):
		t.Fatalf("the server's keys go back from %v to %v", s.Server, next.Server)
	case len(next.Orders) == 0:
		t.Fatal("nobody may sign orders any more")
	case (next.Limits == nil) != (next.Signed == nil):
		t.Fatal("the limits are not those that were signed")
	}
	for _, k := range next.Orders {
		if next.Root != nil && !next.Root.Server.Empty() && !contains(next.Root.Server.Keys, k) {
			t.Fatal("a key signs orders that the root does not name")
		}
	}
}

// Whatever bit a document loses on the way, it is refused.
func TestAnyBentBitIsRefused(t *testing.T) {
	s := ground(t)
	for _, e := range []*wire.Envelope{
		seal(t, wire.RootDocument, rootOf(2), "r1", "r2"), seal(t, wire.LimitsDocument, limitsOf(6), "p1"),
		seal(t, wire.ServerDocument, serverOf(1, 6, "s1"), "s1"), seal(t, wire.TimeDocument, wire.Time{Time: t0.Add(1)}, "s1"),
		seal(t, wire.CatalogDocument, catalogOf(6, func(c *wire.Catalog) { c.Packages[0].Releases = nil }), "p1"),
	} {
		takes(t, s, e)
		bend := func(what string, b []byte, set func([]byte)) {
			for i := range len(b) * 8 {
				bent := slices.Clone(b)
				bent[i/8] ^= 1 << (i % 8)
				set(bent)
				if next, err := s.Take(e); err == nil || !reflect.DeepEqual(next, s) {
					t.Fatalf("%s with bit %d of its %s bent: %v", e.Type, i, what, err)
				}
			}
			set(b)
		}
		bend("type", []byte(e.Type), func(b []byte) { e.Type = string(b) })
		bend("payload", e.Payload, func(b []byte) { e.Payload = b })
		for i := range e.Signatures {
			bend("key", []byte(e.Signatures[i].Key), func(b []byte) { e.Signatures[i].Key = string(b) })
			bend("signature", e.Signatures[i].Sig, func(b []byte) { e.Signatures[i].Sig = b })
		}
		takes(t, s, e)
	}
}

// However often and in whatever order documents come, readers end at the same state once
// they have all.
func TestOrderAndRepetitionDoNotMatter(t *testing.T) {
	documents := []*wire.Envelope{
		seal(t, wire.RootDocument, rootOf(2, func(r *wire.Root) { r.Server = role(1, "s1", "s2") }), "r1", "r2"),
		seal(t, wire.RootDocument, rootOf(3, func(r *wire.Root) { r.Root, r.Server = role(1, "r4"), role(1, "s1", "s2") }), "r3", "r2", "r4"),
		seal(t, wire.RootDocument, rootOf(4, func(r *wire.Root) { r.Root, r.Server, r.Limits = role(1, "r5"), role(1, "s1", "s2"), 6 }), "r4", "r5"),
		seal(t, wire.LimitsDocument, limitsOf(6), "p1"),
		seal(t, wire.LimitsDocument, limitsOf(7, func(l *wire.Limits) { l.Root = 4 }), "p1"),
		seal(t, wire.CatalogDocument, catalogOf(6), "p1"),
		seal(t, wire.CatalogDocument, catalogOf(7, func(c *wire.Catalog) { c.Root = 3 }), "p1"),
		seal(t, wire.ServerDocument, serverOf(1, 6, "s1"), "s1"),
		seal(t, wire.ServerDocument, serverOf(2, 1, "s2", "s1"), "s1"),
		seal(t, wire.TimeDocument, wire.Time{Time: t0.Add(time.Hour)}, "s1"),
		seal(t, wire.TimeDocument, wire.Time{Time: t0.Add(2 * time.Hour)}, "s1"),
	}
	settle := func(s State, order []*wire.Envelope) State {
		for range len(order) { // a reader asks again for what it lacks
			for _, e := range order {
				if next, err := s.Take(e); err == nil {
					s = next
				}
			}
		}
		return s
	}
	want := settle(ground(t), documents)
	if want.Held() != (wire.HeldDocuments{Root: 4, Limits: 7, Catalog: 7, Server: wire.OrdersVersion{Epoch: 2, Version: 1}, Time: t0.Add(2 * time.Hour)}) || !want.Time.Equal(t0.Add(2*time.Hour)) {
		t.Fatalf("%+v", want.Held())
	}
	for seed := range uint64(200) {
		chance := rand.New(rand.NewPCG(seed, 1))
		order := slices.Concat(documents, documents[:chance.IntN(len(documents))])
		chance.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
		if got := settle(ground(t), order); !reflect.DeepEqual(got, want) {
			t.Fatalf("seed %d: %+v", seed, got.Held())
		}
	}
}

// A root is followed exactly when as many of the former keys signed as the former root says,
// and as many of its own as it says itself.
func TestRootNeedsBothThresholds(t *testing.T) {
	former, own := []string{"r1", "r2", "r3"}, []string{"n1", "n2", "n3"}
	tried := 0
	for keys := 1; keys <= 3; keys++ {
		for threshold := 1; threshold <= keys; threshold++ {
			for signed := range 1 << (2 * keys) {
				var names []string
				old, by := 0, 0
				for i := range keys {
					if signed>>i&1 == 1 {
						names, old = append(names, former[i]), old+1
					}
					if signed>>(keys+i)&1 == 1 {
						names, by = append(names, own[i]), by+1
					}
				}
				s := takes(t, enrolled(), seal(t, wire.RootDocument, rootOf(1, func(r *wire.Root) { r.Root = role(threshold, former[:keys]...) }), former...))
				e := seal(t, wire.RootDocument, rootOf(2, func(r *wire.Root) { r.Root = role(threshold, own[:keys]...) }), names...)
				next, err := s.Take(e)
				if want := old >= threshold && by >= threshold; (err == nil) != want || want && next.Root.Version != 2 || !want && !errors.Is(err, wire.ErrSignature) {
					t.Errorf("%d of %d, signed by %v: %v", threshold, keys, names, err)
				}
				tried++
			}
		}
	}
	t.Logf("%d sets of signatures", tried)
}

// An agent that was away follows roots one by one, however many there were.
func TestLongChainOfRoots(t *testing.T) {
	s := takes(t, enrolled(), seal(t, wire.RootDocument, rootOf(1, func(r *wire.Root) { r.Root = role(1, "k1") }), "k1"))
	for v := int64(2); v <= 200; v++ {
		mine, former := fmt.Sprintf("k%d", v), fmt.Sprintf("k%d", v-1)
		e := seal(t, wire.RootDocument, rootOf(v, func(r *wire.Root) { r.Root = role(1, mine) }), former, mine)
		if v%50 == 0 {
			refuses(t, s, seal(t, wire.RootDocument, rootOf(v+1, func(r *wire.Root) { r.Root = role(1, mine) }), former, mine), ErrGap)
		}
		s = takes(t, s, e)
	}
	if s.Held().Root != 200 {
		t.Errorf("%+v", s.Held())
	}
}
