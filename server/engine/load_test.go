package engine

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"patchbay/patch"
	"patchbay/provider"
	"patchbay/server/assess"
	"patchbay/server/store"
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

// BenchmarkDecide decides over a device with a great many needs and as many open jobs, which
// keeps all others from their turn. Its time per need must not grow with their number.
func BenchmarkDecide(b *testing.B) {
	for _, n := range []int{500, 5_000, 20_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			f := Facts{Agent: store.Agent{Mode: wire.Manage}, Site: store.Site{Policy: store.SitePolicy{Auto: store.Security}}}
			now := time.Unix(1_000_000, 0)
			ok := assess.Section{State: wire.SectionOK, ScannedAt: now}
			p := assess.Provider{Name: "apt", Versions: "deb", Installed: ok, Offered: ok, Sources: []patch.Source{{SignedAt: &now}}}
			for i := range n {
				u := lib
				u.Name = fmt.Sprint("lib", i)
				p.Items = append(p.Items, patch.Item{Provider: "apt", Name: u.Name, Architecture: u.Architecture, Version: "1.0"})
				p.Offers = append(p.Offers, assess.Offer{Update: u, FirstSeen: now})
			}
			f.Inventory = assess.Device{EnrolledAt: now, Providers: []assess.Provider{p}, Host: ok}
			f.Device.ID, f.Agent.LastSeen = "dev_x", now
			for _, j := range Decide(f, now).Plan.Make {
				f.Jobs = append(f.Jobs, store.Job{Job: j, CreatedAt: now, Step: wire.StepWaiting})
			}
			if len(f.Jobs) != n {
				b.Fatalf("%d jobs", len(f.Jobs))
			}
			for b.Loop() {
				Decide(f, now)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/need")
		})
	}
}
