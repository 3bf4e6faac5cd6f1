package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"time"

	"patchbay/patch"
	"patchbay/server/content"
	"patchbay/server/store"
)

// content is a folder with a few invented files, one of which a catalogue names.
func (w *world) content(ctx context.Context) (*content.Shelf, error) {
	dir, err := os.MkdirTemp("", "patchbay-mock-content")
	if err != nil {
		return nil, fmt.Errorf("making the folder of the content: %w", err)
	}
	files := map[string][]byte{}
	var packages []patch.Package
	for i, name := range []string{"7z2408-x64.msi", "Firefox Setup 128.0.exe", "npp.8.6.9.Installer.x64.exe"} {
		files[name] = bytes.Repeat([]byte(name), 200_000*(i+1))
		if i == 0 {
			packages = append(packages, patch.Package{Name: "7-Zip", Releases: []patch.Release{{Version: "24.08", Installers: []patch.Installer{{SHA256: sum(files[name])}}}}})
		}
	}
	shelf, err := content.Open(ctx, content.Options{Path: dir, Store: w.store, Budget: 100 << 20, Named: content.NewIndex(packages).Named,
		Now: time.Now, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		return nil, err
	}
	for name, data := range files {
		f := content.File{SHA256: sum(data), Size: int64(len(data)), Name: name}
		if strings.HasPrefix(name, "Firefox") {
			f.Source = "https://download.example.test/firefox/setup.exe"
		}
		if err := shelf.Add(ctx, store.Who{ID: "system", Name: "the example"}, f, bytes.NewReader(data)); err != nil {
			return nil, err
		}
	}
	return shelf, nil
}

func sum(data []byte) string {
	hash := sha256.Sum256(data)
	return hex.EncodeToString(hash[:])
}
