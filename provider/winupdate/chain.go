package winupdate

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"patchbay/patch"
	"patchbay/provider"
)

// maxSeen is how many updates of the past are remembered, maxEdges how often one may name
// another as superseded: what is beyond is shown as a need of its own.
const (
	maxSeen  = 1000
	maxEdges = 50_000
)

// seen is an update that was on offer here once, for the age of what its successors carry:
// the engine tells of one no more once another takes its place.
type seen struct {
	ID         string    `json:"id"`
	Changed    time.Time `json:"changed,omitzero"`
	Supersedes []string  `json:"supersedes,omitempty"`
}

// graph is which updates take the place of which. Updates are numbered in it.
type graph struct {
	number map[string]int
	nodes  []seen
	edges  [][]int // from an update to those that it names itself
}

// graphOf is what is told now over what was seen before.
func graphOf(now time.Time, past []seen, lists ...[]provider.EngineUpdate) *graph {
	g := &graph{number: map[string]int{}}
	for _, s := range past {
		n := g.add(s.ID)
		g.nodes[n] = s
	}
	for _, list := range lists {
		for _, u := range list {
			s := seen{ID: u.ID.Update, Supersedes: u.Supersedes}
			if at := released(u, now); at != nil {
				s.Changed = *at
			}
			n := g.add(s.ID)
			// A later revision changes nothing about when the update first came out.
			if was := g.nodes[n].Changed; !was.IsZero() && (s.Changed.IsZero() || was.Before(s.Changed)) {
				s.Changed = was
			}
			g.nodes[n] = s
		}
	}
	left := maxEdges
	for n := range len(g.nodes) { // those that are only named come behind
		kept := []string{}
		for _, id := range g.nodes[n].Supersedes {
			if left > 0 && validID.MatchString(id) {
				left--
				kept = append(kept, id)
				to := g.add(id) // first: it makes room
				g.edges[n] = append(g.edges[n], to)
			}
		}
		g.nodes[n].Supersedes = kept
	}
	return g
}

// add gives the number of an update, a new one where it has none.
func (g *graph) add(id string) int {
	n, ok := g.number[id]
	if !ok {
		n = len(g.nodes)
		g.number[id] = n
		g.nodes, g.edges = append(g.nodes, seen{ID: id}), append(g.edges, nil)
	}
	return n
}

// reach are updates by their numbers.
type reach []bool

// below are all updates that some take the place of, directly or through others. It ends also
// where they go in a circle.
func (g *graph) below(from ...string) reach {
	all := make(reach, len(g.nodes))
	var next []int
	for _, id := range from {
		if n, ok := g.number[id]; ok {
			next = append(next, n)
		}
	}
	for len(next) > 0 {
		at := next[len(next)-1]
		next = next[:len(next)-1]
		for _, to := range g.edges[at] {
			if !all[to] {
				all[to] = true
				next = append(next, to)
			}
		}
	}
	return all
}

// over reports whether one update takes the place of another.
func (g *graph) over(one, other string) bool {
	n, ok := g.number[other]
	return ok && g.below(one)[n]
}

// replaced says by which other update on offer each one is superseded. What is never made by
// itself stands in for nothing that is, what is hidden for nothing that is not, and of two that
// supersede each other neither does.
func (g *graph) replaced(offered []provider.EngineUpdate) map[string]string {
	free, below := make([]bool, len(offered)), make([][]bool, len(offered)) // by their places in the list
	for i, u := range offered {
		b, _ := block(u, classify(u))
		free[i] = b == patch.NotBlocked
		below[i] = make([]bool, len(offered))
		under := g.below(u.ID.Update)
		for j, v := range offered {
			below[i][j] = under[g.number[v.ID.Update]]
		}
	}
	by := map[string]string{}
	for old, u := range offered {
		best := -1
		for next, v := range offered {
			if next == old || !below[next][old] || below[old][next] || free[old] && !free[next] || v.Hidden && !u.Hidden {
				continue
			}
			if best < 0 || below[next][best] { // the one at the end of the chain is named
				best = next
			}
		}
		if best >= 0 {
			by[u.ID.Update] = offered[best].ID.Update
		}
	}
	return by
}

// firstAt is when the first update came out that carried what this one mends and is not
// installed here; nil when that is this one, or not known. What an installed update took the
// place of is not missing: covered are those, and the installed ones themselves.
func (g *graph) firstAt(u provider.EngineUpdate, covered reach) *time.Time {
	first := g.nodes[g.number[u.ID.Update]].Changed
	for n, under := range g.below(u.ID.Update) {
		if at := g.nodes[n].Changed; under && !covered[n] && !at.IsZero() && (first.IsZero() || at.Before(first)) {
			first = at
		}
	}
	if first.IsZero() || !first.Before(u.Changed) {
		return nil
	}
	return &first
}

// maxSupersedes is how many superseded updates are told with one, the newest of them.
const maxSupersedes = 50

// known are those that an update takes the place of and that were told of here, sorted. Others
// were never on offer.
func (g *graph) known(id string) []string {
	var told []seen
	for n, under := range g.below(id) {
		if s := g.nodes[n]; under && !s.Changed.IsZero() && s.ID != id {
			told = append(told, s)
		}
	}
	slices.SortFunc(told, newestFirst)
	var list []string
	for _, s := range told[:min(len(told), maxSupersedes)] {
		list = append(list, s.ID)
	}
	slices.Sort(list)
	return list
}

func newestFirst(a, b seen) int { return cmp.Or(b.Changed.Compare(a.Changed), cmp.Compare(a.ID, b.ID)) }

// covered are the installed updates and all that they took the place of.
func (g *graph) covered(installed map[string]bool) reach {
	list := slices.Collect(maps.Keys(installed))
	all := g.below(list...)
	for _, id := range list {
		if n, ok := g.number[id]; ok {
			all[n] = true
		}
	}
	return all
}

// remember is what was told of and is not installed, the newest first, for the next time.
func (g *graph) remember(installed map[string]bool) []seen {
	var list []seen
	for _, s := range g.nodes {
		if !installed[s.ID] && !s.Changed.IsZero() {
			list = append(list, s)
		}
	}
	slices.SortFunc(list, newestFirst)
	return list[:min(len(list), maxSeen)]
}
