package assess

import (
	"slices"
	"testing"
	"time"

	"patchbay/patch"
	"patchbay/wire"
)

// TestWhatWasMended: the version is another one, and something that was open is not any more.
func TestWhatWasMended(t *testing.T) {
	open := func(version string, ids ...string) *Found {
		f := &Found{Name: "curl", Version: version}
		for _, id := range ids {
			f.List = append(f.List, Finding{Advisory: id, CVEs: []string{id}, Status: Affected})
		}
		return f
	}
	quiet := &Found{Name: "curl", Version: "1.0", List: []Finding{{Advisory: "CVE-2026-0009", Status: Unimportant}, {Status: NotCompared}}}
	dsa := &Found{Name: "curl", Version: "1.0", List: []Finding{{Advisory: "DSA-1", Status: NoFix}}}
	at := now.Add(-time.Minute)
	for name, c := range map[string]struct {
		before  *Found
		version string // "" is not there
		now     *Found
		state   wire.SectionState
		want    []string
	}{
		"the last one":                     {open("1.0", "CVE-2", "CVE-1"), "1.1", nil, wire.SectionOK, []string{"CVE-1", "CVE-2"}},
		"one of two":                       {open("1.0", "CVE-1", "CVE-2"), "1.1", open("1.1", "CVE-2", "CVE-3"), wire.SectionOK, []string{"CVE-1"}},
		"taken off":                        {open("1.0", "CVE-1"), "", nil, wire.SectionOK, []string{"CVE-1"}},
		"an advisory without a CVE":        {dsa, "1.1", nil, wire.SectionOK, []string{"DSA-1"}},
		"none":                             {open("1.0", "CVE-1"), "1.1", open("1.1", "CVE-1"), wire.SectionOK, nil},
		"the advisory says something else": {open("1.0", "CVE-1"), "1.0", nil, wire.SectionOK, nil},
		"the list cannot be read":          {open("1.0", "CVE-1"), "", nil, wire.SectionFailed, nil},
		"the manager is gone":              {open("1.0", "CVE-1"), "", nil, wire.SectionAbsent, nil},
		"it was never open":                {quiet, "1.1", nil, wire.SectionOK, nil},
	} {
		item := curl
		item.Version = c.version
		d := withFindings(nil, []patch.Item{item})
		d.Findings = map[patch.Key]*Found{}
		if c.now != nil {
			d.Findings[item.Key()] = c.now
		}
		d.Providers[0].Installed = Section{State: c.state, ScannedAt: at}
		if c.version == "" {
			d.Providers[0].Items = nil
		}
		got := MendedSince(map[patch.Key]*Found{curl.Key(): c.before}, d)
		if (len(got) > 0) != (len(c.want) > 0) {
			t.Errorf("%s: %+v", name, got)
			continue
		}
		if len(got) == 1 && (!slices.Equal(got[0].CVEs, c.want) || got[0].From != "1.0" || got[0].To != c.version || !got[0].At.Equal(at)) {
			t.Errorf("%s: %+v", name, got)
		}
	}
	if got := MendedSince(nil, withFindings(nil, []patch.Item{curl})); got != nil {
		t.Errorf("of what was not known: %+v", got)
	}
}
