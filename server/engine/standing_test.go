package engine

import (
	"io"
	"strings"
	"testing"
	"time"

	"patchbay/patch"
	"patchbay/provider"
	"patchbay/server/catalog/kinds"
	"patchbay/server/knowledge"
	"patchbay/server/roles"
	"patchbay/server/store"
	"patchbay/server/view"
	"patchbay/wire"
)

// serving makes the rig a Debian with a database of which an advisory says that it is broken.
func serving(r *rig) {
	const record = `{"id":"CVE-2026-0001","published":"2026-01-02T00:00:00Z","affected":[{"package":{"ecosystem":"Debian:12","name":"postgresql-15"},"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"},{"fixed":"15.9"}]}]}]}`
	const points = `{"dataType":"CVE_RECORD","cveMetadata":{"cveId":"CVE-2026-0001"},"containers":{"adp":[{"providerMetadata":{"orgId":"134c704f-9b21-4f2e-91b3-4a467353bcc0"},"metrics":[{"other":{"type":"ssvc","content":{"id":"CVE-2026-0001","role":"CISA Coordinator","timestamp":"2026-02-01T00:00:00Z","version":"2.0.3","options":[{"Exploitation":"active"},{"Automatable":"no"},{"Technical Impact":"total"}]}}}]}]}}`
	source := func(name string, kind string, text string) knowledge.Source {
		return knowledge.Source{Name: name, Kind: kind, Each: func(f func(string, io.Reader) error) error { return f("x", strings.NewReader(text)) }}
	}
	known, err := knowledge.Load([]knowledge.Source{source("osv", kinds.OSV, record), source("ssvc", kinds.SSVC, points)}, []string{"debian:12"}, r.now)
	r.must(err)
	r.Knowledge = func() *knowledge.Snapshot { return known }
	r.more = []patch.Item{{Provider: "apt", Name: "postgresql-15", Architecture: "amd64", Version: "15.3", Origin: "Debian"}}
	r.like = func(f *wire.Facts) {
		f.OS, f.Distro, f.Release = "linux", "debian", "12"
		f.Providers = []wire.ProviderFacts{{Name: "apt", Traits: provider.Traits{Versions: patch.SchemeDeb, Phase: provider.System}}}
	}
}

// change is what a person says of the device.
func (r *rig) change(values map[string]string) {
	r.t.Helper()
	r.must(r.Store.Customer(store.Who{ID: "per_test", Name: "Ann"}, r.customer).ChangeDevices(r.t.Context(), r.now, []string{r.device}, store.DeviceChange{Values: values}))
	r.must(r.Step(r.t.Context(), r.device))
}

// TestACorrectionOfARoleSurvivesScans: what a device shows comes anew with each, what a person
// said holds until they take it back.
func TestACorrectionOfARoleSurvivesScans(t *testing.T) {
	r := newRig(t, store.SitePolicy{Auto: store.ByHand})
	serving(r)
	role := func() (view.DeviceRole, bool) {
		d, _ := r.Index.Device(r.now, r.device)
		for _, h := range d.Standing.Roles {
			if h.Role == string(roles.SQL) {
				return h, true
			}
		}
		return view.DeviceRole{}, false
	}
	if _, ok := role(); ok {
		t.Error("nothing was read yet, and it has a role")
	}
	r.says("1.0", nil, nil)
	if h, ok := role(); !ok || !h.Has || h.From != "postgresql-15 is installed" || h.By != "" {
		t.Errorf("detected: %+v", h)
	}
	r.change(map[string]string{roles.RoleName(roles.SQL): roles.No, roles.RoleName(roles.POS): roles.Yes})
	said := r.now
	for i := range 3 {
		r.now = r.now.Add(time.Hour)
		r.more[0].Version = []string{"15.4", "15.5", "15.6"}[i]
		r.says("1.0", nil, nil)
		if h, _ := role(); h.Has || h.By != "Ann" || h.SetAt == nil || !h.SetAt.Equal(said) || h.From == "" {
			t.Errorf("after a scan: %+v", h)
		}
		if page := r.Index.Devices(r.now, view.Filter{Role: string(roles.SQL)}); page.Total != 0 {
			t.Error("it is still listed as a database server")
		}
		if page := r.Index.Devices(r.now, view.Filter{Role: string(roles.POS)}); page.Total != 1 {
			t.Error("it is not listed as a point of sale")
		}
		r.same("a corrected role")
	}
	r.change(map[string]string{roles.RoleName(roles.SQL): ""})
	if h, ok := role(); !ok || !h.Has || h.By != "" {
		t.Errorf("taken back: %+v", h)
	}
	r.more = nil
	r.says("1.0", nil, nil)
	if _, ok := role(); ok {
		t.Error("what showed it is gone, and it stays")
	}
}

