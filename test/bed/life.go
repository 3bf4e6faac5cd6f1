package bed

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// life is a device between being switched on and being switched off; it may
// reboot many times in between.
type life struct {
	leader  int           // its first process, as the host numbers it; 0 while it comes up
	gone    chan struct{} // closed when it is off
	err     error         // why it did not come up; read after gone
	console *console
}

// rebootStatus is how systemd-nspawn says that the system inside asked for a reboot.
const rebootStatus = 133

// patience is how often nspawn is asked for a boot that it refuses to begin: on a
// busy machine the kernel may still hold what the boot before used.
const patience = 10

// Start switches the device on and returns when it is up: with Boot when its own
// systemd has finished starting. Starting twice is harmless.
func (d *Device) Start(ctx context.Context) error {
	d.mu.Lock()
	if d.life != nil {
		d.mu.Unlock()
		return nil
	}
	l := &life{gone: make(chan struct{}), console: &console{}}
	d.life = l
	boots := d.boots
	d.mu.Unlock()
	go d.live(l)
	if err := d.WaitBoots(ctx, boots+1); err != nil {
		return errors.Join(err, d.Kill())
	}
	return d.settle(ctx, l)
}

// settle waits for the placeholder: nspawn says that it is ready a moment before.
func (d *Device) settle(ctx context.Context, l *life) error {
	for !d.boot {
		if _, settled := inhabitants(d.leader()); settled {
			break
		}
		select {
		case <-l.gone:
			return fmt.Errorf("%s did not come up: %w", d.Name, l.err)
		case <-ctx.Done():
			return fmt.Errorf("waiting for %s to settle: %w", d.Name, ctx.Err())
		case <-time.After(5 * time.Millisecond):
		}
	}
	return nil
}

// live runs the device until it is off. The thread stays this goroutine's: the
// kernel kills nspawn when the thread that started it ends, and with it the device.
func (d *Device) live(l *life) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	status, refused, again := 0, 0, true
	var err error
	for again {
		boots := d.Boots()
		if status, err = d.once(l); d.Boots() > boots {
			refused = 0
		} else if refused++; status == 1 && refused < patience {
			time.Sleep(200 * time.Millisecond)
		}
		again = err == nil && (status == rebootStatus || status == 1 && refused > 0 && refused < patience)
	}
	if err == nil && status != 0 {
		err = fmt.Errorf("systemd-nspawn ended with status %d: %s", status, tail(l.console.String()))
	}
	d.change(func() { l.err, d.life, d.last = err, nil, l })
	close(l.gone)
}

// once runs the device from power-on to power-off or reboot.
func (d *Device) once(l *life) (status int, err error) {
	ready, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Net: "unixgram", Name: "@" + d.net.space})
	if err != nil {
		return 0, err
	}
	cmd := d.nspawn()
	cmd.Stdout, cmd.Stderr = l.console, l.console
	if err := cmd.Start(); err != nil {
		return 0, errors.Join(err, ready.Close())
	}
	heard := make(chan struct{})
	go func() {
		defer close(heard)
		d.listen(l, ready)
	}()
	_ = cmd.Wait() // its status says it all
	_ = ready.Close()
	<-heard
	d.change(func() { l.leader = 0 })
	if cmd.ProcessState.ExitCode() < 0 { // killed: a power cut
		return 0, nil
	}
	return cmd.ProcessState.ExitCode(), nil
}

// listen reads nspawn's notices: the number of the first process, and that it is up.
func (d *Device) listen(l *life, from *net.UnixConn) {
	buf := make([]byte, 4096)
	leader := 0
	for {
		n, err := from.Read(buf)
		if err != nil {
			return // closed: the device is off
		}
		up := false
		for line := range strings.Lines(string(buf[:n])) {
			key, value, _ := strings.Cut(strings.TrimSpace(line), "=")
			switch key {
			case "X_NSPAWN_LEADER_PID":
				leader, _ = strconv.Atoi(value) // 0: not up
			case "READY":
				up = value == "1"
			}
		}
		if up && leader != 0 {
			d.change(func() {
				l.leader = leader
				d.boots++
			})
		}
	}
}

