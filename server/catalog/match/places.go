package match

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"patchbay/server/catalog/advisory"
)

// releases are the names that people write for a system, and what the schema of OSV has for
// it. %s is the number.
var releases = []struct{ names, ecosystem string }{
	{"debian", "Debian:%s"},
	{"ubuntu", "Ubuntu:%s"},
	{"alpine", "Alpine:v%s"},
	{"almalinux alma", "AlmaLinux:%s"},
	{"rocky rockylinux rocky-linux", "Rocky Linux:%s"},
	{"rhel redhat", "Red Hat:enterprise_linux:%s"},
	{"rhel_eus", "Red Hat:rhel_eus:%s"},
	{"sles sle", "SUSE:Linux Enterprise Server %s"},
	{"sled", "SUSE:Linux Enterprise Desktop %s"},
	{"opensuse opensuse-leap leap", "openSUSE:Leap %s"},
	{"tumbleweed opensuse-tumbleweed", "openSUSE:Tumbleweed"},
	{"wolfi", "Wolfi"},
	{"chainguard", "Chainguard"},
}

// codenames are those of Debian and Ubuntu by their numbers. From the distributions' own lists
// of releases, read 2026-11.
var codenames = map[string]string{
	"woody": "3.0", "sarge": "3.1", "etch": "4.0", "lenny": "5.0", "squeeze": "6.0", "wheezy": "7", "jessie": "8", "stretch": "9", "buster": "10",
	"bullseye": "11", "bookworm": "12", "trixie": "13", "forky": "14",
	"trusty": "14.04", "xenial": "16.04", "bionic": "18.04", "focal": "20.04", "jammy": "22.04", "noble": "24.04", "oracular": "24.10", "plucky": "25.04", "questing": "25.10", "resolute": "26.04",
}

var number = regexp.MustCompile(`^\d+(\.\d+)*$`)

// Release reads how people write a system: debian:12, debian:bookworm, alma:9.4, sles:15.5.
func Release(s string) (string, error) {
	name, version, _ := strings.Cut(strings.ToLower(strings.TrimSpace(s)), ":")
	version = strings.TrimPrefix(version, "v")
	if version == "tumbleweed" {
		name = version
	}
	if n, ok := codenames[version]; ok {
		version = n
	}
	for _, r := range releases {
		if !slices.Contains(strings.Fields(r.names), name) {
			continue
		}
		if !strings.Contains(r.ecosystem, "%s") {
			return r.ecosystem, nil
		}
		if !number.MatchString(version) {
			return "", fmt.Errorf("release %.60q has no number that is known, such as in debian:12", s)
		}
		return fmt.Sprintf(r.ecosystem, number2(name, version)), nil
	}
	return "", fmt.Errorf("release %.60q is of no system that is known; known are debian, ubuntu, alpine, almalinux, rocky, rhel, rhel_eus, sles, opensuse, wolfi, chainguard", s)
}

// number2 is the number as the system's advisories write it.
func number2(name, version string) string {
	major, minor, _ := strings.Cut(version, ".")
	switch name {
	case "debian":
		if len(major) > 1 || major >= "7" { // 12.11 is 12; the old ones were 6.0 and 3.1
			return major
		}
		if minor == "" {
			return major + ".0"
		}
	case "almalinux", "alma", "rocky", "rockylinux", "rocky-linux":
		return major
	case "sles", "sle", "sled":
		if minor != "" && minor != "0" {
			return major + " SP" + minor
		}
		return major
	case "alpine":
		parts := strings.Split(version, ".")
		return strings.Join(parts[:min(2, len(parts))], ".")
	}
	return version
}

