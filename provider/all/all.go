// Package all lists the providers that this program is built with.
package all

import (
	"patchbay/provider"
	"patchbay/provider/apt"
	"patchbay/provider/extensions"
	"patchbay/provider/flatpak"
	"patchbay/provider/homebrew"
	"patchbay/provider/macapps"
	"patchbay/provider/softwareupdate"
	"patchbay/provider/storeapps"
	"patchbay/provider/winget"
	"patchbay/provider/winupdate"
)

// Kinds lists every kind of provider, in the order in which they are shown.
func Kinds() []provider.Kind {
	return []provider.Kind{
		apt.Kind(),
		flatpak.Kind(),
		homebrew.Kind(),
		macapps.Kind(),
		softwareupdate.Kind(),
		winupdate.Kind(),
		winget.Kind(),
		storeapps.Kind(),
		extensions.Kind(),
	}
}
