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
	"patchbay/server/bulletin"
	"patchbay/server/view"
)

// touched are the devices that a bulletin touches, as sets.
type touched struct {
	all, unmended   *roaring.Bitmap
	held, installed *roaring.Bitmap // of a recall
	severity        patch.Severity
	step, why       string
	place           uint64
}

// untouched are no devices.
func untouched() *touched {
	return &touched{all: roaring.New(), unmended: roaring.New(), held: roaring.New(), installed: roaring.New()}
}

// narrow leaves what is in scope; nil is everything.
func (t *touched) narrow(scope *roaring.Bitmap) {
	if scope == nil {
		return
	}
	for _, set := range []*roaring.Bitmap{t.all, t.unmended, t.held, t.installed} {
		set.And(scope)
	}
}

// Bulletins says whom bulletins touch now, those that touch anybody first, then the newest. With
// the state "touching" only these are listed. Customers are counted for the rows of the page.
func (x *Index) Bulletins(f view.Filter, list []bulletin.Bulletin) view.Page[view.Bulletin] {
	x.mu.RLock()
	defer x.mu.RUnlock()
	scope, recalls := x.scope(f), x.recalled(list)
	by := map[string]*touched{}
	var rows []view.Bulletin
	for _, b := range list {
		row := rowOf(b)
		t := x.touchedBy(b, recalls)
		if t != nil {
			t.narrow(scope)
			row.Devices, by[row.ID] = int(t.all.GetCardinality()), t
		}
		if f.State == "touching" && row.Devices == 0 {
			continue
		}
		rows = append(rows, row)
	}
	page := view.Paginate(rows, f, true, func(b view.Bulletin) string { return view.Number(one(b.Devices > 0)) + view.Moment(&b.SeenAt) },
		func(b view.Bulletin) string { return b.ID })
	enrolled, unread, unscanned := x.looked(f)
	for i := range page.Items {
		row := &page.Items[i]
		if t := by[row.ID]; t != nil {
			x.fill(row, t)
		}
		row.Enrolled, row.Unread = enrolled, unread
		if isRecall(bulletin.Kind(row.Kind)) {
			row.Unread = unscanned
		}
		row.CVEs, row.Updates = row.CVEs[:min(len(row.CVEs), mostItems)], row.Updates[:min(len(row.Updates), mostItems)]
	}
	return page
}

func rowOf(b bulletin.Bulletin) view.Bulletin {
	published := b.Published
	return view.Bulletin{ID: view.BulletinID(string(b.Kind), b.Feed, b.ID), Name: b.ID, Kind: string(b.Kind), Feed: b.Feed, Title: b.Title,
		CVEs: b.CVEs, CVECount: len(b.CVEs), Updates: b.Updates, Published: at(&published), SeenAt: b.SeenAt}
}

func isRecall(k bulletin.Kind) bool { return k == bulletin.Recalled || k == bulletin.Trouble }

// looked counts the devices that were looked at, those of whose software no feed speaks, and
// those that were never read; the caller holds the lock.
func (x *Index) looked(f view.Filter) (enrolled, unread, unscanned int) {
	for _, e := range x.within(f) {
		enrolled++
		unread += one(len(e.Stocks) == 0)
		unscanned += one(neverRead(e))
	}
	return enrolled, unread, unscanned
}

// recalled gathers who has what recalls are about, by their keys, when any bulletin is of one;
// the caller holds the lock.
func (x *Index) recalled(list []bulletin.Bulletin) map[string]*touched {
	if !slices.ContainsFunc(list, func(b bulletin.Bulletin) bool { return isRecall(b.Kind) }) {
		return nil
	}
	by := map[string]*touched{}
	of := func(r assess.Recall) *touched {
		t := by[r.Key()]
		if t == nil {
			t = untouched()
			by[r.Key()] = t
		}
		return t
	}
	for id, e := range x.entries {
		n := x.exposure.numbers[id]
		for i := range e.Needs {
			for _, r := range e.Needs[i].Held {
				t := of(r)
				t.all.Add(n)
				t.held.Add(n)
			}
			for _, r := range e.Needs[i].Recalled {
				t := of(r)
				t.all.Add(n)
				t.installed.Add(n)
			}
		}
	}
	return by
}

