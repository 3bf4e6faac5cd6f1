package fleet

import (
	"cmp"
	"slices"

	"patchbay/patch"
	"patchbay/server/verdict"
	"patchbay/server/view"
)

// mostClassCustomers is how many customers are named beside a class.
const mostClassCustomers = 200

// classGroup gathers what is of one class.
type classGroup struct {
	updates, open, devices int              // devices with what is open
	last                   *Entry           // the device that was counted last
	waiting                map[view.Ref]int // needs that wait for a person, by customer
}

// Classes counts updates on offer by class, in the order of patch.Classes. An update of
// several classes counts in each of them; one is open until it is verified everywhere.
func (x *Index) Classes(f view.Filter) []view.ClassCount {
	x.mu.RLock()
	defer x.mu.RUnlock()
	updates, groups := map[string]*classed{}, map[patch.Class]*classGroup{}
	for _, e := range x.within(f) {
		for i := range e.Needs {
			n := &e.Needs[i]
			if n.update == "" || n.Verdict.State == verdict.Gone {
				continue
			}
			u, open := updates[n.update], n.Verdict.State != verdict.Good
			if u == nil {
				u = &classed{}
				updates[n.update] = u
			}
			for _, c := range n.Update.Classes {
				if groups[c] == nil {
					groups[c] = &classGroup{waiting: map[view.Ref]int{}}
				}
				first, opens := u.note(c, open)
				groups[c].count(e, first, opens, open, n.Verdict.State == verdict.WaitsPerson)
			}
		}
	}
	counts := []view.ClassCount{}
	for _, c := range patch.Classes() {
		if g := groups[c]; g != nil {
			counts = append(counts, g.show(c))
		}
	}
	return counts
}

// classed is an update with the classes that any device has it in, and in which it is open.
// Devices may differ: what one is offered as optional is a preview there.
type classed struct{ in, open []patch.Class }

// note says whether the update is new in a class, and newly open there.
func (u *classed) note(c patch.Class, open bool) (first, opens bool) {
	if first = !slices.Contains(u.in, c); first {
		u.in = append(u.in, c)
	}
	if opens = open && !slices.Contains(u.open, c); opens {
		u.open = append(u.open, c)
	}
	return first, opens
}

// count takes one need: whether it is the first of its update, the first of it that is open,
// open, and waits for a person.
func (g *classGroup) count(e *Entry, first, opens, open, waits bool) {
	if first {
		g.updates++
	}
	if opens {
		g.open++
	}
	if open && g.last != e {
		g.last = e
		g.devices++
	}
	if waits {
		g.waiting[e.Customer]++
	}
}

func (g *classGroup) show(c patch.Class) view.ClassCount {
	v := view.ClassCount{Class: c, Updates: g.updates, Open: g.open, Devices: g.devices}
	for customer, n := range g.waiting {
		v.Waiting += n
		v.Customers = append(v.Customers, view.ClassCustomer{Customer: customer, Waiting: n})
	}
	slices.SortFunc(v.Customers, func(a, b view.ClassCustomer) int {
		return cmp.Or(b.Waiting-a.Waiting, cmp.Compare(a.Customer.Name, b.Customer.Name), cmp.Compare(a.Customer.ID, b.Customer.ID))
	})
	v.Customers = v.Customers[:min(len(v.Customers), mostClassCustomers)]
	return v
}
