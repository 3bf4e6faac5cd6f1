package sign

import (
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode"

	"pgregory.net/rapid"

	"patchbay/patch"
	"patchbay/wire"
)

var updateGolden = flag.Bool("update", false, "write the golden texts anew")

var t0 = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func role(threshold int, names ...string) wire.Role {
	r := wire.Role{Threshold: threshold}
	for _, n := range names {
		r.Keys = append(r.Keys, public(n).Key)
	}
	return r
}

func rootOf(version int64, change ...func(*wire.Root)) wire.Root {
	r := wire.Root{Version: version, Installation: "inst_1", IssuedAt: t0, Expires: t0.AddDate(1, 0, 0),
		Root: role(2, "r1", "r2", "r3"), Publisher: role(1, "p1"), Approver: role(1, "a1", "a2", "a3"), Server: role(1, "s1"), Limits: 1}
	for _, c := range change {
		c(&r)
	}
	return r
}

func limitsOf(version int64, change ...func(*wire.Limits)) wire.Limits {
	l := wire.Limits{Version: version, Root: 1, IssuedAt: t0, Expires: t0.AddDate(0, 10, 0), Verbs: []string{wire.VerbInstall},
		Sources: []wire.LimitSource{{Provider: "apt", Origin: "Debian"}}, DevicesPerHour: 50, Fleet: 20000, Approvals: 2, Forced: 1}
	for _, c := range change {
		c(&l)
	}
	return l
}

func catalogOf(version int64, change ...func(*wire.Catalog)) wire.Catalog {
	at := t0.AddDate(0, -1, 0)
	c := wire.Catalog{Version: version, Root: 1, IssuedAt: t0, Expires: t0.AddDate(0, 3, 0), Packages: []patch.Package{{Provider: "winget", ID: "7zip.7zip", Name: "7-Zip",
		Publisher: "Igor Pavlov", Marks: []patch.Mark{{Name: "7-Zip", Publisher: "Igor Pavlov"}}, Releases: []patch.Release{{Version: "24.08", ReleasedAt: &at, Installers: []patch.Installer{{
			SHA256: strings.Repeat("ab", 32), Size: 1589510, URL: "https://7-zip.org/a/7z2408-x64.exe", File: "7z2408-x64.exe", Kind: patch.EXE, Architecture: "x64", Scope: "machine",
			Switches: []string{"/S"}, Shown: "24.08.00", Reboot: []int64{3010}, Signer: &patch.Signer{Name: "Igor Pavlov", Certificate: strings.Repeat("cd", 32)}}}}}}}}
	for _, f := range change {
		f(&c)
	}
	return c
}

func approvalOf(change ...func(*wire.Approval)) wire.Approval {
	a := wire.Approval{ID: "apv_1", Root: 1, IssuedAt: t0, Expires: t0.Add(24 * time.Hour), Agents: []string{"p256:" + strings.Repeat("ab", 16)},
		Updates: []wire.ApprovedUpdate{{Provider: "apt", Name: "openssl", Architecture: "amd64", To: "3.0.15-1~deb12u1"}}, Note: "Mia: für heute Nacht"}
	for _, c := range change {
		c(&a)
	}
	return a
}

