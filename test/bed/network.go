package bed

import (
	"context"
	"fmt"
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
	return nil
}

func (n network) remove(ctx context.Context) error {
	return endSpace(ctx, n.space) // the interfaces go with it
}

// CutNetwork pulls the device's plug.
func (d *Device) CutNetwork(ctx context.Context) error { return d.plug(ctx, "down") }

// RestoreNetwork puts the plug back.
func (d *Device) RestoreNetwork(ctx context.Context) error { return d.plug(ctx, "up") }

func (d *Device) plug(ctx context.Context, state string) error {
	if _, err := run(ctx, "ip", "link", "set", d.net.port, state); err != nil {
		return fmt.Errorf("network of %s: %w", d.Name, err)
	}
	return nil
}
