// Package facts reads what a device says of itself: its system and kernel, how long it is
// supported, what else installs updates on it, and what still runs in an old version.
//
// Everything is read from files and, on Windows, from the registry, as any user may; what a
// user may not read is said to be unknown and never taken for good.
package facts

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
	"os"
	"path"
	"runtime"
	"strconv"
	"strings"
	"time"

	"patchbay/provider"
	"patchbay/wire"
)

// Collect reads the facts of the device behind the host. What cannot be read is left out;
// only the end of the context is an error.
func Collect(ctx context.Context, host provider.Host) (wire.Facts, error) {
	f, err := read(ctx, host)
	f.Presence = Presence(ctx, host)
	return f, err
}

func read(ctx context.Context, host provider.Host) (wire.Facts, error) {
	if registry, ok := host.(provider.RegistryHost); ok {
		return onWindows(registry), ctx.Err()
	}
	if _, err := fs.Stat(host.Files(), "proc/sys/kernel/osrelease"); err != nil {
		return elsewhere(), ctx.Err()
	}
	files := host.Files()
	f := wire.Facts{
		OS: "linux", Hostname: word(files, "proc/sys/kernel/hostname"), Kernel: word(files, "proc/sys/kernel/osrelease"),
		Architecture: architecture(files), Container: inContainer(files), MachineID: machineID(files),
		BootID: bootID(files), BootedAt: bootedAt(files), Zone: zone(files),
	}
	os := readOSRelease(files)
	f.Distro, f.Release, f.OSName = os["ID"], os["VERSION_ID"], os["PRETTY_NAME"]
	f.SupportEnds, _ = SupportEnds(f.Distro, f.Release)
	f.Patchers = patchers(ctx, host)
	f.Restart = restart(ctx, files, f)
	f.Listens = listens(files)
	return f, ctx.Err()
}

// elsewhere is the little that the standard library knows of other systems.
func elsewhere() wire.Facts {
	name, _ := os.Hostname() // a machine without a name has none to tell
	return wire.Facts{
		OS: runtime.GOOS, Hostname: name, Architecture: runtime.GOARCH,
		Restart: wire.Restart{Services: []string{}, Unknown: []string{"What still runs in an old version cannot be read on this system yet."}},
	}
}

// maxWord bounds what is taken from a one-line file.
const maxWord = 256

// word reads a file of one line; "" when it cannot be read.
func word(files fs.FS, name string) string {
	b, err := fs.ReadFile(files, name)
	if err != nil {
		return ""
	}
	line, _, _ := strings.Cut(string(b), "\n")
	return strings.ToValidUTF8(strings.TrimSpace(line[:min(len(line), maxWord)]), "")
}

// readOSRelease reads os-release as its manual says: NAME=value, quoted or not.
func readOSRelease(files fs.FS) map[string]string {
	for _, name := range []string{"etc/os-release", "usr/lib/os-release"} {
		if b, err := fs.ReadFile(files, name); err == nil {
			return parseOSRelease(string(b))
		}
	}
	return nil
}

