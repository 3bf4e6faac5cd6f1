package knowledge

import (
	"cmp"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"patchbay/server/assess"
	"patchbay/server/bulletin"
	"patchbay/server/catalog/advisory"
	"patchbay/server/catalog/match"
	"patchbay/server/catalog/msrc"
	"patchbay/server/catalog/nvd"
	"patchbay/server/catalog/priority"
)

// Said is all that the feeds say and that may be news: advisories and their fixes by feed and
// release, what is exploited, what does not wait any more, and Microsoft's updates.
func (s *Snapshot) Said() iter.Seq[bulletin.Said] {
	return func(yield func(bulletin.Said) bool) {
		on := true
		say := func(one bulletin.Said) { on = on && yield(one) }
		s.sayAdvisories(say)
		s.sayRecords(say)
		s.sayExploited(say)
		s.sayMicrosoft(say)
	}
}

// sayAdvisories tells of advisories, of their fixes, and of how soon they are to be mended. What
// is first read for a release, or scored for the first time, is a source of its own.
func (s *Snapshot) sayAdvisories(say func(bulletin.Said)) {
	by := s.scoredBy()
	soon := map[*advisory.Advisory]bool{}
	s.index.Each(func(m match.Said) {
		a, f := m.Advisory, m.Affected
		if f.State == advisory.NotAffected || f.State == advisory.Unimportant {
			return
		}
		of := func(kind bulletin.Kind) func(func(string) bool) bulletin.Bulletin {
			return func(func(string) bool) bulletin.Bulletin {
				return bulletin.Bulletin{ID: a.ID, Kind: kind, Feed: a.Feed, Title: a.Summary, CVEs: a.CVEs(), Published: a.Published}
			}
		}
		say(bulletin.Said{Source: "advisories of " + m.Ecosystem + " in " + a.Feed, Key: a.ID, News: of(bulletin.New)})
		is, told := soon[a]
		if !told {
			is = s.soon(a.CVEs(), m.Scores, a.Published)
			soon[a] = is
		}
		mended := slices.ContainsFunc(f.Ranges, func(r advisory.Range) bool { return r.Fixed != "" })
		when(say, mended, bulletin.Said{Source: "fixes of " + m.Ecosystem + " in " + a.Feed, Key: a.ID + " " + m.Name, News: of(bulletin.Fixed)})
		when(say, is, bulletin.Said{Source: "urgent of " + m.Ecosystem + " in " + a.Feed + by, Key: a.ID, News: of(bulletin.Raised)})
	})
}

// sayRecords tells of NVD's records of programs that are known.
func (s *Snapshot) sayRecords(say func(bulletin.Said)) {
	by := s.scoredBy()
	for id, c := range s.records.all {
		of := func(kind bulletin.Kind) func(func(string) bool) bulletin.Bulletin {
			return func(func(string) bool) bulletin.Bulletin {
				return bulletin.Bulletin{ID: id, Kind: kind, Feed: s.records.feed, Title: cmp.Or(c.Summary, programsOf(c)), CVEs: []string{id}, Published: c.Published}
			}
		}
		say(bulletin.Said{Source: "records in " + s.records.feed, Key: id, News: of(bulletin.New)})
		when(say, s.soon([]string{id}, c.All(), c.Published), bulletin.Said{Source: "urgent in " + s.records.feed + by, Key: id, News: of(bulletin.Raised)})
	}
}

// programsOf names the products that a record is about, as NVD calls them.
func programsOf(c nvd.CVE) string {
	products := slices.Clone(c.Products())
	slices.Sort(products)
	products = slices.Compact(products)
	return "NVD on " + strings.Join(products[:min(len(products), 3)], ", ")
}

// when says something that holds. Otherwise it says that its source was read: the first of it
// that comes later is news.
func when(say func(bulletin.Said), holds bool, one bulletin.Said) {
	if !holds {
		one.Key, one.News = "", nil
	}
	say(one)
}

// scoredBy names what there is to weigh findings by: with more of it, much is raised at once,
// and none of that is news.
func (s *Snapshot) scoredBy() string {
	return fmt.Sprintf(", by exploitation %v, EPSS %v, SSVC %v", len(s.exploited) > 0, s.likely != nil, len(s.points) > 0)
}

