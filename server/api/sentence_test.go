package api

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode"

	"patchbay/server/store"
	"patchbay/server/verdict"
	"patchbay/server/view"
	"patchbay/window"
	"patchbay/wire"
)

// writtenActs are the acts that the store's code writes: texts such as "noun.verb" that
// stand in a note or in a variable named act.
func writtenActs(t *testing.T) []string {
	t.Helper()
	names, err := filepath.Glob("../store/*.go")
	if err != nil || len(names) == 0 {
		t.Fatalf("the store's code: %v, %v", names, err)
	}
	var files []*ast.File
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, f)
	}
	form, seen := regexp.MustCompile(`^[a-z]+\.[a-z_]+$`), map[string]bool{}
	take := func(name, value ast.Expr) {
		id, ok := name.(*ast.Ident)
		literal, isText := value.(*ast.BasicLit)
		if !ok || !isText || id.Name != "act" {
			return
		}
		if text, err := strconv.Unquote(literal.Value); err == nil && form.MatchString(text) {
			seen[text] = true
		}
	}
	for _, p := range files {
		ast.Inspect(p, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.KeyValueExpr:
				take(n.Key, n.Value)
			case *ast.AssignStmt:
				for i := range n.Lhs {
					if i < len(n.Rhs) {
						take(n.Lhs[i], n.Rhs[i])
					}
				}
			}
			return true
		})
	}
	var acts []string
	for a := range seen {
		acts = append(acts, a)
	}
	slices.Sort(acts)
	return acts
}

func TestEveryActHasASentence(t *testing.T) {
	acts := writtenActs(t)
	if len(acts) < 25 {
		t.Fatalf("only %d acts were found in the store: %v", len(acts), acts)
	}
	said := tellings()
	for _, act := range acts {
		if _, ok := said[act]; !ok {
			t.Errorf("%s has no sentence", act)
		}
		delete(said, act)
	}
	for act := range said {
		t.Errorf("%s has a sentence and is written nowhere", act)
	}
}

// testNames are those of a small fleet.
func testNames() names {
	return names{customers: map[string]string{"cus_1": "Acme"}, sites: map[string]string{"site_1": "Head office"},
		persons: map[string]string{ann: "Ann Admin", ben: "Ben"}, devices: map[string]string{"dev_1": "front-desk"}}
}

const (
	ann = "per_00000000000000000000000000"
	ben = "per_00000000000000000000000001"
)

// said is an act of Ann's at the customer, as the chain keeps it.
func saidBy(t *testing.T, actor, act, object, device string, payload any) string {
	t.Helper()
	row := store.AuditRow{Chain: "cus_1", Actor: actor, Act: act, Object: object, Device: device, Payload: must(json.Marshal(payload))}
	return newTeller(testNames()).sentence(row)
}