// TestWhatIsSaidOfADeviceMovesItsFindings: in the list of the device, among who is exposed, and in
// the order of needs; with who said it, and when.
func TestWhatIsSaidOfADeviceMovesItsFindings(t *testing.T) {
	r := newRig(t, store.SitePolicy{Auto: store.ByHand})
	serving(r)
	r.says("1.0", []patch.Update{lib}, nil)
	finding := func() view.Finding { return r.Index.DeviceFindings(r.device).Items[0].Findings[0] }
	if f := finding(); f.Step != "out-of-cycle" || strings.Contains(f.Why, "Ann") {
		t.Errorf("nothing said: %s, %s", f.Step, f.Why)
	}
	h := r.Store.Customer(store.Who{ID: "per_test", Name: "Ann"}, r.customer)
	r.must(h.SetAttributes(t.Context(), r.now, store.LevelCustomer, r.customer, map[string]string{roles.Exposure: "small"}))
	r.must(h.SetAttributes(t.Context(), r.now, store.LevelSite, r.site, map[string]string{roles.Criticality: "low"}))
	r.must(r.Step(t.Context(), r.device))
	if f := finding(); f.Step != "scheduled" || !strings.HasSuffix(f.Why, "Who reaches the device was set by Ann on 2026-03-04 for its customer. How much depends on it was set by Ann on 2026-03-04 for its site.") {
		t.Errorf("inside: %s, %s", f.Step, f.Why)
	}
	r.change(map[string]string{roles.Exposure: "open", roles.Criticality: "very_high"})
	f := finding()
	if f.Step != "immediate" || !strings.Contains(f.Why, "open to the internet and much depends on it") || !strings.HasSuffix(f.Why, "Who reaches the device was set by Ann on 2026-03-04. How much depends on it was set by Ann on 2026-03-04.") {
		t.Errorf("open: %s, %s", f.Step, f.Why)
	}
	e := r.Index.Exposed(r.now, view.Filter{}, "CVE-2026-0001")
	if e.Step != "immediate" || strings.Contains(e.Why, "Ann") || e.Customers[0].Devices[0].Finding.Why != f.Why {
		t.Errorf("exposed: %s, %s, %s", e.Step, e.Why, e.Customers[0].Devices[0].Finding.Why)
	}
	needs := r.Index.Needs(r.now, view.Filter{Sort: "-place"})
	if needs.Total != 2 || needs.Items[0].Item.Name != "postgresql-15" || needs.Items[0].Step != "immediate" || needs.Items[0].Why != f.Why || needs.Items[1].Step != "" {
		t.Errorf("needs: %+v", needs.Items)
	}
	if back := r.Index.Needs(r.now, view.Filter{Sort: "place"}); back.Items[1].Item.Name != "postgresql-15" {
		t.Errorf("%+v", back.Items)
	}
	r.same("what was said")
}

func TestGroupsOfADevice(t *testing.T) {
	r := newRig(t, store.SitePolicy{Auto: store.ByHand})
	h := r.Store.Customer(store.Who{ID: "per_test", Name: "Ann"}, r.customer)
	for _, name := range []string{"One", "Two"} {
		r.must(h.CreateGroup(t.Context(), r.now, store.Group{ID: "grp_" + name, Name: name, CreatedAt: r.now}))
	}
	r.must(h.ChangeDevices(t.Context(), r.now, []string{r.device}, store.DeviceChange{Join: []string{"grp_One", "grp_Two"}}))
	r.must(h.UpdateGroup(t.Context(), r.now, "grp_Two", "Zwei", 1))
	r.must(r.Step(t.Context(), r.device))
	d, _ := r.Index.Device(r.now, r.device)
	if g := d.Standing.Groups; len(g) != 2 || g[0] != (view.Ref{ID: "grp_Two", Name: "Zwei"}) || g[1].Name != "One" {
		t.Errorf("%+v", g)
	}
	for group, want := range map[string]int{"grp_One": 1, "grp_Three": 0} {
		if page := r.Index.Devices(r.now, view.Filter{Group: group}); page.Total != want {
			t.Errorf("%s has %d devices", group, page.Total)
		}
	}
}
