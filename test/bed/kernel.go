package bed

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// kernelPackage brings the newest kernel made for virtual machines.
const kernelPackage = "linux-image-cloud-amd64"

// modules are what the kernel needs for its disk and its network, in the order in which they
// need each other. ext4 is built in.
var modules = []string{
	"virtio_ring", "virtio", "virtio_pci_modern_dev", "virtio_pci_legacy_dev", "virtio_pci",
	"virtio_blk", "failover", "net_failover", "virtio_net",
}

// kernel is a Debian kernel, unpacked in the cache and not installed on this machine.
type kernel struct{ dir string }

// fetchKernel downloads and unpacks the kernel that this machine's apt offers, once.
func fetchKernel(ctx context.Context) (kernel, error) {
	cache, err := CacheDir()
	if err != nil {
		return kernel{}, err
	}
	name, err := kernelName(ctx)
	if err != nil {
		return kernel{}, err
	}
	k := kernel{filepath.Join(cache, name)}
	err = locked(filepath.Join(cache, ".lock-kernel"), func() error {
		if _, err := os.Stat(k.dir); err == nil {
			return nil
		}
		return k.unpack(ctx, name)
	})
	return k, err
}

// kernelName is the package that really holds the kernel: the other only names it.
func kernelName(ctx context.Context) (string, error) {
	out, err := run(ctx, "apt-cache", "depends", "--important", kernelPackage)
	if err != nil {
		return "", fmt.Errorf("asking apt for a kernel (a machine without package lists needs apt-get update): %w", err)
	}
	for line := range strings.Lines(out) {
		if _, name, ok := strings.Cut(strings.TrimSpace(line), "Depends: "); ok && strings.HasPrefix(name, "linux-image-") {
			return name, nil
		}
	}
	return "", fmt.Errorf("apt on this machine offers no %s", kernelPackage)
}

// unpack makes the kernel's folder, which appears only when it is complete.
func (k kernel) unpack(ctx context.Context, name string) error {
	part := k.dir + ".part"
	if err := os.RemoveAll(part); err != nil {
		return err
	}
	if err := os.Mkdir(part, 0o755); err != nil {
		return err
	}
	if _, err := runIn(ctx, part, "apt-get", "download", name); err != nil {
		return fmt.Errorf("fetching a kernel: %w", err)
	}
	for _, deb := range glob(part, "*.deb") {
		if _, err := run(ctx, "dpkg-deb", "--extract", deb, part); err != nil {
			return err
		}
		if err := os.Remove(deb); err != nil {
			return err
		}
	}
	return os.Rename(part, k.dir)
}

// image is the file that a machine boots.
func (k kernel) image() (string, error) {
	found := glob(k.dir, "boot/vmlinuz-*")
	if len(found) != 1 {
		return "", fmt.Errorf("%s holds %d kernels, not one", k.dir, len(found))
	}
	return found[0], nil
}

// module is the file of a module.
func (k kernel) module(name string) (string, error) {
	for _, pattern := range []string{"lib/modules/*/kernel/*/*/", "lib/modules/*/kernel/*/"} {
		if found := glob(k.dir, pattern+name+".ko"); len(found) == 1 {
			return found[0], nil
		}
	}
	return "", fmt.Errorf("the kernel in %s has no module %s", k.dir, name)
}

func glob(dir, pattern string) []string {
	found, _ := filepath.Glob(filepath.Join(dir, pattern)) // the patterns are sound
	return found
}