func draft(t testing.TB, docType string, content any) *Document {
	t.Helper()
	e, err := wire.Draft(docType, content)
	if err != nil {
		t.Fatal(err)
	}
	d, err := Parse(e)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

const hostile = "Debian\r\x1b[2K\x1b[1A\u202e\u200b\nBeware: nothing \"at\" all\u0301 \u0430pt\u3164\x00"

func TestWhatIsShownIsWhatStandsInTheGoldenTexts(t *testing.T) {
	root, limits, catalog := rootOf(1), limitsOf(5), catalogOf(5)
	names := map[string]string{public("r1").Name(): "Mia Lang", public("a1").Name(): "Jörg\x1b[31m"}
	beside := Beside{Now: t0, Root: &root, Limits: &limits, Names: names}
	for name, c := range map[string]struct {
		d *Document
		b Beside
	}{
		"root-first": {draft(t, wire.RootDocument, rootOf(1)), Beside{Now: t0, Names: names}},
		"root-next": {draft(t, wire.RootDocument, rootOf(2, func(r *wire.Root) {
			r.Root, r.Approver, r.Limits, r.Server = role(2, "r1", "r2", "r4"), role(1, "a1", "s1"), 6, role(1, "s2")
		})), beside},
		"root-worse": {draft(t, wire.RootDocument, rootOf(4, func(r *wire.Root) {
			r.Installation, r.Root, r.Server, r.Limits, r.Publisher = "inst_2", role(1, "x"), wire.Role{}, 0, role(1, "x")
			r.Expires = t0.AddDate(20, 0, 0)
		})), beside},
		"root-alone":     {draft(t, wire.RootDocument, rootOf(3, func(r *wire.Root) { r.Root = role(3, "r1", "r2", "r3"); r.Publisher = wire.Role{} })), Beside{Now: t0}},
		"limits-first":   {draft(t, wire.LimitsDocument, limitsOf(1)), Beside{Now: t0, Root: &root}},
		"limits-same":    {draft(t, wire.LimitsDocument, limitsOf(6)), beside},
		"limits-ended":   {draft(t, wire.LimitsDocument, limitsOf(6)), Beside{Now: t0.AddDate(1, 0, 0), Root: &root, Limits: &limits}},
		"limits-nothing": {draft(t, wire.LimitsDocument, limitsOf(2, func(l *wire.Limits) { *l = wire.Limits{Version: 2, Root: 1, IssuedAt: l.IssuedAt, Expires: l.Expires} })), Beside{Now: t0}},
		"limits-next": {draft(t, wire.LimitsDocument, limitsOf(8, func(l *wire.Limits) {
			l.Verbs, l.Sources = []string{wire.VerbInstall, "run"}, []wire.LimitSource{{Provider: "dnf"}}
			l.DevicesPerHour, l.Fleet, l.Approvals, l.Forced, l.Root, l.IssuedAt = 500, 400, 4, 0, 2, t0.AddDate(0, 1, 0)
		})), beside},
		"limits-hostile": {draft(t, wire.LimitsDocument, limitsOf(6, func(l *wire.Limits) {
			l.Verbs = append(l.Verbs, hostile)
			l.Sources = append(l.Sources, wire.LimitSource{Provider: hostile, Origin: hostile})
		})), beside},
		"catalog-first": {draft(t, wire.CatalogDocument, catalogOf(1)), Beside{Now: t0, Root: &root}},
		"catalog-same":  {draft(t, wire.CatalogDocument, catalogOf(6)), Beside{Now: t0, Root: &root, Catalog: &catalog}},
		"catalog-next": {draft(t, wire.CatalogDocument, catalogOf(7, func(c *wire.Catalog) {
			zip := &c.Packages[0]
			i := zip.Releases[0].Installers[0]
			i.SHA256, i.Switches, i.Signer = strings.Repeat("ef", 32), []string{"/S", "/D=C:\\x y"}, &patch.Signer{Name: "Somebody else", Certificate: strings.Repeat("12", 32)}
			zip.Releases = []patch.Release{{Version: "24.09", Security: patch.Yes, Installers: []patch.Installer{i}}, zip.Releases[0]}
			zip.Marks = append(zip.Marks, patch.Mark{ProductCode: "7-Zip"})
			c.Packages = append(c.Packages, patch.Package{Provider: "winget", ID: "New.One", Name: "New", Marks: []patch.Mark{{UpgradeCode: "u", Architecture: "x64", Line: "3.12"}},
				Releases: []patch.Release{{Version: "1", Recalled: "It breaks.", Installers: []patch.Installer{{SHA256: strings.Repeat("34", 32), Size: 5, Kind: "quantum", Architecture: "arm64", Nested: "a/b.exe"}}}}})
			c.Root = 2
		})), Beside{Now: t0, Root: &root, Catalog: &catalog}},
		"catalog-alone": {draft(t, wire.CatalogDocument, catalogOf(3, func(c *wire.Catalog) { c.Packages = []patch.Package{} })), Beside{Now: t0.AddDate(1, 0, 0)}},
		"catalog-hostile": {draft(t, wire.CatalogDocument, catalogOf(6, func(c *wire.Catalog) {
			p := &c.Packages[0]
			p.ID, p.Name, p.Publisher, p.Marks[0].Name = hostile, hostile, hostile, hostile
			r := &p.Releases[0]
			r.Version, r.Recalled = hostile, hostile
			i := &r.Installers[0]
			i.File, i.URL, i.Switches, i.Remove, i.Needs, i.Signer = hostile, hostile, []string{hostile}, []string{hostile}, []string{hostile}, &patch.Signer{Name: hostile, Certificate: hostile}
			i.Kind, i.Architecture, i.Scope, i.Locale, i.Shown = patch.InstallerKind(hostile), hostile, hostile, hostile, hostile
		})), Beside{Now: t0, Root: &root, Catalog: &catalog}},
		"approval": {draft(t, wire.ApprovalDocument, approvalOf()), beside},
		"approval-hostile": {draft(t, wire.ApprovalDocument, approvalOf(func(a *wire.Approval) {
			a.ID, a.Note, a.Forced, a.Root, a.Expires = hostile, hostile, true, 2, t0.AddDate(0, 0, 10)
			a.Agents = append(a.Agents, a.Agents[0], hostile)
			a.Updates = append(a.Updates, wire.ApprovedUpdate{Provider: hostile, Name: hostile, Architecture: hostile, To: hostile})
		})), beside},
	} {
		got, file := Show(c.d, c.b), filepath.Join("testdata", name+".txt")
		if *updateGolden {
			if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil || got != string(want) {
			t.Errorf("%s: %v; shown is\n%s", name, err, got)
		}
		harmless(t, got)
	}
}

// harmless sees to it that a text only writes lines on a terminal.
func harmless(t rapid.TB, text string) {
	t.Helper()
	for _, r := range text {
		if r != '\n' && !unicode.IsPrint(r) || unicode.IsMark(r) {
			t.Fatalf("%U reaches the terminal in %q", r, text)
		}
	}
}

func TestOnlyOneFormIsRead(t *testing.T) {
	good, err := json.Marshal(limitsOf(1))
	if err != nil {
		t.Fatal(err)
	}
	text := string(good)
	for name, payload := range map[string]string{
		"a field twice":                  strings.Replace(text, `"version":1`, `"version":1,"version":1`, 1),
		"a field twice, by its capitals": strings.Replace(text, `"version":1`, `"version":1,"Version":9`, 1),
		"a field in capitals":            strings.Replace(text, `"version"`, `"Version"`, 1),
		"a field that is unknown":        strings.Replace(text, `"version":1`, `"version":1,"extra":true`, 1),
		"a field that is missing":        strings.Replace(text, `"version":1,`, ``, 1),
		"something after it":             text + " {}",
		"a space after it":               text + "\n",
		"a sign written otherwise":       strings.Replace(text, "Debian", `\u0044ebian`, 1),
		"bytes that are no text":         strings.Replace(text, "Debian", "Debian\xff", 1),
		"only a part":                    text[:len(text)-1],
		"deep nesting":                   strings.Repeat("[", 100000),
		"nothing":                        "",
	} {
		if _, err := Parse(wire.Envelope{Type: wire.LimitsDocument, Payload: []byte(payload)}); err == nil {
			t.Errorf("%s: it is read", name)
		}
	}
	for _, docType := range []string{wire.OrdersDocument, wire.ServerDocument, wire.TimeDocument, ""} {
		if _, err := Parse(wire.Envelope{Type: docType, Payload: good}); err == nil {
			t.Errorf("people sign %q", docType)
		}
	}
}

func TestADraftByHandIsSignedInTheUsualForm(t *testing.T) {
	content, err := json.MarshalIndent(limitsOf(1), "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	d, err := Read([]byte(`{"type": "patchbay/limits/v1", "document": ` + string(content) + "}\n"))
	if err != nil {
		t.Fatal(err)
	}
	if want := draft(t, wire.LimitsDocument, limitsOf(1)).Envelope().Payload; string(d.Envelope().Payload) != string(want) {
		t.Errorf("signed would be %s", d.Envelope().Payload)
	}
	for _, bad := range []string{`{"type":"patchbay/limits/v1","document":{"version":1,"version":2}}`, `{"type":"patchbay/limits/v1","document":{"rate":1}}`,
		`{"type":"patchbay/limits/v1","payload":"e30=","document":{}}`, `{"type":"patchbay/limits/v1"}`, `{"type":"x","document":{}}`, `[]`} {
		if _, err := Read([]byte(bad)); err == nil {
			t.Errorf("%s is read", bad)
		}
	}
}

func TestWhatNoDeviceTakesIsNotSigned(t *testing.T) {
	d := draft(t, wire.RootDocument, rootOf(1, func(r *wire.Root) { r.Publisher = role(1, "r1") }))
	if err := d.Sign(key("r1")); err == nil || !strings.Contains(err.Error(), "the roles root and publisher") {
		t.Error(err)
	}
	if len(d.Envelope().Signatures) > 0 {
		t.Error("it is signed")
	}
}

func TestSignaturesCountOnceAndUnderTheirOwnBytes(t *testing.T) {
	root := rootOf(1)
	d := draft(t, wire.RootDocument, rootOf(2))
	for _, name := range []string{"r1", "r1", "thief"} {
		if err := d.Sign(key(name)); err != nil {
			t.Fatal(err)
		}
	}
	parts := d.Parts(&root)
	if len(parts) != 2 || len(parts[0].Signed) != 1 || parts[1].Open() != 1 || d.Others(parts) != 1 {
		t.Errorf("%+v, %d others", parts, d.Others(parts))
	}
	moved := draft(t, wire.RootDocument, rootOf(2, func(r *wire.Root) { r.Limits = 0 })).Envelope()
	moved.Signatures = d.Envelope().Signatures
	other, err := Parse(moved)
	if err != nil || len(other.Parts(&root)[0].Signed) != 0 {
		t.Errorf("signatures moved to other bytes count, %v", err)
	}
}

func FuzzShow(f *testing.F) {
	root, limits := rootOf(1), limitsOf(5)
	for docType, content := range map[string]any{wire.RootDocument: rootOf(2), wire.LimitsDocument: limitsOf(6, func(l *wire.Limits) { l.Verbs = []string{hostile} }),
		wire.ApprovalDocument: approvalOf(func(a *wire.Approval) { a.Note = hostile })} {
		payload, err := json.Marshal(content)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(docType, payload)
	}
	f.Fuzz(func(t *testing.T, docType string, payload []byte) {
		d, err := Parse(wire.Envelope{Type: docType, Payload: payload})
		if err != nil {
			harmless(t, err.Error())
			return
		}
		harmless(t, Show(d, Beside{Now: t0, Root: &root, Limits: &limits}))
		if err := d.Sign(key("r1")); err == nil && string(d.Envelope().Payload) != string(payload) {
			t.Error("signed is not what was read")
		} else if err != nil && !errors.Is(err, d.form) {
			t.Error(err)
		}
	})
}
