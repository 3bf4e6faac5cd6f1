package store

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"patchbay/patch"
	"patchbay/wire"
)

func TestReceiveTwiceIsReceiveOnce(t *testing.T) {
	both(t, func(t *testing.T, s *Store) {
		c := founded(t, s, "a")
		_, err := c.wish(c.device, []Job{install("job_1")})
		ok(t, err)
		in := c.report(day0, offering(t, day0, "nginx", "2"), good(t, day0, "host", wire.Facts{Hostname: "web"}))
		in.Outcomes = []wire.Outcome{c.done(1, "job_1"), c.done(2, "job_2")}
		in.Devices[0].Jobs = []wire.JobStep{{Job: "job_1", Step: wire.StepApplying, Since: day0}}
		taken := c.receive(t, day0, in)
		if taken.Acknowledged != 2 || len(taken.Outcomes) != 2 || !taken.Devices[0].Changed() || len(taken.Devices[0].Odd) > 0 {
			t.Fatalf("%+v", taken)
		}
		look := func() any {
			jobs, err := c.Jobs(context.Background(), JobFilter{})
			ok(t, err)
			device, err := c.Device(context.Background(), c.device)
			ok(t, err)
			outcomes, err := c.Outcomes(context.Background(), OutcomeFilter{})
			ok(t, err)
			return []any{jobs, device, outcomes, c.offers(t, day0), c.sections(t)}
		}
		before := look()
		again := c.receive(t, day0.Add(time.Minute), in)
		if again.Acknowledged != 2 || len(again.Outcomes) != 0 || again.Devices[0].Changed() {
			t.Fatalf("%+v", again)
		}
		same(t, look(), before)
	})
}

func TestFailedSectionAgesAndNeverEmpties(t *testing.T) {
	both(t, func(t *testing.T, s *Store) {
		c := founded(t, s, "a")
		section := offering(t, day0, "nginx", "2")
		c.receive(t, day0, c.report(day0, section))
		held := c.sections(t)["apt/offered"]

		later := day0.Add(time.Hour)
		taken := c.receive(t, later, c.report(later, failing(section)))
		row := c.sections(t)["apt/offered"]
		if string(row.Body) != string(held.Body) || row.Hash != held.Hash || !row.ScannedAt.Equal(day0) || row.State != wire.SectionFailed ||
			row.FailedAt == nil || !row.FailedAt.Equal(later) || row.Error != "The lists are locked." {
			t.Fatalf("after failing: %+v", row)
		}
		if taken.Devices[0].Held.Digest != wire.Digest([]wire.Section{failing(section)}) {
			t.Error("both sides hold the same and have different digests")
		}
		c.receive(t, later.Add(time.Hour), c.report(later.Add(time.Hour), failing(section)))
		worse := failing(section)
		worse.Error = "The disk is gone."
		c.receive(t, later.Add(2*time.Hour), c.report(later.Add(2*time.Hour), worse))
		if row := c.sections(t)["apt/offered"]; !row.FailedAt.Equal(later) {
			t.Errorf("failing since %v, not since the last check-in", later)
		}
		if offers := c.offers(t, later); len(offers) != 1 || offers[0].GoneAt != nil {
			t.Errorf("offers after failing: %+v", offers)
		}
		// It fails in a device's first scan, or the body it had is not the one held here.
		broken := failing(offering(t, day0, "other", "9"))
		c.receive(t, later, c.report(later, broken, wire.Section{Name: "dnf/offered", State: wire.SectionFailed, Error: "no"}))
		if row := c.sections(t)["apt/offered"]; string(row.Body) != string(held.Body) || row.Hash != held.Hash {
			t.Errorf("after failing with another hash: %+v", row)
		}
		if row := c.sections(t)["dnf/offered"]; row.Hash != "" || row.Body != nil || row.State != wire.SectionFailed {
			t.Errorf("never read: %+v", row)
		}
		// And it recovers, with the same content and so without a body.
		section.Body = nil
		c.receive(t, later, c.report(later, section))
		if row := c.sections(t)["apt/offered"]; row.State != wire.SectionOK || row.FailedAt != nil || string(row.Body) != string(held.Body) {
			t.Errorf("after recovering: %+v", row)
		}
	})
}

