package bed

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Oracle tells the truth about a device from outside: it reads the device's disk
// and processes with this machine's own tools, runs nothing inside and asks no
// part of Patchbay. It works on a device that is off.
type Oracle struct{ d *Device }

// Oracle returns the device's oracle.
func (d *Device) Oracle() Oracle { return Oracle{d} }

// Package is what dpkg's database says of a package.
type Package struct {
	Name, Arch, Version   string
	Source, SourceVersion string
	Want                  string // install, hold, deinstall, purge
	Status                string // installed, unpacked, half-configured, half-installed, config-files, …
	Broken                bool   // dpkg marks it as to be installed again
}

// Held tells whether somebody put the package on hold.
func (p Package) Held() bool { return p.Want == "hold" }

// String is the package's version and state in one, such as "1.1 half-configured",
// or "absent" for the zero value.
func (p Package) String() string {
	if p.Status == "" {
		return "absent"
	}
	s := p.Version + " " + p.Status
	if p.Broken {
		s += " broken"
	}
	return s
}

// Packages reads the whole database, by package name.
func (o Oracle) Packages(ctx context.Context) (map[string]Package, error) {
	const format = "${Package}\t${Architecture}\t${Version}\t${source:Package}\t${source:Version}\t${db:Status-Want}\t${db:Status-Status}\t${db:Status-Eflag}\n"
	out, err := run(ctx, "dpkg-query", "--admindir="+o.admin(), "--show", "--showformat", format)
	if err != nil {
		return nil, fmt.Errorf("asking the database of %s: %w", o.d.Name, err)
	}
	all := map[string]Package{}
	for line := range strings.Lines(out) {
		f := strings.Split(strings.TrimRight(line, "\n"), "\t")
		if len(f) != 8 {
			return nil, fmt.Errorf("the database of %s: odd line %q", o.d.Name, line)
		}
		all[f[0]] = Package{f[0], f[1], f[2], f[3], f[4], f[5], f[6], f[7] != "ok"}
	}
	return all, nil
}

// Package reads one package; the zero value when the database does not know it.
func (o Oracle) Package(ctx context.Context, name string) (Package, error) {
	all, err := o.Packages(ctx)
	return all[name], err
}

// Audit is what dpkg itself finds wrong with the database; empty when nothing is.
func (o Oracle) Audit(ctx context.Context) (string, error) {
	return run(ctx, "dpkg", "--admindir="+o.admin(), "--audit")
}

// BootID is the kernel's name for the device's present boot, a new one each time
// it comes up; "" while it is off. (systemd-nspawn gives each start its own:
// without that, all devices would show the host's.)
func (o Oracle) BootID() (string, error) {
	leader := o.d.leader()
	if leader == 0 {
		return "", nil
	}
	id, err := os.ReadFile(fmt.Sprintf("/proc/%d/root/proc/sys/kernel/random/boot_id", leader))
	return strings.TrimSpace(string(id)), err
}

// RebootRequired tells whether a package asked for a reboot, and which ones did.
func (o Oracle) RebootRequired() (bool, []string, error) {
	if _, there, err := o.File("/run/reboot-required"); err != nil || !there {
		return false, nil, err
	}
	names, _, err := o.File("/run/reboot-required.pkgs")
	return true, strings.Fields(names), err
}

// File reads a file of the device, such as a configuration file, and tells
// whether it is there.
func (o Oracle) File(name string) (text string, there bool, err error) {
	content, err := o.d.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return "", false, nil
	}
	return string(content), err == nil, err
}

func (o Oracle) admin() string { return filepath.Join(o.d.Root(), "var/lib/dpkg") }
