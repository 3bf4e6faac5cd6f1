// Package surveyor goes through the feeds that hold for a product that somebody asks about.
//
// The one idea: it takes as long as reading the feeds does, so it is done once at a time beside
// everything else, tells how far it is, and what it found is kept for a while.
package surveyor

import (
	"bufio"
	"io"
	"log/slog"
	"slices"
	"sync"
	"time"

	"patchbay/server/catalog/survey"
	"patchbay/server/knowledge"
)

// The bounds of what is kept, and of what waits.
const (
	keep     = time.Hour
	mostKept = 100
	mostWait = 10
)

// State is how it stands with one product's survey.
type State struct {
	Done    bool
	At      time.Time // when it was done
	Survey  survey.Survey
	Feed    string // that is read at this moment; "" while others are before it
	Read    int    // feeds that were read
	Of      int
	Waiting bool
	Trouble string // why it could not be done: a sentence
}

// Surveyor does surveys, one at a time.
type Surveyor struct {
	Sources func() []knowledge.Source // what holds of all feeds
	Now     func() time.Time
	Log     *slog.Logger

	mu      sync.Mutex
	states  map[string]*State
	queue   []order
	working bool
}

// order is one survey that is to be made.
type order struct {
	name  string
	names []string
}

// Ask gives how it stands with a product's survey, and has it begun where there is none that is
// young. The names are those that feeds may call it by.
func (s *Surveyor) Ask(name string, names ...string) State {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.states == nil {
		s.states = map[string]*State{}
	}
	st := s.states[name]
	if st != nil && !(st.Done && s.Now().Sub(st.At) > keep) {
		return *st
	}
	if len(s.queue) >= mostWait {
		return State{Trouble: "Too many products are being looked for at once: ask again in a few minutes."}
	}
	s.forget()
	st = &State{Waiting: true}
	s.states[name] = st
	s.queue = append(s.queue, order{name, names})
	if !s.working {
		s.working = true
		go s.work()
	}
	return *st
}

// forget makes room: those that are done the longest go first. The caller holds the lock.
func (s *Surveyor) forget() {
	for len(s.states) >= mostKept {
		oldest := ""
		for name, st := range s.states {
			if st.Done && (oldest == "" || st.At.Before(s.states[oldest].At)) {
				oldest = name
			}
		}
		if oldest == "" {
			return
		}
		delete(s.states, oldest)
	}
}

// work makes the surveys that wait, then ends.
func (s *Surveyor) work() {
	for {
		s.mu.Lock()
		if len(s.queue) == 0 {
			s.working = false
			s.mu.Unlock()
			return
		}
		o := s.queue[0]
		s.queue = s.queue[1:]
		s.mu.Unlock()
		s.make(o)
	}
}

// make goes through the feeds for one product.
func (s *Surveyor) make(o order) {
	var sources []knowledge.Source
	for _, src := range s.Sources() {
		if survey.Order(src.Kind) >= 0 {
			sources = append(sources, src)
		}
	}
	slices.SortStableFunc(sources, func(a, b knowledge.Source) int { return survey.Order(a.Kind) - survey.Order(b.Kind) })
	g := survey.New(o.names...)
	trouble := ""
	for i, src := range sources {
		s.change(o.name, func(st *State) { st.Waiting, st.Feed, st.Read, st.Of = false, src.Name, i, len(sources) })
		err := src.Each(func(_ string, in io.Reader) error { return g.Read(src.Name, src.Kind, bufio.NewReaderSize(in, 1<<20)) })
		if err != nil {
			s.Log.Error("looking for a product in a feed", "feed", src.Name, "error", err)
			trouble = "The feed " + src.Name + " could not be read to its end: what it says is not all here."
		}
	}
	found := g.Survey()
	s.change(o.name, func(st *State) {
		*st = State{Done: true, At: s.Now(), Survey: found, Read: len(sources), Of: len(sources), Trouble: trouble}
	})
}

func (s *Surveyor) change(name string, with func(*State)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if st := s.states[name]; st != nil {
		next := *st
		with(&next)
		s.states[name] = &next
	}
}
