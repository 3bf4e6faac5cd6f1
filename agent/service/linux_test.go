//go:build linux

package service

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"patchbay/wire"
)

// files lists all files below a root.
func files(t *testing.T, root string) (found []string) {
	t.Helper()
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			found = append(found, strings.TrimPrefix(path, root))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func newMachine(t *testing.T) (Machine, *[]string) {
	t.Helper()
	var calls []string
	return Machine{Root: t.TempDir(), Systemctl: func(_ context.Context, args ...string) error {
		calls = append(calls, strings.Join(args, " "))
		return nil
	}}, &calls
}

func TestUninstallLeavesNothing(t *testing.T) {
	m, calls := newMachine(t)
	o := Options{State: "/var/lib/patchbay-agent", Mode: wire.Manage}
	state := m.path(o.State)
	if err := os.MkdirAll(filepath.Join(state, "apt"), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"identity.json", "key.pem", "journal", "lock", "apt/refreshed.json"} {
		if err := os.WriteFile(filepath.Join(state, name), []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 { // again brings it up to date
		if err := m.Install(context.Background(), o); err != nil {
			t.Fatal(err)
		}
	}
	if info, err := os.Stat(m.path(program)); err != nil || info.Mode().Perm() != 0o755 {
		t.Errorf("the program: %v, %v", info, err)
	}
	for range 2 { // and again is no error
		if err := m.Uninstall(context.Background(), o); err != nil {
			t.Fatal(err)
		}
	}
	if left := files(t, m.Root); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	if _, err := os.Stat(state); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the state directory: %v", err)
	}
	want := "daemon-reload enable patchbay-agent restart patchbay-agent"
	if got := strings.Join((*calls)[:3], " "); got != want {
		t.Errorf("called %s", got)
	}
}

func TestUninstallTouchesNobodyElsesFiles(t *testing.T) {
	m, _ := newMachine(t)
	home := m.path("/home/ada")
	if err := os.MkdirAll(home, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(home, "thesis.txt"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := m.Uninstall(context.Background(), Options{State: "/home/ada"}); err == nil {
		t.Error("no word of it")
	}
	if left := files(t, m.Root); len(left) != 1 {
		t.Errorf("left: %v", left)
	}
}

// A service goes through the proxy of whoever installed it, also after an installation anew
// from where none is set, and nobody but root can read its password.
func TestServiceKnowsTheProxyOfWhoInstalledIt(t *testing.T) {
	m, _ := newMachine(t)
	o := Options{State: "/var/lib/patchbay-agent", Mode: wire.Manage, Environment: []string{
		"HOME=/root", `HTTPS_PROXY=http://a:b"$c\d@proxy.example:3128`, "no_proxy=10.0.0.0/8", "NO_PROXY=x\nLD_PRELOAD=/evil"}}
	for _, environment := range [][]string{o.Environment, nil} {
		o.Environment = environment
		if err := m.Install(context.Background(), o); err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(m.path("/var/lib/patchbay-agent/proxy.env"))
		want := `HTTPS_PROXY="http://a:b\"\$c\\d@proxy.example:3128"` + "\n" + `no_proxy="10.0.0.0/8"` + "\n"
		if err != nil || string(text) != want {
			t.Errorf("%s, %v", text, err)
		}
	}
	if info, err := os.Stat(m.path("/var/lib/patchbay-agent/proxy.env")); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
	if unit := Unit("/bin/true", o); !strings.Contains(unit, "\nEnvironmentFile=-/var/lib/patchbay-agent/proxy.env\n") {
		t.Errorf("the unit does not read it:\n%s", unit)
	}
}

// TestUnitsAreWhatSystemdTakes lets systemd itself read both units.
func TestUnitsAreWhatSystemdTakes(t *testing.T) {
	analyze, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Skip("no systemd-analyze here")
	}
	for mode, exposure := range map[wire.Mode]string{wire.Observe: "35", wire.Manage: "85"} {
		path := filepath.Join(t.TempDir(), Name+".service")
		unit := Unit("/bin/true", Options{State: "/var/lib/patchbay agent's 100%", Mode: mode})
		if err := os.WriteFile(path, []byte(unit), 0o600); err != nil {
			t.Fatal(err)
		}
		if out, err := exec.Command(analyze, "verify", "--recursive-errors=no", path).CombinedOutput(); err != nil || strings.Contains(string(out), Name) {
			t.Errorf("%s: %v: %s", mode, err, out)
		}
		out, err := exec.Command(analyze, "security", "--offline=true", "--threshold="+exposure, path).CombinedOutput()
		if err != nil {
			t.Errorf("%s: %v: %s", mode, err, out)
		}
		lines := strings.Split(strings.TrimSpace(string(out)), "\n")
		t.Logf("%s: %s", mode, lines[len(lines)-1])
	}
}
