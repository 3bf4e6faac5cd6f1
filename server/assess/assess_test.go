package assess

import (
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"patchbay/patch"
	"patchbay/wire"
)

var now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// readable is a provider that was read an hour ago and has nothing on offer.
func readable() Provider {
	ok := Section{State: wire.SectionOK, ScannedAt: now.Add(-time.Hour)}
	signed := now.Add(-24 * time.Hour)
	return Provider{Name: "apt", Versions: "deb", Installed: ok, Offered: ok,
		Items:   []patch.Item{{Provider: "apt", Name: "lib", Architecture: "amd64", Version: "1.0"}},
		Sources: []patch.Source{{Provider: "apt", Name: "archive", SignedAt: &signed}}}
}

func offer(version string, first time.Time, gone *time.Time) Offer {
	return Offer{Update: patch.Update{Provider: "apt", Name: "lib", Architecture: "amd64", Installed: "1.0", Available: version},
		FirstSeen: first, GoneAt: gone}
}

func needs(p Provider) []Need {
	return Needs(Device{EnrolledAt: now.Add(-48 * time.Hour), Providers: []Provider{p}}, now)
}

func TestNothingOnOfferIsNoNeed(t *testing.T) {
	if n := needs(readable()); len(n) != 0 {
		t.Errorf("a device that was read and has nothing on offer needs %v", n)
	}
}

// A manager that has installed nothing has no sources in use, and what only shows what is
// there has none at all: neither is blind for that. Alone, they say nothing of a device.
func TestWithoutAnythingToOfferNothingIsBlind(t *testing.T) {
	unused, shows := readable(), readable()
	unused.Name, unused.Items, unused.Sources = "unused", nil, nil
	shows.Name, shows.ReadOnly, shows.Sources = "shows", true, nil
	d := Device{EnrolledAt: now.Add(-48 * time.Hour), Providers: []Provider{readable(), unused, shows}}
	if n := Needs(d, now); len(n) != 0 {
		t.Errorf("needs %+v", n)
	}
	d.Providers = []Provider{shows}
	if n := Needs(d, now); len(n) != 1 || n[0].Blind == nil {
		t.Errorf("what only shows was taken for a manager with nothing to do: %+v", n)
	}
	shows.Installed.State = wire.SectionFailed
	d.Providers = []Provider{readable(), shows}
	if n := Needs(d, now); len(n) != 1 || n[0].Blind == nil {
		t.Errorf("what could not be shown counts as good: %+v", n)
	}
}

// What cannot be read must never look like a device with nothing to do.
func TestWhatCannotBeReadIsANeed(t *testing.T) {
	old, failed := now.Add(-ScanAge-time.Minute), now.Add(-time.Hour)
	ancient := now.Add(-ListsAge - time.Hour)
	for name, spoil := range map[string]func(*Provider){
		"installed never arrived": func(p *Provider) { p.Installed = Section{} },
		"offered never arrived":   func(p *Provider) { p.Offered = Section{} },
		"installed failed":        func(p *Provider) { p.Installed.State, p.Installed.FailedAt = wire.SectionFailed, &failed },
		"offered failed":          func(p *Provider) { p.Offered.State = wire.SectionFailed },
		"installed too old":       func(p *Provider) { p.Installed.ScannedAt = old },
		"offered too old":         func(p *Provider) { p.Offered.ScannedAt = old },
		"offered no longer told":  func(p *Provider) { p.Offered.State = wire.SectionAbsent },
		"no source at all":        func(p *Provider) { p.Sources = nil },
		"no source says its age":  func(p *Provider) { p.Sources[0].SignedAt = nil },
		"a clock that runs ahead": func(p *Provider) { ahead := now.Add(24 * time.Hour); p.Sources[0].SignedAt = &ahead },
		"a source cannot be read": func(p *Provider) { p.Sources[0].Error = "not signed" },
		"the lists are too old":   func(p *Provider) { p.Sources[0].SignedAt = &ancient },
		"only a third party's list is young": func(p *Provider) {
			p.Sources[0].SignedAt = &ancient
			p.Sources = append(p.Sources, patch.Source{Provider: "apt", Name: "shop", SignedAt: &failed, ThirdParty: true})
		},
	} {
		p := readable()
		spoil(&p)
		n := needs(p)
		if len(n) != 1 || n[0].Blind == nil || n[0].Blind.Sentence == "" || n[0].Blind.Since.IsZero() {
			t.Errorf("%s: needs %+v; want the provider itself", name, n)
		}
	}
	if n := Needs(Device{EnrolledAt: now}, now); len(n) != 1 || n[0].Blind == nil {
		t.Errorf("a device without any provider needs %+v; want to be told that nothing is known", n)
	}
}

