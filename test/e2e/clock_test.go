package e2e

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"patchbay/server/view"
	"patchbay/test/bed"
)

// tenYears is how wrong a clock may be.
const tenYears = 3653 * 24 * time.Hour

// A whole machine whose clock is ten years behind is let in, checks in and installs what it
// is ordered to, once; and the same machine does when it comes back ten years ahead.
func TestClockTenYearsOffKeepsNothingFromHappeningOnce(t *testing.T) {
	t.Parallel()
	in := install(t)
	archive := bed.NewArchive(t)
	archive.Publish(t, bed.Stable, "1.0")
	d := in.bed.Device(t, bed.Options{Name: "flat-battery", Origin: in.bed.Serve(t, archive), Install: []string{"bed-lib=1.0", "bed-conf=1.0"}})
	archive.Publish(t, bed.Stable, "bed-lib=1.1", "bed-conf=1.1")
	d.Must(t, "apt-get", "update")
	site := in.site(in.customer("Acme"), "HQ", byHand(always()))
	c := in.computer(d, site)
	e := &endpoint{Device: d, in: in}

	c.Start(t, time.Now().Add(-tenYears))
	e.awaitListed(site)
	e.expect("bed-lib", "WAITS_DECISION")
	e.clockIs(-tenYears)
	e.approve("bed-lib", true)
	e.expect("bed-lib", "VERIFIED")
	c.Cut(t)
	upgradedOnce(t, c, "bed-lib")

	c.Start(t, time.Now().Add(tenYears))
	e.waitFor("for its clock to be told anew", func() bool { return e.clockOff() > 0 })
	e.clockIs(tenYears)
	e.approve("bed-conf", true)
	e.expect("bed-conf", "VERIFIED")
	e.expect("bed-lib", "VERIFIED")
	// Its inventory shows what was made a check-in before it tells of the end.
	e.waitFor("for the end of its jobs to be told", func() bool {
		jobs := call[view.Page[view.Job]](in, "GET", "/jobs?device="+e.id, nil).Items
		return !slices.ContainsFunc(jobs, func(j view.Job) bool { return j.Step != "done" })
	})
	c.Cut(t)
	upgradedOnce(t, c, "bed-lib", "bed-conf")
	in.doneOnce(e.id, "bed-lib", "bed-conf")
}

// aptInAnotherTime lets apt ask a source that, by the machine's clock, is not made yet or has
// long expired: what apt thinks of the time is not what is tried here.
const aptInAnotherTime = `Acquire::Check-Date "false";
Acquire::Check-Valid-Until "false";
Acquire::AllowInsecureRepositories "true";
APT::Get::AllowUnauthenticated "true";
`

// computer makes an emulated machine of the device that enrols when it first comes up.
func (in *installation) computer(d *bed.Device, site string) *bed.Computer {
	in.t.Helper()
	token := call[view.NewToken](in, "POST", "/sites/"+site+"/tokens", object{"mode": "manage", "uses": 1, "hours": 1})
	if err := d.CopyFile(filepath.Join(in.bin, "patchbay-agent"), "/usr/bin/patchbay-agent", 0o755); err != nil {
		in.t.Fatal(err)
	}
	if err := d.PutFile("/etc/apt/apt.conf.d/91clock", aptInAnotherTime, 0o644); err != nil {
		in.t.Fatal(err)
	}
	c := d.Computer(in.t, "[ -e /enrolled ] || { "+token.SecretLine+" && touch /enrolled; } && patchbay-agent run --reconnect 1s")
	in.t.Cleanup(func() {
		if in.t.Failed() {
			in.t.Logf("%s said:\n%s", c.Name, c.Console())
		}
	})
	return c
}

// awaitListed waits until the device is there, and learns its ID.
func (e *endpoint) awaitListed(site string) {
	e.in.t.Helper()
	e.waitFor("to be listed", func() bool {
		for _, dev := range call[view.Page[view.Device]](e.in, "GET", "/devices?site="+site+"&limit=500", nil).Items {
			if dev.Name == e.Name {
				e.id = dev.ID
			}
		}
		return e.id != ""
	})
}

// clockOff is how far off the server takes the device's clock to be.
func (e *endpoint) clockOff() time.Duration {
	e.in.t.Helper()
	d := call[view.DeviceDetail](e.in, "GET", "/devices/"+e.id, nil)
	return time.Duration(d.Agent.ClockOffSeconds) * time.Second
}

// clockIs holds that the server knows how far off the device's clock is.
func (e *endpoint) clockIs(off time.Duration) {
	e.in.t.Helper()
	if got := e.clockOff(); (got - off).Abs() > 2*time.Minute {
		e.in.t.Errorf("the server takes the clock of %s to be %v off, it is %v off", e.Name, got, off)
	}
}

// upgradedOnce holds that the machine's own log tells of one upgrade of each package.
func upgradedOnce(t *testing.T, c *bed.Computer, names ...string) {
	t.Helper()
	log, _, err := c.Oracle().File("/var/log/dpkg.log")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if n := strings.Count(log, " upgrade "+name+":"); n != 1 {
			t.Errorf("%s was upgraded %d times", name, n)
		}
		if p, err := c.Oracle().Package(t.Context(), name); err != nil || p.String() != "1.1 installed" {
			t.Errorf("%s is %s, %v", name, p, err)
		}
	}
}

// doneOnce holds that one job of each item is done and none failed or ran out.
func (in *installation) doneOnce(device string, items ...string) {
	in.t.Helper()
	done := map[string]int{}
	for _, j := range call[view.Page[view.Job]](in, "GET", "/jobs?device="+device, nil).Items {
		if j.Step != "done" {
			in.t.Errorf("a job for %s is %s: %s", j.Item.Name, j.Step, j.Why)
		}
		done[j.Item.Name]++
	}
	for _, item := range items {
		if done[item] != 1 {
			in.t.Errorf("%d jobs for %s", done[item], item)
		}
	}
}
