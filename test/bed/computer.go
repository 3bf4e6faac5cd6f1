package bed

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"
)

// Computer is a whole emulated machine with a device's disk: a kernel, a network card and a
// clock of its own, which may show any time. It knows the host as [HostName], as devices do.
type Computer struct {
	Name string

	dir    string
	kernel kernel
	cmd    *exec.Cmd     // nil when it is off
	gone   chan struct{} // closed when it has gone off
	looked bool          // its disk is mounted here
}

func computerTools() []tool {
	return []tool{
		{"qemu-system-x86_64", "qemu-system-x86"}, {"busybox", "busybox-static"}, {"mkfs.ext4", "e2fsprogs"},
		{"apt-cache", "apt"}, {"dpkg-deb", "dpkg"},
	}
}

// Computer switches the device off and makes a computer with a copy of its disk, switched
// off, that runs the program when it has booted. It goes off when the program ends.
func (d *Device) Computer(t T, program string) *Computer {
	t.Helper()
	need(t, true, computerTools())
	if runtime.GOARCH != "amd64" {
		giveUp(t)("bed: computers need an amd64 machine: programs under test are made for this one")
	}
	k, err := fetchKernel(t.Context())
	if err != nil {
		giveUp(t)("bed: a computer needs a kernel: %v", err)
	}
	if err := d.Stop(); err != nil {
		t.Fatalf("bed: %v", err)
	}
	c := &Computer{Name: d.Name, dir: d.dir + "-computer", kernel: k}
	t.Cleanup(func() {
		if err := errors.Join(c.off(), c.unmount(), os.RemoveAll(c.dir)); err != nil {
			t.Logf("bed: removing the computer %s: %v", c.Name, err)
		}
	})
	if err := c.make(t.Context(), d.Root(), program); err != nil {
		t.Fatalf("bed: making the computer %s: %v", c.Name, err)
	}
	return c
}

// make fills the computer's disk and what it boots from.
func (c *Computer) make(ctx context.Context, root, program string) error {
	if err := os.MkdirAll(c.root(), 0o755); err != nil {
		return err
	}
	disk, err := os.Create(c.file("disk"))
	if err != nil {
		return err
	}
	defer disk.Close()
	if err := disk.Truncate(1 << 30); err != nil {
		return err
	}
	if _, err := run(ctx, "mkfs.ext4", "-q", "-F", "-d", root, disk.Name()); err != nil {
		return err
	}
	return c.makeInitrd(ctx, program)
}

// firstProgram is what the kernel runs before the disk is there. The disk keeps what was
// written at once, so that the logs on it can be believed after a power cut.
const firstProgram = `#!/bin/busybox sh
export PATH=/bin
busybox mount -t devtmpfs dev /dev
for m in %s; do busybox insmod /modules/$m.ko || exit 1; done
busybox ip link set lo up
busybox ip addr add 10.0.2.15/24 dev eth0
busybox ip link set eth0 up
busybox ip route add default via 10.0.2.2
busybox mount -t ext4 -o sync /dev/vda /disk || exit 1
busybox mount --move /dev /disk/dev
busybox mount -t proc proc /disk/proc
busybox mount -t sysfs sys /disk/sys
busybox mount -t tmpfs run /disk/run
busybox hostname %s
exec busybox switch_root /disk /bin/sh -c '
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8
exec < /dev/null
%s
sync'
`

// makeInitrd makes what the kernel finds its disk with.
func (c *Computer) makeInitrd(ctx context.Context, program string) error {
	root := c.file("initrd.d")
	busybox, err := exec.LookPath("busybox")
	if err != nil {
		return err
	}
	from := map[string]string{"bin/busybox": busybox}
	for _, m := range modules {
		if from["modules/"+m+".ko"], err = c.kernel.module(m); err != nil {
			return err
		}
	}
	first := fmt.Sprintf(firstProgram, strings.Join(modules, " "), c.Name, strings.ReplaceAll(program, "'", `'\''`))
	files := []file{{"init", first, 0o755}}
	for name, path := range from {
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		files = append(files, file{name, string(text), 0o755})
	}
	for _, dir := range []string{"dev", "disk"} {
		if err := os.MkdirAll(filepath.Join(root, dir), 0o755); err != nil {
			return err
		}
	}
	if err := writeFiles(root, files); err != nil {
		return err
	}
	_, err = runIn(ctx, root, "sh", "-c", "find . | busybox cpio -o -H newc > ../initrd")
	return err
}

// Start switches the computer on with its clock showing a time.
func (c *Computer) Start(t T, clock time.Time) {
	t.Helper()
	if err := errors.Join(c.off(), c.unmount()); err != nil {
		t.Fatalf("bed: switching %s on: %v", c.Name, err)
	}
	image, err := c.kernel.image()
	if err != nil {
		t.Fatalf("bed: %v", err)
	}
	// Never faster than emulated: what offers itself as hardware support is not always there.
	c.cmd = exec.Command("qemu-system-x86_64", "-accel", "tcg", "-cpu", "max", "-m", "512", "-smp", "1",
		"-display", "none", "-monitor", "none", "-no-reboot", "-serial", "file:"+c.file("console"),
		"-kernel", image, "-initrd", c.file("initrd"), "-append", "console=ttyS0 quiet panic=-1",
		"-drive", "file="+c.file("disk")+",if=virtio,format=raw,cache=unsafe",
		"-nic", "user,model=virtio-net-pci", "-rtc", "base="+clock.UTC().Format("2006-01-02T15:04:05"))
	c.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := c.cmd.Start(); err != nil {
		t.Fatalf("bed: switching %s on: %v", c.Name, err)
	}
	c.gone = make(chan struct{})
	go func() {
		_ = c.cmd.Wait() // it was cut off, or its console says why it ended
		close(c.gone)
	}()
}

// Cut takes the power away, and lets the oracle look at the disk.
func (c *Computer) Cut(t T) {
	t.Helper()
	if err := c.off(); err != nil {
		t.Fatalf("bed: switching %s off: %v", c.Name, err)
	}
	if _, err := run(t.Context(), "mount", "-o", "loop", c.file("disk"), c.root()); err != nil {
		t.Fatalf("bed: looking at the disk of %s: %v", c.Name, err)
	}
	c.looked = true
}

// Oracle tells the truth about the computer while it is cut off.
func (c *Computer) Oracle() Oracle { return Oracle{&Device{Name: c.Name, dir: c.dir}} }

// Console is what the computer has said since it was switched on.
func (c *Computer) Console() string {
	text, err := os.ReadFile(c.file("console"))
	if err != nil {
		return ""
	}
	return string(text)
}

func (c *Computer) file(name string) string { return filepath.Join(c.dir, name) }

func (c *Computer) root() string { return c.file("root") }

func (c *Computer) off() error {
	if c.cmd == nil {
		return nil
	}
	select {
	case <-c.gone:
	default:
		_ = c.cmd.Process.Kill() // gone meanwhile: fine
		<-c.gone
	}
	c.cmd = nil
	return nil
}

// unmount ends the look at the disk; everything is written when it returns.
func (c *Computer) unmount() error {
	if !c.looked {
		return nil
	}
	c.looked = false
	return os.NewSyscallError("umount", syscall.Unmount(c.root(), 0))
}