// soon reports whether something is to be mended before its turn. That attackers use it is told
// by itself.
func (s *Snapshot) soon(cves []string, scores []advisory.Score, published time.Time) bool {
	if slices.ContainsFunc(cves, func(cve string) bool { _, ok := s.exploited[cve]; return ok }) {
		return false
	}
	f := assess.Finding{CVEs: cves, Published: published}
	s.weigh(&f, scores, priority.Device{})
	return f.Step == priority.OutOfCycle.String() || f.Step == priority.Immediate.String()
}

// sayExploited tells of what attackers are known to use, whatever anybody here has.
func (s *Snapshot) sayExploited(say func(bulletin.Said)) {
	for id, e := range s.exploited {
		say(bulletin.Said{Source: "exploited in " + s.exploitedFeed, Key: id, News: func(func(string) bool) bulletin.Bulletin {
			b := bulletin.Bulletin{ID: id, Kind: bulletin.Exploited, Feed: s.exploitedFeed, Title: e.Title, Published: e.Added}
			if advisory.IsCVE(id) {
				b.CVEs = []string{id}
			}
			return b
		}})
	}
}

// microsoft is what is known of one update of Microsoft's.
type microsoft struct {
	document          string
	cves              []string
	released, revised time.Time // the first days that anything about it names
}

// sayMicrosoft tells of updates, put together by the day on which they came out.
func (s *Snapshot) sayMicrosoft(say func(bulletin.Said)) {
	updates := map[string]*microsoft{}
	s.microsoft.Fixes(func(f msrc.Fix) {
		u := updates[f.KB]
		if u == nil {
			u = &microsoft{document: f.Document}
			updates[f.KB] = u
		}
		if !slices.Contains(u.cves, f.CVE) {
			u.cves = append(u.cves, f.CVE)
		}
		u.released, u.revised = earlier(u.released, f.Released), earlier(u.revised, f.Revised)
	})
	source := "updates of Microsoft in " + s.microsoftFeed
	cves := map[string]bool{}
	for kb, u := range updates {
		say(bulletin.Said{Source: source, Key: "KB" + kb, News: func(known func(string) bool) bulletin.Bulletin {
			b := u.bulletin(slices.ContainsFunc(u.cves, known))
			b.Feed, b.Updates = s.microsoftFeed, []string{"KB" + kb}
			return b
		}})
		for _, cve := range u.cves {
			cves[cve] = true
		}
	}
	for cve := range cves { // no news by themselves: whether they were known says when an update came out
		say(bulletin.Said{Source: source, Key: cve})
	}
}

// bulletin is of the month where the update came out on Microsoft's day, and of its own day
// otherwise. For what was known before an update came, it came with the last change about it.
func (u *microsoft) bulletin(knownBefore bool) bulletin.Bulletin {
	at := u.released
	if knownBefore && !u.revised.IsZero() {
		at = u.revised
	}
	b := bulletin.Bulletin{ID: u.document, Kind: bulletin.Monthly, Title: "Microsoft's security updates of " + u.document, CVEs: slices.Clone(u.cves), Published: at}
	if !at.IsZero() && !msrc.Monthly(at) {
		day := msrc.Day(at)
		b.ID, b.Kind = u.document+"-"+day.Format("02"), bulletin.OutOfBand
		b.Title = fmt.Sprintf("Microsoft's security updates of %s, outside its monthly day", day.Format("2 January 2006"))
	}
	return b
}

func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// SaidOf is what recalls of these feeds say that may be news.
func SaidOf(feeds []string, recalls *assess.Recalls) iter.Seq[bulletin.Said] {
	return func(yield func(bulletin.Said) bool) {
		for _, feed := range feeds { // also one that says nothing yet: its first recall is news
			if !yield(bulletin.Said{Source: "recalls in " + feed}) {
				return
			}
		}
		for _, r := range recalls.All() {
			kind := bulletin.Trouble
			if r.Back {
				kind = bulletin.Recalled
			}
			said := bulletin.Said{Source: "recalls in " + r.Feed, Key: r.ID, News: func(func(string) bool) bulletin.Bulletin {
				return bulletin.Bulletin{ID: r.ID, Kind: kind, Feed: r.Feed, Title: r.Trouble, Updates: []string{named(r)}, Published: r.Since}
			}}
			if !yield(said) {
				return
			}
		}
	}
}

// named is how people call what a recall is about.
func named(r assess.Recall) string {
	if r.KB != "" {
		return r.KB
	}
	if len(r.Versions) == 1 {
		return r.Name + " " + r.Versions[0]
	}
	return r.Name
}
