package main

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"patchbay/agent"
	"patchbay/agent/disk"
	"patchbay/agent/facts"
	"patchbay/agent/identity"
	"patchbay/provider/all"
	"patchbay/provider/host"
	"patchbay/wire"
)

// version is the program's version; the linker sets it for a release.
var version = "0.1.0-dev"

// privileged reports whether this process may install software.
func privileged() bool { return host.Privileged() }

// stateDir is where the agent keeps its files.
func (c *commands) stateDir() string {
	home, _ := os.UserHomeDir() // "" falls back to the working directory
	switch {
	case c.State != "":
		return c.State
	case runtime.GOOS == "windows":
		return filepath.Join(host.ProgramData(), "patchbay-agent")
	case runtime.GOOS == "darwin" && privileged():
		return "/Library/Application Support/patchbay-agent"
	case privileged():
		return "/var/lib/patchbay-agent"
	case os.Getenv("XDG_STATE_HOME") != "":
		return filepath.Join(os.Getenv("XDG_STATE_HOME"), "patchbay-agent")
	}
	return filepath.Join(home, ".local", "state", "patchbay-agent")
}

// options are the agent's, for this machine.
func (c *commands) options(dir disk.OS) agent.Options {
	h := host.Host{}
	o := agent.Options{
		Now: time.Now, Sleep: sleep, Build: version,
		Log:  slog.New(slog.NewTextHandler(os.Stderr, nil)),
		Disk: dir, Keys: identity.SoftKey{Dir: dir},
		Host: h, Kinds: all.Kinds(),
		Facts:    func(ctx context.Context) (wire.Facts, error) { return facts.Collect(ctx, h) },
		Refresh:  privileged(),
		Presence: func(ctx context.Context) wire.Presence { return facts.Presence(ctx, h) },
		BootID:   func() string { return facts.BootID(h) },
		Hardware: func() []string { return facts.Hardware(h) },
	}
	if says, ok := any(h).(interface {
		Announce(context.Context, string) error
	}); ok { // where the system has its own way
		o.Announce = says.Announce
	}
	return o
}

// defaultMode is what a person most likely means: whoever may install, installs.
func defaultMode() wire.Mode {
	if privileged() {
		return wire.Manage
	}
	return wire.Observe
}

func sleep(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}
