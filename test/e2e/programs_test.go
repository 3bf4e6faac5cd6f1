package e2e

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"patchbay/server/view"
	"patchbay/test/bed"
)

// office is where the keys lie that no server has, and what was signed with them.
type office struct {
	in       *installation
	dir      string
	manifest string // the folder of manifests
	last     string // the newest catalogue, "" before the first
	n        int
}

// newOffice makes root and publisher, and publishes the root.
func (in *installation) newOffice() *office {
	in.t.Helper()
	o := &office{in: in, dir: in.t.TempDir(), manifest: in.t.TempDir()}
	if err := os.WriteFile(o.file("pass"), []byte("six words that nobody else knows\n"), 0o600); err != nil {
		in.t.Fatal(err)
	}
	line := o.run("server-key", "--data", in.data)
	if err := os.WriteFile(o.file("server.pub"), []byte(line), 0o600); err != nil {
		in.t.Fatal(err)
	}
	o.run("key", "init", o.file("keys"), "--root-keys", "1", "--server-key", o.file("server.pub"), "--passphrase-file", o.file("pass"))
	o.run("trust", "publish", o.root())
	return o
}

func (o *office) file(name string) string { return filepath.Join(o.dir, name) }
func (o *office) root() string            { return o.file("keys/root-v1.json") }

// run runs the operator's command line, which must succeed.
func (o *office) run(args ...string) string {
	o.in.t.Helper()
	cmd := exec.Command(filepath.Join(o.in.bin, "patchbay"), args...)
	cmd.Dir = o.dir
	cmd.Env = append(os.Environ(), "PATCHBAY_SERVER="+o.in.console, "PATCHBAY_KEY="+o.in.key, "HOME="+o.dir)
	out, err := cmd.CombinedOutput()
	if err != nil {
		o.in.t.Fatalf("patchbay %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

// describe writes winget's manifest of one version, as its maker would.
func (o *office) describe(id, name, version, kind, path string) {
	o.in.t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		o.in.t.Fatal(err)
	}
	sum := sha256.Sum256(b)
	text := fmt.Sprintf(`PackageIdentifier: %s
PackageVersion: %s
PackageLocale: en-US
Publisher: Bed Works
PackageName: %s
License: MIT
ShortDescription: A program of the test bed
Installers:
- Architecture: x64
  InstallerType: %s
  Scope: machine
  InstallerUrl: https://example.com/%s
  InstallerSha256: %s
ManifestType: singleton
ManifestVersion: 1.6.0
`, id, version, name, kind, filepath.Base(path), strings.ToUpper(hex.EncodeToString(sum[:])))
	dir := filepath.Join(o.manifest, "manifests", strings.ToLower(id[:1]), strings.ReplaceAll(id, ".", "/"), version)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		o.in.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, id+".yaml"), []byte(text), 0o600); err != nil {
		o.in.t.Fatal(err)
	}
}

// pin drafts the next catalogue, signs and publishes it, and gives the server the installer.
func (o *office) pin(id, path string) string {
	o.in.t.Helper()
	o.n++
	next := o.file(fmt.Sprintf("catalog-v%d.json", o.n))
	args := []string{"catalog", "pin", next, id, "--root", o.root(), "--from", o.manifest, "--installer", path}
	sign := []string{"sign", next, "--root", o.root(), "--with", o.file("keys/publisher.key"), "--passphrase-file", o.file("pass"), "--yes"}
	if o.last != "" {
		args, sign = append(args, "--last", o.last), append(sign, "--previous", o.last)
	}
	shown := o.run(args...)
	o.run(sign...)
	o.run("content", "add", path)
	o.run("trust", "publish", next)
	o.last = next
	return shown
}