// nspawn is the command that is the device. A shell puts it into a control group
// of its own first: the init inside wants one, and two devices must not share it.
func (d *Device) nspawn() *exec.Cmd {
	const enter = `for g in $1; do mkdir -p "$g" && echo $$ > "$g/cgroup.procs"; done 2>/dev/null; shift; exec "$@"`
	args := []string{
		"-c", enter, "sh", strings.Join(groupDirs(d.net.space), " "),
		"systemd-nspawn", "--quiet", "--register=no", "--keep-unit", "--settings=no", "--machine=" + d.net.space,
		"--hostname=" + d.Name, "--resolv-conf=off", "--timezone=off", "--link-journal=no", "--capability=all",
		"--console=pipe", "--network-namespace-path=" + d.net.path(), "--directory=" + d.Root(),
	}
	if d.log {
		args = append(args, "--bind="+d.logDir()+":"+logInside)
	}
	if d.boot {
		args = append(args, "--notify-ready=yes", "--boot")
	} else {
		args = append(append(args, "--as-pid2"), strings.Fields(placeholder)...)
	}
	cmd := exec.Command("sh", args...)
	cmd.Env = append(os.Environ(), "NOTIFY_SOCKET=@"+d.net.space, "SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
	return cmd
}

// Stop shuts the device down in order: its processes get SIGTERM and ten seconds;
// one that boots runs its shutdown, for at most a minute. Then the power goes.
func (d *Device) Stop() error {
	d.mu.Lock()
	l, leader := d.life, 0
	if l != nil {
		leader = l.leader
	}
	d.mu.Unlock()
	if leader != 0 {
		grace := 10 * time.Second
		if d.boot {
			const poweroff = syscall.Signal(38) // SIGRTMIN+4 of systemd
			_ = syscall.Kill(leader, poweroff)
			grace = time.Minute
		} else {
			go endProcesses(leader, l.gone)
		}
		select {
		case <-l.gone:
		case <-time.After(grace):
		}
	}
	return d.Kill()
}

// endProcesses asks every process of the device to end, and takes the first one
// down when the others are gone.
func endProcesses(leader int, gone <-chan struct{}) {
	others, _ := inhabitants(leader)
	for _, pid := range others {
		_ = syscall.Kill(pid, syscall.SIGTERM)
	}
	for len(others) > 0 {
		select {
		case <-gone:
			return
		case <-time.After(10 * time.Millisecond):
		}
		others, _ = inhabitants(leader)
	}
	_ = syscall.Kill(leader, syscall.SIGKILL)
}

// placeholder is what runs in a device that does not boot, for nspawn ends when
// nothing does. The number tells it from a test's own sleep.
const placeholder = "sleep 2147483000"

// inhabitants are the processes of a device that does not boot, without its first
// one and the placeholder; and whether that is there yet.
func inhabitants(leader int) (pids []int, settled bool) {
	space, err := os.Readlink(fmt.Sprintf("/proc/%d/ns/pid", leader))
	if err != nil {
		return nil, false
	}
	links, _ := filepath.Glob("/proc/[0-9]*/ns/pid") // the pattern is sound
	for _, link := range links {
		if s, err := os.Readlink(link); err != nil || s != space {
			continue
		}
		number := strings.Split(link, "/")[2]
		args, _ := os.ReadFile("/proc/" + number + "/cmdline") // ended meanwhile: not the placeholder
		pid, err := strconv.Atoi(number)
		switch {
		case string(args) == strings.ReplaceAll(placeholder, " ", "\x00")+"\x00":
			settled = true
		case err == nil && pid != leader:
			pids = append(pids, pid)
		}
	}
	return pids, settled
}

// Kill is a power cut: every process of the device ends at once, with no word of
// warning. What the kernel had not written to the disk is not lost, though: [Device.Cut]
// loses that, too. Killing twice is harmless.
func (d *Device) Kill() error {
	d.mu.Lock()
	l := d.life
	d.mu.Unlock()
	if l == nil {
		return nil
	}
	limit := time.After(30 * time.Second)
	for {
		d.mu.Lock()
		leader, changed := l.leader, d.changed
		d.mu.Unlock()
		if leader != 0 { // nothing else is left when the first process is gone
			_ = syscall.Kill(leader, syscall.SIGKILL)
		}
		select {
		case <-l.gone:
			return nil
		case <-changed:
		case <-limit:
			return fmt.Errorf("%s does not end: %s", d.Name, tail(l.console.String()))
		}
	}
}

// Reboot shuts the device down and starts it again. A device with Boot can also
// do that by itself.
func (d *Device) Reboot(ctx context.Context) error {
	if err := d.Stop(); err != nil {
		return err
	}
	return d.Start(ctx)
}

// Boots is how often the device has come up.
func (d *Device) Boots() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.boots
}

// WaitBoots returns when the device has come up n times, or is off for good.
func (d *Device) WaitBoots(ctx context.Context, n int) error {
	d.mu.Lock()
	l := cmp.Or(d.life, d.last)
	d.mu.Unlock()
	if l == nil {
		return fmt.Errorf("%s was never switched on", d.Name)
	}
	for {
		d.mu.Lock()
		boots, changed := d.boots, d.changed
		d.mu.Unlock()
		if boots >= n {
			return nil
		}
		select {
		case <-changed:
		case <-l.gone:
			if l.err == nil {
				return fmt.Errorf("%s went off: %s", d.Name, tail(l.console.String()))
			}
			return fmt.Errorf("%s did not come up: %w", d.Name, l.err)
		case <-ctx.Done():
			return fmt.Errorf("waiting for %s to come up: %w: %s", d.Name, ctx.Err(), tail(l.console.String()))
		}
	}
}

// Console is what the device has printed since it was switched on.
func (d *Device) Console() string {
	d.mu.Lock()
	l := d.life
	d.mu.Unlock()
	if l == nil {
		return ""
	}
	return l.console.String()
}

// leader is the host's number of the device's first process; 0 when it is off.
func (d *Device) leader() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.life == nil {
		return 0
	}
	return d.life.leader
}

// change applies a change and wakes who waits for one.
func (d *Device) change(do func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	do()
	close(d.changed)
	d.changed = make(chan struct{})
}

// console collects output; it may be read while it grows.
type console struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (c *console) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.buf.Write(p)
}

func (c *console) String() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.buf.String()
}
