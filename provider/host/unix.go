//go:build unix

package host

import (
	"context"
	"io/fs"
	"os"
	"os/exec"
	"strings"
	"syscall"

	"patchbay/provider"
)

func root() string { return "/" }

func path() []string {
	return []string{"/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"}
}

func programExtensions() []string { return []string{""} }

func isProgram(info fs.FileInfo) bool { return info.Mode().IsRegular() && info.Mode()&0o111 != 0 }

// environment is all that a program is given: plain English output and the system's path.
func environment() []string {
	return []string{"LC_ALL=C.UTF-8", "PATH=" + strings.Join(path(), ":")}
}

// tree is a program and all that it starts: a process group of its own, which is killed as one.
type tree struct{}

func newTree(cmd *exec.Cmd) (tree, error) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	return tree{}, nil
}

func (tree) join(context.Context, *exec.Cmd, func(provider.Process) error) error { return nil }
func (tree) leave()                                                              {}

// Harden does nothing: this system loads a program's libraries from its own folders only.
func Harden() error { return nil }

// Privileged reports whether this process may install software.
func Privileged() bool { return os.Geteuid() == 0 }

// ProgramData is nothing here: it is the folder for the data of services on Windows.
func ProgramData() string { return "" }