func TestSentences(t *testing.T) {
	type m = map[string]any
	at := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	job := wire.Job{Attempt: 1, Target: wire.Target{Name: "bed-lib", From: "1.0", To: "1.2"}}
	forced := job
	forced.Forced, forced.Attempt = ann, 2
	saturday := store.SitePolicy{Auto: store.Security, Windows: []window.Weekly{{Zone: "Europe/Berlin", Days: []string{"sun", "sat"}, Start: "22:00", Minutes: 240}}, Reboots: wire.Reboots{When: wire.RebootWindow, Daily: wire.UsualDaily}}
	before := m{"name": "Head office", "zone": "Europe/Berlin", "policy": store.SitePolicy{Auto: store.ByHand}}
	a, b := store.ApplicationRule{Provider: "winget", Package: "7zip.7zip", Wish: store.LeaveAlone, By: "Ann"}, store.ApplicationRule{Provider: "winget", Package: "Notepad++.Notepad++", Wish: store.UpdateOnly}
	c := store.ApplicationRule{Provider: "winget", Package: "Zoom.Zoom", Wish: store.InstallToo, Pin: "6.2.", Reason: "the till needs it", At: at}
	d, e := store.ApplicationRule{Package: "d"}, store.ApplicationRule{Package: "e"}
	ruled := func(rules ...store.ApplicationRule) store.SitePolicy {
		return store.SitePolicy{Auto: store.ByHand, Applications: rules}
	}
	for _, c := range []struct {
		actor, act, object, device string
		payload                    any
		want                       string
	}{
		{ann, "approval.create", "a", "dev_1", m{"level": "device", "target": "dev_1", "name": "bed-lib", "version": "1.2", "answer": "approve", "forced_until": at}, "approved bed-lib 1.2 on front-desk, to begin at once"},
		{ann, "approval.create", "a", "", m{"level": "customer", "target": "cus_1", "name": "bed-conf", "version": "1.1", "answer": "reject", "reason": "breaks the till"}, "rejected bed-conf 1.1 at Acme: breaks the till"},
		{ann, "approval.create", "a", "", m{"level": "site", "target": "site_1", "name": "bed-lib", "version": "1.2", "answer": "approve", "follow": true, "allow_removals": []string{"old-lib", "older-lib"}}, "approved bed-lib 1.2 and later versions at Head office, even if that removes old-lib and older-lib"},
		{ann, "approval.create", "a", "dev_1", m{"level": "device", "target": "dev_1", "name": "bed-lib", "version": "1.2", "answer": "undo", "reason": "breaks the till"}, "asked to take back bed-lib 1.2 on front-desk: breaks the till"},
		{ann, "approval.withdraw", "a", "dev_1", m{"level": "device", "target": "dev_1", "name": "bed-lib", "version": "1.2", "answer": "undo"}, "took the undo of bed-lib 1.2 on front-desk back"},
		{ann, "approval.withdraw", "a", "", m{"level": "customer", "target": "cus_1", "name": "bed-conf", "version": "1.1", "answer": "reject"}, "took the rejection of bed-conf 1.1 at Acme back"},
		{"engine", "job.create", "j", "dev_1", m{"job": job}, "ordered bed-lib 1.0 → 1.2 on front-desk"},
		{"engine", "job.create", "j", "dev_1", m{"job": forced}, "ordered bed-lib 1.0 → 1.2 on front-desk, try 2, outside the window at the wish of Ann Admin"},
		{"engine", "job.withdraw", "j", "dev_1", m{"job": job}, "took the order of bed-lib 1.0 → 1.2 on front-desk back"},
		{"agent:x", "agent.enroll", "x", "dev_1", m{"site": "site_1", "token_by": ann, "mode": "manage"}, "was enrolled into Head office with a token of Ann Admin"},
		{"agent:x", "agent.enroll", "x", "dev_1", m{"site": "site_1", "token_by": "system", "mode": "observe"}, "was enrolled into Head office with a token made on the server, to be observed only"},
		{ann, "content.add", "0123456789abcdef", "", m{"name": "7z.msi", "size": 7, "source": "https://example.org/7z.msi"}, "added 7z.msi (0123456789ab…) to the content from https://example.org/7z.msi"},
		{ann, "feed.accept", "osv-suse", "", m{"version": "ab", "records": 70, "before": 100, "removed": 29, "changed": 1}, "let the held version of the feed osv-suse in: of 100 records 29 vanished and 1 say another thing of versions"},
		{ann, "feed.ask", "kev", "", nil, "had the feed kev looked for at once"},
		{ann, "feed.import", "", "", m{"made_at": at, "feeds": []string{"kev", "epss"}, "keys": []string{"ed25519:ab"}}, "brought a bundle of 2 feeds, made on 22 November 2026 10:00 UTC"},
		{ann, "content.remove", "0123456789abcdef", "", m{"name": "7z.msi", "size": 7}, "removed 7z.msi (0123456789ab…) from the content"},
		{ann, "document.publish", "root 3", "", m{"type": "patchbay/root/v1", "version": "3", "keys": []string{"ed25519:00"}}, "published the signed document root 3, signed by ed25519:00"},
		{"agent:x", "agent.copied", "x", "dev_1", m{"boots": 2}, "heard another machine speak with the key of front-desk: it is a copy and becomes a device of its own"},
		{"agent:x", "agent.become", "y", "dev_2", m{"copy_of": "dev_1", "copy_of_name": "front-desk", "name": "till"}, "is a copy of front-desk and became a device of its own, called till"},
		{"agent:x", "agent.restored", "x", "dev_1", nil, "found front-desk set back to an earlier state, as by restoring a snapshot, and reads it anew"},
		{ann, "site.update", "site_1", "", m{"name": "Head office", "zone": "Europe/Berlin", "policy": saturday, "was": before}, "changed the policy of Head office: security updates go by themselves, Sat, Sun 22:00 for 4 h (Europe/Berlin), devices may reboot, at most 2 times a day"},
		{ann, "site.update", "site_1", "", m{"name": "Ulm", "zone": "Europe/Berlin", "policy": store.SitePolicy{Auto: store.ByHand}, "was": before}, "renamed Head office to Ulm"},
		{ann, "site.update", "site_1", "", m{"name": "Head office", "zone": "Europe/Berlin", "was": m{"name": "Head office", "zone": "Europe/Berlin", "policy": ruled(a, b)}, "policy": ruled(b, c)},
			"had Zoom.Zoom installed and updated at Head office, no further than 6.2.: the till needs it and took the rule for 7zip.7zip at Head office back"},
		{ann, "site.update", "site_1", "", m{"name": "Head office", "zone": "Europe/Berlin", "was": before, "policy": ruled(a, b, c, d, e)},
			"had 7zip.7zip left alone at Head office and had Notepad++.Notepad++ updated where it is at Head office and had Zoom.Zoom installed and updated at Head office, no further than 6.2.: the till needs it and changed 2 rules more"},
		{ann, "customer.update", "cus_1", "", m{"name": "Acme", "note": "", "closed_at": at, "was": m{"name": "Acme"}}, "closed Acme"},
		{ann, "session.create", "s", "", m{"person": ann, "remote": "192.0.2.7", "second_factor": true}, "signed in from 192.0.2.7"},
		{ann, "session.delete", "s", "", m{"person": ann}, "signed out"},
		{ann, "key.create", "k", "", m{"name": "script", "expires_at": at}, "made the API key script, until 22 November 2026"},
		{ann, "key.revoke", "k", "", m{"name": "script", "person": ann}, "revoked their own API key script"},
		{ann, "token.create", "t", "", m{"site": "site_1", "max_uses": 1, "expires_at": at, "note": "for the till"}, "made an enrolment token for Head office for 1 device, until 22 November 2026 10:00 UTC: for the till"},
		{ann, "attribute.set", "dev_1", "dev_1", m{"level": "device", "target": "dev_1", "values": m{"exposure": "open", "role:sql": "no", "criticality": ""}}, "said of front-desk that how much depends on it is not set here, it is open to the internet and it is not a database server"},
		{ann, "attribute.set", "site_1", "", m{"level": "site", "target": "site_1", "values": m{"exposure": "small"}}, "said of the devices of Head office that hardly anybody reaches it"},
		{ann, "attribute.set", "cus_1", "", m{"level": "customer", "target": "cus_1", "values": m{"criticality": "very_high", "role:king": "yes"}}, "said of the devices of Acme that very much depends on it and it is something that this version does not know"},
		{ann, "group.create", "grp_1", "", m{"name": "Tills"}, "made the group Tills"},
		{ann, "group.update", "grp_1", "", m{"name": "Tills", "rank": 1, "was": m{"name": "Kassen", "rank": 3}}, "renamed the group Kassen to Tills and put the group Tills at rank 1"},
		{ann, "group.delete", "grp_1", "", m{"name": "Tills", "devices": 2}, "deleted the group Tills, which had 2 devices"},
		{ann, "group.join", "grp_1", "dev_1", m{"name": "Tills"}, "put front-desk into the group Tills"},
		{ann, "group.leave", "grp_1", "dev_1", m{"name": "Tills"}, "took front-desk out of the group Tills"},
		{ann, "device.retire", "dev_9", "dev_9", m{"name": "old-desk"}, "retired old-desk"},
		{ann, "device.ask", "dev_1", "dev_1", nil, "asked front-desk to scan again and check in"},
		{"system", "person.update", ann, "", m{"name": "Ann Admin", "was": m{"name": "Ann Admin", "totp_at": at}}, "took Ann Admin's second factor away"},
		{ann, "person.update", ann, "", m{"name": "Ann", "password_changed": true, "was": m{"name": "Ann"}}, "set their own password anew"},
		{"system", "person.reset_totp", ann, "", nil, "took Ann Admin's second factor away"},
		{ann, "person.set_password", ann, "", nil, "set their own password anew"},
		{ann, "person.create", ann, "", m{"email": "ann@example.test"}, "became the first administrator, with the address ann@example.test"},
	} {
		if got := saidBy(t, c.actor, c.act, c.object, c.device, c.payload); got != c.want {
			t.Errorf("%s reads\n%q, want\n%q", c.act, got, c.want)
		}
	}
}

