package api

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"patchbay/patch"
	"patchbay/provider"
	"patchbay/server/store"
	"patchbay/server/verdict"
	"patchbay/server/view"
	"patchbay/wire"
)

// tells has the device of the world check in with these bodies of sections.
func (w *world) tells(bodies map[string]any) {
	w.t.Helper()
	d, _ := w.fleet.Device(w.now, w.device)
	var sections []wire.Section
	for name, v := range bodies {
		body, err := wire.Canonical(v)
		if err != nil {
			w.t.Fatal(err)
		}
		sections = append(sections, wire.Section{Name: name, Hash: wire.Hash(body), State: wire.SectionOK, ScannedAt: w.now, Body: body})
	}
	in := wire.CheckIn{Version: wire.Version, Agent: d.Agent.ID, Sent: w.now, Mode: wire.Manage,
		Devices: []wire.DeviceReport{{Device: w.device, ScannedAt: w.now, Digest: wire.Digest(sections), Sections: sections}}}
	if _, err := w.store.Customer(store.Who{ID: "agent"}, w.customer).Receive(w.t.Context(), w.now, in); err != nil {
		w.t.Fatal(err)
	}
}

func windowsFacts(sources ...wire.RestartSource) wire.Facts {
	return wire.Facts{Hostname: "web-01", OS: "windows", Providers: []wire.ProviderFacts{{Name: "winupdate", Traits: provider.Traits{Phase: provider.System}}},
		Restart: wire.Restart{Services: []string{}, Sources: sources}}
}

func TestHistoryIsTheNewestFirstAndBounded(t *testing.T) {
	w := newWorld(t, false).populated()
	path := "/devices/" + w.device + "/history"
	if p := do[view.Page[view.HistoryEvent]](w, 200, "GET", path, nil); p.Total != 0 || p.Items == nil {
		t.Errorf("of a device that never told: %+v", p)
	}
	at := func(hours int) *time.Time { v := w.now.Add(-time.Duration(hours) * time.Hour); return &v }
	events := []patch.Event{
		{At: at(2), Name: "KB2", Title: "second", Result: patch.EventFailed, Code: "0x800F0922", Why: "A part of it failed", Instance: "i2"},
		{At: at(1), Name: "KB1", Title: "first", Result: patch.EventSucceeded, By: "UpdateOrchestrator"},
		{Name: "KB9", Result: "quantum"},
		{At: at(2), Name: "KB3", Result: patch.EventSucceeded, Code: "0x80070643"},
		{At: at(3), Name: strings.Repeat("x", 9000), Title: strings.Repeat("é", 9000), Result: patch.EventAborted},
	}
	w.tells(map[string]any{wire.HostSection: windowsFacts(), "winupdate/history": events})
	w.fleet.needs = append(w.fleet.needs, view.Need{ID: "need_2", Device: view.Ref{ID: w.device}, Item: view.ItemKey{Provider: "winupdate", Name: "KB2", Instance: "i2"}})
	all := do[view.Page[view.HistoryEvent]](w, 200, "GET", path, nil)
	var got []string
	for _, e := range all.Items {
		got = append(got, cut(e.Name, 3)+" "+string(e.Result)+" "+e.Need)
	}
	if want := "KB1 succeeded , KB2 failed need_2, KB3 partly , xxx aborted , KB9 unknown "; strings.Join(got, ", ") != want {
		t.Errorf("told %q", got)
	}
	if e := all.Items[3]; len(e.Name) > maxShort || len(e.Title) > maxTold || e.Provider != "winupdate" {
		t.Errorf("a hostile line is %d and %d bytes", len(e.Name), len(e.Title))
	}
	if p := do[view.Page[view.HistoryEvent]](w, 200, "GET", path+"?result=failed", nil); p.Total != 1 || p.Items[0].Name != "KB2" {
		t.Errorf("those that failed: %+v", p)
	}
	var paged []string
	for next := path + "?limit=2"; next != ""; {
		p := do[view.Page[view.HistoryEvent]](w, 200, "GET", next, nil)
		for _, e := range p.Items {
			paged = append(paged, cut(e.Name, 3)+" "+string(e.Result)+" "+e.Need)
		}
		if next = ""; p.Next != "" {
			next = path + "?limit=2&after=" + p.Next
		}
	}
	if strings.Join(paged, ", ") != strings.Join(got, ", ") {
		t.Errorf("page by page it is %q", paged)
	}
	do[Problem](w, 422, "GET", path+"?result=great", nil)
}

