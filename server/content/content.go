// Package content keeps the files that agents install from, each by its SHA-256.
//
// The one idea: a file is its hash. It is written beside its place while it is hashed, and
// comes into its place whole, durable and right, or not at all; so what lies in its place
// never changes, needs no lock to be read, and is there once, whoever brought it. Whether
// there is a row for it is the database's to say (store.Content): the file comes before the
// row is committed, and goes before the row's end is. A server that stops in between leaves a
// file that nobody names, which is swept, or a row that shows that its file is missing, which
// can be brought again.
//
// There is a budget. What was used least recently goes when room is needed, and never what
// something needs: a job that is not over, an undo of a young update, the newest signed
// catalogue.
package content

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"net/netip"
	"os"
	"regexp"
	"strings"
	"sync"
	"time"
	"unicode"

	"patchbay/server/effect"
	"patchbay/server/store"
)

// Options are what a shelf is made of.
type Options struct {
	Path   string // the folder; several servers on one database share it
	Server string // what this machine's servers differ by, such as the folder of its data
	Store  *store.Store
	Budget int64 // bytes that all files may have together; 0 is 50 GiB
	// Named says as what the newest signed catalogue names a file, "" when it does not. nil
	// names none.
	Named func(sha256 string) string
	// Allow are networks that are nobody's on the internet, and that fetching may reach all
	// the same. Over plain http it reaches this machine only, and only where it is allowed.
	Allow  []netip.Prefix
	Roots  *x509.CertPool        // whom fetching believes; nil are the system's
	Free   func() (int64, error) // bytes free where the folder is; nil asks the system
	Pause  time.Duration         // before a fetch that broke off goes on; 0 is a second
	Around effect.Around
	Now    func() time.Time
	Log    *slog.Logger
}

// What is kept at most, beside the budget.
const (
	defaultBudget = 50 << 30
	largest       = 16 << 30           // one file
	keepFree      = 1 << 30            // of the disk, for the database beside it
	young         = 24 * time.Hour     // what was just added waits for its catalogue to be published
	atOnce        = 8                  // files that people send at the same time
	useNoted      = time.Minute        // how late the store is told of a use
	forgotten     = 7 * 24 * time.Hour // a fetch that nobody goes on with
)

// Shelf is the content of an installation.
type Shelf struct {
	Options
	mine    string // begins the names of this server's own unfinished files
	sending chan struct{}
	fetcher *fetcher

	mu       sync.Mutex
	reserved int64                // room taken by what is being written
	used     map[string]time.Time // since the store was last told
}

// Refusal is a sentence for people and the kind of it for the program.
type Refusal struct {
	Kind     error
	Sentence string
}

// Error gives the sentence.
func (r *Refusal) Error() string { return r.Sentence }

// Unwrap gives the kind.
func (r *Refusal) Unwrap() error { return r.Kind }

// The kinds of refusals.
var (
	ErrWrong    = errors.New("what came is not what was named") // another hash, another size
	ErrTooLarge = errors.New("the file is too large")
	ErrFull     = errors.New("there is no room")
	ErrNeeded   = errors.New("something needs the file")
	ErrBusy     = errors.New("too much at once")
	ErrAddress  = errors.New("the address is not fetched from")
)

func refuse(kind error, format string, args ...any) error {
	return &Refusal{kind, fmt.Sprintf(format, args...)}
}

// Open makes the folder if need be, and sweeps what this server left unfinished in it.
func Open(ctx context.Context, o Options) (*Shelf, error) {
	if o.Budget <= 0 {
		o.Budget = defaultBudget
	}
	if o.Named == nil {
		o.Named = func(string) string { return "" }
	}
	if o.Free == nil {
		o.Free = func() (int64, error) { return freeSpace(o.Path) }
	}
	if o.Pause <= 0 {
		o.Pause = time.Second
	}
	s := &Shelf{Options: o, sending: make(chan struct{}, atOnce), used: map[string]time.Time{}}
	s.fetcher = newFetcher(s)
	if err := s.open(ctx); err != nil {
		return nil, fmt.Errorf("opening the folder of the content: %w", err)
	}
	return s, nil
}

// hashForm is how a hash is written.
var hashForm = regexp.MustCompile(`^[0-9a-f]{64}$`)

// IsHash reports whether a text is a SHA-256 as it is written here.
func IsHash(text string) bool { return hashForm.MatchString(text) }

// longestName is how much of a file's name is kept, in characters.
const longestName = 120

