package verdict

import (
	"fmt"
	"slices"
	"strings"

	"patchbay/server/assess"
)

// named is how many advisories a sentence names.
const named = 3

// noFix is the verdict of what advisories affect and nothing on offer mends.
func noFix(n assess.Need) Verdict {
	var mended, open []string
	fixed := ""
	for _, f := range n.Findings {
		switch {
		case f.Status == assess.Affected && f.Fixed != "":
			mended, fixed = append(mended, called(f)), f.Fixed
		case f.Status.Open():
			open = append(open, called(f))
		}
	}
	v := Verdict{Name: NO_FIX, Owner: Vendor, Since: n.Since}
	if len(mended) == 0 {
		v.Sentence = fmt.Sprintf("%s %s in %s %s, and no fix for it is published.", list(open), affect(open), n.Key.Name, n.Installed)
		if slices.ContainsFunc(n.Findings, func(f assess.Finding) bool { return f.Status.Open() && f.Unconfirmed }) {
			v.Sentence = fmt.Sprintf("%s %s in %s %s, and no fix for it is known.", list(open), affect(open), n.Key.Name, n.Installed)
		}
		return v
	}
	v.Owner, v.Act = MSP, ActLook
	v.Sentence = fmt.Sprintf("%s %s mended in %s, which none of this device's sources offers. A source that has it may be missing, or not read since.", list(mended), verb(mended), fixed)
	if len(mended) > 1 {
		v.Sentence = fmt.Sprintf("%s are mended in newer versions, the last in %s, which none of this device's sources offers. A source that has it may be missing, or not read since.", list(mended), fixed)
	}
	if len(open) > 0 {
		v.Sentence += fmt.Sprintf(" No fix is published for %s.", list(open))
	}
	return v
}

// called is a finding's name for people: its CVE where it stands for one.
func called(f assess.Finding) string {
	if len(f.CVEs) == 1 {
		return f.CVEs[0]
	}
	return f.Advisory
}

func affect(names []string) string {
	if len(names) == 1 {
		return "is open"
	}
	return "are open"
}

func verb(names []string) string {
	if len(names) == 1 {
		return "is"
	}
	return "are"
}

// list names the first few, and counts the others.
func list(names []string) string {
	names = slices.Compact(names)
	if len(names) > named+1 {
		names = append(slices.Clone(names[:named]), fmt.Sprintf("%d more", len(names)-named))
	}
	if len(names) == 1 {
		return names[0]
	}
	return strings.Join(names[:len(names)-1], ", ") + " and " + names[len(names)-1]
}
