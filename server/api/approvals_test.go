package api

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"patchbay/patch"
	"patchbay/server/store"
	"patchbay/server/verdict"
	"patchbay/server/view"
)

// needing gives the world's device needs of every kind.
func (w *world) needing() *world {
	f := w.fleet
	f.need(w.device, "openssl", "3", verdict.WAITS_DECISION, verdict.Decided, patch.Security)
	f.need(w.device, "vim", "9", verdict.WAITS_DECISION, verdict.Decided, patch.Other)
	f.need(w.device, "sudo", "2", verdict.WAITS_WINDOW, verdict.InWindow, patch.Security)
	f.need(w.device, "curl", "8", verdict.REJECTED, verdict.Approved, patch.Security)
	f.need(w.device, "bash", "5", verdict.VERIFIED, verdict.Verified, patch.Security)
	f.need(w.device, "tzdata", "", verdict.UNKNOWN, verdict.Known)
	return w
}

func items(rows []view.Approval) string {
	var names []string
	for _, a := range rows {
		names = append(names, a.Name+" "+a.Version)
	}
	slices.Sort(names)
	return strings.Join(names, ", ")
}

func TestPreviewIsWhatIsWritten(t *testing.T) {
	for _, c := range []struct {
		name, want string
		what       ApprovalTarget
		now        bool
	}{
		{"security", "openssl 3", ApprovalTarget{Class: "security"}, false},
		{"security now", "openssl 3, sudo 2", ApprovalTarget{Class: "security"}, true},
		{"all", "openssl 3, vim 9", ApprovalTarget{All: true}, false},
		{"the rejected one by name", "curl 8", ApprovalTarget{Update: view.UpdateID("apt", "curl", "8", "Debian")}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, false).populated().needing()
			wish := ApprovalWish{Level: "device", Target: w.device, Answer: "approve", What: c.what, Now: c.now}
			preview := do[Preview](w, 200, "POST", "/approvals/preview", wish)
			if rows := do[view.Page[view.Approval]](w, 200, "GET", "/approvals", nil); rows.Total != 0 || len(w.engine.due) != 0 {
				t.Fatal("the preview wrote something")
			}
			done := do[Approved](w, 201, "POST", "/approvals", wish)
			if got := items(done.Approvals); got != c.want {
				t.Errorf("approved %s, want %s", got, c.want)
			}
			if done.Preview.Sentence != preview.Sentence || preview.Needs != len(done.Approvals) || preview.Sentence == "" {
				t.Errorf("previewed %+v, did %+v", preview, done.Preview)
			}
			for _, a := range done.Approvals {
				if a.Follow != (a.Name != "vim") || (a.ForcedUntil != nil) != c.now || a.By.Name != "Mia" || a.TargetName != "web-01" {
					t.Errorf("the row is %+v", a)
				}
				if c.now && !a.ForcedUntil.Equal(w.now.Add(forcedFor)) {
					t.Errorf("forced until %v", a.ForcedUntil)
				}
			}
			if !slices.Contains(w.engine.due, w.device) {
				t.Error("the engine was not told")
			}
			stored := do[view.Page[view.Approval]](w, 200, "GET", "/approvals?device="+w.device, nil)
			if items(stored.Items) != c.want {
				t.Errorf("stored %s", items(stored.Items))
			}
			acts := do[view.Page[view.Activity]](w, 200, "GET", "/activity?customer="+w.customer+"&q=approval", nil)
			if acts.Total != len(done.Approvals) {
				t.Errorf("%d acts for %d answers", acts.Total, len(done.Approvals))
			}
		})
	}
}

// A device counts once, as the worst of its updates, and what is not known is never left out.
func TestPreviewTellsHowItCouldBeTakenBack(t *testing.T) {
	for _, c := range []struct {
		classes []patch.Reversibility
		want    view.Reversible
	}{
		{[]patch.Reversibility{patch.ByManager, patch.ByKept}, view.Reversible{ByKept: 1}},
		{[]patch.Reversibility{patch.BySnapshot, patch.ByManager}, view.Reversible{BySnapshot: 1}},
		{[]patch.Reversibility{"", patch.BySnapshot}, view.Reversible{Unknown: 1}},
		{[]patch.Reversibility{patch.NotAtAll, "", patch.ByManager}, view.Reversible{NotAtAll: 1}},
		{[]patch.Reversibility{"E", patch.ByManager}, view.Reversible{Unknown: 1}},
	} {
		w := newWorld(t, false).populated()
		for i, class := range c.classes {
			w.fleet.need(w.device, fmt.Sprint("lib", i), "2", verdict.WAITS_DECISION, verdict.Decided)
			w.fleet.needs[len(w.fleet.needs)-1].Reversibility = class
		}
		p := do[Preview](w, 200, "POST", "/approvals/preview", ApprovalWish{Level: "device", Target: w.device, Answer: "approve", What: ApprovalTarget{All: true}})
		if p.Reversible != c.want || p.CannotUndo != c.want.NotAtAll {
			t.Errorf("%q: %+v", c.classes, p)
		}
	}
}

