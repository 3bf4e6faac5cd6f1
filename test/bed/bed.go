// Package bed gives tests real endpoints on one Linux machine: Debian devices in
// namespaces of their own, a signed apt archive made on the spot, a web server
// that offers it, and an oracle that reads the truth off a device's disk without
// asking Patchbay.
//
// The one idea: everything is real except the wires. apt, dpkg, gpg, systemd and
// the kernel are the ones a customer runs; only the network is a bridge that
// leads nowhere. A device reaches the host's bridge address and nothing else,
// not even the device beside it.
//
// Constructors take a [T] (any *testing.T or *testing.B), fail the test
// themselves and undo what they made when it ends. What a killed test left
// behind, the next [New] sweeps away. What a test does to a device returns
// errors, for there failing is often the point.
//
// Devices need root and some Debian packages (install-packages.sh); without them
// the test is skipped with a sentence, or fails when PATCHBAY_BED_REQUIRED is
// set. Archives need neither root nor a bed.
package bed

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"sync"
)

// T is the part of *testing.T that a bed needs; programs outside tests bring their own.
type T interface {
	Helper()
	Name() string
	Context() context.Context
	Logf(format string, args ...any)
	Fatalf(format string, args ...any)
	Skipf(format string, args ...any)
	Cleanup(func())
}

// Bed is one bridge with devices on it. Several beds may stand on a machine at
// once, in one process or in many; each has a number and a network of its own.
// A Bed may be used from parallel tests.
type Bed struct {
	number int
	dir    string   // everything disposable: layers, mount points
	lock   *os.File // held as long as this process uses the number

	mu      sync.Mutex
	devices map[string]*Device
	next    int // last octet of the next device's address
}

// New makes a bed that is taken down when t ends.
func New(t T) *Bed {
	t.Helper()
	need(t, true, deviceTools())
	sweep(t)
	b, err := claim(t)
	if err != nil {
		t.Fatalf("bed: %v", err)
	}
	t.Cleanup(func() {
		if err := b.close(); err != nil {
			t.Logf("bed: taking down: %v", err)
		}
	})
	if err := b.setUp(t.Context()); err != nil {
		t.Fatalf("bed: %v", err)
	}
	return b
}

// Address is the host's address on the bridge: the only one a device can reach.
func (b *Bed) Address() string { return fmt.Sprintf("10.137.%d.1", b.number) }

// HostName is the name by which every device knows the host, through /etc/hosts.
const HostName = "bed-host"

// Listen opens a TCP port on the bridge address, for a server under test. It is
// closed when t ends.
func (b *Bed) Listen(t T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", net.JoinHostPort(b.Address(), "0"))
	if err != nil {
		t.Fatalf("bed: %v", err)
	}
	t.Cleanup(func() { _ = l.Close() }) // closed before by the server, as a rule
	return l
}

func (b *Bed) bridge() string { return bridgeName(b.number) }

// claim takes the lowest number that no living process holds.
func claim(t T) (*Bed, error) {
	cache, err := CacheDir()
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(filepath.Dir(lockPath(1)), 0o755); err != nil {
		return nil, err
	}
	for n := 1; n < 255; n++ {
		lock, err := tryLock(lockPath(n))
		if err != nil {
			return nil, err
		}
		if lock == nil {
			continue
		}
		if err := sweepOne(lock); err != nil { // its last user may have been killed just now
			t.Logf("bed: sweeping bed %d of a killed test: %v", n, err)
			_ = lock.Close()
			continue
		}
		if overlaps(n) {
			_ = lock.Close()
			continue
		}
		b := &Bed{number: n, lock: lock, devices: map[string]*Device{}, next: 2}
		b.dir = filepath.Join(cache, "run", fmt.Sprintf("bed%d-%d", n, os.Getpid()))
		return b, b.record()
	}
	return nil, fmt.Errorf("all 254 bed numbers are in use on this machine")
}

// record writes into the lock file what a sweeper must know.
func (b *Bed) record() error {
	note, err := json.Marshal(leftover{Number: b.number, Dir: b.dir})
	if err != nil {
		return err
	}
	if err := b.lock.Truncate(0); err != nil {
		return err
	}
	_, err = b.lock.WriteAt(note, 0)
	return err
}

// setUp mounts the bed's directory and raises its bridge. Devices live in memory
// when there is room: dpkg syncs after every file, which takes most of the time
// on a disk.
func (b *Bed) setUp(ctx context.Context) error {
	if err := os.MkdirAll(b.dir, 0o755); err != nil {
		return err
	}
	if err := mountMemory(b.dir, 2<<30); err != nil {
		return err
	}
	for _, args := range [][]string{
		{"link", "add", b.bridge(), "type", "bridge"},
		{"addr", "add", b.Address() + "/24", "dev", b.bridge()},
		{"link", "set", b.bridge(), "up"},
	} {
		if _, err := run(ctx, "ip", args...); err != nil {
			return err
		}
	}
	return nil
}

// close removes the devices, then all the bed made.
func (b *Bed) close() error {
	b.mu.Lock()
	var all []*Device
	for _, d := range b.devices {
		all = append(all, d)
	}
	b.mu.Unlock()
	for _, d := range all {
		_ = d.Remove() // clear reports what is really left
	}
	err := leftover{Number: b.number, Dir: b.dir}.clear()
	if err == nil {
		err = b.lock.Truncate(0)
	}
	_ = b.lock.Close()
	return err
}
