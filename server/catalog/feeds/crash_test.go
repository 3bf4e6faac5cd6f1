package feeds

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// whole holds what must be so at any moment: what readers get is the whole of one of these.
func (w *world) whole(allowed ...string) string {
	w.t.Helper()
	got := w.reads("one")
	for _, a := range allowed {
		if got == a {
			return got
		}
	}
	w.t.Fatalf("readers get %d bytes that nobody published: %.60q", len(got), got)
	return ""
}

// A server that ends at any moment while a feed comes shows the old version or the new one,
// and the next server brings the new one and leaves nothing lying about.
func TestAServerThatEndsWhileAFeedComesShowsNoHalf(t *testing.T) {
	first, second := text(0, 3000, "a"), text(0, 3300, "a")
	run := func(n int) (moments int) {
		p := newPublisher(t, first)
		w := p.begin(t)
		w.attempt()
		p.has(second, `"2"`)
		p.does = nil
		around, count := cut(n)
		w.options.Around = around
		w.begin()
		w.attempt()
		w.options.Around = nil
		w.begin()
		w.whole(first, second)
		if s := w.attempt(); s.Trouble != nil || w.whole(second) != second || s.Generation != 2 {
			t.Errorf("cut at %d: %+v, generation %d", n, s.Trouble, s.Generation)
		}
		w.unfinished(t)
		w.nothingElse()
		return *count
	}
	moments := run(0)
	if moments < 12 {
		t.Fatalf("only %d moments", moments)
	}
	step := 1
	if testing.Short() {
		step = 5
	}
	for n := 1; n <= moments; n += step {
		run(n)
	}
}

// nothingElse holds that no file is there that the state does not name.
func (w *world) nothingElse() {
	w.t.Helper()
	named := map[string]bool{}
	for name, f := range w.keeper.all {
		s := f.state
		named[filepath.Join(w.options.Path, name, stateFile)] = true
		for _, v := range []*Version{s.Current, s.Held} {
			if v != nil {
				named[w.keeper.indexFile(name, v.Index)] = true
				for _, file := range v.Files {
					named[w.keeper.file(name, file)] = true
				}
			}
		}
		for _, o := range s.Sources {
			for _, file := range o.Files {
				named[w.keeper.file(name, file)] = true
			}
		}
	}
	ok(w.t, filepath.WalkDir(w.options.Path, func(path string, e os.DirEntry, err error) error {
		if err == nil && !e.IsDir() && !named[path] {
			w.t.Errorf("%s is there and nothing names it", path)
		}
		return err
	}))
}

// A power cut may leave any beginning of what was being written, or of what was not noted as
// being on the disk; with nothing but zeros behind it.
func TestTornFilesAreNeverBelieved(t *testing.T) {
	first, second := text(0, 500, "a"), text(0, 520, "a")
	for _, n := range []int{0, 1, 89, 90, 91, 700, len(second)} {
		p := newPublisher(t, first)
		w := p.begin(t)
		w.attempt()
		p.has(second, `"2"`)
		one := filepath.Join(w.options.Path, "one")
		state, err := os.ReadFile(filepath.Join(one, stateFile))
		ok(t, err)
		part := filepath.Join(one, partDir, partName(w.options.Feeds[0].From[0]))
		ok(t, os.WriteFile(filepath.Join(one, newFile+"1"), state[:n%len(state)], 0o600))
		ok(t, os.WriteFile(part, []byte(second[:n]+strings.Repeat("\x00", 200)), 0o600))
		ok(t, os.WriteFile(part+".json", fmt.Appendf(nil, `{"etag":"\"2\"","size":%d}`, min(n, 90)), 0o600))
		w.begin()
		w.whole(first)
		if s := w.attempt(); s.Trouble != nil || w.whole(second) != second {
			t.Fatalf("torn at %d: %+v", n, s.Trouble)
		}
		w.unfinished(t)
	}
}

