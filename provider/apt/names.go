package apt

import (
	"fmt"
	"strings"

	"patchbay/patch"
)

// The provider's name, and the longest name of a package that is looked at.
const (
	providerName = "apt"
	maxName      = 128
)

// isPackageName follows Debian policy. Nothing that passes can be an option of apt, name a
// removal ("foo-") by its form alone, or carry anything else to it.
func isPackageName(s string) bool {
	if len(s) < 2 || len(s) > maxName || !isLowerAlnum(s[0]) {
		return false
	}
	for i := range len(s) {
		if c := s[i]; !isLowerAlnum(c) && strings.IndexByte("+-.", c) < 0 {
			return false
		}
	}
	return true
}

func isArchitecture(s string) bool {
	if s == "" || len(s) > 32 || !isLowerAlnum(s[0]) {
		return false
	}
	for i := range len(s) {
		if c := s[i]; !isLowerAlnum(c) && c != '-' {
			return false
		}
	}
	return true
}

func isVersion(s string) bool {
	if s == "" || len(s) > 256 || strings.TrimSpace(s) != s {
		return false
	}
	_, err := patch.CompareVersions(patch.SchemeDeb, s, s)
	return err == nil
}

// isPlain allows what old packages call a version, as long as it is one visible word.
func isPlain(s string) bool {
	return s != "" && len(s) <= 256 && strings.IndexFunc(s, func(r rune) bool { return r <= ' ' || r > '~' }) < 0
}

func isLowerAlnum(c byte) bool { return '0' <= c && c <= '9' || 'a' <= c && c <= 'z' }

// newer reports whether version a is after b. What dpkg would not call a version is never
// newer than anything.
func newer(a, b string) bool {
	c, err := patch.CompareVersions(patch.SchemeDeb, a, b)
	return err == nil && c > 0
}

// splitFull cuts "name:arch" as apt prints it; the architecture is left out for the
// machine's own.
func splitFull(s string) (name, arch string, err error) {
	name, arch, foreign := strings.Cut(s, ":")
	if !isPackageName(name) || foreign && !isArchitecture(arch) {
		return "", "", fmt.Errorf("%.80q is not the name of a package", s)
	}
	return name, arch, nil
}
