// Package survey goes through feeds for one product, also one that no device has: how often it
// is mended, how fast, who says so, and what attackers use.
//
// The one idea: the feeds are read as a stream, a record at a time, and only what counts for the
// answer is kept. Nothing of a product that nobody asks about takes memory.
package survey

import (
	"io"
	"regexp"
	"slices"
	"strings"
	"time"

	"patchbay/server/catalog/advisory"
	"patchbay/server/catalog/csaf"
	"patchbay/server/catalog/debian"
	"patchbay/server/catalog/kev"
	"patchbay/server/catalog/kinds"
	"patchbay/server/catalog/nvd"
	"patchbay/server/catalog/osv"
)

// The bounds of what is kept of one product.
const (
	mostCVEs     = 50_000
	mostPackages = 200
	mostUsed     = 200
)

// Year counts what came out in one.
type Year struct {
	Year       int
	Advisories int
	Mending    int // of these, with a version that mends it
}

// Heard is what one feed said of the product.
type Heard struct {
	Feed, Kind  string
	Advisories  int
	First, Last time.Time
}

// Survey is what feeds say of one product.
type Survey struct {
	Years    []Year // the newest first
	Undated  int    // advisories without a day
	Feeds    []Heard
	Packages []string // names that were taken for it, sorted
	CVEs     int
	Speed    Speed
	Used     []kev.Entry // by attackers, the newest first
	Cut      bool        // there is more than is kept
}

// Speed is how long it took from a CVE to the first advisory of a publisher that mends it.
type Speed struct {
	Known  int // CVEs of which both days are told
	Of     int // CVEs that an advisory mends
	Median int // days
	Slow   int // nine of ten were faster, in days
	Before int // of those known, mended before or on the day that they were told
}

// Gatherer gathers it. The advisories are to be read before the records of CVEs and what is used.
type Gatherer struct {
	names map[string]bool

	ids      map[string]bool
	years    map[int]*Year
	undated  int
	feeds    map[string]*Heard
	packages map[string]bool
	mended   map[string]time.Time // by CVE: the first advisory that mends it and has a day of its own; zero without
	told     map[string]time.Time // by CVE: when it was published
	used     []kev.Entry
	cut      bool
}

// New gathers for a product by its names.
func New(names ...string) *Gatherer {
	g := &Gatherer{names: map[string]bool{}, ids: map[string]bool{}, years: map[int]*Year{}, feeds: map[string]*Heard{}, packages: map[string]bool{},
		mended: map[string]time.Time{}, told: map[string]time.Time{}}
	for _, n := range names {
		if n = plain(n); n != "" {
			g.names[n] = true
		}
	}
	return g
}

// plain is a name as feeds and people write it in several ways: PostgreSQL, 7_zip, "SQL Server".
func plain(name string) string {
	return strings.NewReplacer("_", "-", " ", "-").Replace(strings.ToLower(strings.TrimSpace(name)))
}

// numbered is what packages of several versions have behind their name.
var numbered = regexp.MustCompile(`-?[0-9]+(\.[0-9]+)*$`)

// is reports whether a package or product is called so: by the name itself, or with a version
// behind it, as postgresql-15.
func (g *Gatherer) is(name string) bool {
	name = plain(name)
	return g.names[name] || g.names[numbered.ReplaceAllString(name, "")]
}

// Order says when a kind of feed is to be read: the lower first; those below zero say nothing of
// products.
func Order(kind string) int {
	switch kind {
	case kinds.OSV, kinds.Debian, kinds.CSAF:
		return 0
	case kinds.NVD:
		return 1
	case kinds.KEV:
		return 2
	}
	return -1
}

// Read reads one file of a feed.
func (g *Gatherer) Read(feed, kind string, in io.Reader) (err error) {
	add := func(a advisory.Advisory) error {
		g.advisory(feed, kind, a)
		return nil
	}
	switch kind {
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
	case kinds.NVD:
		_, err = nvd.Read(in, func(c nvd.CVE) error {
			g.record(feed, kind, c)
			return nil
		})
	case kinds.KEV:
		_, err = kev.Read(in, func(e kev.Entry) error {
			g.exploited(e)
			return nil
		})
	}
	return err
}