func TestADamagedStateIsToldAndTheFeedComesAnew(t *testing.T) {
	p := newPublisher(t, text(0, 100, "a"))
	w := p.begin(t)
	w.attempt()
	for _, damaged := range []string{"", "{", `{"current":{"index":"../../x","files":[]}}`, `{"kind":"lines","current":{"index":"` + strings.Repeat("a", 64) + `","files":[{"name":"../x","sha256":"` + strings.Repeat("a", 64) + `"}]}}`} {
		ok(t, os.WriteFile(filepath.Join(w.options.Path, "one", stateFile), []byte(damaged), 0o600))
		w.begin()
		if s := w.keeper.Status()[0]; s.Trouble == nil || s.Standing(w.time()) != Missing || !s.Next.Equal(w.time()) {
			t.Errorf("%q: %+v", damaged, s)
		}
		if s := w.attempt(); s.Trouble != nil || w.reads("one") != p.text {
			t.Errorf("%q: %+v", damaged, s.Trouble)
		}
	}
}

// What holds and is damaged on the disk is read anew where it can be, and else waits.
func TestADamagedIndexIsMadeAnew(t *testing.T) {
	p := newPublisher(t, text(0, 100, "a"))
	w := p.begin(t)
	s := w.attempt()
	ok(t, os.WriteFile(w.keeper.indexFile("one", s.Current.Index), []byte("torn"), 0o600))
	p.has(text(0, 10, "a"), `"2"`)
	if s := w.attempt(); s.Held == nil || s.Held.Change.Removed != 90 {
		t.Errorf("%+v", s)
	}
	ok(t, os.WriteFile(w.keeper.file("one", s.Current.Files[0]), []byte("torn"), 0o600))
	ok(t, os.Remove(w.keeper.indexFile("one", s.Current.Index)))
	p.has(text(0, 11, "a"), `"3"`)
	if s := w.attempt(); s.Held == nil || !strings.Contains(s.Why, "cannot be read any more") {
		t.Errorf("%+v", s)
	}
}

func TestWhatIsHeldWaitsForAPerson(t *testing.T) {
	full, less := text(0, 100, "a"), text(0, 70, "a")
	p := newPublisher(t, full)
	w := p.begin(t)
	w.attempt()
	p.has(less, `"2"`)
	w.pass(time.Hour)
	s := w.attempt()
	if s.Standing(w.time()) != Held || s.Generation != 1 || w.reads("one") != full || !strings.Contains(s.Why, "Of 100 records 30 vanished") {
		t.Fatalf("%+v", s)
	}
	if s.FreshAt.Equal(w.time()) {
		t.Error("what holds is said to be the newest")
	}
	w.begin() // with the next server, and when it is looked at again, it waits still
	w.pass(time.Hour)
	if s = w.attempt(); s.Held == nil || w.reads("one") != full {
		t.Fatalf("%+v", s)
	}
	refused := errors.New("no")
	for _, c := range []struct {
		name, sha256 string
		noted, want  error
	}{{"two", s.Held.SHA256, nil, ErrUnknown}, {"one", s.Current.SHA256, nil, ErrNotHeld}, {"one", s.Held.SHA256, refused, refused}} {
		if _, err := w.keeper.Accept(c.name, c.sha256, func(Status) error { return c.noted }); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	if w.reads("one") != full {
		t.Error("it was let in without being noted")
	}
	noted := Status{}
	s, err := w.keeper.Accept("one", s.Held.SHA256, func(s Status) error { noted = s; return nil })
	ok(t, err)
	if s.Held != nil || s.Generation != 2 || w.reads("one") != less || noted.Held == nil || s.Standing(w.time()) != Fresh {
		t.Errorf("%+v", s)
	}
	w.nothingElse()
}

func TestWhatIsHeldAndTakenBackWaitsNoMore(t *testing.T) {
	full := text(0, 100, "a")
	p := newPublisher(t, full)
	w := p.begin(t)
	w.attempt()
	p.has(text(0, 10, "a"), `"2"`)
	if s := w.attempt(); s.Held == nil {
		t.Fatal("it is not held")
	}
	p.has(full, `"3"`)
	if s := w.attempt(); s.Held != nil || s.Generation != 1 || s.Standing(w.time()) != Fresh {
		t.Errorf("%+v", s)
	}
}

func TestScoresAreNeverHeld(t *testing.T) {
	p := newPublisher(t, text(0, 100, "a"))
	w := p.begin(t)
	w.options.Feeds[0].Kind = "scores"
	w.begin()
	w.attempt()
	p.has(text(50, 100, "b"), `"2"`)
	if s := w.attempt(); s.Held != nil || s.Generation != 2 || s.Current.Change != (Change{100, 50, 50, 50}) {
		t.Errorf("%+v", s.Current)
	}
}
