//go:build linux

package apt_test

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

	"patchbay/patch"
	"patchbay/provider"
	"patchbay/provider/apt"
	"patchbay/test/bed"
)

// again is the provider after the agent came back, so much later.
func (s *scene) again(t *testing.T, later time.Duration) provider.Repairer {
	t.Helper()
	now := func() time.Time { return time.Now().Add(later) }
	p, err := apt.Kind().Open(t.Context(), provider.Env{Host: deviceHost{s.Device}, Log: slog.New(slog.DiscardHandler), Records: s.records, Now: now})
	if err != nil {
		t.Fatal(err)
	}
	s.apt = p
	return p.(provider.Repairer)
}

// unfinished gives the names of what is incomplete.
func unfinished(t *testing.T, p provider.Repairer) string {
	t.Helper()
	items, err := p.Unfinished(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, i := range items {
		if i.Broken != "" {
			names = append(names, i.Name)
		}
	}
	return strings.Join(names, " ")
}

// cutAt applies bed-halt 1.1 and what it needs, and takes the power away at a moment.
func (s scene) cutAt(t *testing.T, m bed.Moment) {
	t.Helper()
	on := s.offered(t)
	s.cutIn(t, m, func() {
		s.apt.Apply(t.Context(), provider.Request{Updates: []patch.Update{on["bed-halt"], on["bed-halt-lib"]}})
	})
}

// cutIn does work that comes to a moment, and takes the power away there.
func (s scene) cutIn(t *testing.T, m bed.Moment, work func()) {
	t.Helper()
	if err := s.HaltAt(m); err != nil {
		t.Fatal(err)
	}
	ended := make(chan bool)
	go func() {
		defer close(ended)
		work()
	}()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := s.WaitHalted(ctx); err != nil {
		t.Fatal(err)
	}
	// What is on the disk, the provider would have read in its own process's end.
	if err := s.Kill(); err != nil {
		t.Fatal(err)
	}
	<-ended
	if err := s.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
}

var halting = []string{"bed-watch", "bed-halt", "bed-halt-lib", "bed-lib"}

// What was cut short is finished in the approved versions, without another approval, and
// nothing newer comes along.
func TestWhatWasCutShortIsFinished(t *testing.T) {
	for _, m := range []bed.Moment{bed.HaltPreinst, bed.HaltPostrm, bed.HaltConfigure, bed.HaltPostinst, bed.HaltTrigger} {
		t.Run(string(m), func(t *testing.T) {
			s := setScene(t, bed.Options{}, halting...)
			s.publish(t, bed.Stable, bed.HaltStep(1))
			s.offered(t)
			s.cutAt(t, m)
			s.publish(t, bed.Stable, bed.HaltStep(2), "bed-lib=1.1") // not approved
			p := s.again(t, 0)
			if left := unfinished(t, p); left == "" {
				t.Fatal("nothing is known to be unfinished")
			}
			if _, err := p.Repair(t.Context(), time.Second); err != nil {
				t.Fatal(err)
			}
			s.is(t, "bed-halt", "1.1 installed")
			s.is(t, "bed-halt-lib", "1.1 installed")
			s.is(t, "bed-lib", "1.0 installed")
			s.sound(t)
			if left := unfinished(t, p); left != "" {
				t.Errorf("%s are still to be finished", left)
			}
		})
	}
}

// A package that dpkg wants to be unpacked again in the version that it has already: apt
// alone says that it is there, ends well and changes nothing.
func TestWhatMustBeUnpackedAgainIs(t *testing.T) {
	s := setScene(t, bed.Options{}, halting...)
	s.publish(t, bed.Stable, bed.HaltStep(1))
	s.cutAt(t, bed.HaltConfigure)
	s.Must(t, "sh", "-c", `dpkg --configure -a >/dev/null; sed -i '/^Package: bed-halt$/,/^$/ s/^Status: .*/Status: install reinstreq half-installed/' /var/lib/dpkg/status`)
	s.is(t, "bed-halt", "1.1 half-installed broken")
	if _, err := s.again(t, 0).Repair(t.Context(), time.Second); err != nil {
		t.Fatal(err)
	}
	s.is(t, "bed-halt", "1.1 installed")
	s.sound(t)
}

// What is missing for a package that was unpacked comes in the version that was approved,
// not in the newest; and when that is no longer to be had, nothing else is taken for it.
func TestBrokenDependenciesAreMendedWithWhatWasApproved(t *testing.T) {
	for _, gone := range []bool{false, true} {
		t.Run(map[bool]string{false: "there", true: "gone"}[gone], func(t *testing.T) {
			s := setScene(t, bed.Options{}, halting...)
			s.publish(t, bed.Stable, bed.HaltStep(1))
			s.cutAt(t, bed.HaltConfigure)
			s.Must(t, "sh", "-c", "cd /tmp && apt-get download -q bed-halt-lib=1.0 && dpkg --force-depends --install bed-halt-lib_1.0_all.deb")
			s.publish(t, bed.Stable, bed.HaltStep(2))
			if gone {
				s.archive.Withdraw(t, bed.Stable, "bed-halt-lib="+bed.HaltStep(1))
				s.refresh(t)
				s.Must(t, "apt-get", "clean")
			}
			p := s.again(t, 0)
			_, err := p.Repair(t.Context(), time.Second)
			if gone {
				wantError(t, err, provider.ErrRefused, "bed-halt-lib")
				s.is(t, "bed-halt-lib", "1.0 installed")
				s.is(t, "bed-halt", "1.1 unpacked")
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			s.is(t, "bed-halt-lib", "1.1 installed")
			s.is(t, "bed-halt", "1.1 installed")
			s.sound(t)
		})
	}
}

// An undo that was cut short is finished too, downwards, and nothing else goes down.
func TestAnUndoThatWasCutShortIsFinished(t *testing.T) {
	for _, m := range []bed.Moment{bed.HaltPostrm, bed.HaltPostinst} {
		t.Run(string(m), func(t *testing.T) {
			s := setScene(t, bed.Options{}, halting...)
			s.publish(t, bed.Stable, bed.HaltStep(1), "bed-lib=1.1")
			if _, err := s.apply(t, nil, "bed-halt", "bed-halt-lib", "bed-lib"); err != nil {
				t.Fatal(err)
			}
			s.cutIn(t, m, func() { s.undo(t, "bed-halt=1.1=1.0", "bed-halt-lib=1.1=1.0") })
			if _, err := s.again(t, 0).Repair(t.Context(), time.Second); err != nil {
				t.Fatal(err)
			}
			s.is(t, "bed-halt", "1.0 installed")
			s.is(t, "bed-halt-lib", "1.0 installed")
			s.is(t, "bed-lib", "1.1 installed")
			s.sound(t)
		})
	}
}

// What somebody else left half done is not touched, and no package is: whoever did it may
// still be at work.
func TestWhatOthersLeftIsNotTouched(t *testing.T) {
	s := setScene(t, bed.Options{}, append([]string{"bed-slow"}, halting...)...)
	s.publish(t, bed.Stable, bed.HaltStep(1), "bed-slow=1.1")
	s.cutAt(t, bed.HaltPostinst)
	s.Must(t, "sh", "-c", "cd /tmp && apt-get download -q bed-slow=1.1 && dpkg --unpack bed-slow_1.1_all.deb")
	p := s.again(t, 0)
	if left := unfinished(t, p); left != "bed-halt" && left != "bed-halt bed-watch" {
		t.Errorf("to be finished are %q", left)
	}
	if _, err := p.Repair(t.Context(), time.Second); err != nil {
		t.Fatal(err)
	}
	s.is(t, "bed-halt", "1.1 installed")
	s.is(t, "bed-slow", "1.1 unpacked")
	if left := unfinished(t, p); left != "" {
		t.Errorf("what others left is ours by now: %s", left)
	}
}

// What cannot be finished is told in the script's own words, tried again later, and not for
// ever.
func TestWhatCannotBeFinishedIsTold(t *testing.T) {
	s := setScene(t, bed.Options{}, "bed-badpost", "bed-lib")
	s.publish(t, bed.Stable, "1.1")
	if _, err := s.apply(t, nil, "bed-badpost"); err == nil {
		t.Fatal("bed-badpost was installed")
	}
	for _, later := range []time.Duration{0, 11 * time.Minute, 3 * time.Hour} {
		p := s.again(t, later)
		if left := unfinished(t, p); left != "bed-badpost" {
			t.Fatalf("%v later: to be finished are %q", later, left)
		}
		_, err := p.Repair(t.Context(), time.Second)
		wantError(t, err, nil, "bed-badpost", "post-installation script")
		if left := unfinished(t, p); left != "" {
			t.Errorf("%v later: %s are tried again at once", later, left)
		}
	}
	p := s.again(t, 1000*time.Hour)
	if left := unfinished(t, p); left != "" {
		t.Errorf("it is tried for ever: %s", left)
	}
	offer, err := s.apt.Available(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if notes := strings.Join(offer.Notes, "\n"); !strings.Contains(notes, "bed-badpost 1.1 is half-configured") || !strings.Contains(notes, "post-installation script") {
		t.Errorf("the notes are %q", offer.Notes)
	}
	s.publish(t, bed.Stable, "1.2")
	if _, err := s.apply(t, nil, "bed-badpost"); err != nil {
		t.Errorf("the approved repair: %v", err)
	}
	s.sound(t)
}

// dpkg alone is killed, as when memory runs out: apt lives, and so does the provider.
func TestKilledDpkgIsFinishedAtOnce(t *testing.T) {
	s := setScene(t, bed.Options{}, halting...)
	s.publish(t, bed.Stable, bed.HaltStep(1))
	on := s.offered(t)
	if err := s.HaltAt(bed.HaltPostinst); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() {
		_, err := s.apt.Apply(t.Context(), provider.Request{Updates: []patch.Update{on["bed-halt"], on["bed-halt-lib"]}})
		ended <- err
	}()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := s.WaitHalted(ctx); err != nil {
		t.Fatal(err)
	}
	if s.KillTree("dpkg") == 0 {
		t.Fatal("there was no dpkg to kill")
	}
	if err := s.GoOn(t.Context()); err != nil { // when its script runs once more
		t.Fatal(err)
	}
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	s.is(t, "bed-halt", "1.1 installed")
	s.sound(t)
}

// A power cut takes apt's lists back to what was on the disk: what was approved is fetched
// anew, not refused.
func TestListsThatWereLostAreFetchedAnew(t *testing.T) {
	s := setScene(t, bed.Options{}, "bed-lib")
	s.Must(t, "sh", "-c", "mkdir /lists && cp -a /var/lib/apt/lists/. /lists")
	s.publish(t, bed.Stable, "1.1")
	on := s.offered(t)
	s.Must(t, "sh", "-c", "rm -r /var/lib/apt/lists && mv /lists /var/lib/apt/lists")
	if _, err := s.again(t, 0).(provider.Provider).Apply(t.Context(), provider.Request{Updates: []patch.Update{on["bed-lib"]}}); err != nil {
		t.Fatal(err)
	}
	s.is(t, "bed-lib", "1.1 installed")
}
