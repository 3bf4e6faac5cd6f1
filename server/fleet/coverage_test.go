package fleet

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"patchbay/patch"
	"patchbay/provider"
	"patchbay/server/assess"
	"patchbay/server/catalog/feeds"
	"patchbay/server/view"
	"patchbay/wire"
)

// readOn is a device with so many items of a provider, of which some are of other publishers.
func readOn(n int, system, provider string, state wire.SectionState, items, foreign int, release string) *Entry {
	e := device(n, 2, now)
	e.Agent.EnrolledAt = now.AddDate(0, -1, 0)
	e.Device.Facts = wire.Facts{OSName: system, Providers: []wire.ProviderFacts{{Name: provider}}}
	if state != "" {
		failed := now.AddDate(0, 0, -3)
		e.Sections = []view.Section{{Name: provider + "/installed", State: state, Items: items, FailedAt: &failed, Error: "it is locked"}}
	}
	held := map[patch.Key]*assess.Found{}
	for i := range foreign {
		held[patch.Key{Provider: provider, Name: fmt.Sprint("x", i)}] = &assess.Found{Name: fmt.Sprint("x", i), List: []assess.Finding{{Status: assess.NotCompared}}}
	}
	e.Found = HeldBy(held)
	if release != "" {
		e.Stocks = []Stock{{Provider: provider, Hash: fmt.Sprint(n), Release: release, Items: items - foreign}}
	}
	return e
}

// covered answers of an index with feeds of which one speaks of Debian 12.
func covered(x *Index, all ...feeds.Status) Looked {
	return Looked{Index: x, Feeds: func() []feeds.Status { return all }, Speakers: func(release string) []string {
		if release == "Debian:12" {
			return []string{"osv-debian"}
		}
		return nil
	}}
}

func TestWhatIsNotLookedAt(t *testing.T) {
	x := New(time.Hour)
	fresh := feeds.Status{Name: "osv-debian", Kind: "osv", Every: time.Hour, Current: &feeds.Version{}, FreshAt: now.Add(-time.Minute)}
	missing := feeds.Status{Name: "osv-suse", Kind: "osv", Trouble: &feeds.Trouble{Text: "its publisher answered 404.", Since: now.AddDate(0, 0, -2)}}
	suse := readOn(4, "SLES 15.5", "zypper", wire.SectionOK, 40, 0, "")
	suse.Device.Facts.Distro, suse.Device.Facts.Release = "sles", "15.5"
	suse.Device.Facts.Providers[0].Traits = provider.Traits{Versions: patch.SchemeRPM}
	for _, e := range []*Entry{
		readOn(1, "Debian 12", "apt", wire.SectionOK, 100, 3, "Debian:12"), readOn(2, "Debian 12", "apt", wire.SectionFailed, 90, 0, "Debian:12"),
		readOn(3, "Windows 11", "winget", wire.SectionOK, 20, 0, ""), suse, readOn(5, "Windows 11", "winget", "", 0, 0, ""),
	} {
		x.Put(e)
	}
	l := covered(x, fresh, missing)
	rows := map[string]view.Coverage{}
	for _, r := range l.Coverage(view.Filter{}, now).Items {
		rows[r.ID] = r
	}
	debian, windows, sles := rows["Debian 12/apt"], rows["Windows 11/winget"], rows["SLES 15.5/zypper"]
	if debian.Devices != 2 || debian.Unread != 1 || debian.Items != 190 || debian.Compared != 187 || debian.Foreign != 3 || len(debian.Feeds) != 1 || debian.Feeds[0].Standing != feeds.Fresh || len(debian.Why) != 2 || !strings.Contains(debian.Why[1], "it is locked") {
		t.Errorf("%+v", debian)
	}
	if windows.Devices != 2 || windows.Unread != 1 || windows.Unmapped != 20 || !strings.Contains(windows.Why[0], "not joined") || !strings.Contains(windows.Why[1], "never read") {
		t.Errorf("%+v", windows)
	}
	if sles.Unmapped != 40 || !strings.Contains(sles.Why[0], "No feed that holds here speaks of SUSE") || !strings.Contains(sles.Why[0], "osv-suse is not here since") || !strings.Contains(sles.Why[0], "404") {
		t.Errorf("%+v", sles)
	}
	if s := l.CoverageSummary(view.Filter{}, now); s.Devices != 5 || s.Looked != 2 || s.Blind != 3 || s.Items != 250 || s.Compared != 187 {
		t.Errorf("%+v", s)
	}
	fresh.FreshAt = now.AddDate(0, 0, -30)
	old := covered(x, fresh).Coverage(view.Filter{Q: "debian"}, now).Items
	if len(old) != 1 || old[0].Feeds[0].Standing != feeds.Old || !strings.Contains(strings.Join(old[0].Why, " "), "what came out since is not known") {
		t.Errorf("%+v", old)
	}
}

