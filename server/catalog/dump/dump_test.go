package dump_test

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"patchbay/server/catalog/dump"
)

func packed(t *testing.T, text string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := io.WriteString(z, text); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func zipped(t *testing.T, files ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, name := range files {
		w, err := z.Create(name)
		if err == nil {
			_, err = io.WriteString(w, "in "+name)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func write(t *testing.T, dir, name string, text []byte) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func all(path string) ([]string, error) {
	var got []string
	err := dump.Each(path, func(name string, in io.Reader) error {
		text, err := io.ReadAll(in)
		got = append(got, name+"="+string(text))
		return err
	})
	slices.Sort(got)
	return got, err
}

func TestEach(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "a.json", []byte("plain"))
	write(t, dir, "b.ndjson.gz", packed(t, "unpacked"))
	write(t, dir, "c.zip", zipped(t, "x/1.json", "../../2.json", "no.txt", "inner.zip"))
	write(t, dir, "README.md", []byte("no"))
	got, err := all(dir)
	want := []string{"../../2.json in c.zip=in ../../2.json", "a.json=plain", "b.ndjson.gz=unpacked", "x/1.json in c.zip=in x/1.json"}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("%q, %v", got, err)
	}
	if got, err := all(write(t, dir, "named.otherwise", packed(t, "y"))); err != nil || !slices.Equal(got, []string{"named.otherwise=y"}) {
		t.Errorf("%q, %v", got, err)
	}
}

// TestDamaged: what is cut short says so with its name, wherever it is cut.
func TestDamaged(t *testing.T) {
	dir := t.TempDir()
	for name, whole := range map[string][]byte{"a.json.gz": packed(t, strings.Repeat("text ", 100)), "b.zip": zipped(t, "1.json", "2.json")} {
		for _, n := range []int{5, len(whole) / 2, len(whole) - 1} {
			if _, err := all(write(t, dir, name, whole[:n])); err == nil || !strings.Contains(err.Error(), name) {
				t.Errorf("%s after %d bytes: %v", name, n, err)
			}
		}
	}
	if _, err := all(filepath.Join(dir, "none")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%v", err)
	}
	bad := errors.New("enough")
	if err := dump.Each(write(t, dir, "c.json", []byte("x")), func(string, io.Reader) error { return bad }); !errors.Is(err, bad) || !strings.Contains(err.Error(), "c.json") {
		t.Errorf("%v", err)
	}
}
