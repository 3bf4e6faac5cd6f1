package listing

import (
	"fmt"
	"regexp"
	"strings"

	"patchbay/server/catalog/match"
)

// nevra is name-epoch:version-release.arch; the epoch may be left out or stand first.
var nevra = regexp.MustCompile(`^(?:(\d+|\(none\)):)?(\S+)-(?:(\d+|\(none\)):)?([^-\s:]+)-([^-\s:]+)\.([a-z0-9_]+)$`)

// notInstalled are entries that are no package.
var notInstalled = regexp.MustCompile(`^gpg-pubkey-`)

// readRPM reads the output of rpm -qa, a package a line. Columns behind the first, between
// tabs, may name the source package and the module.
func readRPM(text []byte, h *match.Host) error {
	epochs := false
	err := lines(text, func(n int, line string) error {
		cells := strings.Split(strings.TrimSpace(line), "\t")
		if notInstalled.MatchString(cells[0]) {
			return nil
		}
		m := nevra.FindStringSubmatch(cells[0])
		if m == nil {
			return fmt.Errorf("line %d is no package of rpm -qa, and the listing is of no other form that is known: %.80q", n, line)
		}
		it := match.Item{Name: m[2], Version: m[4] + "-" + m[5], Architecture: m[6]}
		if e := m[1] + m[3]; e != "" {
			epochs = true
			if e != "(none)" {
				it.Version = e + ":" + it.Version
			}
		}
		for _, c := range cells[1:] {
			switch {
			case strings.HasSuffix(c, ".src.rpm"):
				if s := nevra.FindStringSubmatch(strings.TrimSuffix(c, ".rpm")); s != nil {
					it.Source = s[2]
				}
			case strings.Count(c, ":") >= 1:
				parts := strings.Split(c, ":") // nodejs:18:9020020230327152102:rhel9
				it.Module = parts[0] + ":" + parts[1]
			}
		}
		if foreignRelease.MatchString(m[5]) {
			it.Foreign = "another publisher"
		}
		return add(h, it)
	})
	h.NoEpoch = !epochs
	return err
}

// foreignRelease is what releases of packages of other repositories have in them.
var foreignRelease = regexp.MustCompile(`(?i)\.remi|pgdg|nodesource|\.elrepo`)
