package trust

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"pgregory.net/rapid"

	"patchbay/wire"
)

// Every combination, against the rule as DESIGN and the documents' own comments say it.
func TestRuleForEveryCombination(t *testing.T) {
	tried := 0
	for approvals := 0; approvals <= 3; approvals++ {
		for forced := 0; forced <= 3; forced++ {
			s := takes(t, ground(t), seal(t, wire.LimitsDocument, limitsOf(6, func(l *wire.Limits) { l.Approvals, l.Forced = approvals, forced }), "p1"))
			tried += ruleCombinations(t, s, approvals, forced)
		}
	}
	t.Logf("%d combinations", tried)
}

func ruleCombinations(t *testing.T, s State, approvals, forced int) (tried int) {
	w := debianWork(t)
	signed := map[int][]wire.Envelope{}
	for n := range 4 {
		signed[n] = []wire.Envelope{*seal(t, wire.ApprovalDocument, approvalFor(w), []string{"a1", "a2", "a3"}[:n]...)}
	}
	away := notOwn(s, w.Agent)
	mine := s.turn(w.Agent, away)
	for n := range 4 {
		for bits := range 1 << 6 {
			has := func(i int) bool { return bits>>i&1 == 1 }
			verb, source, force, lapsed, own, security := has(0), has(1), has(2), has(3), has(4), has(5)
			w, now, device := debianWork(t), t0, away
			w.Forced, w.Security = force, security
			if !verb {
				w.Verb = "uninstall"
			}
			if !source {
				w.Origin = "Evil"
			}
			if lapsed {
				now = s.Limits.Expires
			}
			if own {
				device = mine
			}
			var want bool
			if lapsed {
				want = security && !force && verb
			} else {
				want = verb && source && (!force || n >= forced) && (own || approvals > 0 && n >= approvals)
			}
			r := s.Rule(w, signed[n], now, device)
			what := fmt.Sprintf("approvals %d forced %d signed %d verb %t source %t force %t lapsed %t own %t security %t: %+v",
				approvals, forced, n, verb, source, force, lapsed, own, security, r)
			switch {
			case r.OK != want:
				t.Errorf("want %t: %s", want, what)
			case r.OK == (r.Why != "") || r.Refused != (!lapsed && !(verb && source)):
				t.Error("its reason: " + what)
			case !r.Next.IsZero() && (r.OK || r.Refused || !r.Next.After(device)):
				t.Error("its next time: " + what)
			}
			tried++
		}
	}
	return tried
}

// Without a root and limits the rule is what it was before there were any.
func TestWithoutLimitsEverythingMayBegin(t *testing.T) {
	free := takes(t, enrolled(), seal(t, wire.RootDocument, rootOf(1, func(r *wire.Root) { r.Limits = 0 }), "r1", "r2"))
	for _, s := range []State{enrolled(), free} {
		if r := s.Rule(Work{Verb: "anything", Forced: true}, nil, t0, t0); !r.OK || s.Limited() {
			t.Errorf("%+v", r)
		}
	}
	asked := takes(t, enrolled(), seal(t, wire.RootDocument, rootOf(1), "r1", "r2"))
	if r := asked.Rule(debianWork(t), nil, t0, t0); r.OK || !asked.Limited() {
		t.Errorf("limits are asked for and none are there: %+v", r)
	}
}

// An empty origin in the limits stands for whatever the provider itself trusts; an update
// whose origin nobody knows matches no named one.
func TestSources(t *testing.T) {
	l := limitsOf(1, func(l *wire.Limits) {
		l.Sources = []wire.LimitSource{{Provider: "apt", Origin: "Debian"}, {Provider: "fwupd"}}
	})
	for _, c := range []struct {
		provider, origin string
		want             bool
	}{
		{"apt", "Debian", true}, {"apt", "debian", false}, {"apt", "", false}, {"apt", "Debian-Security", false},
		{"fwupd", "", true}, {"fwupd", "lvfs", true}, {"dnf", "Debian", false}, {"", "", false},
	} {
		if got := allows(l, Work{Target: wire.Target{Provider: c.provider}, Origin: c.origin}); got != c.want {
			t.Errorf("%s from %q: %t", c.provider, c.origin, got)
		}
	}
}

// An update is taken back where the limits name the verb, wherever it once came from; beyond
// the rate only a signature for that very verb lets it begin.
func TestUndoUnderTheLimits(t *testing.T) {
	for _, named := range []bool{false, true} {
		s := takes(t, ground(t), seal(t, wire.LimitsDocument, limitsOf(6, func(l *wire.Limits) {
			l.Approvals, l.Forced = 1, 1
			if named {
				l.Verbs = append(l.Verbs, wire.VerbUndo)
			}
		}), "p1"))
		w := debianWork(t)
		w.Verb, w.Origin, w.Target.From, w.Target.To = wire.VerbUndo, "", "1.1", "1.0"
		away := notOwn(s, w.Agent)
		if r := s.Rule(w, nil, t0, s.turn(w.Agent, away)); r.OK != named || r.Refused == named {
			t.Errorf("named %v, in its own hour: %+v", named, r)
		}
		if r := s.Rule(w, nil, s.Limits.Expires, s.turn(w.Agent, away)); r.OK {
			t.Error("it is taken back under limits that ended")
		}
		for verb, want := range map[string]bool{"": false, wire.VerbInstall: false, wire.VerbUndo: named} {
			a := approvalFor(w, func(a *wire.Approval) { a.Updates[0].Verb = verb })
			forced := w
			forced.Forced = true
			if r := s.Rule(forced, []wire.Envelope{*seal(t, wire.ApprovalDocument, a, "a1")}, t0, away); r.OK != want {
				t.Errorf("named %v, signed for %q: %+v", named, verb, r)
			}
		}
	}
}

