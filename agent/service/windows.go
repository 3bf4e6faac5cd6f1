//go:build windows

package service

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/windows"
	"golang.org/x/sys/windows/svc"
	"golang.org/x/sys/windows/svc/mgr"
)

const (
	stopTime  = 31 * time.Minute // stopping waits for an update that has begun
	startTime = 30 * time.Second
)

// program is where the agent lies: where its installer puts it, too.
func program() (string, error) {
	dir, err := windows.KnownFolderPath(windows.FOLDERID_ProgramFiles, windows.KF_FLAG_DEFAULT)
	if err != nil {
		return "", fmt.Errorf("finding the folder for programs: %w", err)
	}
	return filepath.Join(dir, "Patchbay", "patchbay-agent.exe"), nil
}

// arguments are the service's command line. That a program runs as a service is told it by
// them: looking for it by oneself has been wrong before.
func arguments(o Options) []string { return []string{"--state", o.State, "run", "--service"} }

// Install makes the agent a service and starts it. Doing it again brings everything up to date.
func Install(ctx context.Context, o Options) error {
	if !windows.GetCurrentProcessToken().IsElevated() {
		return ErrRights
	}
	path, err := program()
	if err != nil {
		return err
	}
	m, err := mgr.Connect()
	if err != nil {
		return fmt.Errorf("reaching the service manager: %w", err)
	}
	defer m.Disconnect()
	config := mgr.Config{
		DisplayName: "Patchbay agent", Description: "Tells what is installed and missing, installs what is approved.",
		ServiceType: windows.SERVICE_WIN32_OWN_PROCESS, StartType: mgr.StartAutomatic, ErrorControl: mgr.ErrorNormal,
	}
	s, err := m.OpenService(Name)
	if err == nil {
		if err := stop(ctx, s); err != nil { // a program that runs is not replaced
			return errors.Join(err, s.Close())
		}
		config.BinaryPathName = commandLine(append([]string{path}, arguments(o)...))
	}
	if err := copyProgram(path); err != nil {
		return err
	}
	if s != nil && err == nil {
		err = s.UpdateConfig(config)
	} else {
		s, err = m.CreateService(Name, path, config, arguments(o)...)
	}
	if err != nil {
		return fmt.Errorf("installing the service: %w", err)
	}
	defer s.Close()
	if err := recoverable(s); err != nil {
		return err
	}
	if err := s.Start(); err != nil {
		return fmt.Errorf("starting the service: %w", err)
	}
	return await(ctx, s, svc.Running, startTime)
}

// recoverable has the service started again when it fails.
func recoverable(s *mgr.Service) error {
	again := []mgr.RecoveryAction{{Type: mgr.ServiceRestart, Delay: 10 * time.Second}}
	for _, err := range []error{s.SetRecoveryActions(again, 24*60*60), s.SetRecoveryActionsOnNonCrashFailures(true)} {
		if err != nil && !errors.Is(err, windows.ERROR_INVALID_LEVEL) { // a system that knows no such thing: wine
			return fmt.Errorf("having the service started again when it fails: %w", err)
		}
	}
	return nil
}

// heal does the same from within, for a service that an installer made, and quotes its path:
// of one with spaces and without quotes Windows takes every beginning for a program. That it
// cannot be done stops nothing.
func heal() error {
	m, err := mgr.Connect()
	if err != nil {
		return err
	}
	defer m.Disconnect()
	s, err := m.OpenService(Name)
	if err != nil {
		return err
	}
	defer s.Close()
	c, err := s.Config()
	if path, rest, ok := strings.Cut(c.BinaryPathName, ".exe "); err == nil && ok && !strings.HasPrefix(path, `"`) {
		c.BinaryPathName = `"` + path + `.exe" ` + rest
		err = s.UpdateConfig(c)
	}
	return errors.Join(err, recoverable(s))
}

// commandLine joins a command line as Windows splits it.
func commandLine(args []string) string {
	escaped := make([]string, len(args))
	for i, a := range args {
		escaped[i] = windows.EscapeArg(a)
	}
	return strings.Join(escaped, " ")
}

