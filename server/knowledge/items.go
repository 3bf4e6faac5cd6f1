package knowledge

import (
	"slices"
	"strings"

	"patchbay/patch"
	"patchbay/server/assess"
	"patchbay/server/catalog/advisory"
	"patchbay/server/catalog/match"
	"patchbay/server/catalog/priority"
	"patchbay/wire"
)

// once gives what was found of an item, worked out the first time alone. What affects it is
// worked out once for all devices; where that stands, once for each kind of device.
func (s *Snapshot) once(k key, it patch.Item, work func() []scored) *assess.Found {
	if one := s.known(k); one != nil {
		return one.found
	}
	if k.on != (priority.Device{}) {
		anyDevice := k
		anyDevice.on = priority.Device{}
		s.once(anyDevice, it, work)
		work = func() []scored { return s.known(anyDevice).on(s, k.on) }
	}
	one := &item{found: &assess.Found{Release: k.release, Name: it.Name, Version: it.Version}}
	for _, f := range inOrder(work()) {
		one.found.List, one.scores = append(one.found.List, f.Finding), append(one.scores, f.scores)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if first, ok := s.items[k]; ok { // somebody else asked meanwhile
		return first.found
	}
	s.items[k] = one
	return one.found
}

func (s *Snapshot) known(k key) *item {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.items[k]
}

// on gives the same findings where they stand on devices of another kind.
func (one *item) on(s *Snapshot, on priority.Device) []scored {
	list := make([]scored, 0, len(one.found.List))
	for i, f := range one.found.List {
		s.weigh(&f, one.scores[i], on)
		list = append(list, scored{f, one.scores[i]})
	}
	return list
}

// release is the system whose own packages a provider manages: one whose versions are ordered
// as those of the system's packages are.
func release(f wire.Facts, provider string) (string, bool) {
	i := slices.IndexFunc(f.Providers, func(p wire.ProviderFacts) bool { return p.Name == provider })
	if i < 0 || f.Distro == "" {
		return "", false
	}
	r, err := match.Release(f.Distro + ":" + f.Release)
	if err != nil {
		return "", false
	}
	e, ok := advisory.EcosystemOf(r)
	return r, ok && e.Scheme == f.Providers[i].Traits.Versions
}

// itemOf is an item as advisories are compared with it. What no source of the device has any
// more is taken for the system's own, as long as its version shows nothing else.
func itemOf(f wire.Facts, it patch.Item) match.Item {
	m := match.Item{Name: it.Name, Architecture: it.Architecture, Version: it.Version, Source: it.Source, SourceVersion: it.SourceVersion}
	if it.Origin != "" && !own(f.Distro, it.Origin) {
		m.Foreign = it.Origin
	} else if it.Origin == "" {
		m.Foreign = match.Publisher("", it.Version)
	}
	return m
}

// own reports whether an origin is of the distribution itself: "Debian", "Debian Backports",
// "UbuntuESM".
func own(distro, origin string) bool {
	return strings.HasPrefix(strings.ToLower(origin), strings.ToLower(distro))
}

// scored is a finding with what sources say of how grave it is.
type scored struct {
	assess.Finding
	scores []advisory.Score
}

// findings says in the server's words what was found.
func (s *Snapshot) findings(list []match.Finding) []scored {
	found := make([]scored, 0, len(list))
	for _, f := range list {
		one := assess.Finding{Advisory: f.Advisory, Status: assess.FindingStatus(f.Status), Fixed: f.Fixed, Note: f.Note, Source: f.Feed, Published: f.Published, CVEs: f.CVEs}
		s.weigh(&one, f.Scores, priority.Device{})
		found = append(found, scored{one, f.Scores})
	}
	return found
}
