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
	updates, open, devices map[string]bool  // devices with what is open
	waiting                map[view.Ref]int // needs that wait for a person, by customer
}

// Classes counts updates on offer by class, in the order of patch.Classes. An update of
// several classes counts in each of them; one is open until it is verified everywhere.
func (x *Index) Classes(f view.Filter) []view.ClassCount {
	x.mu.RLock()
	defer x.mu.RUnlock()
	groups := map[patch.Class]*classGroup{}
	for _, e := range x.within(f) {
		for i := range e.Needs {
			n := &e.Needs[i]
			if n.update == "" || n.Verdict.State == verdict.Gone {
				continue
			}
			open := n.Verdict.State != verdict.Good
			for _, c := range n.Update.Classes {
				g := groups[c]
				if g == nil {
					g = &classGroup{updates: map[string]bool{}, open: map[string]bool{}, devices: map[string]bool{}, waiting: map[view.Ref]int{}}
					groups[c] = g
				}
				g.updates[n.update] = true
				if open {
					g.open[n.update], g.devices[e.Device.ID] = true, true
				}
				if n.Verdict.State == verdict.WaitsPerson {
					g.waiting[e.Customer]++
				}
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

func (g *classGroup) show(c patch.Class) view.ClassCount {
	v := view.ClassCount{Class: c, Updates: len(g.updates), Open: len(g.open), Devices: len(g.devices)}
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
