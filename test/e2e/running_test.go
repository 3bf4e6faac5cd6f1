package e2e

import (
	"runtime"
	"strings"
	"testing"

	"patchbay/server/view"
	"patchbay/test/bed"
)

// A service that runs a file of a package goes on with the old one when the package is
// updated. That is said, and by hand or by policy it ends.
func TestAServiceThatRunsOldIsNotGood(t *testing.T) {
	if runtime.GOARCH != "amd64" {
		t.Skip("the test bed's program is for amd64")
	}
	t.Parallel()
	in := install(t)
	archive, origin := offered(t, in)
	site := in.site(in.customer("Acme"), "HQ", byHand(always()))
	d := in.bed.Device(t, bed.Options{Name: "running", Boot: true, Origin: origin, Install: []string{"bed-service=1.0", "bed-engine=1.0"}})
	d.Must(t, "systemctl", "daemon-reload")
	d.Must(t, "systemctl", "start", "bed-service.service")
	first := mainProcess(t, d)
	e := in.enrol(d, site)

	e.offer(archive, "bed-engine=1.1")
	e.approve("bed-engine", true)
	says(t, e.expect("bed-engine", "RUNNING_OLD"), "bed-service.service", "old files of bed-engine")
	if got := mainProcess(t, d); got != first {
		t.Fatalf("the service was restarted without leave: process %s, then %s", first, got)
	}
	e.shows(1)
	e.waitFor("for the job to be over", func() bool { return e.lastJob("bed-engine", "1.1").EndedAt != nil })
	r := e.lastJob("bed-engine", "1.1")
	if r.Receipt == nil || r.Receipt.Verified || !strings.Contains(r.Message, "bed-service.service still runs with the old files") {
		t.Errorf("the job says %q, the receipt is %+v", r.Message, r.Receipt)
	}
	e.compare()
	d.Must(t, "systemctl", "restart", "bed-service.service")
	e.scan()
	e.expect("bed-engine", "VERIFIED")
	e.shows(0)

	policy := byHand(always())
	policy["restarts"] = "in_window"
	call[view.Site](in, "PATCH", "/sites/"+site, object{"policy": policy})
	second := mainProcess(t, d)
	e.offer(archive, "bed-engine=1.2")
	e.approve("bed-engine", false)
	e.expect("bed-engine", "VERIFIED")
	e.waitFor("for the job to be over", func() bool { return e.lastJob("bed-engine", "1.2").EndedAt != nil })
	if got := mainProcess(t, d); got == second || got == "0" {
		t.Errorf("by policy, the service was not restarted: process %s, then %s", second, got)
	}
	r = e.lastJob("bed-engine", "1.2")
	told := 0
	for _, o := range r.Outcomes {
		if o.Step == "restarting" && o.Result == "ok" && o.Message == "bed-service.service was restarted." {
			told++
		}
	}
	if r.Receipt == nil || !r.Receipt.Verified || told != 1 {
		t.Errorf("the job told %+v, the receipt is %+v", r.Outcomes, r.Receipt)
	}
	e.shows(0)
	e.compare()
}

func mainProcess(t *testing.T, d *bed.Device) string {
	t.Helper()
	return strings.TrimSpace(d.Must(t, "systemctl", "show", "--property=MainPID", "--value", "bed-service.service"))
}

// offer publishes a version and has the device hear of it.
func (e *endpoint) offer(archive *bed.Archive, version string) {
	e.in.t.Helper()
	archive.Publish(e.in.t, bed.Stable, version)
	e.refresh()
	e.scan()
	name, _, _ := strings.Cut(version, "=")
	e.expect(name, "WAITS_DECISION")
}

// refresh has the manager ask its sources. The agent may be doing the same just now.
func (e *endpoint) refresh() {
	e.in.t.Helper()
	e.waitFor("to refresh beside the agent's own refresh", func() bool {
		r, err := e.Exec(e.in.t.Context(), "apt-get", "update")
		return err == nil && r.Code == 0
	})
}

// shows holds what the device's page says runs old: nothing, or bed-service with its package.
func (e *endpoint) shows(n int) {
	e.in.t.Helper()
	r := call[view.DeviceDetail](e.in, "GET", "/devices/"+e.id, nil).Restart
	if len(r.Old) != n || len(r.Unknown) > 0 || n > 0 && (r.Old[0].Service != "bed-service.service" || strings.Join(r.Old[0].Packages, " ") != "bed-engine" || r.Old[0].Processes != 1) {
		e.in.t.Errorf("the device's page says %+v", r)
	}
}

// lastJob is the job that brought a version.
func (e *endpoint) lastJob(item, version string) view.JobDetail {
	e.in.t.Helper()
	for _, j := range call[view.Page[view.Job]](e.in, "GET", "/jobs?device="+e.id, nil).Items {
		if j.Item.Name == item && j.To == version {
			return call[view.JobDetail](e.in, "GET", "/jobs/"+j.ID, nil)
		}
	}
	e.in.t.Fatalf("no job brought %s %s", item, version)
	return view.JobDetail{}
}
