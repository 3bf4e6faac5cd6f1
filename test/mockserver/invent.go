package main

import (
	"cmp"
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
	source         string              // the source package, where it has another name; the package's ID in a catalogue

	// Of what is no Debian package:
	provider  string // "" is apt
	publisher string
	instance  string
	arch      string // "" is amd64
	scope     string // whose it is alone
	older     string // also found, and nowhere to be had any more
	updater   string
	unsigned  bool // its installer
	recalled  bool
}

// manager is the provider's name.
func (r release) manager() string { return cmp.Or(r.provider, "apt") }

// is reports whether an item is what the release is of.
func (r release) is(i patch.Item) bool {
	return r.manager() == i.Provider && r.name == i.Name && r.scope == i.Scope
}

// item is what a device shows before.
func (r release) item(version string) patch.Item {
	i := patch.Item{Provider: r.manager(), Scope: r.scope, Name: r.name, Architecture: r.architecture(), Instance: r.instance,
		Version: version, Origin: origin(r), Updater: r.updater}
	if r.provider == winget {
		i.Source = r.source
	}
	return i
}

// architecture is as the provider writes it.
func (r release) architecture() string {
	if r.provider == brew || r.provider == apple {
		return ""
	}
	return cmp.Or(r.arch, "amd64")
}

// releases is all that came out in the month.
func releases() []release {
	return slices.Concat(debianReleases(), windowsReleases(), macReleases(), flatpakReleases())
}

