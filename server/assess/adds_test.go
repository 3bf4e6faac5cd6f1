package assess

import (
	"testing"
	"time"

	"patchbay/patch"
	"patchbay/wire"
)

// TestUpdatesThatAreItemsOfTheirOwn: each is a need as long as it is on offer, and afterwards is
// told as there, replaced, or withdrawn, and never as gone of itself.
func TestUpdatesThatAreItemsOfTheirOwn(t *testing.T) {
	gone := now.Add(-time.Minute)
	offer := func(source, revision string, at *time.Time, supersedes ...string) Offer {
		return Offer{FirstSeen: now.Add(-time.Hour), GoneAt: at, Update: patch.Update{Provider: "winupdate", Name: "KB" + source, Instance: source, Source: source,
			Available: revision, Supersedes: supersedes}}
	}
	item := func(source, revision, disputed string) patch.Item {
		return patch.Item{Provider: "winupdate", Name: "KB" + source, Instance: source, Source: source, Version: revision, Disputed: disputed}
	}
	const doubt = "The engine says that it is installed, and the build does not show it."
	for name, c := range map[string]struct {
		items  []patch.Item
		offers []Offer
		want   map[string]Need // by source; what is not named here is no need
	}{
		"on offer":                      {nil, []Offer{offer("1", "200", nil)}, map[string]Need{"1": {Absent: true, Offered: true}}},
		"withdrawn":                     {nil, []Offer{offer("1", "200", &gone)}, map[string]Need{"1": {Absent: true}}},
		"replaced":                      {nil, []Offer{offer("1", "200", &gone), offer("2", "100", nil, "1")}, map[string]Need{"1": {Absent: true, Replaced: "KB2"}, "2": {Absent: true, Offered: true}}},
		"replaced and installed":        {[]patch.Item{item("2", "100", "")}, []Offer{offer("1", "200", &gone), offer("2", "100", &gone, "1")}, map[string]Need{"1": {Absent: true, Replaced: "KB2"}, "2": {Installed: "100", Reached: true}}},
		"replaced by what vanished too": {nil, []Offer{offer("1", "200", &gone), offer("2", "100", &gone, "1")}, map[string]Need{"1": {Absent: true}, "2": {Absent: true}}},
		"replaced twice": {nil, []Offer{offer("1", "200", &gone), offer("2", "100", &gone, "1"), offer("3", "100", nil, "2")},
			map[string]Need{"1": {Absent: true, Replaced: "KB3"}, "2": {Absent: true, Replaced: "KB3"}, "3": {Absent: true, Offered: true}}},
		"replaced by what is disputed": {[]patch.Item{item("2", "100", doubt)}, []Offer{offer("1", "200", &gone), offer("2", "100", &gone, "1")},
			map[string]Need{"1": {Absent: true}, "2": {Installed: "100", Disputed: doubt}}},
		"each of two replaces the other":    {nil, []Offer{offer("1", "200", &gone, "2"), offer("2", "100", &gone, "1")}, map[string]Need{"1": {Absent: true}, "2": {Absent: true}}},
		"installed":                         {[]patch.Item{item("1", "200", "")}, []Offer{offer("1", "200", &gone)}, map[string]Need{"1": {Installed: "200", Reached: true}}},
		"disputed":                          {[]patch.Item{item("1", "200", doubt)}, []Offer{offer("1", "200", &gone)}, map[string]Need{"1": {Installed: "200", Disputed: doubt}}},
		"disputed, never seen on offer":     {[]patch.Item{item("1", "200", doubt)}, nil, map[string]Need{"1": {Installed: "200", Disputed: doubt}}},
		"another revision since":            {nil, []Offer{offer("1", "200", &gone), offer("1", "201", nil)}, map[string]Need{"1": {Absent: true, Offered: true}}},
		"what it replaces stands by itself": {nil, []Offer{offer("1", "200", nil, "1")}, map[string]Need{"1": {Absent: true, Offered: true}}},
	} {
		p := readable()
		p.Name, p.Versions, p.Adds, p.Items, p.Offers = "winupdate", patch.SchemeWinget, true, c.items, c.offers
		got := Needs(Device{Host: Section{State: wire.SectionOK, ScannedAt: now}, Providers: []Provider{p}}, now)
		if len(got) != len(c.want) {
			t.Errorf("%s: %d needs, want %d: %+v", name, len(got), len(c.want), got)
		}
		for _, n := range got {
			w, ok := c.want[n.Key.Instance]
			if !ok || n.Absent != w.Absent || n.Offered != w.Offered || n.Installed != w.Installed || n.Reached != w.Reached || n.Disputed != w.Disputed || n.Replaced != w.Replaced {
				t.Errorf("%s: %+v", name, n)
			}
		}
	}
}

// TestAnItemThatWaitsForARestartSaysSo: whatever the host says that asks for it.
func TestAnItemThatWaitsForARestartSaysSo(t *testing.T) {
	p := readable()
	p.Name, p.Versions, p.Adds = "winupdate", patch.SchemeRevision, true
	p.Items = []patch.Item{{Provider: "winupdate", Name: "KB1", Instance: "1", Source: "1", Version: "200", Restart: true}}
	p.Offers = []Offer{{FirstSeen: now, GoneAt: &now, Update: patch.Update{Provider: "winupdate", Name: "KB1", Instance: "1", Source: "1", Available: "200"}}}
	d := Device{Facts: wire.Facts{Restart: wire.Restart{Machine: true, Reasons: []string{"Windows Update"}}}, Host: Section{State: wire.SectionOK, ScannedAt: now}, Providers: []Provider{p}}
	if n := Needs(d, now); len(n) != 1 || !n[0].Reached || n[0].Restart == "" || n[0].Leaving {
		t.Errorf("%+v", n)
	}
	p.Items[0].Leaving = true // what the restart takes off is no success, whatever its revision
	if n := Needs(d, now); len(n) != 1 || n[0].Reached || !n[0].Leaving || n[0].Installed != "200" {
		t.Errorf("%+v", n)
	}
}
