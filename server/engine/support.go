package engine

import (
	"unique"

	"patchbay/server/assess"
	"patchbay/server/catalog/purpose"
	"patchbay/server/catalog/support"
	"patchbay/server/fleet"
	"patchbay/server/knowledge"
)

// name names the products of what is installed, whose support is looked up when somebody asks.
func (f *Facts) name(t *support.Table) {
	if t == nil {
		return
	}
	if n, ok := knowledge.SystemOf(f.Device.Facts); ok {
		f.Lives.System = fleet.Life{Of: unique.Make(n), Item: n.Title, Version: f.Device.Facts.Release, Times: 1}
	}
	type once struct {
		of      unique.Handle[support.Named]
		version string
	}
	at := map[once]int{}
	for _, p := range f.Inventory.Providers {
		named := knowledge.Namer(t, f.Device.Facts, p.Name)
		for _, it := range p.Items {
			n, by := named(it)
			f.Lives.Count(by.Distribution, by.Publisher)
			if !by.Publisher {
				continue
			}
			k := once{unique.Make(n), it.Version}
			i, seen := at[k]
			if !seen {
				i = len(f.Lives.Items)
				at[k] = i
				f.Lives.Items = append(f.Lives.Items, fleet.Life{Of: k.of, Item: it.Name, Version: it.Version})
			}
			f.Lives.Items[i].Times++
		}
	}
}

// sort tells what of the software stands out: what nobody updates, and what programs are for.
// What was never read, and providers that the device does not name, say nothing.
func (f *Facts) sort(t *purpose.Table) {
	if t == nil {
		return
	}
	for _, named := range f.Device.Facts.Providers {
		for _, p := range f.Inventory.Providers {
			if p.Name != named.Name {
				continue
			}
			for _, it := range p.Items {
				if why, nobody := assess.Unattended(named, it); nobody {
					f.Software.Loose = append(f.Software.Loose, unique.Make(fleet.Loose{Provider: it.Provider, Name: it.Name, Why: why}))
				}
				if program, ok := t.Of(named.Traits.Versions, it); ok {
					f.Software.Purposes = append(f.Software.Purposes, unique.Make(program))
				}
			}
		}
	}
}
