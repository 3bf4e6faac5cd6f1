package e2e

import (
	"fmt"
	"testing"
	"time"

	"patchbay/server/view"
	"patchbay/test/bed"
)

// An update goes wrong in the morning: it is taken back on the device that has trouble, and
// what comes back is proven like anything else. The version after it goes on as usual.
func TestAnUpdateIsTakenBackAndProven(t *testing.T) {
	t.Parallel()
	in := install(t)
	archive := bed.NewArchive(t)
	archive.Publish(t, bed.Stable, "1.0")
	origin := in.bed.Serve(t, archive)
	site := in.site(in.customer("Acme"), "HQ", object{"auto": "security", "windows": []object{always()}})
	d := in.bed.Device(t, bed.Options{Name: "till", Origin: origin, Install: []string{"bed-lib", "bed-app", "bed-conf"}})
	archive.Publish(t, bed.Security, "bed-lib=1.1", "bed-app=1.1", "bed-conf=1.1")
	archive.Withdraw(t, bed.Stable, "bed-lib=1.0", "bed-app=1.0") // no source has them any more: the device must keep them
	d.Must(t, "apt-get", "update")
	d.Must(t, "apt-get", "clean")
	e := in.enrol(d, site)
	for item, class := range map[string]string{"bed-lib": "B", "bed-app": "B", "bed-conf": "A"} {
		n := e.expect(item, "VERIFIED")
		if string(n.Reversibility) != class || n.Previous != "1.0" || n.Can.Undo != "" {
			t.Errorf("%s: class %s (%s), before it %q, can undo: %q", item, n.Reversibility, n.ReversibilityWhy, n.Previous, n.Can.Undo)
		}
	}

	undo := func(item string) object {
		return object{"level": "device", "target": e.id, "what": object{"need": e.needs()[item].ID}, "answer": "undo", "reason": "the till does not print"}
	}
	// bed-app needs the very bed-lib it came with: taken back alone, the device refuses, and says why.
	call[object](in, "POST", "/approvals", undo("bed-lib"))
	says(t, e.expect("bed-lib", "FAILED"), "bed-app", "look before")
	e.stays("bed-lib", "1.1")

	began := time.Now()
	call[object](in, "POST", "/approvals", undo("bed-app"))
	call[object](in, "POST", "/needs/"+e.needs()["bed-lib"].ID+"/retry", object{})
	for _, item := range []string{"bed-app", "bed-lib"} {
		says(t, e.expect(item, "ROLLED_BACK"), "1.0", "does not print")
		e.stays(item, "1.0")
	}
	fmt.Printf("FIGURE undo_of_two_packages,_asked_to_proven %.1f s - - - <=60\n", time.Since(began).Seconds())
	if left := d.Must(t, "dpkg", "--audit"); left != "" {
		t.Errorf("dpkg --audit: %s", left)
	}
	proven := 0
	for _, j := range call[view.Page[view.Job]](in, "GET", "/jobs?device="+e.id, nil).Items {
		r := call[view.JobDetail](in, "GET", "/jobs/"+j.ID, nil).Receipt
		if j.Verb == "undo" && j.Step == "done" && r.SignatureOK && r.Verified && r.Before == "1.1" && r.After == "1.0" {
			proven++
		}
	}
	if proven != 2 {
		t.Errorf("%d undos have a receipt that proves them, want 2", proven)
	}
	story := call[view.UpdateStory](in, "GET", "/updates/"+e.needs()["bed-app"].Update+"/story", nil)
	if len(story.Devices) != 1 || len(story.Receipts) != 2 || len(story.Entries) < 5 || story.Entries[0].Device == nil {
		t.Errorf("the update's story tells of %d devices, with %d receipts and %d entries", len(story.Devices), len(story.Receipts), len(story.Entries))
	}
	archive.Publish(t, bed.Security, "bed-lib=1.2", "bed-app=1.2")
	d.Must(t, "apt-get", "update")
	e.scan()
	e.expect("bed-app", "VERIFIED")
	e.stays("bed-app", "1.2")
	if n := e.compare(); n < 3 {
		t.Errorf("only %d verdicts were compared with the truth", n)
	}
}

// stays holds that dpkg's own record has a package in this version.
func (e *endpoint) stays(name, version string) {
	e.in.t.Helper()
	if p, err := e.Oracle().Package(e.in.t.Context(), name); err != nil || p.Version != version || p.Status != "installed" {
		e.in.t.Errorf("%s is %s, %v; want %s", name, p, err, version)
	}
}