func parseOSRelease(text string) map[string]string {
	values := map[string]string{}
	for line := range strings.Lines(text) {
		name, value, ok := strings.Cut(strings.TrimSpace(line), "=")
		if !ok || strings.HasPrefix(name, "#") {
			continue
		}
		if n := len(value); n >= 2 && (value[0] == '"' || value[0] == '\'') && value[n-1] == value[0] {
			value = value[1 : n-1]
		}
		value = strings.NewReplacer(`\"`, `"`, `\$`, `$`, `\\`, `\`, "\\`", "`").Replace(value)
		values[name] = strings.ToValidUTF8(value[:min(len(value), maxWord)], "")
	}
	return values
}

// architecture names the machine as Go does, whatever the kernel calls it.
func architecture(files fs.FS) string {
	switch m := word(files, "proc/sys/kernel/arch"); m {
	case "x86_64":
		return "amd64"
	case "aarch64":
		return "arm64"
	case "i686", "i586", "i386":
		return "386"
	case "armv7l", "armv6l":
		return "arm"
	case "":
		return runtime.GOARCH // before Linux 6.1 there is no such file
	default:
		return m
	}
}

// inContainer reports whether the kernel is somebody else's.
func inContainer(files fs.FS) bool {
	for _, name := range []string{"run/systemd/container", "run/host/container-manager", ".dockerenv", "run/.containerenv", "dev/lxd/sock"} {
		if _, err := fs.Stat(files, name); err == nil {
			return true
		}
	}
	if _, err := fs.Stat(files, "proc/vz"); err == nil {
		_, err := fs.Stat(files, "proc/bc")
		return err != nil
	}
	environ, _ := fs.ReadFile(files, "proc/1/environ") // only root may
	for v := range strings.SplitSeq(string(environ), "\x00") {
		if strings.HasPrefix(v, "container=") {
			return true
		}
	}
	cgroup := word(files, "proc/1/cgroup")
	return strings.Contains(cgroup, "/docker/") || strings.Contains(cgroup, "/lxc/") || strings.Contains(cgroup, "/kubepods")
}

// machineID is a keyed hash of the machine's own ID, which is not to be told to others.
func machineID(files fs.FS) string {
	id := word(files, "etc/machine-id")
	if len(id) != 32 {
		return ""
	}
	mac := hmac.New(sha256.New, []byte(id))
	mac.Write([]byte("patchbay device"))
	return hex.EncodeToString(mac.Sum(nil)[:16])
}

func bootedAt(files fs.FS) *time.Time {
	b, err := fs.ReadFile(files, "proc/stat")
	if err != nil {
		return nil
	}
	for line := range strings.Lines(string(b)) {
		if rest, ok := strings.CutPrefix(line, "btime "); ok {
			if n, err := strconv.ParseInt(strings.TrimSpace(rest), 10, 64); err == nil && n > 0 {
				t := time.Unix(n, 0).UTC()
				return &t
			}
		}
	}
	return nil
}

// bootID names the present boot. A container shows the boot ID of the machine around it,
// which a restart of the container does not change: there, when its first process began is
// added.
func bootID(files fs.FS) string {
	id := word(files, "proc/sys/kernel/random/boot_id")
	if id == "" || !inContainer(files) {
		return id
	}
	n, ok := began(files, "proc/1")
	if !ok {
		return id
	}
	return id + "-" + strconv.FormatInt(n, 10)
}

// BootID names the present boot of the device, "" where it cannot be known.
func BootID(host provider.Host) string {
	if m, ok := host.(provider.MachineHost); ok {
		return m.Machine().Boot
	}
	return bootID(host.Files())
}

// Hardware names what the device is made of: its board by the ID its maker gave it, and its
// network cards by their addresses. A copy of its disk in another machine shares none of it.
// What cannot be read is left out.
func Hardware(host provider.Host) []string {
	if m, ok := host.(provider.MachineHost); ok {
		return hardware(m)
	}
	files := host.Files()
	var all []string
	if id := word(files, "sys/class/dmi/id/product_uuid"); id != "" && !inContainer(files) { // a container sees the machine around it
		all = append(all, "board:"+id)
	}
	cards, _ := fs.Glob(files, "sys/class/net/*/device") // cards that are there, not bridges and the like
	for _, c := range cards {
		if address := word(files, path.Dir(c)+"/address"); address != "" {
			all = append(all, "card:"+address)
		}
	}
	return all
}

// hardware is of a machine whose system tells.
func hardware(host provider.MachineHost) []string {
	var all []string
	if registry, ok := host.(provider.RegistryHost); ok {
		if id := windowsBoard(registry); id != "" {
			all = append(all, "board:"+id)
		}
	}
	for _, address := range host.Machine().Cards {
		all = append(all, "card:"+address)
	}
	return all
}

// zone is the IANA name of the device's time zone, "" when it is not known.
func zone(files fs.FS) string {
	if target, err := fs.ReadLink(files, "etc/localtime"); err == nil {
		if _, name, ok := strings.Cut(target, "zoneinfo/"); ok && isZone(name) {
			return name
		}
	}
	if name := word(files, "etc/timezone"); isZone(name) {
		return name
	}
	return ""
}

func isZone(name string) bool {
	if name == "" || len(name) > 64 || path.Clean(name) != name || strings.HasPrefix(name, "/") || name == "Local" {
		return false
	}
	_, err := time.LoadLocation(name)
	return err == nil
}
