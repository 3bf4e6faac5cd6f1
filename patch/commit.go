package patch

import (
	"fmt"
	"strings"
	"time"
)

// compareCommits orders commits by their moments. Hashes have no order: two commits of one
// moment are the same or cannot be ordered.
func compareCommits(a, b string) (int, error) {
	ma, ha, err := parseCommit(a)
	if err != nil {
		return 0, err
	}
	mb, hb, err := parseCommit(b)
	if err != nil {
		return 0, err
	}
	c := strings.Compare(ma, mb) // of equal length, the largest unit first
	if c == 0 && ha != hb {
		return 0, fmt.Errorf("versions %.80q and %.80q are of the same second: nothing says which is newer", a, b)
	}
	return c, nil
}

func parseCommit(s string) (moment, hash string, err error) {
	moment, hash, ok := strings.Cut(s, "-")
	if _, bad := time.Parse("20060102.150405", moment); !ok || bad != nil || len(moment) != len("20060102.150405") {
		return "", "", fmt.Errorf("version %.80q: it does not begin with a moment such as 20260131.235959-", s)
	}
	if len(hash) != 64 || strings.Trim(hash, "0123456789abcdef") != "" {
		return "", "", fmt.Errorf("version %.80q: no SHA-256 in lower-case hex follows its moment", s)
	}
	return moment, hash, nil
}
