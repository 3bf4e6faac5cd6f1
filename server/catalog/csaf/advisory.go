package csaf

import (
	"cmp"
	"slices"
	"strings"

	"patchbay/server/catalog/advisory"
)

// Advisory writes what a document says of packages of Red Hat and SUSE in the words in which
// packages are compared. ok is false where it says nothing of these.
//
// A document of one CVE is called by its publisher and the CVE: several publishers have one
// for the same.
func (d Document) Advisory() (a advisory.Advisory, ok bool) {
	a = advisory.Advisory{ID: d.ID, Summary: d.Title, Published: d.Published, Modified: d.Modified}
	if d.Word != "" {
		a.Scores = append(a.Scores, advisory.Score{By: d.Publisher, Word: d.Word})
	}
	rows := map[row]bool{}
	for _, v := range d.Vulnerabilities {
		if v.CVE != "" && v.CVE != a.ID {
			a.Aliases = append(a.Aliases, v.CVE)
		}
		for _, s := range v.Scores {
			if !slices.Contains(a.Scores, s) {
				a.Scores = append(a.Scores, s)
			}
		}
		for _, s := range v.Stated {
			// Of several vulnerabilities one may affect what another does not.
			if r, ok := s.row(); ok && (r.state != advisory.NotAffected || len(d.Vulnerabilities) == 1) {
				rows[r] = true
			}
		}
	}
	for r := range rows {
		a.Affected = append(a.Affected, r.affected())
	}
	slices.SortFunc(a.Affected, func(x, y advisory.Affected) int {
		return cmp.Or(strings.Compare(x.Ecosystem, y.Ecosystem), strings.Compare(x.Name, y.Name), strings.Compare(x.Module, y.Module), strings.Compare(string(x.State), string(y.State)),
			strings.Compare(x.Why, y.Why), slices.Compare(x.Versions, y.Versions), slices.CompareFunc(x.Ranges, y.Ranges, func(a, b advisory.Range) int { return strings.Compare(a.Fixed, b.Fixed) }))
	})
	if advisory.IsCVE(a.ID) && len(a.Affected) > 0 {
		by, _, _ := strings.Cut(a.Affected[0].Ecosystem, ":")
		a.Aliases = append(a.Aliases, a.ID)
		a.ID = strings.ToUpper(strings.ReplaceAll(by, " ", "")) + "-" + a.ID
	}
	slices.SortFunc(a.Aliases, advisory.CompareIDs)
	a.Aliases = slices.Compact(a.Aliases)
	return a, len(a.Affected) > 0
}

// row is what is said of one package, for all of its architectures.
type row struct {
	ecosystem, name, module, fixed, version, why string
	state                                        advisory.State
	open                                         bool // all versions, as far as is known
}

func (s Stated) row() (row, bool) {
	p := s.Product
	r := row{ecosystem: ecosystem(p.Platform), name: p.Package.Name, module: p.Package.Module}
	if r.ecosystem == "" || r.name == "" {
		return r, false
	}
	switch s.Status {
	case Fixed:
		// What others are built of is not installed itself.
		r.fixed = p.Package.Version
		return r, r.fixed != "" && p.Package.Architecture != "src" && p.Package.Architecture != "nosrc"
	case NotAffected:
		r.state = advisory.NotAffected
	case Investigated:
		r.state, r.open = advisory.Undetermined, true
		r.why = "it is being looked into"
	case Affected:
		r.state, r.why = s.state()
		r.version, r.open = p.Package.Version, p.Package.Version == ""
	}
	return r, true
}

// state is what a publisher says of something that is affected, beside the versions.
func (s Stated) state() (advisory.State, string) {
	for _, r := range s.Remedies {
		details := strings.ToLower(r.Details)
		switch {
		case r.Kind == "no_fix_planned" && strings.Contains(details, "out of support"):
			return advisory.EndOfLife, r.Details
		case r.Kind == "no_fix_planned":
			return advisory.Ignored, r.Details
		case r.Kind == "none_available" && strings.Contains(details, "deferred"):
			return advisory.Postponed, r.Details
		case r.Kind == "none_available" && strings.Contains(details, "will not fix"):
			return advisory.Ignored, r.Details
		}
	}
	return advisory.ByVersion, ""
}

func (r row) affected() advisory.Affected {
	a := advisory.Affected{Ecosystem: r.ecosystem, Name: r.name, Module: r.module, State: r.state, Why: r.why}
	switch {
	case r.fixed != "":
		a.Ranges = []advisory.Range{{Introduced: "0", Fixed: r.fixed}}
	case r.open:
		a.Ranges = []advisory.Range{{Introduced: "0"}}
	case r.version != "":
		a.Versions = []string{r.version}
	}
	return a
}

// ecosystem writes a platform as the schema of OSV does: Red Hat's by their names in the Common
// Platform Enumeration, SUSE's by their titles.
func ecosystem(platform *Product) string {
	if platform == nil {
		return ""
	}
	for _, part := range []string{"a", "o"} {
		if rest, ok := strings.CutPrefix(platform.CPE, "cpe:/"+part+":redhat:"); ok {
			return "Red Hat:" + rest
		}
	}
	switch {
	case strings.HasPrefix(platform.CPE, "cpe:/o:suse:"):
		if rest, ok := strings.CutPrefix(platform.Name, "SUSE "); ok {
			return "SUSE:" + rest
		}
	case strings.HasPrefix(platform.CPE, "cpe:/o:opensuse:"):
		if rest, ok := strings.CutPrefix(platform.Name, "openSUSE "); ok {
			return "openSUSE:" + rest
		}
	}
	return ""
}
