package e2e

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"patchbay/patch"
	"patchbay/server/view"
	"patchbay/test/bed"
)

// halting are the packages that come in each version, and what else may be found half done.
var halting = []string{"bed-halt", "bed-halt-lib", "bed-watch"}

// stop publishes version 1.n, stops the device while it installs that, and holds what must
// be so afterwards. It is false when the moment was over before the stop came.
func (s *target) stop(how stop, n int) bool {
	s.t.Helper()
	version := fmt.Sprintf("1.%d", n)
	if how.many > 0 {
		how.write += n * 5 % how.many // another one each time
	}
	moment, err := s.arm(how)
	if err != nil {
		s.t.Fatal(err)
	}
	s.offer(n)
	if s.forced {
		s.sayNow(version)
	}
	ctx, cancel := context.WithTimeout(s.t.Context(), patience)
	defer cancel()
	if err := moment(ctx); err != nil {
		s.t.Fatalf("%v; its needs are %s", err, s.describe())
	}
	made := s.take(how)
	if made {
		s.all.add(how, s.state())
	} else {
		s.all.miss()
	}
	s.noLie()
	s.back(how)
	s.waitFor(fmt.Sprintf("for %s to be proven after a stop of %s in %s", version, how.what, how.phase), func() bool {
		needs := s.needs()
		return proven(needs["bed-halt"], version) && proven(needs["bed-halt-lib"], version)
	})
	s.truth(how, version)
	return made
}

// proven reports whether the version is verified.
func proven(n view.Need, version string) bool {
	return n.Available == version && string(n.Verdict.Name) == "VERIFIED"
}

// arm makes the moment be noticed; the result waits for it.
func (s *target) arm(how stop) (func(context.Context) error, error) {
	s.doomed = nil
	journal := func() (func(context.Context, int) error, error) { return s.Writes("var/lib/patchbay-agent", "journal") }
	switch {
	case how.phase == agentJournal && how.at == "":
		wait, err := journal()
		return func(ctx context.Context) error { return wait(ctx, how.write) }, err
	case how.at != "" && how.phase != agentJournal:
		return s.WaitHalted, s.HaltAt(how.at)
	}
	return func(ctx context.Context) error {
		if err := s.WaitHalted(ctx); err != nil {
			return err
		}
		switch how.phase {
		case agentJournal: // what is written after that
			wait, err := journal()
			if err == nil {
				err = s.GoOn(ctx)
			}
			if err != nil {
				return err
			}
			return wait(ctx, how.write)
		case dpkgJournal:
			wait, err := s.Writes("var/lib/dpkg/updates", "")
			if err != nil {
				return err
			}
			return s.until(ctx, how, bed.HaltTrigger, func(ctx context.Context) error { return wait(ctx, how.write) })
		}
		return s.until(ctx, how, bed.HaltPostrm, s.WaitUnpacking)
	}, s.HaltAt(bed.HaltPreinst)
}

