package e2e

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"patchbay/server/view"
	"patchbay/test/bed"
	"patchbay/wire"
)

const windowsAgent = `C:\bed\patchbay-agent.exe`

// ward is a Windows whose agent and installers are ended in the middle.
type ward struct {
	*endpoint
	w *bed.WindowsDevice
	o *office
	m *bed.Signer
}

func newWard(t *testing.T) *ward {
	in := install(t, "--check-in", "4s")
	d := &ward{o: in.newOffice(), m: bed.NewSigner(t, "Bed Works"), w: bed.NewWindows(t, bed.WindowsOptions{Name: "ward"})}
	for _, i := range []bed.Installer{{Kind: bed.MSI, Version: "1.0.0"}, {Kind: bed.NSIS, Version: "1.0.0"}} {
		path := d.release(i)
		file := `C:\bed\first.` + string(i.Kind)
		if err := d.w.CopyFile(path, file); err != nil {
			t.Fatal(err)
		}
		if i.Kind == bed.MSI {
			d.w.Must(t, "msiexec", "/i", file, "/qn")
		} else {
			d.w.Must(t, file, "/S")
		}
	}
	if err := d.w.CopyFile(bed.GoProgram(t, "patchbay/cmd/patchbay-agent"), windowsAgent); err != nil {
		t.Fatal(err)
	}
	site := in.site(in.customer("Acme"), "HQ", byHand(always()))
	server, token := in.newToken(site)
	d.w.Must(t, windowsAgent, "enroll", "--server", server, "--token", token)
	d.endpoint = &endpoint{Device: &bed.Device{Name: "ward"}, in: in}
	d.begin()
	d.id = in.windowsDevice(site).ID
	return d
}

// begin starts the agent, which is not a service here: nobody else starts it again.
func (d *ward) begin() {
	d.in.t.Helper()
	p := d.w.Spawn(d.in.t, windowsAgent, "run", "--reconnect", "1s")
	d.in.t.Cleanup(func() {
		if d.in.t.Failed() {
			d.in.t.Logf("an agent said:\n%s", p.Output())
		}
	})
}

// release signs an installer, pins it and gives it to the server.
func (d *ward) release(i bed.Installer) string {
	path := d.m.Sign(d.o.in.t, i.Build(d.o.in.t))
	id, kind := "BedWorks.Nsis", "nullsoft"
	if i.Kind == bed.MSI {
		id, kind = "BedWorks.Msi", "wix"
	}
	d.o.describe(id, i.Name(), i.Version, kind, path)
	d.o.pin(id, path)
	return path
}

// wanted approves a version once it is on offer.
func (d *ward) wanted(item, version string) {
	d.in.t.Helper()
	d.waitFor("until "+version+" is on offer", func() bool { return d.needs()[item].Available == version })
	d.approve(item, false)
}

// told reports whether a job for a version was told with a result and these words.
func (d *ward) told(version string, r wire.Result, words string) bool {
	d.in.t.Helper()
	for _, j := range call[view.Page[view.Job]](d.in, "GET", "/jobs?device="+d.id, nil).Items {
		if j.To != version {
			continue
		}
		for _, o := range call[view.JobDetail](d.in, "GET", "/jobs/"+j.ID, nil).Outcomes {
			if o.Result == r && strings.Contains(o.Message, words) {
				return true
			}
		}
	}
	return false
}

// ends counts how often jobs for a version of an item ended.
func (d *ward) ends(item, version string) (n int) {
	d.in.t.Helper()
	for _, j := range call[view.Page[view.Job]](d.in, "GET", "/jobs?device="+d.id, nil).Items {
		if j.To == version && j.Item.Name == item && call[view.JobDetail](d.in, "GET", "/jobs/"+j.ID, nil).Receipt != nil {
			n++
		}
	}
	return n
}

// atWork waits until the agent has let msiexec run, and gives its number.
func (d *ward) atWork() int {
	d.in.t.Helper()
	ctx, cancel := context.WithTimeout(d.in.t.Context(), patience)
	defer cancel()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for ctx.Err() == nil {
		record, _ := d.w.ReadFile(windowsState + `\winget-running.json`) // not there before the first
		if pids := d.w.Running("msiexec.exe"); len(pids) > 0 && strings.Contains(string(record), "Bed MSI") {
			return pids[0]
		}
		<-tick.C
	}
	d.in.t.Fatal("no msiexec ran")
	return 0
}

