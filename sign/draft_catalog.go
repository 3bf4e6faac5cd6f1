package sign

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"patchbay/patch"
	"patchbay/wire"
)

// CatalogChange is what the next catalogue has otherwise than the one before.
type CatalogChange struct {
	Put    []patch.Package // each with its new releases; those before stay behind them
	Remove []string        // IDs of packages
	Keep   int             // releases of a package at most; 0 is 2
	// Compare orders two versions of a provider's packages.
	Compare func(provider, a, b string) (int, error)
	Expires time.Time
}

// NextCatalog is the catalogue after one, made now under a root. Before the first is none.
func NextCatalog(c wire.Catalog, root wire.Root, change CatalogChange, now time.Time) (wire.Catalog, error) {
	c.Version, c.Root, c.IssuedAt, c.Expires = c.Version+1, root.Version, now.UTC().Truncate(time.Second), change.Expires.UTC()
	c.Packages = slices.Clone(c.Packages)
	for _, id := range change.Remove {
		n := len(c.Packages)
		c.Packages = slices.DeleteFunc(c.Packages, func(p patch.Package) bool { return p.ID == id })
		if len(c.Packages) == n {
			return c, fmt.Errorf("drafting a catalogue: there was no package %s before", ascii(id, 80))
		}
	}
	for _, put := range change.Put {
		at := slices.IndexFunc(c.Packages, func(p patch.Package) bool { return p.Provider == put.Provider && p.ID == put.ID })
		if at < 0 {
			at = len(c.Packages)
			c.Packages = append(c.Packages, patch.Package{Provider: put.Provider, ID: put.ID})
		}
		releases, err := merged(put, c.Packages[at], change)
		if err != nil {
			return c, err
		}
		put.Releases = releases
		c.Packages[at] = put
	}
	slices.SortFunc(c.Packages, func(a, b patch.Package) int {
		return cmp.Or(cmp.Compare(a.Provider, b.Provider), cmp.Compare(a.ID, b.ID))
	})
	return c, nil
}

// merged are the releases of a package and of what was there before, the newest first. One
// that is in both is the new one's; what is older than those that are kept goes.
func merged(put, before patch.Package, change CatalogChange) ([]patch.Release, error) {
	all := slices.Clone(put.Releases)
	for _, r := range before.Releases {
		if !slices.ContainsFunc(put.Releases, func(n patch.Release) bool { return n.Version == r.Version }) {
			all = append(all, r)
		}
	}
	var wrong error
	slices.SortStableFunc(all, func(a, b patch.Release) int {
		n, err := change.Compare(put.Provider, b.Version, a.Version)
		wrong = cmp.Or(wrong, err)
		return n
	})
	if wrong != nil {
		return nil, fmt.Errorf("drafting a catalogue: %s: %w", ascii(put.ID, 80), wrong)
	}
	return all[:min(len(all), cmp.Or(change.Keep, 2))], nil
}
