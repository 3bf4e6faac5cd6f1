// Package content gets files from the server and gives them to providers, each by its SHA-256.
//
// The one idea: nothing is believed but the hash, and the hash is taken on the very handle
// that is given away. A download grows in a file of its own, which is gone on with after a cut
// connection or a restart, and gets its name when it is whole and right. When it is wanted it
// is opened so that nobody can change it, and read to its end before it is given. What is kept
// is a cache: whatever of it is damaged or lost is got again, and there is no list beside the
// files that could say something else than they do.
package content

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"log/slog"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"patchbay/agent/link"
	"patchbay/provider"
)

// Source is where files come from: the link to the server.
type Source interface {
	Content(ctx context.Context, sha256 string, from int64) (link.Part, error)
}

// Options are what a cache is made of.
type Options struct {
	Folder Folder
	Source Source
	Budget int64         // bytes of all that is kept; 0 is 4 GiB
	Pause  time.Duration // before a download that broke off goes on; 0 is two seconds
	Now    func() time.Time
	Log    *slog.Logger
}

const (
	defaultBudget = 4 << 30
	keepFree      = 1 << 30 // of the disk
	chunk         = 256 << 10
	syncEvery     = 32 << 20
	tries         = 4                   // without a byte more than before
	stall         = time.Minute         // without a byte
	unwanted      = 90 * 24 * time.Hour // a file that nobody opened
	abandoned     = 7 * 24 * time.Hour  // a download that nobody went on with
)

// Cache gives files by their hash. It is a provider.Content.
type Cache struct {
	Options
	work chan struct{} // one download at a time

	mu   sync.Mutex
	open map[string]int // files that are given away, by name
}

var _ provider.Content = (*Cache)(nil)

// New makes a cache, and removes what nobody wants any more.
func New(o Options) (*Cache, error) {
	if o.Budget <= 0 {
		o.Budget = defaultBudget
	}
	if o.Pause <= 0 {
		o.Pause = 2 * time.Second
	}
	c := &Cache{Options: o, work: make(chan struct{}, 1), open: map[string]int{}}
	if err := c.tidy(); err != nil {
		return nil, fmt.Errorf("tidying the folder of files to install from: %w", err)
	}
	return c, nil
}

// A file's name is its hash and what it is, since Windows tells a program by the end of its
// name; a download's name ends in partEnd.
const partEnd = ".part"

// ends are how names of whole files end.
func ends() []string { return []string{"", ".exe", ".msi", ".zip"} }

// endOf tells by the first bytes how a file's name ends.
func endOf(head []byte) string {
	switch {
	case strings.HasPrefix(string(head), "MZ"):
		return ".exe"
	case strings.HasPrefix(string(head), "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"):
		return ".msi"
	case strings.HasPrefix(string(head), "PK\x03\x04"):
		return ".zip"
	}
	return ""
}

var nameForm = regexp.MustCompile(`^[0-9a-f]{64}(\.exe|\.msi|\.zip|\.part)?$`)

// isHash reports whether a text is a SHA-256 in lower-case hex.
func isHash(s string) bool { return len(s) == 64 && nameForm.MatchString(s) }

// tidy removes what is not the cache's, and what is too old to be wanted.
func (c *Cache) tidy() error {
	files, err := c.Folder.List()
	if err != nil {
		return err
	}
	for _, f := range files {
		age := c.Now().Sub(f.Used)
		part := strings.HasSuffix(f.Name, partEnd)
		if !nameForm.MatchString(f.Name) || part && age > abandoned || !part && age > unwanted {
			if err := c.Folder.Remove(f.Name); err != nil {
				return err
			}
		}
	}
	return nil
}

// Holds reports whether the file is here already.
func (c *Cache) Holds(sha256 string) bool {
	_, ok := c.find(sha256)
	return ok
}

// find gives a whole file, by what its name says.
func (c *Cache) find(sha256 string) (Info, bool) {
	if !isHash(sha256) {
		return Info{}, false
	}
	for _, end := range ends() {
		if f, err := c.Folder.Stat(sha256 + end); err == nil {
			return f, true
		}
	}
	return Info{}, false
}

// Open gives the file, and gets it first where it is not here.
func (c *Cache) Open(ctx context.Context, sha256 string, size int64) (provider.File, error) {
	for again := false; ; again = true {
		if err := c.Fetch(ctx, sha256, size); err != nil {
			return nil, err
		}
		f, err := c.give(ctx, sha256, size)
		if err == nil {
			return f, nil
		}
		if again || ctx.Err() != nil || !errors.Is(err, provider.ErrRefused) && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		c.Log.Warn("a file to install from is not what it was, and is got again", "sha256", sha256, "error", err)
		if held, ok := c.find(sha256); ok {
			if err := c.Folder.Remove(held.Name); err != nil {
				return nil, fmt.Errorf("removing a damaged file: %w", err)
			}
		}
	}
}

