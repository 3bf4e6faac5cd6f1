package fleet

import (
	"slices"
	"strings"
	"time"

	"patchbay/patch"
	"patchbay/server/verdict"
	"patchbay/server/view"
)

// group is one version on offer and every need for it.
type group struct {
	id        string
	first     *Need
	firstSeen time.Time
	devices   int
	silent    int
	counts    view.Counts
	back      view.Reversible
	from      []string
	customers map[string]*view.UpdateCustomer
}

// Updates lists updates that any device needs.
func (x *Index) Updates(now time.Time, f view.Filter) view.Page[view.Update] {
	x.mu.RLock()
	defer x.mu.RUnlock()
	field, descending := f.Field("name")
	rows := newSheet[*group](f, descending)
	for id, g := range x.groups(f, now) {
		if f.State != "" && g.counts.Of(verdict.State(f.State)) == 0 {
			continue
		}
		rows.add(groupKey(g, field), id, g)
	}
	return page(rows, now, (*group).show)
}

// groups gathers needs by the update they wait for; the caller holds the lock.
func (x *Index) groups(f view.Filter, now time.Time) map[string]*group {
	groups := map[string]*group{}
	q := view.Fold(f.Q)
	for _, e := range x.within(f) {
		silent := x.isSilent(e, now)
		for i := range e.Needs {
			n := &e.Needs[i]
			if n.update == "" || n.Verdict.State == verdict.Gone || f.Class != "" && !n.Update.Is(patch.Class(f.Class)) ||
				q != "" && !contains(q, n.Key.Name, n.Update.Title, n.Update.Available, n.Update.Source) {
				continue
			}
			id := n.update
			if f.Update != "" && id != f.Update {
				continue
			}
			g := groups[id]
			if g == nil {
				g = &group{id: id, first: n, firstSeen: n.Since, customers: map[string]*view.UpdateCustomer{}}
				groups[id] = g
			}
			g.add(e, n, silent)
		}
	}
	return groups
}

func (g *group) add(e *Entry, n *Need, silent bool) {
	g.devices++
	if n.Since.Before(g.firstSeen) {
		g.firstSeen = n.Since
	}
	c := g.customers[e.Customer.ID]
	if c == nil {
		c = &view.UpdateCustomer{Customer: e.Customer}
		g.customers[e.Customer.ID] = c
	}
	c.Devices++
	if silent {
		g.silent++
		c.Silent++
	}
	g.counts.Count(n.Verdict.State)
	g.back.Count(n.Update.Reversibility)
	c.Counts.Count(n.Verdict.State)
	from := n.Installed
	if n.Reached {
		from = n.Update.Installed
	}
	if from != "" && len(g.from) < 5 && !slices.Contains(g.from, from) {
		g.from = append(g.from, from)
	}
}

func groupKey(g *group, field string) string {
	switch field {
	case "devices":
		return view.Number(g.devices)
	case "waiting":
		return view.Number(g.counts.WaitsPerson)
	case "released":
		if g.first.Update.ReleasedAt != nil {
			return view.Moment(g.first.Update.ReleasedAt)
		}
		return view.Moment(&g.firstSeen)
	case "size":
		return view.Number(g.first.Update.Size)
	}
	return g.first.Key.Name
}

// show builds what is shown of an update.
func (g *group) show() view.Update {
	u := g.first.Update
	slices.Sort(g.from)
	return view.Update{
		ID: g.id, Provider: u.Provider, Name: u.Name, Title: u.Title, Available: u.Available, Origin: u.Origin, Suite: u.Suite,
		Classes: u.Classes, Severity: u.Severity, Size: u.Size, ReleasedAt: u.ReleasedAt, ReleasedBy: u.ReleasedBy,
		Reboot: u.Reboot, Reversible: g.back, FirstSeen: g.firstSeen, Devices: g.devices, Customers: len(g.customers),
		Counts: g.counts, Silent: g.silent, From: g.from,
	}
}

func mends(u patch.Update) view.Mends {
	return view.Mends{Advisories: u.Advisories, FirstAt: u.FirstAt}
}

// Update gives an update with where it stands per customer.
func (x *Index) Update(now time.Time, id string) (view.UpdateDetail, bool) {
	x.mu.RLock()
	defer x.mu.RUnlock()
	g := x.groups(view.Filter{Update: id}, now)[id]
	if g == nil {
		return view.UpdateDetail{}, false
	}
	detail := view.UpdateDetail{Update: g.show(), Mends: mends(g.first.Update)}
	for _, c := range g.customers {
		detail.ByCustomer = append(detail.ByCustomer, *c)
	}
	slices.SortFunc(detail.ByCustomer, func(a, b view.UpdateCustomer) int {
		return strings.Compare(view.Fold(a.Customer.Name)+a.Customer.ID, view.Fold(b.Customer.Name)+b.Customer.ID)
	})
	return detail, true
}
