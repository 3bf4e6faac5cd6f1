package fleet

import (
	"slices"
	"strings"
	"testing"

	"patchbay/patch"
	"patchbay/server/assess"
	"patchbay/server/roles"
	"patchbay/server/verdict"
	"patchbay/server/view"
)

// placed is an item with findings that stand at places, the CVE of each after its place.
func placed(name string, places map[string]uint64, status assess.FindingStatus) *assess.Found {
	f := &assess.Found{Release: "Debian:12", Name: name, Version: "1.0"}
	for id, place := range places {
		f.List = append(f.List, assess.Finding{Advisory: "DSA-" + id, CVEs: []string{id}, Status: status, Fixed: "1.1", Severity: patch.SeverityHigh, Source: "osv", Place: place<<40 | 1<<32,
			Step: []string{"defer", "scheduled", "out-of-cycle", "immediate"}[place], Why: "It stands at " + id + "."})
	}
	slices.SortFunc(f.List, func(a, b assess.Finding) int { return strings.Compare(a.Advisory, b.Advisory) })
	return f
}

// order is the names of a page, in its order.
func order(p view.Page[view.Need]) string {
	var names []string
	for _, n := range p.Items {
		names = append(names, n.Device.Name+" "+n.Item.Name+" "+n.Step)
	}
	return strings.Join(names, ", ")
}

// TestNeedsStandWhereWhatTheyMendStands: by the first of what the update mends, and of nothing else;
// what is done waits for nothing.
func TestNeedsStandWhereWhatTheyMendStands(t *testing.T) {
	x := New(0)
	offer := func(name string, mends ...string) Need {
		n := need(name, verdict.WAITS_DECISION, true)
		n.Update.Advisories = mends
		return n
	}
	e := exposedOn(1, 1, placed("curl", map[string]uint64{"CVE-1-1": 1, "CVE-1-2": 3, "CVE-1-3": 2}, assess.Affected), placed("nginx", map[string]uint64{"CVE-2-1": 3}, assess.Affected),
		placed("bash", map[string]uint64{"CVE-3-1": 2}, assess.Affected), placed("vim", map[string]uint64{"CVE-4-1": 3}, assess.Unimportant), placed("sudo", map[string]uint64{"CVE-5-1": 1}, assess.NoFix))
	system := placed("Windows", map[string]uint64{"CVE-6-1": 2}, assess.Affected)
	system.List[0].Updates = []string{"KB1"}
	e.Found = append(e.Found, Held{patch.Key{Provider: "winupdate", Name: "Windows"}, system})
	done := offer("nginx", "CVE-2-1")
	done.Reached = true
	none := need("sudo", verdict.NO_FIX, true)
	none.Offered, none.Exposed, none.Findings = false, true, e.Found[slices.IndexFunc(e.Found, func(h Held) bool { return h.Key.Name == "sudo" })].Found.List
	kb := offer("KB1", "CVE-6-1")
	kb.Key, kb.Update.Provider = patch.Key{Provider: "winupdate", Name: "KB1"}, "winupdate"
	e.Needs = []Need{offer("curl", "CVE-1-1", "CVE-1-3"), done, offer("bash", "CVE-9-9"), offer("vim", "CVE-4-1"), none, kb}
	e.Standing = roles.Of(nil, []roles.Said{{Level: roles.Device, Name: roles.Exposure, Value: "open", By: "Ann", At: now}})
	x.Put(e)
	got := x.Needs(now, view.Filter{Sort: "-place"})
	for _, want := range []string{"curl out-of-cycle", "KB1 out-of-cycle", "sudo scheduled", "nginx ", "bash ", "vim "} {
		if !strings.Contains(order(got)+",", e.Device.Name+" "+want+",") {
			t.Errorf("%q is not in %s", want, order(got))
		}
	}
	for i, n := range got.Items {
		if (n.Step != "") != (i < 3) || (n.Step != "") != strings.HasSuffix(n.Why, "was set by Ann on "+now.Format("2006-01-02")+".") {
			t.Errorf("%d: %s %q %q", i, n.Item.Name, n.Step, n.Why)
		}
	}
	if got.Items[2].Item.Name != "sudo" {
		t.Error(order(got))
	}
}

// TestRowsStandWhereTheirDeviceStands: the same item stands elsewhere on another kind of device, and
// what is said of all is what holds where it is soonest.
func TestRowsStandWhereTheirDeviceStands(t *testing.T) {
	const cve = "CVE-2026-0001"
	x := New(0)
	for n, place := range []uint64{1, 3, 2, 0} {
		x.Put(exposedOn(n, 1, placed("curl", map[string]uint64{cve: place}, assess.Affected)))
	}
	x.Put(exposedOn(4, 1, placed("curl", map[string]uint64{cve: 3}, assess.HeadersOnly)))
	e := x.Exposed(now, view.Filter{}, cve)
	var got []string
	for _, d := range e.Customers[0].Devices {
		got = append(got, d.Finding.Step+" "+string(d.Finding.Status))
	}
	if want := "immediate affected, out-of-cycle affected, scheduled affected, defer affected, immediate headers-only"; strings.Join(got, ", ") != want || e.Step != "immediate" || e.Devices != 4 || e.NoNeed != 1 {
		t.Errorf("%v, %s, %d and %d", got, e.Step, e.Devices, e.NoNeed)
	}
	if page := x.Findings(view.Filter{}); page.Total != 1 || page.Items[0].Step != "immediate" || page.Items[0].Devices != 4 {
		t.Errorf("%+v", page.Items)
	}
	if page := x.Findings(view.Filter{Device: "dev_00003"}); page.Items[0].Step != "defer" {
		t.Errorf("of one device: %+v", page.Items)
	}
	x.Put(exposedOn(5, 1, placed("a", map[string]uint64{"CVE-1": 1}, assess.Affected), placed("b", map[string]uint64{"CVE-2": 3}, assess.HeadersOnly), placed("c", map[string]uint64{"CVE-3": 2}, assess.NoFix)))
	var items []string
	for _, i := range x.DeviceFindings("dev_00005").Items {
		items = append(items, i.Item.Name)
	}
	if !slices.Equal(items, []string{"c", "a", "b"}) {
		t.Error(items)
	}
}
