package fleet

import (
	"cmp"
	"container/heap"
	"slices"
	"strings"
	"time"

	"patchbay/server/view"
)

// sheet gathers the rows of one page while all rows pass by: it counts every one and keeps
// only as many as the page shows, so that a page of a long list costs no sorting of it.
type sheet[T any] struct {
	rows       []row[T] // a heap while full, the last row of the page on top
	after      view.Cursor
	most       int // rows kept: one more than the page shows, to know whether there is another
	total      int
	descending bool
}

// row is one line of a list before what it shows is built: its place in the order and
// what it stands for.
type row[T any] struct {
	key, id string
	of      T
}

func newSheet[T any](f view.Filter, descending bool) *sheet[T] {
	s := &sheet[T]{after: f.After, descending: descending}
	if f.Limit > 0 {
		s.most = f.Limit + 1
	}
	return s
}

func (s *sheet[T]) compare(ak, aid, bk, bid string) int {
	c := strings.Compare(ak, bk)
	if s.descending {
		c = -c
	}
	return cmp.Or(c, strings.Compare(aid, bid))
}

// add counts a row and keeps it when it may be on the page.
func (s *sheet[T]) add(key, id string, of T) {
	s.total++
	switch {
	case s.after != (view.Cursor{}) && s.compare(key, id, s.after.Key, s.after.ID) <= 0:
	case s.most == 0 || len(s.rows) < s.most:
		s.rows = append(s.rows, row[T]{key, id, of})
		if len(s.rows) == s.most {
			heap.Init(s)
		}
	case s.compare(key, id, s.rows[0].key, s.rows[0].id) < 0:
		s.rows[0] = row[T]{key, id, of}
		heap.Fix(s, 0)
	}
}

// Len, Less, Swap, Push and Pop make the rows a heap with the last of them on top.
func (s *sheet[T]) Len() int { return len(s.rows) }
func (s *sheet[T]) Less(i, j int) bool {
	return s.compare(s.rows[i].key, s.rows[i].id, s.rows[j].key, s.rows[j].id) > 0
}
func (s *sheet[T]) Swap(i, j int) { s.rows[i], s.rows[j] = s.rows[j], s.rows[i] }

// Push and Pop are never called: a full sheet only replaces.
func (s *sheet[T]) Push(any) {}

// Pop is never called either.
func (s *sheet[T]) Pop() any { return nil }

// page builds what the page shows.
func page[T, V any](s *sheet[T], now time.Time, show func(T) V) view.Page[V] {
	slices.SortFunc(s.rows, func(a, b row[T]) int { return s.compare(a.key, a.id, b.key, b.id) })
	shown := view.Page[V]{Total: s.total, AsOf: now}
	rows := s.rows
	if s.most > 0 && len(rows) == s.most {
		rows = rows[:s.most-1]
		last := rows[len(rows)-1]
		shown.NextCursor = view.Cursor{Key: last.key, ID: last.id}
	}
	shown.Items = make([]V, 0, len(rows))
	for _, r := range rows {
		shown.Items = append(shown.Items, show(r.of))
	}
	return shown
}