// touchedBy are the devices that a bulletin touches, nil for none; the caller holds the lock.
func (x *Index) touchedBy(b bulletin.Bulletin, recalls map[string]*touched) *touched {
	if isRecall(b.Kind) {
		return recalls[b.Feed+"/"+b.ID]
	}
	var t *touched
	for _, name := range spokenOf(b) {
		for found := range x.exposure.founds[name] {
			for i := range found.List {
				if f := &found.List[i]; speaksOf(b, name, f) {
					if t == nil {
						t = untouched()
					}
					t.take(f, x.exposure.holders[found])
				}
			}
		}
	}
	return t
}

// spokenOf are what findings of a bulletin are called.
func spokenOf(b bulletin.Bulletin) []string {
	if len(b.CVEs) == 0 {
		return []string{b.ID}
	}
	return b.CVEs
}

// speaksOf reports whether a finding is open and of what a bulletin speaks of. That something is
// exploited is news of it wherever it is; an advisory is news of what it says itself.
func speaksOf(b bulletin.Bulletin, name string, f *assess.Finding) bool {
	if !f.Status.Open() || !slices.Contains(calledBy(*f), name) {
		return false
	}
	switch b.Kind {
	case bulletin.Exploited:
		return true
	case bulletin.Monthly, bulletin.OutOfBand:
		return f.Source == b.Feed
	}
	return f.Source == b.Feed && f.Advisory == b.ID
}

// take counts the devices that have a finding.
func (t *touched) take(f *assess.Finding, holders *roaring.Bitmap) {
	t.all.Or(holders)
	if f.Fixed == "" {
		t.unmended.Or(holders)
	}
	t.severity = t.severity.Graver(f.Severity)
	if t.step == "" || f.Place > t.place {
		t.step, t.why, t.place = f.Step, f.Why, f.Place
	}
}

// fill counts whom a row touches.
func (x *Index) fill(row *view.Bulletin, t *touched) {
	row.Devices = int(t.all.GetCardinality())
	row.Held, row.Installed = int(t.held.GetCardinality()), int(t.installed.GetCardinality())
	if row.Devices > 0 && !isRecall(bulletin.Kind(row.Kind)) {
		row.Unmended = int(t.unmended.GetCardinality())
		row.Mendable = row.Devices - row.Unmended
		row.Severity, row.Step = t.severity, t.step
	}
	customers := map[string]bool{}
	for it := t.all.Iterator(); it.HasNext(); {
		if e := x.entries[x.exposure.devices[it.Next()]]; e != nil {
			customers[e.Device.Customer] = true
		}
	}
	row.Customers = len(customers)
}

// mostOpen is how many CVEs a bulletin names as open, mostOffers how many updates.
const (
	mostOpen   = 100
	mostOffers = 50
)

// Bulletin says by customer whom a bulletin touches now, and what can be done.
func (x *Index) Bulletin(now time.Time, f view.Filter, b bulletin.Bulletin) view.BulletinDetail {
	x.mu.RLock()
	defer x.mu.RUnlock()
	d := view.BulletinDetail{Bulletin: rowOf(b)}
	t := x.touchedBy(b, x.recalled([]bulletin.Bulletin{b}))
	if t == nil {
		t = untouched()
	}
	t.narrow(x.scope(f))
	x.fill(&d.Bulletin, t)
	enrolled, unread, unscanned := x.looked(f)
	d.Enrolled, d.Unread, d.Why = enrolled, unread, t.why
	if d.Devices == 0 {
		d.Why = ""
	}
	if isRecall(b.Kind) {
		d.Unread = unscanned
	}
	of := aboutOf(b)
	by, offers, open := map[string]*view.BulletinCustomer{}, map[string]string{}, map[string]bool{}
	for it := t.all.Iterator(); it.HasNext(); {
		n := it.Next()
		e := x.entries[x.exposure.devices[n]]
		if e == nil {
			continue
		}
		c := by[e.Device.Customer]
		if c == nil {
			c = &view.BulletinCustomer{Customer: e.Customer}
			by[e.Device.Customer] = c
		}
		c.Devices++
		c.Silent += one(x.isSilent(e, now))
		c.Held += one(t.held.Contains(n))
		c.Installed += one(t.installed.Contains(n))
		if isRecall(b.Kind) {
			heldOn(e, b, offers)
		} else {
			c.Count(of.worst(e, offers, open))
		}
	}
	for _, c := range by {
		d.ByCustomer = append(d.ByCustomer, *c)
	}
	slices.SortFunc(d.ByCustomer, func(a, b view.BulletinCustomer) int {
		return cmp.Or(b.Devices-a.Devices, strings.Compare(view.Fold(a.Customer.Name), view.Fold(b.Customer.Name)), strings.Compare(a.Customer.ID, b.Customer.ID))
	})
	for id, name := range offers {
		d.Offers = append(d.Offers, view.Ref{ID: id, Name: name})
	}
	slices.SortFunc(d.Offers, func(a, b view.Ref) int { return cmp.Or(strings.Compare(a.Name, b.Name), strings.Compare(a.ID, b.ID)) })
	d.Offers = d.Offers[:min(len(d.Offers), mostOffers)]
	d.Open = slices.Sorted(maps.Keys(open))
	d.Open = d.Open[:min(len(d.Open), mostOpen)]
	return d
}

