// Package feeds keeps what the world publishes of software: each feed in a folder of its own,
// got from its publisher, from a folder of this machine, or from a signed bundle.
//
// The one idea: a feed has one version that holds, and what holds changes in one step, by
// replacing one small file (state.json) that names all others by their hash. Whatever comes
// is written beside it, read to its end by the kind of the feed, and held against what holds
// already; only then it is named. So half a feed is never seen, a damaged one changes nothing,
// one that lost more than any real one does in a day waits for a person, and whoever reads a
// version reads it whole while the next one comes.
//
// Readers need three methods: Current lists what holds, Open reads one of them, Changed tells
// when one changes.
package feeds

import (
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"patchbay/server/catalog/dump"
	"patchbay/server/catalog/feed"
	"patchbay/server/effect"
	"patchbay/server/outside"
)

// Feed is one feed as it is configured.
type Feed struct {
	Name  string        // what it is called here, such as osv-debian; also of its folder
	Kind  string        // who reads it
	From  []string      // addresses, files or folders; all of them together are one version
	Every time.Duration // how often it is looked for; 0 is never
	Most  int64         // bytes that one address may send; 0 is 4 GiB
	// Accept is sent to addresses that have a feed in several forms; "" is none.
	Accept string
	// Hash is the ending of the address at which the SHA-256 of each file lies beside it, such as
	// .sha256; "" is nowhere.
	Hash string
}

// Kind is how one sort of feed is read. The list is in package kinds.
type Kind struct {
	Name string
	// Scores says that all of it changes every day, and means nothing: how much of it changed
	// or went is not looked at.
	Scores bool
	// Short is for feeds that may be short, or empty: so many of its records may go in a day,
	// whatever share of it they are.
	Short int
	// Read reads all files of a version to their end, and gives each record. A record that is
	// not what it says is refused in the report; an error says that it is no feed of this kind,
	// or not all of one.
	Read func(files []string, each func(Record) error) (feed.Report, error)
}

// Record is one record of a feed, as far as changes are counted.
type Record struct {
	ID   string
	Says []byte // what it says of versions, in any form that is the same for the same
}

// Options are what a Keeper is made of.
type Options struct {
	Path   string // the folder; it is made
	Feeds  []Feed
	Kinds  []Kind
	Allow  []netip.Prefix // networks that are not on the internet, and that feeds may be got from
	Roots  *x509.CertPool // whom getting believes; nil are the system's
	Pause  time.Duration  // before a file that broke off is gone on with; 0 is five seconds
	Around effect.Around
	Now    func() time.Time
	Log    *slog.Logger
}

// Keeper has the feeds of a server.
type Keeper struct {
	Options
	client *http.Client
	salt   [8]byte
	wake   chan struct{}

	mu      sync.Mutex
	all     map[string]*kept
	changed chan struct{} // closed with the next change
}

// kept is a feed with what is known of it.
type kept struct {
	Feed
	state   state
	pins    map[int64]*pin // versions that are read, by generation
	coming  []File         // of a version that is not known yet
	working chan struct{}  // has a place for the one who brings a version
	asked   bool           // somebody wants it to be looked for at once
	busy    bool
	unsure  bool // whether the state on the disk is the one that is here
}

// pin keeps a version's files from being swept while they are read.
type pin struct {
	files []File
	count int
}

// nameForm is how feeds are called. The name is also a folder's.
var nameForm = regexp.MustCompile(`^[a-z0-9]([a-z0-9.-]{0,58}[a-z0-9])?$`)

// Open makes the folder if need be and reads what is in it.
func Open(o Options) (*Keeper, error) {
	if o.Pause <= 0 {
		o.Pause = 5 * time.Second
	}
	k := &Keeper{Options: o, all: map[string]*kept{}, changed: make(chan struct{}), salt: newSalt(), wake: make(chan struct{}, 1)}
	k.client = outside.Client(outside.Options{Allow: o.Allow, Roots: o.Roots, Follow: follow,
		Inside: errors.New("its address leads into a network that is not on the internet; if that is meant, name the network under allow in the file that is given with --feeds"),
		Often:  fmt.Errorf("its address leads on more than %d times", outside.Redirects)})
	if err := os.MkdirAll(o.Path, 0o700); err != nil {
		return nil, fmt.Errorf("opening the folder of the feeds: %w", err)
	}
	for _, f := range o.Feeds {
		if err := k.add(f); err != nil {
			return nil, err
		}
	}
	folders, err := os.ReadDir(o.Path)
	if err != nil {
		return nil, fmt.Errorf("opening the folder of the feeds: %w", err)
	}
	for _, f := range folders { // what was imported, or is not configured any more
		if f.IsDir() && nameForm.MatchString(f.Name()) && k.all[f.Name()] == nil {
			if err := k.add(Feed{Name: f.Name()}); err != nil {
				return nil, err
			}
		}
	}
	return k, nil
}