// What is held was not read again just because the device was: it may hold something else now.
func TestOnlyWhatIsHeldIsReadAgain(t *testing.T) {
	both(t, func(t *testing.T, s *Store) {
		c := founded(t, s, "a")
		old, items := offering(t, day0, "nginx", "2"), good(t, day0, "apt/installed", []patch.Item{})
		read := func() time.Time { return c.sections(t)["apt/offered"].ScannedAt }
		c.receive(t, day0, c.report(day0, items, old))

		later := day0.Add(time.Hour)
		in := c.report(later, items, offering(t, later, "nginx", "3"))
		in.Devices[0].Sections = nil // told later, such as after a restart of the agent
		c.receive(t, later, in)
		if !read().Equal(day0) {
			t.Errorf("what is no longer so counts as read at %v", read())
		}
		in = c.report(later, items, offering(t, later, "nginx", "3"))
		in.Devices[0].Sections[1].Body = nil // it believes that this is held
		c.receive(t, later, in)
		if !read().Equal(day0) {
			t.Errorf("what is not held counts as read at %v", read())
		}
		odd := good(t, later, "dnf/offered", map[string]int{})
		c.receive(t, later, c.report(later, items, old, odd))
		if !read().Equal(later) {
			t.Error("one section that cannot be taken makes all others old")
		}
		evening := later.Add(time.Hour)
		in = c.report(evening, items, old)
		in.Devices[0].Digest = c.receive(t, later, c.report(later, items, old)).Devices[0].Held.Digest
		in.Devices[0].Sections = nil
		c.receive(t, evening, in)
		if !read().Equal(evening) {
			t.Error("what is held and is read again is not")
		}
	})
}

func TestWhatCannotBeTakenIsNotHeld(t *testing.T) {
	both(t, func(t *testing.T, s *Store) {
		c := founded(t, s, "a")
		section := offering(t, day0, "nginx", "2")
		c.receive(t, day0, c.report(day0, section))
		held := c.sections(t)["apt/offered"]
		raw := func(body string) wire.Section {
			return wire.Section{Name: "apt/offered", Hash: wire.Hash([]byte(body)), State: wire.SectionOK, ScannedAt: day0, Body: []byte(body)}
		}
		lies := offering(t, day0, "nginx", "3")
		lies.Body = section.Body
		foreign := c.receive(t, day0, c.report(day0, good(t, day0, "apt/installed", []patch.Item{{Provider: "dnf", Name: "nginx"}})))
		if len(foreign.Devices[0].Odd) != 1 {
			t.Errorf("an item of another provider: %+v", foreign)
		}
		unknown := offering(t, day0)
		unknown.State = "fine"
		for name, odd := range map[string]wire.Section{
			"hash does not fit": lies, "not JSON": raw("{"), "wrong type": raw(`{"a":1}`), "foreign provider": raw(`[{"provider":"dnf"}]`),
			"unknown state": unknown,
		} {
			c.receive(t, day0, c.report(day0, section))
			taken := c.receive(t, day0, c.report(day0, odd))
			row := c.sections(t)["apt/offered"]
			if len(taken.Devices[0].Odd) != 1 || row.State != wire.SectionFailed || string(row.Body) != string(held.Body) ||
				taken.Devices[0].Held.Sections["apt/offered"] != held.Hash || len(c.offers(t, day0)) != 1 {
				t.Errorf("%s: %+v, %+v", name, taken, row)
			}
		}
		for _, name := range []string{"apt/installed", "apt/sources", "apt/other", "host"} {
			odd := raw(`{`)
			if odd.Name = name; name == "apt/installed" || name == "apt/sources" {
				odd = good(t, day0, name, "no list")
			}
			if taken := c.receive(t, day0, c.report(day0, odd)); len(taken.Devices[0].Odd) != 1 || c.sections(t)[name].Body != nil {
				t.Errorf("%s: %+v", name, taken)
			}
		}
		// A head without the body, which is not held: nothing changes, and the answer shows it.
		head := offering(t, day0, "nginx", "4")
		head.Body = nil
		taken := c.receive(t, day0, c.report(day0, section))
		taken = c.receive(t, day0, c.report(day0, head))
		if taken.Devices[0].Changed() || taken.Devices[0].Held.Sections["apt/offered"] != held.Hash {
			t.Errorf("%+v", taken)
		}
	})
}

