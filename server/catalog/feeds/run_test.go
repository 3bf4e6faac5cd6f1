package feeds

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// The loop looks when feeds are due, at once where somebody asks, and one after the other.
func TestTheLoopGetsWhatIsDue(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		path := filepath.Join(dir, "feed.txt")
		ok(t, os.WriteFile(path, []byte(text(0, 10, "a")), 0o600))
		w.options.Now = time.Now
		w.options.Feeds = []Feed{{Name: "one", Kind: "lines", From: []string{path}, Every: time.Hour},
			{Name: "two", Kind: "lines", From: []string{filepath.Join(dir, "missing")}, Every: time.Hour}}
		w.begin()
		ctx, stop := context.WithCancel(t.Context())
		var running sync.WaitGroup
		running.Go(func() { w.keeper.Run(ctx) })
		synctest.Wait()
		s := w.keeper.Status()
		if s[0].Generation != 1 || s[1].Trouble == nil || s[1].Trouble.Tries != 1 {
			t.Fatalf("%+v", s)
		}
		ok(t, os.WriteFile(path, []byte(text(0, 11, "a")), 0o600))
		time.Sleep(59 * time.Minute)
		synctest.Wait()
		if s = w.keeper.Status(); s[0].Generation != 1 || s[1].Trouble.Tries < 3 {
			t.Errorf("%+v %+v", s[0], s[1].Trouble)
		}
		time.Sleep(8 * time.Minute)
		synctest.Wait()
		if s = w.keeper.Status(); s[0].Generation != 2 {
			t.Errorf("%+v", s[0])
		}
		since := s[1].Trouble.Since
		ok(t, os.WriteFile(filepath.Join(dir, "missing"), []byte(text(0, 1, "a")), 0o600))
		ok(t, w.keeper.Ask("two"))
		synctest.Wait()
		if s = w.keeper.Status(); s[1].Trouble != nil || s[1].Generation != 1 || since.IsZero() {
			t.Errorf("%+v", s[1])
		}
		if err := w.keeper.Ask("three"); !errors.Is(err, ErrUnknown) {
			t.Errorf("%v", err)
		}
		stop()
		running.Wait()
	})
}

func TestAFolderIsAFeed(t *testing.T) {
	w := newWorld(t)
	dir := t.TempDir()
	ok(t, os.MkdirAll(filepath.Join(dir, "b", ".git"), 0o700))
	for name, n := range map[string]int{"a.json": 1, "b/c.json": 2, "b/.git/d.json": 3} {
		ok(t, os.WriteFile(filepath.Join(dir, name), []byte(text(n*10, n, "a")), 0o600))
	}
	w.options.Feeds = []Feed{{Name: "one", Kind: "lines", From: []string{dir}, Every: time.Hour}}
	w.begin()
	if s := w.attempt(); s.Trouble != nil || s.Current.Records != 3 || w.reads("one") != text(10, 1, "a")+text(20, 2, "a") {
		t.Fatalf("%+v %q", s.Trouble, w.reads("one"))
	}
	if s := w.attempt(); s.Generation != 1 {
		t.Error("the same files are another version")
	}
	ok(t, os.RemoveAll(dir))
	if s := w.attempt(); s.Generation != 1 || s.Trouble == nil || s.Current.Records != 3 {
		t.Errorf("%+v", s)
	}
}

// Half of the sources is no version.
func TestAFeedOfSeveralSourcesComesWholeOrNotAtAll(t *testing.T) {
	w := newWorld(t)
	a, b := w.source(text(0, 5, "a")), filepath.Join(t.TempDir(), "b.txt")
	w.options.Feeds = []Feed{{Name: "one", Kind: "lines", From: []string{a, b}, Every: time.Hour}}
	w.begin()
	if s := w.attempt(); s.Trouble == nil || s.Current != nil || s.Standing(w.time()) != Missing {
		t.Fatalf("%+v", s)
	}
	ok(t, os.WriteFile(b, []byte(text(5, 5, "a")), 0o600))
	if s := w.attempt(); s.Trouble != nil || s.Current.Records != 10 {
		t.Errorf("%+v", s.Trouble)
	}
}

func TestRecordsThatAreRefusedOrStandThereTwiceAreTold(t *testing.T) {
	w := newWorld(t)
	path := w.source("A 1\nB\x1b[31m\nA 2\nC 1\nend\n")
	w.options.Feeds = []Feed{{Name: "one", Kind: "lines", From: []string{path}, Every: time.Hour}}
	w.begin()
	v := w.attempt().Current
	if v == nil || v.Records != 2 || v.Refused != 1 || strings.Join(v.Reasons, "; ") !=
		`lines record 2 ("B[31m"): it says nothing; record "A" stands there more than once` {
		t.Errorf("%+v", v)
	}
	ok(t, os.WriteFile(path, []byte("A\nB\nend\n"), 0o600))
	if s := w.attempt(); s.Trouble == nil || !strings.HasPrefix(s.Trouble.Text, "None of its 2 records is what it says it is") || s.Generation != 1 {
		t.Errorf("%+v", s.Trouble)
	}
}
