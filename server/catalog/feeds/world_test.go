package feeds

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"patchbay/server/catalog/dump"
	"patchbay/server/catalog/feed"
	"patchbay/server/effect"
)

// world is a keeper that can be ended and begun anew on the same folder.
type world struct {
	t       testing.TB
	options Options
	keeper  *Keeper

	mu  sync.Mutex
	now time.Time
}

// lines is a kind of feed for tests: a record in each line, its ID and what it says. The last
// line says end.
func lines() Kind {
	return Kind{Name: "lines", Read: func(files []string, each func(Record) error) (report feed.Report, err error) {
		for _, file := range files {
			err = errors.Join(err, dump.Each(file, func(_ string, in io.Reader) error { return readLines(in, &report, each) }))
		}
		return report, err
	}}
}

func readLines(in io.Reader, report *feed.Report, each func(Record) error) error {
	n, over := 0, false
	for s := bufio.NewScanner(in); s.Scan(); {
		id, says, ok := strings.Cut(s.Text(), " ")
		switch n++; {
		case over:
			return errors.New("something stands behind its end")
		case s.Text() == "end":
			over = true
		case !ok:
			report.Refuse("lines", n, id, errors.New("it says nothing"))
		default:
			if err := each(Record{id, []byte(says)}); err != nil {
				return err
			}
		}
	}
	if !over {
		return fmt.Errorf("it breaks off after record %d", n)
	}
	return nil
}

// scores is the same kind of which all changes every day.
func scores() Kind {
	k := lines()
	k.Name, k.Scores = "scores", true
	return k
}

func newWorld(t testing.TB, all ...Feed) *world {
	t.Helper()
	w := &world{t: t, now: time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC)}
	w.options = Options{Path: filepath.Join(t.TempDir(), "feeds"), Feeds: all, Kinds: []Kind{lines(), scores()}, Pause: time.Millisecond,
		Now: w.time, Log: slog.New(slog.DiscardHandler)}
	w.begin()
	return w
}

// begin begins the next life of the server.
func (w *world) begin() {
	w.t.Helper()
	var err error
	w.keeper, err = Open(w.options)
	ok(w.t, err)
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

func ok(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// look looks at a feed once.
func (w *world) look(name string) error {
	return w.keeper.look(context.Background(), w.keeper.all[name], w.time())
}

// reads is what readers of a feed get, "" when nothing holds.
func (w *world) reads(name string) string {
	w.t.Helper()
	r, err := w.keeper.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return ""
	}
	ok(w.t, err)
	defer r.Close()
	var b strings.Builder
	ok(w.t, r.Each(func(_ string, in io.Reader) error {
		_, err := io.Copy(&b, in)
		return err
	}))
	return b.String()
}

// text is a feed of so many records, all of which say what is given.
func text(from, n int, says string) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "ID-%d %s\n", from+i, says)
	}
	return b.String() + "end\n"
}

// source is a file that feeds are got from.
func (w *world) source(text string) string {
	w.t.Helper()
	path := filepath.Join(w.t.TempDir(), "feed.txt")
	ok(w.t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

// cut ends the server at the n-th moment: before an effect, or after it.
func cut(n int) (around effect.Around, moments *int) {
	errCut := errors.New("cut off")
	moments = new(int)
	return func(_ string, do func() error) error {
		*moments++
		if *moments > n && n > 0 {
			return errCut
		}
		err := do()
		*moments++
		if *moments > n && n > 0 {
			return errCut
		}
		return err
	}, moments
}
