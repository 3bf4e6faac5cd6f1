package cli

import (
	"strings"
	"testing"
	"time"

	"patchbay/server/view"
)

func TestDeviceSetAsks(t *testing.T) {
	home(t)
	f := newFakeServer(t)
	flags := []string{"--server", f.URL, "--key", "pbk_x"}
	if out, err := run(t, "", append([]string{"device", "set", "dev_1", "dev_2", "--role", "domain-controller,sql", "--not-role", "web", "--detect-role", "mail", "--criticality", "very-high", "--exposure", "none", "--join", "tills", "--leave", "grp_9"}, flags...)...); err != nil || !strings.Contains(out, "Said of 2 of 2.") {
		t.Errorf("%q, %v", out, err)
	}
	if got, want := f.bodies["POST /api/v1/devices/change"], `{"devices":["dev_1","dev_2"],"roles":{"domain_controller":"yes","mail":"","sql":"yes","web":"no"},"criticality":"very_high","exposure":"","join":["grp_1"],"leave":["grp_9"]}`; got != want {
		t.Errorf("asked %s\nwant  %s", got, want)
	}
	if _, err := run(t, "", append([]string{"device", "set", "dev_1", "--join", "nobody"}, flags...)...); err == nil || !strings.Contains(err.Error(), "no group of the name nobody") {
		t.Errorf("%v", err)
	}
	if _, err := run(t, "", append([]string{"device", "set"}, flags...)...); err == nil {
		t.Error("of no device is taken")
	}
}

func TestSaysOfSitesAndCustomers(t *testing.T) {
	home(t)
	f := newFakeServer(t)
	flags := []string{"--server", f.URL, "--key", "pbk_x"}
	out, err := run(t, "", append([]string{"site", "set", "site_1", "--exposure", "controlled"}, flags...)...)
	if err != nil || f.bodies["PATCH /api/v1/sites/site_1/attributes"] != `{"exposure":"controlled"}` || !strings.Contains(out, "controlled, set for its site by Ann on 2026-01-01") {
		t.Errorf("%q, %v, %s", out, err, f.bodies["PATCH /api/v1/sites/site_1/attributes"])
	}
	out, err = run(t, "", append([]string{"customer", "set", "Lang"}, flags...)...)
	if err != nil || f.asked[len(f.asked)-1] != "GET /api/v1/customers/cus_2/attributes Bearer pbk_x" || !strings.Contains(out, "not set") {
		t.Errorf("%q, %v, %v", out, err, f.asked)
	}
}

func TestGroupCommands(t *testing.T) {
	home(t)
	f := newFakeServer(t)
	flags := []string{"--server", f.URL, "--key", "pbk_x"}
	out, err := run(t, "", append([]string{"group", "list", "--customer", "Lang"}, flags...)...)
	if err != nil || !strings.Contains(out, "Tills·") {
		t.Errorf("%q, %v", out, err)
	}
	for _, c := range []struct{ args, what, body string }{
		{"group create Lang Servers", "POST /api/v1/customers/cus_2/groups", `{"name":"Servers"}`},
		{"group rename grp_1 Kassen", "PATCH /api/v1/groups/grp_1", `{"name":"Kassen"}`},
		{"group rank tills 3", "PATCH /api/v1/groups/grp_1", `{"rank":3}`},
		{"group delete tills", "DELETE /api/v1/groups/grp_1", ``},
	} {
		if _, err := run(t, "", append(strings.Fields(c.args), flags...)...); err != nil || f.bodies[c.what] != c.body {
			t.Errorf("%s: %v, asked %q", c.args, err, f.bodies[c.what])
		}
	}
	if _, err := run(t, "", append([]string{"group", "delete", "twice"}, flags...)...); err == nil || !strings.Contains(err.Error(), "2 customers have a group") {
		t.Errorf("%v", err)
	}
}

func TestStandingForPeople(t *testing.T) {
	var b strings.Builder
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	g := &Globals{Out: &b, Now: func() time.Time { return at }}
	show := func(s view.Standing) string {
		b.Reset()
		if err := g.show(nil, func(t *table) { standingRows(t, s) }); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	got := show(view.Standing{Roles: []view.DeviceRole{{Role: "sql", Has: true, From: "postgresql-15 is installed"}, {Role: "domain_controller", By: "Ann", SetAt: &at, From: "x"}},
		Criticality: view.Attribute{Value: "very_high", Level: "customer", By: "Bo", SetAt: &at}, Groups: []view.Ref{{Name: "Tills"}}})
	for _, want := range []string{"sql (detected: postgresql-15 is installed)", "not domain controller, set by Ann on 2026-01-01 (detected: x)", "very high, set for its customer by Bo on 2026-01-01", "not set", "Tills"} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is not in\n%s", want, got)
		}
	}
	if got := show(view.Standing{}); !strings.Contains(got, "not known: it shows none") {
		t.Error(got)
	}
}