func withRate(limit, fleet int) State {
	l := limitsOf(1, func(l *wire.Limits) { l.DevicesPerHour, l.Fleet = limit, fleet })
	r := rootOf(1)
	return State{Root: &r, Limits: &l}
}

// The share of hours with more devices than the limit, for any limit: what is expected is a
// binomial number, which a Poisson number with the same mean exceeds.
func TestRateLeavesRoomForChance(t *testing.T) {
	for limit := 1; limit <= 3000; limit++ {
		fleet := 1_000_000
		mean := float64(fleet) / float64(cycle(*withRate(limit, fleet).Limits))
		above, term := 0.0, math.Exp(-mean+float64(limit+1)*math.Log(mean)-lgamma(limit+2))
		for k := limit + 2; term > 1e-15; k++ {
			above += term
			term *= mean / float64(k)
		}
		if bound := map[bool]float64{true: 1e-3, false: 1e-4}[limit < 50]; above >= bound || mean > float64(limit) {
			t.Errorf("%d an hour: %.1f are expected, and more begin in %.1e of the hours", limit, mean, above)
		}
	}
}

func lgamma(n int) float64 { v, _ := math.Lgamma(float64(n)); return v }

// Fleets drawn by chance, over 2,000 hours; make check looks at fewer.
func TestRateOfDrawnFleets(t *testing.T) {
	hours := 2000
	if testing.Short() {
		hours = 100
	}
	for _, c := range []struct{ limit, fleet, fleets int }{
		{10, 1000, 20}, {100, 20000, 3}, {1000, 20000, 1}, {5, 5, 20}, {1, 10, 500}, {20000, 20000, 1},
	} {
		s := withRate(c.limit, c.fleet)
		n := cycle(*s.Limits)
		chance := rand.New(rand.NewPCG(uint64(c.limit), uint64(c.fleet)))
		above, most, sum := 0, 0, 0
		for range c.fleets {
			count := make([]int, hours)
			for range c.fleet {
				agent := fmt.Sprintf("p256:%016x%016x", chance.Uint64(), chance.Uint64())
				for k := int64(0); k*n < int64(hours); k++ {
					if at := k*n + slot(agent, k, n); at < int64(hours) {
						count[at]++
					}
				}
			}
			for _, k := range count {
				sum, most = sum+k, max(most, k)
				if k > c.limit {
					above++
				}
			}
		}
		total := hours * c.fleets
		mean, share := float64(sum)/float64(total), float64(above)/float64(total)
		t.Logf("%5d of %5d devices an hour: one hour in %3d is a device's own; %.2f begin on average, %d at most; more than the limit in %d of %d hours",
			c.limit, c.fleet, n, mean, most, above, total)
		if mean > float64(c.limit) || share >= 1.0/1000 {
			t.Errorf("%d of %d: mean %.2f, %.5f of the hours above", c.limit, c.fleet, mean, share)
		}
	}
}

func TestEveryDeviceHasOneHourInEachCycle(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		limit := rapid.IntRange(1, 300).Draw(r, "limit")
		s := withRate(limit, rapid.IntRange(limit, 3000).Draw(r, "fleet"))
		agent := rapid.StringMatching(`p256:[0-9a-f]{32}`).Draw(r, "agent")
		n := cycle(*s.Limits)
		first := rapid.Int64Range(0, 500_000/n).Draw(r, "cycle") * n
		own := 0
		for h := first; h < first+n; h++ {
			if s.own(agent, time.Unix(h*3600+rapid.Int64Range(0, 3599).Draw(r, "second"), 0)) {
				own++
			}
		}
		if own != 1 {
			r.Fatalf("%d of %d hours are its own", own, n)
		}
	})
}

func TestTurnIsTheNextOwnHour(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		limit := rapid.IntRange(0, 50).Draw(r, "limit")
		s := withRate(limit, rapid.IntRange(max(limit, 1), 2000).Draw(r, "fleet"))
		agent := rapid.StringMatching(`p256:[0-9a-f]{32}`).Draw(r, "agent")
		device := time.Unix(rapid.Int64Range(-1e9, 4e9).Draw(r, "device"), 0)
		next := s.turn(agent, device)
		if !next.After(device) || !s.own(agent, next) {
			r.Fatalf("at %s it says %s", device, next)
		}
		for h := hourOf(device) + 1; h < hourOf(next); h++ {
			if s.own(agent, time.Unix(h*3600, 0)) {
				r.Fatalf("hour %d comes before %s", h, next)
			}
		}
	})
}
