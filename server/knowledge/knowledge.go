// Package knowledge puts together what all feeds say, and answers what of it concerns an item
// that is installed.
//
// The one idea: what is equal costs once. A finding belongs to an item of a release, not to a
// device, so what was worked out for the first device that has it is what every other gets,
// and a new advisory touches only the items that it names.
package knowledge

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"patchbay/patch"
	"patchbay/server/assess"
	"patchbay/server/catalog/advisory"
	"patchbay/server/catalog/debian"
	"patchbay/server/catalog/kev"
	"patchbay/server/catalog/match"
	"patchbay/server/catalog/msrc"
	"patchbay/server/catalog/osv"
	"patchbay/wire"
)

// Kind is a form that feeds come in.
type Kind string

// The kinds that say something of findings.
const (
	OSV    Kind = "osv"    // advisories in the form of Open Source Vulnerability
	Debian Kind = "debian" // Debian's security tracker, as JSON
	KEV    Kind = "kev"    // CISA's known exploited vulnerabilities
	MSRC   Kind = "msrc"   // Microsoft's security documents
)

// Source is a feed in the version that holds.
type Source struct {
	Name string
	Kind Kind
	At   time.Time // when it was fetched
	// Each gives every file of it, unpacked.
	Each func(func(name string, in io.Reader) error) error
}

// Snapshot is what all feeds say at one time. It does not change; several may ask at once.
type Snapshot struct {
	index     *match.Index
	exploited map[string]kev.Entry
	microsoft msrc.Knowledge
	feeds     []Source

	microsoftFeed string // that microsoft is from

	mu    sync.RWMutex
	items map[key]*assess.Found // that somebody asked about
}

// key is all that decides what affects an item that stands alone.
type key struct {
	release string
	item    match.Item
}

// Load reads all sources. One that cannot be read is an error: half of what is known would
// show less than there is.
func Load(sources []Source) (*Snapshot, error) {
	s := &Snapshot{exploited: map[string]kev.Entry{}, feeds: sources, items: map[key]*assess.Found{}}
	b := match.NewBuilder(nil)
	var documents []msrc.Document
	for _, src := range sources {
		if err := src.Each(func(name string, in io.Reader) error {
			return s.read(src, b, &documents, name, bufio.NewReaderSize(in, 1<<20))
		}); err != nil {
			return nil, fmt.Errorf("reading the feed %s: %w", src.Name, err)
		}
	}
	s.index = b.Index()
	var err error
	if s.microsoft, err = msrc.Know(documents); err != nil {
		return nil, fmt.Errorf("reading Microsoft's documents: %w", err)
	}
	return s, nil
}

// read reads one file of a source.
func (s *Snapshot) read(src Source, b *match.Builder, documents *[]msrc.Document, name string, in io.Reader) error {
	add := func(a advisory.Advisory) error {
		a.Feed = src.Name
		return b.Add(a)
	}
	switch src.Kind {
	case OSV:
		_, err := osv.Read(in, add)
		return err
	case Debian:
		_, err := debian.Read(in, add)
		return err
	case MSRC:
		d, err := msrc.Read(name, in)
		*documents, s.microsoftFeed = append(*documents, d), src.Name
		return err
	case KEV:
		_, err := kev.Read(in, func(e kev.Entry) error {
			s.exploited[e.ID] = e
			return nil
		})
		return err
	}
	return nil
}

// Count is how many advisories there are.
func (s *Snapshot) Count() int { return s.index.Count() }

// Covers reports whether any feed speaks of what a device's own manager installs.
func (s *Snapshot) Covers(f wire.Facts) bool {
	release, err := match.Release(f.Distro + ":" + f.Release)
	return err == nil && s.index.Speaks(release)
}

// Of gives what affects each of a provider's items on a device, the same value for the same
// item on every device.
func (s *Snapshot) Of(f wire.Facts, provider string, items []patch.Item) map[patch.Key]*assess.Found {
	release, ok := release(f, provider)
	if !ok || !s.index.Speaks(release) {
		return s.windows(f, items)
	}
	h := match.Host{Release: release, Kernel: f.Kernel}
	if f.Container {
		h.Kernel = "" // somebody else's
	}
	for _, it := range items {
		h.Items = append(h.Items, itemOf(f, it))
	}
	m := s.index.On(h)
	found := map[patch.Key]*assess.Found{}
	for i, it := range items {
		if one := s.item(m, release, h.Items[i]); len(one.List) > 0 {
			found[it.Key()] = one
		}
	}
	return found
}

