package fleet

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"patchbay/patch"
	"patchbay/server/assess"
	"patchbay/server/store"
	"patchbay/server/verdict"
	"patchbay/server/view"
	"patchbay/wire"
)

var now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// names of verdicts, one of each state and a gone one.
var names = []verdict.Name{verdict.VERIFIED, verdict.APPLYING, verdict.WAITS_WINDOW, verdict.WAITS_DECISION, verdict.FAILED,
	verdict.REJECTED, verdict.UNKNOWN, verdict.NOT_APPLICABLE}

func need(name string, v verdict.Name, security bool) Need {
	u := patch.Update{Provider: "apt", Name: name, Architecture: "amd64", Installed: "1.0", Available: "1.1", Origin: "Debian"}
	if security {
		u.Classes = []patch.Class{patch.Security}
	}
	return Need{Need: assess.Need{Key: u.Key(), Update: u, Installed: "1.0", Offered: true, Since: now.Add(-time.Hour)},
		Verdict: verdict.Verdict{Name: v, State: verdict.StateOf(v), Since: now}}
}

// device is the nth device, of customer n mod customers, with the needs.
func device(n, customers int, seen time.Time, needs ...Need) *Entry {
	scanned := now
	c := n % customers
	return &Entry{
		Device:   store.Device{ID: fmt.Sprintf("dev_%05d", n), Customer: fmt.Sprintf("cus_%d", c), Site: fmt.Sprintf("site_%d", c), Name: fmt.Sprintf("pc-%05d", n), ScannedAt: &scanned},
		Agent:    store.Agent{ID: fmt.Sprintf("agt_%05d", n), Mode: wire.Manage, LastSeen: seen},
		Site:     store.Site{ID: fmt.Sprintf("site_%d", c), Name: "HQ"},
		Customer: view.Ref{ID: fmt.Sprintf("cus_%d", c), Name: fmt.Sprintf("Customer %d", c)}, Needs: needs,
	}
}

// The parts of a posture are its whole, at every level, and a silent device stays in the
// denominator.
func TestPosturesAddUp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x := New(24 * time.Hour)
		want, silent := 0, 0
		count := rapid.IntRange(1, 20).Draw(t, "devices")
		for n := range count {
			var needs []Need
			for i := range rapid.IntRange(0, 6).Draw(t, "needs") {
				v := rapid.SampledFrom(names).Draw(t, "verdict")
				needs = append(needs, need(fmt.Sprint("item", i), v, rapid.Bool().Draw(t, "security")))
				if verdict.Counted(v) {
					want++
				}
			}
			seen := now
			if rapid.Bool().Draw(t, "silent") {
				seen = now.Add(-48 * time.Hour)
				silent++
			}
			x.Put(device(n, 3, seen, needs...))
		}
		for _, level := range []store.Level{store.LevelCustomer, store.LevelSite, store.LevelDevice} {
			var sum view.Posture
			for _, p := range x.Postures(now, level) {
				if parts := p.Verified + p.Moving + p.WaitsTime + p.WaitsPerson + p.Failed + p.Excepted + p.Unknown; parts != p.Needs {
					t.Fatalf("%+v: the parts are %d", p, parts)
				}
				sum = sum.Plus(p)
			}
			if sum.Needs != want || sum.Devices != count || sum.Silent != silent {
				t.Fatalf("%s: %+v, want %d needs on %d devices, %d silent", level, sum, want, count, silent)
			}
		}
		if page := x.Needs(now, view.Filter{}); page.Total != want {
			t.Fatalf("%d needs are listed, %d counted", page.Total, want)
		}
		daily := 0
		for _, facts := range x.Daily(now) {
			for _, f := range facts {
				daily += f.Needs
			}
		}
		if daily != want {
			t.Fatalf("the day counts %d of %d needs", daily, want)
		}
	})
}

// Every sort, up and down, in pages: each row exactly once, in order.
func TestPagesShowEveryRowOnce(t *testing.T) {
	x := New(24 * time.Hour)
	for n := range 57 {
		x.Put(device(n, 3, now, need("a", names[n%len(names)], n%2 == 0), need("b", verdict.FAILED, false)))
	}
	lists := map[string]func(view.Filter) (ids []string, next view.Cursor, total int){
		"devices": func(f view.Filter) (ids []string, next view.Cursor, total int) {
			p := x.Devices(now, f)
			for _, d := range p.Items {
				ids = append(ids, d.ID)
			}
			return ids, p.NextCursor, p.Total
		},
		"needs": func(f view.Filter) (ids []string, next view.Cursor, total int) {
			p := x.Needs(now, f)
			for _, d := range p.Items {
				ids = append(ids, d.ID)
			}
			return ids, p.NextCursor, p.Total
		},
		"updates": func(f view.Filter) (ids []string, next view.Cursor, total int) {
			p := x.Updates(now, f)
			for _, d := range p.Items {
				ids = append(ids, d.ID)
			}
			return ids, p.NextCursor, p.Total
		},
	}
	sorts := map[string][]string{
		"devices": {"name", "customer", "last_seen", "open", "security_open", "failed"},
		"needs":   {"name", "device", "customer", "since", "verdict", "size"},
		"updates": {"name", "devices", "waiting", "released", "size"},
	}
	for list, ask := range lists {
		for _, sort := range sorts[list] {
			for _, sign := range []string{"", "-"} {
				seen := map[string]bool{}
				f := view.Filter{Sort: sign + sort, Limit: 10}
				for {
					ids, next, total := ask(f)
					for _, id := range ids {
						if seen[id] {
							t.Fatalf("%s by %s%s: %s twice", list, sign, sort, id)
						}
						seen[id] = true
					}
					if next == (view.Cursor{}) {
						if len(seen) != total {
							t.Errorf("%s by %s%s: %d of %d rows", list, sign, sort, len(seen), total)
						}
						break
					}
					f.After = next
				}
			}
		}
	}
}

