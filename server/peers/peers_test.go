package peers

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"

	"pgregory.net/rapid"

	"patchbay/server/store"
)

func devices(t *rapid.T, name string) []Device {
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) Device {
		id := rapid.StringMatching(`[a-z0-9_"\\]{1,40}`)
		return Device{id.Draw(t, "customer"), id.Draw(t, "id"), id.Draw(t, "agent")}
	}), 0, 60).Draw(t, name)
}

// However much is to be said, each text is short enough, and together they say all of it.
func TestSplitLosesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ids := rapid.SliceOfN(rapid.StringMatching(`[a-z0-9_é]{1,40}`), 0, 60)
		want := Notice{All: rapid.Bool().Draw(t, "all"), Documents: rapid.Bool().Draw(t, "documents"),
			Due: devices(t, "due"), Calls: devices(t, "calls"), Customers: ids.Draw(t, "customers"), Moved: ids.Draw(t, "moved")}
		var got Notice
		for _, text := range split(want, "srv_one", 700) {
			if len(text) > 700 {
				t.Fatalf("%d bytes", len(text))
			}
			var n Notice
			if err := json.Unmarshal(text, &n); err != nil || n.From != "srv_one" {
				t.Fatalf("%s: %v", text, err)
			}
			got.add(n)
		}
		for _, n := range []*Notice{&want, &got} { // none and an empty list are one
			n.Due, n.Calls = append([]Device{}, n.Due...), append([]Device{}, n.Calls...)
			n.Customers, n.Moved = append([]string{}, n.Customers...), append([]string{}, n.Moved...)
		}
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("said %+v, want %+v", got, want)
		}
	})
}

func TestWhatIsTooLongToNameMeansEverything(t *testing.T) {
	texts := split(Notice{Moved: []string{"a", strings.Repeat("x", store.MaxNotice), "b"}}, "srv_one", store.MaxNotice)
	var all Notice
	for _, text := range texts {
		if len(text) > store.MaxNotice {
			t.Errorf("%d bytes", len(text))
		}
		var n Notice
		if err := json.Unmarshal(text, &n); err != nil {
			t.Fatal(err)
		}
		all.add(n)
	}
	if !all.All {
		t.Error("nobody looks at what could not be named")
	}
}

// wire is a carrier in memory that can break.
type wire struct {
	texts  chan []byte   // from others
	cut    chan struct{} // ends listening
	broken chan bool     // whether saying the next text fails
	said   []string
}

func (w *wire) Notify(_ context.Context, text []byte) error {
	if <-w.broken {
		return errors.New("no connection")
	}
	w.said = append(w.said, string(text))
	return nil
}

func (w *wire) Listen(ctx context.Context, ready func() error, hear func([]byte) error) error {
	if err := ready(); err != nil {
		return err
	}
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-w.cut:
			return errors.New("cut off")
		case text := <-w.texts:
			if err := hear(text); err != nil {
				return err
			}
		}
	}
}

// story is what a server heard, in words.
func story(t *testing.T, name string, w *wire, tell func(*Peers)) []string {
	var heard []string
	p := New(Options{Carrier: w, Name: name, Log: slog.New(slog.DiscardHandler),
		Hear: func(_ context.Context, n Notice) error {
			word := strings.Join(n.Moved, "+")
			if n.All {
				word = "all " + word
			}
			if heard = append(heard, word); word == "bad" {
				return errors.New("the database is away")
			}
			return nil
		},
		Ready: func(context.Context) error { heard = append(heard, "ready"); return nil },
		Cut:   func() { heard = append(heard, "cut") }})
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { p.Run(ctx); close(ended) }()
	synctest.Wait()
	tell(p)
	stop()
	<-ended
	return heard
}

func newWire() *wire {
	return &wire{texts: make(chan []byte), cut: make(chan struct{}), broken: make(chan bool)}
}

func same(t *testing.T, got []string, want ...string) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

// A server that was cut off knows when it was, and looks at everything after.
func TestACutIsKnown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWire()
		same(t, story(t, "srv_two", w, func(p *Peers) {
			first := p.Period()
			w.texts <- text(Notice{From: "srv_one", Moved: []string{"a"}})
			w.texts <- text(Notice{From: "srv_two", Moved: []string{"own"}})
			w.texts <- []byte("?")
			w.cut <- struct{}{}
			synctest.Wait()
			if first == 0 || p.Period() != 0 {
				t.Errorf("periods %d, %d", first, p.Period())
			}
			w.texts <- text(Notice{From: "srv_one", Moved: []string{"b"}}) // blocks until it listens again
			if p.Period() == 0 || p.Period() == first {
				t.Errorf("periods %d, %d", first, p.Period())
			}
		}), "ready", "a", "all ", "cut", "ready", "b", "cut")
	})
}

// What could not be looked at is looked at again with everything else.
func TestANoticeThatCouldNotBeFollowedIsACut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWire()
		same(t, story(t, "srv_two", w, func(*Peers) {
			w.texts <- text(Notice{From: "srv_one", Moved: []string{"bad"}})
			w.texts <- text(Notice{From: "srv_one", Moved: []string{"a"}})
		}), "ready", "bad", "cut", "ready", "a", "cut")
	})
}

// What could not be said makes others look at everything.
func TestWhatCouldNotBeSaidIsNotForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWire()
		story(t, "srv_one", w, func(p *Peers) {
			p.Tell(Notice{Moved: []string{"a"}})
			w.broken <- true
			p.Tell(Notice{Moved: []string{"b"}})
			w.broken <- false
			synctest.Wait()
		})
		same(t, w.said, `{"from":"srv_one","all":true,"moved":["b"]}`)
	})
}
