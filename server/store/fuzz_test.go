package store

import (
	"context"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"patchbay/patch"
	"patchbay/wire"
)

// FuzzReceive takes any check-in there can be: it is taken or refused, never an error of the
// database; taken again it changes nothing; and all that is held can be read and shown.
func FuzzReceive(f *testing.F) {
	body, _ := wire.Canonical([]patch.Update{{Provider: "apt", Name: "x", Available: "2"}})
	for _, in := range []wire.CheckIn{
		{},
		{Devices: []wire.DeviceReport{{Sections: []wire.Section{{Name: "apt/offered", Hash: wire.Hash(body), State: wire.SectionOK, Body: body}}}}},
		{Devices: []wire.DeviceReport{{Sections: []wire.Section{{Name: "host", Hash: wire.Hash([]byte("{}")), State: wire.SectionFailed, Body: []byte("{}")}}}},
			Outcomes: []wire.Outcome{{Seq: 1, Step: wire.StepDone}, {Seq: -1}}},
		{Devices: []wire.DeviceReport{{Jobs: []wire.JobStep{{Job: "job_1", Step: "applying", Why: "\x00"}}}, {}}},
	} {
		seed, _ := json.Marshal(in)
		f.Add(seed)
	}
	f.Add([]byte(`{"sent":"9999-12-31T23:59:59-23:59","devices":[{"scanned_at":"0001-01-01T00:00:01Z","sections":[{"name":"host","state":"ok","body":null}]}]}`))
	if racing {
		f.Skip("the race detector is on: only TestSmoke runs on SQLite")
	}
	s := open(f, sqliteFile(f))
	c := founded(f, s, "a")
	n := 0
	f.Fuzz(func(t *testing.T, data []byte) {
		var in wire.CheckIn
		if json.Unmarshal(data, &in) != nil {
			t.Skip()
		}
		n++
		c := c
		c.agent, c.device = numbered("agt", n), numbered("dev", n)
		c.enroll(t, c.agent, c.device)
		_, err := c.wish(c.device, []Job{install(numbered("job", n))})
		ok(t, err)
		in.Agent = c.agent
		for i := range in.Devices {
			in.Devices[i].Device = c.device
		}
		if in.Sent.IsZero() {
			in.Sent = day0
		}
		var r *Refusal
		if _, err := c.Receive(context.Background(), day0, in); errors.As(err, &r) {
			return
		}
		ok(t, err)
		before := c.all(t)
		if len(in.Devices) <= 1 { // of one device twice, the second says something else
			taken, err := c.Receive(context.Background(), day0, in)
			ok(t, err)
			if len(taken.Outcomes) > 0 || string(c.all(t)) != string(before) {
				t.Errorf("the second time: %+v\n%s\n%s", taken, before, c.all(t))
			}
		}
	})
}

// all is all that is held of a device, as a page shows it.
func (c company) all(t testing.TB) []byte {
	t.Helper()
	ctx := context.Background()
	device, err := c.Device(ctx, c.device)
	ok(t, err)
	agent, err := c.Agent(ctx, c.agent)
	ok(t, err)
	jobs, err := c.Jobs(ctx, JobFilter{Devices: []string{c.device}})
	ok(t, err)
	outcomes, err := c.Outcomes(ctx, OutcomeFilter{Device: c.device})
	ok(t, err)
	text, err := json.Marshal([]any{device, agent, jobs, outcomes, c.offers(t, day0), c.sections(t)})
	ok(t, err)
	return text
}

// FuzzSettle: whatever is said of a section, what is held is replaced only by content that
// fits its hash, and emptied only by "absent".
func FuzzSettle(f *testing.F) {
	f.Add("ok", "sha256:1", []byte("x"), true, "sha256:2")
	f.Add("failed", "", []byte(nil), false, "")
	f.Add("absent", "sha256:1", []byte("x"), false, "sha256:1")
	f.Fuzz(func(t *testing.T, state, hash string, body []byte, fits bool, held string) {
		if fits {
			hash = wire.Hash(body)
		}
		s := wire.Section{Name: "apt/offered", Hash: hash, State: wire.SectionState(state), Body: body}
		old := SectionRow{Name: s.Name, Hash: held, State: wire.SectionOK, ScannedAt: day0}
		row, kept, odd := settle(day0.Add(time.Hour), s, old)
		switch {
		case kept != nil && wire.Hash(kept) != row.Hash:
			t.Error("the content does not fit the hash")
		case kept == nil && row.Hash != held && s.State != wire.SectionAbsent:
			t.Errorf("the hash became %q without content", row.Hash)
		case (row.State == wire.SectionFailed) != (row.FailedAt != nil):
			t.Error("failed and not since when, or the other way round")
		case odd != "" && row.State != wire.SectionFailed:
			t.Error("odd, and not failed")
		case row.State == wire.SectionOK && row.Hash != held && kept == nil:
			t.Error("good without having been read")
		}
	})
}

// A device's names may be of any length; indexes may not.
func TestNoNameIsTooLongToBeTaken(t *testing.T) {
	both(t, func(t *testing.T, s *Store) {
		c := founded(t, s, "a")
		dice := rand.New(rand.NewPCG(1, 2))
		long := strings.Map(func(rune) rune { return rune('!' + dice.IntN(90)) }, strings.Repeat("x", wire.MaxText)) // not compressible
		in := c.report(day0, good(t, day0, "apt/offered", []patch.Update{{Provider: "apt", Name: long, Available: long}}),
			wire.Section{Name: long, State: wire.SectionFailed}, good(t, day0, "host", wire.Facts{Hostname: long}))
		in.Outcomes = []wire.Outcome{{Seq: 1, Device: long, Job: long, Message: long, Step: wire.StepDone}}
		taken := c.receive(t, day0, in)
		if taken.Acknowledged != 1 || len(taken.Devices[0].Odd) != 2 || len(c.sections(t)) != 2 {
			t.Errorf("%+v", taken)
		}
		var many []wire.Section
		for i := range 3 * maxSections {
			many = append(many, wire.Section{Name: numbered("apt/x", i), State: wire.SectionFailed})
		}
		c.receive(t, day0, c.report(day0, many...))
		if n := len(c.sections(t)); n > maxSections {
			t.Errorf("%d sections", n)
		}
	})
}
