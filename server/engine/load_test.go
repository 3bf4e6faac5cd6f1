package engine

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"patchbay/patch"
	"patchbay/provider"
	"patchbay/server/assess"
	"patchbay/server/store"
	"patchbay/server/verdict"
	"patchbay/wire"
)

// held are facts whose inventory lists the providers and holds the sections.
func held(t *testing.T, providers []string, rows ...store.SectionRow) Facts {
	t.Helper()
	f := Facts{Device: store.Device{EnrolledAt: time.Unix(0, 0)}}
	for _, name := range providers {
		f.Device.Facts.Providers = append(f.Device.Facts.Providers, wire.ProviderFacts{Name: name, Traits: provider.Traits{Versions: "deb"}})
	}
	f.read(rows, []store.Offer{{Update: lib, FirstSeen: time.Unix(0, 0)}})
	return f
}

// A provider that cannot be opened is not among the facts of the host. What it had on offer
// is still missing.
func TestAProviderTheHostDoesNotNameIsNotForgotten(t *testing.T) {
	at := time.Unix(1000, 0)
	row := store.SectionRow{Name: "apt/installed", State: wire.SectionFailed, Error: "the lists are locked", ScannedAt: at, FailedAt: &at,
		Body: json.RawMessage(`[{"provider":"apt","name":"lib","architecture":"amd64","version":"1.0"}]`)}
	f := held(t, []string{"dnf"}, row)
	var blind, lib bool
	for _, n := range assess.Needs(f.Inventory, at) {
		blind = blind || n.Blind != nil && n.Key.Provider == "apt"
		lib = lib || n.Key.Name == "lib" && n.Offered
	}
	if !blind || !lib {
		t.Errorf("nothing is said of apt: %+v", assess.Needs(f.Inventory, at))
	}
	row.State = wire.SectionAbsent
	for _, n := range assess.Needs(held(t, []string{"dnf"}, row).Inventory, at) {
		if n.Key.Provider == "apt" {
			t.Errorf("a provider that is gone needs %+v", n)
		}
	}
}

// What is held and cannot be read is not known. It must not keep the device from being counted.
func TestASectionThatCannotBeReadIsNotKnown(t *testing.T) {
	at := time.Unix(1000, 0)
	for _, kind := range []string{wire.InstalledSection, wire.OfferedSection, wire.SourcesSection} {
		f := held(t, []string{"apt"}, store.SectionRow{Name: "apt/" + kind, State: wire.SectionOK, ScannedAt: at, Body: json.RawMessage(`{"odd":`)})
		if n := assess.Needs(f.Inventory, at); len(n) == 0 || n[len(n)-1].Blind == nil && n[0].Blind == nil {
			t.Errorf("%s: %+v", kind, n)
		}
	}
}

func TestEndlessProvidersAreCut(t *testing.T) {
	f := held(t, []string{"apt"})
	for i := range 100_000 {
		f.Device.Facts.Providers = append(f.Device.Facts.Providers, wire.ProviderFacts{Name: strings.Repeat("p", i%500) + "q"})
	}
	f.read(nil, nil)
	if n := assess.Needs(f.Inventory, time.Unix(1000, 0)); len(n) == 0 || len(n) > 100 {
		t.Errorf("%d needs", len(n))
	}
}

// A device with all its windows open that is told to install thousands of updates at once
// must not keep the others from their turn.
func TestADeviceWithEndlessNeedsIsStillQuick(t *testing.T) {
	f := Facts{Agent: store.Agent{Mode: wire.Manage}, Site: store.Site{Policy: store.SitePolicy{Auto: store.Security}}}
	now := time.Unix(1_000_000, 0)
	ok := assess.Section{State: wire.SectionOK, ScannedAt: now}
	p := assess.Provider{Name: "apt", Versions: "deb", Installed: ok, Offered: ok, Sources: []patch.Source{{SignedAt: &now}}}
	for i := range 20_000 {
		u := lib
		u.Name = "lib" + strings.Repeat("x", i%100) + string(rune('a'+i%26)) + time.Duration(i).String()
		p.Items = append(p.Items, patch.Item{Provider: "apt", Name: u.Name, Architecture: u.Architecture, Version: "1.0"})
		p.Offers = append(p.Offers, assess.Offer{Update: u, FirstSeen: now})
	}
	f.Inventory = assess.Device{EnrolledAt: now, Providers: []assess.Provider{p}, Host: ok}
	f.Device.ID, f.Agent.LastSeen = "dev_x", now
	for range 2 {
		began := time.Now()
		r := Decide(f, now)
		if took := time.Since(began); took > 5*time.Second {
			t.Fatalf("deciding took %s", took)
		}
		for _, j := range r.Plan.Make {
			f.Jobs = append(f.Jobs, store.Job{Job: j, CreatedAt: now, Step: wire.StepWaiting})
		}
		if n := len(r.Entry.Needs); n != 20_000 || r.Entry.Needs[0].Verdict.Name == verdict.VERIFIED {
			t.Fatalf("%d needs", n)
		}
	}
	if len(f.Jobs) != 20_000 {
		t.Errorf("%d jobs", len(f.Jobs))
	}
}
