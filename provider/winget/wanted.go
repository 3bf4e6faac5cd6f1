package winget

import (
	"cmp"
	"fmt"
	"slices"

	"patchbay/patch"
	"patchbay/patch/arp"
	"patchbay/provider"
)

// wishes is what is wanted of programs, as it is now.
func (w *Winget) wishes() []patch.Wish {
	if w.env.Wishes == nil {
		return nil
	}
	return w.env.Wishes()
}

// pinned writes down beyond which version programs do not go.
func pinned(programs []program, wishes []patch.Wish) {
	for i, p := range programs {
		if p.of == nil {
			continue
		}
		if n := slices.IndexFunc(wishes, func(w patch.Wish) bool { return sameFold(w.Package, p.of.ID) }); n >= 0 {
			programs[i].pin = wishes[n].Pin
		}
	}
}

// absent is a package as a program that is not here. Its name and instance are the
// catalogue's; once it is here, it names itself.
func (w *Winget) absent(of *patch.Package, pin string) program {
	return program{absent: true, here: w.here, of: of, pin: pin,
		item: patch.Item{Provider: providerName, Name: cmp.Or(of.Name, of.ID), Instance: of.ID, Source: of.ID, Origin: of.Publisher}}
}

// wanted lists what is wanted and not here, with what keeps it from being installed. What the
// catalogue does not have has nothing to offer, which the note says.
func (w *Winget) wanted(programs []program, c provider.Catalog) (updates []patch.Update, notes []string) {
	for _, wish := range w.wishes() {
		if !wish.Install || slices.ContainsFunc(programs, func(p program) bool { return p.is(wish.Package) && p.item.Scope == "" }) {
			continue
		}
		n := slices.IndexFunc(c.Packages, func(p patch.Package) bool { return sameFold(p.ID, wish.Package) })
		if n < 0 {
			notes = append(notes, fmt.Sprintf("%s is wanted here, and the signed catalogue does not have it.", wish.Package))
			continue
		}
		if u, ok := w.offerOf(w.absent(&c.Packages[n], wish.Pin), programs); ok {
			updates = append(updates, u)
		} else {
			notes = append(notes, fmt.Sprintf("%s is wanted here, and the signed catalogue has no release of it that may be installed.", wish.Package))
		}
	}
	return updates, notes
}

// offerOf is what is on offer of a package that is not here.
func (w *Winget) offerOf(p program, programs []program) (patch.Update, bool) {
	u, ok := w.update(p)
	if ok {
		_, i, _ := exactly(p, u.Available)
		u.Architecture = i.Architecture
		u = w.keptBack(u, programs, p)
	} else {
		n := slices.IndexFunc(p.of.Releases, func(r patch.Release) bool { return r.Recalled == "" })
		if n < 0 {
			return patch.Update{}, false
		}
		u = patch.Update{Provider: providerName, Name: p.item.Name, Instance: p.item.Instance, Available: p.of.Releases[n].Version, Source: p.of.ID, Origin: p.of.Publisher,
			Suite: "catalogue", Classes: []patch.Class{patch.Other}, Block: patch.KeptBack,
			BlockWhy: fmt.Sprintf("The signed catalogue has no installer of it for all who use this machine (%s, Windows %s).", w.here.native, cmp.Or(w.here.system, "of an unknown version"))}
	}
	if slices.ContainsFunc(programs, func(o program) bool { return o.of == nil && o.item.Scope == "" && named(*p.of, o.item.Name) }) {
		u.Block, u.BlockWhy = patch.KeptBack, "A program of this name is here, and nothing shows that it is the one in the catalogue."
	}
	return u, true
}

// is reports whether a program is of a package.
func (p program) is(id string) bool { return p.of != nil && sameFold(p.of.ID, id) }

// named reports whether a name is one that a package has or is recognised by.
func named(of patch.Package, name string) bool {
	same := func(s string) bool { return s != "" && arp.Fold(arp.Name(s)) == arp.Fold(name) }
	return same(of.Name) || slices.ContainsFunc(of.Marks, func(m patch.Mark) bool { return same(m.Name) })
}

// target is what an update is of: a program that is here, or, where nothing was installed and
// it is wanted, a package of the catalogue.
func (w *Winget) target(programs []program, u patch.Update) (program, patch.Release, patch.Installer, error) {
	if u.Installed != "" || u.Source == "" {
		return w.chosen(programs, u)
	}
	c := w.catalog()
	n := slices.IndexFunc(c.Packages, func(p patch.Package) bool { return p.ID == u.Source })
	wished := slices.ContainsFunc(w.wishes(), func(w patch.Wish) bool { return w.Install && sameFold(w.Package, u.Source) })
	if n < 0 || !wished || slices.ContainsFunc(programs, func(p program) bool { return p.is(u.Source) && p.item.Scope == "" }) {
		return w.chosen(programs, u)
	}
	p := w.absent(&c.Packages[n], "")
	p.item.Architecture = u.Architecture
	return w.chosen(append(slices.Clone(programs), p), u)
}

// asked are updates by the names that programs have now that they are here.
func asked(updates []patch.Update, after []program) []patch.Update {
	updates = slices.Clone(updates)
	for i := range updates {
		u := &updates[i]
		if n := slices.IndexFunc(after, func(p program) bool { return p.is(u.Source) && p.item.Scope == u.Scope }); u.Installed == "" && n >= 0 {
			u.Name, u.Architecture, u.Instance = after[n].item.Name, after[n].item.Architecture, after[n].item.Instance
		}
	}
	return updates
}
