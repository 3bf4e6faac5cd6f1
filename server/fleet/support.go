package fleet

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
	"unique"

	"github.com/RoaringBitmap/roaring/v2"

	"patchbay/server/catalog/endoflife"
	"patchbay/server/catalog/support"
	"patchbay/server/view"
)

// Life is something installed that is of a product: one name for all devices that have the same.
type Life struct {
	Of            unique.Handle[support.Named]
	Item, Version string
	Times         int // items that are this: a program in several packages is one
}

// Lives is what of a device has an end of support, with what the counts are of.
type Lives struct {
	System Life // the zero one where the device does not say what it runs
	Items  []Life

	items, distribution, publisher int
}

// Count counts an item, by who answers for it.
func (l *Lives) Count(distribution, publisher bool) {
	l.items++
	l.distribution += one(distribution)
	l.publisher += one(publisher)
}

// all are the system and the items.
func (l *Lives) all() []Life {
	if l.System == (Life{}) {
		return l.Items
	}
	return append([]Life{l.System}, l.Items...)
}

// lives are the names of what it has.
func (e *Entry) lives() []unique.Handle[support.Named] {
	if e == nil {
		return nil
	}
	var names []unique.Handle[support.Named]
	for _, l := range e.Lives.all() {
		names = append(names, l.Of)
	}
	return names
}

// Ends answers what devices have whose support ends, by what holds of the feed on that.
type Ends struct {
	Index    *Index
	Products func() *support.Products // nil, and a nil answer, know none
}

func (e Ends) products() *support.Products {
	if e.Products == nil {
		return nil
	}
	return e.Products()
}

// line is a line of releases with the devices that have it.
type line struct {
	id     string
	kind   support.Kind
	named  support.Named
	stands support.Standing
	state  endoflife.State // where what ends within the days asked for is ending
	called []string
	set    *roaring.Bitmap // in scope
}

// lines gathers what devices have by lines of releases; the caller holds the lock.
func (x *Index) lines(p *support.Products, f view.SupportFilter, now time.Time) map[string]*line {
	scope := x.scope(f.Filter)
	all := map[string]*line{}
	for h, set := range x.living {
		n := h.Value()
		if f.Kind != "" && string(n.Kind) != f.Kind || scope != nil && !set.Intersects(scope) {
			continue
		}
		s := p.Stands(n, now)
		id := lineID(n, s)
		l := all[id]
		if l == nil {
			l = &line{id: id, kind: n.Kind, named: n, stands: s, state: s.Within(now, f.Within), set: roaring.New()}
			all[id] = l
		}
		l.set.Or(set)
		for _, name := range []string{n.Title, n.Version} {
			if name != "" && name != s.Cycle && name != s.Title && !strings.Contains(name, "|") && !slices.Contains(l.called, name) {
				l.called = append(l.called, name)
			}
		}
	}
	if scope != nil {
		for _, l := range all {
			l.set.And(scope)
		}
	}
	return all
}

// lineID names a line of releases: by product and cycle, and where that is not known by what
// is said instead.
func lineID(n support.Named, s support.Standing) string {
	if s.Cycle != "" {
		return string(n.Kind) + ":" + n.Product + ":" + s.Cycle
	}
	return string(n.Kind) + ":" + n.Product + "::" + cmp.Or(n.Title, n.Version)
}

// Support lists lines of releases that devices have, those that ended first.
func (e Ends) Support(f view.SupportFilter, now time.Time) view.Page[view.SupportRow] {
	x, p := e.Index, e.products()
	x.mu.RLock()
	defer x.mu.RUnlock()
	field, descending := f.Field("last")
	var rows []view.SupportRow
	lines := x.lines(p, f, now)
	for id, l := range lines {
		v := view.SupportRow{ID: id, Support: supportOf(l.named, l.stands, l.state), Devices: int(l.set.GetCardinality())}
		wanted := f.State == v.State || f.State == "" && (v.State == view.SupportEnded || v.State == view.SupportEnding)
		if wanted && (f.Q == "" || contains(f.Q, append([]string{v.Title, v.Product, v.Cycle, v.Label}, l.called...)...)) {
			rows = append(rows, v)
		}
	}
	page := view.Paginate(rows, f.Filter, descending, func(v view.SupportRow) string { return supportKey(v, field) }, func(v view.SupportRow) string { return v.ID })
	for i := range page.Items {
		v, l := &page.Items[i], lines[page.Items[i].ID]
		slices.Sort(l.called)
		v.Called = l.called[:min(len(l.called), mostItems)]
		v.Customers = x.customers(l.set)
	}
	return page
}

