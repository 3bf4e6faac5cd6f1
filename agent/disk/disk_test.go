package disk

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

func openDir(t *testing.T) OS {
	t.Helper()
	d, err := Open(filepath.Join(t.TempDir(), "state"))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestFilesAreReplacedWholeAndPrivate(t *testing.T) {
	d := openDir(t)
	if _, err := d.Read("a"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("missing: %v", err)
	}
	for _, text := range []string{"one", "two, which is longer", ""} {
		if err := d.Write("a", []byte(text)); err != nil {
			t.Fatal(err)
		}
		if got, err := d.Read("a"); err != nil || string(got) != text {
			t.Errorf("%q, %v", got, err)
		}
	}
	entries, err := os.ReadDir(d.Path())
	if err != nil || len(entries) != 1 {
		t.Errorf("left behind: %v, %v", entries, err)
	}
	if runtime.GOOS == "windows" {
		return
	}
	for path, mode := range map[string]fs.FileMode{d.Path(): 0o700, filepath.Join(d.Path(), "a"): 0o600} {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != mode {
			t.Errorf("%s: %v, %v", path, info.Mode(), err)
		}
	}
}

func TestFailedWriteKeepsTheOldFile(t *testing.T) {
	d := openDir(t)
	if err := os.Mkdir(filepath.Join(d.Path(), "a"), 0o700); err != nil { // cannot be renamed over
		t.Fatal(err)
	}
	if err := d.Write("a", []byte("x")); err == nil {
		t.Error("a folder was replaced by a file")
	}
	entries, err := os.ReadDir(d.Path())
	if err != nil || len(entries) != 1 {
		t.Errorf("left behind: %v, %v", entries, err)
	}
}

func TestLogIsCutThenGrows(t *testing.T) {
	d := openDir(t)
	if err := d.Write("log", []byte("good|torn")); err != nil {
		t.Fatal(err)
	}
	l, err := d.Log("log", 5)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []string{"a|", "b|"} {
		if err := l.Append([]byte(s)); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if got, err := d.Read("log"); err != nil || string(got) != "good|a|b|" {
		t.Errorf("%q, %v", got, err)
	}
}

func TestOneAgentPerDirectory(t *testing.T) {
	d := openDir(t)
	first, err := d.Lock()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.Lock(); !errors.Is(err, ErrLocked) {
		t.Errorf("second lock: %v", err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	second, err := d.Lock()
	if err != nil {
		t.Fatal(err)
	}
	second.Close()
}
