package patch

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// The schemes of version orders, as a provider's traits name them.
const (
	SchemeDeb       = "deb"      // Debian policy, chapter 5.6.12, as dpkg implements it
	SchemeWinget    = "winget"   // of Windows programs, as winget sorts them from its version 1.9 on
	SchemeBrew      = "brew"     // Homebrew's, for all that is versioned on a Mac
	SchemeCommit    = "commit"   // YYYYMMDD.hhmmss-hash: ordered by the moment, equal by the hash
	SchemeRevision  = "revision" // a whole number, or several with dots between them
	SchemeRPM       = "rpm"      // epoch:version-release, as rpm sorts them; no epoch is epoch 0
	SchemeAPK       = "apk"      // Alpine's
	SchemeSemver    = "semver"   // Semantic Versioning 2.0, also of npm, Go and crates.io
	SchemePyPI      = "pypi"     // Python's, PEP 440
	SchemeMaven     = "maven"
	SchemeNuGet     = "nuget"
	SchemeRubyGems  = "rubygems"
	SchemePackagist = "packagist"
)

// orders are the schemes by name.
var orders = map[string]func(a, b string) (int, error){
	SchemeDeb:       compareDeb,
	SchemeWinget:    compareWinget,
	SchemeBrew:      compareBrew,
	SchemeCommit:    compareCommits,
	SchemeRevision:  compareRevisions,
	SchemeRPM:       compareRPM,
	SchemeAPK:       foreign("Alpine"),
	SchemeSemver:    compareSemver,
	SchemePyPI:      comparePyPI,
	SchemeMaven:     compareMaven,
	SchemeNuGet:     foreign("NuGet"),
	SchemeRubyGems:  foreign("RubyGems"),
	SchemePackagist: comparePackagist,
}

// Schemes lists the schemes that are known, sorted.
func Schemes() []string { return slices.Sorted(maps.Keys(orders)) }

// CompareVersions says whether a is before (-1), the same as (0) or after (1) b in a
// scheme's order. A version that the scheme does not allow is an error and never ordered:
// a guess here would hide an update or undo one.
func CompareVersions(scheme, a, b string) (int, error) {
	order, ok := orders[scheme]
	if !ok {
		return 0, fmt.Errorf("version scheme %.40q is not known; known are: %s", scheme, strings.Join(Schemes(), ", "))
	}
	return order(a, b)
}

func compareDeb(a, b string) (int, error) {
	va, err := parseDeb(a)
	if err != nil {
		return 0, err
	}
	vb, err := parseDeb(b)
	if err != nil {
		return 0, err
	}
	return va.compare(vb), nil
}

// debVersion is epoch:upstream-revision in its parts.
type debVersion struct {
	epoch              int64
	upstream, revision string
}

func (v debVersion) compare(o debVersion) int {
	if c := cmp.Compare(v.epoch, o.epoch); c != 0 {
		return c
	}
	if c := compareDebPart(v.upstream, o.upstream); c != 0 {
		return c
	}
	return compareDebPart(v.revision, o.revision)
}

// debSpace is what dpkg trims around a version.
const debSpace = " \t\n\v\f\r"

func parseDeb(s string) (debVersion, error) {
	v, err := splitDeb(strings.Trim(s, debSpace))
	if err != nil {
		return debVersion{}, fmt.Errorf("version %.80q: %w", s, err)
	}
	return v, nil
}

// splitDeb accepts what dpkg accepts without an error or a warning.
func splitDeb(s string) (debVersion, error) {
	var v debVersion
	if s == "" {
		return v, errors.New("it is empty")
	}
	if strings.ContainsAny(s, debSpace) {
		return v, errors.New("it has a space inside")
	}
	if epoch, rest, ok := strings.Cut(s, ":"); ok {
		n, err := parseEpoch(epoch)
		if err != nil {
			return v, err
		}
		if rest == "" {
			return v, errors.New("nothing follows the colon")
		}
		v.epoch, s = n, rest
	}
	v.upstream = s
	if i := strings.LastIndexByte(s, '-'); i >= 0 {
		v.upstream, v.revision = s[:i], s[i+1:]
		if v.revision == "" {
			return v, errors.New("nothing follows the last hyphen")
		}
	}
	if v.upstream == "" {
		return v, errors.New("there is nothing before the hyphen")
	}
	if !isDigit(v.upstream[0]) {
		return v, errors.New("it does not start with a digit")
	}
	for i := range len(v.upstream) {
		if c := v.upstream[i]; !isAlnum(c) && strings.IndexByte(".-+~:", c) < 0 {
			return v, fmt.Errorf("character %q is not allowed", c)
		}
	}
	for i := range len(v.revision) {
		if c := v.revision[i]; !isAlnum(c) && strings.IndexByte(".+~", c) < 0 {
			return v, fmt.Errorf("character %q is not allowed in the revision", c)
		}
	}
	return v, nil
}

func parseEpoch(s string) (int64, error) {
	if s == "" {
		return 0, errors.New("the epoch before the colon is empty")
	}
	n, err := strconv.ParseInt(s, 10, 32)
	switch {
	case errors.Is(err, strconv.ErrRange):
		return 0, errors.New("the epoch is too big")
	case err != nil:
		return 0, errors.New("the epoch before the colon is not a number")
	case n < 0:
		return 0, errors.New("the epoch is negative")
	}
	return n, nil
}

// compareDebPart orders by turns: a stretch without digits by rank of character, then a
// stretch of digits by value.
func compareDebPart(a, b string) int {
	i, j := 0, 0
	for i < len(a) || j < len(b) {
		for i < len(a) && !isDigit(a[i]) || j < len(b) && !isDigit(b[j]) {
			if c := cmp.Compare(debRank(a, i), debRank(b, j)); c != 0 {
				return c
			}
			i, j = i+1, j+1
		}
		var x, y string
		x, i = digits(a, i)
		y, j = digits(b, j)
		if c := cmp.Or(cmp.Compare(len(x), len(y)), cmp.Compare(x, y)); c != 0 {
			return c
		}
	}
	return 0
}

// digits cuts the number at i without its leading zeros, so a longer one is greater.
func digits(s string, i int) (string, int) {
	for i < len(s) && s[i] == '0' {
		i++
	}
	start := i
	for i < len(s) && isDigit(s[i]) {
		i++
	}
	return s[start:i], i
}

// debRank ranks the character at i: "~" is before the end, the end before letters, letters
// before everything else. A digit ends the stretch as the end does.
func debRank(s string, i int) int {
	switch {
	case i >= len(s) || isDigit(s[i]):
		return 0
	case s[i] == '~':
		return -1
	case isAlnum(s[i]):
		return int(s[i])
	default:
		return int(s[i]) + 256
	}
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func isAlnum(c byte) bool { return isDigit(c) || 'a' <= c|0x20 && c|0x20 <= 'z' }
