package api

import "sync"

const (
	maxStreams    = 500 // pages listening for events at the same time
	maxOwnStreams = 24  // of them one person's
)

// streams counts who listens, so that nobody's pages, and no leaked key, keep the others out.
type streams struct {
	mu  sync.Mutex
	all int
	of  map[string]int // by person
}

func newStreams() *streams { return &streams{of: map[string]int{}} }

// enter takes a place for a person; leave gives it back. The refusal says which limit is met.
func (s *streams) enter(person string) (leave func(), refusal *Problem) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.of[person] >= maxOwnStreams:
		refusal = problem(429, "You have too many pages open that listen for changes. Close some and reload.")
	case s.all >= maxStreams:
		refusal = problem(503, "Too many pages listen at the same time. Close some and reload.")
	}
	if refusal != nil {
		refusal.wait = 30
		return nil, refusal
	}
	s.all++
	s.of[person]++
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.all--
		if s.of[person]--; s.of[person] == 0 {
			delete(s.of, person)
		}
	}, nil
}