// add takes a feed, with what its folder says.
func (k *Keeper) add(f Feed) error {
	if !nameForm.MatchString(f.Name) {
		return fmt.Errorf("a feed cannot be called %.70q: use small letters, digits, dots and hyphens", f.Name)
	}
	if k.all[f.Name] != nil {
		return fmt.Errorf("there are two feeds %s", f.Name)
	}
	s, err := readState(filepath.Join(k.Path, f.Name, stateFile))
	if err != nil { // a damaged disk: the feed is told of as failing, and comes anew
		k.Log.Error("what is known of a feed cannot be read", "feed", f.Name, "error", err)
		s = state{Kind: f.Kind, Trouble: &Trouble{Text: sentence(err), Since: k.Now(), At: k.Now()}}
	}
	if f.Kind == "" {
		f.Kind = s.Kind
	}
	if s.Kind != f.Kind { // what was read as something else says nothing
		s = state{Kind: f.Kind, Generation: s.Generation}
	}
	one := &kept{Feed: f, state: s, pins: map[int64]*pin{}, working: make(chan struct{}, 1)}
	k.all[f.Name] = one
	if err := errors.Join(k.sweepUnwritten(one), k.sweep(one)); err != nil {
		k.Log.Warn("files of a feed that nothing names could not be removed", "feed", f.Name, "error", err)
	}
	return nil
}

// kind gives how a feed is read.
func (k *Keeper) kind(name string) (Kind, error) {
	i := slices.IndexFunc(k.Kinds, func(kind Kind) bool { return kind.Name == name })
	if i < 0 {
		return Kind{}, fmt.Errorf("there is no kind of feed that is called %.40q", name)
	}
	return k.Kinds[i], nil
}

// Current is the version of a feed that holds.
type Current struct {
	Name       string
	Kind       string
	Generation int64     // counts the versions of this feed that held
	FetchedAt  time.Time // when it came from its publisher
	FreshAt    time.Time // when its publisher last had nothing newer
	Records    int
}

// Current lists the feeds of which something holds, by name.
func (k *Keeper) Current() []Current {
	k.mu.Lock()
	defer k.mu.Unlock()
	all := []Current{}
	for _, f := range k.all {
		if f.state.Current != nil {
			all = append(all, f.current())
		}
	}
	slices.SortFunc(all, func(a, b Current) int { return strings.Compare(a.Name, b.Name) })
	return all
}

func (f *kept) current() Current {
	v := f.state.Current
	return Current{f.Name, f.state.Kind, f.state.Generation, v.FetchedAt, f.state.FreshAt, v.Records}
}

// Changed is closed when another version of any feed comes to hold. Ask for it first, then
// read what holds, then wait for it: so none is missed.
func (k *Keeper) Changed() <-chan struct{} {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.changed
}

// Reading is a version that is being read. Its files stay until it is closed.
type Reading struct {
	Current
	Files []string // where they lie: as they were published, packed or not

	close func()
}

// Open opens the version of a feed that holds; fs.ErrNotExist says that there is none.
func (k *Keeper) Open(name string) (*Reading, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	f := k.all[name]
	if f == nil || f.state.Current == nil {
		return nil, fmt.Errorf("feed %s: %w", name, fs.ErrNotExist)
	}
	r := &Reading{Current: f.current()}
	for _, file := range f.state.Current.Files {
		r.Files = append(r.Files, k.file(name, file))
	}
	p := f.pins[r.Generation]
	if p == nil {
		p = &pin{files: f.state.Current.Files}
		f.pins[r.Generation] = p
	}
	p.count++
	r.close = sync.OnceFunc(func() {
		k.mu.Lock()
		defer k.mu.Unlock()
		if p.count--; p.count > 0 {
			return
		}
		delete(f.pins, r.Generation)
		if err := k.sweep(f); err != nil {
			k.Log.Warn("files of a feed that nothing names could not be removed", "feed", f.Name, "error", err)
		}
	})
	return r, nil
}

// Each gives every file in it, unpacked, with a name that can be said. It ends with the first
// error.
func (r *Reading) Each(f func(name string, in io.Reader) error) error {
	for _, file := range r.Files {
		if err := dump.Each(file, f); err != nil {
			return fmt.Errorf("feed %s: %w", r.Name, err)
		}
	}
	return nil
}

// Close lets go of the files. Closing twice is no error.
func (r *Reading) Close() { r.close() }
