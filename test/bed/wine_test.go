package bed

import (
	"errors"
	"io/fs"
	"os"
	"strings"
	"testing"
	"time"

	"patchbay/provider"
)

const uninstall = `HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Uninstall`

func TestWindowsRunsProgramsAndKeepsWhatTheyDid(t *testing.T) {
	t.Parallel()
	d := NewWindows(t, WindowsOptions{Name: "ada-pc"})
	if got := d.Must(t, "hostname"); !strings.EqualFold(got, "ada-pc") {
		t.Errorf("it is called %q", got)
	}
	// Exit codes are whole, arguments arrive as they were given.
	if r, err := d.Run(t.Context(), "cmd", "/c", "exit", "3010"); err != nil || r.Code != 3010 {
		t.Errorf("%+v, %v", r, err)
	}
	if got := d.Must(t, "cmd", "/c", "echo", "a b", "c"); !strings.Contains(got, `"a b" c`) {
		t.Errorf("the arguments became %s", got)
	}
	if _, err := d.Run(t.Context(), `C:\no\such.exe`); err != nil {
		t.Log(err)
	} else if r, _ := d.Run(t.Context(), `C:\no\such.exe`); r.Code == 0 {
		t.Error("a program that is not there ended well")
	}
	if got := d.Must(t, "cmd", "/c", "dir", `C:\`); strings.Contains(got, "proc") {
		t.Errorf("this machine's files are on C: %s", got)
	}
	if err := d.PutFile(`C:\Bed\Note.txt`, "kept"); err != nil {
		t.Fatal(err)
	}
	d.Must(t, "reg", "add", `HKLM\SOFTWARE\Kept`, "/v", "x", "/d", "yes")
	for _, off := range []func() error{d.Stop, func() error { // wine writes the registry twice a minute; an orderly stop before is a write
		if err := d.Start(t.Context()); err != nil {
			return err
		}
		return d.Kill()
	}} {
		if err := off(); err != nil {
			t.Fatal(err)
		}
		if len(d.Running("services.exe")) > 0 {
			t.Error("something runs in a device that is off")
		}
		if err := d.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		if text, err := d.ReadFile(`c:\bed\note.TXT`); err != nil || string(text) != "kept" {
			t.Errorf("%s, %v", text, err)
		}
		if v, err := d.Value(t.Context(), `HKLM\SOFTWARE\Kept`, "x"); err != nil || v != "yes" {
			t.Errorf("%q, %v", v, err)
		}
	}
	if _, err := d.Registry(t.Context(), `HKLM\SOFTWARE\Never`); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a key that is not there: %v", err)
	}
	// What was spawned runs until it is killed.
	hang := Installer{Kind: NSIS, Version: "1.2.0", Misdeed: Hangs}
	if err := d.CopyFile(hang.Build(t), `C:\bed\hang.exe`); err != nil {
		t.Fatal(err)
	}
	p := d.Spawn(t, `C:\bed\hang.exe`, "/S")
	if err := d.WaitFile(t.Context(), HangStarted); err != nil {
		t.Error(err)
	}
	if got := d.Running("hang.exe"); len(got) != 1 {
		t.Errorf("it runs as %v", got)
	}
	p.Kill()
	if err := waitUntil(t, func() bool { return len(d.Running("hang.exe")) == 0 }); err != nil {
		t.Error(err)
	}
}

func waitUntil(t *testing.T, so func() bool) error {
	limit := time.After(20 * time.Second)
	for !so() {
		select {
		case <-limit:
			return errors.New("not so after 20 s")
		case <-t.Context().Done():
			return t.Context().Err()
		case <-time.After(10 * time.Millisecond):
		}
	}
	return nil
}

// Two devices share nothing.
func TestWindowsDevicesAreApart(t *testing.T) {
	t.Parallel()
	a, b := NewWindows(t, WindowsOptions{}), NewWindows(t, WindowsOptions{})
	a.Must(t, "reg", "add", `HKLM\SOFTWARE\Mine`)
	if _, err := b.Registry(t.Context(), `HKLM\SOFTWARE\Mine`); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the other has it too: %v", err)
	}
}

// Installers install, upgrade, and do the misdeeds they are for.
func TestWindowsInstallers(t *testing.T) {
	t.Parallel()
	d := NewWindows(t, WindowsOptions{})
	install := func(i Installer) int {
		t.Helper()
		name := `C:\bed\` + i.file()
		if err := d.CopyFile(i.Build(t), name); err != nil {
			t.Fatal(err)
		}
		args := []string{name, "/S"}
		if i.Kind == MSI {
			args = []string{"msiexec", "/i", name, "/qn"}
		}
		r, err := d.Run(t.Context(), args...)
		if err != nil {
			t.Fatal(err)
		}
		return r.Code
	}
	shown := func(i Installer) string {
		t.Helper()
		root, names := uninstall, []string{}
		if i.User {
			root = `HKCU\Software\Microsoft\Windows\CurrentVersion\Uninstall`
		}
		// wine files both kinds of MSI under the machine
		for _, root := range []string{root, uninstall} {
			r, err := d.Registry(t.Context(), root)
			if errors.Is(err, fs.ErrNotExist) {
				continue
			}
			if err != nil {
				t.Fatal(err)
			}
			full := strings.Replace(root, "HKCU", "HKEY_CURRENT_USER", 1)
			k, err := r.Registry(full, provider.View64)
			if err != nil {
				t.Fatal(err)
			}
			for _, name := range k.Keys {
				e, _ := r.Registry(full+`\`+name, provider.View64)
				if text := e.Values["DisplayName"].Text; text == i.Name() || text == i.Name()+" "+e.Values["DisplayVersion"].Text {
					names = append(names, e.Values["DisplayVersion"].Text)
				}
			}
			if len(names) > 0 {
				break
			}
		}
		return strings.Join(names, " ")
	}
	for _, kind := range []InstallerKind{MSI, NSIS} {
		for _, user := range []bool{false, true} {
			for _, version := range []string{"1.0.0", "1.1.0", "1.2.0"} {
				i := Installer{Kind: kind, Version: version, User: user}
				if code := install(i); code != 0 {
					t.Errorf("%+v ended with %d", i, code)
				}
				if got := shown(i); got != version {
					t.Errorf("%+v: the device shows %q", i, got)
				}
			}
		}
	}
	if code := install(Installer{Kind: MSI, Version: "1.1.0"}); code == 0 {
		t.Error("an older MSI replaced a newer one")
	}
	nsis := Installer{Kind: NSIS, Version: "1.2.0"}
	d.Must(t, `C:\Program Files\Bed NSIS\uninstall.exe`, "/S")
	if err := waitUntil(t, func() bool { return shown(nsis) == "" }); err != nil { // it goes on in a copy of itself
		t.Error(err)
	}
	for _, c := range []struct {
		i     Installer
		code  int
		shown string
	}{
		{Installer{Kind: NSIS, Version: "1.0.0", Misdeed: Lies}, 0, ""},
		{Installer{Kind: NSIS, Version: "1.0.0", Misdeed: Crashes}, 0xC0000005, ""},
		{Installer{Kind: NSIS, Version: "1.0.0", Misdeed: Exits, Code: 3010}, 3010, "1.0.0"},
		{Installer{Kind: NSIS, Version: "1.1.0", Misdeed: Exits, Code: 1603}, 1603, "1.1.0"},
	} {
		if code := install(c.i); code != c.code || shown(c.i) != c.shown {
			t.Errorf("%+v ended with %#x and shows %q", c.i, code, shown(c.i))
		}
	}
	hang := Installer{Kind: NSIS, Version: "1.2.0", Misdeed: Hangs}
	if err := d.CopyFile(hang.Build(t), `C:\bed\hang.exe`); err != nil {
		t.Fatal(err)
	}
	p := d.Spawn(t, `C:\bed\hang.exe`, "/S")
	if err := d.WaitFile(t.Context(), HangStarted); err != nil {
		t.Fatal(err)
	}
	if got := shown(hang); got != "1.1.0" {
		t.Errorf("while it hangs the device shows %s", got)
	}
	if err := d.PutFile(HangRelease, ""); err != nil {
		t.Fatal(err)
	}
	if code := p.Code(); code != 0 || shown(hang) != "1.2.0" {
		t.Errorf("released, it ended with %d and shows %s", code, shown(hang))
	}
}

// What a killed test left is cleared by the next device.
func TestWindowsOfAKilledTestIsSwept(t *testing.T) {
	t.Parallel()
	d := NewWindows(t, WindowsOptions{})
	dir := t.TempDir()
	lock, err := os.Create(dir + "/lock")
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Close()
	if _, err := lock.WriteString(`"` + d.dir + `"`); err != nil {
		t.Fatal(err)
	}
	if err := sweepWindows(lock); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(d.dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the folder: %v", err)
	}
	if err := waitUntil(t, func() bool { return d.Running("services.exe") == nil }); err != nil {
		t.Error("it still runs")
	}
	if note, err := os.ReadFile(lock.Name()); err != nil || len(note) > 0 {
		t.Errorf("the note: %s, %v", note, err)
	}
}