func TestAbsentProviderIsNoNeed(t *testing.T) {
	p := readable()
	p.Installed.State, p.Offered.State = wire.SectionAbsent, wire.SectionAbsent
	if n := Needs(Device{EnrolledAt: now, Providers: []Provider{p, readable()}}, now); len(n) != 0 {
		t.Errorf("a provider that is not there needs %+v", n)
	}
	if n := needs(p); len(n) != 1 || n[0].Blind == nil {
		t.Errorf("a device whose last provider is gone needs %+v; want to be told that nothing is known", n)
	}
}

// Whether what is installed also runs is told by the host section alone.
func TestWhatRunsIsNotKnownWithoutTheHost(t *testing.T) {
	gone, failed := now.Add(-2*time.Hour), now.Add(-time.Hour)
	p := readable()
	p.Items[0].Version, p.Offers = "1.1", []Offer{offer("1.1", gone, &gone)}
	for _, c := range []struct {
		name          string
		device        Device
		blind, unsure bool
		restart       bool
		running       string
	}{
		{"read", Device{Host: Section{State: wire.SectionOK, ScannedAt: now}}, false, false, false, ""},
		{"failed after it was installed", Device{Host: Section{State: wire.SectionFailed, ScannedAt: failed, FailedAt: &failed}}, true, false, false, ""},
		{"failed before it was installed", Device{Host: Section{State: wire.SectionFailed, ScannedAt: gone.Add(-time.Minute), FailedAt: &gone}}, true, true, false, ""},
		{"never read", Device{}, false, true, false, ""},
		{"asks for a reboot, for it", Device{Host: Section{State: wire.SectionOK, ScannedAt: now},
			Facts: wire.Facts{Restart: wire.Restart{Machine: true, Reasons: []string{"lib"}}}}, false, false, true, ""},
		{"asks for a reboot, for another", Device{Host: Section{State: wire.SectionOK, ScannedAt: now},
			Facts: wire.Facts{Restart: wire.Restart{Machine: true, Reasons: []string{"linux-image"}}}}, false, false, false, ""},
		{"asks for a reboot and does not say why", Device{Host: Section{State: wire.SectionOK, ScannedAt: now},
			Facts: wire.Facts{Restart: wire.Restart{Machine: true}}}, false, false, true, ""},
		{"a service runs with its old files", running(wire.Restart{Old: []wire.OldUse{{Service: "web", Packages: []string{"a", "lib"}}, {Service: "x", Packages: []string{"a"}}}}), false, false, false, "web"},
		{"a service runs with old files of nobody", running(wire.Restart{Old: []wire.OldUse{{Service: "web"}}, Unknown: []string{"Whose?"}, Doubt: []string{}}), false, false, false, ""},
		{"some cannot be looked at, since before", running(wire.Restart{Unknown: []string{"2 of 9."}, Doubt: []string{"lib"}}), false, true, false, ""},
		{"some cannot be looked at, since after", running(wire.Restart{Unknown: []string{"2 of 9."}, Doubt: []string{"other"}}), false, false, false, ""},
		{"some cannot be looked at, nobody says since when", running(wire.Restart{Unknown: []string{"2 of 9."}}), false, true, false, ""},
		{"one runs with old files, others cannot be looked at", running(wire.Restart{Unknown: []string{"2 of 9."},
			Old: []wire.OldUse{{Service: "web", Packages: []string{"lib"}}}}), false, true, false, "web"},
	} {
		c.device.Providers = []Provider{p}
		n := Needs(c.device, now)
		blind := slices.IndexFunc(n, func(n Need) bool { return n.Blind != nil }) >= 0
		i := slices.IndexFunc(n, func(n Need) bool { return n.Reached })
		if i < 0 || blind != c.blind || (n[i].Unsure != "") != c.unsure || (n[i].Restart != "") != c.restart || strings.Join(n[i].Running, " ") != c.running {
			t.Errorf("%s: %+v", c.name, n)
		}
	}
}

