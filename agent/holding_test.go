package agent

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"patchbay/agent/identity"
	"patchbay/wire"
	"patchbay/wire/trust"
)

// What a machine says it holds its server to is what its agent decides by.
func TestHoldsIsWhatTheAgentDecidesBy(t *testing.T) {
	keys := newOffline(t)
	inside(t, func(t *testing.T, w *world) {
		said := func() (Holding, string) {
			h, err := Holds(w.disk, time.Now())
			if err != nil {
				t.Fatal(err)
			}
			var b bytes.Buffer
			if err := h.Print(&b); err != nil {
				t.Fatal(err)
			}
			return h, b.String()
		}
		w.start()
		pass(5 * time.Minute)
		if h, text := said(); h.Root != 0 || len(h.ServerKeys) != 1 || !strings.Contains(text, "none: this machine does what its server orders") {
			t.Errorf("without a root: %+v\n%s", h, text)
		}
		w.server.publish(wire.RootDocument, keys.rootDocument(1), keys.root)
		w.server.publish(wire.LimitsDocument, keys.limits(3, func(l *wire.Limits) { l.Expires = time.Now().Add(dayLong) }), keys.publisher)
		pass(time.Hour)
		name, err := wire.KeyName(keys.publisher.Public())
		if err != nil {
			t.Fatal(err)
		}
		h, text := said()
		publisher := slices.IndexFunc(h.Roles, func(r HoldingRole) bool { return r.Name == "publisher" })
		if h.Root != 1 || h.Pinned || h.Limits == nil || h.Limits.Version != 3 || h.Lapsed != "" || publisher < 0 || !slices.Equal(h.Roles[publisher].Keys, []string{name}) ||
			!strings.Contains(text, "on the server's word") || !strings.Contains(text, name) {
			t.Errorf("with limits: %+v\n%s", h, text)
		}
		pass(2 * dayLong)
		if h, text = said(); h.Lapsed == "" || !strings.Contains(text, "only security updates") {
			t.Errorf("after their end: %+v\n%s", h, text)
		}
	})
	w := newWorld(t)
	defer w.server.close()
	if err := identity.Forget(w.disk); err != nil {
		t.Fatal(err)
	}
	if _, err := Holds(w.disk, time.Now()); !errors.Is(err, identity.ErrNone) {
		t.Errorf("before enrolment: %v", err)
	}
}

// Nothing in a document moves the cursor of whoever looks at it.
func TestHoldingIsPrintedPlain(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.String()
		s := trust.State{Addresses: rapid.SliceOfN(text, 0, 2).Draw(t, "addresses"), Root: &wire.Root{Version: 1, Installation: text.Draw(t, "installation")},
			Limits: &wire.Limits{Verbs: []string{text.Draw(t, "verb")}, DevicesPerHour: rapid.IntRange(0, 2).Draw(t, "rate"),
				Sources: []wire.LimitSource{{Provider: text.Draw(t, "provider"), Origin: text.Draw(t, "origin")}}}}
		h, err := holding(s, time.Unix(0, 0))
		if err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		if err := h.Print(&b); err != nil {
			t.Fatal(err)
		}
		for _, r := range b.String() {
			if r != '\n' && (r < ' ' || r > '~') {
				t.Fatalf("%q is in %q", r, b.String())
			}
		}
	})
}