// What is taken back is what can be, with its sisters of the same source, and the preview
// says who cannot go back.
func TestUndoTakesItsSistersAlong(t *testing.T) {
	w := newWorld(t, false).populated()
	f := w.fleet
	can := func(id, source, why string) {
		for i := range f.needs {
			if f.needs[i].ID == id {
				f.needs[i].Installed, f.needs[i].Source, f.needs[i].Can.Undo = f.needs[i].Available, source, why
			}
		}
	}
	need := f.need(w.device, "libssl3", "3", verdict.VERIFIED, verdict.Verified, patch.Security)
	can(need, "openssl", "")
	can(f.need(w.device, "openssl", "3", verdict.VERIFIED, verdict.Verified, patch.Security), "", "")
	can(f.need(w.device, "openssl-doc", "3", verdict.VERIFIED, verdict.Verified), "openssl", "nothing is kept")
	can(f.need(w.device, "vim", "9", verdict.VERIFIED, verdict.Verified), "", "")
	wish := ApprovalWish{Level: "device", Target: w.device, Answer: "undo", What: ApprovalTarget{Need: need}, Reason: "breaks the till", Now: true}
	preview := do[Preview](w, 200, "POST", "/approvals/preview", wish)
	if preview.Needs != 2 || !strings.HasPrefix(preview.Sentence, "Takes back 2 updates on ") {
		t.Errorf("%+v", preview)
	}
	done := do[Approved](w, 201, "POST", "/approvals", wish)
	if got := items(done.Approvals); got != "libssl3 3, openssl 3" {
		t.Errorf("takes back %s", got)
	}
	for _, a := range done.Approvals {
		if a.Answer != "undo" || a.Follow || a.ForcedUntil == nil {
			t.Errorf("%+v", a)
		}
	}
	wish.What = ApprovalTarget{Update: view.UpdateID("apt", "openssl-doc", "3", "Debian")}
	if p := do[Preview](w, 200, "POST", "/approvals/preview", wish); p.Needs != 0 || p.CannotUndo != 1 || !strings.Contains(p.Sentence, "Nothing to take back") {
		t.Errorf("%+v", p)
	}
	do[Problem](w, 409, "POST", "/approvals", wish)
	for name, bad := range map[string]func(*ApprovalWish){
		"no reason": func(a *ApprovalWish) { a.Reason = "" }, "all": func(a *ApprovalWish) { a.What = ApprovalTarget{All: true} },
		"a class":          func(a *ApprovalWish) { a.What = ApprovalTarget{Class: "security"} },
		"newer ones, too?": func(a *ApprovalWish) { yes := true; a.Follow = &yes },
	} {
		wish := wish
		bad(&wish)
		if p := do[Problem](w, 422, "POST", "/approvals", wish); p.Detail == "" && len(p.Errors) == 0 {
			t.Errorf("%s: %+v", name, p)
		}
	}
}

func TestOneRowPerCustomerOverAll(t *testing.T) {
	w := newWorld(t, false).populated().needing()
	first, firstCustomer := w.device, w.customer
	c := do[view.Customer](w, 201, "POST", "/customers", NewCustomer{Name: "Lang"})
	s := do[view.Site](w, 201, "POST", "/customers/"+c.ID+"/sites", NewSite{Name: "Wien", Zone: "Europe/Vienna"})
	w.customer, w.site = c.ID, s.ID
	for _, name := range []string{"a", "b"} {
		w.fleet.need(w.enrolled(name), "openssl", "3", verdict.WAITS_DECISION, verdict.Decided, patch.Security)
	}
	wish := ApprovalWish{Level: "msp", Answer: "approve", What: ApprovalTarget{Update: view.UpdateID("apt", "openssl", "3", "Debian")}}
	done := do[Approved](w, 201, "POST", "/approvals", wish)
	if len(done.Approvals) != 2 || done.Preview.Devices != 3 || len(w.engine.due) != 3 {
		t.Fatalf("%d rows for %d devices, %d due", len(done.Approvals), done.Preview.Devices, len(w.engine.due))
	}
	for _, a := range done.Approvals {
		if a.Level != "customer" || a.Target != a.Customer.ID || (a.Customer.ID != firstCustomer && a.Customer.ID != c.ID) {
			t.Errorf("the row is %+v", a)
		}
	}
	_ = first
}