func supportKey(v view.SupportRow, field string) string {
	switch field {
	case "devices":
		return view.Number(v.Devices)
	case "title":
		return view.Fold(v.Title) + "\x00" + v.Cycle
	}
	return cmp.Or(v.Last, "9999") + view.Fold(v.Title)
}

// customers counts whose devices these are; the caller holds the lock.
func (x *Index) customers(set *roaring.Bitmap) int { return len(x.customersOf(set)) }

// customersOf are those whose devices these are, by ID; the caller holds the lock.
func (x *Index) customersOf(set *roaring.Bitmap) map[string]bool {
	of := map[string]bool{}
	for it := set.Iterator(); it.HasNext(); {
		if e := x.entries[x.exposure.devices[it.Next()]]; e != nil {
			of[e.Device.Customer] = true
		}
	}
	return of
}

// supportOf is what is shown of how a named thing is supported.
func supportOf(n support.Named, s support.Standing, state endoflife.State) view.Support {
	v := view.Support{Kind: string(n.Kind), Product: n.Product, Title: s.Title, Cycle: s.Cycle, Label: s.Label, State: cmp.Or(string(state), view.SupportUnknown),
		Vendor: endOf(s.Vendor), LTS: endOf(s.LTS), Paid: endOf(s.Paid), PaidName: s.PaidName, By: s.By, Why: s.Why}
	if last := s.Last(); !last.IsZero() && state != endoflife.Unknown {
		v.Last = last.Format(time.DateOnly)
	}
	return v
}

func endOf(e endoflife.End) view.SupportEnd {
	v := view.SupportEnd{Over: string(e.Over)}
	if !e.Day.IsZero() {
		v.Day, v.Over = e.Day.Format(time.DateOnly), ""
	}
	return v
}

// SupportDevices lists the devices that have something of a line of releases.
func (e Ends) SupportDevices(f view.Filter, id string, now time.Time) view.Page[view.SupportDevice] {
	x, p := e.Index, e.products()
	x.mu.RLock()
	defer x.mu.RUnlock()
	is := map[unique.Handle[support.Named]]bool{}
	for h := range x.living {
		is[h] = lineID(h.Value(), p.Stands(h.Value(), now)) == id
	}
	rows := newSheet[held](f, false)
	for _, e := range x.within(f) {
		for _, l := range e.Lives.all() {
			if is[l.Of] && (f.Q == "" || contains(f.Q, e.Device.Name, e.Customer.Name, l.Item, l.Version)) {
				rows.add(view.Fold(e.Customer.Name)+"\x00"+e.folded, e.Device.ID+" "+l.Item+" "+l.Version, held{e, l})
			}
		}
	}
	return page(rows, now, func(h held) view.SupportDevice {
		return view.SupportDevice{Device: view.Ref{ID: h.entry.Device.ID, Name: h.entry.Device.Name}, Customer: h.entry.Customer, Site: view.Ref{ID: h.entry.Site.ID, Name: h.entry.Site.Name},
			Item: h.life.Item, Version: h.life.Version, Silent: x.isSilent(h.entry, now)}
	})
}

// held is one thing on one device.
type held struct {
	entry *Entry
	life  Life
}

// hardwareWhy is all that can be said of hardware as long as devices do not tell what they are.
const hardwareWhy = "Devices do not tell what machine they are yet, so for how long their hardware is supported is not known."

// SupportSummary counts how it stands with ends of support, and what ends in which month.
func (e Ends) SupportSummary(f view.SupportFilter, now time.Time) view.SupportSummary {
	x, p := e.Index, e.products()
	x.mu.RLock()
	defer x.mu.RUnlock()
	states := map[unique.Handle[support.Named]]endoflife.State{}
	for h := range x.living {
		states[h] = p.Stands(h.Value(), now).Within(now, f.Within)
	}
	system, programs := view.SupportKind{Kind: string(support.System)}, view.SupportKind{Kind: string(support.Application)}
	hardware := view.SupportKind{Kind: string(support.Hardware), Why: hardwareWhy}
	for _, e := range x.within(f.Filter) {
		hardware.Devices++
		countState(&system, states[e.Lives.System.Of])
		countItems(&programs, &e.Lives, states)
	}
	hardware.Unknown = hardware.Devices
	return view.SupportSummary{Within: f.Within, Kinds: []view.SupportKind{system, programs, hardware}, Months: months(x.lines(p, f, now), now), Products: p.Len()}
}

// countState counts a device by the state of one thing.
func countState(k *view.SupportKind, state endoflife.State) {
	k.Devices++
	k.Ended += one(state == endoflife.Ended)
	k.Ending += one(state == endoflife.Ending)
	k.Unknown += one(state == endoflife.Unknown)
}

