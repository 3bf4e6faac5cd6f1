package bed_test

import (
	"strings"
	"testing"

	"patchbay/test/bed"
)

func TestUpgradeFromTheSecuritySuite(t *testing.T) {
	s := setScene(t, bed.Options{}, "bed-app")
	s.archive.Publish(t, bed.Security, "1.2")
	s.apt(t, 0, "update")
	mention(t, s.apt(t, 0, "-s", "dist-upgrade"), "Inst bed-app [1.0] (1.2 Testbed-Security:stable-security [all])")
	s.expect(t, "bed-app", "1.0 installed", "bed-lib", "1.0 installed")
	s.apt(t, 0, "dist-upgrade")
	s.expect(t, "bed-app", "1.2 installed", "bed-lib", "1.2 installed")
}

func TestUpgradePullsInWhatWasNotThere(t *testing.T) {
	s := setScene(t, bed.Options{}, "bed-grow")
	s.offer(t, "1.1")
	s.apt(t, 0, "upgrade")
	s.expect(t, "bed-grow", "1.0 installed", "bed-new", absent)
	s.apt(t, 0, "dist-upgrade")
	s.expect(t, "bed-grow", "1.1 installed", "bed-new", "1.1 installed")
}

func TestFailingPostinstLeavesHalfConfigured(t *testing.T) {
	s := setScene(t, bed.Options{}, "bed-badpost")
	s.offer(t, "1.1")
	mention(t, s.apt(t, 100, "dist-upgrade"), "bed-badpost: deliberate failure")
	s.expect(t, "bed-badpost", "1.1 half-configured")
	if audit, err := s.oracle.Audit(t.Context()); err != nil || !strings.Contains(audit, "bed-badpost") {
		t.Errorf("audit: %v %q", err, audit)
	}
	s.offer(t, "1.2")
	s.apt(t, 0, "dist-upgrade")
	s.expect(t, "bed-badpost", "1.2 installed")
	if audit, err := s.oracle.Audit(t.Context()); err != nil || audit != "" {
		t.Errorf("audit after the repair: %v %q", err, audit)
	}
}

func TestFailingPreinstChangesNothing(t *testing.T) {
	s := setScene(t, bed.Options{}, "bed-badpre")
	s.offer(t, "1.1")
	mention(t, s.apt(t, 100, "dist-upgrade"), "bed-badpre: deliberate failure")
	s.expect(t, "bed-badpre", "1.0 installed")
}

func TestEditedConffileStopsAnUnpreparedUpgrade(t *testing.T) {
	const path = "/etc/bed-conf.conf"
	s := setScene(t, bed.Options{}, "bed-conf")
	if err := s.PutFile(path, "setting=mine\n", 0o644); err != nil {
		t.Fatal(err)
	}
	s.offer(t, "1.1")
	mention(t, s.apt(t, 100, "dist-upgrade"), "conffile")
	s.expect(t, "bed-conf", "1.1 unpacked")
	s.Must(t, "dpkg", "--force-confdef", "--force-confold", "--configure", "-a")
	s.expect(t, "bed-conf", "1.1 installed")
	for name, want := range map[string]string{path: "setting=mine\n", path + ".dpkg-dist": "setting=default-1.1\n"} {
		if got, there, err := s.oracle.File(name); err != nil || !there || got != want {
			t.Errorf("%s: %q, %v, %v; want %q", name, got, there, err, want)
		}
	}
}

func TestConflictWouldRemoveAnother(t *testing.T) {
	s := setScene(t, bed.Options{}, "bed-evict", "bed-victim")
	s.offer(t, "1.1")
	mention(t, s.apt(t, 0, "-s", "install", "bed-evict=1.1"), "Remv bed-victim")
	s.apt(t, 100, "--no-remove", "install", "bed-evict=1.1")
	s.expect(t, "bed-evict", "1.0 installed", "bed-victim", "1.0 installed")
	s.apt(t, 0, "install", "bed-evict=1.1")
	s.expect(t, "bed-evict", "1.1 installed", "bed-victim", absent)
}

