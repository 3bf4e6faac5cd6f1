package agent

import (
	"patchbay/agent/disk"
	"patchbay/agent/identity"
	"patchbay/patch"
	"patchbay/provider"
	"patchbay/wire/trust"
)

// catalog is what the publisher signed for, as far as one provider is concerned. It is read
// anew each time: providers ask once a scan, and in between it would only lie in memory.
func (b *beliefs) catalog(kind string) provider.Catalog { return catalogOf(b.state(), kind) }

func catalogOf(s trust.State, kind string) provider.Catalog {
	if s.Catalog == nil {
		return provider.Catalog{}
	}
	c, err := s.Catalog.Read()
	if err != nil { // it was read before it was kept
		return provider.Catalog{}
	}
	var own []patch.Package
	for _, p := range c.Packages {
		if p.Provider == kind {
			own = append(own, p)
		}
	}
	return provider.Catalog{Version: c.Version, SignedAt: c.IssuedAt, Expires: c.Expires, Packages: own}
}

// CatalogOnDisk gives what the agent of this machine believes, to whoever reads the device
// without it; nothing before enrolment.
func CatalogOnDisk(dir disk.Dir) func(kind string) provider.Catalog {
	return func(kind string) provider.Catalog {
		id, err := identity.Load(dir)
		if err != nil {
			return provider.Catalog{}
		}
		held, err := identity.LoadBelief(dir, id)
		if err != nil {
			return provider.Catalog{}
		}
		return catalogOf(held.State, kind)
	}
}
