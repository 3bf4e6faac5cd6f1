package patch

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// maxRevision is how many numbers a revision may have, and how many digits each of them.
const maxRevision = 20

// compareRevisions orders whole numbers, and numbers with dots between them, such as the
// revision of an update and the build of a Windows. One that goes on is after the one that
// ends: 10.0.1 is after 10.0.
func compareRevisions(a, b string) (int, error) {
	va, err := parseRevision(a)
	if err != nil {
		return 0, err
	}
	vb, err := parseRevision(b)
	if err != nil {
		return 0, err
	}
	return slices.CompareFunc(va, vb, compareDigits), nil
}

// parseRevision gives the numbers without leading zeros.
func parseRevision(s string) ([]string, error) {
	parts := strings.Split(s, ".")
	bad := func(why string) error { return fmt.Errorf("version %.80q: %w", s, errors.New(why)) }
	if len(parts) > maxRevision {
		return nil, bad("it has too many numbers")
	}
	for i, p := range parts {
		if p == "" || strings.Trim(p, "0123456789") != "" {
			return nil, bad("it is not of whole numbers with dots between them")
		}
		if len(p) > maxRevision {
			return nil, bad("a number is too long")
		}
		parts[i] = strings.TrimLeft(p, "0")
	}
	return parts, nil
}
