// Package advisory holds the words for what the world says of software: an advisory names
// packages of an ecosystem, the versions of them that it is about, and what mends them.
//
// The one idea: whoever publishes a package says in which of its versions a fault is. Each
// feed's own form is read into these words; what a feed leaves open stays open here, as a
// state of its own, and never becomes "not affected".
package advisory

import (
	"cmp"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"patchbay/patch"
)

// Advisory is one publication of one feed.
type Advisory struct {
	ID        string     `json:"id"`
	Feed      string     `json:"feed,omitempty"`    // that it is from
	Aliases   []string   `json:"aliases,omitempty"` // what else it is called or stands for, CVE numbers first
	Summary   string     `json:"summary,omitempty"`
	Published time.Time  `json:"published,omitzero"`
	Modified  time.Time  `json:"modified,omitzero"`
	Withdrawn time.Time  `json:"withdrawn,omitzero"` // it says nothing any more
	Scores    []Score    `json:"scores,omitempty"`
	Affected  []Affected `json:"affected,omitempty"`
}

// Score is what one source says of how grave it is: a word, a CVSS vector, or both.
type Score struct {
	By     string `json:"by,omitempty"` // the source, such as "Ubuntu" or "NVD"; "" is the feed itself
	Word   string `json:"word,omitempty"`
	Vector string `json:"vector,omitempty"`
}

// State is what the publisher says of a package beside the versions.
type State string

// The states. The zero value leaves it to the versions.
const (
	ByVersion    State = ""
	NotAffected  State = "not-affected"
	Ignored      State = "ignored"      // it is affected and will not be mended
	Postponed    State = "postponed"    // it is affected and may be mended with a later release
	EndOfLife    State = "end-of-life"  // nobody mends the package here any more
	Unimportant  State = "unimportant"  // it is there and does no harm as this publisher builds it
	Undetermined State = "undetermined" // the publisher does not know
)

// Affected is what an advisory says of one package in one ecosystem. A version is affected
// that is in one of the ranges or among the versions.
type Affected struct {
	Ecosystem string   `json:"ecosystem"` // as the schema of OSV writes it, such as "Debian:12"
	Name      string   `json:"name"`      // of the source package where the ecosystem speaks of these
	Ranges    []Range  `json:"ranges,omitempty"`
	Versions  []string `json:"versions,omitempty"`
	State     State    `json:"state,omitempty"`
	Why       string   `json:"why,omitempty"`    // the publisher's own words on its state
	Module    string   `json:"module,omitempty"` // name:stream, where the package is of a module
	Word      string   `json:"word,omitempty"`   // how grave it is for this package alone
}

// Range is a stretch of versions: from Introduced on, up to Fixed (without it) or Last (with
// it). "0" is before every version; "" in both ends is without an end: nothing mends it.
type Range struct {
	Introduced string `json:"introduced"`
	Fixed      string `json:"fixed,omitempty"`
	Last       string `json:"last,omitempty"`
	Limit      string `json:"limit,omitempty"` // nothing is said of it and of what is after it
}

// Ecosystem is a kind of packages that are named and ordered in one way.
type Ecosystem struct {
	Name   string // as the schema of OSV writes it, without a release
	Scheme string // of patch.CompareVersions
	Source bool   // its advisories name source packages, not those that are installed
}

// ecosystems are those that are known.
var ecosystems = []Ecosystem{
	{"Debian", patch.SchemeDeb, true},
	{"Ubuntu", patch.SchemeDeb, true},
	{"Alpine", patch.SchemeAPK, true},
	{"Wolfi", patch.SchemeAPK, true},
	{"Chainguard", patch.SchemeAPK, true},
	{"AlmaLinux", patch.SchemeRPM, false},
	{"Rocky Linux", patch.SchemeRPM, false},
	{"Red Hat", patch.SchemeRPM, false},
	{"SUSE", patch.SchemeRPM, false},
	{"openSUSE", patch.SchemeRPM, false},
	{"Mageia", patch.SchemeRPM, true},
	{"openEuler", patch.SchemeRPM, false},
	{"Go", patch.SchemeSemver, false},
	{"npm", patch.SchemeSemver, false},
	{"crates.io", patch.SchemeSemver, false},
	{"Hex", patch.SchemeSemver, false},
	{"Pub", patch.SchemeSemver, false},
	{"PyPI", patch.SchemePyPI, false},
	{"Maven", patch.SchemeMaven, false},
	{"NuGet", patch.SchemeNuGet, false},
	{"RubyGems", patch.SchemeRubyGems, false},
	{"Packagist", patch.SchemePackagist, false},
}

// EcosystemOf gives the ecosystem that a name with a release belongs to: "Debian:12" is of
// Debian.
func EcosystemOf(name string) (Ecosystem, bool) {
	base, _, _ := strings.Cut(name, ":")
	i := slices.IndexFunc(ecosystems, func(e Ecosystem) bool { return e.Name == base })
	if i < 0 {
		return Ecosystem{}, false
	}
	return ecosystems[i], true
}

var (
	cveID   = regexp.MustCompile(`^CVE-(\d{4})-(\d{4,19})$`)
	knownID = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9:._+ -]{0,99}$`)
)

// IsCVE reports whether an ID is a CVE number. Numbers have four digits or more.
func IsCVE(id string) bool { return strings.HasPrefix(id, "CVE-") && cveID.MatchString(id) }

// IsID reports whether an ID has a form that can be shown and put into an address. It never
// has a slash, and never two dots in a row.
func IsID(id string) bool { return knownID.MatchString(id) && !strings.Contains(id, "..") }

// CompareIDs orders IDs as people read them: CVE numbers first, by year and by number, which
// have no fixed width; all others as text.
func CompareIDs(a, b string) int {
	if a == b {
		return 0
	}
	x, y := cveID.FindStringSubmatch(a), cveID.FindStringSubmatch(b)
	switch {
	case x != nil && y != nil:
		// A longer number is greater; a CVE number has no leading zeros beyond four digits.
		nx, errX := strconv.ParseUint(x[2], 10, 64)
		ny, errY := strconv.ParseUint(y[2], 10, 64)
		if errX != nil || errY != nil {
			return cmp.Or(strings.Compare(x[1], y[1]), cmp.Compare(len(x[2]), len(y[2])), strings.Compare(x[2], y[2]))
		}
		return cmp.Or(strings.Compare(x[1], y[1]), cmp.Compare(nx, ny), strings.Compare(a, b))
	case x != nil:
		return -1
	case y != nil:
		return 1
	}
	return strings.Compare(a, b)
}

// CVEs are the CVE numbers that an advisory stands for, sorted.
func (a Advisory) CVEs() []string {
	var list []string
	for _, id := range append([]string{a.ID}, a.Aliases...) {
		if IsCVE(id) {
			list = append(list, id)
		}
	}
	slices.SortFunc(list, CompareIDs)
	return slices.Compact(list)
}

var punctuation = regexp.MustCompile(`[-_.]+`)

// Name writes a package's name as its ecosystem compares it.
func Name(e Ecosystem, name string) string {
	switch e.Name {
	case "PyPI":
		return punctuation.ReplaceAllString(strings.ToLower(name), "-")
	case "NuGet", "Packagist", "Go": // package URLs of Go are in small letters, its advisories are not
		return strings.ToLower(name)
	}
	return name
}

// ModuleTag reports whether a version that mends it has the mark of a module's build.
func (f *Affected) ModuleTag() bool {
	return slices.ContainsFunc(f.Ranges, func(r Range) bool {
		return strings.Contains(r.Fixed, ".module_el") || strings.Contains(r.Fixed, ".module+el")
	})
}
