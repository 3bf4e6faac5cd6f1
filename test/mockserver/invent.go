package main

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"patchbay/patch"
	"patchbay/provider"
	"patchbay/wire"
)

// release is one version of one package as it came out.
type release struct {
	name, from, to string
	age            time.Duration // how long ago it came out
	security       bool
	size           int64
	reboot         bool
	block          patch.Block
	why            string
	thirdParty     bool
	back           patch.Reversibility // "" where a source still has the version before
	source         string              // the source package, where it has another name
}

func releases() []release {
	return []release{
		{name: "openssl", from: "3.0.14-1~deb12u2", to: "3.0.15-1~deb12u1", age: 25 * day, security: true, size: 1_431_880},
		{name: "openssh-server", from: "1:9.2p1-2+deb12u2", to: "1:9.2p1-2+deb12u3", age: 18 * day, security: true, size: 456_012},
		{name: "linux-image-amd64", from: "6.1.106-3", to: "6.1.112-1", age: 12 * day, security: true, size: 1_420, reboot: true},
		{name: "curl", from: "7.88.1-10+deb12u7", to: "7.88.1-10+deb12u8", age: 8 * day, security: true, size: 315_200},
		{name: "libc6", from: "2.36-9+deb12u8", to: "2.36-9+deb12u9", age: 27 * day, security: true, size: 2_757_000},
		{name: "nginx", from: "1.22.1-9", to: "1.22.1-9+deb12u1", age: 4 * day, security: true, size: 527_000, back: patch.ByKept},
		{name: "postgresql-15", from: "15.7-0+deb12u1", to: "15.8-0+deb12u1", age: 3 * day, security: true, size: 16_800_000, back: patch.NotAtAll},
		{name: "sudo", from: "1.9.13p3-1", to: "1.9.13p3-1+deb12u1", age: 40 * time.Hour, security: true, size: 1_890_000},
		{name: "firefox-esr", from: "128.3.0esr-1~deb12u1", to: "128.3.1esr-1~deb12u1", age: 15 * time.Hour, security: true, size: 66_000_000, back: patch.ByKept},
		{name: "systemd", from: "252.30-1~deb12u2", to: "252.31-1~deb12u1", age: 22 * day, size: 3_030_000},
		{name: "tzdata", from: "2024a-0+deb12u1", to: "2024b-0+deb12u1", age: 10 * day, size: 298_000},
		{name: "vim", from: "2:9.0.1378-2", to: "2:9.0.1378-2+deb12u1", age: 6 * day, size: 1_567_000},
		{name: "bash", from: "5.2.15-2+b7", to: "5.2.15-2+b8", age: 28 * day, size: 1_491_000},
		{name: "docker-ce", from: "5:27.2.1-1~debian.12~bookworm", to: "5:27.3.1-1~debian.12~bookworm", age: 7 * day, size: 25_700_000, thirdParty: true, back: patch.NotAtAll},
		{name: "cups", from: "2.4.2-3+deb12u5", to: "2.4.2-3+deb12u8", age: 5 * day, size: 240_000, block: patch.Held, why: "Somebody marked cups as held on the device."},
		{name: "php8.2", from: "8.2.20-1~deb12u1", to: "8.2.24-1~deb12u1", age: 11 * day, size: 38_000, block: patch.KeptBack, why: "Needs libapache2-mod-php8.2, which would have to be newly installed."},
		{name: "snapd", from: "2.57.6-1", to: "2.65.3-1", age: 9 * day, size: 29_000_000, block: patch.Phased, why: "The publisher offers it to 30 % of machines so far."},
		{name: "python3-some-module-with-a-name-that-does-not-end-for-a-long-while", from: "0.0.1~git20230101.1.abcdef1-1", to: "0.0.1~git20240909.2.fedcba9-1+deb12u1", age: 30 * time.Hour, size: 12_000, back: patch.NotAtAll},
		{name: "libssl3", from: "3.0.14-1~deb12u2", to: "3.0.15-1~deb12u1", age: 25 * day, security: true, size: 2_020_000, source: "openssl"},
	}
}

// invent makes the i-th device: the first twelve each have a story, the others vary.
func invent(i int, at place, random *rand.Rand) *device {
	names := []string{"web-01", "erp", "praxis-server", "terminal-gate-7-zufahrt-ost-kamera-und-schranke-einfahrt-lastwagen-containerhafen", "fileserver", "ws-buchhaltung", "roentgen-pc", "db-primary",
		"cnc-steuerung-halle-3-links-neben-dem-kran-hinter-der-zweiten-tuer-von-rechts-01", "laptop-außendienst", "neu-vm", "altlast"}
	name := fmt.Sprintf("device-%05d", i)
	if i < len(names) {
		name = names[i]
	}
	d := &device{customer: at.customer, site: at.site, mode: wire.Manage, holds: holds(i), fails: map[string]string{},
		facts: wire.Facts{Hostname: name, OS: "linux", Distro: "debian", Release: "12", OSName: "Debian GNU/Linux 12 (bookworm)",
			SupportEnds: "2028-06-30", Kernel: "6.1.0-25-amd64", Architecture: "amd64", BootID: "b1", Zone: "Europe/Berlin",
			Providers: []wire.ProviderFacts{{Name: "apt", Traits: provider.Traits{Versions: "deb", Exact: true, Phase: provider.System}}}}}
	for n, r := range releases() {
		if (n*7+i*3)%5 == 0 && i > 2 {
			continue // not everybody has everything
		}
		d.installed = append(d.installed, patch.Item{Provider: "apt", Name: r.name, Architecture: "amd64", Version: r.from, Origin: origin(r)})
	}
	for n := range 120 {
		d.installed = append(d.installed, patch.Item{Provider: "apt", Name: fmt.Sprintf("lib%s%d", strings.Repeat("x", n%4), n), Architecture: "amd64",
			Version: "1.0-1", Origin: "Debian", Auto: true})
	}
	d.installed = append(d.installed, // nobody updates the one, the other sees to it itself
		patch.Item{Provider: "apt", Name: "anydesk", Architecture: "amd64", Version: "6.3.2", Orphan: true},
		patch.Item{Provider: "apt", Name: "discord", Architecture: "amd64", Version: "0.0.71", Orphan: true, Updater: "Discord"})
	slices.SortFunc(d.installed, func(a, b patch.Item) int { return a.Key().Compare(b.Key()) })
	d.story(i, random)
	return d
}

