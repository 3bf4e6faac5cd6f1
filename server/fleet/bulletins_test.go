package fleet

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"patchbay/server/assess"
	"patchbay/server/bulletin"
	"patchbay/server/verdict"
	"patchbay/server/view"
)

func TestWhomABulletinTouches(t *testing.T) {
	const cve = "CVE-2026-0001"
	x := New(24 * time.Hour)
	mended := found("curl", "1.0", "1.1", assess.Affected, cve)
	never := found("nginx", "2.0", "", assess.NoFix, cve)
	tools := found("linux-libc-dev", "6.1", "6.2", assess.HeadersOnly, cve)
	offered := exposedOn(1, 2, mended)
	offered.Needs = []Need{need("curl", verdict.WAITS_DECISION, true)}
	offered.Needs[0].Update.Advisories = []string{cve}
	for _, e := range []*Entry{offered, exposedOn(2, 2, mended), exposedOn(3, 2, never, mended), exposedOn(4, 2, tools), device(5, 2, now)} {
		x.Put(e)
	}
	advisory := bulletin.Bulletin{ID: "DSA-" + cve, Kind: bulletin.New, Feed: "osv", CVEs: []string{cve}, SeenAt: now.Add(-2 * time.Hour)}
	kev := bulletin.Bulletin{ID: cve, Kind: bulletin.Exploited, Feed: "kev", CVEs: []string{cve}, SeenAt: now.Add(-3 * time.Hour)}
	other := bulletin.Bulletin{ID: "DSA-9", Kind: bulletin.New, Feed: "osv", CVEs: []string{cve}, SeenAt: now.Add(-time.Hour)}
	nobody := bulletin.Bulletin{ID: "CVE-1999-0001", Kind: bulletin.Exploited, Feed: "kev", CVEs: []string{"CVE-1999-0001"}, SeenAt: now}
	page := x.Bulletins(view.Filter{}, []bulletin.Bulletin{nobody, other, advisory, kev})
	var order []string
	for _, b := range page.Items {
		order = append(order, b.Name)
	}
	if !slices.Equal(order, []string{"DSA-" + cve, cve, "CVE-1999-0001", "DSA-9"}) {
		t.Fatalf("%q", order)
	}
	if b := page.Items[0]; b.Devices != 3 || b.Customers != 2 || b.Mendable != 2 || b.Unmended != 1 || b.Enrolled != 5 || b.Unread != 1 || b.Severity == "" {
		t.Errorf("%+v", b)
	}
	if b := page.Items[2]; b.Devices != 0 || b.Enrolled != 5 || b.Unread != 1 || b.Severity != "" {
		t.Errorf("%+v", b)
	}
	if page := x.Bulletins(view.Filter{State: "touching", Customer: "cus_0"}, []bulletin.Bulletin{nobody, advisory}); page.Total != 1 || page.Items[0].Devices != 1 || page.Items[0].Enrolled != 2 {
		t.Errorf("%+v", page)
	}
	d := x.Bulletin(now, view.Filter{}, advisory)
	if len(d.ByCustomer) != 2 || d.ByCustomer[0].Customer.ID != "cus_1" || d.ByCustomer[0].Devices != 2 || d.ByCustomer[0].Offered != 1 || d.ByCustomer[0].None != 1 || d.ByCustomer[1].Unoffered != 1 {
		t.Errorf("%+v", d.ByCustomer)
	}
	if len(d.Offers) != 1 || d.Offers[0].ID != offered.Needs[0].update || d.Offers[0].Name != "curl 1.1" || !slices.Equal(d.Open, []string{cve}) {
		t.Errorf("%+v", d)
	}
	x.Remove(offered.Device.ID) // what is gone is touched no more
	if d := x.Bulletin(now, view.Filter{}, advisory); d.Devices != 2 || d.Enrolled != 4 || len(d.Offers) != 0 {
		t.Errorf("%+v", d)
	}
}

func TestWhomARecallTouches(t *testing.T) {
	x := New(24 * time.Hour)
	r := assess.Recall{Feed: "acme", ID: "A-1", Provider: "apt", Name: "lib", Versions: []string{"1.1"}, Trouble: "It breaks.", Since: now}
	held, installed := need("lib", verdict.HELD, true), need("lib", verdict.RECALLED, true)
	held.Held, installed.Recalled = []assess.Recall{r}, []assess.Recall{r}
	for _, e := range []*Entry{device(1, 2, now, held), device(2, 2, now, installed), device(3, 2, now, need("lib", verdict.VERIFIED, true))} {
		x.Put(e)
	}
	b := bulletin.Bulletin{ID: "A-1", Kind: bulletin.Recalled, Feed: "acme", SeenAt: now}
	page := x.Bulletins(view.Filter{}, []bulletin.Bulletin{b})
	if row := page.Items[0]; row.Devices != 2 || row.Held != 1 || row.Installed != 1 || row.Customers != 2 || row.Enrolled != 3 || row.Mendable+row.Unmended != 0 {
		t.Errorf("%+v", row)
	}
	d := x.Bulletin(now, view.Filter{Customer: "cus_1"}, b)
	if d.Devices != 1 || len(d.ByCustomer) != 1 || d.ByCustomer[0].Held != 1 || d.Enrolled != 2 {
		t.Errorf("%+v", d)
	}
	b.Feed = "other"
	if page := x.Bulletins(view.Filter{}, []bulletin.Bulletin{b}); page.Items[0].Devices != 0 {
		t.Errorf("%+v", page.Items[0])
	}
}

// monthly is a fleet of 20,000 devices that lack a month of a hundred CVEs in one of forty
// builds, and 5,000 bulletins of which one is that month.
func monthly() (*Index, []bulletin.Bulletin) {
	x := New(24 * time.Hour)
	var cves []string
	for i := range 100 {
		cves = append(cves, fmt.Sprintf("CVE-2026-%d", 1000+i))
	}
	var builds []*assess.Found
	for i := range 40 {
		f := found("Windows", fmt.Sprint("10.0.22631.", i), "10.0.22631.99", assess.Affected, cves...)
		for j := range f.List {
			f.List[j].Updates = []string{"KB5000001"}
		}
		builds = append(builds, f)
	}
	for n := range 20_000 {
		e := exposedOn(n, 300, builds[n%40])
		kb := need("KB5000001", verdict.WAITS_DECISION, true)
		kb.Update.Advisories = cves
		e.Needs = []Need{need("curl", verdict.VERIFIED, true), kb}
		x.Put(e)
	}
	list := []bulletin.Bulletin{{ID: "2026-Jan", Kind: bulletin.Monthly, Feed: "osv", CVEs: cves, SeenAt: now}}
	for i := range bulletin.Most - 1 {
		list = append(list, bulletin.Bulletin{ID: fmt.Sprint("CVE-2025-", i), Kind: bulletin.New, Feed: "osv", CVEs: []string{fmt.Sprint("CVE-2025-", i)}, SeenAt: now})
	}
	return x, list
}

func BenchmarkBulletins(b *testing.B) {
	x, list := monthly()
	b.Run("list", func(b *testing.B) {
		for b.Loop() {
			if p := x.Bulletins(view.Filter{Limit: 50}, list); p.Items[0].Devices != 20_000 {
				b.Fatal(p.Items[0])
			}
		}
	})
	b.Run("one", func(b *testing.B) {
		for b.Loop() {
			if d := x.Bulletin(now, view.Filter{}, list[0]); d.Devices != 20_000 || d.ByCustomer[0].Offered == 0 {
				b.Fatal(d.Bulletin)
			}
		}
	})
}
