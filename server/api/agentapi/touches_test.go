package agentapi

import (
	"net/http"
	"testing"
	"time"

	"patchbay/server/store"
	"patchbay/wire"
)

// Who was heard is written by the flush, and what an earlier write failed to keep never
// takes a later word back.
func TestWhoWasHeardIsWrittenByTheFlush(t *testing.T) {
	s := newScene(t)
	e := s.enrol(t)
	in := e.says(hostSection(t))
	if status, _, text := s.checkIn(t, e, in); status != http.StatusOK {
		t.Fatalf("%d %s", status, text)
	}
	h := s.store.Customer(store.Who{ID: "per_test"}, s.customer)
	before, err := h.Agent(t.Context(), e.Agent)
	if err != nil {
		t.Fatal(err)
	}
	s.api.Options.Now = func() time.Time { return before.LastSeen.Add(time.Hour) }
	same := in
	same.Devices = []wire.DeviceReport{{Device: e.Device, ScannedAt: time.Now(), Digest: in.Devices[0].Digest}}
	if status, _, text := s.checkIn(t, e, same); status != http.StatusOK {
		t.Fatalf("%d %s", status, text)
	}
	s.api.touches.add(store.Touch{Agent: e.Agent, Device: e.Device, LastSeen: before.LastSeen})
	s.api.Flush(t.Context())
	after, err := h.Agent(t.Context(), e.Agent)
	if err != nil || !after.LastSeen.Equal(before.LastSeen.Add(time.Hour).Truncate(time.Millisecond)) {
		t.Errorf("last seen %v, then %v, %v", before.LastSeen, after.LastSeen, err)
	}
	if left := s.api.touches.take(); len(left) != 0 {
		t.Errorf("%d are still waiting", len(left))
	}
}
