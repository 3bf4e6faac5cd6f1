package content

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"patchbay/server/store"
)

// candidate is a file that might go.
type candidate struct {
	sha256 string
	size   int64
	used   time.Time // last, or added
	stays  bool      // something needs it
}

// chosen gives what goes to gain so many bytes: what was used least recently, never what
// stays, and nothing where all that may go does not suffice.
func chosen(all []candidate, gain int64) (go_ []candidate, ok bool) {
	if gain <= 0 {
		return nil, true
	}
	for _, c := range inTurn(all) {
		if go_, gain = append(go_, c), gain-c.size; gain <= 0 {
			return go_, true
		}
	}
	return nil, false
}

// inTurn are those that may go, in the order in which they do.
func inTurn(all []candidate) []candidate {
	may := slices.DeleteFunc(slices.Clone(all), func(c candidate) bool { return c.stays })
	slices.SortFunc(may, func(a, b candidate) int { return cmp.Or(a.used.Compare(b.used), cmp.Compare(a.sha256, b.sha256)) })
	return may
}

// takeTurns says of each entry when it would go, in the order in which chosen takes them.
func takeTurns(entries []Entry, all []candidate) {
	turns := map[string]int{}
	for i, c := range inTurn(all) {
		turns[c.sha256] = i + 1
	}
	for i := range entries {
		e := &entries[i]
		e.Turn = turns[e.SHA256]
		e.Young = e.Turn == 0 && e.Needed() == ""
	}
}

// reserve takes room for a file that is about to be written, and removes others for it where
// that is needed. leave gives the room back, once the file counts by itself.
func (s *Shelf) reserve(ctx context.Context, sha256 string, size int64) (leave func(), err error) {
	s.mu.Lock() // whoever comes meanwhile sees the room as taken
	s.reserved += size
	s.mu.Unlock()
	leave = func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.reserved -= size
	}
	if err := s.makeRoom(ctx, sha256, size); err != nil {
		leave()
		return nil, err
	}
	return leave, nil
}

// makeRoom removes what may go until all that is here and coming is within the budget, and
// the disk has so much free.
func (s *Shelf) makeRoom(ctx context.Context, coming string, size int64) error {
	kept := map[string]bool{coming: true} // and what turned out to be needed
	for {
		entries, u, err := s.List(ctx)
		if err != nil {
			return err
		}
		gain := u.Used + u.Coming - s.Budget
		free, err := s.Free()
		if err != nil {
			return fmt.Errorf("asking how much of the disk is free: %w", err)
		}
		gain = max(gain, size+keepFree-free)
		victims, ok := chosen(s.candidates(entries, kept), gain)
		if !ok {
			return refuse(ErrFull, "There is no room for it: %s are needed, %s of %s are used, %s of the disk are free, and too little may go. Remove what is not needed, or give the server a larger --content-budget.",
				amount(size), amount(u.Used), amount(s.Budget), amount(free))
		}
		if len(victims) == 0 {
			return nil
		}
		for _, v := range victims {
			err := s.remove(ctx, store.Who{ID: "system", Name: "The server"}, v.sha256, true)
			switch {
			case err == nil:
				s.Log.Info("content was removed to make room", "sha256", v.sha256, "size", v.size)
			case errors.Is(err, ErrNeeded):
				kept[v.sha256] = true
			case !errors.Is(err, store.ErrNotFound):
				return err // otherwise the next look sees that it is gone
			}
		}
	}
}

func (s *Shelf) candidates(entries []Entry, kept map[string]bool) []candidate {
	now := s.Now()
	all := make([]candidate, 0, len(entries))
	for _, e := range entries {
		c := candidate{sha256: e.SHA256, size: e.Size, used: e.AddedAt}
		if e.UsedAt != nil && e.UsedAt.After(c.used) {
			c.used = *e.UsedAt
		}
		c.stays = e.Needed() != "" || kept[e.SHA256] || now.Sub(e.AddedAt) < young
		all = append(all, c)
	}
	return all
}

// amount is a size as people read it.
func amount(n int64) string {
	for _, unit := range []struct {
		name string
		size int64
	}{{"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}} {
		if n >= unit.size {
			return fmt.Sprintf("%.1f %s", float64(n)/float64(unit.size), unit.name)
		}
	}
	return fmt.Sprintf("%d bytes", n)
}
