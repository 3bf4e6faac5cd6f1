package fleet

import (
	"slices"

	"patchbay/server/assess"
)

// Concerned gives the devices that recalls may say something of: those with a need for what
// they are about, which come first, and the others that have a provider which might have it.
func (x *Index) Concerned(changed []assess.Recall) (waiting, others []string) {
	x.mu.RLock()
	defer x.mu.RUnlock()
	providers, keys, about := map[string]bool{}, map[string]bool{}, assess.NewRecalls(changed)
	for _, r := range changed {
		providers[r.Provider], keys[r.Key()] = true, true
	}
	for id, e := range x.entries {
		has := false
		for _, p := range e.Device.Facts.Providers {
			has = has || providers[p.Name]
		}
		switch {
		case slices.ContainsFunc(e.Needs, func(n Need) bool { return providers[n.Key.Provider] && concerns(n, keys, about) }):
			waiting = append(waiting, id)
		case has:
			others = append(others, id)
		}
	}
	slices.Sort(waiting)
	slices.Sort(others)
	return waiting, others
}

// concerns reports whether any recall is, or was, about what a need offers or has.
func concerns(n Need, keys map[string]bool, about *assess.Recalls) bool {
	for _, r := range append(slices.Clip(n.Held), n.Recalled...) {
		if keys[r.Key()] {
			return true
		}
	}
	of := func(version string) bool {
		return len(about.About(n.Key.Provider, n.Key.Name, n.Update.Source, version)) > 0
	}
	return of(n.Update.Available) || of(n.Installed)
}