func TestRebootIsAskedForUntilItHappens(t *testing.T) {
	s := setScene(t, bed.Options{}, "bed-reboot")
	before := bootID(t, s.Device)
	if needed, _, err := s.oracle.RebootRequired(); err != nil || needed {
		t.Errorf("before: %v, %v", needed, err)
	}
	s.offer(t, "1.1")
	s.apt(t, 0, "dist-upgrade")
	if needed, by, err := s.oracle.RebootRequired(); err != nil || !needed || strings.Join(by, " ") != "bed-reboot" {
		t.Errorf("after the upgrade: %v, %v, %v", needed, by, err)
	}
	if err := s.Reboot(t.Context()); err != nil {
		t.Fatal(err)
	}
	if needed, _, err := s.oracle.RebootRequired(); err != nil || needed {
		t.Errorf("after the reboot: %v, %v", needed, err)
	}
	if after := bootID(t, s.Device); after == before {
		t.Errorf("the boot ID is %s before and after", after)
	}
	s.expect(t, "bed-reboot", "1.1 installed")
}

func TestFullDiskKeepsTheOldVersion(t *testing.T) {
	s := setScene(t, bed.Options{Disk: bed.BlobSize}, "bed-big", "bed-swollen", "bed-lib")
	s.offer(t, "1.1")
	for _, name := range []string{"bed-big", "bed-swollen"} {
		mention(t, s.apt(t, 100, "install", name), "No space left on device")
	}
	s.expect(t, "bed-big", "1.0 installed", "bed-swollen", "1.0 installed")
	s.apt(t, 0, "install", "bed-lib")
	s.expect(t, "bed-lib", "1.1 installed")
}

func TestBrokenDependencyIsKeptBack(t *testing.T) {
	s := setScene(t, bed.Options{}, "bed-broken")
	s.offer(t, "1.1")
	mention(t, s.apt(t, 0, "dist-upgrade"), "kept back")
	mention(t, s.apt(t, 100, "install", "bed-broken=1.1"), "bed-nowhere")
	s.expect(t, "bed-broken", "1.0 installed")
}

func TestHeldPackageStays(t *testing.T) {
	s := setScene(t, bed.Options{}, "bed-lib")
	s.Must(t, "apt-mark", "hold", "bed-lib")
	s.offer(t, "1.1")
	mention(t, s.apt(t, 0, "dist-upgrade"), "kept back")
	s.expect(t, "bed-lib", "1.0 installed")
	if p, err := s.oracle.Package(t.Context(), "bed-lib"); err != nil || !p.Held() {
		t.Errorf("%+v, %v", p, err)
	}
}

func TestSourceHasAnotherNameAndVersion(t *testing.T) {
	s := setScene(t, bed.Options{}, "bed-tools")
	s.offer(t, "1.1")
	s.apt(t, 0, "dist-upgrade")
	p, err := s.oracle.Package(t.Context(), "bed-tools")
	want := bed.Package{
		Name: "bed-tools", Arch: p.Arch, Version: "2:1.1-1+b1", Source: "bed-suite", SourceVersion: "1:1.1.7-1",
		Want: "install", Status: "installed",
	}
	if err != nil || p != want {
		t.Errorf("%+v, %v; want %+v", p, err, want)
	}
}

func TestPowerCutInPostinst(t *testing.T) {
	s := setScene(t, bed.Options{}, "bed-slow", "bed-lib")
	s.offer(t, "1.1")
	upgrade := s.Spawn(t, "apt-get", "-y", "install", "bed-slow")
	if err := s.WaitFile(t.Context(), bed.SlowStarted); err != nil {
		t.Fatal(err, upgrade.Output())
	}
	s.expect(t, "bed-slow", "1.1 half-configured")
	mention(t, s.apt(t, 100, "install", "bed-lib"), "Could not get lock")
	if err := s.Kill(); err != nil {
		t.Fatal(err)
	}
	<-upgrade.Done()
	s.expect(t, "bed-slow", "1.1 half-configured", "bed-lib", "1.0 installed")
	if id, err := s.oracle.BootID(); err != nil || id != "" {
		t.Errorf("a device that is off has boot ID %q, %v", id, err)
	}
	if err := s.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	mention(t, s.apt(t, 100, "install", "bed-lib"), "dpkg --configure -a")
	if err := s.PutFile(bed.SlowRelease, "", 0o644); err != nil {
		t.Fatal(err)
	}
	s.Must(t, "dpkg", "--configure", "-a")
	s.expect(t, "bed-slow", "1.1 installed")
}

func bootID(t *testing.T, d *bed.Device) string {
	t.Helper()
	id, err := d.Oracle().BootID()
	if err != nil || id == "" {
		t.Fatalf("boot ID %q: %v", id, err)
	}
	return id
}
