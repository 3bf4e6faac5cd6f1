package feeds

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Status is all that is to be told of a feed.
type Status struct {
	Name       string
	Kind       string
	From       []string // without what may be a secret
	Every      time.Duration
	Busy       bool // it is being got at this moment
	Generation int64
	Current    *Version // nil where nothing holds
	FreshAt    time.Time
	CheckedAt  time.Time
	Held       *Version // waits for a person; nil for none
	Why        string   // why it does
	Trouble    *Trouble // why nothing newer came; nil for none
	Next       time.Time
}

// Status tells of all feeds, by name.
func (k *Keeper) Status() []Status {
	now := k.Now()
	k.mu.Lock()
	defer k.mu.Unlock()
	all := []Status{}
	for _, f := range k.all {
		all = append(all, k.status(f, now))
	}
	slices.SortFunc(all, func(a, b Status) int { return strings.Compare(a.Name, b.Name) })
	return all
}

func (k *Keeper) status(f *kept, now time.Time) Status {
	s := f.state
	v := Status{Name: f.Name, Kind: f.Kind, Every: f.Every, Busy: f.busy, Generation: s.Generation, Current: s.Current, FreshAt: s.FreshAt,
		CheckedAt: s.CheckedAt, Held: s.Held, Why: s.Why, Trouble: s.Trouble}
	for _, from := range f.From {
		v.From = append(v.From, shown(from))
	}
	if at, ever := f.due(s, now, k.spread(f.Name, s)); ever {
		v.Next = at
	}
	return v
}

// Look tells of the feeds in a folder without changing anything in it, also while a server has
// it. What is configured is not known here.
func Look(folder string, now time.Time) ([]Status, error) {
	dirs, err := os.ReadDir(folder)
	if err != nil {
		return nil, fmt.Errorf("reading the folder of the feeds: %w", err)
	}
	all := []Status{}
	for _, dir := range dirs {
		if !dir.IsDir() || !nameForm.MatchString(dir.Name()) {
			continue
		}
		s, err := readState(filepath.Join(folder, dir.Name(), stateFile))
		if err != nil {
			s.Trouble = &Trouble{Text: sentence(err), Since: now, At: now}
		}
		k := &Keeper{}
		all = append(all, k.status(&kept{Feed: Feed{Name: dir.Name(), Kind: s.Kind}, state: s}, now))
	}
	return all, nil
}

// The standings of a feed.
const (
	Fresh   = "fresh"
	Held    = "held"    // a newer version waits for a person
	Failing = "failing" // the last look failed, and what holds is still young
	Old     = "old"     // what holds is older than it should be
	Missing = "missing" // nothing holds
)

// Of what holds, how old it may be: as a multiple of how often it is looked for, and where
// that is not known, as it is of what comes in bundles.
const (
	oldAfter    = 3
	oldImported = 7 * 24 * time.Hour
	oldest      = 48 * time.Hour // never less than that: a publisher may rest for a day
)

// Standing says how it is with a feed.
func (s Status) Standing(now time.Time) string {
	most := oldImported
	if s.Every > 0 {
		most = max(oldAfter*s.Every, oldest)
	}
	switch {
	case s.Current == nil && s.Held == nil:
		return Missing
	case s.Held != nil:
		return Held
	case now.Sub(s.FreshAt) > most:
		return Old
	case s.Trouble != nil:
		return Failing
	}
	return Fresh
}

// The errors of what people ask for.
var (
	ErrUnknown = errors.New("there is no feed of this name")
	ErrNotHeld = errors.New("no version of this feed waits for a person, or another one by now")
)

// Accept lets the version in that waits for a person. sha256 is the version that the person
// looked at. noted is called before it holds, and must not ask the keeper anything: an error
// leaves everything as it is.
func (k *Keeper) Accept(name, sha256 string, noted func(Status) error) (Status, error) {
	now := k.Now()
	k.mu.Lock()
	defer k.mu.Unlock()
	f := k.all[name]
	if f == nil {
		return Status{}, ErrUnknown
	}
	s := k.status(f, now)
	switch {
	case s.Held == nil || s.Held.SHA256 != sha256:
		return s, ErrNotHeld
	case !k.whole(f, s.Held):
		return s, errors.New("the files of the version that waits are not all here any more: have the feed got anew")
	}
	if err := noted(s); err != nil {
		return s, err
	}
	err := k.changeLocked(f, func(st *state) {
		st.hold(st.Held, now)
		// A person has looked: what goes from now on counts anew.
		st.Held, st.Why, st.Recent, st.FreshAt = nil, "", nil, st.CheckedAt
	})
	if err != nil {
		return s, err
	}
	if err := k.sweep(f); err != nil {
		k.Log.Warn("files of a feed that nothing names could not be removed", "feed", f.Name, "error", err)
	}
	return k.status(f, now), nil
}
