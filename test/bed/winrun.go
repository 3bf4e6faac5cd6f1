package bed

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"patchbay/provider"
	"patchbay/provider/providertest"
)

// Run runs a program in Windows and waits for its end: a path such as `C:\bed\x.exe`, or the
// name of one of the system's, such as msiexec. Its exit code is whole, as Windows has it. Its
// environment is Windows's own with what env adds, as NAME=value; standard input is closed.
func (d *WindowsDevice) Run(ctx context.Context, args ...string) (Result, error) {
	return d.RunWith(ctx, nil, args...)
}

// runLimit is how long a program may run on a Windows. What wine never comes back from would
// otherwise end a whole test run without saying what it was.
const runLimit = 12 * time.Minute

// RunWith is Run with more in the environment.
func (d *WindowsDevice) RunWith(ctx context.Context, env []string, args ...string) (r Result, err error) {
	ctx, cancel := context.WithTimeout(ctx, runLimit)
	defer cancel()
	for range 3 { // on a busy machine wine now and then gives up before it has begun
		var began bool
		if r, began, err = d.runOnce(ctx, env, args); err == nil || began || ctx.Err() != nil {
			break
		}
	}
	return r, err
}

// runOnce says beside the result whether anything began.
func (d *WindowsDevice) runOnce(ctx context.Context, env, args []string) (_ Result, began bool, _ error) {
	exit := fmt.Sprintf(`C:\bed\exit\%d`, d.runs.Add(1))
	cmd, err := d.command(ctx, append([]string{"/usr/lib/wine/wine64", `C:\bed\launch.exe`, exit}, args...)...)
	if err != nil {
		return Result{}, false, err
	}
	cmd.Env = append(cmd.Env, env...)
	said, err := os.MkdirTemp(d.dir, "said-") // not pipes: what the program leaves running would keep them open
	if err != nil {
		return Result{}, false, err
	}
	defer os.RemoveAll(said)
	out, errs := filepath.Join(said, "out"), filepath.Join(said, "err")
	runErr := runInto(cmd, out, errs)
	r := Result{Code: exitCode(cmd)}
	for path, to := range map[string]*string{out: &r.Stdout, errs: &r.Stderr} {
		text, err := os.ReadFile(path)
		if err != nil {
			return r, true, err
		}
		*to = string(text)
	}
	if ctx.Err() != nil {
		return r, true, fmt.Errorf("running %s on %s: %w", args[0], d.Name, ctx.Err())
	}
	code, readErr := d.ReadFile(exit)
	n, err := strconv.ParseUint(string(code), 10, 32)
	if err = cmp.Or(readErr, err); err != nil {
		return r, readErr == nil, fmt.Errorf("running %s on %s: %w, %v: %s", args[0], d.Name, err, runErr, tail(r.Stderr))
	}
	r.Code = int(n)
	return r, true, nil
}

// runInto runs a command with its output in files.
func runInto(cmd *exec.Cmd, out, errs string) error {
	o, err := os.Create(out)
	if err != nil {
		return err
	}
	defer o.Close()
	e, err := os.Create(errs)
	if err != nil {
		return err
	}
	defer e.Close()
	cmd.Stdout, cmd.Stderr = o, e
	return cmd.Run()
}

// Must is Run that fails the test unless the program ends with 0; it returns standard output
// without the last line end.
func (d *WindowsDevice) Must(t T, args ...string) string {
	t.Helper()
	r, err := d.Run(t.Context(), args...)
	if err != nil || r.Code != 0 {
		t.Fatalf("bed: %s on %s: status %d, %v\n%s%s", strings.Join(args, " "), d.Name, r.Code, err, r.Stdout, r.Stderr)
	}
	return strings.TrimRight(r.Stdout, "\r\n")
}

