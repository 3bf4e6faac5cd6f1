package match

import (
	"cmp"
	"slices"

	"patchbay/patch"
	"patchbay/server/catalog/advisory"
)

// gravest are the statuses, of which an item has the first where one advisory speaks of its
// package several times.
var gravest = []Status{NoFix, Affected, NotRunning, HeadersOnly, Undetermined, Unimportant, NotCompared}

// take adds a finding. One advisory may speak of a package more than once, with a stretch of
// versions each time: that is one finding, and what mends it has to be out of all of them.
func (m *Matcher) take(e advisory.Ecosystem, list []Finding, one Finding) []Finding {
	if len(list) == 0 {
		return []Finding{one}
	}
	last := &list[len(list)-1]
	if last.Advisory != one.Advisory || last.Ecosystem != one.Ecosystem {
		return append(list, one)
	}
	severity := last.Severity.Graver(one.Severity)
	switch c := cmp.Compare(slices.Index(gravest, one.Status), slices.Index(gravest, last.Status)); {
	case c < 0:
		*last = one
	case c == 0 && (last.Fixed == "" || one.Fixed == ""):
		last.Fixed = ""
	case c == 0:
		last.Fixed = m.later(e, last.Fixed, one.Fixed)
	}
	last.Severity = severity
	return list
}

// mends reports whether the advisory of the first row names this very version as one that
// mends it. Those of rpm list several builds of one package side by side.
func (m *Matcher) mends(e advisory.Ecosystem, version string, rows []row) bool {
	if e.Scheme != patch.SchemeRPM {
		return false
	}
	for _, r := range rows {
		if r.advisory != rows[0].advisory {
			return false
		}
		for _, g := range r.affected.Ranges {
			if g.Fixed == "" {
				continue
			}
			if c, err := m.compare(e, version, g.Fixed); err == nil && c == 0 {
				return true
			}
		}
	}
	return false
}
