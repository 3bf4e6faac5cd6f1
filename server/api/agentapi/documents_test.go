package agentapi

import (
	"context"
	"net/http"
	"testing"
	"time"

	"patchbay/server/store"
	"patchbay/wire"
)

// clocks are documents that only know how often the time was asked for.
type clocks struct{ told int }

func (c *clocks) For(_ context.Context, _ wire.HeldDocuments, _ []string, withTime bool) ([]wire.Envelope, error) {
	if withTime {
		c.told++
	}
	return nil, nil
}

func (c *clocks) Newest(context.Context) ([]wire.Envelope, error) { return nil, nil }

// An agent whose clock leapt, as after a restart with an empty battery, is told the time at
// once, so that it need not wait to begin; one whose clock runs as before is not.
func TestALeapOfItsClockTellsAnAgentTheTime(t *testing.T) {
	s := newScene(t)
	documents := &clocks{}
	s.api.Options.Documents = documents
	e := s.enrol(t)
	const tenYears = 3653 * 24 * time.Hour
	for i, c := range []struct {
		off  time.Duration
		told int
	}{{0, 1}, {0, 1}, {-tenYears, 2}, {-tenYears, 2}, {tenYears, 3}, {tenYears + 20*time.Second, 3}, {0, 4}} {
		in := e.says(hostSection(t))
		in.Sent = time.Now().Add(c.off)
		if status, body := post(t, e.client, s.server.URL+"/agent/v1/checkin", in); status != http.StatusOK {
			t.Fatalf("%d %s", status, body)
		}
		if documents.told != c.told {
			t.Errorf("check-in %d: the time was told %d times, not %d", i, documents.told, c.told)
		}
	}
}

// That an agent's clock leapt is kept, though the agent says nothing else that is new.
func TestALeapOfItsClockIsKept(t *testing.T) {
	s := newScene(t)
	e := s.enrol(t)
	in := e.says(hostSection(t))
	for _, off := range []time.Duration{0, -3653 * 24 * time.Hour, 0} {
		in.Sent = time.Now().Add(off)
		if status, body := post(t, e.client, s.server.URL+"/agent/v1/checkin", in); status != http.StatusOK {
			t.Fatalf("%d %s", status, body)
		}
		a, err := s.store.Customer(store.Who{ID: "per_test"}, s.customer).Agent(t.Context(), e.Agent)
		if err != nil || (a.ClockOff-off).Abs() > 20*time.Second {
			t.Errorf("its clock is said to be off by %v, not %v: %v", a.ClockOff, off, err)
		}
		in.Devices = []wire.DeviceReport{{Device: e.Device, ScannedAt: time.Now(), Digest: in.Devices[0].Digest}}
	}
}

// An answer that told the time and was lost on its way is made good by the next one: the
// agent says which time it holds. Until then it would keep its windows by a clock that leapt.
func TestATimeThatDidNotArriveIsToldAgain(t *testing.T) {
	s := newScene(t)
	documents := &clocks{}
	s.api.Options.Documents = documents
	e := s.enrol(t)
	before := time.Now().Add(-time.Hour)
	for i, c := range []struct {
		held time.Time
		told int
	}{{before, 1}, {before, 2}, {time.Now(), 2}, {time.Time{}, 2}} { // the last does not say, as agents before did not
		in := e.says(hostSection(t))
		in.Sent = time.Now()
		in.Documents.Time = c.held.Truncate(time.Second)
		if status, body := post(t, e.client, s.server.URL+"/agent/v1/checkin", in); status != http.StatusOK {
			t.Fatalf("%d %s", status, body)
		}
		if documents.told != c.told {
			t.Errorf("check-in %d: the time was told %d times, not %d", i, documents.told, c.told)
		}
	}
}
