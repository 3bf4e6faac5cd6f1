package facts

import (
	"context"
	"io/fs"
	"maps"
	"regexp"
	"slices"
	"strings"

	"patchbay/patch"
	"patchbay/wire"
)

// restart says what still runs in an old version.
func restart(ctx context.Context, files fs.FS, f wire.Facts) wire.Restart {
	r := wire.Restart{Reasons: askedFor(files)}
	r.Machine = exists(files, "run/reboot-required") || exists(files, "var/run/reboot-required")
	if !f.Container {
		if reason := oldKernel(files, f.Kernel); reason != "" {
			r.Machine = true
			r.Reasons = append(r.Reasons, reason)
		}
	}
	slices.Sort(r.Reasons)
	r.Reasons = slices.Compact(r.Reasons)
	replaced(ctx, files, &r)
	return r
}

// replaced says which services use replaced files, and of which packages.
func replaced(ctx context.Context, files fs.FS, r *wire.Restart) {
	found := readProcesses(ctx, files)
	wanted := map[string]bool{}
	for _, u := range found.old {
		maps.Copy(wanted, u.files)
	}
	of := findOwners(files, wanted)
	r.Services, r.Old, r.Unknown = found.services(), found.uses(of), found.unknown(of)
	if len(r.Unknown) > 0 {
		r.Doubt = doubt(files, found, of)
	}
}

// maxReasons bounds how many packages are named.
const maxReasons = 50

// askedFor lists the packages that asked for a reboot.
func askedFor(files fs.FS) []string {
	var names []string
	for _, name := range []string{"run/reboot-required.pkgs", "var/run/reboot-required.pkgs"} {
		b, err := fs.ReadFile(files, name)
		if err != nil {
			continue
		}
		for line := range strings.Lines(string(b)) {
			if line = strings.TrimSpace(line); line != "" && len(line) <= maxWord && len(names) < maxReasons {
				names = append(names, strings.ToValidUTF8(line, ""))
			}
		}
		break
	}
	return names
}

// oldKernel names the installed kernel that should run instead of the running one; "" when
// there is none. A kernel that this system does not have installed came from outside, and
// nothing here replaces it.
func oldKernel(files fs.FS, running string) string {
	if !exists(files, "boot/vmlinuz-"+running) {
		return ""
	}
	entries, err := fs.ReadDir(files, "boot")
	if err != nil {
		return ""
	}
	newest := running
	for _, e := range entries {
		v, ok := strings.CutPrefix(e.Name(), "vmlinuz-")
		if !ok || flavour(v) != flavour(running) {
			continue
		}
		if c, err := patch.CompareVersions(patch.SchemeDeb, v, newest); err == nil && c > 0 {
			newest = v
		}
	}
	if newest != running {
		return "linux-image-" + newest
	}
	if rebuilt(files, running) {
		return "linux-image-" + running
	}
	return ""
}

// flavour is what stands behind a kernel's numbers: a cloud kernel does not replace another.
func flavour(version string) string {
	parts := strings.Split(version, "-")
	for len(parts) > 1 && parts[0] != "" && '0' <= parts[0][0] && parts[0][0] <= '9' {
		parts = parts[1:]
	}
	return strings.Join(parts, "-")
}

var debianBuild = regexp.MustCompile(`\bDebian (\d[0-9A-Za-z.+~-]{1,60})`)

// rebuilt reports whether the running kernel's package was replaced by a newer version of
// the same name. Debian's kernels say in their banner which version they were built as.
func rebuilt(files fs.FS, running string) bool {
	banner, _ := fs.ReadFile(files, "proc/version")
	builds := debianBuild.FindAllStringSubmatch(string(banner), -1) // the first is the compiler's
	if len(builds) == 0 {
		return false
	}
	b, err := fs.ReadFile(files, "var/lib/dpkg/status")
	if err != nil {
		return false
	}
	_, rest, ok := strings.Cut("\n"+string(b), "\nPackage: linux-image-"+running+"\n")
	if !ok {
		return false
	}
	rest, _, _ = strings.Cut(rest, "\n\n")
	_, version, ok := strings.Cut("\n"+rest, "\nVersion: ")
	version, _, _ = strings.Cut(version, "\n")
	c, err := patch.CompareVersions(patch.SchemeDeb, version, builds[len(builds)-1][1])
	return ok && err == nil && c > 0
}
