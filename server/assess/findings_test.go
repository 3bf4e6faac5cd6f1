package assess

import (
	"slices"
	"testing"
	"time"

	"patchbay/patch"
	"patchbay/wire"
)

func withFindings(list []Finding, items []patch.Item, offers ...patch.Update) Device {
	read := Section{State: wire.SectionOK, ScannedAt: now.Add(-time.Minute)}
	p := Provider{Name: "apt", Versions: patch.SchemeDeb, Installed: read, Offered: read, Items: items,
		Sources: []patch.Source{{Provider: "apt", Name: "x", RefreshedAt: ago(time.Minute)}}}
	for _, u := range offers {
		p.Offers = append(p.Offers, Offer{Update: u, FirstSeen: now.Add(-time.Hour)})
	}
	return Device{Host: read, Providers: []Provider{p},
		Findings: map[patch.Key]*Found{items[0].Key(): {Release: "Debian:12", Name: items[0].Name, Version: items[0].Version, List: list}}}
}

func ago(d time.Duration) *time.Time {
	t := now.Add(-d)
	return &t
}

var curl = patch.Item{Provider: "apt", Name: "curl", Architecture: "amd64", Version: "1.0"}

func curlAt(version string) patch.Update {
	return patch.Update{Provider: "apt", Name: "curl", Architecture: "amd64", Installed: "1.0", Available: version}
}

// TestAffectedAndNothingOnOfferIsANeed is the law: what is open is never silently well.
func TestAffectedAndNothingOnOfferIsANeed(t *testing.T) {
	for _, status := range []FindingStatus{Affected, NoFix, HeadersOnly, NotRunning, Unimportant, Undetermined, NotCompared} {
		f := Finding{Advisory: "DSA-1", CVEs: []string{"CVE-2026-0001"}, Status: status, Severity: patch.SeverityHigh, Published: now.Add(-48 * time.Hour)}
		needs := Needs(withFindings([]Finding{f}, []patch.Item{curl}), now)
		if !status.Open() {
			if len(needs) != 0 {
				t.Errorf("%s makes a need: %+v", status, needs)
			}
			continue
		}
		if len(needs) != 1 || !needs[0].Exposed || needs[0].Offered || needs[0].Reached || needs[0].Installed != "1.0" || needs[0].Update.Severity != patch.SeverityHigh ||
			!needs[0].Update.Is(patch.Security) || len(needs[0].Update.Advisories) != 0 || !needs[0].Since.Equal(f.Published) || len(needs[0].Findings) != 1 {
			t.Errorf("%s: %+v", status, needs)
		}
	}
}

// TestAnUpdateIsToldWhatItMends: what its version reaches, and nothing else.
func TestAnUpdateIsToldWhatItMends(t *testing.T) {
	list := []Finding{
		{Advisory: "DSA-1", CVEs: []string{"CVE-2026-0001"}, Status: Affected, Fixed: "1.1", Severity: patch.SeverityLow},
		{Advisory: "DSA-2", CVEs: []string{"CVE-2026-0002"}, Status: Affected, Fixed: "1.3", Severity: patch.SeverityCritical},
		{Advisory: "DSA-3", CVEs: []string{"CVE-2026-0003"}, Status: NoFix, Severity: patch.SeverityCritical},
		{Advisory: "DSA-4", Status: Affected, Fixed: "1.2", Severity: patch.SeverityMedium},
		{Advisory: "CVE-2026-0005", CVEs: []string{"CVE-2026-0005"}, Status: Affected, Last: "1.1", Severity: patch.SeverityLow},
		{Advisory: "CVE-2026-0006", CVEs: []string{"CVE-2026-0006"}, Status: Affected, Last: "1.2", Severity: patch.SeverityCritical},
	}
	needs := Needs(withFindings(list, []patch.Item{curl}, curlAt("1.2")), now)
	if len(needs) != 1 || needs[0].Exposed || !needs[0].Offered {
		t.Fatalf("%+v", needs)
	}
	if u := needs[0].Update; !slices.Equal(u.Advisories, []string{"CVE-2026-0001", "CVE-2026-0005", "DSA-4"}) || u.Severity != patch.SeverityMedium || !u.Is(patch.Security) || len(needs[0].Findings) != 6 {
		t.Errorf("%+v", u)
	}
	// The package's version says nothing where its source has another one.
	other := curl
	other.Source, other.SourceVersion = "src", "7.0"
	if needs := Needs(withFindings(list, []patch.Item{other}, curlAt("1.2")), now); len(needs[0].Update.Advisories) != 0 {
		t.Errorf("%+v", needs[0].Update)
	}
}

