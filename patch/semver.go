package patch

import (
	"cmp"
	"fmt"
	"regexp"
	"strings"
)

// semver is a version of Semantic Versioning, with the "v" that Go puts before it; the last
// numbers may be left out, as in ranges of advisories.
var semver = regexp.MustCompile(`^v?(\d+)(?:\.(\d+))?(?:\.(\d+))?(?:-([0-9A-Za-z.-]+))?(?:\+[0-9A-Za-z.-]*)?$`)

// compareSemver orders as chapter 11 of Semantic Versioning 2.0 has it.
func compareSemver(a, b string) (int, error) {
	if err := checkForeign(a, b); err != nil {
		return 0, err
	}
	x, y := semver.FindStringSubmatch(a), semver.FindStringSubmatch(b)
	for i, m := range [][]string{x, y} {
		if m == nil {
			return 0, fmt.Errorf("version %.80q: it is none of Semantic Versioning", []string{a, b}[i])
		}
	}
	for i := 1; i <= 3; i++ {
		if c := compareNumbers(x[i], y[i]); c != 0 {
			return c, nil
		}
	}
	if x[4] == "" || y[4] == "" { // the release is after all that lead to it
		return cmp.Compare(len(y[4]), len(x[4])), nil
	}
	p, q := strings.Split(x[4], "."), strings.Split(y[4], ".")
	for i := range min(len(p), len(q)) {
		if c := compareIdentifiers(p[i], q[i]); c != 0 {
			return c, nil
		}
	}
	return cmp.Compare(len(p), len(q)), nil
}

// compareIdentifiers orders numbers by value, before all others.
func compareIdentifiers(a, b string) int {
	switch x, y := isNumber(a), isNumber(b); {
	case x && y:
		return compareNumbers(a, b)
	case x:
		return -1
	case y:
		return 1
	}
	return strings.Compare(a, b)
}

func isNumber(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }

// compareNumbers orders numbers of any length by value.
func compareNumbers(a, b string) int {
	a, b = strings.TrimLeft(a, "0"), strings.TrimLeft(b, "0")
	return cmp.Or(cmp.Compare(len(a), len(b)), strings.Compare(a, b))
}