// TestAHistoryIsReadWhereItIsNamed: nothing is decided by it, so what decides does not load it.
func TestAHistoryIsReadWhereItIsNamed(t *testing.T) {
	w := newWorld(t, false).populated()
	w.tells(map[string]any{wire.HostSection: windowsFacts(), "winupdate/sources": []patch.Source{}, "winupdate/history": []patch.Event{{Name: "KB1"}}})
	h := w.store.Customer(store.Who{ID: "agent"}, w.customer)
	all, err := h.Sections(t.Context(), []string{w.device})
	if err != nil || len(all) != 3 {
		t.Fatalf("%v, %d sections", err, len(all))
	}
	for _, row := range all {
		if (len(row.Body) == 0) != (row.Name == "winupdate/history") || row.Hash == "" {
			t.Errorf("%s comes with %d bytes", row.Name, len(row.Body))
		}
	}
	named, err := h.Sections(t.Context(), []string{w.device}, "winupdate/history")
	if err != nil || len(named) != 1 || len(named[0].Body) == 0 {
		t.Errorf("%v, %+v", err, named)
	}
}

// TestAHistoryThatIsTooMuchIsNotTaken: what was held stays, and the section says so.
func TestAHistoryThatIsTooMuchIsNotTaken(t *testing.T) {
	w := newWorld(t, false).populated()
	w.tells(map[string]any{wire.HostSection: windowsFacts(), "winupdate/history": []patch.Event{{Name: "KB1"}}})
	w.tells(map[string]any{wire.HostSection: windowsFacts(), "winupdate/history": make([]patch.Event, patch.MaxHistory+1)})
	if p := do[view.Page[view.HistoryEvent]](w, 200, "GET", "/devices/"+w.device+"/history", nil); p.Total != 1 {
		t.Errorf("it is %d events", p.Total)
	}
	d := do[view.DeviceDetail](w, 200, "GET", "/devices/"+w.device, nil)
	for _, s := range d.Sections {
		if s.Name == "winupdate/history" && (s.State != wire.SectionFailed || !strings.Contains(s.Error, "too much")) {
			t.Errorf("its section is %+v", s)
		}
	}
}

// TestWhatADeviceTellsOfItsManagersIsBounded: a word that nobody here knows is never good.
func TestWhatADeviceTellsOfItsManagersIsBounded(t *testing.T) {
	w := newWorld(t, false).populated()
	long := strings.Repeat("ü", 50_000)
	repair := &patch.Repair{Turn: "splendid", Why: long, Next: long, Act: long, Code: long, Tries: 1 << 40, Most: -4}
	for range 500 {
		repair.Done = append(repair.Done, patch.RepairAct{Act: long, Said: long, Code: long, Result: "splendid", Try: -1})
	}
	var places []wire.RestartSource
	for range 500 {
		places = append(places, wire.RestartSource{Kind: long, State: "splendid", Why: long, Count: -3})
	}
	w.tells(map[string]any{wire.HostSection: windowsFacts(places...), "winupdate/sources": []patch.Source{{Provider: "winupdate", Name: "Windows Update", Repair: repair}}})
	_, body := w.call("GET", "/devices/"+w.device, nil)
	if len(body) > 100_000 {
		t.Errorf("the answer is %d bytes", len(body))
	}
	d := do[view.DeviceDetail](w, 200, "GET", "/devices/"+w.device, nil)
	r := d.Sources[0].Repair
	if r.Turn != patch.TurnPerson || len(r.Done) != patch.MaxRepairs || r.Done[0].Result != patch.RepairCut || r.Tries != 99 || r.Most != 0 || r.Done[0].Try != 0 {
		t.Errorf("its repair is %.300v", r)
	}
	if len(d.RestartSources) != maxRestarts || d.RestartSources[0].State != wire.RestartUnknown || d.RestartSources[0].Count != 0 {
		t.Errorf("%d places, the first %.200v", len(d.RestartSources), d.RestartSources[0])
	}
}

