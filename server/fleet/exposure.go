package fleet

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/RoaringBitmap/roaring/v2"

	"patchbay/patch"
	"patchbay/server/assess"
	"patchbay/server/catalog/advisory"
	"patchbay/server/verdict"
	"patchbay/server/view"
)

// Stock is what one provider has installed on a device, under the hash of its section: many
// devices have the same.
type Stock struct {
	Provider string
	Hash     string
	Release  string   // of the system, as advisories name it; "" where none do
	Names    []string // that advisories would call its items by, sorted; looked at the first time alone
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
	for _, f := range e.Found {
		held[f] = true
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

// Exposed says who is exposed to a CVE, or to an advisory that stands for none.
func (x *Index) Exposed(now time.Time, f view.Filter, id string) view.Exposure {
	x.mu.RLock()
	defer x.mu.RUnlock()
	e := view.Exposure{ID: id, Severity: patch.SeverityUnknown}
	at := map[string]*view.ExposedCustomer{}
	for found := range x.exposure.founds[id] {
		for it := x.exposure.holders[found].Iterator(); it.HasNext(); {
			entry := x.entries[x.exposure.devices[it.Next()]]
			if entry == nil || !inside(entry, f) {
				continue
			}
			c := at[entry.Device.Customer]
			if c == nil {
				c = &view.ExposedCustomer{Customer: entry.Customer}
				at[entry.Device.Customer] = c
			}
			c.Devices = append(c.Devices, x.exposed(entry, found, id, now)...)
		}
	}
	for _, entry := range x.within(f) {
		e.Enrolled++
		e.Unread += one(len(entry.Stocks) == 0)
	}
	for _, c := range at {
		slices.SortFunc(c.Devices, func(a, b view.ExposedDevice) int {
			return cmp.Or(strings.Compare(view.Fold(a.Device.Name), view.Fold(b.Device.Name)), strings.Compare(a.Device.ID, b.Device.ID),
				strings.Compare(a.Item.Name, b.Item.Name), strings.Compare(a.Item.Architecture, b.Item.Architecture), strings.Compare(a.Installed, b.Installed), advisory.CompareIDs(a.Finding.Advisory, b.Finding.Advisory))
		})
		e.Customers = append(e.Customers, *c)
	}
	slices.SortFunc(e.Customers, func(a, b view.ExposedCustomer) int {
		return cmp.Or(strings.Compare(view.Fold(a.Customer.Name), view.Fold(b.Customer.Name)), strings.Compare(a.Customer.ID, b.Customer.ID))
	})
	sum(&e)
	return e
}

func inside(e *Entry, f view.Filter) bool {
	return (f.Customer == "" || e.Device.Customer == f.Customer) && (f.Site == "" || e.Device.Site == f.Site) && (f.Device == "" || e.Device.ID == f.Device)
}

// exposed is where a device stands with what a CVE does to one of its items; the caller holds
// the lock.
func (x *Index) exposed(e *Entry, found *assess.Found, id string, now time.Time) []view.ExposedDevice {
	var list []view.ExposedDevice
	for key, of := range e.Found {
		if of != found {
			continue
		}
		for _, f := range found.List {
			if !slices.Contains(calledBy(f), id) {
				continue
			}
			d := view.ExposedDevice{Device: view.Ref{ID: e.Device.ID, Name: e.Device.Name}, Site: view.Ref{ID: e.Site.ID, Name: e.Site.Name},
				Item: view.ItemKeyOf(key), Installed: found.Version, Silent: x.isSilent(e, now), Finding: view.FindingOf(f)}
			d.Fix, d.Need, d.Update, d.Verdict = fix(e, key, f, id)
			list = append(list, d)
		}
	}
	return list
}

// fix says what can be done about a finding on a device.
func fix(e *Entry, key patch.Key, f assess.Finding, id string) (fix, need, update string, v *verdict.Verdict) {
	i := slices.IndexFunc(e.Needs, func(n Need) bool { return n.Key == key })
	if i >= 0 {
		need, v = e.Needs[i].id, &e.Needs[i].Verdict
	}
	if !f.Status.Open() {
		return view.FixNoNeed, need, "", v
	}
	by := slices.IndexFunc(e.Needs, func(n Need) bool {
		return n.Offered && !n.Reached && slices.Contains(n.Update.Advisories, id) && (n.Key == key || n.Key.Provider == key.Provider && len(f.Updates) > 0)
	})
	switch {
	case by >= 0:
		return view.FixOffered, e.Needs[by].id, e.Needs[by].update, &e.Needs[by].Verdict
	case f.Fixed != "":
		return view.FixPublished, need, "", v
	}
	return view.FixNone, need, "", v
}

// sum fills in what an exposure says as a whole. A device counts once, by the worst of its items.
func sum(e *view.Exposure) {
	updates, advisories := map[string]bool{}, map[string]bool{}
	for _, c := range e.Customers {
		worst, silent := map[string]int{}, map[string]bool{}
		for _, d := range c.Devices {
			rank := slices.Index([]string{view.FixNoNeed, view.FixOffered, view.FixPublished, view.FixNone}, d.Fix)
			worst[d.Device.ID], silent[d.Device.ID] = max(worst[d.Device.ID], rank), d.Silent
			grave(&e.Severity, &e.Exploited, &e.Published, d.Finding)
			if e.Step == "" || steps(d.Finding.Step) > steps(e.Step) {
				e.Step, e.Why = d.Finding.Step, d.Finding.Why
			}
			advisories[d.Finding.Advisory] = true
			if d.Update != "" {
				updates[d.Update] = true
			}
		}
		for device, rank := range worst {
			e.Silent += one(rank > 0 && silent[device])
			e.NoNeed += one(rank == 0)
			e.Offered += one(rank == 1)
			e.Unoffered += one(rank == 2)
			e.None += one(rank == 3)
		}
	}
	e.Devices = e.Offered + e.Unoffered + e.None
	e.Updates = slices.Sorted(maps.Keys(updates))
	e.Advisories = slices.SortedFunc(maps.Keys(advisories), advisory.CompareIDs)
}

// steps orders how soon something is to be mended, the soonest last.
func steps(step string) int {
	return slices.Index([]string{"defer", "scheduled", "out-of-cycle", "immediate"}, step)
}

// grave takes the gravest word and the earliest times.
func grave(severity *patch.Severity, exploited, published **time.Time, f view.Finding) {
	*severity = advisory.Higher(*severity, f.Severity)
	earliest(exploited, f.Exploited)
	earliest(published, f.Published)
}

func earliest(at **time.Time, other *time.Time) {
	if other != nil && (*at == nil || other.Before(**at)) {
		*at = other
	}
}

// mostItems is how many packages a row of the list names.
const mostItems = 5

// Findings lists what is open by CVE, in the order of the queue.
func (x *Index) Findings(f view.Filter) view.Page[view.ExposedTo] {
	x.mu.RLock()
	defer x.mu.RUnlock()
	scope := x.scope(f)
	var list []view.ExposedTo
	for id, founds := range x.exposure.founds {
		if f.Q != "" && !strings.Contains(view.Fold(id), view.Fold(f.Q)) && !namedIn(founds, f.Q) {
			continue
		}
		if row, ok := x.exposedTo(id, founds, scope); ok {
			list = append(list, row)
		}
	}
	return view.Paginate(list, f, true, func(e view.ExposedTo) string {
		return view.Number(int64(e.Place>>1)) + view.Number(one(e.Exploited != nil)) + view.Number(weight(e.Severity)) + view.Number(e.Devices) + view.Moment(e.Published)
	}, func(e view.ExposedTo) string { return e.ID })
}

// weight orders severities, the gravest last.
func weight(s patch.Severity) int {
	return slices.Index([]patch.Severity{patch.SeverityUnknown, patch.SeverityLow, patch.SeverityMedium, patch.SeverityHigh, patch.SeverityCritical}, s)
}

func namedIn(founds map[*assess.Found]bool, q string) bool {
	for f := range founds {
		if strings.Contains(view.Fold(f.Name), view.Fold(q)) {
			return true
		}
	}
	return false
}

// scope is the devices that a filter leaves, nil for all; the caller holds the lock.
func (x *Index) scope(f view.Filter) *roaring.Bitmap {
	if f.Customer == "" && f.Site == "" && f.Device == "" {
		return nil
	}
	set := roaring.New()
	for _, e := range x.within(f) {
		set.Add(x.exposure.numbers[e.Device.ID])
	}
	return set
}

// exposedTo is the row of one CVE; false when it is open nowhere in scope.
func (x *Index) exposedTo(id string, founds map[*assess.Found]bool, scope *roaring.Bitmap) (view.ExposedTo, bool) {
	row := view.ExposedTo{ID: id, Severity: patch.SeverityUnknown, Fixable: true}
	all := roaring.New()
	for found := range founds {
		open := false
		for _, f := range found.List {
			if !f.Status.Open() || !slices.Contains(calledBy(f), id) {
				continue
			}
			open = true
			grave(&row.Severity, &row.Exploited, &row.Published, view.FindingOf(f))
			if row.Step == "" || f.Place > row.Place {
				row.Step, row.Why, row.Place = f.Step, f.Why, f.Place
			}
			row.Fixable = row.Fixable && f.Fixed != ""
			if !slices.Contains(row.Sources, f.Source) {
				row.Sources = append(row.Sources, f.Source)
			}
		}
		if !open {
			continue
		}
		all.Or(x.exposure.holders[found])
		if !slices.Contains(row.Items, found.Name) {
			row.Items = append(row.Items, found.Name)
		}
	}
	if scope != nil {
		all.And(scope)
	}
	if row.Devices = int(all.GetCardinality()); row.Devices == 0 {
		return row, false
	}
	customers := map[string]bool{}
	for it := all.Iterator(); it.HasNext(); {
		if e := x.entries[x.exposure.devices[it.Next()]]; e != nil {
			customers[e.Device.Customer] = true
		}
	}
	row.Customers = len(customers)
	slices.Sort(row.Items)
	row.Items = row.Items[:min(len(row.Items), mostItems)]
	slices.Sort(row.Sources)
	return row, true
}

// DeviceFindings lists what affects a device, by item.
func (x *Index) DeviceFindings(device string) view.DeviceFindings {
	e, ok := x.Entry(device)
	if !ok {
		return view.DeviceFindings{}
	}
	var list []view.ItemFindings
	for key, found := range e.Found {
		one := view.ItemFindings{Item: view.ItemKeyOf(key), Installed: found.Version}
		if i := slices.IndexFunc(e.Needs, func(n Need) bool { return n.Key == key }); i >= 0 {
			one.Need = e.Needs[i].id
		}
		for _, f := range found.List {
			one.Findings = append(one.Findings, view.FindingOf(f))
		}
		list = append(list, one)
	}
	slices.SortFunc(list, comparePlaces)
	all := view.DeviceFindings{Compared: len(e.Stocks) > 0, Items: list}
	for _, s := range e.Stocks {
		all.Providers = append(all.Providers, view.ComparedWith{Provider: s.Provider, Release: s.Release})
	}
	return all
}

// comparePlaces puts the item with the gravest finding first.
func comparePlaces(a, b view.ItemFindings) int {
	x, y := a.Findings[0], b.Findings[0]
	return cmp.Or(cmp.Compare(one(y.Status.Open()), one(x.Status.Open())), cmp.Compare(one(y.Exploited != nil), one(x.Exploited != nil)), cmp.Compare(weight(y.Severity), weight(x.Severity)),
		strings.Compare(a.Item.Name, b.Item.Name), strings.Compare(a.Item.Architecture, b.Item.Architecture), strings.Compare(a.Installed, b.Installed))
}
