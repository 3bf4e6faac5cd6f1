//go:build windows

package host

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
)

func root() string { return os.Getenv("SystemDrive") + `\` }

func path() []string {
	windows := os.Getenv("SystemRoot")
	return []string{
		filepath.Join(windows, "System32"), windows,
		filepath.Join(windows, `System32\WindowsPowerShell\v1.0`),
	}
}

func programExtensions() []string { return []string{"", ".exe"} }

func isProgram(info fs.FileInfo) bool { return info.Mode().IsRegular() }

// environment is all that a program is given: what Windows itself needs to start one.
func environment() []string {
	env := []string{"PATH=" + strings.Join(path(), ";")}
	for _, name := range []string{"SystemRoot", "SystemDrive", "ProgramData", "ProgramFiles", "TEMP", "TMP"} {
		if v, ok := os.LookupEnv(name); ok {
			env = append(env, name+"="+v)
		}
	}
	return env
}

// ownGroup keeps the console's signals from the program. Killing reaches the program only.
func ownGroup(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{CreationFlags: syscall.CREATE_NEW_PROCESS_GROUP, HideWindow: true}
}
