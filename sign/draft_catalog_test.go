package sign

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"patchbay/patch"
	"patchbay/wire"
	"patchbay/wire/trust"
)

func byWinget(_, a, b string) (int, error) { return patch.CompareVersions(patch.SchemeWinget, a, b) }

func pack(id string, versions ...string) patch.Package {
	p := catalogOf(1).Packages[0]
	r := p.Releases[0]
	p.ID, p.Releases = id, nil
	for _, v := range versions {
		r.Version = v
		p.Releases = append(p.Releases, r)
	}
	return p
}

func versionsOf(c wire.Catalog, id string) []string {
	for _, p := range c.Packages {
		if p.ID == id {
			var all []string
			for _, r := range p.Releases {
				all = append(all, r.Version)
			}
			return all
		}
	}
	return nil
}

func TestTheNextCatalogueKeepsWhatWasBefore(t *testing.T) {
	root := rootOf(3)
	change := func(put ...patch.Package) CatalogChange {
		return CatalogChange{Put: put, Compare: byWinget, Expires: t0.AddDate(0, 3, 0)}
	}
	first, err := NextCatalog(wire.Catalog{}, root, change(pack("B.B", "1.9"), pack("A.A", "1")), t0)
	if err != nil || first.Version != 1 || first.Root != 3 || first.Packages[0].ID != "A.A" {
		t.Fatalf("%+v, %v", first, err)
	}
	second, err := NextCatalog(first, root, change(pack("B.B", "1.10")), t0)
	if err != nil || !slices.Equal(versionsOf(second, "B.B"), []string{"1.10", "1.9"}) || !slices.Equal(versionsOf(second, "A.A"), []string{"1"}) {
		t.Fatalf("%+v, %v", second, err)
	}
	third, err := NextCatalog(second, root, change(pack("B.B", "1.11")), t0)
	if err != nil || !slices.Equal(versionsOf(third, "B.B"), []string{"1.11", "1.10"}) || third.Version != 3 {
		t.Fatalf("%+v, %v", third, err)
	}
	if !slices.Equal(versionsOf(second, "B.B"), []string{"1.10", "1.9"}) {
		t.Error("drafting the next changes the one before")
	}
	gone := change()
	gone.Remove = []string{"A.A"}
	if c, err := NextCatalog(third, root, gone, t0); err != nil || versionsOf(c, "A.A") != nil || len(c.Packages) != 1 {
		t.Errorf("%+v, %v", c, err)
	}
	gone.Remove = []string{"C.C"}
	if _, err := NextCatalog(third, root, gone, t0); err == nil || !strings.Contains(err.Error(), "C.C") {
		t.Errorf("removing what was not there: %v", err)
	}
}

// Whatever is put, the next catalogue has the form that devices take, the newest releases of
// each package, and the next number.
func TestDraftedCataloguesHaveTheirForm(t *testing.T) {
	versions := rapid.SampledFrom([]string{"1", "1.0", "1.2-rc", "1.10", "2", "latest", "unknown", "v3"})
	ids := rapid.SampledFrom([]string{"A.A", "B.B", "C.C"})
	rapid.Check(t, func(t *rapid.T) {
		var c wire.Catalog
		for n := range rapid.IntRange(1, 6).Draw(t, "rounds") {
			keep := rapid.IntRange(1, 3).Draw(t, "keep")
			change := CatalogChange{Compare: byWinget, Keep: keep, Expires: t0.AddDate(0, 3, 0)}
			for range rapid.IntRange(0, 3).Draw(t, "packages") {
				change.Put = append(change.Put, pack(ids.Draw(t, "id"), versions.Draw(t, "version")))
			}
			next, err := NextCatalog(c, rootOf(1), change, t0)
			if err != nil {
				t.Fatal(err)
			}
			if err := trust.CatalogForm(next); err != nil {
				t.Fatalf("%v: %+v", err, next)
			}
			if next.Version != int64(n)+1 {
				t.Fatalf("version %d follows %d", next.Version, c.Version)
			}
			for _, put := range change.Put {
				got := versionsOf(next, put.ID)
				if len(got) > keep || !slices.IsSortedFunc(got, func(a, b string) int { n, _ := byWinget("", b, a); return n }) {
					t.Fatalf("%s has the releases %v", put.ID, got)
				}
			}
			c = next
		}
	})
}
