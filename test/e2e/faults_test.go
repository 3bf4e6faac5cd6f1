package e2e

import (
	"strings"
	"syscall"
	"testing"

	"patchbay/server/view"
	"patchbay/test/bed"
)

// faulty is a device of a one-site installation with something to go wrong on it.
func faulty(t *testing.T, in *installation, o bed.Options) *endpoint {
	t.Helper()
	site := in.site(in.customer(o.Name), "HQ", byHand(always()))
	d := in.bed.Device(t, o)
	return in.enrol(d, site)
}

// offered is a new archive with version 1.0 and its origin; publish what goes wrong later.
func offered(t *testing.T, in *installation) (*bed.Archive, *bed.Origin) {
	t.Helper()
	archive := bed.NewArchive(t)
	archive.Publish(t, bed.Stable, "1.0")
	return archive, in.bed.Serve(t, archive)
}

// says holds that a verdict's sentence and the job's own words name the cause.
func says(t *testing.T, n view.Need, words ...string) {
	t.Helper()
	for _, w := range words {
		if !strings.Contains(strings.ToLower(n.Verdict.Sentence), strings.ToLower(w)) {
			t.Errorf("%s of %s: the sentence does not say %q: %s", n.Verdict.Name, n.Item.Name, w, n.Verdict.Sentence)
		}
	}
	t.Logf("%s → %s: %s", n.Item.Name, n.Verdict.Name, n.Verdict.Sentence)
}

func TestFaults(t *testing.T) {
	t.Parallel()
	in := install(t)
	for name, fault := range map[string]func(*testing.T, *installation){
		"held package": heldPackage, "held lock": heldLock, "postinst failure": postinstFailure,
		"conffile conflict": conffileConflict, "disk full": diskFull, "archive unreachable": archiveUnreachable,
		"hash mismatch": hashMismatch, "badly signed archive": badlySigned, "no lists at all": noLists,
		"removal": removal, "kept back": keptBack, "reboot asked for": rebootAsked, "preinst failure": preinstFailure,
		"removal fails": removalFails, "service does not run": serviceDoesNotRun, "two agents": twoAgents,
		"network that flaps": flapping, "network that loses": losing,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fault(t, in.with(t))
		})
	}
}

func heldPackage(t *testing.T, in *installation) {
	archive, origin := offered(t, in)
	archive.Publish(t, bed.Stable, "bed-lib=1.1")
	e := faulty(t, in, bed.Options{Name: "held", Origin: origin, Install: []string{"bed-lib=1.0"}})
	e.Must(t, "apt-mark", "hold", "bed-lib")
	e.refresh()
	e.scan()
	says(t, e.expect("bed-lib", "HELD"), "held")
	e.approve("bed-lib", true)
	e.scan()
	says(t, e.expect("bed-lib", "HELD"), "held")
	e.compare()
}

func heldLock(t *testing.T, in *installation) {
	archive, origin := offered(t, in)
	archive.Publish(t, bed.Stable, "bed-lib=1.1")
	e := faulty(t, in, bed.Options{Name: "lock", Origin: origin, Install: []string{"bed-lib=1.0"}})
	holder := e.Spawn(t, "perl", "-e", `use Fcntl; $0 = "other-patcher"; open(F, ">>", "/var/lib/dpkg/lock-frontend") or die;
		my $l = pack("s s l! l! i", F_WRLCK, 0, 0, 0, 0); fcntl(F, F_SETLK, $l) or die; open(G, ">", "/run/locked"); close(G); sleep 600`)
	if err := e.WaitFile(t.Context(), "/run/locked"); err != nil {
		t.Fatal(err)
	}
	e.expect("bed-lib", "WAITS_DECISION")
	e.approve("bed-lib", true)
	var n view.Need
	e.waitFor("for the lock's holder to be named", func() bool {
		n = e.needs()["bed-lib"]
		return strings.Contains(n.Verdict.Sentence, "perl") || strings.Contains(n.Verdict.Sentence, "other-patcher")
	})
	says(t, n, "package manager")
	e.compare()
	holder.Signal(syscall.SIGTERM)
	e.expect("bed-lib", "VERIFIED")
	e.compare()
}

