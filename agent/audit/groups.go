package audit

import (
	"slices"
	"strings"

	"patchbay/patch"
)

// group is updates that are shown together.
type group struct {
	Title   string
	Kind    string // "security", "bugfix", "other", "held", "blocked": its colour
	Updates []Update
}

// groups puts each update in exactly one group, the worst first.
func (r Report) groups() []group {
	all := []group{
		{Title: "Security", Kind: "security"}, {Title: "Bug fixes", Kind: "bugfix"}, {Title: "Other", Kind: "other"},
		{Title: "Held on this machine", Kind: "held"}, {Title: "Newer, and not offered", Kind: "blocked"},
	}
	put := func(i int, u Update) { all[i].Updates = append(all[i].Updates, u) }
	for _, u := range r.Updates {
		switch {
		case u.Held:
			put(3, u)
		case u.Security:
			put(0, u)
		case has(u.Classes, patch.BugFix):
			put(1, u)
		default:
			put(2, u)
		}
	}
	for _, u := range r.NotOffered {
		put(4, u)
	}
	var groups []group
	for _, g := range all {
		if len(g.Updates) > 0 {
			groups = append(groups, g)
		}
	}
	return groups
}

func has(classes []patch.Class, c patch.Class) bool {
	return patch.Update{Classes: classes}.Is(c)
}

// Bytes is what the group is to download.
func (g group) Bytes() int64 {
	var n int64
	for _, u := range g.Updates {
		n += u.Size
	}
	return n
}

// place is where an update comes from.
func (u Update) place() string {
	if u.Origin == "" {
		return u.Suite
	}
	return u.Origin + " " + u.Suite
}

// byPlace divides a group by where its updates come from.
func (g group) byPlace() []group {
	var parts []group
	for _, u := range g.Updates {
		i := slices.IndexFunc(parts, func(p group) bool { return p.Updates[0].place() == u.place() })
		if i < 0 {
			parts = append(parts, group{Title: g.Title, Kind: g.Kind})
			i = len(parts) - 1
		}
		parts[i].Updates = append(parts[i].Updates, u)
	}
	slices.SortStableFunc(parts, func(a, b group) int { return len(b.Updates) - len(a.Updates) })
	return parts
}

// sum says how many there are, how much, and from where when it is one place.
func (g group) sum() string {
	s := plural(len(g.Updates), "update", "updates")
	if b := size(g.Bytes()); b != "" {
		s += ", " + b
	}
	if parts := g.byPlace(); len(parts) == 1 && strings.TrimSpace(parts[0].Updates[0].place()) != "" {
		s += ", from " + parts[0].Updates[0].place()
	}
	return s
}
