package api

import (
	"context"
	"errors"
	"io"
	"net/http"
	"time"

	"patchbay/server/catalog/feeds"
	"patchbay/server/store"
	"patchbay/server/view"
	"patchbay/wire"
)

// Feeds are what the world publishes of software.
type Feeds interface {
	Status() []feeds.Status
	// Ask has one looked for at once.
	Ask(name string) error
	// Accept lets a version in that waits for a person, once that is noted.
	Accept(name, sha256 string, noted func(feeds.Status) error) (feeds.Status, error)
	// Import takes a bundle whose signatures are trusted, once that is noted.
	Import(ctx context.Context, in io.Reader, trusted func(*wire.Envelope) error, noted func(feeds.Manifest) error) ([]feeds.Imported, error)
}

// FeedsParams are what the list of feeds takes.
type FeedsParams struct {
	ListParams
	State string `query:"state" enum:"fresh,failing,held,old,missing"`
	Sort  string `query:"sort" enum:"name,-name,fresh,-fresh,records,-records,size,-size" doc:"name by default"`
}

// feeds lists those of the server that was asked.
func (s *Server) feeds(_ context.Context, in *FeedsParams) (*Out[view.Page[view.Feed]], error) {
	f, err := in.filter(in.Sort)
	if err != nil {
		return nil, err
	}
	now := s.Now()
	var rows []view.Feed
	for _, one := range s.Feeds.Status() {
		if v := FeedView(one, now); (in.State == "" || in.State == v.Standing) && matches(f.Q, v.Name, v.Kind) {
			rows = append(rows, v)
		}
	}
	field, descending := f.Field("name")
	p := view.Paginate(rows, f, descending, func(v view.Feed) string { return feedKey(v, field) }, func(v view.Feed) string { return v.Name })
	return page(p, f, now), nil
}

func feedKey(v view.Feed, field string) string {
	var version view.FeedVersion
	if v.Version != nil {
		version = *v.Version
	}
	switch field {
	case "fresh":
		return view.Moment(v.FreshAt)
	case "records":
		return view.Number(version.Records)
	case "size":
		return view.Number(version.Size)
	}
	return view.Fold(v.Name)
}

// FeedView says how it is with a feed, as the API does.
func FeedView(f feeds.Status, now time.Time) view.Feed {
	v := view.Feed{Name: f.Name, Kind: f.Kind, From: append([]string{}, f.From...), Every: int(f.Every / time.Second), Standing: f.Standing(now), Busy: f.Busy,
		Generation: f.Generation, Version: versionView(f.Current), FreshAt: momentOf(f.FreshAt), CheckedAt: momentOf(f.CheckedAt), NextAt: momentOf(f.Next),
		Held: versionView(f.Held), Why: f.Why}
	if t := f.Trouble; t != nil {
		v.Error = &view.FeedError{Sentence: t.Text, Since: t.Since, At: t.At, Tries: t.Tries}
	}
	if f.Held == nil {
		v.Can.Accept = "No version of this feed waits for anybody."
	}
	if len(f.From) == 0 {
		v.Can.Fetch = fromNowhere
	}
	return v
}

const fromNowhere = "This server gets the feed from nowhere: it came in a bundle, or is not configured any more."

