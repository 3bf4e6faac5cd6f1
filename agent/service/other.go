//go:build !linux && !windows

package service

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/kardianos/service"
)

// program is where the agent's copy lies.
const program = "/usr/local/bin/patchbay-agent"

// Install makes the agent a service and starts it.
func Install(_ context.Context, o Options) error {
	if err := copyProgram(program); err != nil {
		return err
	}
	s, err := open(o, nil)
	if err != nil {
		return err
	}
	if err := s.Install(); err != nil {
		return fmt.Errorf("installing the service: %w", err)
	}
	if err := s.Start(); err != nil {
		return fmt.Errorf("starting the service: %w", err)
	}
	return nil
}

// Uninstall stops the service and removes all that Install and the agent left.
func Uninstall(_ context.Context, o Options) error {
	s, err := open(o, nil)
	if err != nil {
		return err
	}
	var problems []error
	if status, err := s.Status(); err == nil && status == service.StatusRunning {
		problems = append(problems, s.Stop())
	}
	if err := s.Uninstall(); err != nil && !errors.Is(err, service.ErrNotInstalled) {
		problems = append(problems, fmt.Errorf("removing the service: %w", err))
	}
	return errors.Join(append(problems, RemoveState(o.State), os.RemoveAll(program))...)
}

// Wrap runs the agent as the system's service manager wants it, whatever its command line says.
func Wrap(ctx context.Context, _ bool, run func(context.Context) error) error {
	if service.Interactive() {
		return run(ctx)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	p := &process{run: func() error { return run(ctx) }, stop: cancel, ended: make(chan error, 1)}
	s, err := open(Options{}, p)
	if err != nil {
		return err
	}
	if err := s.Run(); err != nil {
		return fmt.Errorf("running as a service: %w", err)
	}
	return p.err
}

func open(o Options, p service.Interface) (service.Service, error) {
	if p == nil {
		p = &process{}
	}
	s, err := service.New(p, &service.Config{
		Name: Name, DisplayName: "Patchbay agent", Executable: program,
		Description: "Tells what is installed and missing, installs what is approved.",
		Arguments:   []string{"--state", o.State, "run"},
		Option:      service.KeyValue{"OnFailure": "restart", "OnFailureDelayDuration": "10s"},
	})
	if err != nil {
		return nil, fmt.Errorf("reaching the service manager: %w", err)
	}
	return s, nil
}

// process is the agent under a service manager.
type process struct {
	run   func() error
	stop  context.CancelFunc
	ended chan error
	err   error
}

// Start starts the agent and returns.
func (p *process) Start(service.Service) error {
	go func() { p.ended <- p.run() }()
	return nil
}

// Stop tells the agent to stop and waits for it.
func (p *process) Stop(service.Service) error {
	p.stop()
	p.err = <-p.ended
	return p.err
}
