package inventory

import (
	"patchbay/patch"
	"patchbay/wire"
)

// Item is the installed item that a job is for. What was not there when it was ordered names
// itself, and is known by its source package: the one in the wanted version, where there are
// several.
func (r Report) Item(t wire.Target) (patch.Item, bool) {
	if t.Source == "" {
		item, ok := r.Installed[t.Key()]
		return item, ok
	}
	var found patch.Item
	ok := false
	for _, item := range r.Installed {
		if item.Provider != t.Provider || item.Scope != t.Scope || item.Source != t.Source {
			continue
		}
		is, was := item.Version == t.To, found.Version == t.To
		if !ok || is && !was || is == was && item.Key().Compare(found.Key()) < 0 {
			found, ok = item, true
		}
	}
	return found, ok
}