// until lets the installation go on until something is seen, and at most to a moment: what is
// to be looked for is short, and this program may be asleep. Whom to kill is known by then.
func (s *target) until(ctx context.Context, how stop, last bed.Moment, seen func(context.Context) error) error {
	if how.what != power {
		s.doomed = s.Tree(how.program())
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	first := make(chan error, 2)
	go func() { first <- seen(ctx) }()
	if err := s.HaltAt(last); err != nil {
		return err
	}
	go func() { first <- s.WaitHalted(ctx) }()
	return <-first
}

// offer puts the next version on offer and lets the device see it.
func (s *target) offer(n int) {
	s.archive.Publish(s.t, bed.Security, bed.HaltStep(n))
	s.waitFor("to fetch the lists beside the agent", func() bool {
		r, err := s.Apt(s.t.Context(), "update")
		return err == nil && r.Code == 0
	})
	s.scan()
}

// sayNow approves the version as a person who does not wait for a window.
func (s *target) sayNow(version string) {
	for _, name := range []string{"bed-halt-lib", "bed-halt"} {
		s.waitFor("for "+name+" to wait for a person", func() bool {
			n := s.needs()[name]
			return n.Available == version && (string(n.Verdict.Name) == "WAITS_DECISION" || string(n.Verdict.State) == "verified")
		})
		if n := s.needs()[name]; string(n.Verdict.State) != "verified" {
			call[object](s.in, "POST", "/approvals", object{"level": "device", "target": s.id, "what": object{"need": n.ID},
				"answer": "approve", "now": true, "follow": false})
		}
	}
}

// take takes away what is to be taken; false when that was over by then.
func (s *target) take(how stop) bool {
	if how.what == power {
		s.boots++
		if err := s.Cut(s.t.Context()); err != nil {
			s.t.Fatal(err)
		}
		return true
	}
	return bed.KillAll(s.doomed)+s.KillTree(how.program()) > 0
}

// program is what is killed.
func (how stop) program() string {
	if how.what == dpkg {
		return "dpkg"
	}
	return "patchbay-agent"
}

// state is what dpkg's record says of what is not complete, as dpkg writes it.
func (s *target) state() string {
	all, err := s.Oracle().Packages(s.t.Context())
	if err != nil {
		s.t.Fatal(err)
	}
	letters := map[string]string{"half-installed": "H", "unpacked": "U", "half-configured": "F", "triggers-awaited": "W", "triggers-pending": "t"}
	var states []string
	for _, name := range halting {
		p := all[name]
		if p.Status == "installed" {
			continue
		}
		state := "i" + letters[p.Status]
		if p.Broken {
			state += "R"
		}
		states = append(states, state)
	}
	if len(states) == 0 {
		return "ii"
	}
	return strings.Join(slices.Compact(states), "+")
}

// noLie holds that nothing is called verified that is not on the disk.
func (s *target) noLie() {
	truth, err := s.Oracle().Packages(s.t.Context())
	if err != nil {
		s.t.Fatal(err)
	}
	for name, n := range s.needs() {
		p := truth[name]
		order, err := patch.CompareVersions("deb", p.Version, n.Available)
		if string(n.Verdict.Name) == "VERIFIED" && (err != nil || order < 0 || p.Status != "installed") {
			s.all.fault(s.t, "false VERIFIED", "%s on %s is %s, not %s", name, s.Name, p, n.Available)
		}
	}
}

// back brings the device back as it would come: the machine starts, or systemd starts the
// agent, or the agent goes on.
func (s *target) back(how stop) {
	if how.what == power {
		if err := s.Start(s.t.Context()); err != nil {
			s.t.Fatal(err)
		}
	} else if err := s.GoOn(s.t.Context()); err != nil {
		s.t.Fatal(err)
	}
	if s.forced { // somebody else wants a reboot, and there is no window for it
		if err := s.PutFile("/run/reboot-required.pkgs", "linux-image\n", 0o644); err != nil {
			s.t.Fatal(err)
		}
		if err := s.PutFile("/run/reboot-required", "", 0o644); err != nil {
			s.t.Fatal(err)
		}
	}
}

// truth compares all that was told with the device.
func (s *target) truth(how stop, version string) {
	s.t.Helper()
	when := fmt.Sprintf("%s after a stop of %s in %s (%s) at %s", s.Name, how.what, how.phase, how.at, version)
	s.waitFor("for the end of its jobs to be told", func() bool {
		return !slices.ContainsFunc(s.jobs(), func(j view.Job) bool { return j.EndedAt == nil })
	})
	s.noLie()
	for _, name := range halting[:2] {
		if p, err := s.Oracle().Package(s.t.Context(), name); err != nil || p.String() != version+" installed" {
			s.all.fault(s.t, "left half-configured", "%s: %s is %s, %v", when, name, p, err)
		}
		s.outcomes(when, name, version)
	}
	if said, err := s.Oracle().Audit(s.t.Context()); err != nil || said != "" {
		s.all.fault(s.t, "left half-configured", "%s: %v\n%s", when, err, said)
	}
	if n := s.installs(version); n > 0 {
		s.all.fault(s.t, "double installs", "%s: %d", when, n)
	}
	if n := s.Boots() - s.boots; n != 0 {
		s.all.fault(s.t, "reboots outside windows", "%s: %d", when, n)
		s.boots += n
	}
}

// jobs are all jobs of the device.
func (s *target) jobs() []view.Job {
	return call[view.Page[view.Job]](s.in, "GET", "/jobs?limit=500&device="+s.id, nil).Items
}

// outcomes holds that each job for the version is told with its receipt, and one of them as done.
func (s *target) outcomes(when, name, version string) {
	done, tries := 0, 0
	for _, j := range s.jobs() {
		if j.Item.Name != name || j.To != version {
			continue
		}
		tries++
		r := call[view.JobDetail](s.in, "GET", "/jobs/"+j.ID, nil).Receipt
		if r == nil || !r.SignatureOK {
			s.all.fault(s.t, "lost outcomes", "%s: a job for %s ended as %s without a receipt: %s", when, name, j.Step, j.Why)
			continue
		}
		if j.Step == "done" {
			done++
			if r.After != version {
				s.all.fault(s.t, "false VERIFIED", "%s: the receipt for %s says %s", when, name, r.After)
			}
		}
	}
	s.all.count(&s.all.attempts, max(0, tries-1))
	if done == 0 && tries > 0 {
		s.t.Logf("%s: none of %d jobs for %s is told as done", when, tries, name)
	}
	if tries == 0 {
		s.all.fault(s.t, "lost outcomes", "%s: no job for %s is known", when, name)
	}
}

// installs counts unpackings after the configuration had begun: what was unpacked before was
// not written down, so that doing it again was right.
func (s *target) installs(version string) int {
	log, err := s.Oracle().DpkgLog()
	if err != nil {
		s.t.Fatal(err)
	}
	double := 0
	for _, name := range halting[:2] {
		configured := false
		for line := range strings.Lines(log) {
			f := strings.Fields(line)
			if len(f) < 6 || !strings.HasPrefix(f[3], name+":") {
				continue
			}
			switch {
			case f[2] == "configure" && f[4] == version:
				configured = true
			case (f[2] == "upgrade" || f[2] == "install") && f[5] == version && configured:
				double++
			}
		}
	}
	return double
}
