package engine

import (
	"testing"
	"time"

	"patchbay/patch"
	"patchbay/provider"
	"patchbay/server/assess"
	"patchbay/server/view"
	"patchbay/wire"
)

// Only what a provider recognised by the signed catalogue is a program of it: elsewhere the
// source of an item is a source package.
func TestOnlyItemsOfTheCatalogueAreItsPrograms(t *testing.T) {
	now := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	ok := assess.Section{State: wire.SectionOK, ScannedAt: now}
	var f Facts
	f.Device.Facts.Providers = []wire.ProviderFacts{{Name: "apt"}, {Name: "winget", Traits: provider.Traits{Catalog: true, Versions: patch.SchemeWinget}}}
	f.Inventory = assess.Device{Host: ok, EnrolledAt: now, Providers: []assess.Provider{
		{Name: "apt", Versions: "deb", Installed: ok, Offered: ok, Items: []patch.Item{{Provider: "apt", Name: "libssl3", Source: "openssl", Version: "1"}}},
		{Name: "winget", Versions: patch.SchemeWinget, Installed: ok, Offered: ok, Sources: []patch.Source{{Provider: "winget", Name: "catalogue 1", SignedAt: &now}}, Items: []patch.Item{
			{Provider: "winget", Name: "7-Zip", Source: "7zip.7zip", Version: "22.01"}, {Provider: "winget", Scope: "ada", Name: "7-Zip", Source: "7zip.7zip", Version: "24.08"},
			{Provider: "winget", Name: "WinRAR", Version: "5.71.0"}},
			Offers: []assess.Offer{{FirstSeen: now, Update: patch.Update{Provider: "winget", Name: "7-Zip", Source: "7zip.7zip", Installed: "22.01", Available: "24.08"}}}},
	}}
	programs := Decide(f, now).Entry.Programs
	if len(programs) != 1 || programs[0].Package.Value() != (view.PackageKey{Provider: "winget", ID: "7zip.7zip"}) || !programs[0].Behind || programs[0].Blind {
		t.Errorf("%+v", programs)
	}
}
