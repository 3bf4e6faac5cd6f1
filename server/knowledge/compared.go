package knowledge

import (
	"slices"

	"patchbay/patch"
	"patchbay/server/assess"
	"patchbay/server/catalog/match"
	"patchbay/server/catalog/priority"
	"patchbay/wire"
)

// Compared is what advisories say of what one provider has installed. It does not change.
type Compared struct {
	Release string   // whose advisories these are, as they name it; "" where no feed speaks of it
	Names   []string // that advisories call the items by, sorted
	Found   map[patch.Key]*assess.Found
	Items   int // that were held against advisories

	modular bool // what affects it depends on which modules are there together
}

// section is all that decides what is said of one provider's items.
type section struct {
	release, provider, hash string
	os, distro, kernel      string
	architecture            string
	on                      priority.Device
}

// weight is what a comparison takes in memory, as a number of names and findings.
func (c *Compared) weight() int { return 1 + len(c.Names) + len(c.Found) }

// mostRemembered bounds the weight of all comparisons that are remembered: about a thousand
// machines with a thousand packages that are all different.
const mostRemembered = 1 << 20

// Compare gives what advisories say of a provider's items, whose section has a hash. The same
// item gets the same value on every device that is of one kind, and the same section is looked through once; no
// hash is a section that is not to be remembered.
func (s *Snapshot) Compare(f wire.Facts, provider, hash string, items []patch.Item, on priority.Device) *Compared {
	k := section{on: on, provider: provider, hash: hash, os: f.OS, distro: f.Distro, kernel: f.Kernel, architecture: f.Architecture}
	if f.Container {
		k.kernel = "" // somebody else's
	}
	if r, ok := release(f, provider); ok {
		k.release = r
	}
	s.mu.RLock()
	known := s.sections[k]
	s.mu.RUnlock()
	if known != nil {
		return known
	}
	c := s.compare(f, k, items)
	if hash != "" {
		s.mu.Lock()
		s.remember(k, c)
		s.mu.Unlock()
	}
	return c
}

// remember keeps a comparison; any other goes when there are too many. The caller holds the lock.
func (s *Snapshot) remember(k section, c *Compared) {
	for other, was := range s.sections {
		if s.remembered+c.weight() <= mostRemembered {
			break
		}
		delete(s.sections, other)
		s.remembered -= was.weight()
	}
	if s.sections[k] == nil {
		s.sections[k], s.remembered = c, s.remembered+c.weight()
	}
}

// compare looks through a section.
func (s *Snapshot) compare(f wire.Facts, k section, items []patch.Item) *Compared {
	if k.release == "" || !s.index.Speaks(k.release) {
		if c := s.compareWindows(f, items, k.on); c.Release != "" {
			return c
		}
		return s.comparePrograms(f, k.provider, items, k.on)
	}
	h := match.Host{Release: k.release, Kernel: k.kernel}
	for _, it := range items {
		h.Items = append(h.Items, itemOf(f, it))
	}
	m := s.index.On(h)
	c := &Compared{Release: k.release, Found: map[patch.Key]*assess.Found{}, modular: m.Modular()}
	for i, it := range items {
		one := s.once(key{k.release, h.Items[i], m.Context(h.Items[i]), k.on}, it, func() []scored { return s.findings(m.Item(h.Items[i])) })
		if len(one.List) > 0 {
			c.Found[it.Key()] = one
		}
		c.Names = append(c.Names, match.Subject(k.release, h.Items[i]))
		if h.Items[i].Foreign == "" {
			c.Items++
		}
	}
	slices.Sort(c.Names)
	c.Names = slices.Clip(slices.Compact(c.Names))
	return c
}

// inheritSections takes over the comparisons of another snapshot that nothing touched: of which
// no name is among those that advisories say something else of, and no finding was worked out
// again. The caller holds the lock of the other.
func (s *Snapshot) inheritSections(was *Snapshot, packages []match.Subjected) {
	kept := make(map[*assess.Found]bool, len(s.items))
	for _, one := range s.items {
		kept[one.found] = true
	}
	touched := map[string]map[string]bool{} // by release
	for k, c := range was.sections {
		names := touched[c.Release]
		if names == nil {
			names = namesTouched(packages, c.Release)
			touched[c.Release] = names
		}
		if c.modular || c.Release == "" || slices.ContainsFunc(c.Names, func(n string) bool { return names[n] }) || !allKept(c, kept) {
			continue
		}
		s.sections[k], s.remembered = c, s.remembered+c.weight()
	}
}

func namesTouched(packages []match.Subjected, release string) map[string]bool {
	names := map[string]bool{}
	for _, p := range packages {
		if match.Concerns(p.Ecosystem, release) {
			names[p.Name] = true
		}
	}
	return names
}

func allKept(c *Compared, kept map[*assess.Found]bool) bool {
	for _, f := range c.Found {
		if !kept[f] {
			return false
		}
	}
	return true
}