// Whatever stands in the chain, a sentence is one line that begins with a verb, and never
// empty: payloads may be erased, of another version, or full of names that devices chose.
func TestSentencesStayOneLine(t *testing.T) {
	long := strings.Repeat("x", 10_000)
	hostile := "a\nb\r\x1b[31m\u2028<script>\x00" + long
	payload := map[string]any{}
	for _, f := range []string{"name", "version", "reason", "note", "email", "from", "to", "remote", "zone", "answer", "level", "target", "site"} {
		payload[f] = hostile
	}
	payload["allow_removals"], payload["devices"] = []string{hostile, hostile, hostile, hostile, hostile, hostile}, []string{hostile}
	payload["job"] = wire.Job{Forced: hostile, Target: wire.Target{Name: hostile, From: hostile, To: hostile}}
	payload["policy"] = store.SitePolicy{Windows: []window.Weekly{{Zone: hostile, Days: []string{hostile, ""}, Start: hostile}},
		Applications: []store.ApplicationRule{{Package: hostile, Wish: store.ApplicationWish(hostile), Pin: hostile, Reason: hostile}}}
	payload["was"] = map[string]any{"name": hostile + "1", "policy": store.SitePolicy{}}
	n := testNames()
	n.devices["dev_1"] = hostile
	teller := newTeller(n)
	for act := range tellings() {
		for _, p := range []json.RawMessage{nil, json.RawMessage("null"), json.RawMessage("{}"), json.RawMessage("[1]"), json.RawMessage(`{"name":7}`), must(json.Marshal(payload))} {
			got := teller.sentence(store.AuditRow{Actor: ann, Act: act, Object: hostile, Device: "dev_1", Payload: p})
			if got == "" || len(got) > 3000 || strings.ContainsFunc(got, unicode.IsControl) || !unicode.IsLower([]rune(got)[0]) {
				t.Errorf("%s with %.30s reads %.200q", act, p, got)
			}
		}
	}
	if got := teller.sentence(store.AuditRow{Act: "later.version"}); !strings.HasPrefix(got, "did something") {
		t.Errorf("an act of a later version reads %q", got)
	}
	if got := actor(store.AuditRow{}); got != "A person whose name was erased" {
		t.Errorf("an erased actor is %q", got)
	}
}

