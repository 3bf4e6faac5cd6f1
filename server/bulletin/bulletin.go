// Package bulletin decides what of all that feeds say is news.
//
// The one idea: what was seen once is never news again. Of each source, which is a feed and a
// part of it that is counted by itself, hashes are kept of all that it said; what is not among
// them is news. What stands in a source when it is read for the first time is none: a list of
// ten thousand old advisories tells nobody anything. The package is pure.
package bulletin

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"iter"
	"maps"
	"slices"
	"strings"
	"time"
)

// Kind says what the news is.
type Kind string

// The kinds.
const (
	New       Kind = "new"         // an advisory that was not there before
	Fixed     Kind = "fixed"       // a fix is published for what had none
	Exploited Kind = "exploited"   // attackers are known to use it
	Raised    Kind = "raised"      // it does not wait for its turn any more
	Monthly   Kind = "monthly"     // Microsoft's updates of a month
	OutOfBand Kind = "out-of-band" // Microsoft's updates of another day
	Recalled  Kind = "recalled"    // whoever made an update took it back
	Trouble   Kind = "trouble"     // an update is known to make trouble
)

// Kinds lists the kinds: of two that are news of one thing at once, the first is told.
func Kinds() []Kind {
	return []Kind{Recalled, Trouble, Exploited, OutOfBand, Monthly, New, Raised, Fixed}
}

// Bulletin is one piece of news.
type Bulletin struct {
	ID        string // a CVE number, the ID of an advisory, a month or day of Microsoft's, or a recall's
	Kind      Kind
	Feed      string
	Title     string
	CVEs      []string // that it stands for
	Updates   []string // names of the updates that it brings, or that it is about
	Published time.Time
	SeenAt    time.Time // when it was first seen here
}

// Said is one thing that a source says.
type Said struct {
	Source string
	Key    string // of the thing, among those of its source
	// News makes the bulletin; nil where the thing is none by itself. known tells what the source
	// said before.
	News func(known func(key string) bool) Bulletin
}

// Known is what was seen of one source.
type Known struct {
	Sums  []uint64 // sorted
	Since time.Time
	Read  time.Time // when it was last read, to the day
}

// The bounds of what is kept.
const (
	// Keep is how long a bulletin is kept.
	Keep = 180 * 24 * time.Hour
	// Most is how many are kept.
	Most = 5000
	// mostAtOnce is how many are told of one reading.
	mostAtOnce = 1000
	// mostSums is how much is kept of a source; beyond it, only what it says now.
	mostSums = 2_000_000
	// forgotten is after how long a source that nobody read is one that is read for the first time.
	forgotten = 100 * 24 * time.Hour
	aDay      = 24 * time.Hour
	// mostNames is how many CVEs or updates a bulletin names.
	mostNames = 500
)

// News compares what sources say with what they said before. It gives what is new, the most
// urgent first, and what is known from now on of the sources of which that changed.
func News(known map[string]Known, said iter.Seq[Said], now time.Time) ([]Bulletin, map[string]Known) {
	found, seen := map[key]Bulletin{}, map[string]*source{}
	for s := range said {
		src := seen[s.Source]
		if src == nil {
			src = open(known[s.Source], now)
			seen[s.Source] = src
		}
		sum := Sum(s.Key)
		src.all = append(src.all, sum)
		if src.has(sum) || src.came[sum] {
			continue
		}
		src.came[sum] = true
		if src.first || s.News == nil {
			continue
		}
		b := s.News(func(key string) bool { return src.has(Sum(key)) })
		b.SeenAt = now
		k := key{b.ID, b.Kind, b.Feed}
		if old, ok := found[k]; ok {
			b = old.with(b)
		}
		found[k] = b
	}
	next := map[string]Known{}
	for name, src := range seen {
		if after, changed := src.close(now); changed {
			next[name] = after
		}
	}
	return pick(found), next
}

// Sum is the hash by which a thing is known.
func Sum(key string) uint64 {
	sum := sha256.Sum256([]byte(key))
	return binary.BigEndian.Uint64(sum[:])
}

// key is what makes two bulletins one.
type key struct {
	id   string
	kind Kind
	feed string
}

// with adds what another bulletin of the same says.
func (b Bulletin) with(more Bulletin) Bulletin {
	b.CVEs, b.Updates = Union(b.CVEs, more.CVEs), Union(b.Updates, more.Updates)
	if b.Published.IsZero() || !more.Published.IsZero() && more.Published.Before(b.Published) {
		b.Published = more.Published
	}
	b.Title = cmp.Or(b.Title, more.Title)
	return b
}

// Union puts names together, sorted, as many as a bulletin names.
func Union(a, b []string) []string {
	all := slices.Concat(a, b)
	slices.Sort(all)
	all = slices.Compact(all)
	return all[:min(len(all), mostNames)]
}

// pick leaves one bulletin of what is news in several ways at once, and the most urgent of too
// many.
func pick(found map[key]Bulletin) []Bulletin {
	var list []Bulletin
	best := map[string]int{} // by ID, of what is told of it
	for k := range found {
		if at, ok := best[k.id]; !ok || rank(k.kind) < at {
			best[k.id] = rank(k.kind)
		}
	}
	for k, b := range found {
		// That a new advisory has a fix, or does not wait, is part of its news.
		if part := k.kind == Fixed || k.kind == Raised; !part || best[k.id] == rank(k.kind) {
			list = append(list, b)
		}
	}
	slices.SortFunc(list, func(a, b Bulletin) int {
		return cmp.Or(cmp.Compare(rank(a.Kind), rank(b.Kind)), b.Published.Compare(a.Published), strings.Compare(a.ID, b.ID), strings.Compare(a.Feed, b.Feed))
	})
	return list[:min(len(list), mostAtOnce)]
}

func rank(k Kind) int { return slices.Index(Kinds(), k) }

// source is one source while it is read.
type source struct {
	Known
	first bool // it is read for the first time
	came  map[uint64]bool
	all   []uint64 // that it says now
}

func open(k Known, now time.Time) *source {
	s := &source{Known: k, came: map[uint64]bool{}}
	if s.first = k.Since.IsZero() || now.Sub(k.Read) > forgotten; s.first {
		s.Since = now
	}
	return s
}

func (s *source) has(sum uint64) bool {
	_, ok := slices.BinarySearch(s.Sums, sum)
	return ok
}

// close is what is known of it from now on, and whether that is to be written down.
func (s *source) close(now time.Time) (Known, bool) {
	if !s.first && len(s.came) == 0 && now.Sub(s.Read) < aDay {
		return s.Known, false
	}
	if len(s.Sums)+len(s.came) > mostSums {
		s.Sums = s.all
	} else {
		s.Sums = slices.Concat(s.Sums, slices.Collect(maps.Keys(s.came)))
	}
	slices.Sort(s.Sums)
	s.Sums, s.Read = slices.Compact(s.Sums), now
	return s.Known, true
}
