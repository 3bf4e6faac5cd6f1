// Package bus carries live events inside one process: what changed, for pages that are
// open, and which agents should check in now. It is never the only copy of anything; who
// misses an event reads the truth again.
package bus

import (
	"context"
	"sync"

	"patchbay/server/view"
)

// depth is how many events a subscriber may lag behind before it loses some.
const depth = 64

// Bus is safe for many callers at once.
type Bus struct {
	mu     sync.Mutex
	pages  map[chan view.Event]bool
	agents map[string]chan struct{} // closed when the agent should check in
}

// New makes a bus.
func New() *Bus {
	return &Bus{pages: map[chan view.Event]bool{}, agents: map[string]chan struct{}{}}
}

// Publish tells every open page. It never blocks.
func (b *Bus) Publish(e view.Event) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for c := range b.pages {
		select {
		case c <- e:
		default: // it lags: it will read again when it catches up
		}
	}
}

// Subscribe gives events until ctx ends; then the channel is closed.
func (b *Bus) Subscribe(ctx context.Context) <-chan view.Event {
	c := make(chan view.Event, depth)
	b.mu.Lock()
	b.pages[c] = true
	b.mu.Unlock()
	context.AfterFunc(ctx, func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		delete(b.pages, c)
		close(c)
	})
	return c
}

// Wake tells an agent to check in now, if it is waiting.
func (b *Bus) Wake(agent string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if c, ok := b.agents[agent]; ok {
		close(c)
		delete(b.agents, agent)
	}
}

// Awaited reports whether anybody may be waiting for the agent to be called.
func (b *Bus) Awaited(agent string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	_, ok := b.agents[agent]
	return ok
}

// Waiting gives a channel that is closed when the agent should check in.
func (b *Bus) Waiting(agent string) <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	c, ok := b.agents[agent]
	if !ok {
		c = make(chan struct{})
		b.agents[agent] = c
	}
	return c
}
