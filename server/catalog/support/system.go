package support

import (
	"regexp"
	"slices"
	"strings"

	"patchbay/server/catalog/endoflife"
)

// Machine is what a device says of its system.
type Machine struct {
	Distro, Release, Name string // "debian", "12", "Debian GNU/Linux 12 (bookworm)"
	Kernel                string // of a Windows its full build
	Edition               string // of a Windows
	Table                 string // the end of support by the device's own table
}

// systems are the products of systems whose releases are called as their cycles are. Others of
// these names have their number only by chance.
func systems() map[string]string {
	return map[string]string{
		"debian": "debian", "ubuntu": "ubuntu", "almalinux": "almalinux", "rocky": "rocky-linux", "rhel": "rhel", "centos": "centos",
		"fedora": "fedora", "opensuse-leap": "opensuse", "sles": "sles", "alpine": "alpine-linux", "amzn": "amazon-linux", "ol": "oracle-linux",
		"linuxmint": "linuxmint", "devuan": "devuan", "pop": "pop-os", "mageia": "mageia", "nixos": "nixos", "slackware": "slackware",
		"photon": "vmware-photon", "macos": "macos", "windows": "windows", "windows-server": "windows-server",
	}
}

// Of names the system of a machine; false where it says nothing of itself.
func Of(m Machine) (Named, bool) {
	n := Named{Kind: System, Product: systems()[m.Distro], Title: m.Name, Version: m.Release, Table: m.Table}
	switch {
	case n.Product == "centos" && strings.Contains(m.Name, "Stream"):
		n.Product = "centos-stream"
	case windows(n.Product):
		n.Version, n.Edition = build.FindString(m.Kernel), m.Edition
	}
	if n.Product == "" && n.Title == "" {
		return n, false
	}
	return n, true
}

func windows(product string) bool { return product == "windows" || product == "windows-server" }

// build is the part of a Windows' version that stays the same while it is updated.
var build = regexp.MustCompile(`^[0-9]+\.[0-9]+\.[0-9]+`)

// ending takes a cycle of Windows apart: 11-23h2, and whom it is for.
var ending = regexp.MustCompile(`^(.*?)(-iot-lts|-e-lts|-iot|-e|-w|-sac|-ac)?$`)

// windowsCycles are the cycles of a Windows by its build and edition; none where they leave
// more than one, or where editions like it have days of their own.
func windowsCycles(p endoflife.Product, n Named) []string {
	for _, wanted := range endings(n.Product, n.Edition) {
		var found []string
		for _, c := range p.Cycles {
			if m := ending.FindStringSubmatch(c.Name); c.Latest == n.Version && m[2] == wanted {
				found = append(found, c.Name)
			}
		}
		if len(found) > 0 {
			if len(found) > 1 {
				return nil
			}
			return found
		}
	}
	return nil
}

// endings are what the cycle of an edition ends with, the first that there is. A cycle without
// any is for all editions but the long-term ones.
func endings(product, edition string) []string {
	name := strings.TrimSuffix(edition, "N")
	switch {
	case product == "windows-server" && strings.HasSuffix(edition, "ACor"):
		return []string{"-sac", "-ac"}
	case product == "windows-server" && strings.HasPrefix(edition, "Server") && !strings.Contains(edition, "HCI"):
		return []string{""}
	case product != "windows":
		return nil
	case name == "EnterpriseS":
		return []string{"-e-lts"}
	case name == "IoTEnterpriseS":
		return []string{"-iot-lts"}
	case slices.Contains([]string{"Enterprise", "Education"}, name):
		return []string{"-e", ""}
	case strings.HasPrefix(name, "Core"), strings.HasPrefix(name, "Professional"), slices.Contains([]string{"Ultimate", "HomePremium", "HomeBasic"}, name):
		return []string{"-w", ""}
	}
	return nil
}
