package audit

import (
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

// bytes is what the group is to download.
func (g group) bytes() int64 {
	var n int64
	for _, u := range g.Updates {
		n += u.Size
	}
	return n
}

// sum says how many there are, how much, and from where when it is one place.
func (g group) sum() string {
	s := plural(len(g.Updates), "update", "updates")
	if b := size(g.bytes()); b != "" {
		s += ", " + b
	}
	place := func(u Update) string { return u.Origin + " " + u.Suite }
	for _, u := range g.Updates {
		if place(u) != place(g.Updates[0]) {
			return s
		}
	}
	if p := g.Updates[0]; p.Origin != "" {
		s += ", from " + place(p)
	}
	return s
}
