package knowledge_test

import (
	"testing"

	"patchbay/patch"
	"patchbay/provider"
	"patchbay/server/catalog/kinds"
	"patchbay/server/catalog/support"
	"patchbay/server/knowledge"
	"patchbay/wire"
)

// TestADistributionsPackageIsNotItsUpstreams: Debian's postgresql-15 is supported as long as
// Debian 12 is, whatever PostgreSQL says of its own builds; the same from PostgreSQL's own
// repository is PostgreSQL's.
func TestADistributionsPackageIsNotItsUpstreams(t *testing.T) {
	names, err := support.BuiltIn()
	if err != nil {
		t.Fatal(err)
	}
	macos := wire.Facts{OS: "darwin", Distro: "macos", Release: "14.6", Providers: []wire.ProviderFacts{{Name: "homebrew", Traits: provider.Traits{Versions: patch.SchemeBrew}}}}
	for _, c := range []struct {
		facts    wire.Facts
		provider string
		item     patch.Item
		want     knowledge.ByWhom
		product  string
	}{
		{debian, "apt", patch.Item{Name: "postgresql-15", Version: "15.8-0+deb12u1", Origin: "Debian"}, knowledge.ByWhom{Distribution: true}, ""},
		{debian, "apt", patch.Item{Name: "postgresql-15", Version: "15.8-0+deb12u1", Origin: "Debian Backports"}, knowledge.ByWhom{Distribution: true}, ""},
		{debian, "apt", patch.Item{Name: "postgresql-15", Version: "15.8-0+deb12u1"}, knowledge.ByWhom{Distribution: true}, ""},
		{debian, "apt", patch.Item{Name: "postgresql-client-15", Source: "postgresql-15", Version: "15.8-1.pgdg120+1", Origin: "apt.postgresql.org"}, knowledge.ByWhom{Publisher: true}, "postgresql"},
		{debian, "apt", patch.Item{Name: "nodejs", Version: "20.20.2-1nodesource1", Origin: "Node Source"}, knowledge.ByWhom{Publisher: true}, "nodejs"},
		{debian, "apt", patch.Item{Name: "nodejs", Version: "20.20.2-1nodesource1", Origin: "Somebody"}, knowledge.ByWhom{}, ""},
		{debian, "apt", patch.Item{Name: "anydesk", Version: "6.3.2", Orphan: true}, knowledge.ByWhom{}, ""},
		{macos, "homebrew", patch.Item{Provider: "homebrew", Name: "postgresql@15", Version: "15.8", Origin: "Homebrew"}, knowledge.ByWhom{Publisher: true}, "postgresql"},
	} {
		n, by := knowledge.Namer(names, c.facts, c.provider)(c.item)
		if by != c.want || n.Product != c.product {
			t.Errorf("%s of %q: %+v, %q", c.item.Name, c.item.Origin, by, n.Product)
		}
	}
}

// TestTheFeedOfEndsIsRead, and what is no such feed stops the whole.
func TestTheFeedOfEndsIsRead(t *testing.T) {
	s := snapshot(t, source("endoflife", kinds.EndOfLife, `{"total":1,"result":[{"name":"debian","label":"Debian","releases":[{"name":"12","isEol":true,"eolFrom":"2026-07-11"}]}]}`))
	if p, ok := s.Products().Of("debian"); !ok || len(p.Cycles) != 1 || s.Products().Len() != 1 {
		t.Errorf("%+v", p)
	}
	if _, err := knowledge.Load([]knowledge.Source{source("endoflife", kinds.EndOfLife, `{"total":2,"result":[]}`)}, nil, now); err == nil {
		t.Error("half a feed is taken")
	}
	var none *knowledge.Snapshot
	if none.Products().Len() != 0 {
		t.Error("nothing knows products")
	}
}
