package documents

import (
	"slices"
	"testing"
	"time"

	"patchbay/patch"
	"patchbay/wire"
)

func (s *scene) catalogOf(version int64, change ...func(*wire.Catalog)) wire.Envelope {
	c := wire.Catalog{Version: version, Root: 1, IssuedAt: s.now, Expires: s.now.Add(90 * 24 * time.Hour), Packages: []patch.Package{
		{Provider: "winget", ID: "A.B", Name: "A", Marks: []patch.Mark{{ProductCode: "A"}}}}}
	for _, f := range change {
		f(&c)
	}
	return s.seal(wire.CatalogDocument, c, s.publisher)
}

// An agent that does not say it reads a catalogue was made before there was one: it is not
// sent any. One that does comes to the newest and is told once.
func TestACatalogueIsForAgentsThatReadIt(t *testing.T) {
	s := newScene(t)
	s.publish(s.rootOf(1))
	s.publish(s.catalogOf(1))
	s.publish(s.catalogOf(3))
	s.open() // as after a restart
	for _, c := range []struct {
		can  []string
		held int64
		want int
	}{{nil, 0, 0}, {[]string{wire.VerbInstall, wire.VerbUndo}, 0, 0}, {[]string{wire.CanCatalog}, 0, 1}, {[]string{wire.CanCatalog, wire.VerbInstall}, 1, 1}, {[]string{wire.CanCatalog}, 3, 0}} {
		told, err := s.For(t.Context(), wire.HeldDocuments{Root: 1, Server: wire.OrdersVersion{Epoch: 9}, Catalog: c.held}, c.can, false)
		if err != nil || len(told) != c.want {
			t.Errorf("%+v: told %d documents, %v", c, len(told), err)
		}
		if c.want == 1 && (len(told) != 1 || told[0].Type != wire.CatalogDocument) {
			t.Errorf("%+v: told %+v", c, told)
		}
	}
	if got, replies := s.follow(s.enrolled()); got.Held().Catalog != 3 || replies > 3 {
		t.Errorf("a reader stands at %+v after %d replies", got.Held(), replies)
	}
	newest, err := s.Newest(t.Context())
	if err != nil || slices.ContainsFunc(newest, func(e wire.Envelope) bool { return e.Type == wire.CatalogDocument }) {
		t.Errorf("at enrolment nobody said yet that they read it: %v", err)
	}
}

func TestOnlyTheNewestCatalogueIsKeptInMind(t *testing.T) {
	s := newScene(t)
	s.publish(s.rootOf(1))
	s.publish(s.limitsOf(1, s.publisher))
	for v := range int64(5) {
		s.publish(s.catalogOf(v + 1))
		s.now = s.now.Add(time.Minute)
	}
	rows, err := s.store.MSP(who).Documents(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	var catalogues []int64
	for _, r := range rows {
		if r.Type == wire.CatalogDocument {
			catalogues = append(catalogues, r.Version.Version)
		}
	}
	if !slices.Equal(catalogues, []int64{5}) {
		t.Errorf("read again are the catalogues %v", catalogues)
	}
	if all, err := s.store.MSP(who).Documents(t.Context(), wire.CatalogDocument); err != nil || len(all) != 5 {
		t.Errorf("%d catalogues are kept, %v", len(all), err)
	}
	before := s.mark
	s.publish(s.catalogOf(6))
	if s.mark == before {
		t.Error("another server would not notice the new one")
	}
}

func TestOnlyACatalogueThatFollowsIsPublished(t *testing.T) {
	s := newScene(t)
	s.publish(s.rootOf(1))
	s.publish(s.catalogOf(2))
	for what, e := range map[string]wire.Envelope{
		"an older one": s.catalogOf(1), "another one of this number": s.catalogOf(2, func(c *wire.Catalog) { c.Packages = nil }),
		"one without form": s.catalogOf(3, func(c *wire.Catalog) { c.Packages[0].Marks = nil }), "one of a later root": s.catalogOf(3, func(c *wire.Catalog) { c.Root = 2 }),
		"one by a stranger": s.seal(wire.CatalogDocument, wire.Catalog{Version: 3, Root: 1, IssuedAt: s.now, Expires: s.now.Add(time.Hour)}, s.someone),
	} {
		if err := s.Publish(t.Context(), ann, e); err == nil {
			t.Errorf("%s was published", what)
		}
	}
	if s.state.Held().Catalog != 2 {
		t.Errorf("%+v", s.state.Held())
	}
}
