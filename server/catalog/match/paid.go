package match

import (
	"slices"
	"strings"

	"patchbay/server/catalog/advisory"
)

// paid is where the fixes of a release of Ubuntu stand that are for those who pay.
func paid(ecosystem string) string { return "Ubuntu:Pro:" + strings.TrimPrefix(ecosystem, "Ubuntu:") }

// paidFix is the version that mends it for those who pay, "" where there is none.
func (x *Index) paidFix(e advisory.Ecosystem, ecosystem, name, id string) string {
	if e.Name != "Ubuntu" {
		return ""
	}
	for _, r := range x.named(paid(ecosystem), name) {
		if r.advisory.ID != id {
			continue
		}
		for _, g := range r.affected.Ranges {
			if g.Fixed != "" {
				return g.Fixed
			}
		}
	}
	return ""
}

// forPay says what a fix that is kept for those who pay means for an item: one that has such a
// version already may have the next one too.
func (m *Matcher) forPay(f *Finding, it Item, fixed string) {
	if f.Status != NoFix {
		return
	}
	if strings.Contains(it.Version, "esm") {
		f.Status, f.Fixed, f.Note = Affected, fixed, "Its fix is for those who have Ubuntu Pro, as this version was."
		return
	}
	f.Note = "It is fixed in " + fixed + " for those who have Ubuntu Pro."
}

// paidOnly gives what is said of an item only where the fixes for those who pay stand.
func (m *Matcher) paidOnly(e advisory.Ecosystem, f Finding, it Item, version string, places []string, name string) []Finding {
	var list []Finding
	for _, place := range places {
		free := m.index.named(place, name)
		for _, r := range m.index.named(paid(place), name) {
			if slices.ContainsFunc(free, func(o row) bool { return o.advisory.ID == r.advisory.ID }) {
				continue
			}
			one, ok := m.row(e, f, it, version, r)
			if !ok {
				continue
			}
			if fixed := one.Fixed; one.Status == Affected {
				one.Status, one.Fixed = NoFix, ""
				m.forPay(&one, it, fixed)
			}
			one.Ecosystem = paid(place)
			list = m.take(e, list, one)
		}
	}
	return list
}
