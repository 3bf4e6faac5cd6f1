package patch

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/google/osv-scalibr/semantic"
)

// maxForeign is the longest version that a library's order looks at.
const maxForeign = 250

// foreign gives the order that a well-kept library has for an ecosystem, as the schema of
// OSV names it. Some of its orders read anything; what no manager would take is refused before.
func foreign(ecosystem string) func(a, b string) (int, error) {
	return func(a, b string) (int, error) {
		if err := checkForeign(a, b); err != nil {
			return 0, err
		}
		return library(ecosystem, a, b)
	}
}

func library(ecosystem, a, b string) (int, error) {
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

// compareRPM takes versions without a number too, as rpm does.
func compareRPM(a, b string) (int, error) {
	for _, s := range []string{a, b} {
		if err := checkText(s); err != nil {
			return 0, fmt.Errorf("version %.80q: %w", s, err)
		}
	}
	return library("Red Hat", a, b)
}

// pep440 is what Python calls a version, as its PEP 440 has it, without regard to case. What
// older tools took is ordered by nobody any more.
var pep440 = regexp.MustCompile(`(?i)^v?(?:\d+!)?\d+(?:\.\d+)*(?:[-_.]?(?:a|b|c|rc|alpha|beta|pre|preview)[-_.]?\d*)?(?:-\d+|[-_.]?(?:post|rev|r)[-_.]?\d*)?(?:[-_.]?dev[-_.]?\d*)?(?:\+[a-z0-9]+(?:[-_.][a-z0-9]+)*)?$`)

func comparePyPI(a, b string) (int, error) {
	if err := checkForeign(a, b); err != nil {
		return 0, err
	}
	for _, s := range []string{a, b} {
		if !pep440.MatchString(s) {
			return 0, fmt.Errorf("version %.80q: it is none of Python's", s)
		}
	}
	return library("PyPI", a, b)
}

// comparePackagist orders versions as Composer does, which first writes all of them in one way.
func comparePackagist(a, b string) (int, error) {
	if err := checkForeign(a, b); err != nil {
		return 0, err
	}
	return library("Packagist", composed(a), composed(b))
}

// composer is a version as Composer reads it: up to four numbers, and how stable it is.
var composer = regexp.MustCompile(`(?i)^v?(\d+)(\.\d+)?(\.\d+)?(\.\d+)?[._-]?(?:(stable|beta|b|rc|alpha|a|patch|pl|p)((?:[.-]?\d+)*))?([.-]?dev)?(?:\+.*)?$`)

// composed writes a version as Composer does: 1.0-beta2 is 1.0.0.0-beta2.
func composed(s string) string {
	m := composer.FindStringSubmatch(s)
	if m == nil {
		return s
	}
	text := m[1]
	for _, part := range m[2:5] {
		text += cmp.Or(part, ".0")
	}
	if word := strings.ToLower(m[5]); word != "" && word != "stable" {
		text += "-" + cmp.Or(map[string]string{"b": "beta", "a": "alpha", "rc": "RC", "p": "patch", "pl": "patch"}[word], word) + strings.TrimLeft(m[6], ".-")
	}
	if m[7] != "" {
		text += "-dev"
	}
	return text
}

// checkForeign refuses what no manager of packages would take for a version.
func checkForeign(versions ...string) error {
	for _, s := range versions {
		err := checkText(s)
		if err == nil && !strings.ContainsAny(s, "0123456789") {
			err = errors.New("there is no number in it")
		}
		if err != nil {
			return fmt.Errorf("version %.80q: %w", s, err)
		}
	}
	return nil
}

func checkText(s string) error {
	switch {
	case s == "":
		return errors.New("it is empty")
	case len(s) > maxForeign:
		return errors.New("it is too long")
	case strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' }):
		return errors.New("it has a space, or a character that no version has")
	}
	return nil
}
