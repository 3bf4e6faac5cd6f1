package knowledge

import (
	"reflect"
	"slices"
	"sync/atomic"
	"time"

	"patchbay/server/catalog/match"
)

// Book has the snapshot that holds. The zero Book has none.
type Book struct{ now atomic.Pointer[Snapshot] }

// Current gives the snapshot that holds, nil before the first.
func (b *Book) Current() *Snapshot { return b.now.Load() }

// Touched is what a new snapshot says otherwise than the one before.
type Touched struct {
	All      bool              // there was none before
	Packages []match.Subjected // of which it says something else
	CVEs     []string          // that are exploited, and were not known to be, or the other way about
}

// Nothing reports whether it says the same.
func (t Touched) Nothing() bool { return !t.All && len(t.Packages)+len(t.CVEs) == 0 }

// Replace puts a snapshot in the place of the one that holds. What was worked out of items that
// it says the same of is taken over, so that only what is touched is worked out again.
func (b *Book) Replace(next *Snapshot) Touched {
	was := b.now.Load()
	if was == nil {
		b.now.Store(next)
		return Touched{All: true}
	}
	t := Touched{Packages: next.index.Differs(was.index), CVEs: exploitedOtherwise(next, was)}
	if !reflect.DeepEqual(next.microsoft.Documents, was.microsoft.Documents) {
		t.Packages = append(t.Packages, match.Subjected{Ecosystem: windows, Name: windows})
	}
	next.inherit(was, t)
	b.now.Store(next)
	return t
}

func exploitedOtherwise(a, b *Snapshot) []string {
	var list []string
	for id, e := range a.exploited {
		if old, ok := b.exploited[id]; !ok || !old.Added.Equal(e.Added) {
			list = append(list, id)
		}
	}
	for id := range b.exploited {
		if _, ok := a.exploited[id]; !ok {
			list = append(list, id)
		}
	}
	slices.Sort(list)
	return list
}

// inherit takes over what another snapshot worked out of items that nothing touched.
func (s *Snapshot) inherit(was *Snapshot, t Touched) {
	touched := map[match.Subjected]bool{}
	for _, p := range t.Packages {
		touched[p] = true
	}
	cves := map[string]bool{}
	for _, id := range t.CVEs {
		cves[id] = true
	}
	was.mu.RLock()
	defer was.mu.RUnlock()
	for k, found := range was.items {
		stays := !touched[match.Subjected{Ecosystem: k.release, Name: k.release}] &&
			!slices.ContainsFunc(s.index.Asked(k.release, k.item), func(p match.Subjected) bool { return touched[p] })
		for _, f := range found.List {
			stays = stays && !slices.ContainsFunc(f.CVEs, func(id string) bool { return cves[id] })
		}
		if stays {
			s.items[k] = found
		}
	}
}

// Feeds are the feeds that a snapshot was made of, and since when each holds.
func (s *Snapshot) Feeds() map[string]time.Time {
	at := map[string]time.Time{}
	for _, f := range s.feeds {
		at[f.Name] = f.At
	}
	return at
}
