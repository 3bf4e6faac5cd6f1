//go:build windows

package host

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"unsafe"

	"golang.org/x/sys/windows"

	"patchbay/provider"
)

// windowsFolder is the folder of Windows. The system is asked, for a variable may say
// anything.
func windowsFolder() string {
	dir, err := windows.GetSystemWindowsDirectory()
	if err != nil {
		return `C:\Windows`
	}
	return dir
}

func root() string { return filepath.VolumeName(windowsFolder()) + `\` }

func path() []string {
	return []string{filepath.Join(windowsFolder(), "System32"), windowsFolder()}
}

func programExtensions() []string { return []string{"", ".exe"} }

func isProgram(info fs.FileInfo) bool { return info.Mode().IsRegular() }

// environment is all that a program is given: what Windows itself and installers need. It
// comes from the system, not from whoever started the agent.
func environment() []string {
	env := []string{
		"PATH=" + strings.Join(path(), ";"), "SystemRoot=" + windowsFolder(), "windir=" + windowsFolder(),
		"SystemDrive=" + filepath.VolumeName(windowsFolder()), "PATHEXT=.COM;.EXE", "OS=Windows_NT",
		"PROCESSOR_ARCHITECTURE=" + strings.ToUpper(runtime.GOARCH),
	}
	folders := []struct {
		name string
		id   *windows.KNOWNFOLDERID
	}{
		{"ProgramData", windows.FOLDERID_ProgramData}, {"ALLUSERSPROFILE", windows.FOLDERID_ProgramData}, {"PUBLIC", windows.FOLDERID_Public},
		{"ProgramFiles", windows.FOLDERID_ProgramFiles}, {"ProgramW6432", windows.FOLDERID_ProgramFiles}, {"ProgramFiles(x86)", windows.FOLDERID_ProgramFilesX86},
		{"CommonProgramFiles", windows.FOLDERID_ProgramFilesCommon}, {"CommonProgramFiles(x86)", windows.FOLDERID_ProgramFilesCommonX86},
		{"USERPROFILE", windows.FOLDERID_Profile}, {"APPDATA", windows.FOLDERID_RoamingAppData}, {"LOCALAPPDATA", windows.FOLDERID_LocalAppData},
	}
	for _, f := range folders {
		if dir, err := windows.KnownFolderPath(f.id, windows.KF_FLAG_DONT_VERIFY); err == nil {
			env = append(env, f.name+"="+dir)
		}
	}
	temp := temporary()
	return append(env, "TEMP="+temp, "TMP="+temp)
}

// temporary is where programs put what they unpack. For one with all rights that is a folder
// in which nobody else can, where Windows has it: what lies there is run.
func temporary() string {
	if own := filepath.Join(windowsFolder(), "SystemTemp"); windows.GetCurrentProcessToken().IsElevated() {
		if info, err := os.Stat(own); err == nil && info.IsDir() {
			return own
		}
	}
	return os.TempDir()
}

// tree is a program and all that it starts: a job, which is ended as one. The program is
// stopped before its first instruction, until it belongs to it.
//
// A job does not hold what the program has another program do, as msiexec has the
// installer's service. And it ends nobody when the agent ends: an installation goes on then.
// Only a program that was not let run yet ends with it, for nobody else would ever let it.
type tree struct{ job windows.Handle }

func newTree(cmd *exec.Cmd) (tree, error) {
	job, err := windows.CreateJobObject(nil, nil)
	if err != nil {
		return tree{}, fmt.Errorf("making a job for the program: %w", err)
	}
	if err := endsWithUs(job, windows.JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE); err != nil {
		return tree{}, errors.Join(fmt.Errorf("making a job for the program: %w", err), windows.CloseHandle(job))
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{CreationFlags: windows.CREATE_NEW_PROCESS_GROUP | windows.CREATE_SUSPENDED, HideWindow: true}
	cmd.Cancel = func() error { return windows.TerminateJobObject(job, 1) }
	return tree{job}, nil
}

// endsWithUs sets or takes back that the job's programs end when the agent does.
func endsWithUs(job windows.Handle, flags uint32) error {
	limits := windows.JOBOBJECT_EXTENDED_LIMIT_INFORMATION{BasicLimitInformation: windows.JOBOBJECT_BASIC_LIMIT_INFORMATION{LimitFlags: flags}}
	_, err := windows.SetInformationJobObject(job, windows.JobObjectExtendedLimitInformation, uintptr(unsafe.Pointer(&limits)), uint32(unsafe.Sizeof(limits)))
	return err
}

// join puts the started program into the job, says which it is, and lets it run.
func (t tree) join(ctx context.Context, cmd *exec.Cmd, say func(provider.Process) error) error {
	var joined error
	err := cmd.Process.WithHandle(func(handle uintptr) {
		joined = windows.AssignProcessToJobObject(t.job, windows.Handle(handle))
	})
	if err = errors.Join(err, joined); err != nil {
		return fmt.Errorf("putting the program into its job: %w", err)
	}
	if ctx.Err() != nil { // the job may have been ended before the program was in it
		return ctx.Err()
	}
	if say != nil {
		p := provider.Process{ID: uint32(cmd.Process.Pid)}
		p.Program, p.Began = examine(p.ID)
		if err := say(p); err != nil {
			return err
		}
	}
	if err := resume(uint32(cmd.Process.Pid)); err != nil {
		return fmt.Errorf("letting the program run: %w", err)
	}
	_ = endsWithUs(t.job, 0) // it is at work: where this fails, it ends with the agent and is tried again
	return nil
}

func (t tree) leave() { _ = windows.CloseHandle(t.job) }

// resume lets the threads of a process run: one that was just made has one.
func resume(pid uint32) error {
	snapshot, err := windows.CreateToolhelp32Snapshot(windows.TH32CS_SNAPTHREAD, 0)
	if err != nil {
		return err
	}
	defer windows.CloseHandle(snapshot)
	entry := windows.ThreadEntry32{Size: uint32(unsafe.Sizeof(windows.ThreadEntry32{}))}
	found := false
	for err = windows.Thread32First(snapshot, &entry); err == nil; err = windows.Thread32Next(snapshot, &entry) {
		if entry.OwnerProcessID != pid {
			continue
		}
		thread, err := windows.OpenThread(windows.THREAD_SUSPEND_RESUME, false, entry.ThreadID)
		if err != nil {
			return err
		}
		_, err = windows.ResumeThread(thread)
		if err = errors.Join(err, windows.CloseHandle(thread)); err != nil {
			return err
		}
		found = true
	}
	if !found {
		return errors.New("it has no thread")
	}
	return nil
}

// Harden keeps this process from loading libraries from anywhere but the system's folder:
// neither from its own, nor from the working directory or the path. A program calls it first.
func Harden() error {
	if err := windows.SetDefaultDllDirectories(windows.LOAD_LIBRARY_SEARCH_SYSTEM32); err != nil {
		return fmt.Errorf("narrowing where libraries are loaded from: %w", err)
	}
	if err := windows.SetDllDirectory(""); err != nil { // for calls that do not ask for the above
		return fmt.Errorf("narrowing where libraries are loaded from: %w", err)
	}
	return nil
}

// Privileged reports whether this process may install software.
func Privileged() bool { return windows.GetCurrentProcessToken().IsElevated() }

// ProgramData is the folder for the data of services. The system is asked, not a variable.
func ProgramData() string {
	dir, err := windows.KnownFolderPath(windows.FOLDERID_ProgramData, windows.KF_FLAG_DONT_VERIFY)
	if err != nil {
		return filepath.Join(root(), "ProgramData")
	}
	return dir
}