// Spawn starts a program in Windows and returns at once. It ends when it wants to, is killed,
// the device goes off, or t ends. Its code is only the lowest eight bits of what Windows has.
func (d *WindowsDevice) Spawn(t T, args ...string) *Process {
	t.Helper()
	cmd, err := d.command(context.WithoutCancel(t.Context()), append([]string{"/usr/lib/wine/wine64"}, args...)...)
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

// Running are the host's numbers of the processes that run a program, such as "agent.exe".
func (d *WindowsDevice) Running(program string) []int {
	d.mu.Lock()
	leader := d.leader
	d.mu.Unlock()
	space, err := os.Readlink(fmt.Sprintf("/proc/%d/ns/pid", leader))
	if err != nil {
		return nil
	}
	var pids []int
	for _, link := range glob("/proc", "[0-9]*/ns/pid") {
		if s, err := os.Readlink(link); err != nil || s != space {
			continue
		}
		number := strings.Split(link, "/")[2]
		args, _ := os.ReadFile("/proc/" + number + "/cmdline") // ended meanwhile
		first, _, _ := strings.Cut(string(args), "\x00")
		name := first[strings.LastIndexAny(first, `\/`)+1:]
		if name, _, _ = strings.Cut(name, " "); strings.EqualFold(strings.TrimSuffix(name, `"`), program) { // a service's is one line
			if pid, err := strconv.Atoi(number); err == nil {
				pids = append(pids, pid)
			}
		}
	}
	return pids
}

// KillProgram ends every process of a program at once, and only those.
func (d *WindowsDevice) KillProgram(program string) {
	for _, pid := range d.Running(program) {
		_ = syscall.Kill(pid, syscall.SIGKILL) // ended meanwhile
	}
}

// HostPath is where a file of drive C: lies on the host, in whatever case it is written;
// where it does not exist, where it would.
func (d *WindowsDevice) HostPath(name string) string {
	at := filepath.Join(d.dir, "prefix/drive_c")
	rest := strings.ReplaceAll(name, `\`, "/")
	if len(rest) > 1 && rest[1] == ':' {
		rest = rest[2:]
	}
	for part := range strings.SplitSeq(strings.Trim(rest, "/"), "/") {
		next := filepath.Join(at, part)
		if _, err := os.Lstat(next); err != nil {
			entries, _ := os.ReadDir(at) // not there: neither is what is below
			for _, e := range entries {
				if strings.EqualFold(e.Name(), part) {
					next = filepath.Join(at, e.Name())
				}
			}
		}
		at = next
	}
	return at
}

// PutFile writes a file of drive C:, such as `C:\bed\x.txt`; folders on the way are made.
func (d *WindowsDevice) PutFile(name, text string) error {
	path := d.HostPath(name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	syscall.ForkLock.RLock() // as with a device's own PutFile
	defer syscall.ForkLock.RUnlock()
	return os.WriteFile(path, []byte(text), 0o755)
}

// CopyFile copies a file of the host, such as a program under test, to drive C:.
func (d *WindowsDevice) CopyFile(from, name string) error {
	text, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return d.PutFile(name, string(text))
}

// ReadFile reads a file of drive C: from the host, on or off.
func (d *WindowsDevice) ReadFile(name string) ([]byte, error) { return os.ReadFile(d.HostPath(name)) }

// Exists reports whether drive C: has a file or folder of this name.
func (d *WindowsDevice) Exists(name string) bool {
	_, err := os.Lstat(d.HostPath(name))
	return err == nil
}

// WaitFile returns when drive C: has the file, or with ctx's error.
func (d *WindowsDevice) WaitFile(ctx context.Context, name string) error {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !d.Exists(name) {
		select {
		case <-ctx.Done():
			return fmt.Errorf("waiting for %s on %s: %w", name, d.Name, ctx.Err())
		case <-tick.C:
		}
	}
	return nil
}

// Registry is what wine's own tool says is in the registry below a key, such as
// `HKLM\SOFTWARE\Microsoft`: the oracle, which asks no part of Patchbay.
func (d *WindowsDevice) Registry(ctx context.Context, key string) (*providertest.Export, error) {
	file := fmt.Sprintf(`C:\bed\exit\%d.reg`, d.runs.Add(1))
	r, err := d.Run(ctx, "reg", "export", key, file, "/y")
	if err != nil {
		return nil, err
	}
	if r.Code != 0 {
		if res, err := d.Run(ctx, "reg", "query", key); err == nil && res.Code != 0 {
			return nil, fmt.Errorf("%s: %w", key, fs.ErrNotExist)
		}
		return nil, fmt.Errorf("exporting %s on %s: status %d: %s", key, d.Name, r.Code, r.Stderr)
	}
	text, err := d.ReadFile(file)
	if err != nil {
		return nil, err
	}
	return providertest.ParseExport(text)
}

// Value is the text of one value of a key; "" when there is no such value or key.
func (d *WindowsDevice) Value(ctx context.Context, key, name string) (string, error) {
	r, err := d.Registry(ctx, key)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return "", nil
		}
		return "", err
	}
	k, err := r.Registry(key, provider.View64)
	if err != nil {
		return "", err
	}
	return k.Values[name].Text, nil
}

// Import puts a .reg file into the registry: its text is as `reg export` writes it.
func (d *WindowsDevice) Import(t T, text string) {
	t.Helper()
	file := fmt.Sprintf(`C:\bed\exit\%d.reg`, d.runs.Add(1))
	if err := d.PutFile(file, text); err != nil {
		t.Fatalf("bed: %v", err)
	}
	d.Must(t, "reg", "import", file)
}

// spawn starts a command whose output goes into a file in dir.
func spawn(cmd *exec.Cmd, dir string) (*Process, error) {
	out, err := os.CreateTemp(dir, "output-")
	if err != nil {
		return nil, err
	}
	defer out.Close()
	p := &Process{cmd: cmd, output: out.Name(), done: make(chan struct{})}
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		_ = cmd.Wait() // Code tells
		close(p.done)
	}()
	return p, nil
}

// GoProgram builds a program of the project for Windows, such as patchbay/cmd/patchbay-agent, as a
// release has it, and gives its path on the host.
func GoProgram(t T, pkg string, flags ...string) string {
	t.Helper()
	args := append([]string{"build", "-trimpath", "-ldflags=-s -w"}, flags...) // the last of two holds
	return goWindows(t, append(args, "-o"), pkg)
}

// GoTest builds a package's tests for Windows and gives the path of the program that runs them.
func GoTest(t T, pkg string) string {
	t.Helper()
	return goWindows(t, []string{"test", "-c", "-o"}, pkg)
}

func goWindows(t T, args []string, pkg string) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "bed-go-")
	if err != nil {
		t.Fatalf("bed: %v", err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	out := filepath.Join(dir, "program.exe")
	env := []string{"GOOS=windows", "GOARCH=amd64", "CGO_ENABLED=0", "go"}
	if _, err := run(t.Context(), "env", append(append(env, args...), out, pkg)...); err != nil {
		t.Fatalf("bed: building %s for Windows: %v", pkg, err)
	}
	return out
}

// Files lists all files and folders of drive C: but the bed's own and those that Windows
// writes by itself, as they lie there: to see what a program left.
func (d *WindowsDevice) Files(t T) []string {
	t.Helper()
	top := filepath.Join(d.dir, "prefix/drive_c")
	var all []string
	err := filepath.WalkDir(top, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, _ := filepath.Rel(top, path) // it is below
		if name == "bed" || name == "windows/temp" || strings.HasSuffix(name, "/Temp") {
			return fs.SkipDir
		}
		if name != "windows/Installer" { // the installer's own folder, which stays when it is empty
			all = append(all, name)
		}
		return nil
	})
	if err != nil {
		t.Fatalf("bed: %v", err)
	}
	return all
}
