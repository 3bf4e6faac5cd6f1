package content

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"patchbay/server/store"
)

var ann = store.Who{ID: "per_ann", Name: "Ann"}

// world is a shelf that can be ended and begun anew on the same folder and database.
type world struct {
	t       testing.TB
	options Options
	shelf   *Shelf

	mu  sync.Mutex
	now time.Time
}

func newWorld(t testing.TB) *world {
	t.Helper()
	s, err := store.Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "db"))
	ok(t, err)
	t.Cleanup(func() { ok(t, s.Close()) })
	w := &world{t: t, now: time.Now()}
	w.options = Options{Path: filepath.Join(t.TempDir(), "content"), Server: "one", Store: s, Budget: 1 << 30, Pause: time.Millisecond,
		Free: func() (int64, error) { return 1 << 50, nil }, Now: w.time, Log: slog.New(slog.DiscardHandler)}
	w.begin()
	return w
}

func (w *world) time() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

func (w *world) pass(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(d)
}

// begin begins the next life of the server.
func (w *world) begin() {
	w.t.Helper()
	var err error
	w.shelf, err = Open(context.Background(), w.options)
	ok(w.t, err)
}

func ok(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func hashOf(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// noise is a file's bytes, the same each time.
func noise(seed uint64, size int) []byte {
	data := make([]byte, size)
	r := rand.NewChaCha8([32]byte{byte(seed), byte(seed >> 8)})
	r.Read(data) // never fails
	return data
}

func fileOf(data []byte, name string) File {
	return File{SHA256: hashOf(data), Size: int64(len(data)), Name: name}
}

func (w *world) add(data []byte, name string) {
	w.t.Helper()
	ok(w.t, w.shelf.Add(w.t.Context(), ann, fileOf(data, name), bytes.NewReader(data)))
}

// lawful holds what must be so at any moment: each file in its place is what it is named by,
// and each row has its file, but for those that are allowed to lack it.
func (w *world) lawful(lacking ...string) {
	w.t.Helper()
	files, err := os.ReadDir(w.options.Path)
	ok(w.t, err)
	for _, f := range files {
		if f.Name() == unfinished {
			continue
		}
		data, err := os.ReadFile(filepath.Join(w.options.Path, f.Name()))
		ok(w.t, err)
		if hashOf(data) != f.Name() {
			w.t.Errorf("the file %.8s holds something else, of %d bytes", f.Name(), len(data))
		}
	}
	entries, usage, err := w.shelf.List(context.Background())
	ok(w.t, err)
	var sum int64
	for _, e := range entries {
		sum += e.Size
		if !e.Here && !contains(lacking, e.SHA256) {
			w.t.Errorf("the row %.8s has no file", e.SHA256)
		}
	}
	if usage.Used != sum || usage.Used > usage.Budget {
		w.t.Errorf("%d bytes are said to be used, the rows have %d, of %d", usage.Used, sum, usage.Budget)
	}
}

func contains(all []string, s string) bool {
	for _, a := range all {
		if a == s {
			return true
		}
	}
	return false
}

// holds reports whether the file is listed and reads as it should.
func (w *world) holds(data []byte) bool {
	w.t.Helper()
	e, err := w.shelf.Show(context.Background(), hashOf(data))
	if errors.Is(err, store.ErrNotFound) || err == nil && !e.Here {
		return false
	}
	ok(w.t, err)
	f, size, err := w.shelf.Read(hashOf(data))
	ok(w.t, err)
	defer f.Close()
	got, err := io.ReadAll(f)
	ok(w.t, err)
	if !bytes.Equal(got, data) || size != int64(len(data)) {
		w.t.Errorf("it reads as %d other bytes", len(got))
	}
	return true
}

func (w *world) refused(kind, err error) {
	w.t.Helper()
	var r *Refusal
	if !errors.Is(err, kind) || !errors.As(err, &r) || r.Sentence == "" {
		w.t.Errorf("%v, and not %v", err, kind)
	}
}

// left counts unfinished files.
func (w *world) left() int {
	w.t.Helper()
	all, err := os.ReadDir(filepath.Join(w.options.Path, unfinished))
	ok(w.t, err)
	return len(all)
}