func TestFiltersKeepCustomersApart(t *testing.T) {
	x := New(24 * time.Hour)
	for n := range 30 {
		x.Put(device(n, 3, now, need("a", verdict.FAILED, true)))
	}
	f := view.Filter{Customer: "cus_1"}
	for _, d := range x.Devices(now, f).Items {
		if d.Customer.ID != "cus_1" {
			t.Errorf("a device of %s", d.Customer.ID)
		}
	}
	for _, n := range x.Needs(now, f).Items {
		if n.Customer.ID != "cus_1" {
			t.Errorf("a need of %s", n.Customer.ID)
		}
	}
	if u := x.Updates(now, f); u.Total != 1 || u.Items[0].Devices != 10 || u.Items[0].Customers != 1 {
		t.Errorf("%+v", u)
	}
	f.Device = "dev_00000" // of another customer
	if n := x.Needs(now, f); n.Total != 0 {
		t.Errorf("another customer's device was listed: %+v", n.Items)
	}
}

func TestHeardBeatsSilence(t *testing.T) {
	x := New(time.Hour)
	x.Put(device(1, 1, now.Add(-2*time.Hour)))
	if d, _ := x.Device(now, "dev_00001"); !d.Silent || d.State != view.DeviceSilent {
		t.Errorf("%+v", d)
	}
	x.Heard("dev_00001", now.Add(-time.Minute))
	x.Heard("dev_00001", now.Add(-30*time.Minute)) // late news do not take it back
	if d, _ := x.Device(now, "dev_00001"); d.Silent || !d.Agent.LastSeen.Equal(now.Add(-time.Minute)) {
		t.Errorf("%+v", d)
	}
}

// BenchmarkLists asks the lists of a fleet of 20,000 devices with 200,000 needs.
func BenchmarkLists(b *testing.B) {
	x := New(24 * time.Hour)
	for n := range 20_000 {
		var needs []Need
		for i := range 10 {
			needs = append(needs, need(fmt.Sprint("item", (n+i)%500), names[(n+i)%len(names)], i%3 == 0))
		}
		x.Put(device(n, 300, now, needs...))
	}
	for name, ask := range map[string]func(){
		"devices by open needs": func() { x.Devices(now, view.Filter{Sort: "-open", Limit: 50}) },
		"all needs by age":      func() { x.Needs(now, view.Filter{Sort: "since", Limit: 50}) },
		"failed needs":          func() { x.Needs(now, view.Filter{State: "failed", Limit: 50}) },
		"updates":               func() { x.Updates(now, view.Filter{Sort: "-devices", Limit: 50}) },
		"postures":              func() { x.Postures(now, store.LevelCustomer) },
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				ask()
			}
		})
	}
}

// A device that is gone may have one more word on the way. It must not be kept for ever.
func TestNothingIsKeptOfADeviceThatIsGone(t *testing.T) {
	x := New(time.Hour)
	x.Heard("dev_gone", time.Now())
	if len(x.seen) != 0 {
		t.Errorf("kept %v", x.seen)
	}
}

// Who has not said what it holds counts as holding nothing, and is told apart.
func TestHoldingCountsAgentsThatSaidSo(t *testing.T) {
	x := New(time.Hour)
	for i, held := range []*store.Held{nil, {}, {Root: 1}, {Root: 2, Limits: 3}, {Root: 3, Limits: 4}, {Root: 3, Limits: 4}} {
		agent := fmt.Sprintf("agt_%d", min(i, 4)) // the last two devices share one
		x.Put(&Entry{Device: store.Device{ID: fmt.Sprintf("dev_%d", i)}, Agent: store.Agent{ID: agent, Held: held}})
	}
	if got, want := x.Holding(2, 4), (view.Holding{Agents: 5, Root: 2, Limits: 1, Unknown: 1}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	if got, want := x.Holding(0, 0), (view.Holding{Agents: 5, Unknown: 1}); got != want {
		t.Errorf("of nothing: %+v, want %+v", got, want)
	}
}
