package e2e

import (
	"strings"
	"testing"

	"patchbay/server/view"
	"patchbay/test/bed"
	"patchbay/wire"
)

// The whole path: two customers, three devices, enrolled, scanned, approved, installed,
// verified by a new scan, and every verdict compared with the truth.
func TestFromAnEmptyMachineToVerified(t *testing.T) {
	t.Parallel()
	in := install(t)
	archive := bed.NewArchive(t)
	archive.Publish(t, bed.Stable, "1.0")
	origin := in.bed.Serve(t, archive)
	acme, globex := in.customer("Acme"), in.customer("Globex")
	hq := in.site(acme, "HQ", byHand(always()))
	shop := in.site(acme, "Shop", byHand()) // no window: nothing starts by itself
	office := in.site(globex, "Office", object{"auto": "security", "windows": []object{always()}})

	have := []string{"bed-lib", "bed-app", "bed-conf"}
	one := in.bed.Device(t, bed.Options{Name: "acme-1", Origin: origin, Install: have})
	two := in.bed.Device(t, bed.Options{Name: "acme-2", Origin: origin, Install: have})
	three := in.bed.Device(t, bed.Options{Name: "globex-1", Origin: origin, Install: have})
	archive.Publish(t, bed.Security, "bed-lib=1.2", "bed-app=1.2")
	for _, d := range []*bed.Device{one, two, three} {
		d.Must(t, "apt-get", "update")
	}
	a, b, c := in.enrol(one, hq), in.enrol(two, shop), in.enrol(three, office)
	all := []*endpoint{a, b, c}

	// Globex installs security updates by itself, Acme waits for a person.
	c.expect("bed-lib", "VERIFIED")
	c.expect("bed-app", "VERIFIED")
	a.expect("bed-app", "WAITS_DECISION")
	b.expect("bed-app", "WAITS_DECISION")

	// A preview says what would happen, and changes nothing.
	ask := object{"level": "customer", "target": acme, "what": object{"class": "security"}, "answer": "approve"}
	preview := call[struct {
		Needs, Devices int
		Sentence       string
	}](in, "POST", "/approvals/preview", ask)
	if preview.Needs != 4 || preview.Devices != 2 || preview.Sentence == "" {
		t.Errorf("the preview says %+v", preview)
	}
	a.expect("bed-app", "WAITS_DECISION")

	call[object](in, "POST", "/approvals", ask)
	a.expect("bed-app", "VERIFIED")
	a.expect("bed-lib", "VERIFIED")
	if n := b.expect("bed-app", "WAITS_WINDOW"); n.Verdict.Next != nil {
		t.Errorf("a site without a window says when it begins: %v", n.Verdict.Next)
	}
	if p, err := b.Oracle().Package(t.Context(), "bed-app"); err != nil || p.Version != "1.0" {
		t.Errorf("outside its window acme-2 has bed-app %s, %v", p, err)
	}

	// "Now" is possible, and recorded.
	b.approve("bed-lib", true)
	b.approve("bed-app", true)
	b.expect("bed-app", "VERIFIED")
	b.expect("bed-lib", "VERIFIED")
	jobs := call[view.Page[view.Job]](in, "GET", "/jobs?device="+b.id, nil)
	forced := 0
	for _, j := range jobs.Items {
		if j.Forced == "Ann Admin" && j.Step == "done" {
			forced++
		}
	}
	if forced == 0 {
		t.Errorf("no job says who forced it: %+v", jobs.Items)
	}
	compared := 0
	for _, e := range all {
		compared += e.compare()
	}
	if compared < 6 {
		t.Errorf("only %d verdicts were compared with the truth", compared)
	}
	t.Logf("%d verdicts compared with the truth on %d devices", compared, len(all))
	checkReceipts(t, in, b)
	checkRecord(t, in)
}