// windows gives what the Windows among items lacks.
func (s *Snapshot) windows(f wire.Facts, items []patch.Item) map[patch.Key]*assess.Found {
	for _, it := range items {
		build, ok := isWindows(f, it)
		if !ok {
			continue
		}
		if one := s.ofWindows(f, it, build); len(one.List) > 0 {
			return map[patch.Key]*assess.Found{it.Key(): one}
		}
	}
	return nil
}

// Subjects gives the release whose advisories a provider's items are compared with, and the
// names that these call them by, sorted; false where no feed speaks of them.
func (s *Snapshot) Subjects(f wire.Facts, provider string, items []patch.Item) (in string, names []string, ok bool) {
	in, ok = release(f, provider)
	if !ok || !s.index.Speaks(in) {
		is := slices.ContainsFunc(items, func(it patch.Item) bool { _, ok := isWindows(f, it); return ok })
		return windows, []string{windows}, is && len(s.microsoft.Documents) > 0
	}
	for _, it := range items {
		names = append(names, match.Subject(in, itemOf(f, it)))
	}
	slices.Sort(names)
	return in, slices.Compact(names), true
}

// release is the system whose own packages a provider manages: one whose versions are ordered
// as those of the system's packages are.
func release(f wire.Facts, provider string) (string, bool) {
	i := slices.IndexFunc(f.Providers, func(p wire.ProviderFacts) bool { return p.Name == provider })
	if i < 0 || f.Distro == "" {
		return "", false
	}
	r, err := match.Release(f.Distro + ":" + f.Release)
	if err != nil {
		return "", false
	}
	e, ok := advisory.EcosystemOf(r)
	return r, ok && e.Scheme == f.Providers[i].Traits.Versions
}

// itemOf is an item as advisories are compared with it. What no source of the device has any
// more is taken for the system's own, as long as its version shows nothing else.
func itemOf(f wire.Facts, it patch.Item) match.Item {
	m := match.Item{Name: it.Name, Architecture: it.Architecture, Version: it.Version, Source: it.Source, SourceVersion: it.SourceVersion}
	if it.Origin != "" && !own(f.Distro, it.Origin) {
		m.Foreign = it.Origin
	} else if it.Origin == "" {
		m.Foreign = match.Publisher("", it.Version)
	}
	return m
}

// own reports whether an origin is of the distribution itself: "Debian", "Debian Backports",
// "UbuntuESM".
func own(distro, origin string) bool {
	return strings.HasPrefix(strings.ToLower(origin), strings.ToLower(distro))
}

// item gives what affects one item, from what is known of it already where it stands alone.
func (s *Snapshot) item(m *match.Matcher, release string, it match.Item) *assess.Found {
	if !m.Alone(it) {
		return &assess.Found{Release: release, Name: it.Name, Version: it.Version, List: s.findings(m.Item(it))}
	}
	k := key{release, it}
	s.mu.RLock()
	one, ok := s.items[k]
	s.mu.RUnlock()
	if ok {
		return one
	}
	one = &assess.Found{Release: release, Name: it.Name, Version: it.Version, List: s.findings(m.Item(it))}
	s.mu.Lock()
	defer s.mu.Unlock()
	if first, ok := s.items[k]; ok { // somebody else asked meanwhile
		return first
	}
	s.items[k] = one
	return one
}

// findings says in the server's words what was found, the gravest first.
func (s *Snapshot) findings(list []match.Finding) []assess.Finding {
	if len(list) == 0 {
		return nil
	}
	found := make([]assess.Finding, 0, len(list))
	for _, f := range list {
		one := assess.Finding{Advisory: f.Advisory, Status: assess.FindingStatus(f.Status), Fixed: f.Fixed, Severity: f.Severity, Note: f.Note, Source: f.Feed, Published: f.Published, CVEs: f.CVEs}
		found = append(found, one)
	}
	return s.weighed(found)
}

// weighed puts the gravest first, and says what is known to be exploited.
func (s *Snapshot) weighed(found []assess.Finding) []assess.Finding {
	for i := range found {
		one := &found[i]
		for _, cve := range one.CVEs {
			if e, ok := s.exploited[cve]; ok && (one.Exploited.IsZero() || e.Added.Before(one.Exploited)) {
				one.Exploited = e.Added
			}
		}
	}
	slices.SortStableFunc(found, func(a, b assess.Finding) int {
		return cmp.Or(rank(b)-rank(a), advisory.CompareIDs(a.Advisory, b.Advisory))
	})
	return found
}

// rank puts what is open before what is not, what is exploited before what is grave.
func rank(f assess.Finding) int {
	n := slices.Index([]patch.Severity{patch.SeverityUnknown, patch.SeverityLow, patch.SeverityMedium, patch.SeverityHigh, patch.SeverityCritical}, f.Severity)
	if !f.Exploited.IsZero() {
		n += 10
	}
	if f.Status.Open() {
		n += 100
	}
	return n
}
