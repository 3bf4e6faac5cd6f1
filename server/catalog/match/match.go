// Package match says which advisories affect what is installed, and what mends it.
//
// The one idea: the publisher of a package decides. An item is compared with the advisories
// of the very release it came from, under its source package's name and version where the
// publisher speaks of source packages; what came from somebody else is not compared at all.
// Where a comparison proves nothing, the finding says so; it is never left out as harmless.
package match

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"patchbay/patch"
	"patchbay/server/catalog/advisory"
)

// Status is what a finding says of an item.
type Status string

// The statuses.
const (
	Affected     Status = "affected"     // and a fix is published
	NoFix        Status = "no-fix"       // and nothing that this machine may have mends it
	HeadersOnly  Status = "headers-only" // of the kernel's source, and no part of a kernel that could run
	NotRunning   Status = "not-running"  // a kernel that is installed, while another runs
	Unimportant  Status = "unimportant"  // it is there and does no harm as its publisher builds it
	Undetermined Status = "undetermined" // nobody can say
	NotCompared  Status = "not-compared" // of another publisher, whose advisories are not here
)

// Item is one installed thing.
type Item struct {
	Name          string
	Architecture  string
	Version       string
	Source        string // its source package; "" is Name
	SourceVersion string // "" is Version
	Module        string // name:stream, where its manager says so
	Foreign       string // who publishes it, where that is not the release's own publisher
	Ecosystem     string // where it is no package of the release, such as "PyPI"
}

// Host is what is installed on one machine.
type Host struct {
	Release string // as the schema of OSV writes it, such as "Debian:12"; "" has only items with an ecosystem
	Kernel  string // that runs, as uname -r gives it; "" is not known
	Items   []Item
	NoEpoch bool // its versions leave out epochs, also where there is one
	Unread  int  // things of a listing that nothing is known to compare with
}

// Finding is an advisory that affects an item, or that may.
type Finding struct {
	Item         string           `json:"item"`
	Architecture string           `json:"architecture,omitempty"`
	Source       string           `json:"source"`
	Installed    string           `json:"installed"`
	Compared     string           `json:"compared,omitempty"` // the source version, where it is another one
	Advisory     string           `json:"advisory"`
	Aliases      []string         `json:"aliases"`
	Fixed        string           `json:"fixed"` // "" where nothing mends it
	Status       Status           `json:"status"`
	Severity     patch.Severity   `json:"severity"`
	Note         string           `json:"note"` // a sentence, "" where there is nothing more to say
	Ecosystem    string           `json:"ecosystem,omitempty"`
	CVEs         []string         `json:"-"` // that the advisory stands for
	Scores       []advisory.Score `json:"-"` // what sources say of how grave it is
	Feed         string           `json:"-"`
	Published    time.Time        `json:"-"`
}

// Match gives the findings of a host, sorted by item, then by advisory.
func (x *Index) Match(h Host) []Finding {
	m := x.On(h)
	items := slices.Clone(h.Items)
	slices.SortFunc(items, compareItems)
	items = slices.Compact(items) // what lies in several places is one thing
	var list []Finding
	for _, it := range items {
		list = append(list, m.Item(it)...)
	}
	return list
}

func compareItems(a, b Item) int {
	return cmp.Or(strings.Compare(a.Name, b.Name), strings.Compare(a.Architecture, b.Architecture), strings.Compare(a.Version, b.Version),
		strings.Compare(a.Ecosystem, b.Ecosystem), strings.Compare(a.Source, b.Source), strings.Compare(a.SourceVersion, b.SourceVersion),
		strings.Compare(a.Module, b.Module), strings.Compare(a.Foreign, b.Foreign))
}

// Matcher compares the items of one host, one after the other.
type Matcher struct {
	index   *Index
	host    Host
	streams map[string]string // the tag of a module's build: name:stream
	images  int               // kernels that could run
	runs    bool              // one of them is known to
	tag     string            // of the module's build that the item in work is of
}

// On begins to compare what is on a host.
func (x *Index) On(h Host) *Matcher {
	m := &Matcher{index: x, host: h, streams: x.streamsOf(h)}
	m.kernels()
	return m
}

// Context is what of the host decides, beside the item itself, what affects it: which kernel
// runs, and of which stream a module's build is. It is "" for what is the same everywhere.
func (m *Matcher) Context(it Item) string {
	if _, kernel := m.kernelOf(it); kernel {
		return fmt.Sprintf("%s\x00%t\x00%t", m.host.Kernel, m.images > 1, m.runs)
	}
	return m.streams[tagOf(it.Version)]
}

