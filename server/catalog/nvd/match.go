package nvd

import (
	"fmt"
	"slices"
	"strings"

	"patchbay/server/catalog/cpe"
)

// Verdict is whether a product is affected.
type Verdict string

// The verdicts.
const (
	Affected     Verdict = "affected"
	Not          Verdict = "not"
	Undetermined Verdict = "undetermined"
)

// Asked is an installed product. What a name leaves open is not known.
type Asked struct {
	Names     []cpe.Name // what it is called; several where its catalogue has several
	Version   string     // "" is not known
	Platforms []cpe.Name // what it runs on, also the family (microsoft:windows beside windows_11); nil is not known
	Editions  bool       // its edition has versions of its own: what names no edition is about another one
}

// Answer is what one record says of a product.
type Answer struct {
	Verdict Verdict
	Why     string // a sentence
	Fixed   string // the first version that is not affected, where the record names one
	Last    string // otherwise the last that is, where the record names that
	Name    string // of the criterion that decided, "" where none did
}

// tri is no, not known or yes.
type tri int

const (
	no tri = iota
	unknown
	yes
)

// finding is what a part of a record comes to.
type finding struct {
	is     tri
	named  bool // it calls the product vulnerable, in whatever version
	answer Answer
}

// Match says whether a record affects a product.
func Match(c CVE, asked Asked) Answer {
	if strings.EqualFold(c.Status, "Rejected") {
		return Answer{Verdict: Not, Why: c.ID + " was rejected."}
	}
	best := finding{}
	for _, f := range c.Configurations {
		got := asked.configuration(f)
		if got.named && (got.is > best.is || !best.named) {
			best = got
		}
	}
	switch {
	case best.is == yes:
		best.answer.Verdict = Affected
		return best.answer
	case best.is == unknown && best.named:
		best.answer.Verdict = Undetermined
		return best.answer
	case len(c.Unread) > 0:
		return Answer{Verdict: Undetermined, Why: "A part of what it says of products cannot be read: " + strings.TrimRight(c.Unread[0], ".") + "."}
	case len(c.Configurations) == 0 || !analysed(c.Status):
		return Answer{Verdict: Undetermined, Why: "NVD has not said yet which products it is about" + inBrackets(c.Status) + "."}
	case best.named:
		best.answer.Verdict = Not
		return best.answer
	}
	return Answer{Verdict: Not, Why: "It does not name this product."}
}

// analysed reports whether what a record does not say means something. "Modified" is one that
// was analysed and changed since in other places.
func analysed(status string) bool {
	return status == "" || status == "Analyzed" || status == "Modified"
}

func inBrackets(s string) string {
	if s == "" {
		return ""
	}
	return " (" + s + ")"
}

func (a Asked) configuration(f Configuration) finding {
	var list []finding
	for _, n := range f.Nodes {
		// Of nodes that each are enough, those about something else say nothing here.
		if got := negated(n.Negate, a.node(n)); f.All || got.named {
			list = append(list, got)
		}
	}
	return negated(f.Negate, together(f.All, list))
}

// node compares all criteria of a node. Beside the product itself others may be vulnerable;
// what it runs on is only what is not, or what stands in a node without the product.
func (a Asked) node(n Node) finding {
	var list, others []finding
	for _, m := range n.Criteria {
		got, mine := a.criterion(m)
		if !mine && m.Vulnerable {
			others = append(others, got)
		} else {
			list = append(list, got)
		}
	}
	if n.All || !slices.ContainsFunc(list, func(f finding) bool { return f.named }) {
		list = append(list, others...)
	}
	return together(n.All, list)
}

// together puts findings together: all have to hold, or one is enough. The answer is that of
// the one which decides; among equals, of one that names the product.
func together(all bool, list []finding) finding {
	if len(list) == 0 {
		return finding{}
	}
	best := list[0]
	named := false
	for _, f := range list {
		named = named || f.named
		decides := f.is > best.is
		if all {
			decides = f.is < best.is
		}
		if decides || f.is == best.is && f.named && !best.named {
			best = f
		}
	}
	best.named = named
	// What is affected is the product, also where the platform was looked at last.
	if all && best.is == yes {
		for _, f := range list {
			if f.named && f.answer.Name != "" {
				best.answer = f.answer
			}
		}
	}
	return best
}