// TestActivitySays takes real acts through the store: their payloads hold what is said.
func TestActivitySays(t *testing.T) {
	w := newWorld(t, false).populated()
	need := w.fleet.need(w.device, "bed-lib", "1.2", verdict.WAITS_DECISION, verdict.Decided)
	do[Approved](w, 201, "POST", "/approvals", ApprovalWish{Level: "device", Target: w.device, What: ApprovalTarget{Need: need}, Answer: "approve", Now: true})
	do[Approved](w, 201, "POST", "/approvals", ApprovalWish{Level: "device", Target: w.device, What: ApprovalTarget{Need: need}, Answer: "reject", Reason: "breaks the till"})
	zone := "Europe/Vienna"
	do[view.Site](w, 200, "PATCH", "/sites/"+w.site, SiteChange{Zone: &zone})
	token := do[view.NewToken](w, 201, "POST", "/sites/"+w.site+"/tokens", TokenWish{Note: "spare"})
	do[struct{}](w, 204, "DELETE", "/tokens/"+token.ID, nil)
	key := do[APIKey](w, 201, "POST", "/me/keys", NewKey{Name: "script"})
	do[struct{}](w, 204, "DELETE", "/me/keys/"+key.ID, nil)
	do[struct{}](w, 202, "POST", "/devices/"+w.device+"/checkin", nil)
	do[struct{}](w, 204, "DELETE", "/devices/"+w.device+"?confirm=web-01", nil)
	do[struct{}](w, 204, "DELETE", "/session", nil)
	w.cookie = must2(w.access.SignIn(t.Context(), "mia@example.test", testPassword, "", "192.0.2.7"))
	var said []string
	for _, a := range do[view.Page[view.Activity]](w, 200, "GET", "/activity?limit=500", nil).Items {
		said = append(said, a.Actor.Name+" "+a.Sentence)
	}
	for _, want := range []string{
		"Patchbay made a one-time link for the first administrator",
		"Mia became the first administrator, with the address mia@example.test",
		"Mia made the customer Müller GmbH",
		"Mia made the site Ulm of Müller GmbH: updates go by hand, there is no window",
		"web-01 was enrolled into Ulm with a token of Mia",
		"Mia approved bed-lib 1.2 on web-01, to begin at once",
		"Mia rejected bed-lib 1.2 on web-01: breaks the till",
		"Mia took the approval of bed-lib 1.2 on web-01 back",
		"Mia moved Ulm to the time zone Europe/Vienna",
		"Mia revoked an enrolment token for Ulm: spare",
		"Mia revoked their own API key script",
		"Mia asked web-01 to scan again and check in",
		"Mia retired web-01",
		"Mia signed out",
		"Mia signed in from 192.0.2.7, without a second factor",
	} {
		if !slices.Contains(said, want) {
			t.Errorf("nothing says %q; it says\n%s", want, strings.Join(said, "\n"))
		}
	}
}

