package bed

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Result is how a command inside a device ended.
type Result struct {
	Stdout, Stderr string
	Code           int // 128 + the signal's number when one ended it
}

// Exec runs a command inside the device, as root, standard input closed, with
// nothing in its environment but PATH, HOME, LANG and TERM. The error says only
// that it could not be run or that ctx ended, with which the command is killed;
// how it ended is in the Result.
func (d *Device) Exec(ctx context.Context, args ...string) (Result, error) {
	return d.ExecWith(ctx, "", args...)
}

// ExecWith is Exec with something on standard input; "" leaves it closed.
func (d *Device) ExecWith(ctx context.Context, input string, args ...string) (Result, error) {
	cmd, err := d.command(ctx, args)
	if err != nil {
		return Result{}, err
	}
	if input != "" {
		cmd.Stdin = strings.NewReader(input)
	}
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	cmd.WaitDelay = time.Second // for a daemon that keeps the pipes
	err = cmd.Run()
	r := Result{Stdout: out.String(), Stderr: errs.String(), Code: exitCode(cmd)}
	if exit := (*exec.ExitError)(nil); ctx.Err() == nil && (errors.As(err, &exit) || errors.Is(err, exec.ErrWaitDelay)) {
		err = nil
	}
	if err != nil {
		return r, fmt.Errorf("running %s on %s: %w", args[0], d.Name, err)
	}
	return r, nil
}

// Must is Exec that fails the test unless the command succeeds; it returns
// standard output without the last line end.
func (d *Device) Must(t T, args ...string) string {
	t.Helper()
	r, err := d.Exec(t.Context(), args...)
	if err != nil || r.Code != 0 {
		t.Fatalf("bed: %s on %s: status %d, %v\n%s%s", strings.Join(args, " "), d.Name, r.Code, err, r.Stdout, r.Stderr)
	}
	return strings.TrimRight(r.Stdout, "\n")
}

// Apt runs apt-get as an unattended script would: no questions asked of a
// terminal, assuming yes.
func (d *Device) Apt(ctx context.Context, args ...string) (Result, error) {
	return d.Exec(ctx, append([]string{"env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-y", "-q", "-o", "Dpkg::Use-Pty=0"}, args...)...)
}

// Shell is a login shell inside the device, for a person; its streams are the
// caller's to set before running it.
func (d *Device) Shell(ctx context.Context) (*exec.Cmd, error) {
	cmd, err := d.command(ctx, []string{"bash", "--login"})
	if err != nil {
		return nil, err
	}
	cmd.SysProcAttr.Setpgid = false // the terminal's foreground group
	cmd.Cancel = func() error { return cmd.Process.Kill() }
	return cmd, nil
}

// Process is a command that goes on inside a device, such as the agent.
type Process struct {
	cmd    *exec.Cmd
	output string // a file: a pipe would tie what the process leaves behind to this test
	done   chan struct{}
}

// Spawn starts a command inside the device and returns at once. It ends when it
// wants to, is killed, the device goes off, or t ends.
func (d *Device) Spawn(t T, args ...string) *Process {
	t.Helper()
	cmd, err := d.command(context.WithoutCancel(t.Context()), args)
	if err != nil {
		t.Fatalf("bed: %v", err)
	}
	p, err := spawn(cmd, d.dir)
	if err != nil {
		t.Fatalf("bed: starting %s on %s: %v", args[0], d.Name, err)
	}
	t.Cleanup(p.Kill)
	return p
}

// Output is what the process has written so far, both streams in one; it is
// gone with the device.
func (p *Process) Output() string {
	text, err := os.ReadFile(p.output)
	if err != nil {
		return ""
	}
	return string(text)
}

// Done is closed when the process has ended.
func (p *Process) Done() <-chan struct{} { return p.done }

// Code waits for the end and returns the exit status, as in [Result].
func (p *Process) Code() int {
	<-p.done
	return exitCode(p.cmd)
}

// Signal sends a signal to the process and its children, except those that made
// a session of their own, as dpkg does below apt.
func (p *Process) Signal(s syscall.Signal) {
	select {
	case <-p.done: // its number may be somebody else's by now
	default:
		_ = syscall.Kill(-p.cmd.Process.Pid, s) // ended meanwhile: fine
	}
}

// Kill ends the process at once and waits for it.
func (p *Process) Kill() {
	p.Signal(syscall.SIGKILL)
	<-p.done
}

// command is args in all of the device's namespaces, in a process group of its
// own so that killing reaches what nsenter started.
func (d *Device) command(ctx context.Context, args []string) (*exec.Cmd, error) {
	leader := d.leader()
	if leader == 0 {
		return nil, fmt.Errorf("%s is off", d.Name)
	}
	enter := []string{"--target", strconv.Itoa(leader), "--mount", "--uts", "--ipc", "--net", "--pid", "--cgroup", "--root", "--wd", "--"}
	cmd := exec.CommandContext(ctx, "nsenter", append(enter, args...)...)
	cmd.Env = []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", "LANG=C.UTF-8", "TERM=dumb"}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	return cmd, nil
}

func exitCode(cmd *exec.Cmd) int {
	if cmd.ProcessState == nil {
		return -1
	}
	if s, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); ok && s.Signaled() {
		return 128 + int(s.Signal())
	}
	return cmd.ProcessState.ExitCode()
}