func TestAbsentAndDroppedSectionsHaveNothingOnOffer(t *testing.T) {
	both(t, func(t *testing.T, s *Store) {
		c := founded(t, s, "a")
		section, host := offering(t, day0, "nginx", "2"), good(t, day0, "host", wire.Facts{Hostname: "web"})
		c.receive(t, day0, c.report(day0, section, host))
		absent := wire.Section{Name: "apt/offered", State: wire.SectionAbsent}
		c.receive(t, day0, c.report(day0, absent, host))
		if o := c.offers(t, day0); o[0].GoneAt == nil {
			t.Errorf("absent: %+v", o)
		}
		taken := c.receive(t, day0, c.report(day0, section, host))
		if o := c.offers(t, day0); o[0].GoneAt != nil || len(taken.Devices[0].Sections) != 1 {
			t.Errorf("there again: %+v", o)
		}
		taken = c.receive(t, day0, c.report(day0, host)) // and that is all it has
		if o := c.offers(t, day0); o[0].GoneAt == nil || len(c.sections(t)) != 1 || !slices.Equal(taken.Devices[0].Sections, []string{"apt/offered"}) {
			t.Errorf("dropped: %+v, %+v", o, taken)
		}
		part := c.report(day0, section)
		part.Devices[0].Digest = wire.Digest([]wire.Section{host, section})
		c.receive(t, day0, part)
		if len(c.sections(t)) != 2 {
			t.Error("a report of some sections dropped the others")
		}
	})
}

// The store is compared with a model of a few lines, for any order of scans.
func TestOffersRememberWhenTheyCameAndWent(t *testing.T) {
	both(t, func(t *testing.T, s *Store) {
		c := founded(t, s, "a")
		n := 0
		rapid.Check(t, func(r *rapid.T) {
			n++
			c := c
			c.agent, c.device = numbered("agt", n), numbered("dev", n)
			c.enroll(t, c.agent, c.device)
			type life struct {
				first time.Time
				gone  *time.Time
			}
			model := map[string]*life{}
			for i := range rapid.IntRange(1, 8).Draw(r, "scans") {
				now := day0.Add(time.Duration(i) * time.Minute)
				picked := rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"a 1", "a 2", "b 1", "c 1", "c 2"}), 0, 5, rapid.ID[string]).Draw(r, "offered")
				slices.Sort(picked)
				section := good(t, now, "apt/offered", updates(picked))
				if rapid.IntRange(0, 4).Draw(r, "luck") == 0 {
					section = failing(section)
				} else {
					for _, key := range picked {
						if model[key] == nil {
							model[key] = &life{first: now}
						}
						model[key].gone = nil
					}
					for key, l := range model {
						if l.gone == nil && !slices.Contains(picked, key) {
							l.gone = &now
						}
					}
				}
				c.receive(t, now, c.report(now, section))
				offers := c.offers(t, now)
				if len(offers) != len(model) {
					r.Fatalf("%d offers, want %d", len(offers), len(model))
				}
				for _, o := range offers {
					want := model[o.Update.Name+" "+o.Update.Available]
					if want == nil || !o.FirstSeen.Equal(want.first) || (o.GoneAt == nil) != (want.gone == nil) || o.GoneAt != nil && !o.GoneAt.Equal(*want.gone) {
						r.Fatalf("%+v, want %+v", o, want)
					}
				}
			}
		})
	})
}

func updates(keys []string) []patch.Update {
	all := []patch.Update{}
	for _, k := range keys {
		all = append(all, patch.Update{Provider: "apt", Name: k[:1], Available: k[2:], Installed: "0"})
	}
	return all
}

func TestOldOffersAreNotTold(t *testing.T) {
	both(t, func(t *testing.T, s *Store) {
		c := founded(t, s, "a")
		c.receive(t, day0, c.report(day0, offering(t, day0, "nginx", "2")))
		c.receive(t, day0, c.report(day0, offering(t, day0)))
		if len(c.offers(t, day0.Add(OfferMemory-time.Second))) != 1 || len(c.offers(t, day0.Add(OfferMemory))) != 0 {
			t.Error("an offer is told of for 30 days after it went")
		}
	})
}

func TestOutcomesAreAcknowledgedWithoutGaps(t *testing.T) {
	both(t, func(t *testing.T, s *Store) {
		c := founded(t, s, "a")
		for _, step := range []struct {
			seqs    []int64
			through int64
			fresh   int
		}{{[]int64{1, 2}, 2, 2}, {[]int64{2, 4, 5}, 2, 2}, {nil, 2, 0}, {[]int64{5, 3}, 5, 1}, {[]int64{1, 2, 3}, 5, 0}, {[]int64{6}, 6, 1}, {[]int64{0, -7}, 6, 0}} {
			var in wire.CheckIn
			for _, seq := range step.seqs {
				in.Outcomes = append(in.Outcomes, c.done(seq, "job_of_nobody"))
			}
			taken := c.receive(t, day0, in)
			if taken.Acknowledged != step.through || len(taken.Outcomes) != step.fresh {
				t.Fatalf("after %v: through %d, %d new", step.seqs, taken.Acknowledged, len(taken.Outcomes))
			}
		}
		rows, err := c.Outcomes(context.Background(), OutcomeFilter{Device: c.device, Job: "job_of_nobody"})
		ok(t, err)
		if len(rows) != 6 || rows[0].Receipt == nil {
			t.Errorf("%+v", rows)
		}
	})
}

