package fleet

import (
	"cmp"
	"maps"
	"slices"

	"github.com/RoaringBitmap/roaring/v2"

	"patchbay/patch"
	"patchbay/server/assess"
)

// Stock is what one provider has installed on a device, under the hash of its section: many
// devices have the same.
type Stock struct {
	Provider string
	Hash     string
	Release  string   // of the system, as advisories name it; "" where none do
	Names    []string // that advisories would call its items by, sorted; looked at the first time alone
}

// Held is an item of a device that advisories affect.
type Held struct {
	Key   patch.Key
	Found *assess.Found
}

// HeldBy puts findings by item in order.
func HeldBy(found map[patch.Key]*assess.Found) []Held {
	list := make([]Held, 0, len(found))
	for k, f := range found {
		list = append(list, Held{k, f})
	}
	slices.SortFunc(list, func(a, b Held) int { return a.Key.Compare(b.Key) })
	return list
}

// exposure is who has what: devices by number, so that questions over all of them are answered
// from sets of bits. It belongs to the index, whose lock guards it.
type exposure struct {
	numbers map[string]uint32 // by device
	devices []string          // by number
	free    []uint32          // numbers of devices that are gone

	holders map[*assess.Found]*roaring.Bitmap // devices that have an item that advisories affect
	founds  map[string]map[*assess.Found]bool // by CVE, and by the ID of an advisory

	stocks map[string]*stocked // by release and hash
	byName map[string]map[*stocked]bool
}

// stocked is a stock and the devices that have it.
type stocked struct {
	Stock
	devices *roaring.Bitmap
}

func newExposure() *exposure {
	return &exposure{numbers: map[string]uint32{}, holders: map[*assess.Found]*roaring.Bitmap{}, founds: map[string]map[*assess.Found]bool{},
		stocks: map[string]*stocked{}, byName: map[string]map[*stocked]bool{}}
}

// number gives a device its number.
func (x *exposure) number(device string) uint32 {
	if n, ok := x.numbers[device]; ok {
		return n
	}
	n := uint32(len(x.devices))
	if last := len(x.free) - 1; last >= 0 {
		n, x.free = x.free[last], x.free[:last]
		x.devices[n] = device
	} else {
		x.devices = append(x.devices, device)
	}
	x.numbers[device] = n
	return n
}

// replace puts what a device has in the place of what it had; nil is nothing.
func (x *exposure) replace(device string, old, new *Entry) {
	n := x.number(device)
	is, was := heldBy(new), heldBy(old)
	for f := range is {
		if !was[f] {
			x.hold(f, n)
		}
	}
	for f := range was {
		if !is[f] {
			x.drop(f, n)
		}
	}
	x.restock(n, old, new)
	if new == nil {
		delete(x.numbers, device)
		x.devices[n] = ""
		x.free = append(x.free, n)
	}
}

// heldBy are the items of an entry that advisories affect.
func heldBy(e *Entry) map[*assess.Found]bool {
	if e == nil {
		return nil
	}
	held := make(map[*assess.Found]bool, len(e.Found))
	for _, h := range e.Found {
		held[h.Found] = true
	}
	return held
}

func (x *exposure) hold(f *assess.Found, n uint32) {
	set := x.holders[f]
	if set == nil {
		set = roaring.New()
		x.holders[f] = set
		for _, name := range namesOf(f) {
			if x.founds[name] == nil {
				x.founds[name] = map[*assess.Found]bool{}
			}
			x.founds[name][f] = true
		}
	}
	set.Add(n)
}

func (x *exposure) drop(f *assess.Found, n uint32) {
	set := x.holders[f]
	if set == nil {
		return
	}
	set.Remove(n)
	if !set.IsEmpty() {
		return
	}
	delete(x.holders, f)
	for _, name := range namesOf(f) {
		delete(x.founds[name], f)
		if len(x.founds[name]) == 0 {
			delete(x.founds, name)
		}
	}
}

// namesOf are the CVE numbers that affect an item, and the IDs of advisories without any.
func namesOf(f *assess.Found) []string {
	var names []string
	for _, one := range f.List {
		names = append(names, calledBy(one)...)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

func calledBy(f assess.Finding) []string {
	if len(f.CVEs) == 0 && f.Advisory != "" {
		return []string{f.Advisory}
	}
	return f.CVEs
}

// restock notes which inventories a device has.
func (x *exposure) restock(n uint32, old, new *Entry) {
	keys := func(e *Entry) map[string]Stock {
		list := map[string]Stock{}
		if e != nil {
			for _, s := range e.Stocks {
				list[s.Release+"\x00"+s.Hash] = s
			}
		}
		return list
	}
	is, was := keys(new), keys(old)
	for k, s := range is {
		if _, had := was[k]; had {
			continue
		}
		st := x.stocks[k]
		if st == nil {
			st = &stocked{s, roaring.New()}
			x.stocks[k] = st
			for _, name := range s.Names {
				at := s.Release + "\x00" + name
				if x.byName[at] == nil {
					x.byName[at] = map[*stocked]bool{}
				}
				x.byName[at][st] = true
			}
		}
		st.devices.Add(n)
	}
	for k := range was {
		if _, has := is[k]; has || x.stocks[k] == nil {
			continue
		}
		x.unstock(k, n)
	}
}

func (x *exposure) unstock(k string, n uint32) {
	st := x.stocks[k]
	st.devices.Remove(n)
	if !st.devices.IsEmpty() {
		return
	}
	delete(x.stocks, k)
	for _, name := range st.Names {
		at := st.Release + "\x00" + name
		delete(x.byName[at], st)
		if len(x.byName[at]) == 0 {
			delete(x.byName, at)
		}
	}
}

// HoldingAny gives the devices that have any of what was found.
func (x *Index) HoldingAny(found ...*assess.Found) []string {
	x.mu.RLock()
	defer x.mu.RUnlock()
	all := roaring.New()
	for _, f := range found {
		if set := x.exposure.holders[f]; set != nil {
			all.Or(set)
		}
	}
	return x.exposure.named(all)
}

// Systems are what devices run, as "debian:12", sorted.
func (x *Index) Systems() []string {
	x.mu.RLock()
	defer x.mu.RUnlock()
	set := map[string]bool{}
	for _, e := range x.entries {
		f := &e.Device.Facts
		if f.Distro != "" || f.OS != "" {
			set[cmp.Or(f.Distro, f.OS)+":"+f.Release] = true
		}
	}
	return slices.Sorted(maps.Keys(set))
}

// Releases are the systems that any device's software was compared with the advisories of.
func (x *Index) Releases() []string {
	x.mu.RLock()
	defer x.mu.RUnlock()
	set := map[string]bool{}
	for _, st := range x.exposure.stocks {
		set[st.Release] = true
	}
	return slices.Sorted(maps.Keys(set))
}

// Having gives the devices of a release that have any of the packages, by the names that
// advisories call them.
func (x *Index) Having(release string, names ...string) []string {
	x.mu.RLock()
	defer x.mu.RUnlock()
	all := roaring.New()
	for _, name := range names {
		for st := range x.exposure.byName[release+"\x00"+name] {
			all.Or(st.devices)
		}
	}
	return x.exposure.named(all)
}

func (x *exposure) named(set *roaring.Bitmap) []string {
	devices := make([]string, 0, set.GetCardinality())
	for it := set.Iterator(); it.HasNext(); {
		devices = append(devices, x.devices[it.Next()])
	}
	return devices
}
