package patch

import (
	"errors"
	"fmt"
	"strings"

	"github.com/google/osv-scalibr/semantic"
)

// maxForeign is the longest version that a library's order looks at.
const maxForeign = 250

// foreign gives the order that a well-kept library has for an ecosystem, as the schema of
// OSV names it. Some of its orders read anything; what no manager would take is refused before.
func foreign(ecosystem string) func(a, b string) (int, error) {
	return func(a, b string) (int, error) {
		for _, s := range []string{a, b} {
			if err := checkForeign(s); err != nil {
				return 0, fmt.Errorf("version %.80q: %w", s, err)
			}
		}
		v, err := semantic.Parse(a, ecosystem)
		if err != nil {
			return 0, fmt.Errorf("version %.80q: %w", a, err)
		}
		c, err := v.CompareStr(b)
		if err != nil {
			return 0, fmt.Errorf("version %.80q: %w", b, err)
		}
		return c, nil
	}
}

func checkForeign(s string) error {
	switch {
	case s == "":
		return errors.New("it is empty")
	case len(s) > maxForeign:
		return errors.New("it is too long")
	case strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' }):
		return errors.New("it has a space, or a character that no version has")
	case !strings.ContainsAny(s, "0123456789"):
		return errors.New("there is no number in it")
	}
	return nil
}
