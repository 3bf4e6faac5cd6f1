package main

import (
	"context"
	"fmt"
	"os"

	"patchbay/agent/disk"
	"patchbay/agent/identity"
	"patchbay/agent/service"
)

type installCommand struct{}

// Run makes the agent a service.
func (installCommand) Run(ctx context.Context, c *commands) error {
	dir, err := disk.Open(c.stateDir())
	if err != nil {
		return err
	}
	id, err := identity.Load(dir)
	if err != nil {
		return err
	}
	if err := service.Install(ctx, service.Options{State: dir.Path(), Mode: id.Mode, Environment: os.Environ()}); err != nil {
		return err
	}
	fmt.Println("The agent runs and starts with this machine. See: patchbay-agent status")
	return nil
}

type uninstallCommand struct {
	OnlyState bool `hidden:"" help:"Remove what the agent keeps; an installer removes the rest."`
}

// Run removes everything.
func (u uninstallCommand) Run(ctx context.Context, c *commands) error {
	if u.OnlyState {
		return service.RemoveState(c.stateDir())
	}
	if err := service.Uninstall(ctx, service.Options{State: c.stateDir()}); err != nil {
		return err
	}
	fmt.Println("Removed. The server still lists this machine until somebody retires it there.")
	return nil
}
