package fleet

import (
	"fmt"
	"reflect"
	"slices"
	"testing"

	"github.com/RoaringBitmap/roaring/v2"
	"pgregory.net/rapid"

	"patchbay/patch"
	"patchbay/server/assess"
	"patchbay/server/verdict"
	"patchbay/server/view"
)

// found is an item that an advisory for a CVE affects.
func found(name, version, fixed string, status assess.FindingStatus, cves ...string) *assess.Found {
	f := &assess.Found{Release: "Debian:12", Name: name, Version: version}
	for _, id := range cves {
		f.List = append(f.List, assess.Finding{Advisory: "DSA-" + id, CVEs: []string{id}, Status: status, Fixed: fixed, Severity: patch.SeverityHigh, Source: "osv"})
	}
	return f
}

// exposedOn is a device with items that are affected.
func exposedOn(n, customers int, all ...*assess.Found) *Entry {
	e := device(n, customers, now)
	held := map[patch.Key]*assess.Found{}
	var names []string
	for _, f := range all {
		held[patch.Key{Provider: "apt", Name: f.Name, Architecture: "amd64"}] = f
		names = append(names, f.Name)
	}
	e.Found = HeldBy(held)
	slices.Sort(names)
	e.Stocks = []Stock{{Hash: fmt.Sprint(names), Release: "Debian:12", Names: names}}
	return e
}

func TestWhoIsExposed(t *testing.T) {
	const cve = "CVE-2026-0001"
	x := New(0)
	mended := found("curl", "1.0", "1.1", assess.Affected, cve, "CVE-2026-0002")
	elsewhere := found("curl", "1.0", "1.2", assess.Affected, cve)
	never := found("nginx", "2.0", "", assess.NoFix, cve)
	tools := found("linux-libc-dev", "6.1", "6.2", assess.HeadersOnly, cve)
	offered := exposedOn(1, 2, mended)
	offered.Needs = []Need{need("curl", verdict.WAITS_DECISION, true)}
	offered.Needs[0].Update.Advisories = []string{cve}
	for _, e := range []*Entry{offered, exposedOn(2, 2, elsewhere), exposedOn(3, 2, never, mended), exposedOn(4, 2, tools), device(5, 2, now)} {
		x.Put(e)
	}
	got := x.Exposed(now, view.Filter{}, cve)
	if got.Devices != 3 || got.Offered != 1 || got.Unoffered != 1 || got.None != 1 || got.NoNeed != 1 || got.Enrolled != 5 || got.Unread != 1 || len(got.Customers) != 2 || len(got.Updates) != 1 || got.Severity != patch.SeverityHigh {
		t.Errorf("%+v", got)
	}
	// What mends it is found by its CVE, as long as it is on offer.
	if page := x.Needs(now, view.Filter{Mends: cve}); page.Total != 1 || page.Items[0].ID != offered.Needs[0].id {
		t.Errorf("%+v", page)
	}
	if page := x.Needs(now, view.Filter{Mends: "CVE-2026-0002"}); page.Total != 0 {
		t.Errorf("%+v", page)
	}
	if got := x.Exposed(now, view.Filter{Customer: "cus_0"}, cve); got.Devices != 1 || got.NoNeed != 1 || got.Enrolled != 2 {
		t.Errorf("of one customer: %+v", got)
	}
	if got := x.Exposed(now, view.Filter{}, "CVE-1999-0001"); got.Devices != 0 || got.Enrolled != 5 || got.Unread != 1 {
		t.Errorf("of nobody: %+v", got)
	}
	page := x.Findings(view.Filter{})
	if page.Total != 2 || page.Items[0].ID != cve || page.Items[0].Devices != 3 || page.Items[0].Customers != 2 || page.Items[0].Fixable || !slices.Equal(page.Items[0].Items, []string{"curl", "nginx"}) || !page.Items[1].Fixable {
		t.Errorf("%+v", page)
	}
	if page := x.Findings(view.Filter{Device: offered.Device.ID, Q: "CURL"}); page.Total != 2 {
		t.Errorf("%+v", page)
	}
	if got := x.DeviceFindings(offered.Device.ID); !got.Compared || len(got.Items) != 1 || len(got.Items[0].Findings) != 2 || got.Items[0].Need != offered.Needs[0].id {
		t.Errorf("%+v", got)
	}
	if got := x.DeviceFindings("dev_00005"); got.Compared {
		t.Errorf("%+v", got)
	}
}

// TestExposureIsWhatTheEntriesSay is a law: whatever comes and goes, the sets of bits answer as
// the entries do, and nothing is left of devices that are gone.
func TestExposureIsWhatTheEntriesSay(t *testing.T) {
	var pool []*assess.Found
	for i := range 8 {
		pool = append(pool, found(fmt.Sprint("p", i%4), fmt.Sprint(i), "", assess.NoFix, fmt.Sprintf("CVE-2026-%04d", i%5), fmt.Sprintf("CVE-2026-%04d", i%3)))
	}
	rapid.Check(t, func(t *rapid.T) {
		x, have := New(0), map[string]*Entry{}
		for range rapid.IntRange(1, 40).Draw(t, "changes") {
			n := rapid.IntRange(0, 6).Draw(t, "device")
			id := fmt.Sprintf("dev_%05d", n)
			if rapid.IntRange(0, 4).Draw(t, "retire") == 0 {
				x.Remove(id)
				delete(have, id)
				continue
			}
			var all []*assess.Found
			for _, f := range pool {
				if rapid.Bool().Draw(t, "has") {
					all = append(all, f)
				}
			}
			have[id] = exposedOn(n, 2, all...)
			x.Put(have[id])
		}
		for i := range 5 {
			cve := fmt.Sprintf("CVE-2026-%04d", i)
			want := map[string]bool{}
			for id, e := range have {
				for _, h := range e.Found {
					if slices.ContainsFunc(h.Found.List, func(f assess.Finding) bool { return slices.Contains(f.CVEs, cve) }) {
						want[id] = true
					}
				}
			}
			got := map[string]bool{}
			for _, c := range x.Exposed(now, view.Filter{}, cve).Customers {
				for _, d := range c.Devices {
					got[d.Device.ID] = true
				}
			}
			if !reflect.DeepEqual(got, want) {
				t.Fatalf("%s: %v, want %v", cve, got, want)
			}
		}
		for i := range 4 {
			name := fmt.Sprint("p", i)
			var want []string
			for id, e := range have {
				if slices.ContainsFunc(e.Found, func(h Held) bool { return h.Key.Name == name }) {
					want = append(want, id)
				}
			}
			got := x.Having("Debian:12", name)
			slices.Sort(got)
			slices.Sort(want)
			if !slices.Equal(got, want) {
				t.Fatalf("%s is on %v, want %v", name, got, want)
			}
		}
		for id := range have {
			x.Remove(id)
		}
		e := x.exposure
		if len(e.holders)+len(e.founds)+len(e.stocks)+len(e.numbers) > 0 || len(e.spare) != len(e.packs) || slices.ContainsFunc(e.having, func(b *roaring.Bitmap) bool { return !b.IsEmpty() }) {
			t.Fatalf("left over: %+v", e)
		}
	})
}
