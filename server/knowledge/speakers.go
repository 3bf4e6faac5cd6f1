package knowledge

import (
	"slices"

	"patchbay/server/catalog/advisory"
	"patchbay/server/catalog/match"
	"patchbay/wire"
)

// hear notes which feed speaks of which ecosystems.
func (l *loading) hear(a advisory.Advisory) {
	for i := range a.Affected {
		e := a.Affected[i].Ecosystem
		if list := l.speakers[e]; !slices.Contains(list, a.Feed) {
			l.speakers[e] = append(list, a.Feed)
		}
	}
}

// ReleaseOf is the release whose advisories what a provider has would be compared with, whether
// any feed speaks of it or not; "" where advisories have no names for such items.
func ReleaseOf(f wire.Facts, provider string) string {
	if r, ok := release(f, provider); ok {
		return r
	}
	adds := func(p wire.ProviderFacts) bool { return p.Name == provider && p.Traits.Adds }
	if f.OS == "windows" && slices.ContainsFunc(f.Providers, adds) {
		return windows
	}
	return ""
}

// Speakers are the feeds whose advisories are for a release, sorted; none where nobody speaks
// of it.
func (s *Snapshot) Speakers(release string) []string {
	if s == nil {
		return nil
	}
	if release == products {
		return []string{s.records.feed}
	}
	if release == windows {
		if len(s.microsoft.Documents) == 0 {
			return nil
		}
		return []string{s.microsoftFeed}
	}
	var feeds []string
	for e, list := range s.speakers {
		if match.Concerns(e, release) {
			feeds = append(feeds, list...)
		}
	}
	slices.Sort(feeds)
	return slices.Compact(feeds)
}
