//go:build linux

package service

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

const (
	unitPath = "/etc/systemd/system/" + Name + ".service"
	program  = "/usr/local/bin/patchbay-agent"
	packaged = "/usr/bin/patchbay-agent" // put there by a package, which also brings the unit and takes both away

	commandTime = 31 * time.Minute // stopping waits for an update that has begun
)

// Machine is the machine to install on.
type Machine struct {
	Root      string // put before every path; "" is the real root
	Systemctl func(ctx context.Context, args ...string) error
}

// Install makes the agent a service and starts it. Doing it again brings everything up to date.
func Install(ctx context.Context, o Options) error {
	if os.Geteuid() != 0 {
		return ErrRights
	}
	return Machine{Systemctl: systemctl}.Install(ctx, o)
}

// Uninstall stops the service and removes all that Install and the agent left.
func Uninstall(ctx context.Context, o Options) error {
	if os.Geteuid() != 0 {
		return ErrRights
	}
	return Machine{Systemctl: systemctl}.Uninstall(ctx, o)
}

// Wrap runs the agent as a service does. systemd asks for nothing special.
func Wrap(ctx context.Context, _ bool, run func(context.Context) error) error { return run(ctx) }

// Install writes program and unit, and starts the service.
func (m Machine) Install(ctx context.Context, o Options) error {
	path := program
	if exe, err := os.Executable(); err == nil && exe == packaged {
		path = packaged
	} else if err := copyProgram(m.path(program)); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(m.path(unitPath)), 0o755); err != nil {
		return fmt.Errorf("writing the unit: %w", err)
	}
	if err := os.WriteFile(m.path(unitPath), []byte(Unit(path, o)), 0o644); err != nil {
		return fmt.Errorf("writing the unit: %w", err)
	}
	if err := m.keepProxy(o); err != nil {
		return err
	}
	for _, args := range [][]string{{"daemon-reload"}, {"enable", Name}, {"restart", Name}} {
		if err := m.Systemctl(ctx, args...); err != nil {
			return err
		}
	}
	return nil
}

// Uninstall removes the unit, the program's copy and the state directory with the key. It
// goes on when a part is gone, and says what could not be removed.
func (m Machine) Uninstall(ctx context.Context, o Options) error {
	var problems []error
	if _, err := os.Lstat(m.path(unitPath)); err == nil {
		problems = append(problems, m.Systemctl(ctx, "disable", "--now", Name))
	}
	for _, path := range []string{unitPath, program} {
		if err := os.Remove(m.path(path)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			problems = append(problems, fmt.Errorf("removing %s: %w", path, err))
		}
	}
	return errors.Join(append(problems, RemoveState(m.path(o.State)), m.Systemctl(ctx, "daemon-reload"))...)
}

// keepProxy writes down the proxy that whoever installs goes through, for root alone to read:
// it may hold a password. What was written before stays when the environment names none.
func (m Machine) keepProxy(o Options) error {
	text := proxyFile(o.Environment)
	if text == "" {
		return nil
	}
	path := m.path(proxyPath(o))
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("keeping the proxy's address: %w", err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		return fmt.Errorf("keeping the proxy's address: %w", err)
	}
	return nil
}

func (m Machine) path(p string) string { return filepath.Join(m.Root, p) }

// systemctl runs the real one.
func systemctl(ctx context.Context, args ...string) error {
	ctx, cancel := context.WithTimeout(ctx, commandTime)
	defer cancel()
	out, err := exec.CommandContext(ctx, "systemctl", args...).CombinedOutput()
	if errors.Is(err, exec.ErrNotFound) {
		return errors.New("this machine has no systemd: start `patchbay-agent run` by its own means")
	}
	if err != nil {
		return fmt.Errorf("systemctl %s: %w: %.300s", strings.Join(args, " "), err, strings.TrimSpace(string(out)))
	}
	return nil
}
