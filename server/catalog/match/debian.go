package match

import (
	"regexp"
	"strings"

	"patchbay/patch"
	"patchbay/server/catalog/advisory"
)

var (
	rebuild = regexp.MustCompile(`~(?:deb\d+u\d+|bpo\d+\+\d+)(\+b\d+)?$`)
	binNMU  = regexp.MustCompile(`\+b\d+$`)
)

// unbuilt is a source version without the mark of a package that was only built again.
func unbuilt(e advisory.Ecosystem, version string) string {
	if e.Name == "Debian" {
		return binNMU.ReplaceAllString(version, "")
	}
	return version
}

// rebuilt reports whether a version that sorts below the fixed one has its fix: 1.2-3~deb12u1
// is 1.2-3 made again for an older release, and so is 1.2-3~bpo12+1. Where the fixed version is such a one itself, the
// order alone counts.
func rebuilt(e advisory.Ecosystem, version, fixed string) bool {
	if e.Name != "Debian" || !rebuild.MatchString(version) || strings.Contains(fixed, "~deb") {
		return false
	}
	c, err := patch.CompareVersions(e.Scheme, rebuild.ReplaceAllString(version, ""), fixed)
	return err == nil && c >= 0
}