// A server that was restored from a copy older than what its agents keep never gets what is
// between. It goes on with what follows.
func TestWhatIsGoneIsNotWaitedFor(t *testing.T) {
	both(t, func(t *testing.T, s *Store) {
		c := founded(t, s, "a")
		for _, step := range []struct {
			gone, through int64
			seqs          []int64
		}{{0, 2, []int64{1, 2}}, {0, 2, []int64{7, 8}}, {4, 4, []int64{7, 8}}, {6, 8, []int64{7, 8}}, {3, 9, []int64{9}}} {
			in := wire.CheckIn{Gone: step.gone}
			for _, seq := range step.seqs {
				in.Outcomes = append(in.Outcomes, c.done(seq, "job_of_nobody"))
			}
			if taken := c.receive(t, day0, in); taken.Acknowledged != step.through {
				t.Fatalf("with all through %d gone and %v told: through %d", step.gone, step.seqs, taken.Acknowledged)
			}
		}
	})
}

func TestAcknowledgedOutcomesSurviveAReopen(t *testing.T) {
	for name, url := range map[string]func(testing.TB) string{"sqlite": sqliteFile, "postgres": postgresURL} {
		t.Run(name, func(t *testing.T) {
			if racing && name == "sqlite" {
				t.Skip("the race detector is on")
			}
			ctx, at := context.Background(), url(t)
			s, err := Open(ctx, at)
			ok(t, err)
			c := founded(t, s, "a")
			c.receive(t, day0, wire.CheckIn{Outcomes: []wire.Outcome{c.done(1, "job_1")}})
			ok(t, s.Close())
			s = open(t, at)
			agent, err := s.Customer(ann, c.id).Agent(ctx, c.agent)
			ok(t, err)
			rows, err := s.Customer(ann, c.id).Outcomes(ctx, OutcomeFilter{})
			ok(t, err)
			if agent.Acknowledged != 1 || len(rows) != 1 {
				t.Errorf("%+v, %+v", agent, rows)
			}
		})
	}
}

func TestRefusedCheckInLeavesNothing(t *testing.T) {
	both(t, func(t *testing.T, s *Store) {
		ctx := context.Background()
		c := founded(t, s, "a")
		c.enroll(t, "agt_2", "dev_2")
		in := c.report(day0, offering(t, day0, "nginx", "2"))
		in.Outcomes = []wire.Outcome{c.done(1, "job_1")}
		foreign := in
		foreign.Devices = append(slices.Clone(in.Devices), wire.DeviceReport{Device: "dev_2"})
		_, err := c.try(day0, foreign)
		refused(t, ErrRefused, err)
		nothing := func() {
			t.Helper()
			agent, err := c.Agent(ctx, c.agent)
			ok(t, err)
			rows, err := c.Outcomes(ctx, OutcomeFilter{})
			ok(t, err)
			if len(rows) > 0 || len(c.sections(t)) > 0 || len(c.offers(t, day0)) > 0 || !agent.LastSeen.IsZero() {
				t.Error("half of it is there")
			}
		}
		nothing()
		ok(t, c.RetireDevice(ctx, day0, c.device))
		for agent, revoked := range map[string]bool{c.agent: true, "agt_2": false} {
			if a, err := c.Agent(ctx, agent); err != nil || (a.RevokedAt != nil) != revoked {
				t.Errorf("%s revoked at %v after the device of %s was retired, %v", agent, a.RevokedAt, c.agent, err)
			}
		}
		_, err = c.try(day0, in)
		refused(t, ErrRefused, err)
		nothing()
		_, err = c.try(day0, wire.CheckIn{})
		refused(t, ErrRefused, err)
		d := founded(t, s, "b")
		ok(t, s.MSP(ann).UpdateCustomer(ctx, day0, CustomerRow{ID: d.id, Name: "B", ClosedAt: &day0}))
		_, err = d.try(day0, wire.CheckIn{})
		refused(t, ErrRefused, err)
		_, err = c.try(day0, wire.CheckIn{Agent: "agt_none"})
		refused(t, ErrNotFound, err)
	})
}

