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

// mostExposed is how many items the answer to who is exposed lists, shared out evenly among
// customers. All of them are counted.
const mostExposed = 500

// exposedItem is an item of a device that is exposed, before it is written out.
type exposedItem struct {
	entry   *Entry
	held    *Held
	finding *assess.Finding
	silent  bool
	mended
}

// exposedAt are those of one customer.
type exposedAt struct {
	customer view.Ref
	items    []exposedItem
}

// mended is what can be done about a finding on a device.
type mended struct {
	fix  string
	need *Need // nil where there is none
	by   *Need // that has the update which mends it, nil where none does
}

// Exposed says who is exposed to a CVE, or to an advisory that stands for none.
func (x *Index) Exposed(now time.Time, f view.Filter, id string) view.Exposure {
	x.mu.RLock()
	defer x.mu.RUnlock()
	e := view.Exposure{ID: id, Severity: patch.SeverityUnknown}
	at := map[string]*exposedAt{} // by customer
	for found := range x.exposure.founds[id] {
		for it := x.exposure.holders[found].Iterator(); it.HasNext(); {
			entry := x.entries[x.exposure.devices[it.Next()]]
			if entry == nil || !inside(entry, f) {
				continue
			}
			c := at[entry.Device.Customer]
			if c == nil {
				c = &exposedAt{customer: entry.Customer}
				at[entry.Device.Customer] = c
			}
			c.items = x.exposed(c.items, entry, found, id, now)
		}
	}
	for _, entry := range x.within(f) {
		e.Enrolled++
		e.Unread += one(len(entry.Stocks) == 0)
	}
	sum(&e, at)
	most := max(1, mostExposed/max(1, len(at)))
	for _, c := range at {
		slices.SortFunc(c.items, compareExposed)
		shown := view.ExposedCustomer{Customer: c.customer, Items: len(c.items)}
		for i := range c.items[:min(len(c.items), most)] {
			shown.Devices = append(shown.Devices, c.items[i].view())
		}
		e.Customers = append(e.Customers, shown)
	}
	slices.SortFunc(e.Customers, func(a, b view.ExposedCustomer) int {
		return cmp.Or(strings.Compare(view.Fold(a.Customer.Name), view.Fold(b.Customer.Name)), strings.Compare(a.Customer.ID, b.Customer.ID))
	})
	return e
}

// cite adds who set what the place of an open finding rests on.
func (e *Entry) cite(f *view.Finding) {
	if cites := e.Standing.Cites(); cites != "" && f.Status.Open() {
		f.Why += " " + cites
	}
}

func inside(e *Entry, f view.Filter) bool {
	return (f.Customer == "" || e.Device.Customer == f.Customer) && (f.Site == "" || e.Device.Site == f.Site) && (f.Device == "" || e.Device.ID == f.Device)
}

// exposed adds where a device stands with what a CVE does to its items; the caller holds the lock.
func (x *Index) exposed(list []exposedItem, e *Entry, found *assess.Found, id string, now time.Time) []exposedItem {
	silent := x.isSilent(e, now)
	for n := range e.Found {
		h := &e.Found[n]
		if h.Found != found {
			continue
		}
		for i := range found.List {
			if f := &found.List[i]; slices.Contains(calledBy(*f), id) {
				list = append(list, exposedItem{e, h, f, silent, mendedOn(e, h.Key, f, id)})
			}
		}
	}
	return list
}

// compareExposed puts what is to be mended first first, then orders items by their device's name.
func compareExposed(a, b exposedItem) int {
	if c := cmp.Compare(standing(b.finding.Status, b.finding.Place), standing(a.finding.Status, a.finding.Place)); c != 0 {
		return c
	}
	if a.entry != b.entry {
		return cmp.Or(strings.Compare(a.entry.folded, b.entry.folded), strings.Compare(a.entry.Device.ID, b.entry.Device.ID))
	}
	x, y := &a.held.Key, &b.held.Key
	return cmp.Or(strings.Compare(x.Name, y.Name), strings.Compare(x.Architecture, y.Architecture),
		strings.Compare(a.held.Found.Version, b.held.Found.Version), advisory.CompareIDs(a.finding.Advisory, b.finding.Advisory))
}