// TestEveryItemAndDeviceIsCountedOnce: what is compared, of others and not spoken of are all
// items; devices looked at and not are all devices; whatever is not looked at says why; and of
// one customer nothing of another's is counted.
func TestEveryItemAndDeviceIsCountedOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x, total := New(time.Hour), map[string][2]int{}
		for n := range rapid.IntRange(0, 8).Draw(t, "devices") {
			state := rapid.SampledFrom([]wire.SectionState{wire.SectionOK, wire.SectionFailed, wire.SectionAbsent, ""}).Draw(t, "state")
			items := rapid.IntRange(0, 50).Draw(t, "items")
			e := readOn(n, rapid.SampledFrom([]string{"A", "B"}).Draw(t, "system"), rapid.SampledFrom([]string{"apt", "winget"}).Draw(t, "provider"), state, items, rapid.IntRange(0, 60).Draw(t, "foreign"),
				rapid.SampledFrom([]string{"", "Debian:12"}).Draw(t, "release"))
			if rapid.Bool().Draw(t, "silent") {
				e.Agent.LastSeen = now.AddDate(0, 0, -9)
			}
			x.Put(e)
			if state == wire.SectionAbsent || state == "" {
				items = 0
			}
			for _, of := range []string{"", e.Device.Customer} {
				total[of] = [2]int{total[of][0] + 1, total[of][1] + items}
			}
		}
		l := covered(x)
		for _, customer := range []string{"", "cus_0", "cus_1"} {
			f := view.Filter{Customer: customer}
			s := l.CoverageSummary(f, now)
			if s.Devices != total[customer][0] || s.Items != total[customer][1] || s.Looked+s.Blind != s.Devices || s.Compared+s.Foreign+s.Unmapped != s.Items {
				t.Fatalf("%q: %+v, want %v", customer, s, total[customer])
			}
			devices, items := 0, 0
			for _, r := range l.Coverage(f, now).Items {
				devices, items = devices+r.Devices, items+r.Items
				if r.Compared+r.Foreign+r.Unmapped != r.Items || r.Compared < 0 || r.Foreign < 0 || r.Unmapped < 0 {
					t.Fatalf("%+v", r)
				}
				if whole := r.Items == r.Compared && r.Unread == 0 && r.Silent == 0; whole != (len(r.Why) == 0) {
					t.Fatalf("it is whole: %v, and says %q", whole, r.Why)
				}
			}
			if devices != s.Devices || items != s.Items {
				t.Fatalf("%d devices and %d items in rows, %+v", devices, items, s)
			}
			parts := []int{l.Coverage(view.Filter{Customer: customer, State: "whole"}, now).Total, l.Coverage(view.Filter{Customer: customer, State: "partly"}, now).Total}
			if !slices.Equal([]int{parts[0] + parts[1]}, []int{l.Coverage(f, now).Total}) {
				t.Fatalf("%v", parts)
			}
		}
	})
}