// momentOf is a moment, nil for none.
func momentOf(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

func versionView(v *feeds.Version) *view.FeedVersion {
	if v == nil {
		return nil
	}
	return &view.FeedVersion{SHA256: v.SHA256, FetchedAt: v.FetchedAt, Imported: v.Imported, Files: len(v.Files), Size: v.Size, Records: v.Records,
		Refused: v.Refused, Reasons: append([]string{}, v.Reasons...), Before: v.Change.Before, Added: v.Change.Added, Removed: v.Change.Removed, Changed: v.Change.Changed}
}

// FeedPath names a feed.
type FeedPath struct {
	Feed string `path:"feed" maxLength:"60"`
}

// feed shows one feed.
func (s *Server) feed(name string) (*Out[view.Feed], error) {
	for _, f := range s.Feeds.Status() {
		if f.Name == name {
			return out(FeedView(f, s.Now())), nil
		}
	}
	return nil, notFound()
}

func (s *Server) acceptFeed(ctx context.Context, in *struct {
	FeedPath
	Body struct {
		SHA256 string `json:"sha256" pattern:"^[0-9a-f]{64}$" patternDescription:"a SHA-256 in lower-case hex" doc:"Of the version that was looked at"`
	}
}) (*Out[view.Feed], error) {
	_, err := s.Feeds.Accept(in.Feed, in.Body.SHA256, func(f feeds.Status) error {
		c := f.Held.Change
		return s.Store.MSP(who(ctx)).AcceptFeed(ctx, s.Now(), store.FeedAccept{Feed: f.Name, SHA256: f.Held.SHA256, Records: f.Held.Records,
			Before: c.Before, Removed: c.Removed, Changed: c.Changed})
	})
	switch {
	case errors.Is(err, feeds.ErrUnknown):
		return nil, notFound()
	case errors.Is(err, feeds.ErrNotHeld):
		return nil, problem(http.StatusConflict, "This version does not wait any more: look at the feed again.")
	case err != nil:
		return nil, err
	}
	return s.feed(in.Feed)
}

func (s *Server) fetchFeed(ctx context.Context, in *FeedPath) (*Out[view.Feed], error) {
	v, err := s.feed(in.Feed)
	if err != nil {
		return nil, err
	}
	if v.Body.Can.Fetch != "" {
		return nil, problem(http.StatusConflict, v.Body.Can.Fetch)
	}
	if err := s.Store.MSP(who(ctx)).AskFeed(ctx, s.Now(), in.Feed); err != nil {
		return nil, err
	}
	if err := s.Feeds.Ask(in.Feed); err != nil {
		return nil, err
	}
	return s.feed(in.Feed)
}

// FeedImports is what became of the feeds of a bundle.
type FeedImports struct {
	Items  []view.FeedImport `json:"items"`
	Broken string            `json:"broken,omitempty" doc:"Why the rest of it could not be read: a sentence"`
}

// importFeeds takes a bundle as it comes. It is never held whole in memory.
func (s *Server) importFeeds(ctx context.Context, _ *Empty) (*Out[FeedImports], error) {
	r := request(ctx)
	var signers []string
	var unnoted error
	all, err := s.Feeds.Import(ctx, slow{r.Body, control(ctx)}, func(e *wire.Envelope) (err error) {
		signers, err = s.bundleSigners(ctx, e)
		return err
	}, func(m feeds.Manifest) error {
		var names []string
		for _, f := range m.Feeds {
			names = append(names, f.Name)
		}
		unnoted = s.Store.MSP(who(ctx)).ImportFeeds(ctx, s.Now(), m.MadeAt, names, signers)
		return unnoted
	})
	var p *Problem
	switch {
	case errors.As(err, &p) || ctx.Err() != nil || unnoted != nil:
		return nil, err
	case err != nil && len(all) == 0:
		s.log.Warn("a bundle of feeds was not taken", "error", err)
		return nil, wrongBundle(capital(err.Error()) + ". Nothing of it was taken.")
	}
	v := FeedImports{Items: []view.FeedImport{}}
	for _, one := range all {
		i := view.FeedImport{Name: one.Name, Outcome: one.Outcome, Why: one.Why}
		if one.Version != nil {
			i.Records = one.Version.Records
		}
		v.Items = append(v.Items, i)
	}
	if err != nil {
		s.log.Warn("a bundle of feeds was not taken whole", "error", err)
		v.Broken = capital(err.Error()) + "."
	}
	return out(v), nil
}

// bundleSigners says who signed a bundle of those who may; it is refused where they do not
// suffice.
func (s *Server) bundleSigners(ctx context.Context, e *wire.Envelope) ([]string, error) {
	own := wire.Role{Keys: s.FeedKeys, Threshold: 1}
	names, err := e.Signers(wire.FeedsDocument, own.Public()...)
	if err == nil && len(names) > 0 {
		return names, nil
	}
	root := s.Documents.State(ctx).Root
	if root == nil {
		return nil, problem(http.StatusConflict, "Nobody may sign a bundle here: there is no root that names publishers, and the file that is given with --feeds names no keys whose bundles are believed.")
	}
	if err := e.SignedBy(wire.FeedsDocument, root.Publisher); err != nil {
		return nil, wrongBundle("The bundle is not signed by those who may: it needs as many publishers as the root asks for, or a key that the file given with --feeds names. Nothing of it was taken.")
	}
	return e.Signers(wire.FeedsDocument, root.Publisher.Public()...)
}

func wrongBundle(sentence string) *Problem {
	p := problem(http.StatusUnprocessableEntity, sentence)
	p.Errors = []ProblemField{{"body", sentence}}
	return p
}