// negated turns a finding around. Everything but a version of the product itself names
// nothing that could be shown to anybody.
func negated(negate bool, f finding) finding {
	switch {
	case !negate:
		return f
	case f.named:
		f.is, f.answer = unknown, Answer{Why: "The record names the product by what is not affected, and that cannot be compared.", Name: f.answer.Name}
	default:
		f.is = yes - f.is
	}
	return f
}

// criterion compares a product, or what it runs on, with one criterion.
func (a Asked) criterion(m Criterion) (best finding, mine bool) {
	for _, n := range a.Names {
		if !same(n, m.Product) {
			continue
		}
		if got := a.product(n, m); !mine || got.is > best.is {
			best = got
		}
		best.named, mine = m.Vulnerable, true
	}
	if mine {
		return best, true
	}
	return a.platform(m), false
}

// product compares one name of the product that a criterion is about.
func (a Asked) product(n cpe.Name, m Criterion) finding {
	is, why, fixed := version(m, a.Version)
	name, last := m.Product.String(), ""
	if a.Editions && m.Product.Product == n.Product && !known(m.Product.SoftwareEdition) && !strings.HasSuffix(n.Product, "_"+n.SoftwareEdition) {
		is, why = no, "It names no edition, and is about another one than "+n.SoftwareEdition+"."
	}
	for _, part := range []struct{ of, what, has string }{
		{"update", m.Product.Update, n.Update}, {"edition", m.Product.Edition, n.Edition}, {"edition", m.Product.SoftwareEdition, n.SoftwareEdition},
		{"system that it is made for", m.Product.TargetSoftware, a.system(m.Product.TargetSoftware, n.TargetSoftware)}, {"hardware that it is made for", m.Product.TargetHardware, n.TargetHardware},
	} {
		if is == no {
			break
		}
		// A version that is told without an update is the one that has none.
		if part.of == "update" && exact(m) && (withUpdate(m, a.Version) || part.what == cpe.None && !known(part.has)) {
			continue
		}
		switch got := attribute(part.what, part.has); {
		case got == no:
			is, why = no, fmt.Sprintf("It is about the %s %s, and this is %s.", part.of, word(part.what), word(part.has))
		case got < is:
			is, why = got, fmt.Sprintf("It is about the %s %s, and of this one that is not known.", part.of, word(part.what))
		}
	}
	switch {
	case is != yes:
		fixed = ""
	case fixed == "" && !m.To.Excluded:
		last = m.To.Version
	}
	return finding{is: is, answer: Answer{Why: why, Fixed: fixed, Last: last, Name: name}}
}

// system is what the product is made for; where its name leaves that open, what it runs on.
func (a Asked) system(wanted, has string) string {
	if known(has) || !known(wanted) {
		return has
	}
	for _, p := range a.Platforms {
		if p.Product == wanted || strings.HasPrefix(p.Product, wanted+"_") {
			return wanted
		}
	}
	return has
}

func known(value string) bool { return value != "" && value != cpe.Any }

func word(value string) string {
	if value == cpe.None {
		return "without a name"
	}
	return value
}

// attribute compares one part of a name.
func attribute(wanted, has string) tri {
	switch {
	case !known(wanted):
		return yes
	case !known(has):
		return unknown
	case wanted == has:
		return yes
	}
	return no
}

// platform says whether the product runs on what a criterion names.
func (a Asked) platform(m Criterion) finding {
	// A camera's firmware is only ever on that camera.
	for _, n := range a.Names {
		if m.Product.Part == "h" && n.Vendor == m.Product.Vendor && n.Product == m.Product.Product+"_firmware" {
			return finding{is: yes}
		}
	}
	best, kind := no, false
	for _, p := range a.Platforms {
		kind = kind || p.Part == m.Product.Part
		got := covers(p, m.Product)
		if got == yes {
			got = min(got, platformVersion(m, p.Version))
		}
		best = max(best, got)
	}
	what := m.Product.Product
	switch {
	case best == yes:
		return finding{is: yes, answer: Answer{Why: "It runs on " + what + "."}}
	case best == unknown || !kind:
		return finding{is: unknown, answer: Answer{Why: "It is affected on " + what + " alone, and whether it runs there is not known."}}
	}
	return finding{is: no, answer: Answer{Why: "It is affected on " + what + " alone, and does not run there."}}
}

func platformVersion(m Criterion, v string) tri {
	if m.Product.Version == cpe.None {
		return yes // whoever wrote it left it open
	}
	if !known(v) || v == cpe.None {
		v = ""
	}
	is, _, _ := version(m, v)
	return is
}