func TestHostileTextIsStored(t *testing.T) {
	both(t, func(t *testing.T, s *Store) {
		c := founded(t, s, "a")
		evil := "a\x00b\xff'; DROP TABLE device; --\u202e"
		section := good(t, day0, "apt/offered", []patch.Update{{Provider: "apt", Name: evil, Scope: evil, Architecture: evil, Instance: evil, Available: evil}})
		failed := wire.Section{Name: evil, State: wire.SectionFailed, Error: evil}
		in := c.report(day0, section, good(t, day0, "host", wire.Facts{Hostname: evil, Kernel: evil}), failed)
		in.Build, in.Capabilities, in.BootID = evil, []string{evil}, evil
		in.Outcomes = []wire.Outcome{{Seq: 1, Device: evil, Job: evil, Step: wire.Step(evil), Result: wire.Result(evil), Message: evil, Detail: evil,
			At: time.Date(9999, 12, 31, 23, 0, 0, 0, time.FixedZone("", -86399))}}
		in.Devices[0].Jobs = []wire.JobStep{{Job: evil, Step: wire.Step(evil), Why: evil, Since: time.Date(1, 1, 1, 1, 0, 0, 0, time.UTC)}}
		in.Sent = time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC)
		for range 2 {
			if taken := c.receive(t, day0, in); taken.Acknowledged != 1 || len(taken.Devices[0].Odd) > 0 {
				t.Fatalf("%+v", taken)
			}
		}
		offers := c.offers(t, day0)
		outcomes, err := c.Outcomes(context.Background(), OutcomeFilter{})
		ok(t, err)
		device, err := c.Device(context.Background(), c.device)
		ok(t, err)
		if len(offers) != 1 || len(outcomes) != 1 || device.Name != "a\uFFFDb\uFFFD'; DROP TABLE device; --\u202e" {
			t.Fatalf("%q", []any{offers, outcomes, device})
		}
		same(t, outcomes, outcomes) // can be shown
	})
}

func TestTimesAreByTheServersClock(t *testing.T) {
	hour := time.Hour
	for i, c := range []struct{ t, sent, now, want time.Time }{
		{day0, day0, day0, day0},
		{day0.Add(-hour), day0, day0, day0.Add(-hour)},
		{day0.Add(8760 * hour), day0.Add(8761 * hour), day0, day0.Add(-hour)}, // a year ahead
		{day0.Add(-8760 * hour), day0.Add(-8760 * hour), day0, day0},          // a year behind
		{day0.Add(hour), day0, day0, day0},                                    // never ahead of now
		{time.Time{}, day0, day0, time.Time{}},
		{day0.Add(-hour), time.Time{}, day0, day0.Add(-hour)},
	} {
		if got := ServerTime(c.t, c.sent, c.now); !got.Equal(c.want) {
			t.Errorf("%d: %v, want %v", i, got, c.want)
		}
	}
}

func TestAPersonsNameForADeviceStays(t *testing.T) {
	both(t, func(t *testing.T, s *Store) {
		ctx := context.Background()
		c := founded(t, s, "a")
		host := func(name string) string {
			c.receive(t, day0, c.report(day0, good(t, day0, "host", wire.Facts{Hostname: name})))
			d, err := c.Device(ctx, c.device)
			ok(t, err)
			return d.Name + " is " + d.Facts.Hostname
		}
		got := []string{host("one")}
		ok(t, c.RenameDevice(ctx, day0, c.device, "Till"))
		got = append(got, host("two"))
		ok(t, c.RenameDevice(ctx, day0, c.device, ""))
		got = append(got, host("two"), host("three"))
		same(t, got, []string{"one is one", "Till is two", "two is two", "three is three"})
	})
}