// zipped is an archive with a file in it, and another beside.
func zipped(t *testing.T, name, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for name, text := range map[string][]byte{name: text, "version.dll": []byte("not to be loaded")} {
		f, err := z.Create(name)
		if err == nil {
			_, err = f.Write(text)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	path := filepath.Join(t.TempDir(), "setup.zip")
	if err := errors.Join(z.Close(), os.WriteFile(path, b.Bytes(), 0o600)); err != nil {
		t.Fatal(err)
	}
	return path
}

// A program of a Windows goes the whole way: it is read off the registry, pinned and signed
// away from the server, approved, installed by an agent that takes nothing else, read again,
// and taken back. What an installer says of itself is never what is told.
func TestWindowsProgramsGoTheWholeWay(t *testing.T) {
	t.Parallel()
	in := install(t)
	o := in.newOffice()
	maker := bed.NewSigner(t, "Bed Works")
	build := func(i bed.Installer) string { return maker.Sign(t, i.Build(t)) }
	msi, nsis := map[string]string{}, map[string]string{}
	for _, v := range []string{"1.0.0", "1.1.0"} {
		msi[v], nsis[v] = build(bed.Installer{Kind: bed.MSI, Version: v}), build(bed.Installer{Kind: bed.NSIS, Version: v})
		o.describe("BedWorks.Msi", "Bed MSI", v, "wix", msi[v])
		o.describe("BedWorks.Nsis", "Bed NSIS", v, "nullsoft", nsis[v])
		o.pin("BedWorks.Msi", msi[v])
		shown := o.pin("BedWorks.Nsis", nsis[v])
		if !strings.Contains(shown, "BedWorks.Nsis") || !strings.Contains(shown, "Bed Works") {
			t.Errorf("what is to be signed is shown as %s", shown)
		}
	}

	w := bed.NewWindows(t, bed.WindowsOptions{Name: "ada-pc"})
	for name, path := range map[string]string{"bed.msi": msi["1.0.0"], "bed.exe": nsis["1.0.0"], "patchbay-agent.exe": bed.GoProgram(t, "patchbay/cmd/patchbay-agent")} {
		if err := w.CopyFile(path, `C:\bed\`+name); err != nil {
			t.Fatal(err)
		}
	}
	w.Must(t, "msiexec", "/i", `C:\bed\bed.msi`, "/qn")
	w.Must(t, `C:\bed\bed.exe`, "/S")
	w.Import(t, "Windows Registry Editor Version 5.00\n\n[HKEY_LOCAL_MACHINE\\SYSTEM\\CurrentControlSet\\Services\\NinjaRMMAgent]\n\"Start\"=dword:00000002\n")
	editor, err := os.ReadFile(w.HostPath(`C:\windows\system32\ping.exe`)) // it runs until it is ended
	if err != nil {
		t.Fatal(err)
	}
	if err := w.PutFile(`C:\Program Files\Bed NSIS\editor.exe`, string(editor)); err != nil {
		t.Fatal(err)
	}
	// Without an agent nobody knows what is newer, and that is said; with the catalogue in hand it is.
	if err := w.CopyFile(o.last, `C:\bed\catalog.json`); err != nil {
		t.Fatal(err)
	}
	audits := func(args ...string) (code int, report struct {
		Headline string
		Updates  []struct{ Name, Available string }
		Tell     []string `json:"could_not_tell"`
	}) {
		t.Helper()
		r, err := w.Run(t.Context(), append([]string{`C:\bed\patchbay-agent.exe`, "audit", "--json"}, args...)...)
		if err != nil {
			t.Fatal(err)
		}
		decode(t, r.Stdout, &report)
		return r.Code, report
	}
	if code, r := audits(); code != 2 || len(r.Updates) != 0 || !strings.Contains(strings.Join(r.Tell, " "), "no signed catalogue") {
		t.Errorf("without a catalogue the audit ended with %d: %+v", code, r)
	}
	if code, r := audits("--catalog", `C:\bed\catalog.json`); code == 0 || len(r.Updates) != 2 || r.Updates[0].Available != "1.1.0" {
		t.Errorf("with one it ended with %d: %+v", code, r)
	}
	site := in.site(in.customer("Acme"), "HQ", byHand(always()))
	server, token := in.newToken(site)
	w.Must(t, `C:\bed\patchbay-agent.exe`, "enroll", "--server", server, "--token", token)
	w.Must(t, `C:\bed\patchbay-agent.exe`, "install")
	device := in.windowsDevice(site)
	e := &endpoint{Device: &bed.Device{Name: "ada-pc"}, in: in, id: device.ID}
	t.Cleanup(func() {
		if t.Failed() {
			log, _ := w.ReadFile(windowsState + `\agent.log`)
			t.Logf("the agent's log:\n%s", log)
		}
	})

	for _, item := range []string{"Bed MSI", "Bed NSIS"} {
		n := e.expect(item, "WAITS_DECISION")
		if n.Installed != "1.0.0" || n.Available != "1.1.0" || string(n.Reversibility) != "B" {
			t.Errorf("%s: %s → %s, class %s (%s)", item, n.Installed, n.Available, n.Reversibility, n.ReversibilityWhy)
		}
		e.approve(item, false)
	}
	for _, item := range []string{"Bed MSI", "Bed NSIS"} { // another tool is at home there
		says(t, e.expect(item, "TWO_MASTERS"), "NinjaOne may install it on this device too")
	}
	open := w.Spawn(t, `C:\Program Files\Bed NSIS\editor.exe`, "-n", "3600", "127.0.0.1")
	policy := byHand(always())
	policy["beside"] = []string{"NinjaOne"}
	call[view.Site](in, "PATCH", "/sites/"+site, object{"policy": policy})
	says(t, e.expect("Bed NSIS", "WAITS_USER"), "Bed NSIS (editor.exe)", "until it is closed")
	open.Kill()
	w.KillProgram("editor.exe")
	e.approve("Bed NSIS", true) // so that it does not wait until it looks again
	for _, item := range []string{"Bed MSI", "Bed NSIS"} {
		e.expect(item, "VERIFIED")
		e.lists(w, item, "1.1.0")
	}
	for _, item := range []string{"Bed MSI", "Bed NSIS"} {
		call[object](in, "POST", "/approvals", object{"level": "device", "target": e.id, "what": object{"need": e.needs()[item].ID}, "answer": "undo", "reason": "it does not print"})
	}
	for _, item := range []string{"Bed MSI", "Bed NSIS"} {
		says(t, e.expect(item, "ROLLED_BACK"), "1.0.0", "does not print")
		e.lists(w, item, "1.0.0")
	}

	// One that lies, signed by its maker and by the publisher: it ends well and changes nothing.
	lie := build(bed.Installer{Kind: bed.NSIS, Version: "1.2.0", Misdeed: bed.Lies})
	o.describe("BedWorks.Nsis", "Bed NSIS", "1.2.0", "nullsoft", lie)
	o.pin("BedWorks.Nsis", lie)
	e.waitFor("until 1.2.0 is on offer", func() bool { return e.needs()["Bed NSIS"].Available == "1.2.0" })
	e.approve("Bed NSIS", false)
	says(t, e.expect("Bed NSIS", "FAILED"), "1.0.0")
	e.lists(w, "Bed NSIS", "1.0.0")

	// One in an archive: the signer that is pinned is that of the file in it.
	packed := zipped(t, "in/setup.exe", build(bed.Installer{Kind: bed.NSIS, Version: "1.3.0"}))
	o.describe("BedWorks.Nsis", "Bed NSIS", "1.3.0", "zip\n  NestedInstallerType: nullsoft\n  NestedInstallerFiles:\n  - RelativeFilePath: in\\setup.exe", packed)
	if shown := o.pin("BedWorks.Nsis", packed); !strings.Contains(shown, "in/setup.exe") || !strings.Contains(shown, "Bed Works") {
		t.Errorf("what is to be signed is shown as %s", shown)
	}
	e.waitFor("until 1.3.0 is on offer", func() bool { return e.needs()["Bed NSIS"].Available == "1.3.0" })
	e.approve("Bed NSIS", false)
	e.expect("Bed NSIS", "VERIFIED")
	e.lists(w, "Bed NSIS", "1.3.0")

	e.waitFor("for receipts that prove 5 jobs", func() bool { return e.proven() == 5 }) // the reading may be here before the last
}

// proven counts the device's jobs that have a receipt which proves them.
func (e *endpoint) proven() (n int) {
	for _, j := range call[view.Page[view.Job]](e.in, "GET", "/jobs?device="+e.id, nil).Items {
		if r := call[view.JobDetail](e.in, "GET", "/jobs/"+j.ID, nil).Receipt; r != nil && r.SignatureOK && r.Verified {
			n++
		}
	}
	return n
}

// lists holds that the registry itself, read from outside, has a program in this version alone.
func (e *endpoint) lists(w *bed.WindowsDevice, name, version string) {
	e.in.t.Helper()
	if found := shownAs(e.in.t, w, name); !slices.Equal(found, []string{version}) {
		e.in.t.Errorf("Windows lists %s in %q, want %s", name, found, version)
	}
}
