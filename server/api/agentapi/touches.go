package agentapi

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"patchbay/server/store"
)

// flushEvery is how often it is written who was heard. What is lost in a crash makes a
// device look older than it is, never fresher.
const flushEvery = time.Second

// touches are what unchanged check-ins leave behind until they are written, many at once:
// one write for each would cost more than all the rest of answering it.
type touches struct {
	mu      sync.Mutex
	waiting map[string]store.Touch // by device; the newest
}

func newTouches() *touches { return &touches{waiting: map[string]store.Touch{}} }

func (t *touches) add(touch store.Touch) {
	t.mu.Lock()
	defer t.mu.Unlock()
	held := t.waiting[touch.Device]
	if held.LastSeen.After(touch.LastSeen) {
		touch.LastSeen = held.LastSeen
	}
	if held.ScannedAt.After(touch.ScannedAt) {
		touch.ScannedAt, touch.Digest = held.ScannedAt, held.Digest
	}
	t.waiting[touch.Device] = touch
}

func (t *touches) take() []store.Touch {
	t.mu.Lock()
	defer t.mu.Unlock()
	all := slices.Collect(maps.Values(t.waiting))
	clear(t.waiting)
	return all
}

// Run writes every second who was heard, until ctx ends, and then a last time. The streams
// that agents hold end with it.
func (a *API) Run(ctx context.Context) {
	ticker := time.NewTicker(flushEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			a.lines.stop()
			a.Flush(context.WithoutCancel(ctx))
			return
		case <-ticker.C:
			a.Flush(ctx)
		}
	}
}

// Flush writes who was heard and tells the engine, which may step a device from what was
// just written. What could not be written is tried again with the next. An agent that the
// store knows better, because it was heard by another server or was revoked, is read anew.
func (a *API) Flush(ctx context.Context) {
	all := a.touches.take()
	if len(all) == 0 {
		return
	}
	for i := range all {
		all[i].Known = a.sessions.heardAt(all[i].Agent)
	}
	strange, err := a.Store.MSP(store.Who{ID: "system", Name: "the server"}).TouchAgents(ctx, a.Now(), all)
	if err != nil {
		for _, touch := range all {
			a.touches.add(touch)
		}
		a.Log.Error("writing who was heard", "agents", len(all), "error", err)
		return
	}
	for _, agent := range strange {
		a.sessions.moved(agent)
	}
	for _, touch := range all {
		a.sessions.told(touch)
		a.Engine.Heard(touch.Device, touch.LastSeen)
	}
}
