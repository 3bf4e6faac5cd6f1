package bed

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// WindowsOptions say what a Windows device is to be.
type WindowsOptions struct {
	Name string // its computer name; "windows" when empty
}

// WindowsDevice is a Windows as wine plays it: a drive C:, a registry and services of its
// own, in process, mount and name spaces of its own, on this machine's network. It is removed
// when its test ends.
type WindowsDevice struct {
	Name string

	dir  string // the device's: its prefix, home, layers
	lock *os.File

	mu     sync.Mutex
	leader int           // its first process, as the host numbers it; 0 when it is off
	gone   chan struct{} // closed when it is off
	said   *console
	runs   atomic.Int64
}

// NewWindows makes a Windows device and starts it.
func NewWindows(t T, o WindowsOptions) *WindowsDevice {
	t.Helper()
	need(t, true, windowsTools())
	base, err := buildWindows(t)
	if err != nil {
		t.Fatalf("bed: %v", err)
	}
	d, err := claimWindows(t, o, base)
	if err != nil {
		t.Fatalf("bed: %v", err)
	}
	t.Cleanup(func() {
		if err := d.remove(); err != nil {
			t.Logf("bed: removing %s: %v", d.Name, err)
		}
	})
	if err := d.prepare(base); err != nil {
		t.Fatalf("bed: preparing %s: %v", d.Name, err)
	}
	if err := d.Start(t.Context()); err != nil {
		t.Fatalf("bed: %v", err)
	}
	return d
}

func windowsLock(n int) string { return fmt.Sprintf("/run/lock/patchbay-windows-%d", n) }

// claimWindows takes the lowest number that no living process holds, and clears what a
// killed test left behind under those it passes.
func claimWindows(t T, o WindowsOptions, base string) (*WindowsDevice, error) {
	if o.Name == "" {
		o.Name = "windows"
	}
	if !validName.MatchString(o.Name) || len(o.Name) > 15 {
		return nil, fmt.Errorf("%q is no name for a Windows: up to 15 lower-case letters, digits and hyphens", o.Name)
	}
	var mine *WindowsDevice
	for n := 1; n < 1000; n++ {
		if info, err := os.Stat(windowsLock(n)); mine != nil && (err != nil || info.Size() == 0) {
			if err != nil {
				break // those behind were never used
			}
			continue
		}
		lock, err := tryLock(windowsLock(n))
		if err != nil {
			return nil, err
		}
		if lock == nil {
			continue
		}
		if err := sweepWindows(lock); err != nil {
			t.Logf("bed: sweeping Windows %d of a killed test: %v", n, err)
			_ = lock.Close()
			continue
		}
		if mine != nil {
			_ = lock.Close()
			continue
		}
		dir := filepath.Join(filepath.Dir(base), "run", fmt.Sprintf("windows%d-%d", n, os.Getpid()))
		note, err := json.Marshal(dir)
		if err != nil {
			return nil, err
		}
		if _, err := lock.WriteAt(note, 0); err != nil {
			return nil, err
		}
		mine = &WindowsDevice{Name: o.Name, dir: dir, lock: lock}
	}
	if mine == nil {
		return nil, errors.New("all Windows numbers are in use on this machine")
	}
	return mine, nil
}

// sweepWindows clears what the last user of a lock left, if it was killed.
func sweepWindows(lock *os.File) error {
	note, err := os.ReadFile(lock.Name())
	if err != nil || len(note) == 0 {
		return err
	}
	var dir string
	if err := json.Unmarshal(note, &dir); err != nil {
		return fmt.Errorf("reading %s: %w", lock.Name(), err)
	}
	if err := clearWindows(dir); err != nil {
		return err
	}
	return lock.Truncate(0)
}

