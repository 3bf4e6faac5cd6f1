//go:build linux

package apt_test

import (
	"io/fs"
	"strings"
	"testing"
	"time"

	"patchbay/patch"
	"patchbay/provider"
	"patchbay/provider/apt"
	"patchbay/test/bed"
)

// Lstat and ReadLink see a link as one, on the disk of a device.
func (f deviceFiles) Lstat(name string) (fs.FileInfo, error) { return fs.Lstat(f.disk, name) }
func (f deviceFiles) ReadLink(name string) (string, error)   { return fs.ReadLink(f.disk, name) }

// previous is the version that an installed package can be taken back to.
func (s scene) previous(t *testing.T, name string) string {
	t.Helper()
	items, err := s.apt.Installed(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range items {
		if i.Name == name {
			return i.Previous
		}
	}
	t.Fatalf("%s is not installed", name)
	return ""
}

// undo takes packages back, each given as name=from=to.
func (s scene) undo(t *testing.T, steps ...string) (provider.Outcome, error) {
	t.Helper()
	r := provider.Request{LockWait: time.Second}
	for _, step := range steps {
		f := strings.Split(step, "=")
		r.Updates = append(r.Updates, patch.Update{Provider: "apt", Name: f[0], Installed: f[1], Available: f[2]})
	}
	return s.apt.(provider.Undoer).Undo(t.Context(), r)
}

// sound holds that dpkg has nothing to complain of.
func (s scene) sound(t *testing.T) {
	t.Helper()
	if said := s.Must(t, "dpkg", "--audit"); said != "" {
		t.Errorf("dpkg --audit: %s", said)
	}
}

func TestUndoFromTheSourceThatStillHasIt(t *testing.T) {
	s := setScene(t, bed.Options{}, "bed-app", "bed-tools")
	s.Must(t, "apt-get", "clean")
	s.publish(t, bed.Security, "1.1")
	for _, name := range []string{"bed-app", "bed-tools"} {
		if u := s.offered(t)[name]; u.Reversibility != patch.ByManager || u.ReversibilityWhy == "" {
			t.Errorf("%s: %s, %s", name, u.Reversibility, u.ReversibilityWhy)
		}
	}
	if p := s.previous(t, "bed-app"); p != "" {
		t.Errorf("before any update there is %q to go back to", p)
	}
	if _, err := s.undo(t, "bed-app=1.1=1.0"); err != nil {
		t.Errorf("taking back what is not there: %v", err)
	}
	if _, err := s.apply(t, nil, "bed-app", "bed-lib", "bed-tools"); err != nil {
		t.Fatal(err)
	}
	if p := s.previous(t, "bed-tools"); p != "2:1.0-1+b0" {
		t.Errorf("it can be taken back to %q", p)
	}
	_, err := s.undo(t, "bed-lib=1.1=1.0")
	wantError(t, err, provider.ErrRefused, "bed-app")
	s.is(t, "bed-lib", "1.1 installed")
	out, err := s.undo(t, "bed-app=1.1=1.0", "bed-lib=1.1=1.0", "bed-tools=2:1.1-1+b1=2:1.0-1+b0")
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"bed-app": "1.0 installed", "bed-lib": "1.0 installed", "bed-tools": "2:1.0-1+b0 installed"} {
		s.is(t, name, want)
	}
	if len(out.Changes) != 3 || !out.Changes[0].Asked || out.Changes[0].To != "1.0" {
		t.Errorf("the changes are %+v", out.Changes)
	}
	if p := s.previous(t, "bed-app"); p != "" {
		t.Errorf("after it, it can be taken back to %q", p)
	}
	if s.offered(t)["bed-app"].Available != "1.1" {
		t.Error("the update is not on offer again")
	}
	again, err := s.undo(t, "bed-app=1.1=1.0")
	if err != nil || len(again.Changes) > 0 {
		t.Errorf("taken back twice: %+v, %v", again, err)
	}
	s.sound(t)
}

func TestUndoFromWhatTheDeviceKept(t *testing.T) {
	for name, clean := range map[string]bool{"cached": false, "packed again": true} {
		t.Run(name, func(t *testing.T) {
			s := setScene(t, bed.Options{}, "bed-lib", "bed-conf", "bed-tools")
			s.publish(t, bed.Stable, "1.1")
			s.archive.Withdraw(t, bed.Stable, "1.0")
			s.refresh(t)
			if clean {
				s.Must(t, "apt-get", "clean")
			}
			if u := s.offered(t)["bed-lib"]; u.Reversibility != patch.ByKept {
				t.Errorf("%s, %s", u.Reversibility, u.ReversibilityWhy)
			}
			if _, err := s.apply(t, nil, "bed-lib", "bed-conf", "bed-tools"); err != nil {
				t.Fatal(err)
			}
			s.origin.Stop()
			if _, err := s.undo(t, "bed-lib=1.1=1.0", "bed-conf=1.1=1.0", "bed-tools=2:1.1-1+b1=2:1.0-1+b0"); err != nil {
				t.Fatal(err)
			}
			s.is(t, "bed-lib", "1.0 installed")
			s.is(t, "bed-tools", "2:1.0-1+b0 installed")
			if got := s.Must(t, "cat", "/etc/bed-conf.conf"); got != "setting=default-1.0" {
				t.Errorf("the configuration is %q", got)
			}
			s.Must(t, "dpkg", "--verify", "bed-lib", "bed-conf", "bed-tools")
			s.sound(t)
		})
	}
}

