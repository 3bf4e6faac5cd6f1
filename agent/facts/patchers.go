package facts

import (
	"context"
	"io/fs"
	"slices"
	"strings"

	"patchbay/provider"
)

// marks are programs that install updates by themselves where their files are.
func marks() map[string][]string {
	return map[string][]string{
		"landscape-client": {"etc/landscape/client.conf"},
		"packagekit":       {"usr/libexec/packagekitd", "usr/lib/packagekit/packagekitd"},
		"cron-apt":         {"etc/cron.d/cron-apt"},
		"dnf-automatic":    {"etc/systemd/system/timers.target.wants/dnf-automatic.timer", "etc/systemd/system/timers.target.wants/dnf-automatic-install.timer"},
		"snapd":            {"usr/lib/snapd/snapd"},
		"salt-minion":      {"usr/bin/venv-salt-call", "etc/salt/minion.d/susemanager.conf"},
		"zypper patch timer": {
			"etc/systemd/system/timers.target.wants/transactional-update.timer",
		},
	}
}

// patchers lists the other programs that install updates on the device, sorted.
func patchers(ctx context.Context, host provider.Host) []string {
	files := host.Files()
	var found []string
	for name, paths := range marks() {
		if slices.ContainsFunc(paths, func(p string) bool { return exists(files, p) }) {
			found = append(found, name)
		}
	}
	if unattendedUpgrades(ctx, host) {
		found = append(found, "unattended-upgrades")
	}
	slices.Sort(found)
	return found
}

// unattendedUpgrades reports whether the program is there, switched on, and started by
// something.
func unattendedUpgrades(ctx context.Context, host provider.Host) bool {
	files := host.Files()
	started := exists(files, "etc/systemd/system/timers.target.wants/apt-daily-upgrade.timer") || exists(files, "etc/cron.daily/apt-compat")
	if !started || !exists(files, "usr/bin/unattended-upgrade") {
		return false
	}
	res, err := host.Run(ctx, provider.Command{Args: []string{"apt-config", "dump", "--format", "%f=%v%n", "APT::Periodic"}})
	return err == nil && periodic(res.Stdout)
}

// periodic reads apt's switch for unattended upgrades: a number of days, 0 or nothing is off.
func periodic(dump string) bool {
	for line := range strings.Lines(dump) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		if strings.EqualFold(name, "APT::Periodic::Unattended-Upgrade") {
			return value != "" && value != "0"
		}
	}
	return false
}

func exists(files fs.FS, name string) bool {
	_, err := fs.Stat(files, name)
	if err == nil {
		return true
	}
	_, err = fs.Lstat(files, name) // a unit is switched on by a link, which may be absolute
	return err == nil
}