// Modular reports whether there are packages of modules: what affects one of them depends on
// what else is there.
func (m *Matcher) Modular() bool {
	return slices.ContainsFunc(m.host.Items, func(it Item) bool { return it.Module != "" || tagOf(it.Version) != "" })
}

// Item gives what affects one item, in the order of the advisories.
func (m *Matcher) Item(it Item) []Finding {
	e, places := m.places(it)
	if len(places) == 0 {
		return nil
	}
	name, version := subject(e, it)
	f := Finding{Item: it.Name, Architecture: it.Architecture, Source: cmp.Or(it.Source, it.Name), Installed: it.Version, Aliases: []string{}, Ecosystem: places[0]}
	if version != it.Version {
		f.Compared = version
	}
	if it.Foreign != "" {
		if len(m.index.named(places[0], name)) == 0 {
			return nil
		}
		f.Compared, f.Status = "", NotCompared
		f.Note = "It is of " + it.Foreign + ", so the advisories of " + e.Name + " say nothing of it."
		return []Finding{f}
	}
	m.tag = tagOf(it.Version)
	var list []Finding
	settled := map[string]bool{} // CVEs that a nearer place spoke of for this name
	for i, place := range places {
		rows := m.index.named(place, name)
		mends := false // the advisory names this very version as one that does
		for j, row := range rows {
			if j == 0 || row.advisory != rows[j-1].advisory {
				mends = m.mends(e, version, rows[j:])
			}
			if mends || i > 0 && row.covered(settled) {
				continue
			}
			if one, ok := m.row(e, f, it, version, row); ok {
				one.Ecosystem = place
				list = m.take(e, list, one)
			}
		}
		if len(places) > 1 {
			for _, row := range rows {
				for _, id := range row.about {
					settled[id] = true
				}
			}
		}
	}
	if e.Name == "Ubuntu" {
		list = append(list, m.paidOnly(e, f, it, version, places, name)...)
	}
	if len(places) > 1 || e.Name == "Ubuntu" { // those of one place are in order
		slices.SortStableFunc(list, func(a, b Finding) int { return advisory.CompareIDs(a.Advisory, b.Advisory) })
	}
	return list
}

// Asked are the packages under which advisories for an item of a release are looked for.
func (x *Index) Asked(release string, it Item) []Subjected {
	m := &Matcher{index: x, host: Host{Release: release}}
	e, places := m.places(it)
	name, _ := subject(e, it)
	list := make([]Subjected, 0, 2*len(places))
	for _, p := range places {
		list = append(list, Subjected{p, name})
		if e.Name == "Ubuntu" {
			list = append(list, Subjected{paid(p), name})
		}
	}
	return list
}

// Subject is the name that the advisories of a release call an item by.
func Subject(release string, it Item) string {
	e, _ := advisory.EcosystemOf(release)
	name, _ := subject(e, it)
	return name
}

// subject is the name and the version that advisories speak of.
func subject(e advisory.Ecosystem, it Item) (name, version string) {
	if !e.Source {
		return advisory.Name(e, it.Name), it.Version
	}
	name, version = cmp.Or(it.Source, it.Name), cmp.Or(it.SourceVersion, it.Version)
	// Kernels are signed in packages of their own, whose source has another name and version.
	if rest, ok := strings.CutPrefix(name, "linux-signed"); ok {
		name, version = "linux", it.Version
		if rest = strings.TrimPrefix(rest, "-"); e.Name == "Ubuntu" && rest != "" {
			name = "linux-" + rest
		}
	}
	return name, unbuilt(e, version)
}

// row compares an item with what one advisory says of its package.
func (m *Matcher) row(e advisory.Ecosystem, f Finding, it Item, version string, r row) (Finding, bool) {
	a := r.affected
	f.Advisory, f.Feed, f.Published, f.CVEs, f.Scores = r.advisory.ID, r.advisory.Feed, r.advisory.Published, r.cves, r.scores
	if len(r.advisory.Aliases) > 0 {
		f.Aliases = r.advisory.Aliases
	}
	f.Severity = r.severity
	if a.State == advisory.NotAffected {
		return f, false
	}
	if stays, note := m.module(it, a); !stays {
		return f, false
	} else if note != "" {
		f.Status, f.Note = Undetermined, note
		return f, true
	}
	in, fixed, err := m.within(e, version, a)
	switch {
	case err != nil:
		f.Status, f.Note = Undetermined, "Its version cannot be compared: "+err.Error()+"."
		return f, true
	case !in:
		return f, false
	}
	f.Fixed = fixed
	f.Status, f.Note = m.status(it, a, fixed)
	if paid := m.index.paidFix(e, f.Ecosystem, a.Name, r.advisory.ID); fixed == "" && paid != "" {
		if c, err := m.compare(e, version, paid); err == nil && c >= 0 {
			return f, false
		}
		m.forPay(&f, it, paid)
	}
	return f, true
}

