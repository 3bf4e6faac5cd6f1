//go:build unix

package host

import (
	"io/fs"
	"os/exec"
	"strings"
	"syscall"
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

// ownGroup puts the program in a process group of its own, which is killed as one.
func ownGroup(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
}