func TestTimelineSaysEachThingOnce(t *testing.T) {
	w := newWorld(t, false).populated()
	need := w.fleet.need(w.device, "bed-lib", "1.2", verdict.WAITS_DECISION, verdict.Decided)
	do[Approved](w, 201, "POST", "/approvals", ApprovalWish{Level: "customer", Target: w.customer, What: ApprovalTarget{Need: need}, Answer: "approve"})
	job := store.Job{Job: wire.Job{ID: "job_00000000000000000000000000", Attempt: 1, Target: wire.Target{Name: "bed-lib", From: "1.0", To: "1.2"}}}
	h := w.store.Customer(store.Who{ID: "engine", Name: "Patchbay"}, w.customer)
	for _, wish := range []store.Wish{{Wanted: []store.Job{job}}, {Gone: []string{job.ID}}} {
		read, err := h.Jobs(t.Context(), store.JobFilter{Devices: []string{w.device}})
		if err != nil {
			t.Fatal(err)
		}
		wish.Device, wish.Read = w.device, read
		if saved, err := h.SaveJobs(t.Context(), w.now, []store.Wish{wish}); err != nil || !saved[0].Changed {
			t.Fatal(saved, err)
		}
	}
	seen := map[string]int{}
	for _, e := range do[view.Page[view.TimelineEntry]](w, 200, "GET", "/devices/"+w.device+"/timeline", nil).Items {
		seen[e.Title]++
	}
	want := []string{"Enrolled into Ulm with a token of Mia", "Approved bed-lib 1.2 at Müller GmbH", "Ordered: bed-lib 1.0 → 1.2",
		"Took the order of bed-lib 1.0 → 1.2 on web-01 back"}
	for _, title := range want {
		if seen[title] != 1 {
			t.Errorf("%q stands there %d times: %v", title, seen[title], seen)
		}
	}
	if len(seen) != len(want) {
		t.Errorf("the timeline says %v", seen)
	}
	story := do[view.UpdateStory](w, 200, "GET", "/updates/"+view.UpdateID("apt", "bed-lib", "1.2", "Debian")+"/story", nil)
	var told []string
	for _, e := range story.Entries {
		told = append(told, e.Title)
	}
	if got := strings.Join(told, "; "); len(story.Devices) != 1 || !strings.Contains(got, "Approved bed-lib 1.2 at Müller GmbH") {
		t.Errorf("the story of the update says %s on %d devices", got, len(story.Devices))
	}
	do[Problem](w, 404, "GET", "/updates/upd_0/story", nil)
}

func TestEveryOutcomeHasWords(t *testing.T) {
	for _, step := range []wire.Step{wire.StepStaging, wire.StepWaiting, wire.StepPreflight, wire.StepApplying, wire.StepRestarting, wire.StepRebooting, wire.StepVerifying, wire.StepDone, wire.StepFailed, "later"} {
		for _, result := range []wire.Result{wire.ResultOK, wire.ResultFailed, wire.ResultRefused, wire.ResultBusy, wire.ResultOffline} {
			e := outcomeEntry(store.OutcomeRow{Outcome: wire.Outcome{Step: step, Result: result}}, wire.Job{Target: wire.Target{Name: "bed-lib", From: "1.0", To: "1.2"}})
			if !strings.HasSuffix(e.Title, ": bed-lib 1.0 → 1.2") || (e.Sentence == "") != (result == wire.ResultOK) {
				t.Errorf("%s %s reads %q %q", step, result, e.Title, e.Sentence)
			}
			if strings.Contains(e.Title, "verified") { // without a receipt that says so
				t.Errorf("%s %s reads %q", step, result, e.Title)
			}
			if result != wire.ResultOK && strings.HasPrefix(e.Title, "Installed") {
				t.Errorf("%s %s reads %q", step, result, e.Title)
			}
		}
	}
}

// What is taken back is not told in the words for an install.
func TestAnUndoIsNotToldAsAnInstall(t *testing.T) {
	job := wire.Job{Verb: wire.VerbUndo, Target: wire.Target{Name: "bed-lib", From: "1.2", To: "1.0"}}
	for _, step := range []wire.Step{wire.StepStaging, wire.StepWaiting, wire.StepPreflight, wire.StepApplying, wire.StepRebooting, wire.StepVerifying, wire.StepDone, wire.StepFailed} {
		for _, result := range []wire.Result{wire.ResultOK, wire.ResultFailed} {
			e := outcomeEntry(store.OutcomeRow{Outcome: wire.Outcome{Step: step, Result: result}}, job)
			if !strings.HasSuffix(e.Title, ": bed-lib 1.2 back to 1.0") || strings.Contains(e.Title, "nstall") {
				t.Errorf("%s %s reads %q", step, result, e.Title)
			}
		}
	}
}