// heldOn notes the updates on a device that a recall holds.
func heldOn(e *Entry, b bulletin.Bulletin, offers map[string]string) {
	for i := range e.Needs {
		n := &e.Needs[i]
		if slices.ContainsFunc(n.Held, func(r assess.Recall) bool { return r.Key() == b.Feed+"/"+b.ID }) {
			offers[n.update] = n.called()
		}
	}
}

// called is how people call the update that a need waits for.
func (n *Need) called() string { return n.Key.Name + " " + n.Update.Available }

// about is a bulletin with what of it each item has, worked out once for all devices.
type about struct {
	bulletin.Bulletin
	numbers  map[string]int // of the names that findings of it have
	findings map[*assess.Found][]spoken
	mending  [][]*Need // on the device that is looked at, by number: what is on offer there
}

// spoken is a finding that a bulletin speaks of, by the number of the name it does.
type spoken struct {
	number  int
	finding *assess.Finding
}

func aboutOf(b bulletin.Bulletin) *about {
	a := &about{Bulletin: b, numbers: map[string]int{}, findings: map[*assess.Found][]spoken{}}
	for i, name := range spokenOf(b) {
		a.numbers[name] = i
	}
	a.mending = make([][]*Need, len(spokenOf(b)))
	return a
}

// of are the findings of an item that the bulletin speaks of. The first time it notes their
// names as open.
func (a *about) of(found *assess.Found, open map[string]bool) []spoken {
	list, ok := a.findings[found]
	if ok {
		return list
	}
	for i := range found.List {
		f := &found.List[i]
		for _, name := range calledBy(*f) {
			if n, named := a.numbers[name]; named && speaksOf(a.Bulletin, name, f) {
				list = append(list, spoken{n, f})
				open[name] = true
			}
		}
	}
	a.findings[found] = list
	return list
}

// look gathers what is on offer on a device and mends something of the bulletin.
func (a *about) look(e *Entry) {
	for i := range a.mending {
		a.mending[i] = a.mending[i][:0]
	}
	for i := range e.Needs {
		n := &e.Needs[i]
		if !n.Offered || n.Reached {
			continue
		}
		for _, name := range n.Update.Advisories {
			if at, named := a.numbers[name]; named {
				a.mending[at] = append(a.mending[at], n)
			}
		}
	}
}

// by is what on offer mends a finding of an item: an update of that item, or, where updates are
// items of their own, one of its provider. nil is nothing.
func (a *about) by(s spoken, key patch.Key) *Need {
	for _, n := range a.mending[s.number] {
		if n.Key == key || n.Key.Provider == key.Provider && len(s.finding.Updates) > 0 {
			return n
		}
	}
	return nil
}

// worst is what can be done about the bulletin on a device, of its items the worst. It notes
// what is on offer and what is open.
func (a *about) worst(e *Entry, offers map[string]string, open map[string]bool) string {
	a.look(e)
	worst, last := 0, (*Need)(nil)
	for _, h := range e.Found {
		for _, s := range a.of(h.Found, open) {
			by := a.by(s, h.Key)
			if by != nil && by != last {
				offers[by.update], last = by.called(), by
			}
			switch {
			case by != nil:
				worst = max(worst, 1)
			case s.finding.Fixed != "":
				worst = max(worst, 2)
			default:
				worst = 3
			}
		}
	}
	return [...]string{view.FixNoNeed, view.FixOffered, view.FixPublished, view.FixNone}[worst]
}
