package feeds

import (
	"archive/tar"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"patchbay/wire"
)

// A bundle takes feeds to a server that reaches nobody. It is an archive (tar): first the
// manifest, a signed document that names every file by its hash, then these files in its
// order and nothing else. So it is read as it comes, and nothing of it is written down before
// its signatures are checked.

// Manifest says what is in a bundle.
type Manifest struct {
	MadeAt time.Time `json:"made_at"`
	Feeds  []Bundled `json:"feeds"` // sorted by name
}

// Bundled is one feed in it.
type Bundled struct {
	Name      string    `json:"name"`
	Kind      string    `json:"kind"`
	FetchedAt time.Time `json:"fetched_at"` // when it came from its publisher
	FreshAt   time.Time `json:"fresh_at"`   // when its publisher last had nothing newer
	Records   int       `json:"records"`
	Files     []File    `json:"files"`
}

const (
	manifestName = "manifest.json"
	maxManifest  = 4 << 20
	maxBundled   = 1000
	maxFiles     = 20_000 // of all feeds together
)

// check holds a manifest to its form.
func (m Manifest) check() error {
	files := 0
	for i, f := range m.Feeds {
		switch {
		case !nameForm.MatchString(f.Name):
			return fmt.Errorf("it has a feed that is called %.70q", f.Name)
		case i > 0 && m.Feeds[i-1].Name >= f.Name:
			return errors.New("its feeds are not sorted by their names, each once")
		case len(f.Files) == 0:
			return fmt.Errorf("feed %s has no files", f.Name)
		}
		for _, file := range f.Files {
			if err := file.check(); err != nil {
				return fmt.Errorf("feed %s: %w", f.Name, err)
			}
		}
		files += len(f.Files)
	}
	if len(m.Feeds) == 0 || len(m.Feeds) > maxBundled || files > maxFiles {
		return fmt.Errorf("it has %d feeds of %d files; a bundle has 1 to %d of at most %d", len(m.Feeds), files, maxBundled, maxFiles)
	}
	return nil
}

// Size is how many bytes all files of a bundle have.
func (m Manifest) Size() (n int64) {
	for _, f := range m.Feeds {
		for _, file := range f.Files {
			n += file.Size
		}
	}
	return n
}

// member is what a file is called in a bundle.
func member(feed string, f File) string { return feed + "/" + f.SHA256 + "/" + f.Name }

// Export writes the versions that hold in a folder of feeds as a bundle that nobody signed
// yet: of the feeds that are named, or of all. A server may go on with the folder meanwhile.
func Export(ctx context.Context, folder string, names []string, now time.Time, out io.Writer) (Manifest, error) {
	m := Manifest{MadeAt: now.UTC()}
	all, err := Look(folder, now)
	if err != nil {
		return m, err
	}
	var open []*os.File // before anything is written: what is open cannot be swept away
	defer func() {
		for _, f := range open {
			f.Close()
		}
	}()
	for _, s := range all {
		if s.Current == nil || len(names) > 0 && !slices.Contains(names, s.Name) {
			continue
		}
		m.Feeds = append(m.Feeds, Bundled{s.Name, s.Kind, s.Current.FetchedAt, s.FreshAt, s.Current.Records, s.Current.Files})
		for _, file := range s.Current.Files {
			f, err := os.Open(filepath.Join(folder, s.Name, fileDir, file.SHA256, file.Name))
			if err != nil {
				return m, fmt.Errorf("feed %s: %w", s.Name, reason(err))
			}
			open = append(open, f)
		}
	}
	for _, name := range names {
		if !slices.ContainsFunc(m.Feeds, func(f Bundled) bool { return f.Name == name }) {
			return m, fmt.Errorf("feed %s: nothing of it holds here", name)
		}
	}
	if err := m.check(); err != nil {
		return m, fmt.Errorf("making a bundle: %w", err)
	}
	e, err := wire.Draft(wire.FeedsDocument, m)
	if err != nil {
		return m, err
	}
	return m, writeBundle(ctx, out, e, m, func(n int, _ string) (io.Reader, error) { return open[n], nil })
}

