// Package host is this machine as a provider sees it: programs are started with a list of
// arguments and a clean environment, never through a shell, and files are read from the
// root. It is the only place where the agent starts package managers.
package host

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

	"patchbay/provider"
)

// Host is this machine. The zero value is ready to use.
type Host struct{}

var _ provider.Host = Host{}

// drain is how long the pipes of a killed program may stay open; a daemon that it left
// behind may hold them.
const drain = 5 * time.Second

// Files is the file system of this machine from its root.
func (Host) Files() fs.FS { return os.DirFS(root()) }

// Run starts a program and waits for its end. When the context ends, the program and
// everything it started is killed.
func (Host) Run(ctx context.Context, c provider.Command) (provider.Result, error) {
	if len(c.Args) == 0 {
		return provider.Result{}, errors.New("no program to run was named")
	}
	name := c.Args[0]
	path, err := look(name)
	if err != nil {
		return provider.Result{}, err
	}
	cmd := exec.CommandContext(ctx, path, c.Args[1:]...)
	cmd.Env = append(environment(), c.Env...)
	cmd.Dir = root()
	cmd.Stdin = strings.NewReader(c.Input)
	cmd.WaitDelay = drain
	tree, err := newTree(cmd)
	if err != nil {
		return provider.Result{}, fmt.Errorf("running %s: %w", name, err)
	}
	defer tree.leave()
	lines := &lineSink{call: c.Line}
	stdout, stderr := newCapture(lines), newCapture(lines)
	cmd.Stdout, cmd.Stderr = stdout, stderr
	if err = cmd.Start(); err == nil {
		if err = tree.join(ctx, cmd, c.Began); err == nil {
			err = cmd.Wait()
		} else {
			err = errors.Join(err, cmd.Process.Kill(), cmd.Wait())
		}
	}
	stdout.end()
	stderr.end()
	result := provider.Result{Stdout: stdout.kept.String(), Stderr: stderr.kept.String(), Code: -1}
	if cmd.ProcessState != nil {
		result.Code = cmd.ProcessState.ExitCode()
	}
	return result, runError(ctx, name, cmd, err)
}

// runError says what kept a program from running to its own end. A program that ended by
// itself did run, whatever its exit code.
func runError(ctx context.Context, name string, cmd *exec.Cmd, err error) error {
	var exit *exec.ExitError
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return fmt.Errorf("running %s: %w", name, context.Cause(ctx))
	case errors.Is(err, exec.ErrWaitDelay) && cmd.ProcessState.Exited():
		return nil
	case errors.As(err, &exit) && exit.Exited():
		return nil
	}
	return fmt.Errorf("running %s: %w", name, err)
}

// look finds a program in the system's own folders, not in whatever path this process has.
func look(name string) (string, error) {
	if filepath.IsAbs(name) {
		return name, nil
	}
	if name == "" || strings.ContainsAny(name, `/\`) {
		return "", fmt.Errorf("%.80q is not the name of a program", name)
	}
	for _, dir := range path() {
		for _, ext := range programExtensions() {
			p := filepath.Join(dir, name+ext)
			if info, err := os.Stat(p); err == nil && isProgram(info) {
				return p, nil
			}
		}
	}
	return "", fmt.Errorf("program %s: %w", name, exec.ErrNotFound)
}
