package store

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"patchbay/patch"
	"patchbay/wire"
)

func TestSmoke(t *testing.T) {
	ctx := context.Background()
	s, err := Open(ctx, "sqlite:"+filepath.Join(t.TempDir(), "a.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	now := time.UnixMilli(1_800_000_000_000).UTC()
	w := Who{"per_a", "Ann"}
	m := s.MSP(w)
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(m.CreateCustomer(ctx, now, CustomerRow{ID: "cus_a", Name: "A", CreatedAt: now}))
	c := s.Customer(w, "cus_a")
	must(c.CreateSite(ctx, now, Site{ID: "site_a", Name: "S", Zone: "UTC", CreatedAt: now, ChangedAt: now}))
	must(c.CreateToken(ctx, now, Token{ID: "tok_a", Site: "site_a", Mode: wire.Manage, MaxUses: 1, CreatedAt: now, ExpiresAt: now.Add(time.Hour)}, "h"))
	must(c.Enroll(ctx, now, "h", Agent{ID: "agt_a", PublicKey: []byte{1}, Mode: wire.Manage}, Device{ID: "dev_a", Facts: wire.Facts{Hostname: "h1"}}))
	body, _ := wire.Canonical([]patch.Update{{Provider: "apt", Name: "x", Available: "2"}})
	taken, err := c.Receive(ctx, now, wire.CheckIn{Agent: "agt_a", Sent: now, Mode: wire.Manage,
		Devices:  []wire.DeviceReport{{Device: "dev_a", ScannedAt: now, Sections: []wire.Section{{Name: "apt/offered", Hash: wire.Hash(body), State: wire.SectionOK, ScannedAt: now, Body: body}}}},
		Outcomes: []wire.Outcome{{Seq: 1, Device: "dev_a", Job: "job_x", Step: wire.StepDone, Result: wire.ResultOK, At: now}}})
	must(err)
	t.Logf("%+v", taken)
	must(m.TouchAgents(ctx, now, []Touch{{"agt_a", now.Add(time.Second), "dev_a", now.Add(time.Second)}}))
	offers, err := c.Offers(ctx, now, "dev_a")
	must(err)
	ch, err := c.SaveJobs(ctx, now, "dev_a", []Job{{Job: wire.Job{ID: "job_1"}}}, nil)
	must(err)
	v, changed, err := c.NextOrders(ctx, now, "agt_a", "x")
	must(err)
	d, err := m.Devices(ctx)
	must(err)
	a, err := m.Agents(ctx)
	must(err)
	chains, err := m.VerifyChains(ctx)
	must(err)
	sec, err := c.Sections(ctx, "dev_a")
	must(err)
	t.Logf("%+v %v %v %v %+v %+v %+v %+v", offers, ch, v, changed, d, a, chains, sec)
}
