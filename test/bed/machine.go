package bed

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// tool is a command and the Debian package that brings it.
type tool struct{ command, pkg string }

func deviceTools() []tool {
	return []tool{
		{"systemd-nspawn", "systemd-container"}, {"ip", "iproute2"}, {"tc", "iproute2"}, {"nsenter", "util-linux"},
		{"mount", "mount"}, {"mkfs.ext4", "e2fsprogs"}, {"zstd", "zstd"}, {"tar", "tar"}, {"dpkg-query", "dpkg"},
	}
}

func archiveTools() []tool {
	return []tool{{"dpkg-deb", "dpkg"}, {"apt-ftparchive", "apt-utils"}, {"gpg", "gnupg"}, {"gpgconf", "gpgconf"}}
}

// need skips the test, saying what is missing, unless this machine has root (if
// asked for) and the tools. PATCHBAY_BED_REQUIRED turns skipping into failing,
// so that a continuous-integration machine cannot pass by testing nothing. With
// -short nothing that needs root is tried at all.
func need(t T, root bool, tools []tool) {
	t.Helper()
	if root && testing.Testing() && testing.Short() {
		t.Skipf("bed: devices are left out by -short")
	}
	stop := giveUp(t)
	if root && os.Geteuid() != 0 {
		stop("bed: devices need root (namespaces, mounts); run this test as root")
	}
	if missing := missingPackages(tools); len(missing) > 0 {
		stop("bed: missing Debian packages: %s; test/bed/install-packages.sh installs them", strings.Join(missing, " "))
	}
}

// giveUp ends a test that this machine is not made for.
func giveUp(t T) func(format string, args ...any) {
	if os.Getenv("PATCHBAY_BED_REQUIRED") != "" {
		return t.Fatalf
	}
	return t.Skipf
}

func missingPackages(tools []tool) []string {
	var missing []string
	for _, t := range tools {
		if _, err := exec.LookPath(t.command); err != nil {
			missing = append(missing, t.pkg)
		}
	}
	return missing
}

// CacheDir is where base systems and built packages are kept between runs:
// PATCHBAY_BED_CACHE, or patchbay-bed in the user's cache. Worth keeping in CI.
func CacheDir() (string, error) {
	dir := os.Getenv("PATCHBAY_BED_CACHE")
	if dir == "" {
		user, err := os.UserCacheDir()
		if err != nil {
			return "", fmt.Errorf("finding the cache directory: %w", err)
		}
		dir = filepath.Join(user, "patchbay-bed")
	}
	if strings.ContainsAny(dir, ",:") { // overlayfs reads both as separators
		return "", fmt.Errorf("the cache directory %q holds a comma or a colon, which overlay mounts cannot take", dir)
	}
	return dir, os.MkdirAll(dir, 0o755)
}

// run executes a command of this machine; what it said on stderr is part of the error.
func run(ctx context.Context, name string, args ...string) (string, error) {
	return runIn(ctx, "", name, args...)
}

// runIn is run in a working directory.
func runIn(ctx context.Context, dir, name string, args ...string) (string, error) {
	var out, errs bytes.Buffer
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "LC_ALL=C.UTF-8")
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		return out.String(), fmt.Errorf("%s %s: %w: %s", name, strings.Join(args, " "), err, tail(errs.String()))
	}
	return out.String(), nil
}

// tail is the last few lines of a command's complaint.
func tail(s string) string {
	lines := strings.Split(strings.TrimSpace(s), "\n")
	return strings.Join(lines[max(0, len(lines)-8):], "\n")
}

// tryLock locks a file, or returns nil when somebody else holds it.
func tryLock(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return nil, f.Close()
	}
	if err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("locking %s: %w", path, err)
	}
	return f, nil
}

// locked runs do while holding the lock file, waiting for it.
func locked(path string, do func() error) error {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX); err != nil {
		return fmt.Errorf("locking %s: %w", path, err)
	}
	return do()
}

// mountMemory mounts a memory file system on dir if the machine can spare size
// bytes twice over; otherwise dir stays what it is.
func mountMemory(dir string, size int64) error {
	if availableMemory() < 2*size {
		return nil
	}
	return os.NewSyscallError("mount tmpfs", syscall.Mount("patchbay-bed", dir, "tmpfs", 0, fmt.Sprintf("size=%d,mode=0755", size)))
}

// availableMemory is the kernel's own estimate in bytes; 0 when it gives none.
func availableMemory() int64 {
	f, err := os.Open("/proc/meminfo")
	if err != nil {
		return 0
	}
	defer f.Close()
	for s := bufio.NewScanner(f); s.Scan(); {
		if fields := strings.Fields(s.Text()); len(fields) > 1 && fields[0] == "MemAvailable:" {
			kib, _ := strconv.ParseInt(fields[1], 10, 64) // not a number: none to spare
			return kib << 10
		}
	}
	return 0
}

// overlaps tells whether this machine already has an address in bed n's network.
func overlaps(n int) bool {
	network := netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 137, byte(n), 0}), 24)
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		return false
	}
	for _, a := range addrs {
		if p, err := netip.ParsePrefix(a.String()); err == nil && p.Overlaps(network) {
			return true
		}
	}
	return false
}
