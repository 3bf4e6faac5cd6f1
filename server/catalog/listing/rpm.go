package listing

import (
	"fmt"
	"regexp"
	"strings"

	"patchbay/server/catalog/match"
)

// nevra is name-epoch:version-release.arch; the epoch may be left out or stand first.
var nevra = regexp.MustCompile(`^(?:(\d+|\(none\)):)?(\S+)-(?:(\d+|\(none\)):)?([^-\s:]+)-([^-\s:]+)\.([a-z0-9_]+)$`)

// architecture is what rpm builds for. What stands behind the last dot is often the end of a
// release instead (bash-5.1.8-6.el9), where a listing has no architectures.
var architecture = regexp.MustCompile(`^(?:noarch|x86_64(?:_v[2-4])?|amd64|ia32e|i[3-6]86|athlon|geode|aarch64|arm\w+|ppc\w*|s390x?|riscv\d*|loongarch64|mips\w*|sparc\w*|ia64|alpha\w*|sh4a?|src|nosrc)$`)

// notInstalled are entries that are no package.
var notInstalled = regexp.MustCompile(`^(?:(?:\d+|\(none\)):)?gpg-pubkey\b`)

// readRPM reads the output of rpm -qa, a package a line. Columns behind the first, between
// tabs, may name the source package and the module. What rpm warns of says nothing of a package.
func readRPM(text []byte, h *match.Host) error {
	epochs := false
	err := lines(text, func(n int, line string) error {
		line = strings.TrimSpace(line)
		if notInstalled.MatchString(line) || strings.HasPrefix(line, "warning: ") {
			return nil
		}
		it, epoch, more, ok := readPackage(line)
		if !ok {
			return fmt.Errorf("line %d is no package of rpm -qa, and the listing is of no other form that is known: %.80q", n, line)
		}
		if epoch != "" {
			epochs = true
			if n := strings.TrimLeft(epoch, "0123456789"); n == "" {
				it.Version = epoch + ":" + it.Version
			}
		}
		for _, c := range more {
			switch {
			case strings.HasSuffix(c, ".src.rpm"):
				if s := nevra.FindStringSubmatch(strings.TrimSuffix(c, ".rpm")); s != nil {
					it.Source = s[2]
				}
			case strings.Count(c, ":") >= 1:
				it.Module = label(c) // nodejs:18:9020020230327152102:rhel9
			}
		}
		if foreignRelease.MatchString(it.Version) {
			it.Foreign = "another publisher"
		}
		return add(h, it)
	})
	h.NoEpoch = !epochs
	return err
}

// readPackage reads a package of one line: in one word, or as name, epoch, version, release and
// architecture in columns. The epoch is "" where there is none to be seen.
func readPackage(line string) (it match.Item, epoch string, more []string, ok bool) {
	if f := strings.Fields(line); len(f) >= 5 && epochColumn.MatchString(f[1]) && architecture.MatchString(f[4]) {
		return match.Item{Name: f[0], Version: f[2] + "-" + f[3], Architecture: f[4]}, f[1], f[5:], true
	}
	cells := strings.Split(line, "\t")
	cells[0] = strings.TrimSuffix(strings.TrimSpace(cells[0]), ".rpm")
	m := nevra.FindStringSubmatch(cells[0])
	if m == nil || !architecture.MatchString(m[6]) {
		if m = nevra.FindStringSubmatch(cells[0] + ".noarch"); m == nil || !strings.ContainsAny(m[5], "0123456789") {
			return it, "", nil, false
		}
		m[6] = ""
	}
	return match.Item{Name: m[2], Version: m[4] + "-" + m[5], Architecture: m[6]}, m[1] + m[3], cells[1:], true
}

// epochColumn is an epoch in a column of its own.
var epochColumn = regexp.MustCompile(`^(?:\d+|\(none\))$`)

// foreignRelease is what releases of packages of other repositories have in them.
var foreignRelease = regexp.MustCompile(`(?i)\.remi|pgdg|nodesource|\.elrepo`)
