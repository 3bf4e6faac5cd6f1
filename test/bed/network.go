package bed

import (
	"context"
	"errors"
	"fmt"
	"net"
	"path"
	"syscall"
	"time"
)

// network is a device's wire: a namespace of its own and a pair of interfaces,
// one of them a port of the bed's bridge. The port is isolated, and the device
// has no default route, so that the host's bridge address is all it can reach
// even where the host forwards.
type network struct {
	space   string // name of the network namespace
	port    string // the host's end
	bridge  string
	address string
}

func (n network) path() string { return "/run/netns/" + n.space }

func (n network) create(ctx context.Context) error {
	for _, args := range [][]string{
		{"netns", "add", n.space},
		{"link", "add", n.port, "type", "veth", "peer", "name", "eth0", "netns", n.space},
		{"link", "set", n.port, "master", n.bridge, "up"},
		{"link", "set", n.port, "type", "bridge_slave", "isolated", "on"},
		{"-n", n.space, "addr", "add", n.address + "/24", "dev", "eth0"},
		{"-n", n.space, "link", "set", "lo", "up"},
		{"-n", n.space, "link", "set", "eth0", "up"},
	} {
		if _, err := run(ctx, "ip", args...); err != nil {
			return err
		}
	}
	return n.reach(ctx)
}

// reach waits until packets pass: the bridge takes a moment to notice a new
// carrier. The device's kernel refuses a connection to a port where nobody
// listens, and that refusal is the answer waited for.
func (n network) reach(ctx context.Context) error {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	dialer := net.Dialer{Timeout: time.Second}
	for {
		conn, err := dialer.DialContext(ctx, "tcp", net.JoinHostPort(n.address, "1"))
		if err == nil {
			return conn.Close()
		}
		if errors.Is(err, syscall.ECONNREFUSED) {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waiting for the network of %s: %w", n.space, ctx.Err())
		case <-tick.C:
		}
	}
}

// remove deletes the wire first: left to the namespace, it would go some time
// later, when the kernel finds the leisure.
func (n network) remove(ctx context.Context) error {
	return errors.Join(deleteLinks(ctx, n.port), endSpace(ctx, n.space))
}

// deleteLinks deletes the network interfaces whose names match the pattern.
func deleteLinks(ctx context.Context, pattern string) error {
	links, err := net.Interfaces()
	if err != nil {
		return err
	}
	var errs []error
	for _, l := range links {
		if match, _ := path.Match(pattern, l.Name); match { // the patterns are sound
			_, err := run(ctx, "ip", "link", "delete", l.Name)
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// CutNetwork pulls the device's plug.
func (d *Device) CutNetwork(ctx context.Context) error { return d.plug(ctx, "down") }

// RestoreNetwork puts the plug back and waits until packets pass.
func (d *Device) RestoreNetwork(ctx context.Context) error {
	if err := d.plug(ctx, "up"); err != nil {
		return err
	}
	return d.net.reach(ctx)
}

func (d *Device) plug(ctx context.Context, state string) error {
	if _, err := run(ctx, "ip", "link", "set", d.net.port, state); err != nil {
		return fmt.Errorf("network of %s: %w", d.Name, err)
	}
	return nil
}

// Lose makes the device's wire lose so many of a hundred packets, in each direction, at
// random; 0 mends it.
func (d *Device) Lose(ctx context.Context, percent int) error {
	if _, err := run(ctx, "tc", "qdisc", "del", "dev", d.net.port, "clsact"); err != nil && percent == 0 {
		return fmt.Errorf("network of %s: %w", d.Name, err)
	}
	if percent == 0 {
		return nil
	}
	if _, err := run(ctx, "tc", "qdisc", "add", "dev", d.net.port, "clsact"); err != nil {
		return fmt.Errorf("network of %s: %w", d.Name, err)
	}
	// The kernel's own filter machine: a random number, compared; 2 is to drop, -1 to go on.
	code := fmt.Sprintf("4,32 0 0 4294963256,37 1 0 %d,6 0 0 2,6 0 0 4294967295", uint64(percent)<<32/100)
	for _, way := range []string{"ingress", "egress"} {
		if _, err := run(ctx, "tc", "filter", "add", "dev", d.net.port, way, "bpf", "da", "bytecode", code); err != nil {
			return fmt.Errorf("network of %s: %w", d.Name, err)
		}
	}
	return nil
}
