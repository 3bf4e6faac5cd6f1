// Package dump opens what a feed was saved as: a file, plain or packed with gzip, an archive
// of many files (zip), or a folder of any of these.
//
// The one idea: a packed file may be anything once it is unpacked, so what comes out is
// bounded, and a name inside of an archive is only ever said, never opened.
package dump

import (
	"archive/zip"
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Bounds on what comes out. The whole of OSV is near 4 GB, its largest file some 100 MB.
const (
	maxBytes = 16 << 30
	maxFiles = 2_000_000
)

// Each calls f for every file, with a name that can be said. It ends with the first error.
// In folders, files whose names end otherwise than in .json, .ndjson, .jsonl, .xml, .csv,
// .tsv or .yaml, packed or not, are passed over.
func Each(path string, f func(name string, in io.Reader) error) error {
	info, err := os.Stat(path)
	if err != nil {
		return fmt.Errorf("opening a feed: %w", err)
	}
	d := &dumped{left: maxBytes, files: maxFiles, each: f}
	if !info.IsDir() {
		return d.file(path)
	}
	return filepath.WalkDir(path, func(name string, e fs.DirEntry, err error) error {
		if err != nil {
			return fmt.Errorf("opening a feed: %w", err)
		}
		if !e.Type().IsRegular() || !wanted(name) {
			return nil
		}
		return d.file(name)
	})
}

// wanted reports whether a file of a folder has a name as feeds have.
func wanted(name string) bool {
	name = strings.TrimSuffix(strings.ToLower(name), ".gz")
	for _, end := range []string{".json", ".ndjson", ".jsonl", ".xml", ".csv", ".tsv", ".yaml", ".zip"} {
		if strings.HasSuffix(name, end) {
			return true
		}
	}
	return false
}

// dumped is what may still come out.
type dumped struct {
	left  int64
	files int
	each  func(name string, in io.Reader) error
}

func (d *dumped) file(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("opening a feed: %w", err)
	}
	defer f.Close()
	head := make([]byte, 4)
	n, err := io.ReadFull(f, head)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
		return fmt.Errorf("opening a feed: %w", err)
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return fmt.Errorf("opening a feed: %w", err)
	}
	switch head = head[:n]; {
	case bytes.HasPrefix(head, []byte("PK\x03\x04")):
		return d.archive(path, f)
	case bytes.HasPrefix(head, []byte{0x1f, 0x8b}):
		z, err := gzip.NewReader(bufio.NewReader(f))
		if err != nil {
			return fmt.Errorf("%s is damaged: %w", filepath.Base(path), err)
		}
		return d.one(filepath.Base(path), z)
	}
	return d.one(filepath.Base(path), f)
}

func (d *dumped) archive(path string, f *os.File) error {
	info, err := f.Stat()
	if err != nil {
		return fmt.Errorf("opening a feed: %w", err)
	}
	z, err := zip.NewReader(f, info.Size())
	if err != nil {
		return fmt.Errorf("%s is damaged: %w", filepath.Base(path), err)
	}
	for _, e := range z.File {
		if e.FileInfo().IsDir() || !wanted(e.Name) || strings.HasSuffix(strings.ToLower(e.Name), ".zip") {
			continue
		}
		in, err := e.Open()
		if err != nil {
			return fmt.Errorf("%s in %s is damaged: %w", e.Name, filepath.Base(path), err)
		}
		err = d.one(e.Name+" in "+filepath.Base(path), in)
		in.Close()
		if err != nil {
			return err
		}
	}
	return nil
}

// one gives one file, as long as there is room.
func (d *dumped) one(name string, in io.Reader) error {
	if d.files--; d.files < 0 {
		return fmt.Errorf("the feed has more than %d files; no real one has", maxFiles)
	}
	if err := d.each(name, &meter{d, in}); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// meter counts what comes out.
type meter struct {
	d  *dumped
	in io.Reader
}

// Read reads on, as long as there is room.
func (m *meter) Read(p []byte) (int, error) {
	if m.d.left <= 0 {
		return 0, fmt.Errorf("the feed has more than %d GB once it is unpacked; no real one has", maxBytes>>30)
	}
	n, err := m.in.Read(p[:min(int64(len(p)), m.d.left)])
	m.d.left -= int64(n)
	return n, err
}
