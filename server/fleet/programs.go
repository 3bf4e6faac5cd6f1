package fleet

import (
	"slices"
	"time"
	"unique"

	"patchbay/server/verdict"
	"patchbay/server/view"
)

// Program is a package of the signed catalogue that a device has.
type Program struct {
	Package unique.Handle[view.PackageKey]
	Behind  bool // something newer of it is to be installed, or cannot be
	Blind   bool // what is on offer for it is not known
}

// ProgramsOf are the packages that a device's items are of, each once. Its needs say of which
// it is behind, and where nobody can tell.
func ProgramsOf(packages []view.PackageKey, needs []Need) []Program {
	var all []Program
	for _, k := range packages {
		p := Program{Package: unique.Make(k)}
		if slices.ContainsFunc(all, func(o Program) bool { return o.Package == p.Package }) {
			continue
		}
		for i := range needs {
			n := &needs[i]
			if n.Key.Provider != k.Provider {
				continue
			}
			p.Blind = p.Blind || n.Blind != nil
			p.Behind = p.Behind || n.Blind == nil && n.Update.Source == k.ID && n.Verdict.State != verdict.Good && n.Verdict.State != verdict.Gone
		}
		all = append(all, p)
	}
	return all
}

// Programs counts the devices that have each package of the catalogue.
func (x *Index) Programs(now time.Time) map[view.PackageKey]view.Presence {
	x.mu.RLock()
	defer x.mu.RUnlock()
	counts := map[unique.Handle[view.PackageKey]]view.Presence{}
	for _, e := range x.entries {
		silent := x.isSilent(e, now)
		for _, p := range e.Programs {
			c := counts[p.Package]
			c.Devices++
			switch {
			case silent || p.Blind:
				c.Unknown++
			case p.Behind:
				c.Behind++
			}
			counts[p.Package] = c
		}
	}
	all := make(map[view.PackageKey]view.Presence, len(counts))
	for k, c := range counts {
		all[k.Value()] = c
	}
	return all
}

// has reports whether the device has a package, as provider/ID.
func (e *Entry) has(program string) bool {
	return slices.ContainsFunc(e.Programs, func(p Program) bool { return p.Package.Value().String() == program })
}
