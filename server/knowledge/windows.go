package knowledge

import (
	"fmt"
	"strings"

	"patchbay/patch"
	"patchbay/server/assess"
	"patchbay/server/catalog/advisory"
	"patchbay/server/catalog/match"
	"patchbay/server/catalog/msrc"
	"patchbay/server/catalog/priority"
	"patchbay/wire"
)

// windows is the release that a Windows is of, here.
const windows = "Windows"

// isWindows reports whether an item is the Windows that runs, in its full build.
func isWindows(f wire.Facts, it patch.Item) (msrc.Build, bool) {
	if f.OS != "windows" || it.Name != windows {
		return msrc.Build{}, false
	}
	return msrc.ParseBuild(it.Version)
}

// compareWindows gives what the Windows among items lacks by Microsoft's documents. A build that
// is one of several products is taken for the one that it calls itself.
func (s *Snapshot) compareWindows(f wire.Facts, items []patch.Item, on priority.Device) *Compared {
	c := &Compared{}
	if len(s.microsoft.Documents) == 0 {
		return c
	}
	for _, it := range items {
		build, ok := isWindows(f, it)
		if !ok {
			continue
		}
		c.Release, c.Names, c.Items = windows, []string{windows}, len(items) // its updates are part of it
		k := key{release: windows, item: match.Item{Name: it.Title, Version: it.Version, Architecture: f.Architecture}, on: on}
		if one := s.once(k, it, func() []scored { return s.lacks(f, it, build) }); len(one.List) > 0 {
			c.Found = map[patch.Key]*assess.Found{it.Key(): one}
		}
		return c
	}
	return c
}

func (s *Snapshot) lacks(f wire.Facts, it patch.Item, build msrc.Build) []scored {
	server := strings.Contains(it.Title, "Server")
	for _, state := range s.microsoft.Missing(msrc.Target{Build: build, Architecture: f.Architecture}) {
		if strings.Contains(state.Product, "Server") != server {
			continue
		}
		var list []scored
		for _, l := range state.Missing {
			list = append(list, s.lack(l, assess.Affected, fmt.Sprintf("KB%s mends it.", l.KB))...)
		}
		for _, l := range state.Unproven {
			list = append(list, s.lack(l, assess.Undetermined, l.Why)...)
		}
		return list
	}
	return nil
}

func (s *Snapshot) lack(l msrc.Lack, status assess.FindingStatus, note string) []scored {
	updates := []string{"KB" + l.KB}
	for _, kb := range l.SupersededBy {
		updates = append(updates, "KB"+kb)
	}
	var list []scored
	for _, cve := range l.CVEs {
		f := assess.Finding{Advisory: cve, CVEs: []string{cve}, Status: status, Fixed: l.Build.String(), Source: s.microsoftFeed, Note: note, Updates: updates}
		scores := []advisory.Score{{By: "Microsoft", Word: string(s.microsoft.Severity(cve))}}
		s.weigh(&f, scores, priority.Device{})
		list = append(list, scored{f, scores})
	}
	return list
}
