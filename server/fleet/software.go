package fleet

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"
	"unique"

	"github.com/RoaringBitmap/roaring/v2"

	"patchbay/server/catalog/purpose"
	"patchbay/server/view"
)

// Loose is an item that nobody updates, and why: one value for all devices that have it.
type Loose struct{ Provider, Name, Why string }

// Software is what of a device's software stands out: what nobody updates, and what programs
// are for.
type Software struct {
	Loose    []unique.Handle[Loose]
	Purposes []unique.Handle[purpose.Program]
}

// sets are which devices have what, by number.
type sets[K comparable] map[K]*roaring.Bitmap

// replace puts what a device has in the place of what it had.
func (v sets[K]) replace(n uint32, old, new []K) {
	for _, k := range old {
		if set := v[k]; set != nil {
			if set.Remove(n); set.IsEmpty() {
				delete(v, k)
			}
		}
	}
	for _, k := range new {
		if v[k] == nil {
			v[k] = roaring.New()
		}
		v[k].Add(n)
	}
}

func (e *Entry) loose() []unique.Handle[Loose] {
	if e == nil {
		return nil
	}
	return e.Software.Loose
}

func (e *Entry) purposes() []unique.Handle[purpose.Program] {
	if e == nil {
		return nil
	}
	return e.Software.Purposes
}

// Unattended lists items that nobody updates, those that most devices have first.
func (x *Index) Unattended(f view.Filter) view.Page[view.Unattended] {
	x.mu.RLock()
	defer x.mu.RUnlock()
	scope := x.scope(f)
	var rows []view.Unattended
	for h, set := range x.loose {
		l := h.Value()
		n := among(set, scope)
		if n == 0 || f.Q != "" && !contains(f.Q, l.Name, l.Provider) {
			continue
		}
		rows = append(rows, view.Unattended{ID: l.Provider + "/" + l.Name, Provider: l.Provider, Name: l.Name, Why: l.Why, Devices: n})
	}
	field, descending := f.Field("-devices")
	page := view.Paginate(rows, f, descending, func(v view.Unattended) string {
		if field == "devices" {
			return view.Number(v.Devices)
		}
		return view.Fold(v.Name)
	}, func(v view.Unattended) string { return v.ID + v.Why })
	for i := range page.Items {
		v := &page.Items[i]
		set := x.loose[unique.Make(Loose{v.Provider, v.Name, v.Why})]
		if scope != nil {
			set = roaring.And(set, scope)
		}
		v.Customers = x.customers(set)
	}
	return page
}

// among counts the devices of a set that are in scope; nil is all.
func among(set, scope *roaring.Bitmap) int {
	if scope == nil {
		return int(set.GetCardinality())
	}
	return int(set.AndCardinality(scope))
}

// UnattendedSummary counts what nobody updates.
func (x *Index) UnattendedSummary(f view.Filter) view.UnattendedSummary {
	x.mu.RLock()
	defer x.mu.RUnlock()
	var v view.UnattendedSummary
	for _, e := range x.within(f) {
		v.Devices++
		v.With += one(len(e.Software.Loose) > 0)
		v.Unread += one(e.Lives.items == 0)
		v.Items += e.Lives.items
		v.Nobody += len(e.Software.Loose)
	}
	return v
}

// UnattendedDevices lists the devices that have an item, by its ID in the list.
func (x *Index) UnattendedDevices(f view.Filter, id string, now time.Time) view.Page[view.SoftwareDevice] {
	return x.softwareDevices(f, now, func(e *Entry) ([]string, bool) {
		return nil, slices.ContainsFunc(e.Software.Loose, func(h unique.Handle[Loose]) bool { l := h.Value(); return l.Provider+"/"+l.Name == id })
	})
}

// SeveralDevices lists the devices that have more than one program for a purpose.
func (x *Index) SeveralDevices(f view.Filter, of string, now time.Time) view.Page[view.SoftwareDevice] {
	return x.softwareDevices(f, now, func(e *Entry) ([]string, bool) {
		programs := programsFor(e, of)
		return programs, len(programs) > 1
	})
}

// programsFor are the programs that a device has for a purpose, sorted, each once.
func programsFor(e *Entry, of string) []string {
	var programs []string
	for _, h := range e.Software.Purposes {
		if p := h.Value(); p.Purpose == of {
			programs = append(programs, p.Name)
		}
	}
	slices.Sort(programs)
	return slices.Compact(programs)
}

func (x *Index) softwareDevices(f view.Filter, now time.Time, is func(*Entry) ([]string, bool)) view.Page[view.SoftwareDevice] {
	x.mu.RLock()
	defer x.mu.RUnlock()
	var rows []view.SoftwareDevice
	for _, e := range x.within(f) {
		programs, ok := is(e)
		if ok && (f.Q == "" || contains(f.Q, e.Device.Name, e.Customer.Name)) {
			rows = append(rows, view.SoftwareDevice{Device: view.Ref{ID: e.Device.ID, Name: e.Device.Name}, Customer: e.Customer, Site: view.Ref{ID: e.Site.ID, Name: e.Site.Name},
				Silent: x.isSilent(e, now), Programs: programs})
		}
	}
	return view.Paginate(rows, f, false, func(d view.SoftwareDevice) string {
		return view.Fold(d.Customer.Name) + "\x00" + view.Fold(d.Device.Name)
	},
		func(d view.SoftwareDevice) string { return d.Device.ID })
}

// Several lists purposes for which a device, or the devices of a customer, have more than one
// program; those with most such devices first.
func (x *Index) Several(f view.Filter) view.Page[view.Several] {
	x.mu.RLock()
	defer x.mu.RUnlock()
	scope := x.scope(f)
	by := map[string]map[string]*roaring.Bitmap{}
	for h, set := range x.purposes {
		p := h.Value()
		if scope != nil {
			set = roaring.And(set, scope)
		}
		if set.IsEmpty() {
			continue
		}
		if by[p.Purpose] == nil {
			by[p.Purpose] = map[string]*roaring.Bitmap{}
		}
		by[p.Purpose][p.Name] = set
	}
	var rows []view.Several
	for _, name := range slices.Sorted(maps.Keys(by)) {
		v := x.several(name, by[name])
		if (v.Several > 0 || v.Mixed > 0) && (f.Q == "" || contains(f.Q, append(slices.Collect(maps.Keys(by[name])), name)...)) {
			rows = append(rows, v)
		}
	}
	return view.Paginate(rows, f, true, func(v view.Several) string { return view.Number(v.Several) + view.Number(v.Mixed) }, func(v view.Several) string { return v.Purpose })
}

// several counts the programs for one purpose; the caller holds the lock.
func (x *Index) several(purpose string, programs map[string]*roaring.Bitmap) view.Several {
	v := view.Several{Purpose: purpose}
	once, twice := roaring.New(), roaring.New()
	at := map[string]int{} // programs, by customer
	for name, set := range programs {
		v.Programs = append(v.Programs, view.ProgramCount{Name: name, Devices: int(set.GetCardinality())})
		twice.Or(roaring.And(once, set))
		once.Or(set)
		for customer := range x.customersOf(set) {
			at[customer]++
		}
	}
	v.Devices, v.Several, v.Customers = int(once.GetCardinality()), int(twice.GetCardinality()), len(at)
	for _, n := range at {
		v.Mixed += one(n > 1)
	}
	slices.SortFunc(v.Programs, func(a, b view.ProgramCount) int {
		return cmp.Or(b.Devices-a.Devices, strings.Compare(a.Name, b.Name))
	})
	return v
}
