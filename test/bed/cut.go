package bed

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
	"unsafe"
)

// Cut takes the power away from a device that has a Disk of its own: every process ends at
// once, and what had not been written to the disk by then is lost. The device is off
// afterwards, its disk as its file system makes it good when it is next mounted.
func (d *Device) Cut(ctx context.Context) error {
	if d.disk == 0 {
		return fmt.Errorf("%s has no disk of its own that could lose what was not written: see Options.Disk", d.Name)
	}
	if err := d.Kill(); err != nil {
		return err
	}
	layer := filepath.Join(d.dir, "layer")
	if err := shutDisk(layer); err != nil {
		return fmt.Errorf("cutting the disk of %s off: %w", d.Name, err)
	}
	for _, at := range []string{d.Root(), layer} { // not detached: nothing may hold on to the old state
		if err := unmountIdle(ctx, at); err != nil {
			return err
		}
	}
	// A loop device of its own: the old one may still be held by a device that was just
	// starting, with the file system that was cut off.
	loop, err := run(ctx, "losetup", "--find", "--show", filepath.Join(d.dir, "disk.img"))
	if err != nil {
		return err
	}
	loop = strings.TrimSpace(loop)
	_, err = run(ctx, "mount", loop, layer)
	if _, detached := run(ctx, "losetup", "--detach", loop); err == nil { // once it is unmounted
		err = detached
	}
	if err != nil {
		return err
	}
	return d.mountRoot()
}

// unmountIdle unmounts when nothing looks at it any more: a test may just be reading a file.
func unmountIdle(ctx context.Context, at string) error {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for tries := 0; ; tries++ {
		err := syscall.Unmount(at, 0)
		if err == nil || !errors.Is(err, syscall.EBUSY) || tries == 1000 {
			return os.NewSyscallError("umount", err)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

// shutDisk makes the file system at a mount point forget what is not on the disk yet, its
// journal's unwritten part included.
func shutDisk(at string) error {
	f, err := os.Open(at)
	if err != nil {
		return err
	}
	defer f.Close()
	const (
		shutdown  = 0x8004587d // EXT4_IOC_SHUTDOWN
		withoutIt = 2          // EXT4_GOING_FLAGS_NOLOGFLUSH
	)
	flags := uint32(withoutIt)
	if _, _, errno := syscall.Syscall(syscall.SYS_IOCTL, f.Fd(), shutdown, uintptr(unsafe.Pointer(&flags))); errno != 0 {
		return os.NewSyscallError("ioctl", errno)
	}
	return nil
}

// logInside is where a device with Options.Log sees what lies outside its disk.
const logInside = "/var/log/outside"

func (d *Device) logDir() string { return filepath.Join(d.dir, "log") }

// keepLog lets dpkg write its log outside the device's disk.
func (d *Device) keepLog() error {
	if err := os.MkdirAll(d.logDir(), 0o755); err != nil {
		return err
	}
	root, err := os.OpenRoot(d.Root())
	if err != nil {
		return err
	}
	defer root.Close()
	if err := root.Mkdir(strings.TrimPrefix(logInside, "/"), 0o755); err != nil {
		return err
	}
	if err := root.Remove("var/log/dpkg.log"); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return root.Symlink(logInside+"/dpkg.log", "var/log/dpkg.log")
}

// DpkgLog is dpkg's log of a device with Options.Log.
func (o Oracle) DpkgLog() (string, error) {
	text, err := os.ReadFile(filepath.Join(o.d.logDir(), "dpkg.log"))
	if errors.Is(err, os.ErrNotExist) {
		return "", nil
	}
	return string(text), err
}

// KillTree kills every process of the device that goes by a name, at once and with all below
// it, and says how many processes that were.
func (d *Device) KillTree(name string) int { return KillAll(d.Tree(name)) }

// KillAll kills processes at once; those that ended meanwhile do not count.
func KillAll(pids []int) int {
	n := 0
	for _, pid := range pids {
		if syscall.Kill(pid, syscall.SIGKILL) == nil {
			n++
		}
	}
	return n
}

// Tree is every process of the device that goes by a name and all below them, as the host
// numbers them, parents first. Finding them takes a while; killing them then does not.
func (d *Device) Tree(name string) []int {
	leader := d.leader()
	if leader == 0 {
		return nil
	}
	pids, _ := inhabitants(leader)
	children := map[int][]int{}
	var tree []int
	for _, pid := range pids {
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		open, end := strings.IndexByte(string(stat), '('), strings.LastIndexByte(string(stat), ')')
		if err != nil || open < 0 || end < open {
			continue // ended meanwhile
		}
		parent, _ := strconv.Atoi(strings.Fields(string(stat[end+1:]))[1])
		children[parent] = append(children[parent], pid)
		if string(stat[open+1:end]) == name {
			tree = append(tree, pid)
		}
	}
	for i := 0; i < len(tree); i++ {
		for _, child := range children[tree[i]] {
			if !slices.Contains(tree, child) {
				tree = append(tree, child)
			}
		}
	}
	return tree
}