// TidyName makes a name that somebody gave fit to be shown: the last part of a path, on one
// line, of characters that can be seen.
func TidyName(name string) string {
	name = name[strings.LastIndexAny(name, `/\`)+1:]
	name = visible(name)
	if letters := []rune(name); len(letters) > longestName {
		name = string(letters[:longestName])
	}
	if name == "" || name == "." || name == ".." {
		return "file"
	}
	return name
}

// visible leaves out what cannot be seen, or hides what can.
func visible(text string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp, unicode.Co, unicode.Cs) || r == unicode.ReplacementChar {
			return -1
		}
		return r
	}, text))
}

// Entry is a file with what is known of it.
type Entry struct {
	store.Content
	Here  bool   // the file is in its place
	Named string // as what the newest signed catalogue names it, "" when it does not
	Turn  int    // when room is needed: 1 goes first; 0 stays
	Young bool   // it was just added, and stays although nothing needs it yet
	store.ContentPins
}

// Needed says why the file is not to be removed, "" when nothing needs it.
func (e Entry) Needed() string {
	switch {
	case e.Named != "":
		return "The newest signed catalogue names it, as " + e.Named + "."
	case e.Jobs == 1:
		return "A job that is not over installs it."
	case e.Jobs > 1:
		return fmt.Sprintf("%d jobs that are not over install it.", e.Jobs)
	case e.Rollbacks == 1:
		return "A device was updated a short while ago, and taking that back may need it."
	case e.Rollbacks > 1:
		return fmt.Sprintf("%d devices were updated a short while ago, and taking that back may need it.", e.Rollbacks)
	}
	return ""
}

// Usage is how much there is.
type Usage struct {
	Files  int
	Used   int64 // bytes of all files
	Needed int64 // of these, bytes that are never removed to make room
	Coming int64 // bytes of what is being written
	Budget int64
}

// List gives all content, with what needs it.
func (s *Shelf) List(ctx context.Context) ([]Entry, Usage, error) {
	h := s.Store.MSP(store.Who{ID: "system", Name: "The server"})
	rows, err := h.Contents(ctx)
	if err != nil {
		return nil, Usage{}, err
	}
	pins, err := h.ContentPins(ctx, s.Now())
	if err != nil {
		return nil, Usage{}, err
	}
	s.mu.Lock()
	u, used := Usage{Files: len(rows), Coming: s.reserved, Budget: s.Budget}, maps.Clone(s.used)
	s.mu.Unlock()
	entries := make([]Entry, len(rows))
	for i, row := range rows {
		if at, ok := used[row.SHA256]; ok {
			row.UsedAt = &at
		}
		entries[i] = Entry{Content: row, Here: s.here(row.SHA256, row.Size), Named: s.Named(row.SHA256), ContentPins: pins[row.SHA256]}
		u.Used += row.Size
		if entries[i].Needed() != "" {
			u.Needed += row.Size
		}
	}
	takeTurns(entries, s.candidates(entries, nil))
	return entries, u, nil
}

// Show gives one file.
func (s *Shelf) Show(ctx context.Context, sha256 string) (Entry, error) {
	all, _, err := s.List(ctx)
	if err != nil {
		return Entry{}, err
	}
	for _, e := range all {
		if e.SHA256 == sha256 {
			return e, nil
		}
	}
	return Entry{}, store.ErrNotFound
}

// Remove removes a file that nothing needs.
func (s *Shelf) Remove(ctx context.Context, by store.Who, sha256 string) error {
	if !IsHash(sha256) {
		return store.ErrNotFound
	}
	return s.remove(ctx, by, sha256, false)
}

func (s *Shelf) remove(ctx context.Context, by store.Who, sha256 string, evicted bool) error {
	return s.Store.MSP(by).RemoveContent(ctx, s.Now(), sha256, evicted, func(p store.ContentPins) error {
		if why := (Entry{Named: s.Named(sha256), ContentPins: p}).Needed(); why != "" {
			return refuse(ErrNeeded, "This file is needed. %s", why)
		}
		return nil
	}, func() error {
		return s.Around.Do("content file removed", func() error { return s.unlink(sha256) })
	})
}

// Read opens a file for reading, with its size. It is fs.ErrNotExist where it is not here.
func (s *Shelf) Read(sha256 string) (*os.File, int64, error) {
	if !IsHash(sha256) {
		return nil, 0, fs.ErrNotExist
	}
	f, err := os.Open(s.path(sha256))
	if err != nil {
		return nil, 0, err
	}
	info, err := f.Stat()
	if err != nil {
		return nil, 0, errors.Join(err, f.Close())
	}
	return f, info.Size(), nil
}

// Used notes that an agent asked for a file. The store is told a little later, of many
// together.
func (s *Shelf) Used(sha256 string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.used[sha256] = s.Now()
}

// Run fetches what is asked for, and tells the store what was used, until ctx ends.
func (s *Shelf) Run(ctx context.Context) {
	var all sync.WaitGroup
	all.Go(func() { s.fetcher.run(ctx) })
	tick := time.NewTicker(useNoted)
	defer tick.Stop()
	for over := false; !over; {
		select {
		case <-tick.C:
		case <-ctx.Done():
			over = true
		}
		s.noteUses(context.WithoutCancel(ctx))
	}
	all.Wait()
}

func (s *Shelf) noteUses(ctx context.Context) {
	s.mu.Lock()
	used := s.used
	s.used = map[string]time.Time{}
	s.mu.Unlock()
	if len(used) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	if err := s.Store.MSP(store.Who{ID: "system", Name: "The server"}).UsedContent(ctx, s.Now(), used); err != nil {
		s.Log.Warn("which content was used could not be noted", "error", err)
	}
}
