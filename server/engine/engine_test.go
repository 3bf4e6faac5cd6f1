package engine

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"patchbay/patch"
	"patchbay/provider"
	"patchbay/server/bus"
	"patchbay/server/fleet"
	"patchbay/server/store"
	"patchbay/server/verdict"
	"patchbay/server/view"
	"patchbay/window"
	"patchbay/wire"
)

// rig is an engine over a real store, with one device whose agent the test plays.
type rig struct {
	*Engine
	t                             *testing.T
	now                           time.Time
	customer, site, agent, device string
	der                           []byte // of the agent's key
	seq                           int64
	previous                      string       // the version that the device can bring back
	restart                       wire.Restart // what it says still runs in an old version
	masters                       []wire.Master
	more                          []patch.Item // installed beside lib
	distro, release               string       // that it runs; "" is not told
	like                          func(*wire.Facts)
}

func newRig(t *testing.T, policy store.SitePolicy) *rig {
	t.Helper()
	ctx := t.Context()
	s, err := store.Open(ctx, "sqlite:"+filepath.Join(t.TempDir(), "patchbay.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{t: t, now: time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC), customer: patch.NewID(patch.CustomerID),
		site: patch.NewID(patch.SiteID), agent: patch.NewID(patch.AgentID), device: patch.NewID(patch.DeviceID)}
	r.Engine = New(Options{Store: s, Index: fleet.New(24 * time.Hour), Bus: bus.New(), Key: key, Silent: 24 * time.Hour,
		Now: func() time.Time { return r.now }, Log: slog.New(slog.DiscardHandler)})
	if r.der, err = x509.MarshalPKIXPublicKey(key.Public()); err != nil {
		t.Fatal(err)
	}
	r.enrol(policy)
	return r
}

func (r *rig) must(err error) {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) enrol(policy store.SitePolicy) {
	r.t.Helper()
	r.found("Acme", policy)
	r.join()
}

// found makes the customer and its site.
func (r *rig) found(name string, policy store.SitePolicy) {
	r.t.Helper()
	ctx, w := r.t.Context(), store.Who{ID: "per_test", Name: "Ann"}
	r.must(r.Store.MSP(w).CreateCustomer(ctx, r.now, store.CustomerRow{ID: r.customer, Name: name, CreatedAt: r.now}))
	r.must(r.Store.Customer(w, r.customer).CreateSite(ctx, r.now, store.Site{ID: r.site, Customer: r.customer, Name: "HQ", Zone: "Europe/Berlin",
		Policy: policy, CreatedAt: r.now, ChangedAt: r.now}))
}

// policy changes the site's.
func (r *rig) policy(p store.SitePolicy) {
	r.t.Helper()
	r.must(r.Store.Customer(store.Who{ID: "per_test", Name: "Ann"}, r.customer).UpdateSite(r.t.Context(), r.now,
		store.Site{ID: r.site, Customer: r.customer, Name: "HQ", Zone: "Europe/Berlin", Policy: p, CreatedAt: r.now, ChangedAt: r.now}))
	r.DueCustomer(r.customer)
}

// join enrols the device.
func (r *rig) join() {
	r.t.Helper()
	ctx, h := r.t.Context(), r.Store.Customer(store.Who{ID: "per_test", Name: "Ann"}, r.customer)
	r.must(h.CreateToken(ctx, r.now, store.Token{ID: patch.NewID(patch.TokenID), Customer: r.customer, Site: r.site, Mode: wire.Manage,
		MaxUses: 1, CreatedAt: r.now, CreatedBy: "per_test", ExpiresAt: r.now.Add(time.Hour)}, "hash of "+r.agent))
	facts := wire.Facts{Hostname: "pc", Providers: []wire.ProviderFacts{{Name: "apt", Traits: provider.Traits{Versions: "deb"}}}}
	r.must(h.Enroll(ctx, r.now, "hash of "+r.agent, store.Agent{ID: r.agent, Customer: r.customer, Site: r.site, PublicKey: r.der, Mode: wire.Manage,
		Capabilities: []string{wire.VerbInstall, wire.VerbUndo}, EnrolledAt: r.now, LastSeen: r.now},
		store.Device{ID: r.device, Customer: r.customer, Site: r.site, Agent: r.agent, Name: "pc", Facts: facts, EnrolledAt: r.now}))
	r.Enrolled(r.customer, r.device, r.agent)
}

func section(t *testing.T, name string, at time.Time, body any) wire.Section {
	t.Helper()
	b, err := wire.Canonical(body)
	if err != nil {
		t.Fatal(err)
	}
	return wire.Section{Name: name, Hash: wire.Hash(b), State: wire.SectionOK, ScannedAt: at, Body: b}
}

// says makes the agent report the version installed and the updates on offer, and what it did.
func (r *rig) says(installed string, offered []patch.Update, jobs []wire.JobStep, outcomes ...wire.Outcome) {
	r.t.Helper()
	facts := wire.Facts{Hostname: "pc", Distro: r.distro, Release: r.release, Providers: []wire.ProviderFacts{{Name: "apt", Traits: provider.Traits{Versions: "deb"}}}, Restart: r.restart, Masters: r.masters}
	if r.like != nil {
		r.like(&facts)
	}
	sections := []wire.Section{
		section(r.t, "apt/installed", r.now, append([]patch.Item{{Provider: "apt", Name: "lib", Architecture: "amd64", Version: installed, Previous: r.previous}}, r.more...)),
		section(r.t, "apt/offered", r.now, offered),
		section(r.t, "apt/sources", r.now, []patch.Source{{Provider: "apt", Name: "archive", SignedAt: &r.now}}),
		section(r.t, "host", r.now, facts),
	}
	for i := range outcomes {
		r.seq++
		outcomes[i].Seq, outcomes[i].Device, outcomes[i].At = r.seq, r.device, r.now
	}
	_, err := r.Store.Customer(store.Who{ID: "agent:" + r.agent, Name: "agent"}, r.customer).Receive(r.t.Context(), r.now, wire.CheckIn{
		Version: wire.Version, Agent: r.agent, Sent: r.now, Mode: wire.Manage, Capabilities: []string{wire.VerbInstall},
		Devices:  []wire.DeviceReport{{Device: r.device, ScannedAt: r.now, Digest: wire.Digest(sections), Sections: sections, Jobs: jobs}},
		Outcomes: outcomes})
	r.must(err)
	r.must(r.Step(r.t.Context(), r.device))
}

var lib = patch.Update{Provider: "apt", Name: "lib", Architecture: "amd64", Installed: "1.0", Available: "1.1", Origin: "Debian", Classes: []patch.Class{patch.Security}}

// verdict is the verdict on the one need of the device.
func (r *rig) verdict() verdict.Verdict {
	r.t.Helper()
	page := r.Index.Needs(r.now, view.Filter{Device: r.device})
	if len(page.Items) != 1 {
		r.t.Fatalf("the device has %d needs", len(page.Items))
	}
	return page.Items[0].Verdict
}

func (r *rig) expect(want verdict.Name) {
	r.t.Helper()
	if v := r.verdict(); v.Name != want {
		r.t.Fatalf("the verdict is %s (%s), want %s", v.Name, v.Sentence, want)
	}
}

func (r *rig) needs() int {
	return len(r.Index.Needs(r.now, view.Filter{Device: r.device}).Items)
}

// ordered are the jobs of the agent's orders.
func (r *rig) ordered() []wire.Job {
	r.t.Helper()
	return r.wished().Jobs
}

// wished opens the agent's orders as an agent would.
func (r *rig) wished() wire.DeviceOrders {
	r.t.Helper()
	envelope, version, err := r.Orders(r.t.Context(), r.agent)
	r.must(err)
	var o wire.Orders
	_, err = envelope.Open(wire.OrdersDocument, &o, r.Key.Public())
	r.must(err)
	if o.Seen != version || len(o.Devices) != 1 {
		r.t.Fatalf("the orders are %+v", o)
	}
	return o.Devices[0]
}

func (r *rig) approve(answer store.Answer, reason string) {
	r.t.Helper()
	w := store.Who{ID: "per_test", Name: "Ann"}
	r.must(r.Store.Customer(w, r.customer).CreateApprovals(r.t.Context(), r.now, []store.Approval{{ID: patch.NewID(patch.ApprovalID),
		Customer: r.customer, Level: store.LevelDevice, Target: r.device, Provider: "apt", Name: "lib", Version: "1.1", Origin: "Debian",
		Answer: answer, Reason: reason, By: w.ID, ByName: w.Name, At: r.now}}))
	r.must(r.Step(r.t.Context(), r.device))
}

func TestFromOfferToVerified(t *testing.T) {
	r := newRig(t, store.SitePolicy{Auto: store.ByHand, Windows: []window.Weekly{{Days: []string{"sat"}, Start: "22:00", Minutes: 240}}})
	r.must(r.Step(t.Context(), r.device))
	r.expect(verdict.UNKNOWN) // nothing was read yet: not good, and not nothing
	r.says("1.0", []patch.Update{lib}, nil)
	r.expect(verdict.WAITS_DECISION)
	if jobs := r.ordered(); len(jobs) != 0 {
		t.Fatalf("jobs without an answer: %v", jobs)
	}
	r.approve(store.Approve, "")
	r.expect(verdict.WAITS_DEVICE)
	jobs := r.ordered()
	if len(jobs) != 1 || jobs[0].Target.To != "1.1" || jobs[0].Forced != "" {
		t.Fatalf("ordered %+v", jobs)
	}
	r.says("1.0", []patch.Update{lib}, []wire.JobStep{{Job: jobs[0].ID, Step: wire.StepWaiting, Since: r.now}})
	r.expect(verdict.WAITS_WINDOW)
	if v := r.verdict(); v.Next == nil || v.Next.Weekday() != time.Saturday {
		t.Errorf("the next try is %v", v.Next)
	}
	r.says("1.0", []patch.Update{lib}, []wire.JobStep{{Job: jobs[0].ID, Step: wire.StepApplying, Since: r.now}})
	r.expect(verdict.APPLYING)
	r.says("1.1", nil, nil, wire.Outcome{Job: jobs[0].ID, Step: wire.StepDone, Result: wire.ResultOK})
	r.expect(verdict.VERIFIED)
	if jobs := r.ordered(); len(jobs) != 0 {
		t.Errorf("a finished job is ordered again: %v", jobs)
	}
}

// An outcome that says done proves nothing: the inventory still shows the old version.
func TestDoneWithoutTheVersionIsNotVerified(t *testing.T) {
	r := newRig(t, store.SitePolicy{Auto: store.Security})
	r.says("1.0", []patch.Update{lib}, nil)
	job := r.ordered()[0]
	r.says("1.0", []patch.Update{lib}, nil, wire.Outcome{Job: job.ID, Step: wire.StepDone, Result: wire.ResultOK})
	r.expect(verdict.FAILED)
	if jobs := r.ordered(); len(jobs) != 0 {
		t.Errorf("it is ordered again at once: %v", jobs)
	}
}

func TestInstalledBySomebodyElseIsVerified(t *testing.T) {
	r := newRig(t, store.SitePolicy{Auto: store.ByHand})
	r.says("1.0", []patch.Update{lib}, nil)
	r.says("1.1", nil, nil)
	r.expect(verdict.VERIFIED)
}

func TestFailureIsToldAndTriedAgain(t *testing.T) {
	r := newRig(t, store.SitePolicy{Auto: store.Security})
	r.says("1.0", []patch.Update{lib}, nil)
	job := r.ordered()[0]
	r.says("1.0", []patch.Update{lib}, nil, wire.Outcome{Job: job.ID, Step: wire.StepFailed, Result: wire.ResultFailed, Message: "postinst said no"})
	r.expect(verdict.FAILED)
	v := r.verdict()
	if v.Next == nil || len(r.ordered()) != 0 {
		t.Fatalf("it is not tried again later: %+v", v)
	}
	r.now = v.Next.Add(time.Second)
	r.must(r.Step(t.Context(), r.device))
	if again := r.ordered(); len(again) != 1 || again[0].ID == job.ID || again[0].Attempt != 2 {
		t.Errorf("tried again as %+v", again)
	}
}

func TestAPersonsRetryIsAFreshDecision(t *testing.T) {
	r := newRig(t, store.SitePolicy{Auto: store.Security})
	r.says("1.0", []patch.Update{lib}, nil)
	job := r.ordered()[0]
	if _, err := r.Retry(t.Context(), view.Ref{ID: "per_test", Name: "Ann"}, r.device, lib.Key()); err == nil {
		t.Error("what has not failed was tried again")
	}
	r.says("1.0", []patch.Update{lib}, nil, wire.Outcome{Job: job.ID, Step: wire.StepFailed, Result: wire.ResultRefused, Message: "it would remove app"})
	id, err := r.Retry(t.Context(), view.Ref{ID: "per_test", Name: "Ann"}, r.device, lib.Key())
	if err != nil || id == "" || id == job.ID {
		t.Errorf("%q, %v", id, err)
	}
}

func TestARejectionWithdrawsTheJob(t *testing.T) {
	r := newRig(t, store.SitePolicy{Auto: store.Security})
	r.says("1.0", []patch.Update{lib}, nil)
	if len(r.ordered()) != 1 {
		t.Fatal("nothing ordered")
	}
	r.approve(store.Reject, "breaks the till")
	r.expect(verdict.REJECTED)
	if jobs := r.ordered(); len(jobs) != 0 {
		t.Errorf("still ordered: %v", jobs)
	}
}

// A person takes an update back: it is ordered, made, told, and not installed again by the
// rule that installed it; what is wrong with it holds for that version only.
func TestAnUpdateIsTakenBack(t *testing.T) {
	r := newRig(t, store.SitePolicy{Auto: store.Security})
	r.says("1.0", []patch.Update{lib}, nil)
	job := r.ordered()[0]
	r.previous = "1.0"
	r.says("1.1", nil, nil, wire.Outcome{Job: job.ID, Step: wire.StepDone, Result: wire.ResultOK})
	r.expect(verdict.VERIFIED)
	r.approve(store.Undo, "breaks the till")
	r.expect(verdict.WAITS_DEVICE)
	if can := r.Index.Needs(r.now, view.Filter{Device: r.device}).Items[0].Can; can.Undo != "" {
		t.Errorf("it waits, and cannot be asked for anew, at once: %s", can.Undo)
	}
	jobs := r.ordered()
	if len(jobs) != 1 || jobs[0].Verb != wire.VerbUndo || jobs[0].Target.From != "1.1" || jobs[0].Target.To != "1.0" {
		t.Fatalf("ordered %+v", jobs)
	}
	r.says("1.1", nil, nil, wire.Outcome{Job: jobs[0].ID, Step: wire.StepFailed, Result: wire.ResultRefused, Message: "app needs it"})
	r.expect(verdict.FAILED)
	r.now = r.now.Add(time.Minute) // the later answer holds
	if _, err := r.Retry(t.Context(), view.Ref{ID: "per_test", Name: "Ann"}, r.device, lib.Key()); err != nil {
		t.Fatal(err)
	}
	if jobs = r.ordered(); len(jobs) != 1 || jobs[0].Verb != wire.VerbUndo {
		t.Fatalf("tried again as %+v", jobs)
	}
	r.previous = ""
	r.says("1.0", []patch.Update{lib}, nil, wire.Outcome{Job: jobs[0].ID, Step: wire.StepDone, Result: wire.ResultOK})
	r.expect(verdict.ROLLED_BACK)
	if can := r.Index.Needs(r.now, view.Filter{Device: r.device}).Items[0].Can; can.Undo == "" || can.Approve != "" {
		t.Errorf("it was taken back: %+v", can)
	}
	if v := r.verdict(); !strings.Contains(v.Sentence, "1.0") || !strings.Contains(v.Sentence, "reaks the till") || v.State == verdict.Good {
		t.Errorf("%+v", v)
	}
	if jobs := r.ordered(); len(jobs) != 0 {
		t.Errorf("ordered again: %+v", jobs)
	}
	next := lib
	next.Available = "1.2"
	r.says("1.0", []patch.Update{next}, nil)
	if jobs := r.ordered(); len(jobs) != 1 || jobs[0].Verb != wire.VerbInstall || jobs[0].Target.To != "1.2" {
		t.Errorf("the version after it: %+v", jobs)
	}
}

// Stepping twice changes nothing, and orders that did not change keep their version.
func TestStepIsIdempotent(t *testing.T) {
	r := newRig(t, store.SitePolicy{Auto: store.Security})
	r.says("1.0", []patch.Update{lib}, nil)
	_, first, err := r.Orders(t.Context(), r.agent)
	r.must(err)
	rows := r.chain()
	for range 3 {
		r.now = r.now.Add(time.Minute)
		r.must(r.Step(t.Context(), r.device))
	}
	_, again, err := r.Orders(t.Context(), r.agent)
	r.must(err)
	if again != first || r.chain() != rows {
		t.Errorf("orders %v became %v, %d audit rows became %d", first, again, rows, r.chain())
	}
}

func (r *rig) chain() int64 {
	r.t.Helper()
	chains, err := r.Store.MSP(who).VerifyChains(r.t.Context())
	r.must(err)
	var rows int64
	for _, c := range chains {
		if c.Broken != "" {
			r.t.Fatal(c.Broken)
		}
		rows += c.Rows
	}
	return rows
}

func TestRunStepsWhatIsDue(t *testing.T) {
	r := newRig(t, store.SitePolicy{Auto: store.ByHand})
	ctx, cancel := context.WithCancel(t.Context())
	events := r.Bus.Subscribe(ctx)
	done := make(chan struct{})
	go func() { r.Run(ctx); close(done) }()
	if e := <-events; e.Device != r.device { // enrolling made it due
		t.Errorf("stepped %v", e)
	}
	cancel()
	<-done
	if r.Index.Len() != 1 {
		t.Errorf("the index holds %d devices", r.Index.Len())
	}
}

// A device that waited for its window and then went quiet is said to be waited for itself.
func TestADeviceThatGoesQuietIsWaitedFor(t *testing.T) {
	r := newRig(t, store.SitePolicy{Auto: store.Security, Windows: []window.Weekly{{Days: []string{"sat"}, Start: "22:00", Minutes: 240}}})
	r.says("1.0", []patch.Update{lib}, nil)
	job := r.ordered()[0]
	r.says("1.0", []patch.Update{lib}, []wire.JobStep{{Job: job.ID, Step: wire.StepWaiting, Since: r.now}})
	r.expect(verdict.WAITS_WINDOW)
	r.mu.Lock()
	due := r.alarm[r.device]
	r.mu.Unlock()
	if due.IsZero() || due.After(r.now.Add(verdict.Quiet+time.Minute)) {
		t.Fatalf("it is looked at again at %v", due)
	}
	r.now = r.now.Add(verdict.Quiet + 2*time.Second)
	r.must(r.Step(t.Context(), r.device))
	r.expect(verdict.WAITS_DEVICE)
}
