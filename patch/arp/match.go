package arp

import (
	"strings"

	"patchbay/patch"
)

// How says by what an entry was recognised.
type How string

// The ways, the strongest first.
const (
	ByProductCode How = "product code"
	ByUpgradeCode How = "upgrade code"
	ByName        How = "name and publisher"
	Ambiguous     How = "ambiguous" // several packages have the same mark: it is none of them
	Unrecognised  How = ""
)

// Found is the package of an entry.
type Found struct {
	Package *patch.Package // nil when it is of none that is known
	How     How
}

// Index finds packages by their marks.
type Index struct {
	codes, upgrades, names map[string][]marked
}

// marked is a package with a mark that must still hold in whole.
type marked struct {
	of   *patch.Package
	mark patch.Mark
}

// NewIndex prepares packages to be found. A mark that has neither a code nor a name with its
// publisher recognises nothing.
func NewIndex(packages []patch.Package) Index {
	x := Index{map[string][]marked{}, map[string][]marked{}, map[string][]marked{}}
	for i := range packages {
		for _, m := range packages[i].Marks {
			into, key := x.place(m)
			if key != "" {
				into[key] = append(into[key], marked{&packages[i], m})
			}
		}
	}
	return x
}

// place says where a mark is looked up.
func (x Index) place(m patch.Mark) (map[string][]marked, string) {
	switch {
	case m.ProductCode != "":
		return x.codes, foldCode(m.ProductCode)
	case m.UpgradeCode != "":
		return x.upgrades, foldCode(m.UpgradeCode)
	}
	return x.names, nameKey(m.Name, m.Publisher)
}

func foldCode(c string) string { return strings.ToUpper(strings.TrimSpace(c)) }

// nameKey is "" where the name or its publisher is missing: neither is believed alone.
func nameKey(name, publisher string) string {
	n, p := Fold(Name(name)), Fold(Publisher(publisher))
	if n == "" || p == "" {
		return ""
	}
	return n + "\x00" + p
}

// Find gives the package that an entry is of: by its product code, else by its upgrade code,
// else by its name and publisher together. Where the strongest mark that holds is one of
// several packages, the entry is of none of them.
func (x Index) Find(e Entry) Found {
	for _, by := range []struct {
		how  How
		from map[string][]marked
		key  string
	}{{ByProductCode, x.codes, foldCode(e.Key)}, {ByUpgradeCode, x.upgrades, foldCode(e.UpgradeCode)}, {ByName, x.names, nameKey(e.Name, e.Publisher)}} {
		if by.key == "" {
			continue
		}
		var found *patch.Package
		for _, m := range by.from[by.key] {
			switch {
			case !Holds(m.mark, e):
			case found != nil && (found.Provider != m.of.Provider || found.ID != m.of.ID):
				return Found{How: Ambiguous}
			default:
				found = m.of
			}
		}
		if found != nil {
			return Found{found, by.how}
		}
	}
	return Found{}
}

// Holds reports whether all that a mark says is so for an entry, and whether that is enough.
func Holds(m patch.Mark, e Entry) bool {
	switch {
	case m.ProductCode == "" && m.UpgradeCode == "" && nameKey(m.Name, m.Publisher) == "",
		m.ProductCode != "" && foldCode(m.ProductCode) != foldCode(e.Key),
		m.UpgradeCode != "" && foldCode(m.UpgradeCode) != foldCode(e.UpgradeCode),
		m.Name != "" && Fold(Name(m.Name)) != Fold(Name(e.Name)),
		m.Publisher != "" && Fold(Publisher(m.Publisher)) != Fold(Publisher(e.Publisher)),
		m.Architecture != "" && m.Architecture != e.Architecture(),
		m.Line != "" && !InLine(e.Version, m.Line):
		return false
	}
	return true
}

// InLine reports whether a version is of a line of versions, as 3.12.4 is of 3.12.
func InLine(version, line string) bool {
	rest, ok := strings.CutPrefix(strings.TrimSpace(version), line)
	return ok && line != "" && (rest == "" || !isDigit(rest[0]))
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// Match finds the package of each entry, in the entries' order.
func Match(entries []Entry, packages []patch.Package) []Found {
	x := NewIndex(packages)
	found := make([]Found, len(entries))
	for i, e := range entries {
		found[i] = x.Find(e)
	}
	return found
}
