package winupdate

import (
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"patchbay/patch"
	"patchbay/provider"
)

// Microsoft's own IDs of classifications, as WSUS documents them.
func TestClassesAreKnownByTheirIDs(t *testing.T) {
	want := map[string]patch.Class{
		"E6CF1350-C01B-414D-A61F-263D14D133B4": patch.Critical, "E0789628-CE08-4437-BE74-2495B842F43B": patch.Definition, "EBFC1FC5-71A4-4F7B-9ACA-3B9A503104A0": patch.Driver,
		"B54E7D24-7ADD-428F-8B75-90A396FA584F": patch.Feature, "0FA1201D-4330-4FA8-8AE9-B877473B6441": patch.Security, "68C5B0A3-D1A6-4553-AE49-01D3A7827828": patch.ServicePack,
		"B4832BD8-E735-4761-8DAF-37F882276DAB": patch.Tool, "28BC880E-0592-4CBF-8F95-C79B17911D5F": patch.Rollup, "CD5FFD1E-E932-4E3A-BF74-18BF0B1BBD83": patch.BugFix,
		"3689BDC8-B205-4AF4-8D4A-A63924C5E9D5": patch.Feature, "5C9376AB-8CE6-464A-B136-22113DD69801": patch.Other, "": patch.Other,
	}
	for guid, class := range want {
		for _, written := range []string{guid, strings.ToLower(guid), "{" + guid + "}"} {
			u := provider.EngineUpdate{Title: "x", Categories: []provider.EngineCategory{{ID: written, Name: "Sicherheitsupdates", Type: "UpdateClassification"}}}
			if got := classify(u); !slices.Equal(got, []patch.Class{class}) {
				t.Errorf("%s is %v, not %s", written, got, class)
			}
		}
	}
	both := provider.EngineUpdate{Categories: []provider.EngineCategory{classID(patch.Security), classID(patch.Critical), classID(patch.Security)}, Driver: &provider.EngineDriver{}}
	if got := classify(both); !slices.Equal(got, []patch.Class{patch.Critical, patch.Driver, patch.Security}) {
		t.Errorf("%v", got)
	}
}

// TestCriticalIsNoSeverity: what is mended gravely says nothing of how grave a hole is.
func TestCriticalIsNoSeverity(t *testing.T) {
	for said, want := range map[string]patch.Severity{"": patch.SeverityUnknown, "Critical": patch.SeverityCritical, "important": patch.SeverityHigh, "Moderate": patch.SeverityMedium,
		"Low": patch.SeverityLow, "Unspecified": patch.SeverityUnknown, "Kritisch": patch.SeverityUnknown, "critical!": patch.SeverityUnknown} {
		u := provider.EngineUpdate{Severity: said, Categories: []provider.EngineCategory{classID(patch.Critical)}}
		if p := offer(u, today); p.Severity != want || !p.Is(patch.Critical) {
			t.Errorf("%q is %s, %v", said, p.Severity, p.Classes)
		}
	}
}

func TestPreviews(t *testing.T) {
	build := "(KB5044380) (22631.4391)"
	for name, c := range map[string]struct {
		u    provider.EngineUpdate
		want bool
	}{
		"by its title":            {provider.EngineUpdate{Title: "2026-10 Cumulative Update Preview for Windows 11 " + build}, true},
		"in another language":     {provider.EngineUpdate{Title: "2026-10 Kumulatives Update (Vorschau) für Windows 11 " + build, Optional: true, Categories: []provider.EngineCategory{classID(patch.BugFix)}}, true},
		"beta":                    {provider.EngineUpdate{Title: "Something", Beta: true}, true},
		"optional, cumulative":    {provider.EngineUpdate{Title: "2026-10 Cumulative Update for .NET", Optional: true}, true},
		"optional, security":      {provider.EngineUpdate{Title: "2026-10 Cumulative Update " + build, Optional: true, Categories: []provider.EngineCategory{classID(patch.Security)}}, false},
		"optional driver":         {provider.EngineUpdate{Title: "Intel - net - 12.19.2.45", Optional: true, Driver: &provider.EngineDriver{}}, false},
		"monthly":                 {cumulativeUpdate(1, 4317), false},
		"a word that contains it": {provider.EngineUpdate{Title: "Update for Previewer"}, false},
	} {
		if got := slices.Contains(classify(c.u), patch.Preview); got != c.want {
			t.Errorf("%s: %t", name, got)
		}
	}
}

// TestNotByItself is the law: a preview, what is optional, what was hidden, what asks, and what
// has a licence that nobody agreed to, is never on offer without a block and a sentence; and
// all else is.
func TestNotByItself(t *testing.T) {
	for n := range 1 << 5 {
		flag := func(i int) bool { return n>>i&1 == 1 }
		for _, title := range []string{"", "Preview", "x (22631.1)", "Cumulative"} {
			for _, class := range []patch.Class{patch.Security, patch.BugFix} {
				u := provider.EngineUpdate{ID: provider.EngineID{Update: id(1), Revision: 1}, Title: title, Categories: []provider.EngineCategory{classID(class)},
					Beta: flag(0), Optional: flag(1), Hidden: flag(2), Asks: flag(3), Agreed: flag(4)}
				p := offer(u, today)
				free := !u.Beta && title != "Preview" && !u.Optional && !u.Hidden && !u.Asks && u.Agreed
				if free != (p.Block == patch.NotBlocked) || free != (p.BlockWhy == "") {
					t.Errorf("%+v: %q, %q", u, p.Block, p.BlockWhy)
				}
				if u.Hidden && (p.Block != patch.Held || p.BlockWhy != "Somebody hid it on this device.") {
					t.Errorf("%q, %q", p.Block, p.BlockWhy)
				}
			}
		}
	}
}

