package assess

import (
	"patchbay/patch"
	"patchbay/wire"
)

// Unattended says why nobody updates an item; false where somebody does: the provider that
// manages it, a package of the catalogue, or an updater of its own.
func Unattended(p wire.ProviderFacts, i patch.Item) (why string, nobody bool) {
	switch {
	case i.Updater != "":
		return "", false
	case p.Traits.ReadOnly:
		return p.Name + " updates nothing, and no updater of its own is known.", true
	case !i.Orphan:
		return "", false
	case p.Traits.Catalog:
		return "Not in the signed catalogue, and no updater of its own is known.", true
	}
	return "No source that " + p.Name + " has there offers it.", true
}