func fileOf(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// The agent is killed while an installer runs; so is an installer; and a server's copy of one
// is changed. Whatever is told is what the registry shows. Nothing is installed twice or by
// two at once, nothing else is ever run, and nothing but what was asked for is left.
func TestWindowsProgramsAreStoppedInTheMiddle(t *testing.T) {
	t.Parallel()
	d := newWard(t)
	before := d.w.Files(t)
	anew := func() {
		t.Helper()
		if err := os.Remove(d.w.HostPath(bed.HangStarted)); err != nil {
			t.Fatal(err)
		}
	}

	// The agent, while an NSIS installer is at work. The installer goes on, and is waited for.
	file := fileOf(t, d.release(bed.Installer{Kind: bed.NSIS, Version: "1.1.0", Misdeed: bed.Hangs})) + ".exe"
	d.wanted("Bed NSIS", "1.1.0")
	if err := d.w.WaitFile(t.Context(), bed.HangStarted); err != nil {
		t.Fatal(err)
	}
	d.w.KillProgram("patchbay-agent.exe")
	anew()
	if n := len(d.w.Running(file)); n != 1 {
		t.Fatalf("%d installers run after the agent was killed", n)
	}
	d.begin()
	d.waitFor("until it says that the installer is still at work", func() bool { return d.told("1.1.0", wire.ResultBusy, "still at work") })
	d.lists(d.w, "Bed NSIS", "1.0.0")
	if n := len(d.w.Running(file)); n != 1 || d.w.Exists(bed.HangStarted) {
		t.Errorf("%d installers run side by side", n)
	}
	if n := d.needs()["Bed NSIS"]; n.Installed != "1.0.0" || n.Verdict.Name == "VERIFIED" {
		t.Errorf("meanwhile it is told as %s, %s", n.Installed, n.Verdict.Name)
	}
	if err := d.w.PutFile(bed.HangRelease, ""); err != nil {
		t.Fatal(err)
	}
	d.expect("Bed NSIS", "VERIFIED")
	d.lists(d.w, "Bed NSIS", "1.1.0")
	if n := d.ends("Bed NSIS", "1.1.0"); n != 1 || d.w.Exists(bed.HangStarted) {
		t.Errorf("%d jobs ended, or it was installed twice", n)
	}

	// The agent, while msiexec is at work, which is over soon: whatever the next one finds, once
	// is enough.
	d.release(bed.Installer{Kind: bed.MSI, Version: "1.1.0"})
	d.wanted("Bed MSI", "1.1.0")
	d.atWork()
	d.w.KillProgram("patchbay-agent.exe")
	d.begin()
	d.expect("Bed MSI", "VERIFIED")
	d.lists(d.w, "Bed MSI", "1.1.0")
	if n := d.ends("Bed MSI", "1.1.0"); n != 1 {
		t.Errorf("%d jobs ended", n)
	}

	// The installer itself: the registry says that nothing changed, and the next try does it.
	if err := os.Remove(d.w.HostPath(bed.HangRelease)); err != nil {
		t.Fatal(err)
	}
	file = fileOf(t, d.release(bed.Installer{Kind: bed.NSIS, Version: "1.2.0", Misdeed: bed.Hangs})) + ".exe"
	d.wanted("Bed NSIS", "1.2.0")
	if err := d.w.WaitFile(t.Context(), bed.HangStarted); err != nil {
		t.Fatal(err)
	}
	d.w.KillProgram(file)
	says(t, d.expect("Bed NSIS", "FAILED"), "1.1.0")
	d.lists(d.w, "Bed NSIS", "1.1.0")
	if err := d.w.PutFile(bed.HangRelease, ""); err != nil {
		t.Fatal(err)
	}
	call[object](d.in, "POST", "/needs/"+d.needs()["Bed NSIS"].ID+"/retry", object{})
	d.expect("Bed NSIS", "VERIFIED")
	d.lists(d.w, "Bed NSIS", "1.2.0")
	anew()

	// And msiexec, anywhere between taking the old version away and having the new one there.
	d.release(bed.Installer{Kind: bed.MSI, Version: "1.2.0"})
	d.wanted("Bed MSI", "1.2.0")
	if err := syscall.Kill(d.atWork(), syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
		t.Fatal(err)
	}
	if n := d.expect("Bed MSI", "FAILED", "VERIFIED"); n.Verdict.Name == "FAILED" {
		if found := shownAs(t, d.w, "Bed MSI"); slices.Contains(found, "1.2.0") {
			t.Errorf("it is told as failed, and Windows lists %q", found)
		}
		call[object](d.in, "POST", "/needs/"+n.ID+"/retry", object{})
		d.expect("Bed MSI", "VERIFIED")
	}
	d.lists(d.w, "Bed MSI", "1.2.0")

	// One byte is changed at the server: it is refused, never run, and said so.
	path := filepath.Join(d.in.data, "content", fileOf(t, d.release(bed.Installer{Kind: bed.NSIS, Version: "1.3.0", Misdeed: bed.Hangs})))
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	changed := slices.Clone(whole)
	changed[len(changed)/2] ^= 1
	if err := os.WriteFile(path, changed, 0o600); err != nil {
		t.Fatal(err)
	}
	d.wanted("Bed NSIS", "1.3.0")
	says(t, d.expect("Bed NSIS", "FAILED"), "hash")
	d.lists(d.w, "Bed NSIS", "1.2.0")
	if d.w.Exists(bed.HangStarted) {
		t.Error("what was changed was run")
	}
	if err := os.WriteFile(path, whole, 0o600); err != nil {
		t.Fatal(err)
	}
	call[object](d.in, "POST", "/needs/"+d.needs()["Bed NSIS"].ID+"/retry", object{})
	d.expect("Bed NSIS", "VERIFIED")
	d.lists(d.w, "Bed NSIS", "1.3.0")

	d.w.KillProgram("patchbay-agent.exe")
	left := slices.DeleteFunc(news(before, d.w.Files(t)), func(name string) bool {
		return strings.HasPrefix(name, "ProgramData/patchbay-agent/") || strings.HasPrefix(name, "windows/Installer/")
	})
	if len(left) > 0 || len(d.w.Running("msiexec.exe")) > 0 {
		t.Errorf("left behind: %v", left)
	}
}
