package match

import (
	"fmt"
	"hash/maphash"
	"slices"
	"strings"
	"time"

	"patchbay/patch"
	"patchbay/server/catalog/advisory"
)

// Index is the advisories by what they are about. It is built once and then only read, also
// by several at once.
type Index struct {
	rows    map[string]map[string][]row // by ecosystem, then by name
	tags    map[string]string           // of builds of modules: name:stream, "" where two say so
	modules map[string][]string         // the streams of a module that are named anywhere
	said    map[Subjected]uint64        // a sum over all that is said of a package
	count   int
}

// Subjected is a package that advisories speak of.
type Subjected struct{ Ecosystem, Name string }

// row is what one advisory says of one package.
type row struct {
	advisory *advisory.Advisory
	affected *advisory.Affected
	cves     []string // that it stands for
	about    []string // the same, or its own ID where there is none
	scores   []advisory.Score
	severity patch.Severity
}

// covered reports whether all that the row is about was spoken of by a nearer place.
func (r row) covered(settled map[string]bool) bool {
	return !slices.ContainsFunc(r.about, func(id string) bool { return !settled[id] })
}

// seed is the same for all indexes of this program, so that two can be compared.
var seed = maphash.MakeSeed()

// Differs lists the packages of which another index says something else, in no order.
func (x *Index) Differs(other *Index) []Subjected {
	var list []Subjected
	for s, sum := range x.said {
		if other.said[s] != sum {
			list = append(list, s)
		}
	}
	for s := range other.said {
		if _, ok := x.said[s]; !ok {
			list = append(list, s)
		}
	}
	return list
}

// Builder gathers advisories for an index. Of two with one ID the newer holds, and both where
// neither says when it was modified; one that was withdrawn takes away what came before it.
type Builder struct {
	all    map[string]*advisory.Advisory
	joined map[string]bool // made of several records
	keep   func(ecosystem string) bool
}

// NewBuilder begins an index of the ecosystems that keep names; nil keeps all.
func NewBuilder(keep func(ecosystem string) bool) *Builder {
	if keep == nil {
		keep = func(string) bool { return true }
	}
	return &Builder{all: map[string]*advisory.Advisory{}, joined: map[string]bool{}, keep: keep}
}

// Add takes an advisory.
func (b *Builder) Add(a advisory.Advisory) error {
	old := b.all[a.ID]
	if old != nil && said(old).After(said(&a)) {
		return nil
	}
	a.Affected = slices.DeleteFunc(a.Affected, func(f advisory.Affected) bool { return !b.keep(f.Ecosystem) })
	if old != nil && said(old).IsZero() && said(&a).IsZero() { // neither is newer: both hold
		b.joined[a.ID] = true
		join(old, a)
		return nil
	}
	if len(a.Affected) == 0 && a.Withdrawn.IsZero() {
		delete(b.all, a.ID) // of nothing that is kept, also where an older one was
		return nil
	}
	a.Affected = slices.Clip(a.Affected)
	b.all[a.ID] = &a
	return nil
}

// maxAliases is how many names an advisory of several records has at most.
const maxAliases = 2_000

// join adds to an advisory what another record of it says.
func join(to *advisory.Advisory, from advisory.Advisory) {
	to.Affected = append(to.Affected, from.Affected...)
	if len(to.Aliases) < maxAliases {
		to.Aliases = append(slices.Clip(to.Aliases), from.Aliases...)
	}
	if len(to.Scores) < maxAliases {
		to.Scores = append(to.Scores, from.Scores...)
	}
}

// said is when an advisory was last touched; to withdraw it is to touch it.
func said(a *advisory.Advisory) time.Time {
	if a.Withdrawn.After(a.Modified) {
		return a.Withdrawn
	}
	return a.Modified
}

// Index makes it.
func (b *Builder) Index() *Index {
	x := &Index{rows: map[string]map[string][]row{}, tags: map[string]string{}, modules: map[string][]string{}, said: map[Subjected]uint64{}}
	for _, a := range b.all {
		if !a.Withdrawn.IsZero() {
			continue
		}
		x.count++
		if b.joined[a.ID] {
			slices.SortFunc(a.Aliases, advisory.CompareIDs)
			a.Aliases = slices.Compact(a.Aliases)
		}
		r := row{advisory: a, cves: a.CVEs(), scores: a.Scores, severity: advisory.Severity(a.Scores)}
		r.about = r.cves
		if len(r.about) == 0 {
			r.about = []string{a.ID}
		}
		head := maphash.String(seed, fmt.Sprintf("%q %q", a.ID, r.cves))
		for i := range a.Affected {
			x.add(r, &a.Affected[i], head)
		}
	}
	for _, names := range x.rows {
		for _, list := range names {
			slices.SortStableFunc(list, func(a, b row) int { return advisory.CompareIDs(a.advisory.ID, b.advisory.ID) })
		}
	}
	return x
}

// add takes what an advisory says of one package; head is a sum over the rest that it says.
func (x *Index) add(r row, f *advisory.Affected, head uint64) {
	r.affected = f
	if f.Word != "" {
		r.scores = append(slices.Clip(r.scores), advisory.Score{Word: f.Word})
		r.severity = r.severity.Graver(advisory.Word(f.Word))
	}
	names := x.rows[f.Ecosystem]
	if names == nil {
		names = map[string][]row{}
		x.rows[f.Ecosystem] = names
	}
	names[f.Name] = append(names[f.Name], r)
	x.said[Subjected{f.Ecosystem, f.Name}] += maphash.String(seed, fmt.Sprintf("%x %q %+v", head, r.severity, *f))
	if f.Module == "" {
		return
	}
	if name, stream, ok := strings.Cut(f.Module, ":"); ok && !slices.Contains(x.modules[name], stream) {
		x.modules[name] = append(x.modules[name], stream)
	}
	for _, r := range f.Ranges {
		tag := tagOf(r.Fixed)
		if s, ok := x.tags[tag]; tag != "" && (!ok || s == f.Module) {
			x.tags[tag] = f.Module
		} else if tag != "" {
			x.tags[tag] = "" // two streams have packages of one build
		}
	}
}

// Count is how many advisories it holds.
func (x *Index) Count() int { return x.count }

// Speaks reports whether it has advisories for a release.
func (x *Index) Speaks(release string) bool {
	m := &Matcher{index: x, host: Host{Release: release}}
	_, places := m.places(Item{})
	return slices.ContainsFunc(places, func(p string) bool { return len(x.rows[p]) > 0 })
}

// Ecosystems lists those that it has advisories of, sorted.
func (x *Index) Ecosystems() []string {
	var list []string
	for e := range x.rows {
		list = append(list, e)
	}
	slices.Sort(list)
	return list
}

func (x *Index) named(ecosystem, name string) []row { return x.rows[ecosystem][name] }