// clearWindows ends what runs in the folder's device and removes the folder. The device's
// first process ends with the one that made it, whose arguments name the folder.
func clearWindows(dir string) error {
	for _, path := range glob("/proc", "[0-9]*/cmdline") {
		args, _ := os.ReadFile(path) // ended meanwhile
		if bytes.HasPrefix(args, []byte("unshare\x00")) && bytes.Contains(args, []byte("\x00"+dir+"\x00")) {
			if pid, err := strconv.Atoi(strings.Split(path, "/")[2]); err == nil {
				_ = syscall.Kill(pid, syscall.SIGKILL)
			}
		}
	}
	if err := unmountBelow(dir); err != nil {
		return err
	}
	return os.RemoveAll(dir)
}

// prepare lays the device's disk over the prepared Windows.
func (d *WindowsDevice) prepare(base string) error {
	for _, name := range []string{"upper", "work", "prefix", "home"} {
		if err := os.MkdirAll(filepath.Join(d.dir, name), 0o755); err != nil {
			return err
		}
	}
	options := fmt.Sprintf("lowerdir=%s,upperdir=%s,workdir=%s", filepath.Join(base, "prefix"), filepath.Join(d.dir, "upper"), filepath.Join(d.dir, "work"))
	return os.NewSyscallError("mount overlay", syscall.Mount("patchbay-bed", filepath.Join(d.dir, "prefix"), "overlay", 0, options))
}

// leaderScript is the first process of a device. The drive lies at the same place in each,
// and what wine leaves in /tmp goes with the device.
const leaderScript = `
set -e
hostname "$2"
mount --rbind "$1" /mnt
mount -t tmpfs patchbay-bed /tmp
/usr/bin/wineserver -f -p &
until [ -n "$(find /tmp -type s -name socket)" ]; do sleep 0.01; done
echo ready
wait $!
`

// powerLimit is how long a device may take to be on, and to be asked to go off.
const powerLimit = 2 * time.Minute

// power switches the device on: its first process is there, no Windows yet.
func (d *WindowsDevice) power(ctx context.Context) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.leader != 0 {
		return nil
	}
	cmd := exec.Command("unshare", "--fork", "--pid", "--mount-proc", "--mount", "--uts", "--ipc", "--kill-child=KILL",
		"sh", "-c", leaderScript, "sh", d.dir, d.Name)
	cmd.Env = wineEnvironment()
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
	d.said = &console{}
	ready, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	cmd.Stderr = d.said
	started, gone := make(chan error, 1), make(chan struct{})
	go func() { // the kernel kills it when the thread that started it ends
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err != nil {
			return
		}
		_ = cmd.Wait()
		d.mu.Lock()
		d.leader = 0
		d.mu.Unlock()
		close(gone)
	}()
	if err := <-started; err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, powerLimit)
	defer cancel()
	stop := context.AfterFunc(ctx, func() { _ = syscall.Kill(cmd.Process.Pid, syscall.SIGKILL) })
	defer stop()
	if _, err := ready.Read(make([]byte, 16)); err != nil {
		return fmt.Errorf("%s did not come up: %w: %s", d.Name, err, tail(d.said.String()))
	}
	pid := cmd.Process.Pid
	children, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid))
	if err != nil {
		return err
	}
	if d.leader, err = strconv.Atoi(strings.TrimSpace(string(children))); err != nil {
		return fmt.Errorf("%s has no first process: %w", d.Name, err)
	}
	d.gone = gone
	return ctx.Err()
}

func wineEnvironment() []string {
	return []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/mnt/home", "LANG=C.UTF-8", "WINEPREFIX=/mnt/prefix", "WINEDEBUG=-all",
		"WINEDLLOVERRIDES=mscoree=;mshtml=;winemenubuilder.exe="}
}

// Start switches the device on and returns when Windows is up and starts its automatic
// services. Starting twice is harmless.
func (d *WindowsDevice) Start(ctx context.Context) error {
	d.mu.Lock()
	on := d.leader != 0
	d.mu.Unlock()
	if on {
		return nil
	}
	if err := d.power(ctx); err != nil {
		return err
	}
	if err := d.wine(ctx, "wineboot"); err != nil {
		return errors.Join(err, d.Kill())
	}
	return nil
}

