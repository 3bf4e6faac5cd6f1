package apt

import (
	"io/fs"
	"slices"
	"strings"
)

// distro is the system's own name and those it is derived from, as os-release says.
type distro struct{ ids []string }

// publishers lists what systems call themselves in the indexes of their own archives.
func publishers(id string) []string {
	switch id {
	case "debian":
		return []string{"Debian", "Debian Backports"}
	case "ubuntu":
		return []string{"Ubuntu", "UbuntuESM", "UbuntuESMApps", "UbuntuFIPS", "UbuntuFIPSUpdates"}
	case "raspbian":
		return []string{"Raspbian", "Raspberry Pi Foundation"}
	case "linuxmint":
		return []string{"linuxmint"}
	case "proxmox", "pve":
		return []string{"Proxmox"}
	}
	return nil
}

// readDistro reads os-release; a system without one is nobody's.
func readDistro(files fs.FS) distro {
	for _, name := range []string{"etc/os-release", "usr/lib/os-release"} {
		if b, err := fs.ReadFile(files, name); err == nil {
			return parseDistro(string(b))
		}
	}
	return distro{}
}

func parseDistro(text string) distro {
	var d distro
	for line := range strings.Lines(text) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		value = strings.Trim(value, `"'`)
		switch name {
		case "ID":
			d.ids = append([]string{value}, d.ids...)
		case "ID_LIKE":
			d.ids = append(d.ids, strings.Fields(value)...)
		}
	}
	return d
}

// thirdParty reports whether an archive is of somebody else than the system's publisher.
func (d distro) thirdParty(origin string) bool {
	for _, id := range d.ids {
		if strings.EqualFold(origin, id) || slices.Contains(publishers(id), origin) {
			return false
		}
	}
	return true
}

// rolling reports whether a release takes new features at any time.
func (d distro) rolling(r release) bool {
	return slices.Contains([]string{"unstable", "testing", "experimental"}, r.suite) ||
		slices.Contains([]string{"sid", "rc-buggy", "kali-rolling"}, r.codename)
}
