package fleet

import (
	"patchbay/server/assess"
	"patchbay/server/view"
)

// queue finds for each need the finding that goes first in the queue, of those that it waits to
// have mended: what the update on offer mends, or, where nothing is on offer, all that is open.
func (e *Entry) queue() {
	waiting := map[string][]*Need{} // by what the update mends
	for i := range e.Needs {
		n := &e.Needs[i]
		n.first = nil
		switch {
		case n.Reached:
		case n.Exposed:
			for j := range n.Findings {
				n.takes(&n.Findings[j])
			}
		case n.Offered:
			for _, id := range n.Update.Advisories {
				waiting[id] = append(waiting[id], n)
			}
		}
	}
	if len(waiting) == 0 {
		return
	}
	for _, h := range e.Found {
		for i := range h.Found.List {
			f := &h.Found.List[i]
			for _, id := range calledBy(*f) {
				for _, n := range waiting[id] {
					// What is an item of its own, such as an update of Windows, mends another item of its provider.
					if n.Key == h.Key || n.Key.Provider == h.Key.Provider && len(f.Updates) > 0 {
						n.takes(f)
					}
				}
			}
		}
	}
}

// takes keeps the finding that goes first.
func (n *Need) takes(f *assess.Finding) {
	if f.Status.Open() && (n.first == nil || f.Place > n.first.Place) {
		n.first = f
	}
}

// placeKey sorts needs by where they stand in the queue. What no advisory speaks of stands by how
// grave its publisher says it is, behind all that one speaks of.
func (n *Need) placeKey() string {
	place := uint64(0)
	if n.first != nil {
		place = n.first.Place
	}
	return view.Number(int64(place>>1)) + view.Number(n.Update.Severity.Rank()+1)
}
