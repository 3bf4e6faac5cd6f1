package bed

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

// leftover is what a bed puts into the world; the lock file holds it as JSON.
type leftover struct {
	Number int
	Dir    string
}

func bridgeName(n int) string              { return fmt.Sprintf("pbbed%d", n) }
func portName(n int, device string) string { return fmt.Sprintf("pbb%dd%s", n, device) }
func lockPath(n int) string                { return fmt.Sprintf("/run/lock/patchbay-bed-%d", n) }

// sweep clears every bed whose process is gone: its lock is free, its note is not empty.
func sweep(t T) {
	t.Helper()
	for n := 1; n < 255; n++ {
		if info, err := os.Stat(lockPath(n)); err != nil || info.Size() == 0 {
			continue
		}
		lock, err := tryLock(lockPath(n))
		if err != nil {
			t.Fatalf("bed: %v", err)
		}
		if lock == nil {
			continue
		}
		if err := sweepOne(lock); err != nil {
			t.Logf("bed: sweeping bed %d of a killed test: %v", n, err)
		}
		_ = lock.Close()
	}
}

func sweepOne(lock *os.File) error {
	note, err := os.ReadFile(lock.Name())
	if err != nil || len(note) == 0 {
		return err
	}
	var l leftover
	if err := json.Unmarshal(note, &l); err != nil {
		return fmt.Errorf("reading %s: %w", lock.Name(), err)
	}
	if err := l.clear(); err != nil {
		return err
	}
	return lock.Truncate(0)
}

// clear takes down all that carries the bed's number: processes first, for they
// hold the rest.
func (l leftover) clear() error {
	ctx := context.Background()
	prefix := bridgeName(l.Number) + "-"
	var errs []error
	spaces, _ := filepath.Glob("/run/netns/" + prefix + "*") // the pattern is sound
	for _, path := range spaces {
		errs = append(errs, endSpace(ctx, filepath.Base(path)))
	}
	errs = append(errs, deleteLinks(ctx, portName(l.Number, "*")), deleteLinks(ctx, bridgeName(l.Number)))
	removeGroups(prefix)
	errs = append(errs, unmountBelow(l.Dir))
	if errors.Join(errs...) == nil { // never delete through something still mounted
		errs = append(errs, os.RemoveAll(l.Dir))
	}
	return errors.Join(errs...)
}

// endSpace kills what runs in a network namespace and deletes the namespace.
func endSpace(ctx context.Context, name string) error {
	pids, err := run(ctx, "ip", "netns", "pids", name)
	if err != nil {
		return err
	}
	for _, field := range strings.Fields(pids) {
		if pid, err := strconv.Atoi(field); err == nil && pid > 1 {
			_ = syscall.Kill(pid, syscall.SIGKILL) // gone already: fine
		}
	}
	_, err = run(ctx, "ip", "netns", "delete", name)
	return err
}

// unmountBelow detaches every mount at or below dir, the last one first.
func unmountBelow(dir string) error {
	points, err := mountPoints()
	if err != nil {
		return err
	}
	slices.Reverse(points)
	for _, p := range points {
		if p != dir && !strings.HasPrefix(p, dir+"/") {
			continue
		}
		if err := syscall.Unmount(p, syscall.MNT_DETACH); err != nil {
			return fmt.Errorf("unmounting %s: %w", p, err)
		}
	}
	return nil
}

// mountPoints lists this process's mounts, the oldest first.
func mountPoints() ([]string, error) {
	f, err := os.Open("/proc/self/mountinfo")
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var points []string
	s := bufio.NewScanner(f)
	for s.Scan() {
		if fields := strings.Fields(s.Text()); len(fields) > 4 {
			points = append(points, fields[4])
		}
	}
	return points, s.Err()
}

// groupDirs are the places where a control group of this name may be, on a
// machine with the unified hierarchy and on one with both.
func groupDirs(name string) []string {
	if _, err := os.Stat("/sys/fs/cgroup/cgroup.controllers"); err == nil {
		return []string{"/sys/fs/cgroup/" + name}
	}
	return []string{"/sys/fs/cgroup/unified/" + name, "/sys/fs/cgroup/systemd/" + name}
}

// removeGroups removes the control groups whose name begins with prefix, the
// innermost first. One that is still busy stays; it is empty and harmless.
func removeGroups(prefix string) {
	for _, pattern := range groupDirs(prefix + "*") {
		tops, _ := filepath.Glob(pattern) // the pattern is sound
		for _, top := range tops {
			var dirs []string
			_ = filepath.WalkDir(top, func(path string, entry os.DirEntry, err error) error {
				if err == nil && entry.IsDir() {
					dirs = append(dirs, path)
				}
				return nil
			})
			for _, d := range slices.Backward(dirs) {
				_ = syscall.Rmdir(d)
			}
		}
	}
}