func debianReleases() []release {
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

// kinds are the shares of the reference fleet, over and over: fifteen of twenty devices run
// Windows, three Linux, two macOS.
const kinds = "LWWWWMWLWWWWWWLWWMWW"

// kindOf gives what the i-th device runs, and the how manieth of its kind it is.
func kindOf(i int) (kind byte, n int) {
	kind = kinds[i%len(kinds)]
	return kind, strings.Count(kinds, string(kind))*(i/len(kinds)) + strings.Count(kinds[:i%len(kinds)], string(kind))
}

// invent makes the i-th device: the first of each kind have a story each, the others vary.
func invent(i int, places []place, random *rand.Rand) *device {
	kind, n := kindOf(i)
	at := places[n%len(places)]
	if kind == 'L' && n < 6 {
		at = places[n%3] // where the stories of these are
	}
	d := &device{customer: at.customer, site: at.site, mode: wire.Manage, holds: holds(i), fails: map[string]string{}, refuses: map[string]string{}}
	switch kind {
	case 'W':
		d.windows(i, n, random)
	case 'M':
		d.mac(i, n)
	default:
		d.linux(i, n, random)
	}
	slices.SortFunc(d.installed, func(a, b patch.Item) int { return a.Key().Compare(b.Key()) })
	return d
}

// named is the n-th of the names, and one made of the number for those beyond.
func named(names []string, n, i int) string {
	if n < len(names) {
		return names[n]
	}
	return fmt.Sprintf("device-%05d", i)
}

// traitsOf is what is told of a provider, as its kind says.
func traitsOf(names ...string) []wire.ProviderFacts {
	all := map[string]provider.Traits{
		"apt":     {Versions: patch.SchemeDeb, Exact: true, Phase: provider.System},
		winget:    {Catalog: true, Versions: patch.SchemeWinget, Exact: true, PerUser: true, Phase: provider.Apps},
		winupdate: {Versions: patch.SchemeRevision, Exact: true, Adds: true, Phase: provider.System},
		brew:      {Versions: patch.SchemeBrew, Phase: provider.Apps},
		apps:      {Versions: patch.SchemeBrew, PerUser: true, ReadOnly: true, Phase: provider.Apps},
		apple:     {Versions: patch.SchemeBrew, Exact: true, Phase: provider.System},
		flatpak:   {Versions: patch.SchemeCommit, Exact: true, PerUser: true, Phase: provider.Apps},
	}
	var list []wire.ProviderFacts
	for _, name := range names {
		list = append(list, wire.ProviderFacts{Name: name, Traits: all[name]})
	}
	return list
}

// The providers beside apt.
const (
	winget  = "winget"
	brew    = "homebrew"
	apps    = "macapps"
	apple   = "softwareupdate"
	flatpak = "flatpak"
)

// flatpakReleases are for a desktop.
func flatpakReleases() []release {
	return []release{
		{provider: flatpak, name: "org.videolan.VLC", arch: "x86_64", instance: "stable", publisher: "Flathub", age: 6 * day, size: 41_000_000,
			from: "3.0.20 (1f0c6b8de2)", to: "3.0.21 (9d41c07a55)"},
	}
}

func (d *device) linux(i, n int, random *rand.Rand) {
	names := []string{"web-01", "erp", "praxis-server", "db-primary", "fileserver", "roentgen-pc"}
	d.facts = wire.Facts{Hostname: named(names, n, i), OS: "linux", Distro: "debian", Release: "12", OSName: "Debian GNU/Linux 12 (bookworm)",
		SupportEnds: "2028-06-30", Kernel: "6.1.0-25-amd64", Architecture: "amd64", BootID: "b1", Zone: "Europe/Berlin", Providers: traitsOf("apt")}
	for at, r := range debianReleases() {
		if (at*7+n*3)%5 == 0 && n > 2 {
			continue // not everybody has everything
		}
		d.installed = append(d.installed, r.item(r.from))
	}
	if n%6 == 5 { // a desktop
		d.facts.Providers = traitsOf("apt", flatpak)
		for _, r := range flatpakReleases() {
			d.installed = append(d.installed, r.item(r.from))
		}
	}
	for n := range 120 {
		d.installed = append(d.installed, patch.Item{Provider: "apt", Name: fmt.Sprintf("lib%s%d", strings.Repeat("x", n%4), n), Architecture: "amd64",
			Version: "1.0-1", Origin: "Debian", Auto: true})
	}
	d.installed = append(d.installed, // nobody updates the one, the other sees to it itself
		patch.Item{Provider: "apt", Name: "anydesk", Architecture: "amd64", Version: "6.3.2", Orphan: true},
		patch.Item{Provider: "apt", Name: "discord", Architecture: "amd64", Version: "0.0.71", Orphan: true, Updater: "Discord"})
	d.story(n, random)
}

// story gives a Linux device what is wrong with it.
func (d *device) story(n int, random *rand.Rand) {
	switch n % 6 {
	case 1:
		d.facts.Restart = runsOld()
	case 2, 4:
		d.removes = map[string][]string{"libc6": {"libc6-i386", "lib32gcc-s1"}}
		d.fails["openssh-server"] = "openssh-server: postinst: port 22 is used by another program"
	case 3:
		d.facts.Restart = wire.Restart{Machine: true, Reasons: []string{"linux-image-amd64"}, Services: []string{}}
		d.facts.Release, d.facts.OSName, d.facts.SupportEnds = "10", "Debian GNU/Linux 10 (buster)", "2024-06-30"
	}
	if n == 4 {
		d.facts.Patchers, d.old = []string{"unattended-upgrades"}, true
	}
	d.byChance(n > 6, random)
	d.facts.Container = n == 2
}

// byChance silences some of the many, and breaks something on others.
func (d *device) byChance(beyond bool, random *rand.Rand) {
	if !beyond {
		return
	}
	d.quiet = random.IntN(20) == 0
	if random.IntN(10) == 0 {
		d.fails[d.installed[0].Name] = "dpkg: error processing package"
	}
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
	switch {
	case r.publisher != "":
		return r.publisher
	case r.thirdParty:
		return "Docker"
	}
	return "Debian"
}

// offers puts on offer what came out by then.
func (d *device) offers(age time.Duration, now time.Time, random *rand.Rand) {
	d.sources = nil
	for _, p := range d.facts.Providers {
		d.sources = append(d.sources, sourcesOf(p.Name, now, now.Add(-time.Duration(random.IntN(20))*time.Hour))...)
		if last := &d.sources[len(d.sources)-1]; last.Provider == winupdate {
			*last = d.engineSource(*last)
		}
	}
	d.offered = nil
	for _, r := range releases() {
		if r.age < age || r.recalled {
			continue
		}
		i := slices.IndexFunc(d.installed, func(p patch.Item) bool { return r.is(p) && (p.Version == r.from || p.Version == r.older) })
		if i >= 0 {
			u := r.update(d.installed[i].Version, now.Add(age-r.age))
			u.Reversibility, u.ReversibilityWhy = d.back(r, u.Installed)
			d.offered = append(d.offered, u)
		}
	}
	d.offersSystem(age, now)
	slices.SortFunc(d.offered, func(a, b patch.Update) int { return a.Key().Compare(b.Key()) })
}

// sourcesOf is where a provider has what it knows from.
func sourcesOf(name string, now, signed time.Time) []patch.Source {
	switch name {
	case "apt":
		return []patch.Source{
			{Provider: name, Name: "deb.example.test bookworm", Origin: "Debian", Suite: "bookworm", SignedAt: &signed, RefreshedAt: &now},
			{Provider: name, Name: "deb.example.test bookworm-security", Origin: "Debian", Suite: "bookworm-security", SignedAt: &signed, RefreshedAt: &now},
		}
	case winget:
		signed, ends := now.Add(-2*day), now.Add(62*day)
		return []patch.Source{{Provider: name, Name: fmt.Sprintf("catalogue %d", newestCatalog), SignedAt: &signed, ValidUntil: &ends}}
	case winupdate:
		return []patch.Source{{Provider: name, Name: "Windows Update", Origin: "Microsoft", RefreshedAt: &now}}
	case brew:
		return []patch.Source{{Provider: name, Name: "homebrew/cask", Origin: "Homebrew", ThirdParty: true, RefreshedAt: &now},
			{Provider: name, Name: "homebrew/core", Origin: "Homebrew", ThirdParty: true, RefreshedAt: &now}}
	case apple:
		return []patch.Source{{Provider: name, Name: "Apple Software Update", Origin: "Apple", RefreshedAt: &now}}
	case flatpak:
		return []patch.Source{{Provider: name, Name: "flathub", Origin: "Flathub", ThirdParty: true, RefreshedAt: &now}}
	}
	return nil
}

func (r release) update(from string, at time.Time) patch.Update {
	u := patch.Update{Provider: r.manager(), Scope: r.scope, Name: r.name, Source: r.source, Architecture: r.architecture(), Instance: r.instance,
		Installed: from, Available: r.to, Origin: origin(r), Classes: []patch.Class{patch.Other}, Size: r.size, Block: r.block, BlockWhy: r.why,
		Reboot: patch.No, ReleasedAt: &at, ReleasedBy: "changelog"}
	switch r.manager() {
	case "apt":
		u.Suite = "bookworm"
		if r.security {
			u.Suite, u.Severity = "bookworm-security", patch.SeverityHigh
		}
	case winget:
		u.Suite, u.ReleasedBy, u.SHA256, u.Reboot = "catalogue", "index", r.hash(r.to), patch.Unknown
	default:
		u.ReleasedAt, u.ReleasedBy = nil, ""
	}
	if r.security {
		u.Classes = []patch.Class{patch.Security}
	}
	if r.reboot {
		u.Reboot = patch.Yes
	}
	return u
}
