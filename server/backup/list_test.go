package backup

import (
	"archive/tar"
	"compress/gzip"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// unpacked gives the parts of a plain backup.
func unpacked(t *testing.T, file string) (parts []part) {
	t.Helper()
	f, err := os.Open(file)
	ok(t, err)
	defer f.Close()
	z, err := gzip.NewReader(f)
	ok(t, err)
	for r := tar.NewReader(z); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return parts
		}
		ok(t, err)
		text, err := io.ReadAll(r)
		ok(t, err)
		parts = append(parts, member(h.Name, string(text)))
	}
}

// Whoever packs a backup anew, with sums that fit, still cannot change what its list names.
func TestOnlyWhatTheListNamesIsRestored(t *testing.T) {
	parts := unpacked(t, saved(t, founded(t, 2), plain))
	find := func(name string) int {
		return slices.IndexFunc(parts, func(p part) bool { return strings.HasPrefix(p.Name, name) })
	}
	device, key := find("database/device/"), find("keys/orders.key")
	changed := func(i int, text string) []part {
		other := slices.Clone(parts)
		other[i] = member(parts[i].Name, text)
		return other
	}
	for name, c := range map[string]struct {
		parts []part
		good  bool
	}{
		"as it was":          {parts, true},
		"a row is another":   {changed(device, strings.Replace(parts[device].text, "host", "toast", 1)), false},
		"a row less":         {changed(device, parts[device].text[:strings.LastIndex(strings.TrimSuffix(parts[device].text, "\n"), "\n")+1]), false},
		"a key is another":   {changed(key, parts[key].text+"\n"), false},
		"a certificate less": {slices.Delete(slices.Clone(parts), find("acme/"), find("acme/")+1), false},
		"another header":     {changed(0, strings.Replace(parts[0].text, `"1.0.0"`, `"1.0.1"`, 1)), false},
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "packed")
			ok(t, os.WriteFile(file, packed(t, c.parts...), 0o600))
			to := empty(t, file)
			_, err := Restore(t.Context(), to)
			if c.good != (err == nil) || err != nil && !errors.Is(err, ErrDamaged) {
				t.Errorf("%v", err)
			}
			if entries, _ := os.ReadDir(to.Data); !c.good && len(entries) > 0 {
				t.Errorf("it left %v", entries)
			}
		})
	}
}
