package flatpak

import (
	"regexp"
	"strings"
	"time"

	"patchbay/patch"
)

// layout is how the moment of a commit is written in a version.
const layout = "20060102.150405"

var validCommit = regexp.MustCompile(`^[0-9a-f]{64}$`)

// version names a commit by its moment and its hash: by the first it is ordered, by the second
// it is exact.
func version(at time.Time, commit string) string {
	return at.UTC().Format(layout) + "-" + commit
}

// parseVersion is the reverse of version.
func parseVersion(s string) (at time.Time, commit string, ok bool) {
	moment, commit, _ := strings.Cut(s, "-")
	at, err := time.Parse(layout, moment)
	if err != nil || !validCommit.MatchString(commit) || version(at, commit) != s {
		return time.Time{}, "", false
	}
	return at, commit, true
}

// newer reports whether a is after b. What cannot be ordered is not newer.
func newer(a, b string) bool {
	c, err := patch.CompareVersions(patch.SchemeCommit, a, b)
	return err == nil && c > 0
}
