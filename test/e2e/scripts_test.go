package e2e

import (
	"strings"
	"testing"

	"patchbay/test/bed"
)

func preinstFailure(t *testing.T, in *installation) {
	archive, origin := offered(t, in)
	archive.Publish(t, bed.Stable, "bed-badpre=1.1")
	e := faulty(t, in, bed.Options{Name: "preinst", Origin: origin, Install: []string{"bed-badpre=1.0"}})
	e.expect("bed-badpre", "WAITS_DECISION")
	e.approve("bed-badpre", true)
	says(t, e.expect("bed-badpre", "FAILED"), "pre-installation script")
	e.is("bed-badpre", "1.0 installed")
	e.whole()
	e.compare()
}

// A removal that was approved fails in the package's own script: neither is half done.
func removalFails(t *testing.T, in *installation) {
	archive, origin := offered(t, in)
	archive.Publish(t, bed.Stable, "bed-oust=1.1")
	e := faulty(t, in, bed.Options{Name: "stuck", Origin: origin, Install: []string{"bed-oust=1.0", "bed-stuck=1.0"}})
	n := e.expect("bed-oust", "WAITS_DECISION", "KEPT_BACK")
	if n.Verdict.Name == "KEPT_BACK" {
		says(t, n)
		return // apt itself keeps it back; there is nothing to approve
	}
	e.approve("bed-oust", true, "bed-stuck")
	says(t, e.expect("bed-oust", "FAILED"), "bed-stuck")
	e.is("bed-oust", "1.0 installed")
	e.whole()
	e.compare()
}

func serviceDoesNotRun(t *testing.T, in *installation) {
	archive, origin := offered(t, in)
	e := faulty(t, in, bed.Options{Name: "service", Boot: true, Origin: origin, Install: []string{"bed-daemon=1.0"}})
	archive.Publish(t, bed.Stable, "bed-daemon=1.1")
	e.refresh()
	e.scan()
	e.expect("bed-daemon", "WAITS_DECISION")
	e.approve("bed-daemon", true)
	says(t, e.expect("bed-daemon", "FAILED"), "post-installation script")
	e.compare()
	archive.Publish(t, bed.Stable, "bed-daemon=1.2")
	e.refresh()
	e.scan()
	e.waitFor("for 1.2 to be on offer", func() bool { return e.needs()["bed-daemon"].Available == "1.2" })
	e.approve("bed-daemon", true)
	e.waitFor("for 1.2 to be proven", func() bool { return proven(e.needs()["bed-daemon"], "1.2") })
	e.whole()
	e.compare()
}

// is holds what a package is like.
func (e *endpoint) is(name, want string) {
	e.in.t.Helper()
	if p, err := e.Oracle().Package(e.in.t.Context(), name); err != nil || p.String() != want {
		e.in.t.Errorf("%s: %s is %s, not %s: %v", e.Name, name, p, want, err)
	}
}

// whole holds that dpkg finds nothing wrong with what it has.
func (e *endpoint) whole() {
	e.in.t.Helper()
	if said, err := e.Oracle().Audit(e.in.t.Context()); err != nil || said != "" {
		e.in.t.Errorf("%s: dpkg finds something wrong: %v\n%s", e.Name, err, said)
	}
}

// upgrades counts how often the device's own log tells of an upgrade to a version.
func (e *endpoint) upgrades(name, version string) int {
	e.in.t.Helper()
	log, _, err := e.Oracle().File("/var/log/dpkg.log")
	if err != nil {
		e.in.t.Fatal(err)
	}
	n := 0
	for line := range strings.Lines(log) {
		if f := strings.Fields(line); len(f) > 5 && f[2] == "upgrade" && strings.HasPrefix(f[3], name+":") && f[5] == version {
			n++
		}
	}
	return n
}
