package assess

import (
	"slices"
	"testing"
	"time"

	"patchbay/patch"
	"patchbay/wire"
)

var wanted = []Wish{{Provider: "winget", Package: "maker.app", At: now.Add(-time.Minute)}}

// windows is a readable provider with programs that name themselves.
func windows(items []patch.Item, offers ...Offer) Provider {
	p := readable()
	p.Name, p.Versions, p.Items, p.Offers = "winget", patch.SchemeWinget, items, offers
	return p
}

// wish is an offer of a program that is not there.
func wish(version string, gone *time.Time) Offer {
	return Offer{FirstSeen: now.Add(-time.Hour), GoneAt: gone, Update: patch.Update{Provider: "winget", Name: "App", Architecture: "x64", Instance: "Maker.App",
		Available: version, Source: "Maker.App", Origin: "Maker"}}
}

func app(version string) patch.Item {
	return patch.Item{Provider: "winget", Name: "App of Maker", Instance: "{7D1A}", Version: version, Source: "Maker.App"}
}

func update(from, to string) Offer {
	return Offer{FirstSeen: now.Add(-time.Hour), Update: patch.Update{Provider: "winget", Name: "App of Maker", Instance: "{7D1A}", Installed: from, Available: to, Source: "Maker.App"}}
}

func TestWhatIsWantedAndNotThere(t *testing.T) {
	gone := now.Add(-time.Minute)
	of := func(name string) patch.Item { i := app("1.1"); i.Scope = name; return i }
	broken := app("1.1")
	broken.Broken = "removed"
	for _, c := range []struct {
		name                     string
		p                        Provider
		wanted                   []Wish
		needs                    int
		item, installed          string
		absent, offered, reached bool
	}{
		{name: "nothing on offer", p: windows(nil), wanted: wanted, needs: 1, item: "maker.app", absent: true},
		{name: "on offer", p: windows(nil, wish("1.1", nil)), wanted: wanted, needs: 1, item: "App", absent: true, offered: true},
		{name: "on offer, and no longer wanted", p: windows(nil, wish("1.1", nil))},
		{name: "no longer on offer nor wanted", p: windows(nil, wish("1.1", &gone))},
		{name: "no longer on offer", p: windows(nil, wish("1.1", &gone)), wanted: wanted, needs: 1, item: "maker.app", absent: true},
		{name: "there", p: windows([]patch.Item{app("1.1")}, wish("1.1", &gone)), wanted: wanted, needs: 1, item: "App of Maker", installed: "1.1", reached: true},
		{name: "there, and no longer wanted", p: windows([]patch.Item{app("1.1")}, wish("1.1", &gone)), needs: 1, item: "App of Maker", installed: "1.1", reached: true},
		{name: "there, and broken", p: windows([]patch.Item{broken}, wish("1.1", &gone)), wanted: wanted, needs: 1, item: "App of Maker", installed: "1.1"},
		{name: "there in an older version", p: windows([]patch.Item{app("1.0")}, wish("1.1", &gone), update("1.0", "1.1")), wanted: wanted, needs: 1, item: "App of Maker", installed: "1.0", offered: true},
		{name: "there, with an update since", p: windows([]patch.Item{app("1.1")}, wish("1.1", &gone), update("1.1", "1.2")), wanted: wanted, needs: 1, item: "App of Maker", installed: "1.1", offered: true},
		{name: "a person's own", p: windows([]patch.Item{of("anna")}), wanted: wanted, needs: 1, item: "maker.app", absent: true},
		{name: "there without ever being offered", p: windows([]patch.Item{app("1.1")}), wanted: wanted},
		{name: "of another provider", p: readable(), wanted: wanted},
	} {
		d := Device{EnrolledAt: now.Add(-48 * time.Hour), Providers: []Provider{c.p}, Wanted: c.wanted}
		got := Needs(d, now)
		if len(got) != c.needs {
			t.Errorf("%s: needs %+v", c.name, got)
			continue
		}
		if len(got) == 0 {
			continue
		}
		n := got[0]
		if n.Key.Name != c.item || n.Installed != c.installed || n.Absent != c.absent || n.Offered != c.offered || n.Reached != c.reached || n.Update.Key() != n.Key {
			t.Errorf("%s: %+v", c.name, n)
		}
	}
}

// What cannot be read is not missing: that it cannot be read is the need.
func TestWhatCannotBeReadIsNotMissing(t *testing.T) {
	p := windows(nil)
	p.Installed.State = wire.SectionFailed
	got := Needs(Device{EnrolledAt: now, Providers: []Provider{p}, Wanted: wanted}, now)
	if len(got) != 1 || got[0].Blind == nil {
		t.Errorf("needs %+v", got)
	}
	p.Installed.State = wire.SectionAbsent
	if got := Needs(Device{EnrolledAt: now, Providers: []Provider{p, readable()}, Wanted: wanted}, now); len(got) != 0 {
		t.Errorf("a device without such programs needs %+v", got)
	}
}

func TestOrderOfItemsDoesNotMatter(t *testing.T) {
	gone := now
	a, b := app("1.1"), app("1.2")
	b.Name = "App, the other"
	items := []patch.Item{a, b}
	first := needs(windows(items, wish("1.1", &gone)))
	slices.Reverse(items)
	second := needs(windows(items, wish("1.1", &gone)))
	if len(first) != 1 || len(second) != 1 || first[0].Key != second[0].Key {
		t.Errorf("%+v, in another order %+v", first, second)
	}
}
