package winupdate

import (
	"cmp"
	"slices"
	"time"

	"patchbay/provider"
)

// maxSeen is how many updates of the past are remembered.
const maxSeen = 1000

// seen is an update that was on offer here once, for the age of what its successors carry:
// the engine tells of one no more once another takes its place.
type seen struct {
	ID         string    `json:"id"`
	Changed    time.Time `json:"changed,omitzero"`
	Supersedes []string  `json:"supersedes,omitempty"`
}

// graph is which updates take the place of which.
type graph map[string]seen

// graphOf is what is told now over what was seen before.
func graphOf(now time.Time, past []seen, lists ...[]provider.EngineUpdate) graph {
	g := graph{}
	for _, s := range past {
		g[s.ID] = s
	}
	for _, list := range lists {
		for _, u := range list {
			s := seen{ID: u.ID.Update}
			for _, id := range u.Supersedes[:min(len(u.Supersedes), maxSeen)] {
				if validID.MatchString(id) {
					s.Supersedes = append(s.Supersedes, id)
				}
			}
			if at := released(u, now); at != nil {
				s.Changed = *at
			}
			// A later revision changes nothing about when the update first came out.
			if was := g[s.ID]; !was.Changed.IsZero() && (s.Changed.IsZero() || was.Changed.Before(s.Changed)) {
				s.Changed = was.Changed
			}
			g[s.ID] = s
		}
	}
	return g
}

// below are all updates that one takes the place of, directly or through others. It ends also
// where they go in a circle.
func (g graph) below(id string) map[string]bool {
	all := map[string]bool{}
	next := slices.Clone(g[id].Supersedes)
	for len(next) > 0 {
		at := next[len(next)-1]
		next = next[:len(next)-1]
		if !all[at] {
			all[at] = true
			next = append(next, g[at].Supersedes...)
		}
	}
	return all
}

// replaced says by which other update on offer each one is superseded. What is never made by
// itself stands in for nothing that is, and of two that supersede each other neither does.
func (g graph) replaced(offered []provider.EngineUpdate) map[string]string {
	by := map[string]string{}
	below := map[string]map[string]bool{}
	free := map[string]bool{}
	for _, u := range offered {
		below[u.ID.Update] = g.below(u.ID.Update)
		b, _ := block(u, classify(u))
		free[u.ID.Update] = b == ""
	}
	for _, v := range offered {
		for _, u := range offered {
			next, old := v.ID.Update, u.ID.Update
			if next == old || !below[next][old] || below[old][next] || free[old] && !free[next] || v.Hidden && !u.Hidden {
				continue
			}
			// The one at the end of the chain is named.
			if was, ok := by[old]; !ok || below[next][was] {
				by[old] = next
			}
		}
	}
	return by
}

// firstAt is when the first update came out that carried what this one mends and is not
// installed here; nil when that is this one, or not known. What an installed update took the
// place of is not missing.
func (g graph) firstAt(u provider.EngineUpdate, installed map[string]bool) *time.Time {
	covered := map[string]bool{}
	for id := range installed {
		covered[id] = true
		for old := range g.below(id) {
			covered[old] = true
		}
	}
	first := g[u.ID.Update].Changed
	for id := range g.below(u.ID.Update) {
		if at := g[id].Changed; !covered[id] && !at.IsZero() && (first.IsZero() || at.Before(first)) {
			first = at
		}
	}
	if first.IsZero() || !first.Before(u.Changed) {
		return nil
	}
	return &first
}

// remember is the graph without what is installed, the newest first, for the next time.
func (g graph) remember(installed map[string]bool) []seen {
	var list []seen
	for id, s := range g {
		if !installed[id] {
			list = append(list, s)
		}
	}
	slices.SortFunc(list, func(a, b seen) int { return cmp.Or(b.Changed.Compare(a.Changed), cmp.Compare(a.ID, b.ID)) })
	return list[:min(len(list), maxSeen)]
}
