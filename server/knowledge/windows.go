package knowledge

import (
	"fmt"
	"strings"

	"patchbay/patch"
	"patchbay/server/assess"
	"patchbay/server/catalog/msrc"
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

// ofWindows is what Microsoft's documents say that a Windows lacks, nil where they know none of
// its kind. A build that is one of several products is taken for the one that it calls itself.
func (s *Snapshot) ofWindows(f wire.Facts, it patch.Item, build msrc.Build) *assess.Found {
	k := key{release: windows}
	k.item.Name, k.item.Version, k.item.Architecture = it.Title, it.Version, f.Architecture
	s.mu.RLock()
	one, ok := s.items[k]
	s.mu.RUnlock()
	if ok {
		return one
	}
	one = &assess.Found{Release: windows, Name: it.Name, Version: it.Version, List: s.lacks(f, it, build)}
	s.mu.Lock()
	defer s.mu.Unlock()
	if first, ok := s.items[k]; ok {
		return first
	}
	s.items[k] = one
	return one
}

func (s *Snapshot) lacks(f wire.Facts, it patch.Item, build msrc.Build) []assess.Finding {
	server := strings.Contains(it.Title, "Server")
	for _, state := range s.microsoft.Missing(msrc.Target{Build: build, Architecture: f.Architecture}) {
		if strings.Contains(state.Product, "Server") != server {
			continue
		}
		var list []assess.Finding
		for _, l := range state.Missing {
			list = append(list, s.lack(l, assess.Affected, fmt.Sprintf("KB%s mends it.", l.KB))...)
		}
		for _, l := range state.Unproven {
			list = append(list, s.lack(l, assess.Undetermined, l.Why)...)
		}
		return s.weighed(list)
	}
	return nil
}

func (s *Snapshot) lack(l msrc.Lack, status assess.FindingStatus, note string) []assess.Finding {
	updates := []string{"KB" + l.KB}
	for _, kb := range l.SupersededBy {
		updates = append(updates, "KB"+kb)
	}
	var list []assess.Finding
	for _, cve := range l.CVEs {
		list = append(list, assess.Finding{Advisory: cve, CVEs: []string{cve}, Status: status, Fixed: l.Build.String(), Severity: s.microsoft.Severity(cve),
			Source: s.microsoftFeed, Note: note, Updates: updates})
	}
	return list
}
