package bed

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"sync"
	"syscall"
)

// Options say what a device is to be. The zero value is a plain Debian with no
// sources, nothing running but a placeholder.
type Options struct {
	Name    string   // host name; "device-N" when empty
	Boot    bool     // run the device's own systemd, so that services and `systemctl reboot` work
	Disk    int64    // bytes of its writable disk; 0: no limit worth a test
	Origin  *Origin  // where its apt sources point; nil: none
	Suites  []string // of the origin; Stable and Security when nil
	Install []string // packages ("name" or "name=version") it has from the start
	With    []string // Debian's own packages that its base has beyond the least; each set is built once, in a minute or two
	Log     bool     // keep dpkg's log outside its disk, where no power cut takes lines from it
}

// Device is a Debian machine: its own root (a layer over a shared base), process,
// host name, network and mount namespaces. It is removed when its test ends.
type Device struct {
	Name string

	bed  *Bed
	dir  string
	boot bool
	disk int64
	base string
	log  bool
	net  network

	mu      sync.Mutex
	life    *life         // nil when it is switched off
	last    *life         // the one before, for what it said; nil when there was none
	boots   int           // how often it came up
	changed chan struct{} // closed and made anew when life or boots change
}

var validName = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,40}$`)

// Device makes a device and starts it.
func (b *Bed) Device(t T, o Options) *Device {
	t.Helper()
	base := baseFor(o)
	dir, err := base.build(t)
	if err != nil {
		t.Fatalf("bed: %v", err)
	}
	d, err := b.add(o, dir)
	if err != nil {
		t.Fatalf("bed: %v", err)
	}
	t.Cleanup(func() {
		if err := d.Remove(); err != nil {
			t.Logf("bed: removing %s: %v", d.Name, err)
		}
	})
	if err := d.prepare(t.Context()); err != nil {
		t.Fatalf("bed: preparing %s: %v", d.Name, err)
	}
	if err := d.Start(t.Context()); err != nil {
		t.Fatalf("bed: %v", err)
	}
	if o.Origin != nil {
		d.stock(t, o)
	}
	return d
}

// stock points apt at the origin and installs what the device has from the start.
func (d *Device) stock(t T, o Options) {
	t.Helper()
	if err := d.Sources(o.Origin, o.Suites...); err != nil {
		t.Fatalf("bed: %v", err)
	}
	if len(o.Install) == 0 {
		return
	}
	for _, args := range [][]string{{"update"}, append([]string{"install"}, o.Install...)} {
		if r, err := d.Apt(t.Context(), args...); err != nil || r.Code != 0 {
			t.Fatalf("bed: apt-get %v on %s: %v\n%s%s", args, d.Name, err, r.Stdout, r.Stderr)
		}
	}
}

// add gives the device a name, an address and a place in the bed.
func (b *Bed) add(o Options, base string) (*Device, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	n := b.next
	if n > 254 {
		return nil, errors.New("a bed has room for 253 devices")
	}
	if o.Name == "" {
		o.Name = fmt.Sprintf("device-%d", n-1)
	}
	if !validName.MatchString(o.Name) {
		return nil, fmt.Errorf("%q is no name for a device: lower-case letters, digits and hyphens", o.Name)
	}
	if b.devices[o.Name] != nil {
		return nil, fmt.Errorf("this bed has a device %s already", o.Name)
	}
	b.next++
	d := &Device{
		Name: o.Name, bed: b, dir: filepath.Join(b.dir, o.Name), boot: o.Boot, disk: o.Disk, base: base, log: o.Log,
		changed: make(chan struct{}),
		net: network{
			space: bridgeName(b.number) + "-" + o.Name, port: portName(b.number, strconv.Itoa(n)),
			bridge: b.bridge(), address: fmt.Sprintf("10.137.%d.%d", b.number, n),
		},
	}
	b.devices[o.Name] = d
	return d, nil
}

// prepare makes the disk, the root and the wire.
func (d *Device) prepare(ctx context.Context) error {
	layer := filepath.Join(d.dir, "layer")
	if err := os.MkdirAll(layer, 0o755); err != nil {
		return err
	}
	if err := os.Mkdir(d.Root(), 0o755); err != nil {
		return err
	}
	if d.disk > 0 {
		if err := makeDisk(ctx, filepath.Join(d.dir, "disk.img"), d.disk, layer); err != nil {
			return err
		}
	}
	if err := d.mountRoot(); err != nil {
		return err
	}
	if err := writeFiles(d.Root(), d.identity()); err != nil {
		return err
	}
	if d.log {
		if err := d.keepLog(); err != nil {
			return err
		}
	}
	return d.net.create(ctx)
}

// mountRoot lays the device's disk over its base.
func (d *Device) mountRoot() error {
	upper, work := filepath.Join(d.dir, "layer/upper"), filepath.Join(d.dir, "layer/work")
	for _, dir := range []string{upper, work} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
	}
	options := fmt.Sprintf("lowerdir=%s,upperdir=%s,workdir=%s", d.base, upper, work)
	return os.NewSyscallError("mount overlay", syscall.Mount("patchbay-bed", d.Root(), "overlay", 0, options))
}

func makeDisk(ctx context.Context, image string, size int64, at string) error {
	f, err := os.Create(image)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := f.Truncate(size); err != nil {
		return err
	}
	if _, err := run(ctx, "mkfs.ext4", "-q", "-F", "-m0", image); err != nil {
		return err
	}
	_, err = run(ctx, "mount", "-o", "loop", image, at)
	return err
}

// identity is what makes one device differ from the next.
func (d *Device) identity() []file {
	id := sha256.Sum256(fmt.Appendf(nil, "%s %d %d", d.net.space, os.Getpid(), d.bed.number))
	hosts := fmt.Sprintf("127.0.0.1 localhost\n127.0.1.1 %s\n%s %s\n", d.Name, d.bed.Address(), HostName)
	return []file{
		{"etc/hostname", d.Name + "\n", 0o644},
		{"etc/machine-id", fmt.Sprintf("%x\n", id[:16]), 0o444},
		{"etc/hosts", hosts, 0o644},
	}
}

// Remove switches the device off and deletes it. Removing twice is harmless.
func (d *Device) Remove() error {
	d.bed.mu.Lock()
	known := d.bed.devices[d.Name] == d
	delete(d.bed.devices, d.Name)
	d.bed.mu.Unlock()
	if !known {
		return nil
	}
	errs := []error{d.Kill()}
	if _, err := os.Stat(d.net.path()); err == nil {
		errs = append(errs, d.net.remove(context.Background()))
	}
	removeGroups(d.net.space)
	errs = append(errs, unmountBelow(d.dir))
	if errors.Join(errs...) == nil {
		errs = append(errs, os.RemoveAll(d.dir))
	}
	return errors.Join(errs...)
}

// Root is the device's root directory on the host, on or off. The memory file
// systems of a running device (/run, /tmp when it boots) are not in it:
// [Device.ReadFile] sees those too.
func (d *Device) Root() string { return filepath.Join(d.dir, "root") }

// Address is the device's own address on the bridge.
func (d *Device) Address() string { return d.net.address }

// view is the device's file tree as its own processes see it, while there are any.
func (d *Device) view() string {
	if pid := d.leader(); pid != 0 {
		return fmt.Sprintf("/proc/%d/root", pid)
	}
	return d.Root()
}
