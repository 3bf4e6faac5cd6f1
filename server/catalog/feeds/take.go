package feeds

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"patchbay/server/catalog/feed"
)

// change changes what is known of a feed: on the disk first, then here. What holds for readers
// changes at the moment when its file is replaced.
func (k *Keeper) change(f *kept, with func(*state)) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.changeLocked(f, with)
}

func (k *Keeper) changeLocked(f *kept, with func(*state)) error {
	s := f.state
	with(&s)
	data, err := s.encode()
	if err == nil {
		err = k.makeFolders(f.Name)
	}
	if err == nil {
		err = k.replace("feed state replaced", filepath.Join(k.Path, f.Name, stateFile), data)
	}
	if f.unsure = err != nil; err != nil {
		return fmt.Errorf("feed %s: noting what is known of it: %w", f.Name, err)
	}
	another := s.Generation != f.state.Generation
	if f.state = s; another {
		close(k.changed)
		k.changed = make(chan struct{})
	}
	return nil
}

// read reads a version to its end, and says what is in it.
func (k *Keeper) read(f *kept, v *Version) (index, error) {
	kind, err := k.kind(f.Kind)
	if err != nil {
		return nil, err
	}
	c := collector{feed: f.Name, all: map[uint64]uint64{}}
	var paths []string
	for _, file := range v.Files {
		paths = append(paths, k.file(f.Name, file))
	}
	report, err := kind.Read(paths, c.add)
	switch {
	case err != nil:
		return nil, err
	case len(c.all) == 0 && len(report.Why) > 0:
		return nil, fmt.Errorf("none of its %d records is what it says it is: %s", report.Refused, report.Why[0])
	case len(c.all) == 0 && kind.Short == 0:
		return nil, errors.New("it has no records; no real one is without")
	}
	v.Records, v.Refused, v.Reasons = len(c.all), report.Refused, append(report.Why, c.reasons...)
	return c.index(), nil
}

// take has a version that is in its place come to hold, or wait for a person. It is read
// first; an error leaves everything as it was.
func (k *Keeper) take(f *kept, v Version, now time.Time) error {
	v.SHA256, v.Size = identity(v.Files)
	before := k.known(f)
	if cur := before.Current; cur != nil && cur.SHA256 == v.SHA256 && k.whole(f, cur) {
		return k.change(f, func(s *state) { s.Held, s.Why = nil, "" }) // its publisher took back what is held
	}
	if h := before.Held; h != nil && h.SHA256 == v.SHA256 && k.whole(f, h) {
		return nil
	}
	x, err := k.read(f, &v)
	if err != nil {
		return err
	}
	var data []byte
	data, v.Index = x.encode()
	if err := k.replace("feed index written", k.indexFile(f.Name, v.Index), data); err != nil {
		return fmt.Errorf("keeping its index: %w", err)
	}
	for done := false; !done; before = k.known(f) {
		why, err := k.judge(f, before, &v, x, now)
		if err != nil {
			return err
		}
		if err := k.change(f, func(s *state) {
			if done = s.Generation == before.Generation; done { // or a person let another one in meanwhile
				s.arrive(v, why, now)
			}
		}); err != nil {
			return err
		}
	}
	return nil
}

// judge counts how a version differs from the one that holds, and says why it waits for a
// person, "" when it does not.
func (k *Keeper) judge(f *kept, before state, v *Version, x index, now time.Time) (why string, err error) {
	if before.Current == nil {
		v.Change = Change{Added: len(x)}
		return "", nil
	}
	old, err := k.readIndex(f.Name, before.Current.Index)
	if err != nil { // it is made anew, of what it is the index of
		again := *before.Current
		if old, err = k.read(f, &again); err != nil {
			v.Change = Change{Before: again.Records}
			return "What holds now cannot be read any more to be compared with: " + feed.Clip(err.Error()) + ".", nil
		}
	}
	v.Change = compare(old, x)
	kind, err := k.kind(f.Kind)
	if err != nil || kind.Scores {
		return "", err
	}
	if gone(now, v.Change, before.Recent) <= kind.Short {
		return "", nil
	}
	return held(now, v.Change, before.Recent), nil
}

// arrive has a version hold, or wait.
func (s *state) arrive(v Version, why string, now time.Time) {
	if s.Held, s.Why = nil, why; why != "" {
		s.Held = &v
		return
	}
	s.hold(&v, now)
}

// known is what is known of a feed at this moment.
func (k *Keeper) known(f *kept) state {
	k.mu.Lock()
	defer k.mu.Unlock()
	return f.state
}

// hold has a version hold.
func (s *state) hold(v *Version, now time.Time) {
	if s.Current != nil {
		s.Recent = append(within(now, s.Recent), moved{now, v.Change.Before, v.Change.Removed + v.Change.Changed})
	}
	s.Current, s.Generation = v, s.Generation+1
}

// whole reports whether the files of a version are all here.
func (k *Keeper) whole(f *kept, v *Version) bool {
	for _, file := range v.Files {
		if !k.here(f.Name, file) {
			return false
		}
	}
	return true
}

// identity is the hash by which a version is known, and how large it is.
func identity(files []File) (hash string, size int64) {
	sum := sha256.New()
	for _, f := range files {
		fmt.Fprintf(sum, "%s %s\n", f.SHA256, f.Name)
		size += f.Size
	}
	return hex.EncodeToString(sum.Sum(nil)), size
}
