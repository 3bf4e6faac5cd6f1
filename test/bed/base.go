package bed

import (
	"context"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// base is a Debian system that devices are layered on: built once per machine,
// never written to again.
type base struct {
	name    string
	include string // packages beyond minbase, with commas
	boots   bool   // has an init of its own
}

const (
	release = "bookworm"
	recipe  = "1" // raise when what a base holds changes
)

func baseFor(o Options) base {
	b := base{name: release, include: strings.Join(o.With, ",")}
	if o.Boot {
		b.name, b.boots = b.name+"-boot", true
		b.include = strings.Join(append([]string{"systemd-sysv", "dbus"}, o.With...), ",")
	}
	if len(o.With) > 0 {
		b.name += "-" + strings.Join(o.With, "-")
	}
	return b
}

// build returns the base's directory, making it where it is missing: from the
// cached tarball, else from the archive this machine's own apt uses. Two
// processes that want it at once build it once.
func (b base) build(t T) (string, error) {
	cache, err := CacheDir()
	if err != nil {
		return "", err
	}
	key := fmt.Sprintf("%s-%x", b.name, sha256.Sum256([]byte(recipe+release+b.include)))[:len(b.name)+9]
	dir, tarball := filepath.Join(cache, "base-"+key), filepath.Join(cache, "base-"+key+".tar.zst")
	err = locked(filepath.Join(cache, ".lock-"+b.name), func() error {
		if _, err := os.Stat(dir); err == nil {
			return nil
		}
		if _, err := os.Stat(tarball); err != nil {
			t.Logf("bed: building the base system %s, once; this takes a minute", b.name)
			if err := b.bootstrap(t.Context(), tarball); err != nil {
				return fmt.Errorf("building the base system %s: %w", b.name, err)
			}
		}
		return unpack(t.Context(), tarball, dir)
	})
	return dir, err
}

// bootstrap makes the tarball, in memory when there is room.
func (b base) bootstrap(ctx context.Context, tarball string) error {
	if missing := missingPackages([]tool{{"debootstrap", "debootstrap"}}); len(missing) > 0 {
		return fmt.Errorf("missing Debian package: debootstrap; test/bed/install-packages.sh installs it")
	}
	mirror, err := ownMirror(ctx)
	if err != nil {
		return err
	}
	work, err := os.MkdirTemp(filepath.Dir(tarball), "build-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	if err := mountMemory(work, 3<<30); err != nil {
		return err
	}
	defer unmountBelow(work) // before the removal above
	root := filepath.Join(work, "root")
	args := []string{"--variant=minbase", "--components=main"}
	if b.include != "" {
		args = append(args, "--include="+b.include)
	}
	if _, err := run(ctx, "debootstrap", append(args, release, root, mirror)...); err != nil {
		return err
	}
	if err := b.tidy(root); err != nil {
		return err
	}
	part := tarball + ".part"
	if _, err := run(ctx, "tar", "--numeric-owner", "--xattrs", "-I", "zstd -3 -T0", "-C", root, "-cf", part, "."); err != nil {
		return err
	}
	return os.Rename(part, tarball)
}

// ownMirror asks this machine's apt where the release comes from.
func ownMirror(ctx context.Context) (string, error) {
	out, err := run(ctx, "apt-get", "indextargets", "--format", "$(REPO_URI) $(RELEASE)", "Created-By: Packages")
	if err != nil {
		return "", err
	}
	for line := range strings.Lines(out) {
		uri, of, _ := strings.Cut(strings.TrimSpace(line), " ")
		if of == release {
			return strings.TrimRight(uri, "/"), nil
		}
	}
	return "", fmt.Errorf("apt on this machine has no source for %s (or no lists yet: apt-get update)", release)
}

// tidy leaves nothing of the building machine in a new root and gives apt the
// settings every device needs.
func (b base) tidy(root string) error {
	for _, pattern := range []string{
		"etc/hostname", "etc/resolv.conf", "var/log/bootstrap.log",
		"var/lib/apt/lists/*", "var/cache/apt/*.bin", "var/cache/apt/archives/*.deb",
	} {
		found, _ := filepath.Glob(filepath.Join(root, pattern)) // the patterns are sound
		for _, path := range found {
			if err := os.RemoveAll(path); err != nil {
				return err
			}
		}
	}
	files := []file{
		{"etc/apt/sources.list", "", 0o644},
		{"etc/apt/apt.conf.d/90bed", "Acquire::Languages \"none\";\nAPT::Install-Recommends \"false\";\n", 0o644},
		{"etc/machine-id", "", 0o644},
	}
	if !b.boots { // nothing there that could start a service
		files = append(files, file{"usr/sbin/policy-rc.d", "#!/bin/sh\nexit 101\n", 0o755})
	}
	return writeFiles(root, files)
}

// unpack makes dir from the tarball; dir appears only when it is complete.
func unpack(ctx context.Context, tarball, dir string) error {
	part := dir + ".part"
	if err := os.RemoveAll(part); err != nil {
		return err
	}
	if err := os.Mkdir(part, 0o755); err != nil {
		return err
	}
	if _, err := run(ctx, "tar", "--numeric-owner", "--xattrs", "-I", "zstd", "-C", part, "-xf", tarball); err != nil {
		return err
	}
	return os.Rename(part, dir)
}