// checkReceipts holds that every finished job has a receipt signed by the agent.
func checkReceipts(t *testing.T, in *installation, e *endpoint) {
	t.Helper()
	receipts := 0
	for _, j := range call[view.Page[view.Job]](in, "GET", "/jobs?device="+e.id, nil).Items {
		if j.Step != "done" {
			continue
		}
		d := call[view.JobDetail](in, "GET", "/jobs/"+j.ID, nil)
		if d.Receipt == nil || !d.Receipt.SignatureOK || !d.Receipt.Verified || d.Receipt.After != j.To {
			t.Errorf("the receipt of %s: %+v", j.Item.Name, d.Receipt)
		}
		if r, key, err := call[wire.SignedReceipt](in, "GET", "/jobs/"+j.ID+"/receipt", nil).Check(); err != nil || r.Job != j.ID || r.Device != e.id || key != d.Receipt.Key {
			t.Errorf("taken along, the receipt of %s says %+v, signed by %s: %v", j.Item.Name, r, key, err)
		}
		receipts++
	}
	if receipts == 0 {
		t.Error("no job has a receipt")
	}
	story, told := call[view.Story](in, "GET", "/devices/"+e.id+"/story", nil), 0
	for _, signed := range story.Receipts {
		r, _, err := signed.Check()
		if err != nil || r.Device != e.id {
			t.Errorf("the story has a receipt of %s: %v", r.Device, err)
		}
		if r.Step == wire.StepDone {
			told++
		}
	}
	if told != receipts || len(story.Entries) < receipts {
		t.Errorf("the story has %d entries and %d receipts of jobs that were done; there are %d", len(story.Entries), told, receipts)
	}
}

// checkRecord holds that the audit chains are whole and tell who approved.
func checkRecord(t *testing.T, in *installation) {
	t.Helper()
	verify := call[struct{ Chains []view.ChainCheck }](in, "GET", "/activity/verify", nil)
	if len(verify.Chains) < 3 {
		t.Errorf("there are %d chains", len(verify.Chains))
	}
	for _, c := range verify.Chains {
		if !c.OK {
			t.Errorf("the chain of %s is broken: %s", c.Name, c.Problem)
		}
	}
	var said bool
	for _, a := range call[view.Page[view.Activity]](in, "GET", "/activity?limit=500", nil).Items {
		said = said || strings.HasPrefix(a.Act, "approval") && a.Actor.Name == "Ann Admin"
	}
	if !said {
		t.Error("the record does not say who approved")
	}
}

// Everything is still there after the server was stopped, and after it was killed.
func TestRestartsLoseNothing(t *testing.T) {
	t.Parallel()
	in := install(t)
	archive := bed.NewArchive(t)
	archive.Publish(t, bed.Stable, "1.0")
	origin := in.bed.Serve(t, archive)
	site := in.site(in.customer("Acme"), "HQ", byHand(always()))
	d := in.bed.Device(t, bed.Options{Name: "pc", Origin: origin, Install: []string{"bed-lib"}})
	archive.Publish(t, bed.Stable, "bed-lib=1.1")
	d.Must(t, "apt-get", "update")
	e := in.enrol(d, site)
	e.expect("bed-lib", "WAITS_DECISION")
	before := call[view.Page[view.Activity]](in, "GET", "/activity?limit=500", nil).Total
	for _, kill := range []bool{false, true} {
		in.restart(kill)
		n := e.expect("bed-lib", "WAITS_DECISION")
		if n.Available != "1.1" {
			t.Errorf("after a restart (killed: %v): %+v", kill, n)
		}
		if after := call[view.Page[view.Activity]](in, "GET", "/activity?limit=500", nil).Total; after < before {
			t.Errorf("the record shrank from %d to %d", before, after)
		}
	}
	// The agent survives its own death too.
	e.agent.Kill()
	e.run()
	e.approve("bed-lib", false)
	e.expect("bed-lib", "VERIFIED")
	e.compare()
}

// A token is for its site, for a time, for a number of uses, and can be revoked.
func TestTokensAreNarrow(t *testing.T) {
	t.Parallel()
	in := install(t)
	site := in.site(in.customer("Acme"), "HQ", byHand())
	archive := bed.NewArchive(t)
	archive.Publish(t, bed.Stable, "1.0")
	d := in.bed.Device(t, bed.Options{Name: "pc", Origin: in.bed.Serve(t, archive)})
	in.enrol(d, site)
	token := call[view.NewToken](in, "POST", "/sites/"+site+"/tokens", object{"mode": "manage", "uses": 1, "hours": 1})
	call[object](in, "DELETE", "/tokens/"+token.ID, nil)
	args := append(strings.Fields(token.SecretLine), "--state", "/tmp/other")
	result, err := d.Exec(t.Context(), args...)
	if err != nil {
		t.Fatal(err)
	}
	said := result.Stdout + result.Stderr
	if result.Code == 0 || !strings.Contains(said, "revoked") {
		t.Errorf("enrolling with a revoked token ended with %d: %s", result.Code, said)
	}
	if secret := token.SecretLine[strings.Index(token.SecretLine, "pbt_"):]; strings.Contains(said, strings.Fields(secret)[0]) {
		t.Errorf("the refusal repeats the token: %s", said)
	}
}
