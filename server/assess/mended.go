package assess

import (
	"slices"
	"time"

	"patchbay/patch"
	"patchbay/wire"
)

// Mended is an item that went to a version which is not affected by what affected it before.
type Mended struct {
	Key      patch.Key
	From, To string    // versions; To is "" when it is not there any more
	CVEs     []string  // that were open and are not, sorted; IDs of advisories that stand for none
	At       time.Time // of the scan that shows it
}

// MendedSince says what was mended on a device since something was found on it. What closes
// because an advisory says something else now was not mended: the version has to be another
// one. A list that could not be read shows nothing.
func MendedSince(before map[patch.Key]*Found, d Device) []Mended {
	var list []Mended
	for _, p := range d.Providers {
		if p.Installed.State != wire.SectionOK {
			continue
		}
		now := map[patch.Key]string{}
		for _, item := range p.Items {
			now[item.Key()] = item.Version
		}
		for key, was := range before {
			version, there := now[key]
			if key.Provider != p.Name || there && version == was.Version {
				continue
			}
			closed := openOf(was)
			if is := d.Findings[key]; there && is != nil {
				still := openOf(is)
				closed = slices.DeleteFunc(closed, func(id string) bool { return slices.Contains(still, id) })
			}
			if len(closed) > 0 {
				list = append(list, Mended{Key: key, From: was.Version, To: version, CVEs: closed, At: p.Installed.ScannedAt})
			}
		}
	}
	slices.SortFunc(list, func(a, b Mended) int { return a.Key.Compare(b.Key) })
	return list
}

// openOf are the CVEs that are open in what was found, sorted.
func openOf(f *Found) []string {
	var ids []string
	for _, one := range f.List {
		switch {
		case !one.Status.Open():
		case len(one.CVEs) > 0:
			ids = append(ids, one.CVEs...)
		case one.Advisory != "":
			ids = append(ids, one.Advisory)
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}
