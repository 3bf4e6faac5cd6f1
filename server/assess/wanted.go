package assess

import (
	"slices"

	"patchbay/patch"
	"patchbay/wire"
)

// absent reports whether an update is of a program that was not there when it was offered.
func absent(u patch.Update) bool { return u.Installed == "" && u.Source != "" }

// arrived settles an offer of a program that was not there. Once it is, under whatever name,
// the offer is one of that item. Before, it is one as long as it stands and a rule wants it.
func arrived(o Offer, p Provider, wanted []Wish) (Offer, bool) {
	if !absent(o.Update) {
		return o, true
	}
	u := &o.Update
	var found *patch.Item
	there := false
	for i := range p.Items {
		item := &p.Items[i]
		if item.Scope != u.Scope || item.Source != u.Source {
			continue
		}
		there = true
		if reached(p.Versions, item.Version, u.Available) && (found == nil || item.Key().Compare(found.Key()) < 0) {
			found = item
		}
	}
	if found != nil {
		u.Name, u.Architecture, u.Instance = found.Name, found.Architecture, found.Instance
		return o, true
	}
	if p.Adds { // what vanished is told as that
		return o, !there
	}
	return o, !there && o.GoneAt == nil && slices.ContainsFunc(wanted, func(w Wish) bool { return w.names(u.Provider, u.Name, u.Source) })
}

// replaced is the update that took the place of one that vanished, "" when none did. Only one
// that is on offer or there stands in for it, or one whose place such a one took in turn.
func replaced(o Offer, p Provider) string {
	if o.GoneAt == nil || o.Update.Source == "" {
		return ""
	}
	seen, next := map[string]bool{o.Update.Source: true}, []string{o.Update.Source}
	for len(next) > 0 {
		source := next[0]
		next = next[1:]
		for _, other := range p.Offers {
			by := other.Update.Source
			if seen[by] || !slices.Contains(other.Update.Supersedes, source) {
				continue
			}
			if other.GoneAt == nil || slices.ContainsFunc(p.Items, func(i patch.Item) bool { return i.Source == by && i.Disputed == "" && i.Broken == "" && !i.Leaving }) {
				return other.Update.Name
			}
			seen[by], next = true, append(next, by)
		}
	}
	return ""
}

// missing are the needs for what a rule wants, which is neither there nor on offer.
func missing(p Provider, wanted []Wish, needs []Need) []Need {
	if p.Installed.State != wire.SectionOK {
		return nil
	}
	var more []Need
	for _, w := range wanted {
		if w.Provider != p.Name ||
			slices.ContainsFunc(p.Items, func(i patch.Item) bool { return i.Scope == "" && w.names(i.Provider, i.Name, i.Source) }) ||
			slices.ContainsFunc(needs, func(n Need) bool { return n.Absent && w.names(n.Key.Provider, n.Key.Name, n.Update.Source) }) {
			continue
		}
		u := patch.Update{Provider: w.Provider, Name: w.Package, Source: w.Package}
		more = append(more, Need{Key: u.Key(), Update: u, Absent: true, Since: w.At, ScannedAt: p.Installed.ScannedAt})
	}
	return more
}

func (w Wish) names(provider, name, source string) bool {
	return w.Provider == provider && patch.Names(w.Package, name, source)
}
