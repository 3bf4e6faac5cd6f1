package server

import (
	"context"
	"io"
	"slices"
	"time"

	"patchbay/server/catalog/match"
	"patchbay/server/knowledge"
)

// lookForSystems is how often it is looked whether a device runs what nobody ran before.
const lookForSystems = 5 * time.Second

// learn puts together what feeds say, each time that another version of one holds, and when a
// device runs a system that advisories were not kept for.
func (s *Server) learn(ctx context.Context) {
	look := time.NewTicker(lookForSystems)
	defer look.Stop()
	changed := s.Keeper.Changed()
	for again := true; ; {
		if again {
			changed = s.Keeper.Changed()
			s.relearn()
		}
		select {
		case <-ctx.Done():
			return
		case <-changed:
			again = true
		case <-look.C:
			again = s.newSystems()
		}
	}
}

// newSystems reports whether devices run what advisories are not kept for.
func (s *Server) newSystems() bool {
	known := s.book.Current()
	return slices.ContainsFunc(s.index.Systems(), func(system string) bool {
		return known == nil || !slices.Contains(known.Systems(), system)
	}) && len(s.Keeper.Current()) > 0
}

// relearn reads what holds of all feeds, and makes the devices due that it says something else
// of. What cannot be read leaves what was known: it was read to its end before it came to hold.
func (s *Server) relearn() {
	sources := s.sources()
	systems := s.index.Systems()
	if s.book.Current() == nil && (len(sources) == 0 || len(systems) == 0) {
		return
	}
	next, err := knowledge.Load(sources, systems, s.Now())
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

// sources are what holds of all feeds.
func (s *Server) sources() []knowledge.Source {
	var sources []knowledge.Source
	for _, c := range s.Keeper.Current() {
		sources = append(sources, knowledge.Source{Name: c.Name, Kind: c.Kind, Each: func(f func(string, io.Reader) error) error {
			r, err := s.Keeper.Open(c.Name)
			if err != nil {
				return err
			}
			defer r.Close()
			return r.Each(f)
		}})
	}
	return sources
}
