package bus

import (
	"context"
	"sync"
	"testing"

	"patchbay/server/view"
)

func TestWakeReachesAllWhoWaitAndIsNotKept(t *testing.T) {
	b := New()
	one, two := b.Waiting("agt_1"), b.Waiting("agt_1")
	other := b.Waiting("agt_2")
	b.Wake("agt_1")
	<-one
	<-two
	b.Wake("agt_1") // nobody waits
	select {
	case <-other:
		t.Error("another agent was called")
	case <-b.Waiting("agt_1"):
		t.Error("an old call was kept")
	default:
	}
	b.Wake("agt_1")
	b.Wake("agt_2")
	if len(b.agents) != 0 {
		t.Errorf("%d agents are kept", len(b.agents))
	}
}

// A page that reads nothing loses events and stops nobody; one that is closed is forgotten.
func TestAPageThatLagsStopsNobody(t *testing.T) {
	b := New()
	ctx, cancel := context.WithCancel(t.Context())
	events := b.Subscribe(ctx)
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for range depth {
				b.Publish(view.Event{Kind: "device"})
			}
		})
	}
	all.Wait()
	cancel()
	n := 0
	for range events { // until it is closed
		n++
	}
	if n != depth || len(b.pages) != 0 {
		t.Errorf("%d events, %d pages", n, len(b.pages))
	}
}
