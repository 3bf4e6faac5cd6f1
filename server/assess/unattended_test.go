package assess_test

import (
	"strings"
	"testing"

	"patchbay/patch"
	"patchbay/provider"
	"patchbay/server/assess"
	"patchbay/wire"
)

func TestWhoUpdatesAnItem(t *testing.T) {
	catalog, system, reads := wire.ProviderFacts{Name: "winget", Traits: provider.Traits{Catalog: true}}, wire.ProviderFacts{Name: "apt"}, wire.ProviderFacts{Name: "macapps", Traits: provider.Traits{ReadOnly: true}}
	for _, c := range []struct {
		p    wire.ProviderFacts
		i    patch.Item
		want string // in the sentence; "" is that somebody does
	}{
		{system, patch.Item{Name: "curl"}, ""},
		{system, patch.Item{Name: "anydesk", Orphan: true}, "No source that apt has"},
		{system, patch.Item{Name: "discord", Orphan: true, Updater: "Discord"}, ""},
		{catalog, patch.Item{Name: "7-Zip", Source: "7zip.7zip"}, ""},
		{catalog, patch.Item{Name: "DATEV", Orphan: true}, "Not in the signed catalogue"},
		{catalog, patch.Item{Name: "Microsoft Edge", Updater: "Microsoft Edge Update"}, ""},
		{reads, patch.Item{Name: "Ableton Live"}, "macapps updates nothing"},
		{reads, patch.Item{Name: "Keynote", Updater: "the App Store"}, ""},
	} {
		why, nobody := assess.Unattended(c.p, c.i)
		if nobody != (c.want != "") || !strings.Contains(why, c.want) || nobody && !strings.HasSuffix(why, ".") {
			t.Errorf("%s of %s: %q, %v", c.i.Name, c.p.Name, why, nobody)
		}
	}
}
