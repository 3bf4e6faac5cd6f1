package host

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/windows"
	"golang.org/x/sys/windows/registry"

	"patchbay/provider"
)

// These tests run on a Windows: wine's, in a device of the test bed (wine_test.go).

// The tests start this program again, as one of these.
const role = "PATCHBAY_TEST_ROLE"

func TestMain(m *testing.M) {
	if slices.Equal(os.Args[1:], []string{HelperCommand}) { // started in a session, as the agent's program is
		if err := Help(os.Stdin, os.Stdout); err != nil {
			os.Exit(1)
		}
		os.Exit(0)
	}
	switch os.Getenv(role) {
	case "exit":
		fmt.Print("one\r\ntwo")
		os.Exit(3010)
	case "environment":
		fmt.Print(strings.Join(os.Environ(), "\n"))
		os.Exit(0)
	case "parent":
		self, err := os.Executable()
		if err != nil {
			os.Exit(1)
		}
		child := exec.Command(self)
		child.Env = append(os.Environ(), role+"=child")
		child.Stdout = os.Stdout
		fmt.Println(child.Run())
		os.Exit(1)
	case "child":
		fmt.Println(os.Getpid())
		<-time.After(10 * time.Minute)
		os.Exit(1)
	case "engine":
		os.Exit(askEngine(os.Args[1:]))
	}
	os.Exit(m.Run())
}

func self(t *testing.T, as string) provider.Command {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return provider.Command{Args: []string{program}, Env: []string{role + "=" + as}}
}

// folder is for the files of one test. t.TempDir would be removed in a way that wine 8 cannot.
func folder(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "host-")
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestExitCodeIsWhole(t *testing.T) {
	c := self(t, "exit")
	var lines []string
	c.Line = func(l string) { lines = append(lines, l) }
	res, err := Host{}.Run(t.Context(), c)
	if err != nil || res.Code != 3010 || strings.Join(lines, "|") != "one|two" {
		t.Errorf("%+v, %q, %v", res, lines, err)
	}
}

func TestEnvironmentIsTheSystems(t *testing.T) {
	t.Setenv("SECRET_OF_THE_TEST", "x")
	t.Setenv("SystemRoot", `C:\evil`)
	t.Setenv("PATH", `C:\evil`)
	res, err := Host{}.Run(t.Context(), self(t, "environment"))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(res.Stdout) {
		if strings.Contains(line, "SECRET_OF_THE_TEST") || strings.Contains(line, "evil") {
			t.Errorf("the program was given %s", line)
		}
	}
	for _, want := range []string{`SystemRoot=C:\windows`, `ProgramData=C:\ProgramData`, `SystemDrive=C:`, "TEMP="} {
		if !strings.Contains(strings.ToLower(res.Stdout), strings.ToLower(want)) {
			t.Errorf("no %s in\n%s", want, res.Stdout)
		}
	}
}

func TestProgramIsFoundInTheSystemsFoldersOnly(t *testing.T) {
	dir := folder(t)
	if err := os.WriteFile(filepath.Join(dir, "mine.exe"), []byte("MZ"), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir)
	t.Chdir(dir)
	for _, name := range []string{"mine", "mine.exe", `..\mine.exe`, ""} {
		if _, err := (Host{}).Run(t.Context(), provider.Command{Args: []string{name}}); err == nil {
			t.Errorf("%q was run", name)
		}
	}
	if res, err := (Host{}).Run(t.Context(), provider.Command{Args: []string{"hostname"}}); err != nil || res.Code != 0 {
		t.Errorf("hostname: %+v, %v", res, err)
	}
}

// An installer's children must not live on.
func TestEndedContextKillsTheWholeTree(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	c := self(t, "parent")
	child := 0
	c.Line = func(l string) {
		child, _ = strconv.Atoi(l)
		cancel()
	}
	if _, err := (Host{}).Run(ctx, c); !errors.Is(err, context.Canceled) {
		t.Errorf("the error is %v", err)
	}
	if child == 0 {
		t.Fatal("the child said nothing")
	}
	process, err := windows.OpenProcess(windows.SYNCHRONIZE, false, uint32(child))
	if err != nil {
		return // gone
	}
	defer windows.CloseHandle(process)
	if state, err := windows.WaitForSingleObject(process, 10_000); err != nil || state != windows.WAIT_OBJECT_0 {
		t.Errorf("the child still runs: %d, %v", state, err)
	}
}