// exact reports whether a criterion is about one version.
func exact(m Criterion) bool { return known(m.Product.Version) && m.Product.Version != cpe.None }

// withUpdate reports whether a version has a criterion's update in itself: 1.8.0_101 is 1.8.0
// with update101.
func withUpdate(m Criterion, v string) bool {
	if !known(m.Product.Update) || m.Product.Update == cpe.None {
		return false
	}
	c, ok := order(m, v, m.Product.Version+m.Product.Update)
	return ok && c == 0
}

// order compares an installed version with one of a criterion.
func order(m Criterion, v, other string) (int, bool) {
	switch {
	case slices.Contains(javas, m.Product.Product):
		return compare(java(v), java(other))
	case slices.Contains(pythons, m.Product.Product):
		return compare(python(v), python(other))
	}
	return compare(v, other)
}

// backwards reports whether a stretch ends before it begins, which no version is in. Java's
// do so by design: there they stand twice.
func (m Criterion) backwards() bool {
	if m.From.Version == "" || m.To.Version == "" || slices.Contains(javas, m.Product.Product) {
		return false
	}
	c, ok := order(m, m.From.Version, m.To.Version)
	return !ok || c > 0
}

// version says whether a version is among those of a criterion, why, and what the first one
// is that is not any more.
func version(m Criterion, v string) (is tri, why, fixed string) {
	name := m.Product.Product
	ends := m.From.Version != "" || m.To.Version != ""
	switch {
	case m.Product.Pattern:
		return unknown, "It names versions of " + name + " by a pattern, which is not compared.", ""
	case m.Product.Version == cpe.None:
		return unknown, "It names " + name + " without any version.", ""
	case !exact(m) && !ends:
		return yes, "It names all versions of " + name + ".", ""
	case v == "":
		return unknown, "It names versions of " + name + ", and which one is installed is not known.", ""
	case exact(m) && ends:
		return unknown, "It names one version of " + name + " and a stretch of them.", ""
	case exact(m):
		return one(m, v)
	}
	return within(m, v)
}

func one(m Criterion, v string) (tri, string, string) {
	name, wanted := m.Product.Product, m.Product.Version
	if withUpdate(m, v) {
		return yes, fmt.Sprintf("It names %s %s %s.", name, wanted, m.Product.Update), ""
	}
	switch c, ok := order(m, v, wanted); {
	case !ok:
		return unknown, fmt.Sprintf("It names %s %s, which cannot be compared with %s.", name, wanted, v), ""
	case c == 0:
		return yes, fmt.Sprintf("It names %s %s.", name, wanted), ""
	}
	return no, fmt.Sprintf("It names %s %s, and this is %s.", name, wanted, v), ""
}

func within(m Criterion, v string) (tri, string, string) {
	stretch := m.stretch()
	if m.backwards() {
		return unknown, fmt.Sprintf("It names %s, which is no stretch.", stretch), ""
	}
	if m.From.Version != "" {
		c, ok := order(m, v, m.From.Version)
		if !ok {
			return unknown, fmt.Sprintf("It names %s, which cannot be compared with %s.", stretch, v), ""
		}
		if c < 0 || c == 0 && m.From.Excluded {
			return no, fmt.Sprintf("It names %s, and this is %s.", stretch, v), ""
		}
	}
	if m.To.Version != "" {
		c, ok := order(m, v, m.To.Version)
		if !ok {
			return unknown, fmt.Sprintf("It names %s, which cannot be compared with %s.", stretch, v), ""
		}
		if c > 0 || c == 0 && m.To.Excluded {
			return no, fmt.Sprintf("It names %s, and this is %s.", stretch, v), ""
		}
	}
	fixed := ""
	if m.To.Excluded {
		fixed = m.To.Version
	}
	return yes, fmt.Sprintf("It names %s.", stretch), fixed
}

// stretch writes the versions of a criterion for people.
func (m Criterion) stretch() string {
	s := m.Product.Product
	switch {
	case m.From.Version != "" && m.From.Excluded:
		s += " after " + m.From.Version
	case m.From.Version != "":
		s += " from " + m.From.Version
	}
	switch {
	case m.To.Version != "" && m.To.Excluded:
		s += " before " + m.To.Version
	case m.To.Version != "":
		s += " up to " + m.To.Version
	}
	return s
}
