package fleet

import (
	"fmt"
	"testing"
	"unique"

	"pgregory.net/rapid"

	"patchbay/server/catalog/purpose"
	"patchbay/server/view"
)

// TestSoftwareIsWhatDevicesHave: whatever comes, changes and goes, what nobody updates and what
// there are several of for one purpose is the same as counting it all anew, for all and for each
// customer.
func TestSoftwareIsWhatDevicesHave(t *testing.T) {
	programs := []purpose.Program{{Name: "A", Purpose: "browser"}, {Name: "B", Purpose: "browser"}, {Name: "C", Purpose: "browser"}, {Name: "D", Purpose: "archiver"}}
	rapid.Check(t, func(t *rapid.T) {
		x, have := New(0), map[int]*Entry{}
		for range rapid.IntRange(1, 25).Draw(t, "changes") {
			n := rapid.IntRange(1, 6).Draw(t, "device")
			if rapid.IntRange(0, 4).Draw(t, "goes") == 0 {
				x.Remove(fmt.Sprintf("dev_%05d", n))
				delete(have, n)
				continue
			}
			e := device(n, 2, now)
			for _, p := range rapid.SliceOfN(rapid.SampledFrom(programs), 0, 4).Draw(t, "programs") { // also one twice
				e.Software.Purposes = append(e.Software.Purposes, unique.Make(p))
				e.Software.Loose = append(e.Software.Loose, unique.Make(Loose{"winget", p.Name, "Why."}))
				e.Lives.Count(false, false)
			}
			x.Put(e)
			have[n] = e
		}
		for _, customer := range []string{"", "cus_0", "cus_1"} {
			loose, several, mixed, between, with := map[string]int{}, map[string]int{}, map[string]int{}, map[string]map[string]bool{}, 0
			for _, e := range have {
				if customer != "" && e.Device.Customer != customer {
					continue
				}
				seen := map[purpose.Program]bool{}
				for _, h := range e.Software.Purposes {
					seen[h.Value()] = true
				}
				with += one(len(seen) > 0)
				for p := range seen {
					loose[p.Name]++
					at := p.Purpose + e.Device.Customer
					if between[at] == nil {
						between[at] = map[string]bool{}
					}
					between[at][p.Name] = true
				}
				for _, p := range []string{"browser", "archiver"} {
					several[p] += one(len(programsFor(e, p)) > 1)
				}
			}
			for at, names := range between {
				mixed[at[:len(at)-len("cus_0")]] += one(len(names) > 1)
			}
			f := view.Filter{Customer: customer}
			got := map[string]int{}
			for _, r := range x.Unattended(f).Items {
				got[r.Name] = r.Devices
			}
			if fmt.Sprint(got) != fmt.Sprint(loose) {
				t.Fatalf("nobody updates %v, want %v", got, loose)
			}
			if s := x.UnattendedSummary(f); s.With != with || s.Nobody > s.Items || s.With+s.Unread != s.Devices {
				t.Fatalf("%+v, %d have any", s, with)
			}
			for _, r := range x.Several(f).Items {
				if r.Several != several[r.Purpose] || r.Mixed != mixed[r.Purpose] || r.Several > r.Devices || r.Several == 0 && r.Mixed == 0 {
					t.Fatalf("%+v, want %d and %d", r, several[r.Purpose], mixed[r.Purpose])
				}
				if page := x.SeveralDevices(f, r.Purpose, now); page.Total != r.Several {
					t.Fatalf("%d devices behind %+v", page.Total, r)
				}
			}
		}
		if len(have) == 0 && len(x.loose)+len(x.purposes) > 0 {
			t.Fatal("sets of what nobody has are kept")
		}
	})
}