// story gives a device what is wrong with it.
func (d *device) story(i int, random *rand.Rand) {
	switch i % 12 {
	case 1:
		d.facts.Restart = runsOld()
	case 3:
		d.mode = wire.Observe
	case 2, 4:
		d.removes = map[string][]string{"libc6": {"libc6-i386", "lib32gcc-s1"}}
		d.fails["openssh-server"] = "openssh-server: postinst: port 22 is used by another program"
	case 5:
		d.facts.Patchers, d.old = []string{"unattended-upgrades"}, true
	case 6:
		d.broken = "The package lists cannot be read: the signature of deb.example.test is not valid."
	case 7:
		d.facts.Restart = wire.Restart{Machine: true, Reasons: []string{"linux-image-amd64"}, Services: []string{}}
	case 8:
		d.lost = true
	case 9:
		d.quiet = true
	case 11:
		d.facts.Release, d.facts.OSName, d.facts.SupportEnds = "10", "Debian GNU/Linux 10 (buster)", "2024-06-30"
	}
	if i > 12 {
		d.quiet = random.IntN(20) == 0
		if random.IntN(10) == 0 {
			d.fails[d.installed[0].Name] = "dpkg: error processing package"
		}
	}
	d.facts.Container = i == 2
}

// runsOld is a server on which much still runs as it was before updates, some of it for
// reasons that nobody can name.
func runsOld() wire.Restart {
	r := wire.Restart{Machine: true, Reasons: []string{"linux-image-amd64"}, Doubt: []string{"vim"},
		Unknown: []string{"2 of 184 processes could not be looked at: they belong to other users, or are protected.",
			"backup-of-the-warehouse uses replaced files, and nothing says of which package."},
		Old: []wire.OldUse{
			{Service: "backup-of-the-warehouse", Processes: 1},
			{Service: "dbus.service", Packages: []string{"libc6", "systemd"}, Processes: 1},
			{Service: "nginx.service", Packages: []string{"curl", "libc6", "nginx", "openssl"}, Processes: 5},
			{Service: "postgresql@15-main.service", Packages: []string{"libc6", "openssl", "postgresql-15"}, Processes: 11},
			{Service: "ssh.service", Packages: []string{"libc6", "openssh-server"}, Processes: 2},
		}}
	for _, u := range r.Old {
		r.Services = append(r.Services, u.Service)
	}
	return r
}

func origin(r release) string {
	if r.thirdParty {
		return "Docker"
	}
	return "Debian"
}

// offers puts on offer what came out by then.
func (d *device) offers(age time.Duration, now time.Time, random *rand.Rand) {
	signed := now.Add(-time.Duration(random.IntN(20)) * time.Hour)
	d.sources = []patch.Source{
		{Provider: "apt", Name: "deb.example.test bookworm", Origin: "Debian", Suite: "bookworm", SignedAt: &signed, RefreshedAt: &now},
		{Provider: "apt", Name: "deb.example.test bookworm-security", Origin: "Debian", Suite: "bookworm-security", SignedAt: &signed, RefreshedAt: &now},
	}
	d.offered = nil
	for _, r := range releases() {
		if r.age < age {
			continue
		}
		i := slices.IndexFunc(d.installed, func(p patch.Item) bool { return p.Name == r.name && p.Version == r.from })
		if i >= 0 {
			u := r.update(now.Add(age - r.age))
			u.Reversibility, u.ReversibilityWhy = d.back(r)
			d.offered = append(d.offered, u)
		}
	}
	slices.SortFunc(d.offered, func(a, b patch.Update) int { return a.Key().Compare(b.Key()) })
}

func (r release) update(at time.Time) patch.Update {
	u := patch.Update{Provider: "apt", Name: r.name, Source: r.source, Architecture: "amd64", Installed: r.from, Available: r.to, Origin: origin(r),
		Suite: "bookworm", Classes: []patch.Class{patch.Other}, Size: r.size, Block: r.block, BlockWhy: r.why,
		Reboot: patch.No, ReleasedAt: &at, ReleasedBy: "changelog"}
	if r.security {
		u.Suite, u.Classes, u.Severity = "bookworm-security", []patch.Class{patch.Security}, patch.SeverityHigh
	}
	if r.reboot {
		u.Reboot = patch.Yes
	}
	return u
}