func (i *exposedItem) view() view.ExposedDevice {
	e := i.entry
	d := view.ExposedDevice{Device: view.Ref{ID: e.Device.ID, Name: e.Device.Name}, Site: view.Ref{ID: e.Site.ID, Name: e.Site.Name},
		Item: view.ItemKeyOf(i.held.Key), Installed: i.held.Found.Version, Silent: i.silent, Finding: view.FindingOf(*i.finding), Fix: i.fix}
	if i.need != nil {
		d.Need, d.Verdict = i.need.id, &i.need.Verdict
	}
	e.cite(&d.Finding)
	if i.by != nil {
		d.Need, d.Update, d.Verdict = i.by.id, i.by.update, &i.by.Verdict
	}
	return d
}

// mendedOn says what can be done about a finding on a device.
func mendedOn(e *Entry, key patch.Key, f *assess.Finding, id string) mended {
	m := mended{fix: view.FixNoNeed}
	if i := slices.IndexFunc(e.Needs, func(n Need) bool { return n.Key == key }); i >= 0 {
		m.need = &e.Needs[i]
	}
	if !f.Status.Open() {
		return m
	}
	by := slices.IndexFunc(e.Needs, func(n Need) bool {
		return n.Offered && !n.Reached && slices.Contains(n.Update.Advisories, id) && (n.Key == key || n.Key.Provider == key.Provider && len(f.Updates) > 0)
	})
	switch {
	case by >= 0:
		m.fix, m.by = view.FixOffered, &e.Needs[by]
	case f.Fixed != "":
		m.fix = view.FixPublished
	default:
		m.fix = view.FixNone
	}
	return m
}

// ways are what can be done about a finding, the worst last.
var ways = []string{view.FixNoNeed, view.FixOffered, view.FixPublished, view.FixNone}

// sum fills in what an exposure says as a whole. A device counts once, by the worst of its items.
func sum(e *view.Exposure, at map[string]*exposedAt) {
	updates, advisories := map[string]bool{}, map[string]bool{}
	worst, silent, waiting := map[*Entry]int{}, map[*Entry]bool{}, map[*Entry]bool{}
	var first *assess.Finding
	for _, c := range at {
		for n := range c.items {
			i := &c.items[n]
			worst[i.entry], silent[i.entry] = max(worst[i.entry], slices.Index(ways, i.fix)), i.silent
			grave(&e.Severity, &e.Exploited, &e.Published, i.finding)
			if e.Step == "" || standing(i.finding.Status, i.finding.Place) > standing(first.Status, first.Place) {
				e.Step, e.Why, first = i.finding.Step, i.finding.Why, i.finding
			}
			advisories[i.finding.Advisory] = true
			if i.by != nil {
				updates[i.by.update] = true
				waiting[i.entry] = waiting[i.entry] || i.by.Verdict.Name == verdict.WAITS_DECISION
			}
		}
	}
	for entry, rank := range worst {
		e.Silent += one(rank > 0 && silent[entry])
		e.Waiting += one(waiting[entry])
		e.NoNeed += one(rank == 0)
		e.Offered += one(rank == 1)
		e.Unoffered += one(rank == 2)
		e.None += one(rank == 3)
	}
	e.Devices = e.Offered + e.Unoffered + e.None
	e.Updates = slices.Sorted(maps.Keys(updates))
	e.Advisories = slices.SortedFunc(maps.Keys(advisories), advisory.CompareIDs)
}

// grave takes the gravest word and the earliest times.
func grave(severity *patch.Severity, exploited, published **time.Time, f *assess.Finding) {
	*severity = severity.Graver(f.Severity)
	earliest(exploited, at(&f.Exploited))
	earliest(published, at(&f.Published))
}

func earliest(at **time.Time, other *time.Time) {
	if other != nil && (*at == nil || other.Before(**at)) {
		*at = other
	}
}

// mostItems is how many packages a row of the list names.
const mostItems = 5

