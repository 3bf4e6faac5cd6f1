package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"patchbay/patch"
	"patchbay/server/content"
	"patchbay/server/store"
)

// content is a folder with the installers of the catalogue, but for a few that nobody brought,
// one that was lost, and some of releases that no catalogue names any more. The files are
// holes of the right size: nobody reads them.
func (w *world) content(ctx context.Context, empty bool) (*content.Shelf, error) {
	dir, err := os.MkdirTemp("", "patchbay-mock-content")
	if err != nil {
		return nil, fmt.Errorf("making the folder of the content: %w", err)
	}
	now := time.Now()
	var packages []patch.Package
	if !empty {
		packages = catalogPackages(now)
	}
	shelf, err := content.Open(ctx, content.Options{Path: dir, Store: w.store, Budget: 6 << 30, Named: content.NewIndex(packages).Named,
		Now: time.Now, Log: slog.New(slog.DiscardHandler)})
	if err != nil || empty {
		return shelf, err
	}
	used := map[string]time.Time{}
	for n, r := range windowsReleases() {
		for at, version := range []string{r.to, r.from, r.older} {
			for _, i := range r.installers(version) {
				absent := at == 0 && n%6 == 1 || i.Architecture == "arm64" && at == 0 || at == 2 && (r.older == "" || r.block != "")
				if absent {
					continue
				}
				added := now.Add(-time.Duration(3+40*at+n) * day)
				if err := w.keep(ctx, dir, i, added, at == 1 && n == 4); err != nil {
					return nil, err
				}
				used[i.SHA256] = added.Add(time.Duration(n%5) * day)
			}
		}
	}
	return shelf, w.store.MSP(w.by).UsedContent(ctx, now, used)
}

// keep has an installer be in the store, or known there and lost.
func (w *world) keep(ctx context.Context, dir string, i patch.Installer, at time.Time, lost bool) error {
	c := store.Content{SHA256: i.SHA256, Size: i.Size, Name: i.File}
	if strings.HasPrefix(i.File, "Mozilla") {
		c.Source = i.URL
	}
	return w.store.MSP(w.by).AddContent(ctx, at, c, func() bool { return false }, func() error {
		if lost {
			return nil
		}
		f, err := os.Create(filepath.Join(dir, i.SHA256))
		if err != nil {
			return err
		}
		defer f.Close()
		return f.Truncate(i.Size)
	})
}