func postinstFailure(t *testing.T, in *installation) {
	archive, origin := offered(t, in)
	archive.Publish(t, bed.Stable, "bed-badpost=1.1", "bed-lib=1.1")
	e := faulty(t, in, bed.Options{Name: "postinst", Origin: origin, Install: []string{"bed-badpost=1.0", "bed-lib=1.0"}})
	e.expect("bed-badpost", "WAITS_DECISION")
	e.approve("bed-badpost", true)
	says(t, e.expect("bed-badpost", "FAILED"), "half-configured", "post-installation script")
	if p, err := e.Oracle().Package(t.Context(), "bed-badpost"); err != nil || p.Status == "installed" && p.Version == "1.1" {
		t.Errorf("the test is wrong: bed-badpost is %s, %v", p, err)
	}
	e.compare()
}

func conffileConflict(t *testing.T, in *installation) {
	archive, origin := offered(t, in)
	e := faulty(t, in, bed.Options{Name: "conffile", Origin: origin, Install: []string{"bed-conf=1.0"}})
	if err := e.PutFile("/etc/bed-conf.conf", "setting=mine\n", 0o644); err != nil {
		t.Fatal(err)
	}
	archive.Publish(t, bed.Stable, "bed-conf=1.1")
	e.refresh()
	e.scan()
	e.expect("bed-conf", "WAITS_DECISION")
	e.approve("bed-conf", true)
	e.expect("bed-conf", "VERIFIED")
	if text, _, err := e.Oracle().File("/etc/bed-conf.conf"); err != nil || text != "setting=mine\n" {
		t.Errorf("the local configuration became %q, %v", text, err)
	}
	var conflicts []string
	for _, j := range call[view.Page[view.Job]](in, "GET", "/jobs?device="+e.id, nil).Items {
		if d := call[view.JobDetail](in, "GET", "/jobs/"+j.ID, nil); d.Receipt != nil {
			for _, c := range d.Receipt.Conflicts {
				conflicts = append(conflicts, c.Path)
			}
		}
	}
	if len(conflicts) != 1 || conflicts[0] != "/etc/bed-conf.conf" {
		t.Errorf("the receipts name the conflicts %v", conflicts)
	}
	e.compare()
}

func diskFull(t *testing.T, in *installation) {
	archive, origin := offered(t, in)
	e := faulty(t, in, bed.Options{Name: "disk", Origin: origin, Disk: bed.BlobSize, Install: []string{"bed-big=1.0", "bed-swollen=1.0"}})
	archive.Publish(t, bed.Stable, "bed-big=1.1", "bed-swollen=1.1")
	e.refresh()
	e.scan()
	for _, item := range []string{"bed-big", "bed-swollen"} {
		e.expect(item, "WAITS_DECISION")
		e.approve(item, true)
		says(t, e.expect(item, "FAILED"), "space")
		if p, err := e.Oracle().Package(t.Context(), item); err != nil || p.String() != "1.0 installed" {
			t.Errorf("%s is %s, %v", item, p, err)
		}
	}
	e.compare()
}

func archiveUnreachable(t *testing.T, in *installation) {
	archive, origin := offered(t, in)
	archive.Publish(t, bed.Stable, "bed-lib=1.1")
	e := faulty(t, in, bed.Options{Name: "unreachable", Origin: origin, Install: []string{"bed-lib=1.0"}})
	e.expect("bed-lib", "WAITS_DECISION")
	origin.Stop()
	e.approve("bed-lib", true)
	var n view.Need
	e.waitFor("for the source to be named", func() bool {
		n = e.needs()["bed-lib"]
		return strings.Contains(n.Verdict.Sentence, "Could not connect")
	})
	says(t, n)
	if s := string(n.Verdict.State); s == "verified" {
		t.Errorf("the verdict is %s", n.Verdict.Name)
	}
	e.compare()
}

func hashMismatch(t *testing.T, in *installation) {
	archive, origin := offered(t, in)
	d := bed.Options{Name: "hash", Origin: origin, Install: []string{"bed-lib=1.0"}}
	device := in.bed.Device(t, d)
	archive.Publish(t, bed.Stable, "bed-lib=1.1")
	archive.Break(t, bed.Stable, bed.HashMismatch)
	e := in.enrol(device, in.site(in.customer(d.Name), "HQ", byHand(always())))
	e.expect("bed-lib", "WAITS_DECISION")
	e.approve("bed-lib", true)
	says(t, e.expect("bed-lib", "FAILED"), "hash")
	e.compare()
}

