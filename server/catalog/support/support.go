// Package support names the product, and the line of its releases, that something installed
// is of, and says for how long anybody mends it.
//
// The one idea: naming and knowing are apart. What is installed is named once, by a table that
// needs no feed, when a device is read; how long a named thing is supported is looked up in
// what holds of endoflife.date when somebody asks. So a new version of that feed, and each
// day that passes, cost nothing until then.
package support

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"patchbay/patch"
	"patchbay/server/catalog/endoflife"
)

// Kind is what sort of thing it is.
type Kind string

// The kinds.
const (
	System      Kind = "os"
	Application Kind = "application"
	Hardware    Kind = "hardware"
)

// Kinds are all of them.
func Kinds() []Kind { return []Kind{System, Application, Hardware} }

// Named is a thing with a product's name. It is comparable, and the same on every device that
// has the same.
type Named struct {
	Kind    Kind
	Product string // as endoflife.date calls it; "" where it is of none
	Title   string // what it calls itself, of a system
	Version string // that its cycle is found by; with | any of these
	Edition string // of a Windows, which decides which of its cycles it is
	Table   string // the day that the device's own table gives, YYYY-MM-DD; "" where it has none
}

// The words for whose word it is.
const (
	ByFeed  = endoflife.Name
	ByTable = "the agent's own table"
)

// Standing is how a named thing is supported at a moment.
type Standing struct {
	State    endoflife.State
	Title    string // of the product, and of the system where that has none
	Cycle    string
	Label    string        // what that is called, where it has another name
	Until    time.Time     // the last day of what is counted; zero where none is known
	Vendor   endoflife.End // for everybody, by its vendor
	LTS      endoflife.End // for everybody, by whoever gives it
	Paid     endoflife.End // for those who pay: told and never counted
	PaidName string        // what that is called
	By       string        // whose word it is; "" where nobody says
	Why      string        // a sentence
}

// Last is the last day on which anybody mends it for everybody, zero where no such day is known.
func (s Standing) Last() time.Time {
	if s.Vendor.Day.IsZero() && s.Vendor.Over == patch.No || s.LTS.Day.IsZero() && s.LTS.Over == patch.No {
		return time.Time{}
	}
	if s.LTS.Day.After(s.Vendor.Day) {
		return s.LTS.Day
	}
	return s.Vendor.Day
}

// Within is its state where what ends within so many days is called ending.
func (s Standing) Within(now time.Time, days int) endoflife.State {
	switch last := s.Last(); {
	case s.State == endoflife.Unknown || s.State == endoflife.Ended:
		return s.State
	case last.IsZero() || last.After(now.AddDate(0, 0, days)):
		return endoflife.Supported
	}
	return endoflife.Ending
}

// Products are what holds of endoflife.date. A nil one knows none.
type Products struct {
	named map[string]endoflife.Product
}

// NewProducts takes products in.
func NewProducts(list []endoflife.Product) *Products {
	p := &Products{named: make(map[string]endoflife.Product, len(list))}
	for _, one := range list {
		p.named[one.Name] = one
	}
	return p
}

// Len is how many there are.
func (p *Products) Len() int {
	if p == nil {
		return 0
	}
	return len(p.named)
}

// Of gives a product by its name.
func (p *Products) Of(name string) (endoflife.Product, bool) {
	if p == nil {
		return endoflife.Product{}, false
	}
	one, ok := p.named[name]
	return one, ok
}

// Stands says how a named thing is supported. The feed comes first; the table that a device
// brought counts where that says nothing of it.
func (p *Products) Stands(n Named, now time.Time) Standing {
	product, ok := p.Of(n.Product)
	if !ok {
		return byTable(n, cmp.Or(n.Title, n.Product), now, "No feed that holds here says for how long "+called(n)+" is supported.")
	}
	versions := strings.Split(n.Version, "|")
	if n.Kind == System && windows(n.Product) {
		versions = windowsCycles(product, n)
	}
	s := latest(product, versions, now)
	if s.Cycle == "" {
		return byTable(n, cmp.Or(n.Title, product.Title), now, cmp.Or(s.Why, "Which release of "+product.Title+" this is, and so for how long it is supported, is not known."))
	}
	return standing(product, s)
}

