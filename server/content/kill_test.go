package content

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"testing"
	"time"

	"patchbay/server/store"
	"patchbay/test/victim"
)

// killed is what the process that is killed works on.
type killed struct{ Path, Database string }

// TestVictim adds a file in a process of its own, and tells every part that it reads and every
// effect that it has.
func TestVictim(t *testing.T) {
	var k killed
	moment := victim.Order(t, &k)
	s, err := store.Open(t.Context(), k.Database)
	ok(t, err)
	around := func(effect string, do func() error) error {
		moment("before " + effect)
		err := do()
		moment("after " + effect)
		return err
	}
	s.Around = around
	shelf, err := Open(t.Context(), Options{Path: k.Path, Server: "one", Store: s, Around: around, Now: time.Now, Log: slog.New(slog.DiscardHandler)})
	ok(t, err)
	data, n := theFile(), 0
	body := io.MultiReader(bytes.NewReader(data[:chunk]), readerFunc(func([]byte) (int, error) {
		moment(fmt.Sprint("part ", n))
		n++
		return 0, io.EOF
	}), bytes.NewReader(data[chunk:2*chunk+100]), readerFunc(func([]byte) (int, error) {
		moment(fmt.Sprint("part ", n))
		n++
		return 0, io.EOF
	}), bytes.NewReader(data[2*chunk+100:]))
	ok(t, shelf.Add(t.Context(), ann, fileOf(data, "a"), body))
	moment("told")
	ok(t, s.Close())
}

func theFile() []byte { return noise(9, 3*chunk) }

// A server that is killed while a file comes leaves nothing half; sent again, it is there.
func TestAServerThatIsKilledWhileAFileComesKeepsNothingHalf(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a process for each moment")
	}
	setUp := func() (*world, killed) {
		w := newWorld(t)
		dir := strings.TrimSuffix(w.options.Path, "content")
		k := killed{Path: w.options.Path, Database: "sqlite:" + dir + "killed.db"}
		return w, k
	}
	_, k := setUp()
	moments := victim.Kill(t, "TestVictim", k, "")
	if len(moments) < 9 {
		t.Fatalf("only %q", moments)
	}
	seen := map[string]bool{}
	for _, m := range moments {
		if seen[m] {
			continue // it is killed at the first of its name
		}
		seen[m] = true
		w, k := setUp()
		victim.Kill(t, "TestVictim", k, m)
		s, err := store.Open(t.Context(), k.Database)
		ok(t, err)
		w.options.Store = s
		w.begin()
		w.lawful()
		if m == "told" && !w.holds(theFile()) {
			t.Error("what was told is not there")
		}
		if w.left() != 0 {
			t.Errorf("killed at %q: %d unfinished files stay", m, w.left())
		}
		ok(t, w.shelf.Add(context.Background(), ann, fileOf(theFile(), "a"), bytes.NewReader(theFile())))
		if w.lawful(); !w.holds(theFile()) {
			t.Errorf("killed at %q and sent again, it is not there", m)
		}
		ok(t, s.Close())
	}
}
