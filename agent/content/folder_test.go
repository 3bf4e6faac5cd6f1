package content

import (
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"patchbay/agent/link"
	"patchbay/test/victim"
)

func openDir(t testing.TB) Dir {
	t.Helper()
	d, err := OpenDir(filepath.Join(t.TempDir(), "content"))
	ok(t, err)
	return d
}

func TestTheFolderIsTheAgentsAlone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "content")
	ok(t, os.Mkdir(path, 0o777))
	_, err := OpenDir(path)
	ok(t, err)
	if info, err := os.Stat(path); err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o700 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
}

func TestARealFolderKeepsFiles(t *testing.T) {
	d, s := openDir(t), &server{}
	data := noise(1, 2*chunk+9)
	s.put(data)
	c := cache(t, d, s)
	c.Now = time.Now
	ok(t, reads(t, c, data))
	ok(t, reads(t, cache(t, d, s), data))
	if len(s.asked) != 1 {
		t.Errorf("asked %v", s.asked)
	}
	f, err := c.Open(t.Context(), sumOf(data), int64(len(data)))
	ok(t, err)
	if f.Path() != filepath.Join(d.path, sumOf(data)) || f.Size() != int64(len(data)) {
		t.Errorf("%s, %d", f.Path(), f.Size())
	}
	if runtime.GOOS == "windows" {
		for what, err := range map[string]error{"written to": os.WriteFile(f.Path(), nil, 0o600), "removed": os.Remove(f.Path()),
			"renamed": os.Rename(f.Path(), f.Path()+"x")} {
			if err == nil {
				t.Errorf("a file that is open was %s", what)
			}
		}
		other, err := os.Open(f.Path()) // as the program that is to read it does
		ok(t, err)
		ok(t, other.Close())
	}
	ok(t, f.Close())
	ok(t, d.Remove(filepath.Base(f.Path())))
	ok(t, os.MkdirAll(d.at("planted/deep"), 0o700))
	if runtime.GOOS != "windows" || os.RemoveAll(d.at("planted/deep")) == nil { // which is not everywhere where Windows programs run
		ok(t, d.Remove("planted"))
	}
	ok(t, d.Remove("none"))
	if _, err := d.Stat("none"); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
}

// A link in the place of a file is not followed.
func TestLinksAreNotFollowed(t *testing.T) {
	d, s := openDir(t), &server{}
	data := noise(1, 100)
	elsewhere := filepath.Join(t.TempDir(), "elsewhere")
	ok(t, os.WriteFile(elsewhere, data, 0o600))
	if err := os.Symlink(elsewhere, d.at(sumOf(data))); err != nil {
		t.Skip(err)
	}
	s.put(data)
	if _, err := d.Open(sumOf(data)); err == nil {
		t.Error("a link was opened")
	}
	c := cache(t, d, s)
	ok(t, reads(t, c, data))
	ok(t, os.WriteFile(elsewhere, nil, 0o600))
	ok(t, reads(t, c, data))
}

// killed is what the process that is killed works on.
type killed struct{ Path string }

// TestVictim gets a file in a process of its own, and tells each part that comes.
func TestVictim(t *testing.T) {
	var k killed
	moment := victim.Order(t, &k)
	d, err := OpenDir(k.Path)
	ok(t, err)
	s := &server{}
	data := noise(5, 6*chunk)
	s.put(data)
	s.does = func(_ int, _ int64, p link.Part) (link.Part, error) {
		p.Body = io.NopCloser(&telling{p.Body, moment, 0})
		return p, nil
	}
	c, err := New(Options{Folder: d, Source: s, Now: time.Now, Log: slog.New(slog.DiscardHandler)})
	ok(t, err)
	moment("begun")
	ok(t, c.Fetch(t.Context(), sumOf(data), int64(len(data))))
	moment("here")
}

// telling is a body that tells each of its parts.
type telling struct {
	io.Reader
	moment func(string)
	n      int
}

func (r *telling) Read(b []byte) (int, error) {
	r.moment("part " + string(rune('a'+r.n)))
	r.n++
	return r.Reader.Read(b[:min(len(b), chunk)])
}

// An agent that is killed in the middle goes on from there.
func TestAnAgentThatIsKilledGoesOnWithItsDownload(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a process for each moment")
	}
	data := noise(5, 6*chunk)
	all := victim.Kill(t, "TestVictim", killed{filepath.Join(t.TempDir(), "c")}, "")
	if len(all) < 8 {
		t.Fatalf("only %q", all)
	}
	for i, at := range all {
		path := filepath.Join(t.TempDir(), "c")
		victim.Kill(t, "TestVictim", killed{path}, at)
		d, err := OpenDir(path)
		ok(t, err)
		s := &server{}
		s.put(data)
		c := cache(t, d, s)
		c.Now = time.Now
		ok(t, reads(t, c, data))
		switch parts := int64(i-1) * chunk; {
		case at == "here" && len(s.asked) > 0:
			t.Errorf("what was whole was got again: %v", s.asked)
		case at != "here" && at != "begun" && (len(s.asked) != 1 || s.asked[0] != parts):
			t.Errorf("killed at %q, it asked from %v and not from %d", at, s.asked, parts)
		}
	}
}