// status is what an affected item is called, by what the publisher says and what it is.
func (m *Matcher) status(it Item, a *advisory.Affected, fixed string) (Status, string) {
	switch a.State {
	case advisory.Undetermined:
		return Undetermined, sentence("Its publisher does not know whether it is affected", a.Why)
	case advisory.Unimportant:
		return Unimportant, sentence("Its publisher says that it does no harm here", a.Why)
	}
	if status, note := m.kernel(it); status != "" {
		return status, note
	}
	if fixed != "" {
		return Affected, m.running(it)
	}
	switch a.State {
	case advisory.Ignored:
		return NoFix, sentence("Its publisher will not mend it", a.Why)
	case advisory.Postponed:
		return NoFix, sentence("Its publisher may mend it with a later release", a.Why)
	case advisory.EndOfLife:
		return NoFix, sentence("Nobody mends this package any more", a.Why)
	}
	return NoFix, "No version that mends it is published."
}

func sentence(text, why string) string {
	if why != "" {
		text += ": " + strings.TrimRight(why, ". ")
	}
	return text + "."
}

// within reports whether a version is affected, and what mends it then.
func (m *Matcher) within(e advisory.Ecosystem, version string, a *advisory.Affected) (in bool, fixed string, err error) {
	never := false
	for _, r := range a.Ranges {
		got, bad := m.inRange(e, version, r)
		if bad != nil {
			err = cmp.Or(err, bad)
			continue
		}
		if !got {
			continue
		}
		in = true
		switch { // out of one stretch may still be within another
		case r.Fixed != "":
			fixed = m.later(e, fixed, r.Fixed)
		case r.Last == "" && r.Limit == "":
			never = true
		}
	}
	switch {
	case in && never:
		return true, "", nil
	case in:
		return true, fixed, nil
	case m.listed(e, version, a.Versions):
		return true, m.next(e, version, a), nil
	}
	return false, "", err
}

// listed reports whether a version is among those of a list, be it written otherwise.
func (m *Matcher) listed(e advisory.Ecosystem, version string, list []string) bool {
	return slices.Contains(list, version) || slices.ContainsFunc(list, func(v string) bool {
		c, err := m.compare(e, version, v)
		return err == nil && c == 0
	})
}

// later is the greater of two versions; "" is none.
func (m *Matcher) later(e advisory.Ecosystem, a, b string) string {
	if a == "" || b == "" {
		return cmp.Or(a, b)
	}
	if c, err := m.compare(e, a, b); err == nil && c >= 0 {
		return a
	}
	return b
}

// next is the nearest version that mends one which is only listed.
func (m *Matcher) next(e advisory.Ecosystem, version string, a *advisory.Affected) (fixed string) {
	for _, r := range a.Ranges {
		if r.Fixed == "" {
			continue
		}
		if c, err := m.compare(e, version, r.Fixed); err != nil || c >= 0 {
			continue
		}
		if c, err := m.compare(e, r.Fixed, fixed); fixed == "" || err == nil && c < 0 {
			fixed = r.Fixed
		}
	}
	return fixed
}

func (m *Matcher) inRange(e advisory.Ecosystem, version string, r advisory.Range) (bool, error) {
	if r.Introduced != "0" && r.Introduced != "" {
		if c, err := m.compare(e, version, r.Introduced); err != nil || c < 0 {
			return false, err
		}
	}
	if r.Limit != "" {
		if c, err := m.compare(e, version, r.Limit); err != nil || c >= 0 {
			return false, err
		}
	}
	switch {
	case r.Fixed != "":
		c, err := m.compare(e, version, r.Fixed)
		if err != nil || c >= 0 {
			return false, err
		}
		return !rebuilt(e, version, r.Fixed), nil
	case r.Last != "":
		c, err := m.compare(e, version, r.Last)
		return err == nil && c <= 0, err
	}
	_, err := m.compare(e, version, version) // that it is a version at all
	return err == nil, err
}

// compare orders an installed version and one of an advisory.
func (m *Matcher) compare(e advisory.Ecosystem, installed, other string) (int, error) {
	if e.Scheme == patch.SchemeRPM && m.host.NoEpoch {
		_, other = epoch(other)
		_, installed = epoch(installed)
	}
	return patch.CompareVersions(e.Scheme, installed, other)
}

func epoch(version string) (epoch, rest string) {
	if before, after, ok := strings.Cut(version, ":"); ok {
		return before, after
	}
	return "", version
}
