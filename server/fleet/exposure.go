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
	Items    int      // that were held against advisories
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
	packs  []holding           // by the number of a stock: the devices that have it
	spare  []uint32            // numbers that no stock has
	names  map[string]uint32   // of packages, by release and name; kept when nobody has them any more
	having []*roaring.Bitmap   // by the number of a name: the numbers of the stocks that have it
}

// stocked is a stock that devices have.
type stocked struct {
	number  uint32
	release string
	names   []uint32
}

func newExposure() *exposure {
	return &exposure{numbers: map[string]uint32{}, holders: map[*assess.Found]*roaring.Bitmap{}, founds: map[string]map[*assess.Found]bool{},
		stocks: map[string]*stocked{}, names: map[string]uint32{}}
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

// restock notes which inventories a device has. Of the names in them nothing is kept with the
// entry.
func (x *exposure) restock(n uint32, old, new *Entry) {
	is, was := stocksOf(new), stocksOf(old)
	for k, s := range is {
		if _, had := was[k]; had {
			continue
		}
		if x.stocks[k] == nil {
			x.stock(k, s)
		}
		x.packs[x.stocks[k].number].add(n)
	}
	for k := range was {
		if _, has := is[k]; !has && x.stocks[k] != nil {
			x.unstock(k, n)
		}
	}
	if new != nil {
		for i := range new.Stocks {
			new.Stocks[i].Names = nil
		}
	}
}

func stocksOf(e *Entry) map[string]Stock {
	list := map[string]Stock{}
	if e != nil {
		for _, s := range e.Stocks {
			list[s.Release+"\x00"+s.Hash] = s
		}
	}
	return list
}

// stock takes in an inventory that no device had.
func (x *exposure) stock(k string, s Stock) {
	st := &stocked{number: uint32(len(x.packs)), release: s.Release}
	if last := len(x.spare) - 1; last >= 0 {
		st.number, x.spare = x.spare[last], x.spare[:last]
	} else {
		x.packs = append(x.packs, holding{})
	}
	x.stocks[k] = st
	for _, name := range s.Names {
		at := s.Release + "\x00" + name
		id, ok := x.names[at]
		if !ok {
			id = uint32(len(x.having))
			x.names[at], x.having = id, append(x.having, roaring.New())
		}
		x.having[id].Add(st.number)
		st.names = append(st.names, id)
	}
}

func (x *exposure) unstock(k string, n uint32) {
	st := x.stocks[k]
	x.packs[st.number].remove(n)
	if !x.packs[st.number].empty() {
		return
	}
	delete(x.stocks, k)
	x.packs[st.number], x.spare = holding{}, append(x.spare, st.number)
	for _, id := range st.names {
		x.having[id].Remove(st.number)
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
		set[st.release] = true
	}
	return slices.Sorted(maps.Keys(set))
}

// Having gives the devices of a release that have any of the packages, by the names that
// advisories call them.
func (x *Index) Having(release string, names ...string) []string {
	x.mu.RLock()
	defer x.mu.RUnlock()
	all, few := roaring.New(), []uint32(nil)
	for _, name := range names {
		id, ok := x.exposure.names[release+"\x00"+name]
		if !ok {
			continue
		}
		few = x.exposure.gather(all, few, id)
	}
	slices.Sort(few)
	all.AddMany(few)
	return x.exposure.named(all)
}

// gather collects the devices that have a package: into a set where many have one inventory,
// and into a list where few do.
func (x *exposure) gather(all *roaring.Bitmap, few []uint32, id uint32) []uint32 {
	for it := x.having[id].Iterator(); it.HasNext(); {
		h := &x.packs[it.Next()]
		if h.many != nil {
			all.Or(h.many)
		}
		few = append(few, h.few...)
	}
	return few
}

func (x *exposure) named(set *roaring.Bitmap) []string {
	devices := make([]string, 0, set.GetCardinality())
	for it := set.Iterator(); it.HasNext(); {
		devices = append(devices, x.devices[it.Next()])
	}
	return devices
}