// Uninstall stops the service and removes all that Install and the agent left. It goes on
// when a part is gone, and says what could not be removed.
func Uninstall(ctx context.Context, o Options) error {
	if !windows.GetCurrentProcessToken().IsElevated() {
		return ErrRights
	}
	m, err := mgr.Connect()
	if err != nil {
		return fmt.Errorf("reaching the service manager: %w", err)
	}
	defer m.Disconnect()
	var problems []error
	if s, err := m.OpenService(Name); err == nil {
		problems = append(problems, stop(ctx, s), s.Delete(), s.Close())
	} else if !errors.Is(err, windows.ERROR_SERVICE_DOES_NOT_EXIST) {
		problems = append(problems, fmt.Errorf("finding the service: %w", err))
	}
	problems = append(problems, RemoveState(o.State))
	path, err := program()
	if err != nil {
		return errors.Join(append(problems, err)...)
	}
	return errors.Join(append(problems, removeProgram(path))...)
}

// removeProgram removes the program and its folder. One that runs cannot be removed, but put
// aside; Windows removes it when it starts next.
func removeProgram(path string) error {
	err := os.Remove(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		aside := filepath.Join(os.TempDir(), fmt.Sprintf("patchbay-agent-%d.exe", os.Getpid()))
		if err = os.Rename(path, aside); err == nil {
			var name *uint16
			if name, err = windows.UTF16PtrFromString(aside); err == nil {
				err = windows.MoveFileEx(name, nil, windows.MOVEFILE_DELAY_UNTIL_REBOOT)
			}
		}
	}
	if err != nil {
		return fmt.Errorf("removing %s: %w", path, err)
	}
	_ = os.Remove(filepath.Dir(path)) // it stays where somebody put something beside it
	return nil
}

// stop stops a service and waits until it has.
func stop(ctx context.Context, s *mgr.Service) error {
	if _, err := s.Control(svc.Stop); err != nil && !errors.Is(err, windows.ERROR_SERVICE_NOT_ACTIVE) {
		return fmt.Errorf("stopping the service: %w", err)
	}
	return await(ctx, s, svc.Stopped, stopTime)
}

// await waits until the service is so.
func await(ctx context.Context, s *mgr.Service, want svc.State, limit time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		status, err := s.Query()
		switch {
		case err != nil:
			return fmt.Errorf("asking for the service: %w", err)
		case status.State == want:
			return nil
		case want == svc.Running && status.State == svc.Stopped:
			return errors.New("the service ended at once: its log says why")
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waiting for the service: %w", ctx.Err())
		case <-tick.C:
		}
	}
}

// Wrap runs the agent, as the service manager wants it where it started it.
func Wrap(ctx context.Context, asService bool, run func(context.Context) error) error {
	if !asService {
		return run(ctx)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	h := &handler{run: func() error { return run(ctx) }, stop: cancel}
	if err := svc.Run(Name, h); err != nil {
		return fmt.Errorf("running as a service: %w", err)
	}
	return h.err
}

// handler is the agent as the service manager knows it.
type handler struct {
	run  func() error
	stop context.CancelFunc
	err  error
}

// Execute runs the agent until it ends or is told to.
func (h *handler) Execute(_ []string, requests <-chan svc.ChangeRequest, tell chan<- svc.Status) (specific bool, code uint32) {
	const accepts = svc.AcceptStop | svc.AcceptShutdown
	ended := make(chan error, 1)
	go func() {
		_ = heal() // it runs as well without
		ended <- h.run()
	}()
	status := svc.Status{State: svc.Running, Accepts: accepts}
	tell <- status
	tick := time.NewTicker(5 * time.Second)
	defer tick.Stop()
	for {
		select {
		case h.err = <-ended:
			if h.err != nil {
				return true, 1 // so that it is started again
			}
			return false, 0
		case r := <-requests:
			switch r.Cmd {
			case svc.Interrogate:
				tell <- status
			case svc.Stop, svc.Shutdown:
				h.stop()
				status = svc.Status{State: svc.StopPending, WaitHint: 30_000}
				tell <- status
			}
		case <-tick.C:
			if status.State == svc.StopPending { // an update that has begun is finished
				status.CheckPoint++
				tell <- status
			}
		}
	}
}