// places are where the advisories for an item stand, the nearest first.
func (m *Matcher) places(it Item) (advisory.Ecosystem, []string) {
	release := m.host.Release
	if it.Ecosystem != "" {
		release = it.Ecosystem
	}
	e, ok := advisory.EcosystemOf(release)
	if !ok {
		return e, nil
	}
	list := []string{release}
	switch e.Name {
	case "Ubuntu":
		list = m.index.ubuntu(release)
	case "Red Hat":
		list = m.index.redHat(release)
	case "SUSE":
		list = m.index.suse(release)
	}
	if _, said := m.index.rows[e.Name]; said && release != e.Name {
		list = append(list, e.Name) // what names no release is about all of them
	}
	return e, list
}

// Concerns reports whether advisories of an ecosystem may be for a release, as Release gives it.
func Concerns(ecosystem, release string) bool {
	switch {
	case ecosystem == release, strings.HasPrefix(release, ecosystem+":"):
		return true
	case strings.HasPrefix(release, "Ubuntu:"):
		return strings.TrimSuffix(strings.Replace(ecosystem, "Ubuntu:Pro:", "Ubuntu:", 1), ":LTS") == release
	case strings.HasPrefix(release, "Red Hat:"):
		return strings.HasPrefix(ecosystem, "Red Hat:")
	}
	if version, ok := suseVersion(release); ok {
		return isSUSEPart(ecosystem, version)
	}
	return false
}

// ubuntu writes the release as its advisories do: those with long support have a mark.
func (x *Index) ubuntu(release string) []string {
	long := release + ":LTS"
	if _, ok := x.rows[release]; ok {
		if _, both := x.rows[long]; both {
			return []string{long, release}
		}
		return []string{release}
	}
	return []string{long}
}

// redHat gives the places of a release: those of a minor release that has longer support go
// before, since its fixed versions are others.
func (x *Index) redHat(release string) []string {
	parts := strings.Split(release, ":")
	if len(parts) < 3 {
		return []string{release}
	}
	product, version := parts[1], parts[2]
	major, _, minor := strings.Cut(version, ".")
	var wanted []string
	if product == "enterprise_linux" && minor {
		wanted = append(wanted, "Red Hat:rhel_eus:"+version)
	}
	wanted = append(wanted, "Red Hat:"+product+":"+version)
	if product == "enterprise_linux" && minor {
		wanted = append(wanted, "Red Hat:enterprise_linux:"+major)
	}
	var list []string
	for _, w := range wanted {
		for _, e := range x.Ecosystems() {
			if e == w || strings.HasPrefix(e, w+"::") {
				list = append(list, e)
			}
		}
	}
	if len(list) == 0 {
		return []string{release}
	}
	return list
}

// suse gives the places of a release: since 15, most packages stand in modules.
func (x *Index) suse(release string) []string {
	list := []string{release}
	version, ok := suseVersion(release)
	if !ok {
		return list
	}
	for _, e := range x.Ecosystems() {
		if isSUSEPart(e, version) {
			list = append(list, e)
		}
	}
	return list
}

// suseVersion is the version of a server or a desktop, such as "15 SP5".
func suseVersion(release string) (version string, ok bool) {
	for _, base := range []string{"SUSE:Linux Enterprise Server ", "SUSE:Linux Enterprise Desktop "} {
		if version, ok = strings.CutPrefix(release, base); ok {
			return version, true
		}
	}
	return "", false
}

// suseParts are what SUSE adds to a release, with repositories and advisories of its own.
var suseParts = []string{"SUSE:Linux Enterprise Module for ", "SUSE:Linux Enterprise Software Development Kit ", "SUSE:Linux Enterprise Workstation Extension ", "SUSE:Linux Enterprise High Availability Extension ", "SUSE:Linux Enterprise Live Patching ", "SUSE:Package Hub "}

// isSUSEPart reports whether an ecosystem is a part of a release, such as
// "SUSE:Linux Enterprise Module for Basesystem 15 SP5".
func isSUSEPart(ecosystem, version string) bool {
	return strings.HasSuffix(ecosystem, " "+version) && slices.ContainsFunc(suseParts, func(p string) bool { return strings.HasPrefix(ecosystem, p) })
}