func TestWhatWasChangedHereIsNotPackedAgain(t *testing.T) {
	s := setScene(t, bed.Options{}, "bed-conf", "bed-lib")
	if err := s.PutFile("/etc/bed-conf.conf", "setting=mine\n", 0o644); err != nil {
		t.Fatal(err)
	}
	if err := s.PutFile("/usr/share/bed-lib/version", "other\n", 0o644); err != nil {
		t.Fatal(err)
	}
	s.publish(t, bed.Stable, "1.1")
	s.archive.Withdraw(t, bed.Stable, "1.0")
	s.refresh(t)
	s.Must(t, "apt-get", "clean")
	u := s.offered(t)["bed-conf"]
	if u.Reversibility != patch.NotAtAll || !strings.Contains(u.ReversibilityWhy, "/etc/bed-conf.conf") {
		t.Errorf("%s, %s", u.Reversibility, u.ReversibilityWhy)
	}
	if _, err := s.apply(t, nil, "bed-conf", "bed-lib"); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"bed-conf", "bed-lib"} {
		if p := s.previous(t, name); p != "" {
			t.Errorf("%s can be taken back to %q", name, p)
		}
		_, err := s.undo(t, name+"=1.1=1.0")
		wantError(t, err, provider.ErrRefused, name, "1.0")
		s.is(t, name, "1.1 installed")
	}
}

// A device goes back only to what it had itself, whatever it is told.
func TestUndoGoesNowhereElse(t *testing.T) {
	s := setScene(t, bed.Options{}, "bed-lib")
	s.publish(t, bed.Stable, "1.1")
	if _, err := s.apply(t, nil, "bed-lib"); err != nil {
		t.Fatal(err)
	}
	s.publish(t, bed.Stable, "1.2")
	if _, err := s.apply(t, nil, "bed-lib"); err != nil {
		t.Fatal(err)
	}
	if p := s.previous(t, "bed-lib"); p != "1.1" {
		t.Errorf("it can be taken back to %q", p)
	}
	for _, to := range []string{"1.0", "0.9", "1.3", "1.1 --force", "-oX=y"} {
		if _, err := s.undo(t, "bed-lib=1.2="+to); err == nil {
			t.Errorf("taken to %q", to)
		}
		s.is(t, "bed-lib", "1.2 installed")
	}
	if err := s.PutFile("/var/lib/patchbay-agent/kept/bed-lib_1.0_amd64.deb.part", "half", 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := s.undo(t, "bed-lib=1.2=1.1"); err != nil {
		t.Fatal(err)
	}
	s.is(t, "bed-lib", "1.1 installed")
}

// Every package of a real system that is as its publisher made it packs again into itself:
// installed over itself, it leaves every file as it was.
func TestRealPackagesPackAgain(t *testing.T) {
	s := setScene(t, bed.Options{})
	a := s.apt.(*apt.Apt)
	items, err := a.Installed(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if testing.Short() {
		items = items[:5]
	}
	look := []string{"find", "/bin", "/etc", "/lib", "/sbin", "/usr", "/var/lib/dpkg/info", "-xdev", "!", "-type", "d",
		"!", "-name", "*.list", "!", "-name", "ld.so.cache", "-printf", "%p %m %u %g %s %l\n"}
	before := s.Must(t, look...)
	packed := []string{"dpkg", "--install", "--force-confdef", "--force-confold"}
	for _, item := range items {
		file, err := a.Repack(t.Context(), item)
		if err != nil {
			if item.Name != "apt" { // the test bed empties its folder of lists
				t.Errorf("%s: %v", item.Name, err)
			}
			continue
		}
		packed = append(packed, file)
	}
	t.Logf("%d packages packed again", len(packed)-4)
	s.Must(t, packed...)
	after := s.Must(t, look...)
	was := map[string]bool{}
	for line := range strings.Lines(before) {
		was[line] = true
	}
	for line := range strings.Lines(after) {
		if !was[line] {
			t.Errorf("now there is %s", line)
		}
		delete(was, line)
	}
	for line := range was {
		t.Errorf("no longer there is %s", line)
	}
	s.Must(t, "dpkg", "--verify")
	s.sound(t)
}