func running(r wire.Restart) Device {
	return Device{Host: Section{State: wire.SectionOK, ScannedAt: now}, Facts: wire.Facts{Restart: r}}
}

func TestOneNeedPerItemTellsTheMost(t *testing.T) {
	gone, long := now.Add(-time.Hour), now.Add(-Remember-time.Hour)
	first := now.Add(-2 * time.Hour)
	for _, c := range []struct {
		name   string
		offers []Offer
		want   string // Available of the one need, "" for none
	}{
		{"on offer", []Offer{offer("1.1", first, nil)}, "1.1"},
		{"on offer beats gone", []Offer{offer("1.2", first, &gone), offer("1.1", first, nil)}, "1.1"},
		{"the newer of two on offer", []Offer{offer("1.1", first, nil), offer("1.10", first, nil), offer("1.9", first, nil)}, "1.10"},
		{"the newer of two gone", []Offer{offer("1.1", first, &gone), offer("1.2", first, &gone)}, "1.2"},
		{"long gone is forgotten", []Offer{offer("1.1", first, &long)}, ""},
	} {
		for range 2 { // the order of the input is irrelevant
			p := readable()
			p.Offers = c.offers
			n := needs(p)
			switch {
			case c.want == "" && len(n) != 0, c.want != "" && (len(n) != 1 || n[0].Update.Available != c.want):
				t.Errorf("%s: %+v, want %q", c.name, n, c.want)
			}
			slices.Reverse(c.offers)
		}
	}
}

func TestReachedIsReadFromTheMachine(t *testing.T) {
	gone := now.Add(-time.Hour)
	for installed, want := range map[string]bool{"1.0": false, "1.1": true, "1.2": true, "": false} {
		p := readable()
		p.Items[0].Version = installed
		if installed == "" {
			p.Items = nil
		}
		p.Offers = []Offer{offer("1.1", gone, &gone)}
		if n := needs(p); len(n) != 1 || n[0].Reached != want {
			t.Errorf("1.1 wanted, %q installed: %+v", installed, n)
		}
	}
}

// dpkg names the new version of a package whose postinst failed: that is not installed.
func TestABrokenItemHasReachedNothing(t *testing.T) {
	gone := now.Add(-time.Hour)
	p := readable()
	p.Items[0].Version, p.Items[0].Broken = "1.1", "half-configured"
	if n := needs(p); len(n) != 1 || n[0].Reached || n[0].Broken == "" {
		t.Errorf("a broken item without an offer needs %+v", n)
	}
	p.Offers = []Offer{offer("1.1", gone, &gone)}
	if n := needs(p); len(n) != 1 || n[0].Reached || n[0].Broken == "" {
		t.Errorf("a broken item whose offer is gone needs %+v", n)
	}
}

func TestUntilIsWhenTheAnswerChanges(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := readable()
		ago := func(label string, most time.Duration) time.Time {
			return now.Add(-time.Duration(rapid.Int64Range(0, int64(most)).Draw(t, label))).Truncate(time.Second)
		}
		p.Installed.ScannedAt, p.Offered.ScannedAt = ago("installed", 2*ScanAge), ago("offered", 2*ScanAge)
		signed, gone := ago("signed", 2*ListsAge), ago("gone", 2*Remember)
		p.Sources[0].SignedAt, p.Offers = &signed, []Offer{offer("1.1", gone, &gone)}
		d := Device{EnrolledAt: now, Providers: []Provider{p}}
		before, until := Needs(d, now), Until(d, now)
		if until.IsZero() {
			until = now.Add(10 * Remember)
		}
		last := until.Add(-time.Second - 1)
		if !last.After(now) {
			return
		}
		if after := Needs(d, last); !reflect.DeepEqual(before, after) {
			t.Fatalf("the answer changed before %v:\n%+v\n%+v", until, before, after)
		}
	})
}