// A source that turns bad-signed leaves its old lists behind, and apt-get update ends with
// 0: what is missing can no longer be told, and the device must not look finished.
func badlySigned(t *testing.T, in *installation) {
	for _, fault := range []bed.Fault{bed.WrongKey, bed.Unsigned, bed.Expired, bed.Tampered} {
		archive, origin := offered(t, in)
		name := "signed-" + strings.ReplaceAll(string(fault), " ", "-")
		e := faulty(t, in, bed.Options{Name: name, Origin: origin, Install: []string{"bed-lib=1.0"}})
		archive.Publish(t, bed.Security, "bed-lib=1.2")
		archive.Break(t, bed.Security, fault)
		e.waitFor("to refresh beside the agent's own refresh", func() bool {
			r, err := e.Exec(t.Context(), "/usr/bin/patchbay-agent", "scan", "--refresh")
			return err == nil && r.Code == 0
		})
		e.scan()
		says(t, e.unknown("source"))
		e.compare()
	}
}

func noLists(t *testing.T, in *installation) {
	_, origin := offered(t, in)
	e := faulty(t, in, bed.Options{Name: "no-lists", Origin: origin, Install: []string{"bed-lib=1.0"}})
	origin.Stop() // nobody may refresh them meanwhile
	if err := e.ForgetLists(t.Context()); err != nil {
		t.Fatal(err)
	}
	e.scan()
	says(t, e.unknown("cannot tell what is on offer"))
	d := call[view.Device](in, "GET", "/devices/"+e.id, nil)
	if d.State != "scan_failed" {
		t.Errorf("the device's state is %s", d.State)
	}
}

// What the resolver would remove needs its own approval.
func removal(t *testing.T, in *installation) {
	archive, origin := offered(t, in)
	archive.Publish(t, bed.Stable, "bed-evict=1.1")
	e := faulty(t, in, bed.Options{Name: "removal", Origin: origin, Install: []string{"bed-evict=1.0", "bed-victim=1.0"}})
	n := e.expect("bed-evict", "WAITS_DECISION", "KEPT_BACK")
	says(t, n)
	if n.Verdict.Name == "KEPT_BACK" {
		return // apt itself keeps it back; there is nothing to approve
	}
	e.approve("bed-evict", true)
	says(t, e.expect("bed-evict", "FAILED"), "bed-victim")
	if p, err := e.Oracle().Package(t.Context(), "bed-victim"); err != nil || p.Status != "installed" {
		t.Fatalf("bed-victim was removed without an approval: %s, %v", p, err)
	}
	e.approve("bed-evict", true, "bed-victim")
	e.expect("bed-evict", "VERIFIED")
	if p, err := e.Oracle().Package(t.Context(), "bed-victim"); err != nil || p.Status == "installed" {
		t.Errorf("bed-victim is %s, %v", p, err)
	}
	e.compare()
}

func keptBack(t *testing.T, in *installation) {
	archive, origin := offered(t, in)
	archive.Publish(t, bed.Stable, "bed-broken=1.1")
	e := faulty(t, in, bed.Options{Name: "kept-back", Origin: origin, Install: []string{"bed-broken=1.0"}})
	says(t, e.expect("bed-broken", "KEPT_BACK"))
	e.compare()
}

// A version that asks for a reboot is not good before the machine has booted.
func rebootAsked(t *testing.T, in *installation) {
	archive, origin := offered(t, in)
	archive.Publish(t, bed.Stable, "bed-reboot=1.1")
	e := faulty(t, in, bed.Options{Name: "reboot", Boot: true, Origin: origin, Install: []string{"bed-reboot=1.0"}})
	boot, err := e.Oracle().BootID()
	if err != nil {
		t.Fatal(err)
	}
	e.expect("bed-reboot", "WAITS_DECISION")
	e.approve("bed-reboot", true)
	says(t, e.expect("bed-reboot", "INSTALLED_PENDING_REBOOT"), "reboot")
	e.agent.Signal(syscall.SIGTERM)
	<-e.agent.Done()
	if err := e.Reboot(t.Context()); err != nil {
		t.Fatal(err)
	}
	e.run()
	e.expect("bed-reboot", "VERIFIED")
	after, err := e.Oracle().BootID()
	if err != nil || after == boot {
		t.Errorf("boot ID %s, then %s, %v", boot, after, err)
	}
	e.compare()
}
