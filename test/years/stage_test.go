package years

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing/synctest"
	"time"
)

// stage lets one actor act at a time. An actor has the turn until it sleeps; what it does
// through the network and the machine happens in its turn.
type stage struct {
	rng *rand.Rand

	mu      sync.Mutex
	waiting []*turn
	holder  string // who has the turn; "" nobody
	actors  int    // who are still there
	began   int    // who ever were
	signal  chan struct{}
}

type turn struct {
	name string
	come chan struct{}
}

func newStage(rng *rand.Rand) *stage { return &stage{rng: rng, signal: make(chan struct{}, 1)} }

func (s *stage) ring() {
	select {
	case s.signal <- struct{}{}:
	default:
	}
}

// enter waits for the turn. It is false when dead was closed before it came.
func (s *stage) enter(name string, dead <-chan struct{}) bool {
	t := &turn{name, make(chan struct{})}
	s.mu.Lock()
	s.waiting = append(s.waiting, t)
	s.ring()
	s.mu.Unlock()
	select {
	case <-t.come:
		return true
	case <-dead:
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if i := slices.Index(s.waiting, t); i >= 0 {
		s.waiting = slices.Delete(s.waiting, i, i+1)
	} else if s.holder == name {
		s.holder = ""
	}
	s.ring()
	return false
}

// leave gives the turn back, if the named one has it.
func (s *stage) leave(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.holder == name {
		s.holder = ""
		s.ring()
	}
}

// lend takes the turn from whoever has it, who asked and waits for the answer, and is back in
// the name of another after a while. It gives the name of whoever asked.
func (s *stage) lend(name string, after time.Duration) string {
	s.mu.Lock()
	lender := s.holder
	s.holder = ""
	s.ring()
	s.mu.Unlock()
	time.Sleep(after)
	s.enter(name, nil)
	return lender
}

// pass gives the turn from one to the other.
func (s *stage) pass(to string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.holder = to
}

// inherit gives the named actor the turn: from a dead one of its own, or as anybody gets it.
func (s *stage) inherit(name string) {
	s.mu.Lock()
	if strings.HasPrefix(s.holder, name+"/") {
		s.holder = name
		s.mu.Unlock()
		return
	}
	s.mu.Unlock()
	s.enter(name, nil)
}

// sleep is a while in which others act.
func (s *stage) sleep(name string, d time.Duration) {
	s.leave(name)
	time.Sleep(d)
	s.enter(name, nil)
}

// actor starts a goroutine that acts in turns until it returns. A name that ends
// with a space gets a number.
func (s *stage) actor(name string, act func(name string)) {
	s.mu.Lock()
	s.actors++
	if s.began++; strings.HasSuffix(name, " ") {
		name = fmt.Sprint(name, s.began)
	}
	s.mu.Unlock()
	go func() {
		s.enter(name, nil)
		act(name)
		s.mu.Lock()
		s.actors--
		s.mu.Unlock()
		s.leave(name)
	}()
}

// direct gives turns until there is no actor left. Before each, everybody has come to rest.
func (s *stage) direct() {
	for {
		synctest.Wait()
		s.mu.Lock()
		if s.actors == 0 {
			s.mu.Unlock()
			return
		}
		if s.holder == "" && len(s.waiting) > 0 {
			slices.SortFunc(s.waiting, func(a, b *turn) int { return strings.Compare(a.name, b.name) })
			i := 0
			if len(s.waiting) > 1 {
				i = s.rng.IntN(len(s.waiting))
			}
			t := s.waiting[i]
			s.waiting = slices.Delete(s.waiting, i, i+1)
			s.holder = t.name
			close(t.come)
		}
		s.mu.Unlock()
		<-s.signal
	}
}