// What lies in the working directory or beside the program is never loaded. Last of its
// kind here: it cannot be undone.
func TestLibrariesComeFromTheSystemOnly(t *testing.T) {
	library, err := os.ReadFile(`C:\windows\system32\hid.dll`)
	if err != nil {
		t.Fatal(err)
	}
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	beside, cwd := filepath.Join(filepath.Dir(program), "planted-beside.dll"), folder(t)
	t.Chdir(cwd)
	t.Cleanup(func() { os.Remove(beside) })
	for _, path := range []string{beside, filepath.Join(cwd, "planted-here.dll")} {
		if err := os.WriteFile(path, library, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	load := func(name string) error {
		h, err := windows.LoadLibrary(name)
		if err == nil {
			_ = windows.FreeLibrary(h)
		}
		return err
	}
	if err := load("planted-beside.dll"); err != nil {
		t.Fatalf("the test is blind: without hardening it is not loaded either: %v", err)
	}
	if err := Harden(); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"planted-beside.dll", "planted-here.dll"} {
		if load(name) == nil {
			t.Errorf("%s was loaded", name)
		}
	}
	if err := load("version.dll"); err != nil {
		t.Errorf("the system's own: %v", err)
	}
}

func TestRegistryIsReadInBothViews(t *testing.T) {
	const path = `SOFTWARE\Patchbay Test`
	write := func(view uint32, name string) {
		t.Helper()
		k, _, err := registry.CreateKey(registry.LOCAL_MACHINE, path, registry.ALL_ACCESS|view)
		if err != nil {
			t.Fatal(err)
		}
		defer k.Close()
		below, _, err := registry.CreateKey(k, name, registry.ALL_ACCESS|view)
		if err != nil {
			t.Fatal(err)
		}
		_ = below.Close()
		for _, err := range []error{
			k.SetStringValue("Text", name), k.SetExpandStringValue("Path", `%SystemRoot%\x`), k.SetStringsValue("List", []string{"a", "b"}),
			k.SetDWordValue("Number", 7), k.SetQWordValue("Long", 1<<40), k.SetBinaryValue("Bytes", []byte{1, 2}), k.SetStringValue("", "own"),
			k.SetBinaryValue("Huge", make([]byte, maxValue+1)),
		} {
			if err != nil {
				t.Fatal(err)
			}
		}
		t.Cleanup(func() {
			_ = registry.DeleteKey(registry.LOCAL_MACHINE, path+`\`+name)
			_ = registry.DeleteKey(registry.LOCAL_MACHINE, path)
		})
	}
	write(registry.WOW64_64KEY, "64")
	write(registry.WOW64_32KEY, "32")
	for view, name := range map[provider.View]string{provider.View64: "64", provider.View32: "32"} {
		k, err := Host{}.Registry(`HKLM\`+path, view)
		if err != nil {
			t.Fatal(err)
		}
		if ago := time.Since(k.Changed); ago < -time.Minute || ago > time.Minute {
			t.Errorf("written at %s", k.Changed)
		}
		k.Changed = time.Time{}
		want := provider.RegistryKey{Keys: []string{name}, Values: map[string]provider.RegistryValue{
			"Text": {Text: name}, "Path": {Text: `%SystemRoot%\x`}, "List": {List: []string{"a", "b"}}, "Number": {Number: 7}, "Long": {Number: 1 << 40},
			"Bytes": {Bytes: []byte{1, 2}}, "": {Text: "own"},
		}}
		if !reflect.DeepEqual(k, want) {
			t.Errorf("view %d: %+v", view, k)
		}
	}
	if _, err := (Host{}).Registry(`HKLM\SOFTWARE\Patchbay Nowhere`, provider.View64); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a key that is not there: %v", err)
	}
	for _, path := range []string{`HKCU\Software`, `SOFTWARE`, ``} {
		if _, err := (Host{}).Registry(path, provider.View64); !errors.Is(err, fs.ErrInvalid) {
			t.Errorf("%q: %v", path, err)
		}
	}
	users, err := Host{}.Registry("HKU", provider.View64)
	if err != nil || len(users.Keys) == 0 {
		t.Errorf("the users: %+v, %v", users, err)
	}
}

// When a key was last written moves with each change of its values, and not by what is below:
// who compares it with when a program began relies on that. Wine does not count the same value
// written again.
func TestAKeySaysWhenItWasWritten(t *testing.T) {
	const path = `SOFTWARE\Patchbay Written`
	k, _, err := registry.CreateKey(registry.LOCAL_MACHINE, path, registry.ALL_ACCESS)
	if err != nil {
		t.Fatal(err)
	}
	defer k.Close()
	t.Cleanup(func() {
		_ = registry.DeleteKey(registry.LOCAL_MACHINE, path+`\below`)
		_ = registry.DeleteKey(registry.LOCAL_MACHINE, path)
	})
	changed := func() time.Time {
		k, err := Host{}.Registry(`HKLM\`+path, provider.View64)
		if err != nil {
			t.Fatal(err)
		}
		return k.Changed
	}
	last := changed()
	for _, c := range []struct {
		what  string
		do    func() error
		moves bool
	}{
		{"a new value", func() error { return k.SetStringValue("v", "1") }, true},
		{"another value", func() error { return k.SetStringValue("v", "2") }, true},
		{"a value gone", func() error { return k.DeleteValue("v") }, true},
		{"a value below", func() error {
			below, _, err := registry.CreateKey(k, "below", registry.ALL_ACCESS)
			if err == nil {
				last = changed() // a key that comes is a change
				err = errors.Join(below.SetStringValue("v", "1"), below.Close())
			}
			return err
		}, false},
	} {
		<-time.After(20 * time.Millisecond) // Windows' clock goes in steps of 16
		if err := c.do(); err != nil {
			t.Fatal(err)
		}
		at := changed()
		if at.After(last) != c.moves {
			t.Errorf("%s: it moved by %s", c.what, at.Sub(last))
		}
		last = at
	}
}

// signed is an open file for Trusted.
type signed struct{ *os.File }

func (s signed) Path() string { return s.Name() }
func (s signed) Size() int64  { return 0 }

// What the test bed signed lies in C:\signed, named by what was done to it. That nobody
// vouches for the signer cannot be tried here: wine takes any.
func TestSignatureIsTheSystemsToJudge(t *testing.T) {
	for name, want := range map[string]string{
		"signed.exe": "", "unsigned.exe": "it is not signed", "tampered.exe": "it was changed after",
	} {
		f, err := os.Open(`C:\signed\` + name)
		if err != nil {
			t.Skipf("not in the test bed: %v", err)
		}
		defer f.Close()
		err = Host{}.Trusted(t.Context(), signed{f})
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
