package e2e

import (
	"context"
	"path/filepath"
	"strings"
	"testing"

	"patchbay/server/view"
	"patchbay/test/bed"
)

// As a service on a machine that boots: the agent survives the reboot that an update asks
// for and that its site allows, and the update counts only after it.
func TestAServiceRebootsInItsWindow(t *testing.T) {
	t.Parallel()
	in := install(t)
	archive := bed.NewArchive(t)
	archive.Publish(t, bed.Stable, "1.0")
	site := in.site(in.customer("Acme"), "HQ", object{"auto": "security", "windows": []object{always()}, "reboots": object{"when": "window", "daily": 0}})
	d := in.bed.Device(t, bed.Options{Name: "server", Boot: true, Origin: in.bed.Serve(t, archive), Install: []string{"bed-reboot"}})
	archive.Publish(t, bed.Security, "bed-reboot=1.2")
	d.Must(t, "apt-get", "update")
	boot, err := d.Oracle().BootID()
	if err != nil {
		t.Fatal(err)
	}

	token := call[view.NewToken](in, "POST", "/sites/"+site+"/tokens", object{"mode": "manage", "uses": 1, "hours": 1})
	if err := d.CopyFile(filepath.Join(in.bin, "patchbay-agent"), "/usr/bin/patchbay-agent", 0o755); err != nil {
		t.Fatal(err)
	}
	d.Must(t, strings.Fields(token.SecretLine)...)
	d.Must(t, "patchbay-agent", "install")
	e := &endpoint{Device: d, in: in}
	e.waitFor("to be listed", func() bool {
		for _, dev := range call[view.Page[view.Device]](in, "GET", "/devices", nil).Items {
			e.id = dev.ID
		}
		return e.id != ""
	})
	if err := d.WaitBoots(t.Context(), 2); err != nil {
		t.Fatal(err)
	}
	e.expect("bed-reboot", "VERIFIED")
	after, err := d.Oracle().BootID()
	if err != nil || after == boot || after == "" {
		t.Errorf("boot ID %q, then %q, %v", boot, after, err)
	}
	e.compare()
	t.Cleanup(func() {
		if t.Failed() {
			for _, args := range [][]string{{"patchbay-agent", "status", "--json"}, {"journalctl", "--no-pager", "-u", "patchbay-agent"}} {
				r, err := d.Exec(context.Background(), args...)
				t.Logf("%v: %v\n%s%s", args, err, r.Stdout, r.Stderr)
			}
		}
	})
	var jobs []view.Job
	e.waitFor("for the job to be over", func() bool {
		jobs = call[view.Page[view.Job]](in, "GET", "/jobs?device="+e.id, nil).Items
		return len(jobs) == 1 && jobs[0].EndedAt != nil
	})
	r := call[view.JobDetail](in, "GET", "/jobs/"+jobs[0].ID, nil).Receipt
	if jobs[0].Step != "done" || r == nil || !r.Verified || r.BootBefore == r.BootAfter {
		t.Errorf("the job ended as %s with the receipt %+v", jobs[0].Step, r)
	}

	d.Must(t, "patchbay-agent", "uninstall")
	if left := d.Must(t, "find", "/etc", "/var/lib", "/usr/lib/systemd", "/usr/local", "-name", "*patchbay*"); left != "" {
		t.Errorf("uninstalling left behind:\n%s", left)
	}
}