// Findings lists what is open by CVE, in the order of the queue. Who has it is counted for the
// rows of the page alone.
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
	page := view.Paginate(list, f, true, func(e view.ExposedTo) string {
		return view.Number(int64(e.Place>>1)) + view.Number(one(e.Exploited != nil)) + view.Number(e.Severity.Rank()+1) + view.Moment(e.Published)
	}, func(e view.ExposedTo) string { return e.ID })
	for i := range page.Items {
		x.count(&page.Items[i], scope)
	}
	return page
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

// exposedTo is the row of one CVE, without counts; false when it is open nowhere in scope.
func (x *Index) exposedTo(id string, founds map[*assess.Found]bool, scope *roaring.Bitmap) (view.ExposedTo, bool) {
	row := view.ExposedTo{ID: id, Severity: patch.SeverityUnknown, Fixable: true}
	open := false
	for found := range founds {
		if scope != nil && !x.exposure.holders[found].Intersects(scope) {
			continue
		}
		for i := range found.List {
			f := &found.List[i]
			if !f.Status.Open() || !slices.Contains(calledBy(*f), id) {
				continue
			}
			open = true
			grave(&row.Severity, &row.Exploited, &row.Published, f)
			row.Fixable = row.Fixable && f.Fixed != ""
			if row.Step == "" || f.Place > row.Place {
				row.Step, row.Why, row.Place = f.Step, f.Why, f.Place
			}
		}
	}
	return row, open
}

// at is a time, nil where there is none.
func at(t *time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return t
}

// count fills in who has it, and what it is in.
func (x *Index) count(row *view.ExposedTo, scope *roaring.Bitmap) {
	all := roaring.New()
	for found := range x.exposure.founds[row.ID] {
		open := false
		for _, f := range found.List {
			if f.Status.Open() && slices.Contains(calledBy(f), row.ID) {
				open = true
				if !slices.Contains(row.Sources, f.Source) {
					row.Sources = append(row.Sources, f.Source)
				}
			}
		}
		held := x.exposure.holders[found]
		if !open || scope != nil && !held.Intersects(scope) {
			continue
		}
		all.Or(held)
		if !slices.Contains(row.Items, found.Name) {
			row.Items = append(row.Items, found.Name)
		}
	}
	if scope != nil {
		all.And(scope)
	}
	row.Devices = int(all.GetCardinality())
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
}

// DeviceFindings lists what affects a device, by item.
func (x *Index) DeviceFindings(device string) view.DeviceFindings {
	e, ok := x.Entry(device)
	if !ok {
		return view.DeviceFindings{}
	}
	var list []view.ItemFindings
	for _, h := range e.Found {
		key, found := h.Key, h.Found
		one := view.ItemFindings{Item: view.ItemKeyOf(key), Installed: found.Version}
		if i := slices.IndexFunc(e.Needs, func(n Need) bool { return n.Key == key }); i >= 0 {
			one.Need = e.Needs[i].id
		}
		for _, f := range found.List {
			shown := view.FindingOf(f)
			e.cite(&shown)
			one.Findings = append(one.Findings, shown)
		}
		list = append(list, one)
	}
	slices.SortFunc(list, func(a, b view.ItemFindings) int {
		x, y := a.Findings[0], b.Findings[0]
		return cmp.Or(cmp.Compare(standing(y.Status, y.Place), standing(x.Status, x.Place)), strings.Compare(a.Item.Name, b.Item.Name), strings.Compare(a.Item.Architecture, b.Item.Architecture), strings.Compare(a.Installed, b.Installed))
	})
	all := view.DeviceFindings{Compared: len(e.Stocks) > 0, Items: list}
	for _, s := range e.Stocks {
		all.Providers = append(all.Providers, view.ComparedWith{Provider: s.Provider, Release: s.Release})
	}
	return all
}

// standing orders findings: what is open first, and of that what goes first in the queue.
func standing(s assess.FindingStatus, place uint64) uint64 {
	if s.Open() {
		return place>>1 | 1<<63
	}
	return place >> 1
}
