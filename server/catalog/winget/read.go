package winget

import (
	"archive/tar"
	"archive/zip"
	"bufio"
	"bytes"
	"cmp"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/ulikunitz/xz"
)

// The bounds of what is read at once: several times the size of winget's whole catalogue.
const (
	maxFiles = 4 << 20
	maxBytes = 16 << 30
)

// Result is what was read.
type Result struct {
	Manifests []Manifest // by ID and version
	Files     int        // that were looked at: all that end as manifests do
	Others    int        // of these, that are no manifests at all, such as a repository's own settings
	Refused   []Refusal  // at most a thousand, in the order in which they were read
	Refusals  int        // how many there are
}

const maxRefused = 1000

// collector puts together what belongs together, whatever the order of the files.
type collector struct {
	Result
	parts map[key][]*document
	bytes int64
}

type key struct{ folder, id, version string }

func newCollector() *collector { return &collector{parts: map[key][]*document{}} }

func isManifest(name string) bool {
	ext := strings.ToLower(path.Ext(name))
	return ext == ".yaml" || ext == ".yml"
}

func (c *collector) refuse(r Refusal) {
	c.Refusals++
	if len(c.Refused) < maxRefused {
		c.Refused = append(c.Refused, r)
	}
}

// add takes one file.
func (c *collector) add(name string, r io.Reader) error {
	if c.Files++; c.Files > maxFiles {
		return fmt.Errorf("there are more than %d manifests", maxFiles)
	}
	data, err := io.ReadAll(io.LimitReader(r, MaxFile+1))
	if err != nil {
		return fmt.Errorf("reading %s: %w", name, err)
	}
	if c.bytes += int64(len(data)); c.bytes > maxBytes {
		return fmt.Errorf("the manifests have more than %d bytes", int64(maxBytes))
	}
	d, wrong := readDocument(name, data)
	switch {
	case wrong != nil:
		c.refuse(*wrong)
	case d == nil:
		c.Others++
	default:
		k := key{path.Dir(name), strings.ToLower(d.id), d.version}
		c.parts[k] = append(c.parts[k], d)
	}
	return nil
}

// result puts the files of each version together.
func (c *collector) result() Result {
	keys := make([]key, 0, len(c.parts))
	for k := range c.parts {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(a, b key) int {
		return cmp.Or(cmp.Compare(a.id, b.id), cmp.Compare(a.version, b.version), cmp.Compare(a.folder, b.folder))
	})
	for _, k := range keys {
		m, wrong := assemble(c.parts[k])
		if wrong != nil {
			c.refuse(*wrong)
			continue
		}
		c.Manifests = append(c.Manifests, m)
	}
	return c.Result
}

// assemble makes a manifest of its files.
func assemble(parts []*document) (Manifest, *Refusal) {
	slices.SortFunc(parts, func(a, b *document) int { return cmp.Compare(a.file, b.file) })
	m := Manifest{ID: parts[0].id, Version: parts[0].version}
	main, named := (*document)(nil), (*document)(nil)
	var others []Naming
	for _, d := range parts {
		m.Files = append(m.Files, d.file)
		switch d.kind {
		case kindInstaller, kindSingleton:
			if main != nil {
				return m, &Refusal{d.file, 0, "it is the second file with installers of this version, after " + main.file}
			}
			main = d
		case kindVersion:
			m.Locale = d.defaultLocale
		}
		switch {
		case d.kind == kindSingleton || d.kind == kindDefault:
			if named != nil {
				return m, &Refusal{d.file, 0, "it is the second file with the names of this version, after " + named.file}
			}
			named = d
		case d.kind == kindLocale:
			others = append(others, d.naming)
		}
	}
	if main == nil {
		return m, &Refusal{parts[0].file, 0, "the file on the installers of this version is missing, or was refused"}
	}
	m.Installers, m.Channel, m.Schema, m.ID = main.installers, main.channel, main.schema, main.id
	if named != nil {
		m.Locale, m.Description = cmp.Or(named.naming.Locale, m.Locale), named.description
		m.Names = append(m.Names, named.naming)
	}
	m.Names = append(m.Names, others...)
	return m, nil
}

// ReadFolder reads all manifests below a folder: one version, one package, or a mirror of the
// whole repository.
func ReadFolder(fsys fs.FS) (Result, error) {
	c := newCollector()
	err := fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && name != "." && strings.HasPrefix(d.Name(), "."):
			return fs.SkipDir
		case !d.Type().IsRegular() || !isManifest(name):
			return nil
		}
		f, err := fsys.Open(name)
		if err != nil {
			return err
		}
		defer f.Close()
		return c.add(name, f)
	})
	if err != nil {
		return Result{}, fmt.Errorf("reading manifests: %w", err)
	}
	return c.result(), nil
}

// ReadFile reads one manifest, or all in an archive: tar, tar.gz, tar.xz or zip.
func ReadFile(name string, r io.ReaderAt, size int64) (Result, error) {
	c := newCollector()
	err := c.file(name, r, size)
	if err != nil {
		return Result{}, fmt.Errorf("reading %s: %w", path.Base(name), err)
	}
	return c.result(), nil
}

func (c *collector) file(name string, r io.ReaderAt, size int64) error {
	in := bufio.NewReader(io.NewSectionReader(r, 0, size))
	head, err := in.Peek(6)
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	switch {
	case isManifest(name):
		return c.add(path.Base(name), in)
	case bytes.HasPrefix(head, []byte("PK")):
		return c.zip(r, size)
	case bytes.HasPrefix(head, []byte{0x1f, 0x8b}):
		gz, err := gzip.NewReader(in)
		if err != nil {
			return err
		}
		return c.tar(gz)
	case bytes.HasPrefix(head, []byte("\xfd7zXZ\x00")):
		x, err := xz.ReaderConfig{DictCap: 64 << 20}.NewReader(in)
		if err != nil {
			return err
		}
		return c.tar(x)
	}
	return c.tar(in)
}

func (c *collector) zip(r io.ReaderAt, size int64) error {
	z, err := zip.NewReader(r, size)
	if err != nil {
		return err
	}
	for _, f := range z.File {
		if !isManifest(f.Name) || hidden(f.Name) || !f.Mode().IsRegular() {
			continue
		}
		in, err := f.Open()
		if err != nil {
			return fmt.Errorf("%s: %w", f.Name, err)
		}
		err = c.add(f.Name, in)
		in.Close()
		if err != nil {
			return err
		}
	}
	return nil
}

func (c *collector) tar(r io.Reader) error {
	in := tar.NewReader(r)
	for {
		h, err := in.Next()
		switch {
		case err == io.EOF:
			return nil
		case err != nil:
			return fmt.Errorf("it is not an archive of manifests, or damaged: %w", err)
		case h.Typeflag != tar.TypeReg || !isManifest(h.Name) || hidden(h.Name):
			continue
		}
		if err := c.add(h.Name, in); err != nil {
			return err
		}
	}
}

// hidden reports whether a name is in a folder of settings, such as .github.
func hidden(name string) bool {
	return slices.ContainsFunc(strings.Split(name, "/"), func(p string) bool { return len(p) > 1 && p[0] == '.' && p != ".." })
}