// standing is the support of a cycle in the words that people use of it.
func standing(product endoflife.Product, s endoflife.Support) Standing {
	label, title := labelOf(product, s.Cycle), product.Title
	if windows(product.Name) {
		title = strings.TrimPrefix(title, "Microsoft ")
	}
	s.Why = strings.ReplaceAll(s.Why, product.Title+" "+s.Cycle, title+" "+cmp.Or(label, s.Cycle))
	return Standing{State: s.State, Title: title, Cycle: s.Cycle, Label: label, Until: s.Until, Vendor: s.Vendor, LTS: s.LTS, Paid: s.Paid,
		PaidName: product.Longer, By: ByFeed, Why: s.Why}
}

// labelOf is what people call a cycle: 2022 and not 16.0, "11 23H2, Home and Pro" and not
// 11-23h2-w. What the feed leaves to be filled in is left out.
func labelOf(p endoflife.Product, cycle string) string {
	i := slices.IndexFunc(p.Cycles, func(c endoflife.Cycle) bool { return c.Name == cycle })
	if i < 0 || strings.EqualFold(p.Cycles[i].Label, cycle) {
		return ""
	}
	label := strings.NewReplacer(" '__CODENAME__'", "", " (__CODENAME__)", "", "__RELEASE_CYCLE__", cycle).Replace(p.Cycles[i].Label)
	if p.Name == "windows" {
		label = strings.NewReplacer(" (W)", ", Home and Pro", " (E)", ", Enterprise and Education").Replace(label)
	}
	if strings.Contains(label, "__") || label == cycle {
		return ""
	}
	return strings.TrimPrefix(label, p.Title+" ")
}

// latest is the support of a thing that is of one of several cycles. The one that ends last
// says when it is over at the latest; before that nobody knows.
func latest(product endoflife.Product, versions []string, now time.Time) endoflife.Support {
	var all []endoflife.Support
	for _, v := range versions {
		all = append(all, endoflife.SupportOf(product, v, now))
	}
	if len(all) == 0 {
		return endoflife.Support{}
	}
	if len(all) == 1 {
		return all[0]
	}
	over := slices.MaxFunc(all, func(a, b endoflife.Support) int { return a.Until.Compare(b.Until) })
	if slices.ContainsFunc(all, func(s endoflife.Support) bool { return s.State != endoflife.Ended }) {
		return endoflife.Support{Why: "The support of " + product.Title + " depends on its service pack, which is not known."}
	}
	over.Why = "Which service pack it has is not known; with the last one: " + over.Why
	return over
}

// byTable is what the device itself brought.
func byTable(n Named, title string, now time.Time, otherwise string) Standing {
	day, err := time.Parse(time.DateOnly, n.Table)
	if err != nil {
		return Standing{Title: title, Why: otherwise}
	}
	s := Standing{Title: title, Until: day, Vendor: endoflife.End{Day: day}, By: ByTable, State: endoflife.Supported}
	until := " lasts until "
	switch {
	case s.Vendor.Ended(now) == patch.Yes:
		s.State, until = endoflife.Ended, " ended on "
	case day.Sub(now) <= endoflife.Soon:
		s.State = endoflife.Ending
	}
	s.Why = "By the agent's own table, the free support of " + called(n) + until + n.Table + "."
	return s
}

func called(n Named) string {
	name := cmp.Or(n.Title, n.Product)
	if n.Kind == System && n.Title != "" || n.Version == "" {
		return name
	}
	return name + " " + n.Version
}

// Called finds a product by its name, its title or another name of it, in whatever letters.
func (p *Products) Called(name string) (endoflife.Product, bool) {
	if one, ok := p.Of(strings.ToLower(name)); ok {
		return one, true
	}
	if p == nil {
		return endoflife.Product{}, false
	}
	var found []endoflife.Product
	for _, one := range p.named {
		if strings.EqualFold(one.Title, name) || slices.ContainsFunc(one.Aliases, func(a string) bool { return strings.EqualFold(a, name) }) {
			found = append(found, one)
		}
	}
	if len(found) == 0 {
		return endoflife.Product{}, false
	}
	return slices.MinFunc(found, func(a, b endoflife.Product) int { return strings.Compare(a.Name, b.Name) }), true
}

// Cycle says how one line of releases of a product is supported.
func (p *Products) Cycle(of endoflife.Product, c endoflife.Cycle, now time.Time) Standing {
	return standing(of, endoflife.SupportOf(of, c.Name, now))
}