func TestOfferSaysWhatTheEngineSays(t *testing.T) {
	u := cumulativeUpdate(7, 4317)
	u.CVEs = []string{"cve-2026-0002", "CVE-2026-0001", "CVE-2026-0001", "CVE-1", "rm -rf"}
	u.Bulletins = []string{"MS17-010", "MS1"}
	at := u.Changed
	want := patch.Update{
		Provider: Name, Name: itemName(u), Title: u.Title, Instance: id(7), Source: id(7), Origin: "Windows Update", Available: "200",
		Classes: []patch.Class{patch.Security}, Severity: patch.SeverityHigh, Advisories: []string{"CVE-2026-0001", "CVE-2026-0002", "MS17-010"}, Size: 700 << 20,
		Reversibility: patch.ByManager, ReversibilityWhy: "Windows can uninstall it.", ReleasedAt: &at, ReleasedBy: "index",
	}
	if got := offer(u, today); !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	u.Removable, u.Reboot, u.Size, u.Changed = false, provider.RebootAlways, -1, today.AddDate(1, 0, 0)
	if got := offer(u, today); got.Reversibility != patch.NotAtAll || got.ReversibilityWhy == "" || got.Reboot != patch.Yes || got.Size != 0 || got.ReleasedAt != nil || got.ReleasedBy != "" {
		t.Errorf("%+v", got)
	}
	for _, c := range []struct {
		kbs   []string
		title string
		want  string
	}{{[]string{"5000001", "5000001"}, "x", "KB5000001"}, {[]string{"KB5000001"}, "x", "KB5000001"}, {[]string{"5000001", "5000002"}, "Two", "Two"}, {nil, "A title", "A title"},
		{[]string{"5; x"}, "\x1b[2J", "[2J"}, {nil, "\u202e\x00", id(1)}} {
		if got := name(provider.EngineUpdate{ID: provider.EngineID{Update: id(1)}, KBs: c.kbs, Title: c.title}); got != c.want {
			t.Errorf("%q %q is named %q", c.kbs, c.title, got)
		}
	}
}

// FuzzOffer: whatever a server says, nothing of it is longer or other than it may be.
func FuzzOffer(f *testing.F) {
	f.Add("2026-11 Cumulative Update (22631.4317)", "5044285", "CVE-2026-0001", "Critical", int64(1), int64(0))
	f.Add("\x00\xff\u202e", "KB", "", "", int64(-1), int64(1<<40))
	f.Add(strings.Repeat("long ", 100), "KB", "", "", int64(1), int64(0)) // a title for a name, and a mark after it
	f.Fuzz(func(t *testing.T, title, kb, cve, severe string, size, at int64) {
		list, err := checked([]provider.EngineUpdate{{ID: provider.EngineID{Update: id(1), Revision: 1}, Title: title, KBs: []string{kb}, CVEs: []string{cve}, Severity: severe, Size: size, Changed: time.Unix(at, 0)}})
		if err != nil {
			t.Fatal(err)
		}
		p := offer(list[0], today)
		if len(p.Title) > maxTitle || len(p.Name) > maxName || p.Name == "" || p.Size < 0 || p.Size > maxSize || p.Title != provider.Calm(p.Title, maxTitle) || p.Name != provider.Calm(p.Name, maxName) {
			t.Errorf("%+v", p)
		}
		if p.ReleasedAt != nil && p.ReleasedAt.After(today.AddDate(0, 0, 1)) {
			t.Errorf("it came out on %s", p.ReleasedAt)
		}
		for _, a := range p.Advisories {
			if !validCVE.MatchString(a) && !validMS.MatchString(a) {
				t.Errorf("%q", a)
			}
		}
	})
}

// TestOddAnswersAreErrors is the law: what cannot be read is never taken for "nothing is missing".
func TestOddAnswersAreErrors(t *testing.T) {
	for name, list := range map[string][]provider.EngineUpdate{
		"no ID":       {{ID: provider.EngineID{Revision: 1}}},
		"an odd ID":   {plain(1), {ID: provider.EngineID{Update: "../../x", Revision: 1}}},
		"capitals":    {{ID: provider.EngineID{Update: strings.ToUpper("abcdef00-0000-4000-8000-000000000000"), Revision: 1}}},
		"no revision": {{ID: provider.EngineID{Update: id(1)}}},
		"too many":    make([]provider.EngineUpdate, maxUpdates+1),
	} {
		w, _ := opened(t, system(22631, 4169), &double{offered: list, state: provider.EngineState{Searched: today}})
		if o, err := w.Available(t.Context()); err == nil {
			t.Errorf("%s: %+v", name, o.Updates)
		}
		if items, err := w.Installed(t.Context()); err == nil {
			t.Errorf("%s: %+v", name, items)
		}
	}
	older, newer := plain(1), plain(1)
	newer.ID.Revision = 201
	for _, list := range [][]provider.EngineUpdate{{older, newer}, {newer, older}} {
		if got, err := checked(list); err != nil || len(got) != 1 || got[0].ID.Revision != 201 {
			t.Errorf("%+v, %v", got, err)
		}
	}
}

// TestUpdatesOfOneNumberAreApart: an approval is by name and revision, and each day's
// definitions have the same number and often the same revision.
func TestUpdatesOfOneNumberAreApart(t *testing.T) {
	monday, tuesday := plain(1), plain(1)
	tuesday.ID.Update = id(2)
	if a, b := itemName(monday), itemName(tuesday); a == b || a != itemName(plain(1)) || !strings.HasPrefix(a, "KB5000001 (") {
		t.Errorf("%q and %q", a, b)
	}
}
