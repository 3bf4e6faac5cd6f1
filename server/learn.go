package server

import (
	"context"
	"io"
	"slices"

	"patchbay/server/catalog/match"
	"patchbay/server/knowledge"
)

// learn puts together what feeds say, each time that another version of one holds.
func (s *Server) learn(ctx context.Context) {
	for {
		changed := s.Keeper.Changed()
		s.relearn()
		select {
		case <-ctx.Done():
			return
		case <-changed:
		}
	}
}

// relearn reads what holds of all feeds, and makes the devices due that it says something else
// of. What cannot be read leaves what was known: it was read to its end before it came to hold.
func (s *Server) relearn() {
	var sources []knowledge.Source
	for _, c := range s.Keeper.Current() {
		sources = append(sources, knowledge.Source{Name: c.Name, Kind: c.Kind, At: c.FetchedAt, Each: func(f func(string, io.Reader) error) error {
			r, err := s.Keeper.Open(c.Name)
			if err != nil {
				return err
			}
			defer r.Close()
			return r.Each(f)
		}})
	}
	if len(sources) == 0 && s.book.Current() == nil {
		return
	}
	next, err := knowledge.Load(sources, s.Now())
	if err != nil {
		s.Log.Error("what feeds say could not be put together; what was known holds on", "error", err)
		return
	}
	touched := s.book.Replace(next)
	devices := s.touchedBy(touched)
	s.Log.Info("feeds were read", "feeds", len(sources), "advisories", next.Count(), "devices to look at again", len(devices))
	switch {
	case touched.All:
		s.Engine.DueAll()
	case len(devices) > 0:
		s.Engine.Due(devices...)
	}
}

// touchedBy are the devices that have what is told otherwise now.
func (s *Server) touchedBy(t knowledge.Touched) []string {
	devices := s.index.HoldingAny(t.Found...)
	for _, release := range s.index.Releases() {
		var names []string
		for _, p := range t.Packages {
			if match.Concerns(p.Ecosystem, release) {
				names = append(names, p.Name)
			}
		}
		devices = append(devices, s.index.Having(release, names...)...)
	}
	slices.Sort(devices)
	return slices.Compact(devices)
}