// advisory takes one in that names the product.
func (g *Gatherer) advisory(feed, kind string, a advisory.Advisory) {
	if !a.Withdrawn.IsZero() {
		return
	}
	named, mends := false, false
	for i := range a.Affected {
		f := &a.Affected[i]
		if !g.is(f.Name) {
			continue
		}
		named = true
		g.pack(f.Name)
		mends = mends || slices.ContainsFunc(f.Ranges, func(r advisory.Range) bool { return r.Fixed != "" })
	}
	if !named || g.ids[a.ID] || g.full() {
		return
	}
	g.ids[a.ID] = true
	cves := a.CVEs()
	var day time.Time // of its own, where it is not the record of the CVE itself
	if len(cves) > 0 && !strings.HasSuffix(a.ID, cves[0]) {
		day = a.Published
	}
	for _, cve := range cves {
		first, ok := g.mended[cve]
		if mends && (!ok || !day.IsZero() && (first.IsZero() || day.Before(first))) {
			g.mended[cve] = day
		}
	}
	g.hear(feed, kind, a.Published)
	g.year(a.Published, mends)
	for _, cve := range cves {
		if _, ok := g.told[cve]; !ok {
			g.told[cve] = time.Time{}
		}
	}
}

func (g *Gatherer) pack(name string) {
	if len(g.packages) < mostPackages {
		g.packages[name] = true
	}
}

func (g *Gatherer) full() bool {
	g.cut = g.cut || len(g.ids) >= mostCVEs || len(g.told) >= mostCVEs
	return g.cut
}

// hear counts what a feed says.
func (g *Gatherer) hear(feed, kind string, at time.Time) {
	h := g.feeds[feed]
	if h == nil {
		h = &Heard{Feed: feed, Kind: kind}
		g.feeds[feed] = h
	}
	h.Advisories++
	if !at.IsZero() && (h.First.IsZero() || at.Before(h.First)) {
		h.First = at
	}
	if at.After(h.Last) {
		h.Last = at
	}
}

// year counts one advisory by its year.
func (g *Gatherer) year(at time.Time, mends bool) {
	if at.IsZero() {
		g.undated++
		return
	}
	y := g.years[at.Year()]
	if y == nil {
		y = &Year{Year: at.Year()}
		g.years[at.Year()] = y
	}
	y.Advisories++
	if mends {
		y.Mending++
	}
}

// record takes in when a CVE was published, and one that names the product and that no advisory
// named.
func (g *Gatherer) record(feed, kind string, c nvd.CVE) {
	_, known := g.told[c.ID]
	if known {
		g.told[c.ID] = c.Published
	}
	named := ""
	for _, key := range c.Products() {
		if _, product, _ := strings.Cut(key, ":"); g.is(product) {
			named = key
		}
	}
	if named == "" || g.full() {
		return
	}
	g.pack(named)
	g.told[c.ID] = c.Published
	if g.ids[feed+" "+c.ID] {
		return
	}
	g.ids[feed+" "+c.ID] = true
	g.hear(feed, kind, c.Published)
	if !known { // otherwise an advisory of its publisher counts
		g.year(c.Published, false)
	}
}

// exploited takes in what attackers use: by the CVE, or by the product's own name there.
func (g *Gatherer) exploited(e kev.Entry) {
	if _, ok := g.told[e.ID]; (ok || g.is(e.Product)) && len(g.used) < mostUsed {
		g.used = append(g.used, e)
	}
}

// Survey is what was gathered.
func (g *Gatherer) Survey() Survey {
	s := Survey{Undated: g.undated, CVEs: len(g.told), Speed: g.speed(), Used: g.used, Cut: g.cut}
	for _, y := range g.years {
		s.Years = append(s.Years, *y)
	}
	slices.SortFunc(s.Years, func(a, b Year) int { return b.Year - a.Year })
	for _, h := range g.feeds {
		s.Feeds = append(s.Feeds, *h)
	}
	slices.SortFunc(s.Feeds, func(a, b Heard) int { return strings.Compare(a.Feed, b.Feed) })
	for name := range g.packages {
		s.Packages = append(s.Packages, name)
	}
	slices.Sort(s.Packages)
	slices.SortStableFunc(s.Used, func(a, b kev.Entry) int { return b.Added.Compare(a.Added) })
	return s
}

// speed is how long mending took, where both days are told.
func (g *Gatherer) speed() Speed {
	s := Speed{Of: len(g.mended)}
	var days []int
	for cve, mended := range g.mended {
		told := g.told[cve]
		if mended.IsZero() || told.IsZero() {
			continue
		}
		d := max(0, int(mended.Sub(told).Hours()/24))
		if !mended.After(told) {
			s.Before++
		}
		days = append(days, d)
	}
	if s.Known = len(days); s.Known > 0 {
		slices.Sort(days)
		s.Median, s.Slow = days[len(days)/2], days[min(len(days)-1, len(days)*9/10)]
	}
	return s
}
