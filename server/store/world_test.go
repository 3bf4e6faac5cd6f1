package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"time"

	"patchbay/patch"
	"patchbay/wire"
)

// day0 is when the tests begin.
var day0 = time.Date(2026, 11, 2, 8, 0, 0, 0, time.UTC)

var ann = Who{ID: "per_ann", Name: "Ann"}

// company is a customer with a site, a token for many agents, and one agent with one device.
type company struct {
	*Customer
	id, site, token, secret, agent, device string
}

// founded makes a company whose IDs end in its name.
func founded(t testing.TB, s *Store, name string) company {
	t.Helper()
	ctx := context.Background()
	c := company{s.Customer(ann, "cus_"+name), "cus_" + name, "site_" + name, "tok_" + name, "secret of " + name, "agt_" + name, "dev_" + name}
	ok(t, s.MSP(ann).CreateCustomer(ctx, day0, CustomerRow{ID: c.id, Name: "Company " + name, CreatedAt: day0}))
	ok(t, c.CreateSite(ctx, day0, Site{ID: c.site, Name: "Main", Zone: "Europe/Berlin", Policy: SitePolicy{Auto: ByHand}, CreatedAt: day0, ChangedAt: day0}))
	ok(t, c.CreateToken(ctx, day0, Token{ID: c.token, Site: c.site, Mode: wire.Manage, MaxUses: 1_000_000, CreatedAt: day0,
		CreatedBy: ann.ID, ExpiresAt: day0.Add(24 * time.Hour)}, c.secret))
	c.enroll(t, c.agent, c.device)
	return c
}

func (c company) enroll(t testing.TB, agent, device string) {
	t.Helper()
	ok(t, c.Enroll(context.Background(), day0, c.secret, Agent{ID: agent, PublicKey: []byte(agent), Mode: wire.Manage},
		Device{ID: device, Facts: wire.Facts{Hostname: "host-" + device}}))
}

// receive takes a check-in of the company's agent.
func (c company) receive(t testing.TB, now time.Time, in wire.CheckIn) Taken {
	t.Helper()
	taken, err := c.try(now, in)
	ok(t, err)
	return taken
}

func (c company) try(now time.Time, in wire.CheckIn) (Taken, error) {
	if in.Agent == "" {
		in.Agent = c.agent
	}
	if in.Sent.IsZero() {
		in.Sent = now
	}
	in.Mode = wire.Manage
	return c.Receive(context.Background(), now, in)
}

// report is a check-in about the company's device.
func (c company) report(now time.Time, sections ...wire.Section) wire.CheckIn {
	return wire.CheckIn{Devices: []wire.DeviceReport{{Device: c.device, ScannedAt: now, Digest: wire.Digest(sections), Sections: sections}}}
}

// good is a section that was read.
func good(t testing.TB, now time.Time, name string, v any) wire.Section {
	t.Helper()
	body, err := wire.Canonical(v)
	ok(t, err)
	return wire.Section{Name: name, Hash: wire.Hash(body), State: wire.SectionOK, ScannedAt: now, Body: body}
}

// offering is an offered section of apt with NAME=VERSION on offer.
func offering(t testing.TB, now time.Time, versions ...string) wire.Section {
	t.Helper()
	updates := []patch.Update{}
	for i := 0; i+1 < len(versions); i += 2 {
		updates = append(updates, patch.Update{Provider: "apt", Name: versions[i], Architecture: "amd64", Installed: "1", Available: versions[i+1]})
	}
	return good(t, now, "apt/offered", updates)
}

// failing is a section that could not be read this time.
func failing(s wire.Section) wire.Section {
	s.State, s.Error, s.Body = wire.SectionFailed, "The lists are locked.", nil
	return s
}

func (c company) sections(t testing.TB, names ...string) map[string]SectionRow {
	t.Helper()
	rows, err := c.Sections(context.Background(), []string{c.device}, names...)
	ok(t, err)
	all := map[string]SectionRow{}
	for _, r := range rows {
		all[r.Name] = r
	}
	return all
}

func (c company) offers(t testing.TB, now time.Time) []Offer {
	t.Helper()
	offers, err := c.Offers(context.Background(), now, c.device)
	ok(t, err)
	return offers
}

// done is the last outcome of a job.
func (c company) done(seq int64, job string) wire.Outcome {
	return wire.Outcome{Seq: seq, Device: c.device, Job: job, Step: wire.StepDone, Result: wire.ResultOK, At: day0,
		Receipt: &wire.Envelope{Type: wire.ReceiptDocument, Payload: []byte("{}")}}
}

func install(id string) Job {
	return Job{Job: wire.Job{ID: id, Verb: wire.VerbInstall, Target: wire.Target{Provider: "apt", Name: "nginx", From: "1", To: "2"},
		Decision: "apr_1", Attempt: 1, NotBefore: day0, NotAfter: day0.Add(time.Hour)}}
}

func ok(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// refused checks for a kind of refusal with a sentence.
func refused(t testing.TB, kind, err error) {
	t.Helper()
	var r *Refusal
	if !errors.Is(err, kind) || !errors.As(err, &r) || len(r.Sentence) < 10 {
		t.Fatalf("%v, want a refusal of the kind %q", err, kind)
	}
}

// same compares by what a person would see.
func same(t testing.TB, got, want any) {
	t.Helper()
	g, err := json.MarshalIndent(got, "", " ")
	ok(t, err)
	w, err := json.MarshalIndent(want, "", " ")
	ok(t, err)
	if string(g) != string(w) {
		t.Fatalf("got %s\nwant %s", g, w)
	}
}

func acts(t testing.TB, s *Store) int {
	t.Helper()
	rows, err := s.MSP(ann).Audit(context.Background(), AuditFilter{})
	ok(t, err)
	return len(rows)
}

func whole(t testing.TB, s *Store) {
	t.Helper()
	states, err := s.MSP(ann).VerifyChains(context.Background())
	ok(t, err)
	for _, c := range states {
		if c.Broken != "" {
			t.Fatalf("chain %s: %s", c.Chain, c.Broken)
		}
	}
}

func numbered(prefix string, n int) string { return fmt.Sprintf("%s_%d", prefix, n) }
