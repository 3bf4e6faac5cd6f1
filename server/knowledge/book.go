package knowledge

import (
	"reflect"
	"slices"
	"strings"
	"sync/atomic"

	"patchbay/server/assess"
	"patchbay/server/catalog/match"
	"patchbay/server/catalog/priority"
)

// Book has the snapshot that holds. The zero Book has none.
type Book struct{ now atomic.Pointer[Snapshot] }

// Current gives the snapshot that holds, nil before the first.
func (b *Book) Current() *Snapshot { return b.now.Load() }

// Touched is what a new snapshot says otherwise than the one before.
type Touched struct {
	All      bool              // there was none before
	Packages []match.Subjected // of which advisories say something else
	Found    []*assess.Found   // what was found before, and stands elsewhere in the queue now
}

// Nothing reports whether it says the same.
func (t Touched) Nothing() bool { return !t.All && len(t.Packages)+len(t.Found) == 0 }

// Replace puts a snapshot in the place of the one that holds. What was worked out of items that
// it says the same of is taken over, so that only what is touched is worked out again.
func (b *Book) Replace(next *Snapshot) Touched {
	was := b.now.Load()
	if was == nil {
		b.now.Store(next)
		return Touched{All: true}
	}
	t := Touched{Packages: next.index.Differs(was.index)}
	if !reflect.DeepEqual(next.microsoft.Documents, was.microsoft.Documents) {
		t.Packages = append(t.Packages, match.Subjected{Ecosystem: windows, Name: windows})
	}
	t.Packages = append(t.Packages, next.records.differs(&was.records)...)
	t.Found = next.inherit(was, t.Packages)
	b.now.Store(next)
	return t
}

// inherit takes over what another snapshot worked out of items that nothing touched, and gives
// those that stand elsewhere in the queue now. Scores that move every day and change no step
// move nothing.
func (s *Snapshot) inherit(was *Snapshot, packages []match.Subjected) (moved []*assess.Found) {
	touched := map[match.Subjected]bool{}
	for _, p := range packages {
		touched[p] = true
	}
	// The first scores of all are news of every finding.
	otherwise := (s.likely == nil) != (was.likely == nil) || (len(s.points) == 0) != (len(was.points) == 0)
	was.mu.RLock()
	defer was.mu.RUnlock()
	for k, one := range was.items {
		if slices.ContainsFunc(s.asked(k), func(p match.Subjected) bool { return touched[p] }) {
			continue
		}
		if otherwise || s.moves(one, k.on) {
			moved = append(moved, one.found)
			continue
		}
		s.items[k] = one
	}
	s.inheritSections(was, packages)
	return moved
}

// asked is what an item's findings are looked up under.
func (s *Snapshot) asked(k key) []match.Subjected {
	switch k.release {
	case windows:
		return []match.Subjected{{Ecosystem: windows, Name: windows}}
	case products:
		var list []match.Subjected
		for _, name := range strings.Fields(k.context)[1:] {
			list = append(list, match.Subjected{Ecosystem: products, Name: name})
		}
		return list
	}
	return s.index.Asked(k.release, k.item)
}

// moves reports whether any finding of an item is exploited, or to be mended, at another time.
func (s *Snapshot) moves(one *item, on priority.Device) bool {
	for i, f := range one.found.List {
		again := f
		s.weigh(&again, one.scores[i], on)
		if again.Step != f.Step || again.Severity != f.Severity || !again.Exploited.Equal(f.Exploited) {
			return true
		}
	}
	return false
}
