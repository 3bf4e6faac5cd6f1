package agent

import (
	"context"
	"sync"
	"time"
)

// bell wakes one loop from its sleep. Ringing while nobody sleeps is kept for the next.
type bell struct {
	mu   sync.Mutex
	rung bool
	wake context.CancelFunc
}

func (b *bell) ring() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.rung = true
	if b.wake != nil {
		b.wake()
	}
}

// hush forgets a ring that nobody has heard.
func (b *bell) hush() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.rung = false
}

// wait sleeps for d or until the bell rings.
func (b *bell) wait(ctx context.Context, d time.Duration, sleep func(context.Context, time.Duration)) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	b.mu.Lock()
	if !b.rung {
		b.wake = cancel
		b.mu.Unlock()
		sleep(ctx, d)
		b.mu.Lock()
	}
	b.rung, b.wake = false, nil
	b.mu.Unlock()
}