// StartCut switches the device on and cuts the power in the middle of that.
func (d *WindowsDevice) StartCut(ctx context.Context) error {
	if err := d.power(ctx); err != nil {
		return err
	}
	cmd, err := d.command(ctx, "/usr/lib/wine/wine64", "wineboot")
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		return errors.Join(err, d.Kill())
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = cmd.Wait() // the power cut ends it
	}()
	select {
	case <-ended:
	case <-time.After(300 * time.Millisecond):
	}
	err = d.Kill()
	<-ended
	return err
}

// Stop shuts Windows down: its processes end at once, its registry is written.
func (d *WindowsDevice) Stop() error {
	d.mu.Lock()
	gone, on := d.gone, d.leader != 0
	d.mu.Unlock()
	if !on {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), powerLimit)
	defer cancel()
	cmd, err := d.command(ctx, "wineserver", "-k")
	if err == nil {
		_ = cmd.Run() // it is killed with the rest
	}
	select {
	case <-gone:
		return nil
	case <-time.After(20 * time.Second):
		return errors.Join(fmt.Errorf("%s did not shut down in 20 s", d.Name), d.Kill())
	}
}

// Kill is a power cut. Files keep what was written; the registry may lose what was changed
// in the last half minute, for wine writes it that often. Killing twice is harmless.
func (d *WindowsDevice) Kill() error {
	d.mu.Lock()
	gone, leader := d.gone, d.leader
	d.mu.Unlock()
	if leader == 0 {
		return nil
	}
	_ = syscall.Kill(leader, syscall.SIGKILL)
	select {
	case <-gone:
		return nil
	case <-time.After(20 * time.Second):
		return fmt.Errorf("%s does not end", d.Name)
	}
}

// Reboot shuts the device down and starts it again, with its automatic services.
func (d *WindowsDevice) Reboot(ctx context.Context) error {
	if err := d.Stop(); err != nil {
		return err
	}
	return d.Start(ctx)
}

// remove switches the device off and deletes it.
func (d *WindowsDevice) remove() error {
	err := d.Kill()
	if err == nil {
		err = clearWindows(d.dir)
	}
	if err == nil {
		err = d.lock.Truncate(0)
	}
	return errors.Join(err, d.lock.Close())
}

// wine runs one of wine's own programs and wants it to succeed.
func (d *WindowsDevice) wine(ctx context.Context, args ...string) error {
	ctx, cancel := context.WithTimeout(ctx, runLimit)
	defer cancel()
	cmd, err := d.command(ctx, append([]string{"/usr/lib/wine/wine64"}, args...)...)
	if err != nil {
		return err
	}
	said, err := os.CreateTemp(d.dir, "wine-") // not a pipe: services that are started on the way would keep it open
	if err != nil {
		return err
	}
	defer os.Remove(said.Name())
	defer said.Close()
	cmd.Stdout, cmd.Stderr = said, said
	if err := cmd.Run(); err != nil {
		text, _ := os.ReadFile(said.Name())
		return fmt.Errorf("%s on %s: %w: %s", args[0], d.Name, err, tail(string(text)))
	}
	return nil
}

// command is args in the device's namespaces, in a process group of its own.
func (d *WindowsDevice) command(ctx context.Context, args ...string) (*exec.Cmd, error) {
	d.mu.Lock()
	leader := d.leader
	d.mu.Unlock()
	if leader == 0 {
		return nil, fmt.Errorf("%s is off", d.Name)
	}
	enter := []string{"--target", strconv.Itoa(leader), "--pid", "--mount", "--uts", "--ipc", "--", "env", "--chdir=/mnt/prefix/drive_c"}
	cmd := exec.CommandContext(ctx, "nsenter", append(enter, args...)...)
	cmd.Env = wineEnvironment()
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	return cmd, nil
}
