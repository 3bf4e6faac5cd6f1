package agentapi

import (
	"bufio"
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"patchbay/server/store"
)

// listen opens the wake-up channel as a stream and gives its lines; the channel is closed
// with the stream.
func (s *scene) listen(t *testing.T, m *machine) (int, <-chan string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.server.URL+"/agent/v1/wake?boot="+m.boot, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Accept", "text/event-stream")
	res, err := m.client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	lines := make(chan string, 1000)
	go func() {
		defer close(lines)
		defer res.Body.Close()
		for scan := bufio.NewScanner(res.Body); scan.Scan(); {
			lines <- scan.Text()
		}
	}()
	return res.StatusCode, lines
}

// until reads lines until one of them is wanted, or until the stream ends.
func until(t *testing.T, lines <-chan string, want string) bool {
	t.Helper()
	limit := time.After(20 * time.Second)
	for {
		select {
		case l, open := <-lines:
			if !open || strings.HasPrefix(l, want) && want != "" {
				return open
			}
		case <-limit:
			t.Fatalf("neither %q nor the end came", want)
		}
	}
}

func TestACallReachesAnOpenStream(t *testing.T) {
	s := newScene(t)
	m := s.setUp(t, "a")
	status, lines := s.listen(t, m)
	if status != http.StatusOK || !until(t, lines, ": open") {
		t.Fatalf("%d", status)
	}
	s.mu.Lock()
	close(s.call)
	s.call = make(chan struct{})
	s.mu.Unlock()
	if !until(t, lines, "event: checkin") {
		t.Fatal("the stream ended and no call came")
	}
	if !until(t, lines, ":") {
		t.Error("no sign of life after the call")
	}
}

func TestAnAgentThatIsRevokedHoldsNoStream(t *testing.T) {
	s := newScene(t)
	m := s.setUp(t, "a")
	if _, lines := s.listen(t, m); !until(t, lines, ": open") {
		t.Fatal("no stream")
	} else {
		h := s.store.Customer(store.Who{ID: "per_test"}, s.customer)
		if err := h.RetireDevice(context.Background(), time.Now(), m.Device); err != nil {
			t.Fatal(err)
		}
		s.api.Forget(m.Agent)
		if until(t, lines, "") {
			t.Error("the stream goes on")
		}
	}
	if status, _ := s.listen(t, m); status != http.StatusForbidden {
		t.Errorf("a new one: %d", status)
	}
}

// A copy cannot take the channel of the machine on record away.
func TestACopyTakesNoChannelAway(t *testing.T) {
	s := newScene(t)
	m := s.setUp(t, "a")
	_, lines := s.listen(t, m)
	if !until(t, lines, ": open") {
		t.Fatal("no stream")
	}
	if status, _ := s.listen(t, m.copy("b")); status != http.StatusConflict {
		t.Errorf("a copy got %d", status)
	}
	if !until(t, lines, ":") {
		t.Error("the machine on record lost its channel")
	}
}

func TestAGateLetsInNoMoreThanItHolds(t *testing.T) {
	g := newGate(2, 1, time.Millisecond)
	ctx := context.Background()
	for place := range 3 {
		if got := g.enter(ctx); got != (place < 2) {
			t.Fatalf("place %d: %v", place, got)
		}
	}
	g.leave()
	if !g.enter(ctx) {
		t.Error("a place that was left is not given again")
	}
}
