package feeds

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"patchbay/wire"
)

// What became of a feed of a bundle.
const (
	Taken     = "taken"
	Waits     = "held"
	Unchanged = "unchanged"
	Older     = "older" // than what holds
	Failed    = "failed"
)

// Imported is what became of one feed of a bundle.
type Imported struct {
	Name    string
	Outcome string
	Why     string // a sentence, where it was not taken
	Version *Version
}

// Import takes the feeds of a bundle, each as if it had been got: read to its end, held
// against what holds, and waiting for a person where too much went. trusted looks at the
// signatures before anything is believed, and noted is told what is in it before anything of
// it is taken. One feed that is not what the manifest says is
// refused alone; a bundle that breaks off or is out of order is an error, and the feeds
// before that place are taken.
func (k *Keeper) Import(ctx context.Context, in io.Reader, trusted func(*wire.Envelope) error, noted func(Manifest) error) ([]Imported, error) {
	r := tar.NewReader(in)
	e, err := readManifest(r)
	if err != nil {
		return nil, err
	}
	if err := trusted(&e); err != nil {
		return nil, err
	}
	m, err := manifestIn(e)
	if err != nil {
		return nil, err
	}
	if err := noted(m); err != nil {
		return nil, err
	}
	var all []Imported
	for _, b := range m.Feeds {
		one, err := k.importOne(ctx, r, b)
		if err != nil {
			return all, err
		}
		all = append(all, one)
	}
	if _, err := r.Next(); !errors.Is(err, io.EOF) {
		return all, errors.New("the bundle has more in it than its manifest says; that was not looked at")
	}
	return all, nil
}

// importOne takes one feed. An error says that the bundle cannot be read any further.
func (k *Keeper) importOne(ctx context.Context, r *tar.Reader, b Bundled) (Imported, error) {
	f, err := k.importing(b)
	if err != nil {
		return Imported{Name: b.Name, Outcome: Failed, Why: sentence(err)}, skip(r, b)
	}
	select {
	case f.working <- struct{}{}:
		defer func() { <-f.working }()
	case <-ctx.Done():
		return Imported{}, ctx.Err()
	}
	defer k.tidy(f)
	if now := k.Now(); b.FreshAt.After(now) || b.FetchedAt.After(now) { // a clock was wrong: nothing is younger than now
		b.FetchedAt, b.FreshAt = earlier(b.FetchedAt, now), earlier(b.FreshAt, now)
	}
	s := k.known(f)
	hash, _ := identity(b.Files)
	switch cur := s.Current; {
	case cur != nil && cur.SHA256 == hash:
		err := k.change(f, func(s *state) { s.imported(b, s.Sources) })
		return Imported{Name: b.Name, Outcome: Unchanged, Version: cur}, errors.Join(err, skip(r, b))
	case cur != nil && cur.FetchedAt.After(b.FetchedAt):
		return Imported{Name: b.Name, Outcome: Older, Why: fmt.Sprintf("What holds was got on %s, and what is in the bundle on %s.",
			cur.FetchedAt.UTC().Format("2006-01-02 15:04"), b.FetchedAt.UTC().Format("2006-01-02 15:04")), Version: cur}, skip(r, b)
	}
	wrong, err := k.unpack(f, r, b)
	if err != nil {
		return Imported{}, err
	}
	if wrong == nil {
		wrong = k.take(f, Version{FetchedAt: b.FetchedAt, Imported: true, Files: b.Files}, k.Now())
	}
	if wrong == nil {
		wrong = k.change(f, func(s *state) { s.imported(b, nil) })
	}
	if wrong != nil {
		k.Log.Warn("a feed of a bundle was not taken", "feed", b.Name, "error", wrong)
		return Imported{Name: b.Name, Outcome: Failed, Why: sentence(wrong)}, nil
	}
	if s = k.known(f); s.Held != nil {
		return Imported{Name: b.Name, Outcome: Waits, Why: s.Why, Version: s.Held}, nil
	}
	return Imported{Name: b.Name, Outcome: Taken, Version: s.Current}, nil
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

// importing finds the feed that one of a bundle is, and makes it where there is none.
func (k *Keeper) importing(b Bundled) (*kept, error) {
	if _, err := k.kind(b.Kind); err != nil {
		return nil, err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	f := k.all[b.Name]
	if f == nil {
		if err := k.add(Feed{Name: b.Name, Kind: b.Kind}); err != nil {
			return nil, err
		}
		f = k.all[b.Name]
	}
	if f.Kind != b.Kind {
		return nil, fmt.Errorf("it is of the kind %s here, and of the kind %s in the bundle", f.Kind, b.Kind)
	}
	return f, k.makeFolders(f.Name)
}

// unpack brings the files of a feed into their places. wrong says that one is not what the
// manifest says; the others are read nevertheless.
func (k *Keeper) unpack(f *kept, r *tar.Reader, b Bundled) (wrong, err error) {
	for _, file := range b.Files {
		if err := nextFile(r, b.Name, file); err != nil {
			return nil, err
		}
		if file.Size > f.most() {
			wrong = fmt.Errorf("%s has %s; the most that is taken is %s", file.Name, amount(file.Size), amount(f.most()))
		}
		if wrong != nil {
			continue // the reader skips it
		}
		got, part, err := k.write(f.Name, file.Name, r, f.most())
		if errors.Is(err, io.ErrUnexpectedEOF) {
			return nil, fmt.Errorf("feed %s: the bundle breaks off in %s", b.Name, file.Name)
		}
		if err != nil {
			return nil, fmt.Errorf("feed %s: keeping %s: %w", b.Name, file.Name, reason(err))
		}
		if got.SHA256 != file.SHA256 {
			wrong = fmt.Errorf("%s has another hash than the manifest says", file.Name)
			continue
		}
		if err := k.place(f, file, part); err != nil {
			return nil, fmt.Errorf("feed %s: keeping %s: %w", b.Name, file.Name, reason(err))
		}
	}
	return wrong, nil
}

// skip passes over the files of a feed.
func skip(r *tar.Reader, b Bundled) error {
	for _, file := range b.Files {
		if err := nextFile(r, b.Name, file); err != nil {
			return err
		}
	}
	return nil
}

// imported notes when what came in a bundle was the newest. What the feed's own sources sent
// before is not what holds any more, and is got anew.
func (s *state) imported(b Bundled, sources []source) {
	s.Sources = sources
	if b.FreshAt.After(s.CheckedAt) {
		s.CheckedAt = b.FreshAt
	}
	if s.Held == nil && b.FreshAt.After(s.FreshAt) {
		s.FreshAt = b.FreshAt
	}
}