// Every combination: none is promised that the device does not make.
func TestWhoMakesARestart(t *testing.T) {
	for n := range 4 * 16 {
		asked, ours, observes, silent := n&1 > 0, n&2 > 0, n&4 > 0, n&8 > 0
		when := []wire.RebootWhen{wire.RebootNever, wire.RebootWindow, wire.RebootAsk, "some day"}[n/16]
		allowed := when == wire.RebootWindow || when == wire.RebootAsk
		d := view.Device{Restart: view.Restart{Machine: asked}, Silent: silent, Window: view.Window{Sentence: "Opens Saturday."}, Agent: view.Agent{Mode: wire.Manage}}
		if observes {
			d.Agent.Mode = wire.Observe
		}
		by, plan := restartPlan(d, when, ours)
		self := strings.Contains(plan, "Opens Saturday.")
		if (by == "") != (plan == "") || (by == "person") != strings.HasPrefix(plan, "A person") {
			t.Errorf("it is made by %q: %q", by, plan)
		}
		if (plan == "") != (!asked && !ours) || self != (ours && allowed && !observes && !silent) {
			t.Errorf("asked %t, ours %t, reboots %s, observes %t, silent %t: %q", asked, ours, when, observes, silent, plan)
		}
	}
}

// TestAClassIsApprovedWithoutWhatPeopleChoose: previews and optional ones are counted and left,
// a licence is agreed to, and both are said before.
func TestAClassIsApprovedWithoutWhatPeopleChoose(t *testing.T) {
	w := newWorld(t, false).populated()
	add := func(name string, block patch.Block, licence bool, classes ...patch.Class) {
		w.fleet.need(w.device, name, "200", verdict.WAITS_DECISION, verdict.Decided, classes...)
		n := &w.fleet.needs[len(w.fleet.needs)-1]
		n.Block, n.Licence, n.Reboot = block, licence, patch.Yes
	}
	add("plain", "", false, patch.Driver)
	add("licensed", patch.Optional, true, patch.Driver)
	add("optional", patch.Optional, false, patch.Driver)
	add("preview", patch.Optional, false, patch.BugFix, patch.Preview)
	add("early", "", true, patch.Driver, patch.Preview)
	add("tool", "", false, patch.Tool)
	for _, c := range []struct {
		what              ApprovalTarget
		want              string
		licences, leftOut int
	}{
		{ApprovalTarget{Class: "driver"}, "licensed 200, plain 200", 1, 2},
		{ApprovalTarget{Class: "bugfix"}, "", 0, 1},
		{ApprovalTarget{All: true}, "licensed 200, plain 200, tool 200", 1, 3},
		{ApprovalTarget{Update: view.UpdateID("apt", "optional", "200", "Debian")}, "optional 200", 0, 0},
	} {
		wish := ApprovalWish{Level: "device", Target: w.device, Answer: "approve", What: c.what}
		p := do[Preview](w, 200, "POST", "/approvals/preview", wish)
		if p.Licences != c.licences || p.LeftOut != c.leftOut || (c.leftOut > 0) != strings.Contains(p.Sentence, "left out") || (c.licences > 0) != strings.Contains(p.Sentence, "agreed") {
			t.Errorf("%+v: %+v", c.what, p)
		}
		if c.want == "" {
			do[Problem](w, 409, "POST", "/approvals", wish)
			continue
		}
		if got := items(do[Approved](w, 201, "POST", "/approvals", wish).Approvals); got != c.want {
			t.Errorf("%+v: approved %s", c.what, got)
		}
	}
	for _, bad := range []ApprovalTarget{{Class: "preview"}, {Class: "nonsense"}} {
		do[Problem](w, 422, "POST", "/approvals/preview", ApprovalWish{Level: "device", Target: w.device, Answer: "approve", What: bad})
	}
	if p := do[view.Page[view.ClassCount]](w, 200, "GET", "/classes?device="+w.device, nil); p.Items == nil {
		t.Errorf("the classes are %+v", p)
	}
}

// TestASitesClassesAreKept: what a site approves by itself beside security.
func TestASitesClassesAreKept(t *testing.T) {
	w := newWorld(t, false).populated()
	path := "/sites/" + w.site
	s := do[view.Site](w, 200, "PATCH", path, body{"policy": body{"auto": "security", "classes": []string{"driver", "definition", "driver"}}})
	if got := fmt.Sprint(s.Policy.Classes); got != "[definition driver]" {
		t.Errorf("kept %s", got)
	}
	for _, bad := range []string{"preview", "feature", "security", "nonsense"} {
		do[Problem](w, http.StatusUnprocessableEntity, "PATCH", path, body{"policy": body{"auto": "security", "classes": []string{bad}}})
	}
}
