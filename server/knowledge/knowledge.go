// Package knowledge puts together what all feeds say, and answers what of it concerns an item
// that is installed.
//
// The one idea: what is equal costs once. A finding belongs to an item of a release, not to a
// device, so what was worked out for the first device that has it is what every other gets,
// and a new advisory touches only the items that it names. Where a finding stands in the queue
// also depends on the device, but only on what kind it is: there are a few kinds, and the same
// finding has one value for each kind that anybody has.
package knowledge

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"patchbay/server/assess"
	"patchbay/server/catalog/advisory"
	"patchbay/server/catalog/csaf"
	"patchbay/server/catalog/debian"
	"patchbay/server/catalog/endoflife"
	"patchbay/server/catalog/epss"
	"patchbay/server/catalog/kev"
	"patchbay/server/catalog/kinds"
	"patchbay/server/catalog/match"
	"patchbay/server/catalog/msrc"
	"patchbay/server/catalog/nvd"
	"patchbay/server/catalog/osv"
	"patchbay/server/catalog/priority"
	"patchbay/server/catalog/ssvc"
	"patchbay/server/catalog/support"
)

// Source is a feed in the version that holds.
type Source struct {
	Name string
	Kind string // as package kinds names it; those that say nothing of findings are passed over
	// Each gives every file of it, unpacked.
	Each func(func(name string, in io.Reader) error) error
}

// Snapshot is what all feeds say at one time. It does not change; several may ask at once.
type Snapshot struct {
	systems []string
	at      time.Time // when it was put together

	index     *match.Index
	microsoft msrc.Knowledge
	records   records
	exploited map[string]kev.Entry
	likely    *epss.Table // nil is none
	points    map[string]ssvc.Record

	microsoftFeed string // that microsoft is from
	exploitedFeed string // that exploited is from

	products *support.Products
	speakers map[string][]string // feeds, by ecosystem

	mu         sync.RWMutex
	items      map[key]*item // that somebody asked about
	sections   map[section]*Compared
	remembered int // the weight of sections
}

// key is all that decides what affects an item, and where that stands in the queue.
type key struct {
	release string
	item    match.Item
	context string          // of the host, as match has it
	on      priority.Device // of which there are few
}

// item is what was found of an item, and what sources say of each finding.
type item struct {
	found  *assess.Found
	scores [][]advisory.Score // by finding
}

// loading is a snapshot in the making.
type loading struct {
	*Snapshot
	builder   *match.Builder
	documents []msrc.Document
	ending    []endoflife.Product
}

// Load reads all sources, and keeps what is for systems that devices run ("debian:12"). A source
// that cannot be read is an error: half of what is known would show less than there is.
func Load(sources []Source, systems []string, now time.Time) (*Snapshot, error) {
	s := &Snapshot{systems: systems, at: now, exploited: map[string]kev.Entry{}, points: map[string]ssvc.Record{}, speakers: map[string][]string{}, items: map[key]*item{}, records: records{all: map[string]nvd.CVE{}}, sections: map[section]*Compared{}}
	l := &loading{Snapshot: s, builder: match.NewBuilder(keeps(systems))}
	for _, src := range sources {
		if err := src.Each(func(name string, in io.Reader) error { return l.read(src, name, bufio.NewReaderSize(in, 1<<20)) }); err != nil {
			return nil, fmt.Errorf("reading the feed %s: %w", src.Name, err)
		}
	}
	s.index, s.products = l.builder.Index(), support.NewProducts(l.ending)
	s.records.index()
	var err error
	if s.microsoft, err = msrc.Know(l.documents); err != nil {
		return nil, fmt.Errorf("reading Microsoft's documents: %w", err)
	}
	return s, nil
}

// keeps says which ecosystems are for the systems. Those of systems that nobody has would fill
// the memory.
func keeps(systems []string) func(ecosystem string) bool {
	var releases []string
	for _, system := range systems {
		if r, err := match.Release(system); err == nil {
			releases = append(releases, r)
		}
	}
	return func(ecosystem string) bool {
		return slices.ContainsFunc(releases, func(r string) bool { return match.Concerns(ecosystem, r) })
	}
}

// Systems are those that it keeps advisories for.
func (s *Snapshot) Systems() []string { return s.systems }

// read reads one file of a source.
func (l *loading) read(src Source, name string, in io.Reader) (err error) {
	add := func(a advisory.Advisory) error {
		a.Feed = src.Name
		l.hear(a)
		return l.builder.Add(a)
	}
	switch src.Kind {
	case kinds.OSV:
		_, err = osv.Read(in, add)
	case kinds.Debian:
		_, err = debian.Read(in, add)
	case kinds.CSAF:
		_, err = csaf.Read(in, func(d csaf.Document) error {
			if a, ok := d.Advisory(); ok {
				return add(a)
			}
			return nil
		})
	case kinds.MSRC:
		var d msrc.Document
		d, err = msrc.Read(name, in)
		l.documents, l.microsoftFeed = append(l.documents, d), src.Name
	case kinds.NVD:
		err = l.readNVD(src, in)
	case kinds.KEV:
		l.exploitedFeed = src.Name
		_, err = kev.Read(in, func(e kev.Entry) error {
			l.exploited[e.ID] = e
			return nil
		})
	case kinds.EndOfLife:
		err = l.ends(in)
	case kinds.EPSS:
		l.likely, _, err = epss.Collect(in)
	case kinds.SSVC:
		_, err = ssvc.Read(in, func(r ssvc.Record) error {
			l.points[r.CVE] = r
			return nil
		})
	}
	return err
}

// Count is how many advisories there are.
func (s *Snapshot) Count() int { return s.index.Count() }
