package cli

import (
	"encoding/json"
	"strings"
	"testing"

	"patchbay/server/api"
)

const theSite = `{"id":"site_1","name":"HQ","policy":{"auto":"security","reboots":{"when":"ask","postpone":3,"deadline_hours":48,"daily":2},"windows":[{"zone":"UTC","days":["sat"],"start":"22:00","minutes":240}],
	"applications":[{"provider":"winget","package":"Notepad++.Notepad++","wish":"leave","by":"Ann"}]}}`

// A rule takes the place of the one that the program had, and all else of the policy stays.
func TestRulesOfASite(t *testing.T) {
	home(t)
	f := newFakeServer(t)
	flags := []string{"--server", f.URL, "--key", "pbk_x"}
	sent := func(args ...string) api.SiteChange {
		t.Helper()
		if _, err := run(t, "", append(args, flags...)...); err != nil {
			t.Fatal(err)
		}
		var change api.SiteChange
		if err := json.Unmarshal([]byte(f.bodies["PATCH /api/v1/sites/site_1"]), &change); err != nil || change.Policy == nil {
			t.Fatalf("sent %+v, %v", change, err)
		}
		return change
	}
	p := sent("site", "rule", "set", "site_1", "winget", "notepad++.notepad++", "install", "--pin", "8.6.", "--reason", "the till needs it").Policy
	if len(p.Applications) != 1 || p.Applications[0].Wish != "install" || p.Applications[0].Pin != "8.6." || p.Auto != "security" || p.Reboots.When != "ask" || len(p.Windows) != 1 {
		t.Errorf("sent %+v", p)
	}
	if p := sent("site", "rule", "set", "site_1", "apt", "firefox-esr", "update").Policy; len(p.Applications) != 2 {
		t.Errorf("sent %+v", p)
	}
	if p := sent("site", "rule", "remove", "site_1", "winget", "Notepad++.Notepad++").Policy; p.Applications == nil || len(p.Applications) != 0 {
		t.Errorf("sent %+v", p)
	}
	if out, err := run(t, "", append([]string{"site", "rule", "list", "site_1"}, flags...)...); err != nil || !strings.Contains(out, "Notepad++.Notepad++") || !strings.Contains(out, "leave") {
		t.Errorf("listed %q, %v", out, err)
	}
	for _, bad := range [][]string{{"site", "rule", "set", "site_1", "winget", "a.b", "remove"}, {"site", "rule", "remove", "site_1", "winget", "a.b"}} {
		if _, err := run(t, "", append(bad, flags...)...); err == nil {
			t.Errorf("%v is taken", bad)
		}
	}
	if sent("site", "policy", "site_1"); strings.Contains(f.bodies["PATCH /api/v1/sites/site_1"], "applications") {
		t.Error("setting the policy speaks of rules")
	}
}