// writeBundle writes an envelope with its files.
func writeBundle(ctx context.Context, out io.Writer, e wire.Envelope, m Manifest, file func(n int, member string) (io.Reader, error)) error {
	data, err := json.Marshal(e)
	if err != nil {
		return err
	}
	w := tar.NewWriter(out)
	if err := w.WriteHeader(&tar.Header{Name: manifestName, Size: int64(len(data)), Mode: 0o644, ModTime: m.MadeAt, Format: tar.FormatPAX}); err != nil {
		return err
	}
	if _, err := w.Write(data); err != nil {
		return err
	}
	n := 0
	for _, f := range m.Feeds {
		for _, one := range f.Files {
			if err := ctx.Err(); err != nil {
				return err
			}
			in, err := file(n, member(f.Name, one))
			if err != nil {
				return err
			}
			if err := w.WriteHeader(&tar.Header{Name: member(f.Name, one), Size: one.Size, Mode: 0o644, ModTime: m.MadeAt, Format: tar.FormatPAX}); err != nil {
				return err
			}
			if size, err := io.Copy(w, in); err != nil || size != one.Size {
				return fmt.Errorf("feed %s: %s has %d of %d bytes: %w", f.Name, one.Name, size, one.Size, errors.Join(err, errDamaged))
			}
			n++
		}
	}
	return w.Close()
}

var errDamaged = errors.New("the file is damaged")

// readManifest reads the head of a bundle. What it says is not believed yet.
func readManifest(r *tar.Reader) (wire.Envelope, error) {
	var e wire.Envelope
	h, err := r.Next()
	if err != nil || h.Name != manifestName || h.Typeflag != tar.TypeReg || h.Size > maxManifest {
		return e, errors.New("this is no bundle of feeds")
	}
	data, err := io.ReadAll(io.LimitReader(r, maxManifest))
	if err != nil {
		return e, fmt.Errorf("the bundle breaks off in its manifest: %w", err)
	}
	if err := json.Unmarshal(data, &e); err != nil || e.Type != wire.FeedsDocument {
		return e, errors.New("this is no bundle of feeds")
	}
	return e, nil
}

// manifestIn reads what a manifest says, once its signatures were looked at.
func manifestIn(e wire.Envelope) (Manifest, error) {
	var m Manifest
	if err := json.Unmarshal(e.Payload, &m); err != nil {
		return m, fmt.Errorf("the bundle's manifest cannot be read: %w", err)
	}
	if err := m.check(); err != nil {
		return m, fmt.Errorf("the bundle's manifest is not as it must be: %w", err)
	}
	return m, nil
}

// nextFile goes on to a file of a bundle, which must be the one that the manifest names.
func nextFile(r *tar.Reader, feed string, f File) error {
	h, err := r.Next()
	switch {
	case errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("feed %s: the bundle breaks off before %s", feed, f.Name)
	case err != nil:
		return fmt.Errorf("feed %s: the bundle is damaged: %w", feed, err)
	case h.Name != member(feed, f) || h.Typeflag != tar.TypeReg || h.Size != f.Size:
		return fmt.Errorf("feed %s: the bundle has another file in the place of %s", feed, f.Name)
	}
	return nil
}

// Resign writes a bundle anew, with what sign did to its envelope. sign is told what is in it.
func Resign(ctx context.Context, in io.Reader, out io.Writer, sign func(Manifest, *wire.Envelope) error) error {
	r := tar.NewReader(in)
	e, err := readManifest(r)
	if err != nil {
		return err
	}
	m, err := manifestIn(e)
	if err != nil {
		return err
	}
	if err := sign(m, &e); err != nil {
		return err
	}
	files := m.all()
	return writeBundle(ctx, out, e, m, func(n int, name string) (io.Reader, error) {
		feed, _, _ := strings.Cut(name, "/")
		return r, nextFile(r, feed, files[n])
	})
}

// all are the files of all feeds, in their order.
func (m Manifest) all() (files []File) {
	for _, f := range m.Feeds {
		files = append(files, f.Files...)
	}
	return files
}
