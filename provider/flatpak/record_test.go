//go:build linux

package flatpak_test

import (
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"patchbay/provider"
	"patchbay/provider/flatpak"
	"patchbay/provider/providertest"
)

// TestRecord makes the recording anew, from a device of the test bed:
//
//	PATCHBAY_RECORD=testdata/debian12 go test -run TestRecord ./provider/flatpak
func TestRecord(t *testing.T) {
	to := os.Getenv("PATCHBAY_RECORD")
	if to == "" {
		t.Skip("PATCHBAY_RECORD does not say where to")
	}
	s := setScene(t)
	s.publish(hello, 2)
	s.publish(platform, 2)
	var said strings.Builder
	host := &providertest.Recorder{Host: deviceHost{s.d}, To: &said}
	p, err := flatpak.Kind().Open(t.Context(), provider.Env{Host: host, Log: slog.New(slog.DiscardHandler), Records: s.records, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.(provider.Refresher).Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	text := strings.ReplaceAll(said.String(), s.url, "http://apps.example.org")
	err = errors.Join(os.RemoveAll(to), os.MkdirAll(to, 0o755), os.WriteFile(filepath.Join(to, "commands.txt"), []byte(text), 0o644))
	if err != nil {
		t.Fatal(err)
	}
	copyTree(t, s, filepath.Join(to, "files"))
}

// copyTree copies what the provider reads.
func copyTree(t *testing.T, s scene, to string) {
	t.Helper()
	root := s.d.Root()
	err := filepath.WalkDir(filepath.Join(root, "var/lib/flatpak"), func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		rel, _ := filepath.Rel(root, name) // both begin with root
		base := filepath.Base(name)
		wanted := base == "deploy" || base == "active" || base == "config" || strings.Contains(rel, "cache/summaries/") || strings.Contains(rel, "refs/remotes/") || strings.HasSuffix(base, ".commit")
		if !wanted || strings.Contains(rel, "/files/") || strings.Contains(rel, "appstream") {
			return nil
		}
		at := filepath.Join(to, rel)
		if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil {
			return err
		}
		if d.Type()&fs.ModeSymlink != 0 {
			link, err := os.Readlink(name)
			return errors.Join(err, os.Symlink(link, at))
		}
		b, err := os.ReadFile(name)
		b = []byte(strings.ReplaceAll(string(b), s.url, "http://apps.example.org"))
		return errors.Join(err, os.WriteFile(at, b, 0o644))
	})
	err = errors.Join(err, os.MkdirAll(filepath.Join(to, "usr/bin"), 0o755), os.WriteFile(filepath.Join(to, "usr/bin/flatpak"), nil, 0o644),
		os.MkdirAll(filepath.Join(to, "etc"), 0o755), os.WriteFile(filepath.Join(to, "etc/passwd"), []byte("root:x:0:0:root:/root:/bin/bash\nbob:x:1000:1000::/home/bob:/bin/sh\n"), 0o644))
	if err != nil {
		t.Fatal(err)
	}
}