// TestAnUpdateOfItsOwnMendsTheSystem: what mends a Windows is on offer under another name.
func TestAnUpdateOfItsOwnMendsTheSystem(t *testing.T) {
	system := patch.Item{Provider: "apt", Name: "Windows", Version: "1.0"}
	list := []Finding{
		{Advisory: "CVE-2026-0001", CVEs: []string{"CVE-2026-0001"}, Status: Affected, Updates: []string{"KB5000001", "KB5000002"}, Severity: patch.SeverityHigh},
		{Advisory: "CVE-2026-0002", CVEs: []string{"CVE-2026-0002"}, Status: Affected, Updates: []string{"KB5000002"}, Severity: patch.SeverityCritical},
	}
	list = append(list, Finding{Advisory: "CVE-2026-0003", CVEs: []string{"CVE-2026-0003"}, Status: Undetermined, Updates: []string{"KB5000001", "KB5000002"}}) // of which nobody knows mends nothing
	update := func(name string) patch.Update {
		return patch.Update{Provider: "apt", Name: name, Available: "200", Source: "x"}
	}
	with := func(names ...string) []Need {
		var offers []patch.Update
		for _, n := range names {
			offers = append(offers, update(n))
		}
		d := withFindings(list, []patch.Item{system}, offers...)
		d.Providers[0].Adds = true
		return Needs(d, now)
	}
	if needs := with("KB5000002 (0a0b0c0d)"); len(needs) != 1 || !slices.Equal(needs[0].Update.Advisories, []string{"CVE-2026-0001", "CVE-2026-0002"}) || needs[0].Update.Severity != patch.SeverityCritical {
		t.Errorf("%+v", needs)
	}
	if needs := with("KB5000001 (0a0b0c0d)"); len(needs) != 2 || !slices.Equal(needs[0].Update.Advisories, []string{"CVE-2026-0001"}) || !needs[1].Exposed {
		t.Errorf("%+v", needs)
	}
	if needs := with("KB50000019 (0a0b0c0d)"); len(needs) != 2 || len(needs[0].Update.Advisories) != 0 || !needs[1].Exposed {
		t.Errorf("%+v", needs)
	}
}

// TestAnAdvisorySaysWhenAVersionCameOut: of the very version that it announces, and the earliest
// of all that is known counts.
func TestAnAdvisorySaysWhenAVersionCameOut(t *testing.T) {
	day := func(n int) time.Time { return now.AddDate(0, 0, -n) }
	list := []Finding{
		{Advisory: "DSA-1", CVEs: []string{"CVE-2026-0001"}, Status: Affected, Fixed: "1.2", Published: day(5)},
		{Advisory: "DSA-2", CVEs: []string{"CVE-2026-0002"}, Status: Affected, Fixed: "1.1", Published: day(30)},
		{Advisory: "DEBIAN-CVE-2026-0003", CVEs: []string{"CVE-2026-0003"}, Status: Affected, Fixed: "1.2", Published: day(40)},
		{Advisory: "DSA-4", CVEs: []string{"CVE-2026-0004"}, Status: Affected, Fixed: "1.2"},
	}
	by := func(at *time.Time, who string) patch.Update {
		u := curlAt("1.2")
		u.ReleasedAt, u.ReleasedBy = at, who
		return Needs(withFindings(list, []patch.Item{curl}, u), now)[0].Update
	}
	for _, c := range []struct {
		offered *time.Time
		want    time.Time
		by      string
	}{
		{nil, day(5), "advisory"},
		{ago(24 * time.Hour), day(5), "advisory"},
		{ago(9 * 24 * time.Hour), now.Add(-9 * 24 * time.Hour), "index"},
	} {
		if u := by(c.offered, "index"); u.ReleasedAt == nil || !u.ReleasedAt.Equal(c.want) || u.ReleasedBy != c.by {
			t.Errorf("%v: %v by %s", c.offered, u.ReleasedAt, u.ReleasedBy)
		}
	}
	list = list[1:]
	if u := by(nil, ""); u.ReleasedAt != nil {
		t.Errorf("%v by %s", u.ReleasedAt, u.ReleasedBy)
	}
}
