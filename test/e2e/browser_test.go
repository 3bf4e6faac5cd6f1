package e2e

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"patchbay/server/view"
	"patchbay/test/bed"
)

// needBrowser skips where the console was not built or there is no browser, unless
// everything is required.
func needBrowser(t *testing.T) {
	t.Helper()
	console := filepath.Join("..", "..", "console")
	_, err := os.Stat(filepath.Join(console, "dist", "app", "index.html"))
	if err == nil {
		_, err = os.Stat(filepath.Join(console, "node_modules", "playwright-core"))
	}
	if err == nil {
		_, err = exec.LookPath("chromium")
	}
	if err != nil {
		if os.Getenv("PATCHBAY_BED_REQUIRED") != "" {
			t.Fatalf("no browser to look with: %v", err)
		}
		t.Skipf("no browser to look with (build the console, npm ci, install chromium): %v", err)
	}
}

// The whole path once more, as a person sees it.
func TestThePathInABrowser(t *testing.T) {
	t.Parallel()
	needBrowser(t)
	in := installEmpty(t)
	archive := bed.NewArchive(t)
	archive.Publish(t, bed.Stable, "1.0")
	d := in.bed.Device(t, bed.Options{Name: "front-desk", Origin: in.bed.Serve(t, archive), Install: []string{"bed-lib", "bed-conf"}})
	archive.Publish(t, bed.Security, "bed-lib=1.2")
	archive.Publish(t, bed.Stable, "bed-conf=1.1")
	d.Must(t, "apt-get", "update")

	link, err := os.ReadFile(filepath.Join(in.data, "link"))
	if err != nil {
		t.Fatal(err)
	}
	in.walk("path.mjs", []string{"LINK=" + strings.TrimSpace(string(link)), "ITEM=bed-lib", "OTHER=bed-conf"}, "ENROL ",
		func(line string) string { return in.enrolByLine(d, line) })
	p, err := d.Oracle().Package(t.Context(), "bed-lib")
	if err != nil || p.String() != "1.2 installed" {
		t.Errorf("the page says verified; on the device bed-lib is %s, %v", p, err)
	}
	if p, err := d.Oracle().Package(t.Context(), "bed-conf"); err != nil || p.String() != "1.0 installed" {
		t.Errorf("rejected, and on the device bed-conf is %s, %v", p, err)
	}
}

// An old program of a Windows machine, as a technician sees it: approved, verified and taken
// back in the browser, and each time the machine's own registry says the same.
func TestAWindowsProgramInABrowser(t *testing.T) {
	t.Parallel()
	needBrowser(t)
	in := install(t)
	o := in.newOffice()
	maker := bed.NewSigner(t, "Bed Works")
	msi := map[string]string{}
	for _, v := range []string{"1.0.0", "1.1.0"} {
		msi[v] = maker.Sign(t, bed.Installer{Kind: bed.MSI, Version: v}.Build(t))
		o.describe("BedWorks.Msi", "Bed MSI", v, "wix", msi[v])
		o.pin("BedWorks.Msi", msi[v])
	}
	w := bed.NewWindows(t, bed.WindowsOptions{Name: "front-desk"})
	for name, path := range map[string]string{"bed.msi": msi["1.0.0"], "patchbay-agent.exe": bed.GoProgram(t, "patchbay/cmd/patchbay-agent")} {
		if err := w.CopyFile(path, `C:\bed\`+name); err != nil {
			t.Fatal(err)
		}
	}
	w.Must(t, "msiexec", "/i", `C:\bed\bed.msi`, "/qn")
	site := in.site(in.customer("Acme"), "Head office", byHand(always()))
	server, token := in.newToken(site)
	w.Must(t, `C:\bed\patchbay-agent.exe`, "enroll", "--server", server, "--token", token)
	w.Must(t, `C:\bed\patchbay-agent.exe`, "install")
	t.Cleanup(func() {
		if t.Failed() {
			log, _ := w.ReadFile(windowsState + `\agent.log`)
			t.Logf("the agent's log:\n%s", log)
		}
	})
	device := in.windowsDevice(site)
	(&endpoint{Device: &bed.Device{Name: w.Name}, in: in, id: device.ID}).expect("Bed MSI", "WAITS_DECISION")
	in.walk("windows.mjs", []string{"BASE=" + in.console, "EMAIL=" + adminEmail, "PASSWORD=" + adminPassword, "DEVICE=" + device.ID,
		"ITEM=Bed MSI", "FROM=1.0.0", "TO=1.1.0"}, "LISTS ", func(string) string { return strings.Join(shownAs(t, w, "Bed MSI"), " and ") })
}

// walk runs a script of the console's that goes through it in a browser. What it asks in a
// line that begins with asks is answered; what else it says is a fault. Its pictures are kept
// in PATCHBAY_SHOTS.
func (in *installation) walk(script string, env []string, asks string, answer func(string) string) {
	t := in.t
	t.Helper()
	shots := os.Getenv("PATCHBAY_SHOTS")
	if shots == "" {
		shots = t.TempDir()
	}
	if err := os.MkdirAll(shots, 0o755); err != nil {
		t.Fatal(err)
	}
	walk := exec.CommandContext(t.Context(), "nsenter", "--net="+quietNetwork(t, in.host(in.console)), "node", filepath.Join("..", "..", "console", "e2e", script))
	walk.Env = append(append(os.Environ(), "SHOTS="+shots), env...)
	var errors strings.Builder
	walk.Stderr = &errors
	answers, err := walk.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	said, err := walk.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := walk.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(said)
	for lines.Scan() {
		if line, ok := strings.CutPrefix(lines.Text(), asks); ok {
			fmt.Fprintln(answers, answer(line))
			continue
		}
		t.Error(lines.Text())
	}
	io.Copy(io.Discard, said)
	if err := walk.Wait(); err != nil {
		t.Fatalf("%v\n%s", err, errors.String())
	}
}

// enrolByLine runs the line a page shows and the agent, and waits for the device's needs.
func (in *installation) enrolByLine(d *bed.Device, line string) string {
	in.t.Helper()
	if err := d.CopyFile(filepath.Join(in.bin, "patchbay-agent"), "/usr/bin/patchbay-agent", 0o755); err != nil {
		in.t.Fatal(err)
	}
	d.Must(in.t, strings.Fields(line)...)
	e := &endpoint{Device: d, in: in}
	e.run()
	in.signIn()
	e.waitFor("to be listed with its needs", func() bool {
		for _, dev := range call[view.Page[view.Device]](in, "GET", "/devices", nil).Items {
			if dev.Name == d.Name && dev.Posture.Needs > 1 {
				e.id = dev.ID
			}
		}
		return e.id != ""
	})
	return e.id
}

// signIn makes an API key for the administrator who was made in the browser.
func (in *installation) signIn() {
	in.t.Helper()
	reply, err := http.Post(in.console+"/api/v1/session", "application/json",
		strings.NewReader(fmt.Sprintf(`{"email":%q,"password":%q}`, adminEmail, adminPassword)))
	if err != nil {
		in.t.Fatal(err)
	}
	in.makeKey(reply)
}