// countItems counts a device by the worst of its applications, and these themselves. One whose
// software was never read is not known.
func countItems(k *view.SupportKind, l *Lives, states map[unique.Handle[support.Named]]endoflife.State) {
	ended, ending, known := 0, 0, 0
	for _, i := range l.Items {
		state := states[i.Of]
		ended += one(state == endoflife.Ended)
		ending += one(state == endoflife.Ending)
		if state != endoflife.Unknown {
			known += i.Times
		}
	}
	k.Devices++
	k.Ended += one(ended > 0)
	k.Ending += one(ended == 0 && ending > 0)
	k.Unknown += one(l.items == 0)
	k.Items += l.items
	k.Distribution += l.distribution
	k.Known += known
	k.Unmapped += l.items - l.distribution - known
}

// The bounds of what is told of months.
const (
	monthsShown = 24
	mostEnding  = 10
)

// months says what ends in each month from this one on.
func months(lines map[string]*line, now time.Time) []view.SupportMonth {
	first := time.Date(now.UTC().Year(), now.UTC().Month(), 1, 0, 0, 0, 0, time.UTC)
	list := make([]view.SupportMonth, monthsShown)
	sets := make([]map[support.Kind]*roaring.Bitmap, monthsShown)
	for i := range list {
		list[i].Month = first.AddDate(0, i, 0).Format("2006-01")
		sets[i] = map[support.Kind]*roaring.Bitmap{support.System: roaring.New(), support.Application: roaring.New()}
	}
	for _, id := range slices.Sorted(maps.Keys(lines)) {
		l := lines[id]
		last := l.stands.Last()
		if l.state == endoflife.Unknown || last.Before(first) {
			continue
		}
		i := (last.Year()-first.Year())*12 + int(last.Month()-first.Month())
		if i >= monthsShown {
			continue
		}
		sets[i][l.kind].Or(l.set)
		if len(list[i].What) < mostEnding {
			list[i].What = append(list[i].What, l.stands.Title+" "+cmp.Or(l.stands.Label, l.stands.Cycle))
		}
	}
	for i := range list {
		list[i].Systems, list[i].Applications = int(sets[i][support.System].GetCardinality()), int(sets[i][support.Application].GetCardinality())
	}
	return list
}

// DeviceSupport says for how long what a device has is supported; false when there is no such
// device. What ends within so many days is ending.
func (e Ends) DeviceSupport(device string, within int, now time.Time) (view.DeviceSupport, bool) {
	p := e.products()
	of, ok := e.Index.Entry(device)
	if !ok {
		return view.DeviceSupport{}, false
	}
	v := view.DeviceSupport{Hardware: hardwareWhy, Counts: view.SupportKind{Kind: string(support.Application)}}
	states := map[unique.Handle[support.Named]]endoflife.State{}
	for _, l := range of.Lives.all() {
		n := l.Of.Value()
		s := p.Stands(n, now)
		states[l.Of] = s.Within(now, within)
		shown := supportOf(n, s, states[l.Of])
		if l == of.Lives.System {
			v.System = &shown
			continue
		}
		v.Applications = append(v.Applications, view.ItemSupport{Item: l.Item, Version: l.Version, Support: shown})
	}
	countItems(&v.Counts, &of.Lives, states)
	slices.SortStableFunc(v.Applications, func(a, b view.ItemSupport) int {
		return cmp.Or(strings.Compare(cmp.Or(a.Last, "9999"), cmp.Or(b.Last, "9999")), strings.Compare(view.Fold(a.Item), view.Fold(b.Item)))
	})
	return v, true
}

// mostCycles is how many lines of releases of a product are shown.
const mostCycles = 40

// Product says of a product what the feed on ends of support knows, by its name, title or
// another name; false where it knows none.
func (e Ends) Product(name string, now time.Time) (view.Product, bool) {
	p := e.products()
	found, ok := p.Called(name)
	if !ok {
		return view.Product{}, false
	}
	v := view.Product{Name: found.Name, Title: found.Title, Known: true}
	kind := support.Application
	if found.Category == "os" {
		kind = support.System
	}
	supported := 0
	for _, c := range found.Cycles {
		s := p.Cycle(found, c, now)
		supported += one(s.State == endoflife.Supported || s.State == endoflife.Ending)
		if len(v.Cycles) < mostCycles {
			v.Cycles = append(v.Cycles, supportOf(support.Named{Kind: kind, Product: found.Name}, s, s.Within(now, soonDays)))
		}
	}
	v.Support = fmt.Sprintf("%d of its %s of releases supported today, by the word of %s.", supported, counted(len(found.Cycles), "line", "lines"), support.ByFeed)
	return v, true
}

// soonDays is within how many days an end is near where nobody says otherwise.
const soonDays = 90
