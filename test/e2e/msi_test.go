package e2e

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"patchbay/provider"
	"patchbay/server/view"
	"patchbay/test/bed"
)

// windowsInstaller builds the agent's installer as a release does, signed.
func windowsInstaller(t *testing.T, version string, s *bed.Signer) string {
	t.Helper()
	dir := t.TempDir()
	program := bed.GoProgram(t, "patchbay/cmd/patchbay-agent", "-ldflags=-s -w -X main.version="+version)
	for _, args := range [][]string{{"scripts/sign", program}, {"scripts/msi", program, version, dir}} {
		cmd := exec.Command(args[0], args[1:]...)
		cmd.Dir = filepath.Join("..", "..")
		cmd.Env = append(os.Environ(), "SOURCE_DATE_EPOCH=1767225600", "PATCHBAY_SIGN_CERT="+s.CertificateFile(), "PATCHBAY_SIGN_KEY="+s.KeyFile())
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", args[0], err, out)
		}
	}
	msi := filepath.Join(dir, "patchbay-agent_"+version+"_amd64.msi")
	for _, file := range []string{program, msi} {
		if out, err := exec.Command("osslsigncode", "verify", "-CAfile", s.CertificateFile(), "-in", file).CombinedOutput(); err != nil {
			t.Errorf("the signature of %s: %v\n%s", filepath.Base(file), err, out)
		}
	}
	return msi
}

// A silent installation with a server and a token lets a Windows in; an upgrade keeps who it
// is; removing leaves nothing; and the token is nowhere once it was used.
func TestWindowsInstallerLetsInUpgradesAndLeavesNothing(t *testing.T) {
	t.Parallel()
	in := install(t)
	w := bed.NewWindows(t, bed.WindowsOptions{Name: "msi-pc"})
	signer := bed.NewSigner(t, "Bed Works")
	const first, next = `C:\bed\first.msi`, `C:\bed\next.msi`
	for name, version := range map[string]string{first: "1.0.0+test", next: "1.0.1+test"} {
		if err := w.CopyFile(windowsInstaller(t, version, signer), name); err != nil {
			t.Fatal(err)
		}
	}
	site := in.site(in.customer("Acme"), "HQ", byHand(always()))
	before := w.Files(t)
	server, token := in.newToken(site)

	w.Must(t, "msiexec", "/i", first, "/qn", "/l*v", `C:\bed\first.log`, "SERVER="+server, "TOKEN="+token)
	device := in.windowsDevice(site)
	if device.Agent.Build != "1.0.0+test" || device.Agent.Mode != "manage" {
		t.Errorf("the server lists %+v", device.Agent)
	}
	in.until("the service has quoted its own path", func() bool { // wine's installer does not
		command, err := w.Value(t.Context(), windowsService, "ImagePath")
		return err == nil && command != `"`+windowsFolder+`\patchbay-agent.exe" --state "`+windowsState+`" run --service`
	})
	in.until("the invitation is gone", func() bool { return !w.Exists(windowsState + `\invitation.json`) })
	tokenIsNowhere(t, w, token)

	// What an upgrade does, in its two steps: wine's own RemoveExistingProducts does not say for
	// which product it removes, as Windows Installer does.
	w.Must(t, "msiexec", "/x", first, "/qn", "UPGRADINGPRODUCTCODE={00000000-0000-0000-0000-000000000001}")
	if len(w.Running("patchbay-agent.exe")) > 0 || w.Exists(windowsFolder+`\patchbay-agent.exe`) || !w.Exists(windowsState+`\identity.json`) {
		t.Error("removing for an upgrade left the program, or took the identity")
	}
	w.Must(t, "msiexec", "/i", next, "/qn")
	in.until("the next version is heard", func() bool { return in.windowsDevice(site).Agent.Build == "1.0.1+test" })
	if all := call[view.Page[view.Device]](in, "GET", "/devices?site="+site+"&limit=10", nil).Items; len(all) != 1 || all[0].ID != device.ID {
		t.Errorf("after the upgrade the server lists %+v", all)
	}
	if shown := shownAs(t, w, "Patchbay agent"); !slices.Equal(shown, []string{"1.0.1"}) {
		t.Errorf("Windows shows the agent as %v", shown)
	}
	if r, err := w.Run(t.Context(), "msiexec", "/i", first, "/qn"); err != nil || r.Code == 0 {
		t.Errorf("an older version replaced a newer one: %+v, %v", r, err)
	}

	w.Must(t, "msiexec", "/x", next, "/qn")
	if _, err := w.Registry(t.Context(), windowsService); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the service is left: %v", err)
	}
	if left := news(before, w.Files(t)); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	if shown := shownAs(t, w, "Patchbay agent"); len(shown) > 0 || len(w.Running("patchbay-agent.exe")) > 0 {
		t.Errorf("Windows shows the agent as %v, running as %v", shown, w.Running("patchbay-agent.exe"))
	}
}

// tokenIsNowhere looks for a token in the registry, in the installer's log, and in every file
// but Windows' own.
func tokenIsNowhere(t *testing.T, w *bed.WindowsDevice, token string) {
	t.Helper()
	var places []string
	for i, key := range []string{`HKLM\SOFTWARE`, `HKLM\SYSTEM`, `HKU`} {
		file := fmt.Sprintf(`C:\bed\all-%d.reg`, i)
		w.Must(t, "reg", "export", key, file, "/y")
		places = append(places, w.HostPath(file))
	}
	top := w.HostPath(`C:\`)
	err := filepath.WalkDir(top, func(path string, d fs.DirEntry, err error) error {
		rel, _ := filepath.Rel(top, path)
		if err != nil || d.IsDir() && (rel == "windows/system32" || rel == "windows/Fonts" || rel == "bed") {
			return cmp.Or(err, fs.SkipDir)
		}
		if d.Type().IsRegular() {
			places = append(places, path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	spread := make([]byte, 0, 2*len(token)) // as UTF-16
	for _, c := range []byte(token) {
		spread = append(spread, c, 0)
	}
	for _, path := range places {
		if text, err := os.ReadFile(path); err == nil && (bytes.Contains(text, []byte(token)) || bytes.Contains(text, spread)) {
			t.Errorf("the token lies in %s", path)
		}
	}
	// wine writes every property into a log that somebody asked for; Windows Installer puts
	// asterisks for those that are named as hidden. No command line with it may be there.
	log, err := w.ReadFile(`C:\bed\first.log`)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(log)) {
		if strings.Contains(line, token) && !strings.HasPrefix(line, "Property(S): TOKEN = ") {
			t.Errorf("the installer's log has the token: %s", strings.ReplaceAll(line, token, "…"))
		}
	}
}

// shownAs is the versions in which Windows lists a program as installed.
func shownAs(t *testing.T, w *bed.WindowsDevice, program string) []string {
	t.Helper()
	const list = `HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Uninstall`
	export, err := w.Registry(t.Context(), list)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	k, err := export.Registry(list, provider.View64)
	if err != nil {
		t.Fatal(err)
	}
	var versions []string
	for _, name := range k.Keys {
		if e, err := export.Registry(list+`\`+name, provider.View64); err == nil && strings.HasPrefix(e.Values["DisplayName"].Text, program) {
			versions = append(versions, e.Values["DisplayVersion"].Text)
		}
	}
	return versions
}