// give opens a file so that nobody can change it, and holds what is in it to its hash.
func (c *Cache) give(ctx context.Context, sha256 string, size int64) (provider.File, error) {
	held, ok := c.find(sha256)
	if !ok {
		return nil, fmt.Errorf("opening a file to install from: %w", fs.ErrNotExist)
	}
	c.take(held.Name, 1)
	f, err := c.Folder.Open(held.Name)
	if err == nil {
		var sum string
		if sum, err = hashOf(ctx, f); err == nil && (sum != sha256 || f.Size() != size) {
			err = fmt.Errorf("%w: the file that is kept here has another hash", provider.ErrRefused)
		}
		if err != nil {
			err = errors.Join(err, f.Close())
		}
	}
	if err != nil {
		c.take(held.Name, -1)
		return nil, err
	}
	if err := c.Folder.Use(held.Name, c.Now()); err != nil {
		c.Log.Warn("that a file was used could not be noted", "error", err)
	}
	return &given{File: f, let: sync.OnceFunc(func() { c.take(held.Name, -1) })}, nil
}

// take counts how often a file is given away: what is, is not removed.
func (c *Cache) take(name string, n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.open[name] += n; c.open[name] == 0 {
		delete(c.open, name)
	}
}

// given is a file that is given away.
type given struct {
	provider.File
	let func()
}

// Close lets go of it.
func (g *given) Close() error {
	defer g.let()
	return g.File.Close()
}

// Fetch gets the file here ahead of its use.
func (c *Cache) Fetch(ctx context.Context, sha256 string, size int64) error {
	switch {
	case !isHash(sha256) || size <= 0:
		return fmt.Errorf("%w: a file is named by its SHA-256 and its size", provider.ErrRefused)
	case size > c.Budget:
		return fmt.Errorf("%w: the file has %s, and no more than %s are kept on a device", provider.ErrRefused, amount(size), amount(c.Budget))
	}
	select {
	case c.work <- struct{}{}:
		defer func() { <-c.work }()
	case <-ctx.Done():
		return ctx.Err()
	}
	if held, ok := c.find(sha256); ok {
		if held.Size == size {
			return nil
		}
		if err := c.Folder.Remove(held.Name); err != nil {
			return fmt.Errorf("removing a damaged file: %w", err)
		}
	}
	if err := c.tidy(); err != nil {
		return fmt.Errorf("tidying the folder of files to install from: %w", err)
	}
	return c.download(ctx, sha256, size)
}

// makeRoom removes what was used least recently until size more bytes are within the budget.
// What is given away stays, and so does what the file has already.
func (c *Cache) makeRoom(sha256 string, size int64) error {
	files, err := c.Folder.List()
	if err != nil {
		return fmt.Errorf("making room: %w", err)
	}
	slices.SortFunc(files, func(a, b Info) int { return a.Used.Compare(b.Used) })
	sum := size
	for _, f := range files {
		if f.Name != sha256+partEnd {
			sum += f.Size
		}
	}
	free, err := c.Folder.Free()
	if err != nil {
		return fmt.Errorf("asking how much of the disk is free: %w", err)
	}
	for _, f := range files {
		c.mu.Lock()
		given := c.open[f.Name] > 0
		c.mu.Unlock()
		if sum <= c.Budget && free >= size+keepFree || given || f.Name == sha256+partEnd {
			continue
		}
		if err := c.Folder.Remove(f.Name); err != nil {
			return fmt.Errorf("making room: %w", err)
		}
		sum, free = sum-f.Size, free+f.Size
	}
	if free < size+keepFree {
		return fmt.Errorf("%w: there is not enough room on the disk: %s are free, and getting the file takes %s", provider.ErrRefused, amount(free), amount(size+keepFree))
	}
	return nil
}

// hashOf is the hash of a whole file, in hex.
func hashOf(ctx context.Context, f provider.File) (string, error) {
	sum := newHash()
	err := hashInto(ctx, sum, f, f.Size())
	return hex.EncodeToString(sum.Sum(nil)), err
}

func newHash() hash.Hash { return sha256.New() }

// hashInto reads n bytes of a file from its beginning.
func hashInto(ctx context.Context, sum hash.Hash, f io.ReaderAt, n int64) error {
	buf := make([]byte, chunk)
	for at := int64(0); at < n; {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		got, err := f.ReadAt(buf[:min(chunk, n-at)], at)
		sum.Write(buf[:got])
		if at += int64(got); at < n && err != nil {
			return fmt.Errorf("reading a file to install from: %w", err)
		}
	}
	return nil
}

// amount is a size as people read it.
func amount(n int64) string {
	if n >= 1<<30 {
		return fmt.Sprintf("%.1f GiB", float64(n)/(1<<30))
	}
	return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20))
}