func TestTouchesOnlyGoForward(t *testing.T) {
	both(t, func(t *testing.T, s *Store) {
		ctx := context.Background()
		c := founded(t, s, "a")
		section := offering(t, day0)
		held := c.receive(t, day0, c.report(day0, section)).Devices[0].Held
		var touches []Touch
		for i := range 3 * touchBatch { // most of them of agents that are not here
			touches = append(touches, Touch{Agent: fmt.Sprint("agt_", i), LastSeen: day0})
		}
		for _, d := range []time.Duration{time.Minute, 3 * time.Minute, 2 * time.Minute} {
			touches = append(touches, Touch{Agent: c.agent, LastSeen: day0.Add(d), Device: c.device, Digest: held.Digest, ScannedAt: day0.Add(d - time.Minute)})
		}
		for _, touches := range [][]Touch{touches,
			{{Agent: c.agent, LastSeen: day0, Device: c.device, Digest: held.Digest, ScannedAt: day0}},
		} {
			strange, err := s.MSP(ann).TouchAgents(ctx, day0, touches)
			ok(t, err)
			same(t, strange, nil)
		}
		agent, err := c.Agent(ctx, c.agent)
		ok(t, err)
		device, err := c.Device(ctx, c.device)
		ok(t, err)
		if !agent.LastSeen.Equal(day0.Add(3*time.Minute)) || !device.ScannedAt.Equal(day0.Add(2*time.Minute)) {
			t.Errorf("%v, %v", agent.LastSeen, device.ScannedAt)
		}
		if row := c.sections(t)["apt/offered"]; !row.ScannedAt.Equal(day0.Add(2 * time.Minute)) {
			t.Errorf("a good section is as fresh as the last scan: %v", row.ScannedAt)
		}
		c.receive(t, day0, c.report(day0, failing(section)))
		if row := c.sections(t)["apt/offered"]; !row.ScannedAt.Equal(day0) {
			t.Errorf("a failed section is as old as its body: %v", row.ScannedAt)
		}
	})
}

// Of an agent that another server heard since, or that was revoked, a server knows too little.
func TestATouchByAServerThatKnowsLessIsToldSo(t *testing.T) {
	s, ctx := open(t, postgresURL(t)), context.Background()
	c := founded(t, s, "a")
	c.receive(t, day0, wire.CheckIn{})
	touch := func(known, now time.Time, want ...string) {
		t.Helper()
		strange, err := s.MSP(ann).TouchAgents(ctx, now, []Touch{{Agent: c.agent, LastSeen: now, Known: known}})
		ok(t, err)
		same(t, strange, want)
	}
	touch(day0, day0.Add(time.Minute))
	touch(day0.Add(time.Minute), day0.Add(2*time.Minute))
	c.receive(t, day0.Add(time.Second), wire.CheckIn{}) // by another server, whose clock is behind
	touch(day0.Add(2*time.Minute), day0.Add(3*time.Minute), c.agent)
	touch(time.Time{}, day0.Add(3*time.Minute)) // by one that has forgotten the agent meanwhile
	held := c.receive(t, day0.Add(3*time.Minute), c.report(day0, offering(t, day0))).Devices[0].Held
	for _, scan := range []struct {
		digest   string
		at, want time.Duration
	}{{"of other sections", 9 * time.Minute, 0}, {held.Digest, 2 * time.Minute, 2 * time.Minute}} {
		_, err := s.MSP(ann).TouchAgents(ctx, day0, []Touch{{Agent: c.agent, LastSeen: day0, Device: c.device, Digest: scan.digest, ScannedAt: day0.Add(scan.at)}})
		ok(t, err)
		device, err := c.Device(ctx, c.device)
		ok(t, err)
		if !device.ScannedAt.Equal(day0.Add(scan.want)) {
			t.Errorf("after a scan %s the device counts as read at %v", scan.digest, device.ScannedAt)
		}
	}
	ok(t, c.RetireDevice(ctx, day0, c.device))
	touch(day0.Add(3*time.Minute), day0.Add(4*time.Minute), c.agent)
	agent, err := c.Agent(ctx, c.agent)
	ok(t, err)
	if !agent.LastSeen.Equal(day0.Add(3 * time.Minute)) {
		t.Errorf("last seen %v", agent.LastSeen)
	}
}

// What an agent holds is unknown until it said so, and then what it said last.
func TestWhatAnAgentHoldsIsWhatItSaidLast(t *testing.T) {
	both(t, func(t *testing.T, s *Store) {
		c := founded(t, s, "a")
		held := func() *Held {
			a, err := c.Agent(context.Background(), c.agent)
			ok(t, err)
			return a.Held
		}
		if h := held(); h != nil {
			t.Errorf("it said nothing, and %+v is known", h)
		}
		for _, says := range []wire.HeldDocuments{{}, {Root: 3, Limits: 7}, {Root: 4}} {
			c.receive(t, day0, wire.CheckIn{Documents: says})
			if h := held(); h == nil || *h != (Held{says.Root, says.Limits}) {
				t.Errorf("it said %+v, and %+v is kept", says, h)
			}
		}
	})
}
