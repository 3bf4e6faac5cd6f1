package crash

import (
	"errors"
	"fmt"
	"sync"
)

// way is how an effect is cut off.
type way string

const (
	before  way = "before"  // the server ends, and the effect is not there
	after   way = "after"   // the effect is there, the server ends, and nobody heard of it
	doubled way = "doubled" // as before, and what was being said when it ended is said twice to the next one
	refused way = "refused" // the effect is not there, and the server lives on
	unheard way = "unheard" // the effect is there, the server is told otherwise, and lives on
)

func ways() []way { return []way{before, after, doubled, refused, unheard} }

// ends reports whether the server ends with it.
func (w way) ends() bool { return w != refused && w != unheard }

// cut is one crash point of one life of a server: the effect of this number, from 1.
type cut struct {
	at  int
	way way
}

var errEnded = errors.New("the server has ended here")

// fate is what becomes of one life of a server.
type fate struct {
	cut

	mu      sync.Mutex // effects come one after the other
	effects []string   // so far
	start   int        // how many of them before the server answered
	hit     bool
	ended   bool
}

// around stands around each effect. After the end there are no more.
func (f *fate) around(effect string, do func() error) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.ended {
		return errEnded
	}
	if f.effects = append(f.effects, effect); len(f.effects) != f.at {
		return do()
	}
	f.hit, f.ended = true, f.way.ends()
	if f.way == after || f.way == unheard {
		if err := do(); err != nil {
			return err
		}
	}
	return errEnded
}

// started says that the server is about to answer.
func (f *fate) started() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.start = len(f.effects)
}

func (f *fate) wasHit() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.hit
}

func (f *fate) hasEnded() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.ended
}

// String names the crash point for a message.
func (f *fate) String() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.hit {
		return fmt.Sprintf("not cut off in %d effects", len(f.effects))
	}
	return fmt.Sprintf("%s effect %d, %s", f.way, f.at, f.effects[f.at-1])
}
