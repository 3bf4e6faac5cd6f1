package server

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"os"
	"path/filepath"
	"testing"
	"time"

	"patchbay/test/victim"
)

// TestRotating rotates the key in a process of its own, to be killed; it runs only as that.
func TestRotating(t *testing.T) {
	var data string
	moment := victim.Order(t, &data)
	if _, err := Rotate(context.Background(), Place{Data: data, Now: time.Now}, moment); err != nil {
		t.Fatal(err)
	}
}

// Wherever it is cut off, the server starts with a key that its agents believe: with the
// former one as long as nothing else was said, and with the next one after.
func TestARotationThatIsCutOffLeavesAServerThatIsBelieved(t *testing.T) {
	const made, told, placed = "the next key is made", "agents are told of it", "it is in its place"
	for _, until := range []string{made, told, placed, ""} {
		data := t.TempDir()
		starts := func() ed25519.PublicKey {
			s, err := New(t.Context(), Options{Data: data, Listen: "127.0.0.1:0", AgentListen: "127.0.0.1:0", AgentURL: "https://patchbay.example:8421"})
			if err != nil {
				t.Fatalf("killed at %q it does not start: %v", until, err)
			}
			defer s.Close()
			state := s.Documents.State(t.Context())
			if len(state.Orders) != 1 || !bytes.Equal(state.Orders[0], public(s.Authority)) {
				t.Errorf("killed at %q: agents believe another key than it has", until)
			}
			return public(s.Authority)
		}
		former := starts()
		victim.Kill(t, "TestRotating", data, until)
		if kept := starts().Equal(former); kept != (until == made) {
			t.Errorf("killed at %q it kept its key: %v", until, kept)
		}
		if _, err := os.Stat(filepath.Join(data, "keys", "orders.next")); (err == nil) != (until == made) {
			t.Errorf("killed at %q: the next key lies there: %v", until, err == nil)
		}
	}
}

// Called again, a rotation that was cut off ends, and is not a second one.
func TestARotationIsEndedByCallingItAgain(t *testing.T) {
	for _, until := range []string{"the next key is made", "agents are told of it"} {
		data := t.TempDir()
		s, err := New(t.Context(), Options{Data: data, Listen: "127.0.0.1:0", AgentListen: "127.0.0.1:0"})
		if err != nil {
			t.Fatal(err)
		}
		former := public(s.Authority)
		s.Close()
		victim.Kill(t, "TestRotating", data, until)
		var steps []string
		r, err := Rotate(t.Context(), Place{Data: data, Now: time.Now}, func(step string) { steps = append(steps, step) })
		if err != nil || !r.Former.Equal(former) || r.Now.Equal(former) || until == "agents are told of it" && len(steps) > 0 {
			t.Errorf("killed at %q, then %q: %v", until, steps, err)
		}
	}
}