func TestTheNewestWordHolds(t *testing.T) {
	w := newWorld(t, false).populated().needing()
	what := ApprovalTarget{Need: w.fleet.needs[0].ID}
	reject := ApprovalWish{Level: "site", Target: w.site, Answer: "reject", Reason: "breaks the ERP", What: what}
	no := do[Approved](w, 201, "POST", "/approvals", reject).Approvals[0]
	if no.Reason != "breaks the ERP" || no.Answer != "reject" {
		t.Errorf("rejected as %+v", no)
	}
	yes := do[Approved](w, 201, "POST", "/approvals", ApprovalWish{Level: "site", Target: w.site, Answer: "approve", What: what}).Approvals[0]
	open := do[view.Page[view.Approval]](w, 200, "GET", "/approvals?open=true", nil)
	if len(open.Items) != 1 || open.Items[0].ID != yes.ID {
		t.Errorf("open are %+v", open.Items)
	}
	do[struct{}](w, 204, "DELETE", "/approvals/"+yes.ID, nil)
	if open := do[view.Page[view.Approval]](w, 200, "GET", "/approvals?open=true", nil); open.Total != 0 {
		t.Errorf("withdrawn and still open: %+v", open.Items)
	}
	do[Problem](w, 404, "DELETE", "/approvals/apr_nope", nil)
}

func TestAnswersThatMakeNoSense(t *testing.T) {
	w := newWorld(t, false).populated().needing()
	update := ApprovalTarget{Update: view.UpdateID("apt", "openssl", "3", "Debian")}
	for name, c := range map[string]struct {
		status int
		wish   ApprovalWish
	}{
		"nothing":             {422, ApprovalWish{Level: "device", Target: w.device, Answer: "approve"}},
		"two things":          {422, ApprovalWish{Level: "device", Target: w.device, Answer: "approve", What: ApprovalTarget{All: true, Class: "security"}}},
		"no reason":           {422, ApprovalWish{Level: "device", Target: w.device, Answer: "reject", Reason: "  ", What: update}},
		"reject all":          {422, ApprovalWish{Level: "device", Target: w.device, Answer: "reject", Reason: "x", What: ApprovalTarget{All: true}}},
		"reject now":          {422, ApprovalWish{Level: "device", Target: w.device, Answer: "reject", Reason: "x", Now: true, What: update}},
		"everything anywhere": {422, ApprovalWish{Level: "msp", Answer: "approve", What: ApprovalTarget{All: true}}},
		"msp with target":     {422, ApprovalWish{Level: "msp", Target: w.customer, Answer: "approve", What: update}},
		"no target":           {422, ApprovalWish{Level: "site", Answer: "approve", What: update}},
		"device as site":      {422, ApprovalWish{Level: "site", Target: w.device, Answer: "approve", What: update}},
		"unknown customer":    {422, ApprovalWish{Level: "customer", Target: "cus_nope", Answer: "approve", What: update}},
		"unknown need":        {422, ApprovalWish{Level: "device", Target: w.device, Answer: "approve", What: ApprovalTarget{Need: "need_x"}}},
		"need without offer":  {422, ApprovalWish{Level: "device", Target: w.device, Answer: "approve", What: ApprovalTarget{Need: "need_y"}}},
		"done already":        {409, ApprovalWish{Level: "device", Target: w.device, Answer: "approve", What: ApprovalTarget{Update: view.UpdateID("apt", "bash", "5", "Debian")}}},
		"unknown update":      {409, ApprovalWish{Level: "device", Target: w.device, Answer: "approve", What: ApprovalTarget{Update: "upd_nope"}}},
	} {
		if status, text := w.call("POST", "/approvals", c.wish); status != c.status {
			t.Errorf("%s: %d %s, want %d", name, status, text, c.status)
		}
	}
	if rows, err := w.store.MSP(store.Who{ID: "system"}).Approvals(t.Context(), store.ApprovalFilter{}); err != nil || len(rows) != 0 {
		t.Errorf("%d answers were written, %v", len(rows), err)
	}
}

func TestRetryAsksTheEngine(t *testing.T) {
	w := newWorld(t, false).populated()
	failed := w.fleet.need(w.device, "openssl", "3", verdict.FAILED, verdict.Applied)
	waits := w.fleet.need(w.device, "vim", "3", verdict.WAITS_DECISION, verdict.Decided)
	if j := do[JobRef](w, 202, "POST", "/needs/"+failed+"/retry", nil); j.Job != "job_1" || len(w.engine.retried) != 1 || !strings.HasPrefix(w.engine.retried[0], "Mia "+w.device+" apt/openssl") {
		t.Errorf("retried %v", w.engine.retried)
	}
	do[Problem](w, 409, "POST", "/needs/"+waits+"/retry", nil)
	do[Problem](w, 404, "POST", "/needs/need_nope/retry", nil)
}
