package feeds

import (
	"os"
	"testing"
)

func TestReadersSeeTheVersionThatHolds(t *testing.T) {
	w := newWorld(t)
	path := w.source(text(0, 10, "a"))
	w.options.Feeds = []Feed{{Name: "one", Kind: "lines", From: []string{path}}}
	w.begin()
	if w.reads("one") != "" || len(w.keeper.Current()) != 0 {
		t.Error("something holds before anything came")
	}
	changed := w.keeper.Changed()
	ok(t, w.look("one"))
	select {
	case <-changed:
	default:
		t.Error("nobody was told")
	}
	if w.reads("one") != text(0, 10, "a") {
		t.Errorf("it reads %q", w.reads("one"))
	}
	r, err := w.keeper.Open("one")
	ok(t, err)
	ok(t, os.WriteFile(path, []byte(text(0, 11, "a")), 0o600))
	ok(t, w.look("one"))
	if got, err := os.ReadFile(r.Files[0]); err != nil || string(got) != text(0, 10, "a") {
		t.Errorf("a version that is read went away: %q, %v", got, err)
	}
	r.Close()
	if _, err := os.Stat(r.Files[0]); err == nil {
		t.Error("a version that nobody reads stays")
	}
	if c := w.keeper.Current(); len(c) != 1 || c[0].Generation != 2 || c[0].Records != 11 || c[0].Kind != "lines" {
		t.Errorf("%+v", c)
	}
	w.begin()
	if w.reads("one") != text(0, 11, "a") {
		t.Error("it is gone with the server")
	}
}
