package nvd

import (
	"cmp"
	"regexp"
	"slices"
	"strings"
)

// maxVersion is the longest version that is looked at.
const maxVersion = 200

// Words within versions: those that stand for less than the version without them, in their
// order, and those that stand for more.
var (
	before = []string{"dev", "snapshot", "nightly", "canary", "ea", "preview", "alpha", "beta", "milestone", "pre", "rc", "cr"}
	after  = []string{"p", "pl", "patch", "sp", "u", "update", "r", "rev", "build", "hotfix", "hf", "mr", "cu", "s", "m", "se", "sg", "sy"}
)

var piece = regexp.MustCompile(`\d+|[a-z]+`)

// compare orders two versions of a product of which nobody says how its versions are ordered:
// by their numbers from left to right. Where the first that differs are words whose order
// is not known, there is no answer.
func compare(a, b string) (order int, ok bool) {
	if len(a) > maxVersion || len(b) > maxVersion || isCommit(a) || isCommit(b) {
		return 0, a == b && len(a) <= maxVersion
	}
	x, y := pieces(a), pieces(b)
	if !slices.ContainsFunc(x, isNumber) || !slices.ContainsFunc(y, isNumber) {
		return 0, a == b && a != ""
	}
	for i := range max(len(x), len(y)) {
		c, known := comparePieces(at(x, i), at(x, i+1), at(y, i), at(y, i+1))
		if !known || c != 0 {
			return c, known
		}
	}
	return 0, true
}

// isCommit reports whether a version names a commit: hexadecimal digits, letters among them,
// and nothing else.
func isCommit(v string) bool {
	return len(v) >= 7 && len(v) <= 40 && strings.Trim(v, "0123456789abcdef") == "" && strings.ContainsAny(v, "abcdef")
}

func pieces(v string) []string {
	list := piece.FindAllString(strings.ToLower(v), -1)
	if len(list) > 1 && list[0] == "v" {
		return list[1:]
	}
	return list
}

func at(list []string, i int) string {
	if i < len(list) {
		return list[i]
	}
	return ""
}

func isNumber(s string) bool { return s != "" && s[0] >= '0' && s[0] <= '9' }

// comparePieces orders one piece of each; "" is the end of a version. The pieces that follow
// tell a letter that is a release (1.0.2k) from one with a number (2.0b1).
func comparePieces(x, afterX, y, afterY string) (int, bool) {
	switch {
	case x == y:
		return 0, true
	case isNumber(x) && isNumber(y):
		x, y = strings.TrimLeft(x, "0"), strings.TrimLeft(y, "0")
		return cmp.Or(cmp.Compare(len(x), len(y)), strings.Compare(x, y)), true
	case isNumber(x) && y == "":
		return cmp.Compare(len(strings.TrimLeft(x, "0")), 0), true
	case isNumber(y) && x == "":
		return -cmp.Compare(len(strings.TrimLeft(y, "0")), 0), true
	case x == "" || isNumber(x):
		c, ok := compareWord(y, afterY, x, afterX)
		return -c, ok
	}
	return compareWord(x, afterX, y, afterY)
}

// compareWord orders a word with a number, a word, or the end of the other version.
func compareWord(x, afterX, y, afterY string) (int, bool) {
	less, more := slices.Contains(before, x), slices.Contains(after, x) || isLetter(x, afterX)
	switch {
	case isNumber(y) && (less || more) && strings.Trim(y, "0") != "":
		return -1, true // 1.0rc1 and 1.0p1 come before 1.0.1
	case isNumber(y) && less:
		return -1, true
	case isNumber(y):
		return 0, false
	case y == "" && less:
		return -1, true
	case y == "" && more:
		return 1, true
	case y == "":
		return 0, false
	}
	lessY := slices.Contains(before, y)
	moreY := slices.Contains(after, y) || isLetter(y, afterY)
	switch {
	case less && lessY:
		return cmp.Compare(slices.Index(before, x), slices.Index(before, y)), true
	case less && moreY:
		return -1, true
	case more && lessY:
		return 1, true
	case isLetter(x, afterX) && isLetter(y, afterY):
		return cmp.Or(cmp.Compare(len(x), len(y)), strings.Compare(x, y)), true
	}
	return 0, false
}

// isLetter reports whether a word is a letter that counts releases: 1.0.2k, 1.0.2za.
func isLetter(word, next string) bool {
	return !isNumber(next) && (len(word) == 1 || len(word) == 2 && word[0] == 'z')
}

// pythons are the products that write alpha and beta as a and b before a number. Elsewhere a b
// may be a build.
var pythons = []string{"python", "cpython", "django", "bind"}

var shortBeta = regexp.MustCompile(`(\d[.]?)(a|b)(\d+)`)

// python writes the words for alpha and beta in full.
func python(version string) string {
	return shortBeta.ReplaceAllStringFunc(strings.ToLower(version), func(s string) string {
		return strings.NewReplacer("a", "alpha", "b", "beta").Replace(s)
	})
}

var (
	javaOld     = regexp.MustCompile(`^1\.(\d)(?:\.(\d+))?(?:[._-]?(?:u|update)?_?(\d+))?(?:[-_.+]b\d+)?$`)
	javaUpdate  = regexp.MustCompile(`^(\d)u(\d+)(?:-b\d+)?$`)
	javaWindows = regexp.MustCompile(`^([5-8])\.0\.(\d+)0\.\d+$`)
	javaLong    = regexp.MustCompile(`^([5-8])\.0\.([6-9]\d|\d{3,})0$`)
)

// java writes the version of a Java up to 8 in one way: 1.8.0_101, 8u101, 8.0.101 and
// 8.0.1010.13, which Windows shows, are the same. Records have their stretches in the first
// and in the third.
func java(version string) string {
	v := strings.ToLower(strings.TrimSpace(version))
	for _, form := range []*regexp.Regexp{javaUpdate, javaWindows, javaLong} {
		if m := form.FindStringSubmatch(v); m != nil {
			return m[1] + ".0." + m[2]
		}
	}
	if m := javaOld.FindStringSubmatch(v); m != nil {
		return m[1] + "." + cmp.Or(m[2], "0") + "." + cmp.Or(m[3], "0")
	}
	return v
}

// javas are the products whose versions are written as Java's.
var javas = []string{"jdk", "jre", "java", "java_se", "openjdk", "graalvm"}
