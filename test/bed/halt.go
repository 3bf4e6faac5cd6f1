package bed

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// Moment is where in its installation bed-halt can be made to stand still.
type Moment string

// The moments, in the order they come. HaltTrigger is in bed-watch, which hears of it.
const (
	HaltPreinst   Moment = "preinst"   // nothing of the new version is on the disk
	HaltPostrm    Moment = "postrm"    // its files are, and dpkg has not written that down
	HaltConfigure Moment = "configure" // all is unpacked, nothing is configured
	HaltPostinst  Moment = "postinst"
	HaltTrigger   Moment = "trigger"
)

// HaltSteps is how many versions of bed-halt there are after 1.0: [HaltStep] is what Publish calls them.
const HaltSteps = 16

// HaltStep is the step at which version 1.n of bed-halt and bed-halt-lib is published.
func HaltStep(n int) string { return fmt.Sprintf("halt-%d", n) }

// HaltBlob is the file of bed-halt that takes dpkg a while to unpack.
const HaltBlob = "/usr/share/bed-halt/blob"

const (
	haltAt = "/run/bed-halt.at" // the moment's name; it goes on when this is gone or another
	halted = "/run/bed-halt.halted"
)

// haltable are bed-halt, which stands still when told to, what it needs, and what hears of it.
func haltable() []pkg {
	at := func(m Moment) string {
		here := `[ "$(cat ` + haltAt + ` 2>/dev/null)" = ` + string(m) + ` ]`
		return "if " + here + "; then : > " + halted + "; while " + here + "; do sleep 0.05; done; fi"
	}
	all := []pkg{{name: "bed-watch", step: "1.0", triggers: "interest bed-halted",
		scripts: map[string]string{"postinst": `if [ "$1" = triggered ]; then ` + at(HaltTrigger) + "; fi"}}}
	for n := range HaltSteps + 1 {
		step, version := HaltStep(n), fmt.Sprintf("1.%d", n)
		if n == 0 {
			step = "1.0"
		}
		all = append(all, pkg{name: "bed-halt-lib", step: step, version: version}, pkg{
			name: "bed-halt", step: step, version: version, triggers: "activate bed-halted", blob: 16 << 20,
			fields:    []string{"Depends: bed-halt-lib (>= " + version + ")"},
			conffiles: []string{"/etc/bed-halt.conf"},
			files: map[string]string{
				"etc/bed-halt.conf":          "setting=" + version + "\n",
				"etc/dpkg/dpkg.cfg.d/bed":    "pre-invoke=sh /usr/share/bed-halt/before\n",
				"usr/share/bed-halt/before":  `if [ "$DPKG_HOOK_ACTION" = configure ]; then ` + at(HaltConfigure) + "; fi\n",
				"usr/share/bed-halt/version": version + "\n",
			},
			scripts: map[string]string{"preinst": at(HaltPreinst), "postinst": at(HaltPostinst), "postrm": at(HaltPostrm)},
		})
	}
	return all
}

// HaltAt makes the installation of bed-halt, the next one or that which stands still now, come
// to a halt at a moment.
func (d *Device) HaltAt(m Moment) error {
	root, err := os.OpenRoot(d.view())
	if err != nil {
		return err
	}
	defer root.Close()
	if err := root.Remove(strings.TrimPrefix(halted, "/")); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return d.PutFile(haltAt, string(m), 0o644)
}

// WaitHalted returns when it stands still.
func (d *Device) WaitHalted(ctx context.Context) error { return d.WaitFile(ctx, halted) }

// GoOn lets it go on, as a restart of the device does.
func (d *Device) GoOn(ctx context.Context) error {
	_, err := d.Exec(ctx, "rm", "-f", haltAt, halted)
	return err
}

// WaitUnpacking returns while dpkg writes the files of bed-halt. It looks as often as it can:
// the moment is short.
func (d *Device) WaitUnpacking(ctx context.Context) error {
	name := filepath.Join(d.Root(), HaltBlob) + ".dpkg-new"
	var s syscall.Stat_t
	for ctx.Err() == nil {
		if syscall.Lstat(name, &s) == nil {
			return nil
		}
		time.Sleep(200 * time.Microsecond)
	}
	return fmt.Errorf("waiting for bed-halt to be unpacked on %s: %w", d.Name, ctx.Err())
}

// Writes watches files of a directory of the device, those whose names begin with a prefix;
// the result waits for the n-th change from now on.
func (d *Device) Writes(dir, prefix string) (wait func(ctx context.Context, n int) error, err error) {
	fd, err := syscall.InotifyInit1(syscall.IN_CLOEXEC | syscall.IN_NONBLOCK)
	if err != nil {
		return nil, err
	}
	const changes = syscall.IN_CREATE | syscall.IN_MODIFY | syscall.IN_MOVED_TO | syscall.IN_DELETE
	if _, err := syscall.InotifyAddWatch(fd, filepath.Join(d.Root(), dir), changes); err != nil {
		syscall.Close(fd)
		return nil, fmt.Errorf("watching %s on %s: %w", dir, d.Name, err)
	}
	return func(ctx context.Context, n int) error {
		defer syscall.Close(fd)
		buf := make([]byte, 64<<10)
		for seen := 0; seen < n; {
			got, err := syscall.Read(fd, buf)
			switch {
			case err == syscall.EAGAIN && ctx.Err() == nil:
				time.Sleep(200 * time.Microsecond)
				continue
			case err != nil:
				return fmt.Errorf("waiting for a write below %s on %s: %w, %w", dir, d.Name, err, ctx.Err())
			}
			seen += events(buf[:got], prefix)
		}
		return nil
	}, nil
}

// events counts the notices in what inotify gave.
func events(buf []byte, prefix string) int {
	n := 0
	for len(buf) >= syscall.SizeofInotifyEvent {
		end := min(len(buf), syscall.SizeofInotifyEvent+int(binary.NativeEndian.Uint32(buf[12:])))
		if strings.HasPrefix(string(buf[syscall.SizeofInotifyEvent:end]), prefix) {
			n++
		}
		buf = buf[end:]
	}
	return n
}
