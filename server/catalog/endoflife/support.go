package endoflife

import (
	"slices"
	"strings"
	"time"

	"patchbay/patch"
)

// State is how a version is supported.
type State string

// The states. The zero value is not known.
const (
	Unknown   State = ""
	Supported State = "supported"
	Ending    State = "ending" // within half a year
	Ended     State = "ended"
)

// Soon is how long before its end support is called ending.
const Soon = 183 * 24 * time.Hour

// Support is what is known of the support of one version.
type Support struct {
	State    State     `json:"state"`
	Cycle    string    `json:"cycle,omitempty"`
	Until    time.Time `json:"until,omitzero"` // the last day of what counts for State, where one is known
	Vendor   End       `json:"vendor"`
	LTS      End       `json:"lts"`  // for everybody, by whoever gives it
	Paid     End       `json:"paid"` // for those who pay; never counted
	Why      string    `json:"why"`  // a sentence
	LongTerm bool      `json:"long_term,omitempty"`
}

// SupportOf says how a version of a product is supported. Where several cycles may be meant
// (editions of Windows have the same builds) and they differ, it is not known.
func SupportOf(p Product, version string, now time.Time) Support {
	cycles := p.cycles(version)
	if len(cycles) == 0 {
		return Support{Why: "Nothing is known of the support of " + p.Title + " " + version + "."}
	}
	s := p.support(cycles[0], now)
	for _, c := range cycles[1:] {
		if other := p.support(c, now); other.State != s.State || !other.Until.Equal(s.Until) {
			return Support{Why: "The support of " + p.Title + " " + version + " depends on its edition, which is not known."}
		}
	}
	return s
}

func (p Product) support(c Cycle, now time.Time) Support {
	s := Support{Cycle: c.Name, Vendor: c.Vendor, LongTerm: c.LongTerm}
	if p.Free {
		s.LTS = c.Extended
	} else {
		s.Paid = c.Extended
	}
	name := p.Title + " " + c.Name
	vendor, lts := s.Vendor.Ended(now), s.LTS.Ended(now)
	switch {
	case vendor == patch.No:
		s.State, s.Until = Supported, s.Vendor.Day
		s.Why = "The vendor supports " + name + until(s.Vendor) + "."
		if lts != patch.No && !s.Until.IsZero() && s.Until.Sub(now) <= Soon {
			s.State = Ending
		}
	case vendor == patch.Unknown && lts != patch.No:
		s.Why = "Nobody says when the support of " + name + " ends."
		return s
	case lts == patch.No:
		s.State, s.Until = Supported, s.LTS.Day
		s.Why = "The vendor's support of " + name + ended(s.Vendor) + "; " + longer(p) + " lasts" + until(s.LTS) + "."
		if !s.Until.IsZero() && s.Until.Sub(now) <= Soon {
			s.State = Ending
		}
		return s
	default:
		s.State, s.Until = Ended, later(s.Vendor.Day, s.LTS.Day)
		s.Why = "The vendor's support of " + name + ended(s.Vendor)
		if lts == patch.Yes {
			s.Why += ", " + longer(p) + ended(s.LTS)
		}
		s.Why += "."
	}
	if s.Paid.Ended(now) == patch.No {
		s.Why += " Who pays for it has " + longer(p) + until(s.Paid) + "."
	}
	return s
}

func longer(p Product) string {
	if p.Longer == "" {
		return "extended support"
	}
	return p.Longer
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

func until(e End) string {
	if e.Day.IsZero() {
		return ", and no end is known"
	}
	return " until " + e.Day.Format(time.DateOnly)
}

func ended(e End) string {
	if e.Day.IsZero() {
		return " ended"
	}
	return " ended on " + e.Day.Format(time.DateOnly)
}

// cycles are those that a version may be of: the one of just that name, or with the longest
// name that the version begins with, or those whose latest release it begins with.
func (p Product) cycles(version string) []Cycle {
	version = plain(version)
	if version == "" {
		return nil
	}
	longest := 0
	var list []Cycle
	for _, c := range p.Cycles {
		switch n := len(c.Name); {
		case n < longest || !begins(version, plain(c.Name)):
		case n > longest:
			list, longest = []Cycle{c}, n
		default:
			list = append(list, c)
		}
	}
	if len(list) > 0 {
		return list
	}
	return slices.DeleteFunc(slices.Clone(p.Cycles), func(c Cycle) bool { return c.Latest == "" || !begins(version, plain(c.Latest)) })
}

func plain(s string) string {
	s = strings.ToLower(strings.TrimSpace(s))
	if rest, ok := strings.CutPrefix(s, "v"); ok && rest != "" && digit(rest[0]) {
		return rest
	}
	return s
}

// begins reports whether a version is a name or begins with it, at the end of a number: 10.10
// begins with 10, and not with 10.1.
func begins(version, name string) bool {
	rest, ok := strings.CutPrefix(version, name)
	return ok && name != "" && (rest == "" || !digit(rest[0]) && !(letter(rest[0]) && letter(name[len(name)-1])))
}

func digit(c byte) bool { return c >= '0' && c <= '9' }

func letter(c byte) bool { return c >= 'a' && c <= 'z' }

// Index finds products by what they are called.
type Index struct {
	products []Product
	names    map[string][]int
}

// NewIndex makes an index of products.
func NewIndex(products []Product) *Index {
	x := &Index{products: products, names: map[string][]int{}}
	for i, p := range products {
		for _, id := range slices.Concat([]string{p.Name}, p.Aliases, p.PURLs, p.CPEs) {
			key := strings.ToLower(id)
			if at := x.names[key]; len(at) == 0 || at[len(at)-1] != i {
				x.names[key] = append(at, i)
			}
		}
	}
	return x
}

// Find gives the products of a name, a package URL without its version, or a name of the Common
// Platform Enumeration up to the product. Several products share some of them.
func (x *Index) Find(id string) []Product {
	id = strings.ToLower(strings.TrimSpace(id))
	if rest, ok := strings.CutPrefix(id, "pkg:"); ok {
		rest, _, _ = strings.Cut(rest, "?")
		rest, _, _ = strings.Cut(rest, "@")
		id = "pkg:" + rest
	}
	if strings.HasPrefix(id, "cpe:2.3:") {
		id = strings.Join(strings.SplitN(id, ":", 6)[:min(5, strings.Count(id, ":")+1)], ":")
	}
	var list []Product
	for _, i := range x.names[id] {
		list = append(list, x.products[i])
	}
	return list
}
