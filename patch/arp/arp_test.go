package arp_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"patchbay/patch"
	"patchbay/patch/arp"
)

func TestNames(t *testing.T) {
	for display, want := range map[string]string{
		"7-Zip 22.01 (x64)":                               "7-Zip",
		"7-Zip 22.01 (x64 edition)":                       "7-Zip",
		"7-Zip 24.07 (x64 edition)":                       "7-Zip",
		"Mozilla Firefox (x64 en-US)":                     "Mozilla Firefox",
		"Mozilla Firefox ESR (x64 de)":                    "Mozilla Firefox ESR",
		"Mozilla Firefox 115.0.2 (x64 en-US)":             "Mozilla Firefox",
		"Microsoft Visual Studio Code (User)":             "Microsoft Visual Studio Code",
		"Python 3.12.1 (64-bit)":                          "Python",
		"Java 8 Update 401 (64-bit)":                      "Java 8",
		"Git version 2.45.1":                              "Git",
		"Geph version v4.8.9":                             "Geph",
		"TortoiseGit 2.15.0.0 (64 bit)":                   "TortoiseGit",
		"Notepad++ (64-bit x64)":                          "Notepad++",
		"PuTTY release 0.81 (64-bit)":                     "PuTTY",
		"Zoom(64bit)":                                     "Zoom",
		"Postman x86_64 11.1.0":                           "Postman",
		"GlassWire 2.3 (remove only)":                     "GlassWire",
		"AkelPad 4.9.8-x64":                               "AkelPad",
		"ELAN_6.7":                                        "ELAN",
		"Go Programming Language amd64 go1.23.0":          "Go Programming Language",
		"Eclipse Temurin JDK with Hotspot 21.0.4+7 (x64)": "Eclipse Temurin JDK with Hotspot",
		"Microsoft Visual C++ 2015-2022 Redistributable (x64) - 14.38.33130": "Microsoft Visual C++ 2015-2022 Redistributable",
		"Microsoft .NET Runtime - 8.0.1 (x64)":                               "Microsoft .NET Runtime",
		"Ｗｉｎｄｏｗｓ　Ｔｏｏｌ 1.2":                                                   "Windows Tool",
		"DualSense™ updater®":                                                "DualSense updater",
		"Java(TM) SE Development Kit 17.0.10 (64-bit)":                       "Java SE Development Kit",
		"Eclipse Temurin JDK with Hotspot 21+35 (x64)":                       "Eclipse Temurin JDK with Hotspot",
		"  A \t B\u200b\x00 ":                                                "A B",
		// What tells programs apart stays.
		"Liberica JDK 17 Full (64-bit)": "Liberica JDK 17 Full", "Visual Studio 2022": "Visual Studio 2022", "Wi-Fi Tool": "Wi-Fi Tool",
		"Foo (Beta)": "Foo (Beta)", "Windows 11 Update Assistant": "Windows 11 Update Assistant", "1.2.3": "1.2.3", "x64": "x64", "K-Lite Codec Pack 18.5.0 Full": "K-Lite Codec Pack Full",
		"foobar2000": "foobar2000", "Paint.NET": "Paint.NET", "": "", "®": "",
	} {
		if got := arp.Name(display); got != want {
			t.Errorf("Name(%q) is %q, want %q", display, got, want)
		}
	}
}

func TestPublishers(t *testing.T) {
	for display, want := range map[string]string{
		"Igor Pavlov": "Igor Pavlov", "Google LLC": "Google", "Google, Inc.": "Google", "Zoom Video Communications, Inc.": "Zoom Video Communications",
		"Adobe Systems Incorporated": "Adobe Systems", "Microsoft Corporation": "Microsoft", "win.rar GmbH": "win.rar", "JetBrains s.r.o.": "JetBrains",
		"Foo GmbH & Co. KG": "Foo", "Tencent Technology (Shenzhen) Company Limited": "Tencent Technology (Shenzhen)", "Bar Co., Ltd.": "Bar",
		"Baz Sp. z o.o.": "Baz", "Piriform Software Ltd": "Piriform Software", "Foxit Software Inc.": "Foxit Software", "株式会社サイトー企画": "サイトー企画",
		"The GIMP Team": "The GIMP Team", "SA": "SA", "Inc.": "Inc.", "": "", "Qux S.p.A.": "Qux", "Oracle and/or its affiliates": "Oracle",
	} {
		if got := arp.Publisher(display); got != want {
			t.Errorf("Publisher(%q) is %q, want %q", display, got, want)
		}
	}
}

func TestFoldTellsApartWhatSignsTellApart(t *testing.T) {
	different := []string{"C", "C++", "C#", "Notepad", "Notepad++", "R", "R&D"}
	for i, a := range different {
		for _, b := range different[:i] {
			if arp.Fold(a) == arp.Fold(b) {
				t.Errorf("%q and %q are the same", a, b)
			}
		}
	}
	for _, p := range [][2]string{{"7-Zip", "7zip"}, {"Straße", "STRASSE"}, {"Ｚoom", "zoom"}, {"Café", "Cafe\u0301"}} {
		if arp.Fold(p[0]) != arp.Fold(p[1]) {
			t.Errorf("%q and %q are different", p[0], p[1])
		}
	}
}

// A release changes neither the name, nor the instance, nor what the entry is taken for.
func TestANewVersionIsTheSameProgram(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		base := rapid.SampledFrom([]string{"7-Zip", "Mozilla Firefox", "Notepad++", "Liberica JDK 17 Full", "Paint.NET", "K-Lite Mega Codec Pack"}).Draw(t, "name")
		shape := rapid.SampledFrom([]string{"%s %s", "%s v%s", "%s version %s", "%s %s (x64)", "%s (64-bit) - %s", "%s %s (x64 en-US)", "%s_%s", "%s-%s"}).Draw(t, "shape")
		version := rapid.StringMatching(`[0-9]{1,4}(\.[0-9]{1,4}){1,3}(-rc[0-9])?`)
		v, w := version.Draw(t, "one"), version.Draw(t, "other")
		one, other := arp.Entry{Name: fmt.Sprintf(shape, base, v), Key: base + " " + v}, arp.Entry{Name: fmt.Sprintf(shape, base, w), Key: base + " " + w}
		if a, b := arp.Name(one.Name), arp.Name(other.Name); a != base || b != base {
			t.Fatalf("%q is %q and %q is %q", one.Name, a, other.Name, b)
		}
		if one.Instance() != base || other.Instance() != base {
			t.Fatalf("%q is %q and %q is %q", one.Key, one.Instance(), other.Key, other.Instance())
		}
	})
}

func TestTidyingTwiceChangesNothing(t *testing.T) {
	word := rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{"(x64)", "1.2.3", "v2", "(User)", "en-US", "-", "Inc.", "GmbH", "& Co.", "KG", "64", "bit", "update", "(", ")", "[", "7-Zip", "™", "ﬁ"}))
	rapid.Check(t, func(t *rapid.T) {
		s := strings.Join(rapid.SliceOfN(word, 0, 8).Draw(t, "words"), rapid.SampledFrom([]string{" ", ""}).Draw(t, "between"))
		tidied(t, s)
	})
}

func tidied(t interface{ Fatalf(string, ...any) }, s string) {
	for what, f := range map[string]func(string) string{"Name": arp.Name, "Publisher": arp.Publisher, "Fold": arp.Fold} {
		once := f(s)
		if twice := f(once); twice != once {
			t.Fatalf("%s(%q) is %q, and of that %q", what, s, once, twice)
		}
		if !utf8.ValidString(once) || utf8.RuneCountInString(once) > 3*300 {
			t.Fatalf("%s(%q) is %q", what, s, once)
		}
	}
}

func TestInstances(t *testing.T) {
	const one, two = "{23170F69-40C1-2702-2201-000001000000}", "{23170f69-40c1-2702-2301-000001000000}"
	for _, c := range []struct {
		of   arp.Entry
		want string
	}{
		{arp.Entry{Key: one, MSI: true, UpgradeCode: two}, strings.ToUpper(two)},
		{arp.Entry{Key: one, MSI: true}, ""},
		{arp.Entry{Key: two}, strings.ToUpper(two)},
		{arp.Entry{Key: "Opera 112.0.5197.53"}, "Opera"},
		{arp.Entry{Key: "Mozilla Firefox 115.0 (x64 en-US)"}, "Mozilla Firefox (x64 en-US)"},
		{arp.Entry{Key: "Steam App 730"}, "Steam App 730"},
		{arp.Entry{Key: "Git_is1"}, "Git_is1"},
		{arp.Entry{Key: "GIMP-2_is1"}, "GIMP-2_is1"},
		{arp.Entry{Key: "foo-1.2.3"}, "foo"},
		{arp.Entry{Key: "1.2.3"}, "1.2.3"},
	} {
		if got := c.of.Instance(); got != c.want {
			t.Errorf("%q: %q, want %q", c.of.Key, got, c.want)
		}
	}
}

func TestWhatIsNoProgram(t *testing.T) {
	good := arp.Entry{Key: "7-Zip", Name: "7-Zip 22.01", Publisher: "Igor Pavlov"}
	if ok, why := good.Program(); !ok {
		t.Error(why)
	}
	for what, change := range map[string]func(*arp.Entry){
		"system component": func(e *arp.Entry) { e.SystemComponent = true },
		"no name":          func(e *arp.Entry) { e.Name = " \u200b" },
		"parent":           func(e *arp.Entry) { e.Parent = "7-Zip" },
		"release type":     func(e *arp.Entry) { e.ReleaseType = "security update" },
		"bulletin":         func(e *arp.Entry) { e.Key = "{90120000-0011-0000-0000-0000000FF1CE}.KB123456" },
		"Microsoft's":      func(e *arp.Entry) { e.Name, e.Publisher = "Update for Word (KB4011039)", "Microsoft Corporation" },
	} {
		e := good
		change(&e)
		if ok, why := e.Program(); ok || why == "" {
			t.Errorf("%s: it is taken for a program", what)
		}
	}
}

func TestReadingAKey(t *testing.T) {
	texts := map[string]string{"DisplayName": "7-Zip 22.01", "DisplayVersion": " 22.01 ", "Publisher": "Igor Pavlov", "InstallDate": "20240131", "UninstallString": strings.Repeat("x", 1<<20)}
	numbers := map[string]uint64{"EstimatedSize": 5, "WindowsInstaller": 1}
	lists := map[string][]string{"BundleUpgradeCode": {"{23170F69-40C1-2702-2201-000001000000}"}}
	v := arp.Values{Text: func(n string) string { return texts[n] }, Number: func(n string) uint64 { return numbers[n] }, List: func(n string) []string { return lists[n] }}
	e := arp.Read("7-Zip", v)
	if e.Name != "7-Zip 22.01" || e.Version != "22.01" || e.Size != 5<<10 || e.MSI || e.UpgradeCode == "" || len(e.Uninstall) > 4<<10 {
		t.Errorf("%+.300v", e)
	}
	numbers["EstimatedSize"] = 1<<64 - 1
	if e := arp.Read("{23170F69-40C1-2702-2201-000001000000}", v); !e.MSI || e.Size < 0 {
		t.Errorf("%+.300v", e)
	}
	if i := e.Item("p"); i.Name != "7-Zip" || i.Version != "22.01" || i.Instance != e.UpgradeCode {
		t.Errorf("%+v", i)
	}
}

func TestArchitectures(t *testing.T) {
	for name, want := range map[string]string{"Foo (x64)": "x64", "Foo 64 bit": "x64", "Foo x86_64": "x64", "Foo (32-bit)": "x86", "Foo (AArch64)": "arm64", "Foo": "", "Foo (x86 and x64)": "", "x64dbg": ""} {
		if got := arp.ArchitectureOf(name); got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
	for want, e := range map[string]arp.Entry{"x64": {Name: "Foo (x64)", View: 32}, "x86": {Name: "Foo", View: 32}, "": {Name: "Foo", View: 64}} {
		if got := e.Architecture(); got != want {
			t.Errorf("%+v: %q, want %q", e, got, want)
		}
	}
}

// Recognising.

const codeA, codeB, codeC = "{AAAAAAAA-0000-0000-0000-000000000000}", "{BBBBBBBB-0000-0000-0000-000000000000}", "{CCCCCCCC-0000-0000-0000-000000000000}"

func pkg(id string, marks ...patch.Mark) patch.Package {
	return patch.Package{Provider: "p", ID: id, Name: id, Marks: marks}
}

func TestRecognising(t *testing.T) {
	packages := []patch.Package{
		pkg("A", patch.Mark{ProductCode: codeA}, patch.Mark{UpgradeCode: codeC}, patch.Mark{Name: "Alpha", Publisher: "Makers"}),
		pkg("B", patch.Mark{ProductCode: strings.ToLower(codeB)}, patch.Mark{Name: "Beta", Publisher: "Makers"}, patch.Mark{Name: "Same", Publisher: "Makers"}),
		pkg("C", patch.Mark{Name: "Same", Publisher: "Makers"}, patch.Mark{Name: "Alone"}, patch.Mark{Publisher: "Makers"}, patch.Mark{}),
		pkg("L12", patch.Mark{Name: "Lined", Publisher: "Makers", Line: "3.12"}),
		pkg("L1", patch.Mark{Name: "Lined", Publisher: "Makers", Line: "3.1"}),
		pkg("X64", patch.Mark{Name: "Two", Publisher: "Makers", Architecture: "x64"}),
		pkg("X86", patch.Mark{Name: "Two", Publisher: "Makers", Architecture: "x86"}),
	}
	for _, c := range []struct {
		of   arp.Entry
		want string
		how  arp.How
	}{
		{arp.Entry{Key: strings.ToLower(codeA), Name: "whatever"}, "A", arp.ByProductCode},
		{arp.Entry{Key: codeB, UpgradeCode: codeC, Name: "Alpha", Publisher: "Makers"}, "B", arp.ByProductCode},
		{arp.Entry{Key: "x", UpgradeCode: strings.ToLower(codeC), Name: "Beta", Publisher: "Makers"}, "A", arp.ByUpgradeCode},
		{arp.Entry{Key: "x", Name: "BETA 2.0 (x64)", Publisher: "Makers, Inc."}, "B", arp.ByName},
		{arp.Entry{Key: "x", Name: "Beta"}, "", arp.Unrecognised},
		{arp.Entry{Key: "x", Name: "Beta", Publisher: "Others"}, "", arp.Unrecognised},
		{arp.Entry{Key: "x", Name: "Alone"}, "", arp.Unrecognised},
		{arp.Entry{Key: "x", Name: "Alone", Publisher: "Makers"}, "", arp.Unrecognised},
		{arp.Entry{Key: "x", Name: "Same", Publisher: "Makers"}, "", arp.Ambiguous},
		{arp.Entry{Key: "x", Name: "Lined 3.12.1", Version: "3.12.1", Publisher: "Makers"}, "L12", arp.ByName},
		{arp.Entry{Key: "x", Name: "Lined", Version: "3.1.9", Publisher: "Makers"}, "L1", arp.ByName},
		{arp.Entry{Key: "x", Name: "Lined", Version: "3.11.9", Publisher: "Makers"}, "", arp.Unrecognised},
		{arp.Entry{Key: "x", Name: "Two (64-bit)", Publisher: "Makers"}, "X64", arp.ByName},
		{arp.Entry{Key: "x", Name: "Two", View: 32, Publisher: "Makers"}, "X86", arp.ByName},
		{arp.Entry{Key: "x", Name: "Two", Publisher: "Makers"}, "", arp.Unrecognised},
		{arp.Entry{}, "", arp.Unrecognised},
	} {
		f := arp.Match([]arp.Entry{c.of}, packages)[0]
		got := ""
		if f.Package != nil {
			got = f.Package.ID
		}
		if got != c.want || f.How != c.how {
			t.Errorf("%+v: %q by %q, want %q by %q", c.of, got, f.How, c.want, c.how)
		}
	}
}

var (
	someCodes = rapid.SampledFrom([]string{"", codeA, codeB, strings.ToLower(codeC), "Zip"})
	someNames = rapid.SampledFrom([]string{"", "Zip", "zip 2.0", "Zap", "(x64)"})
	somebody  = rapid.SampledFrom([]string{"", "Makers", "Makers Ltd.", "Others"})
	entries   = rapid.Custom(func(t *rapid.T) arp.Entry {
		return arp.Entry{Key: someCodes.Draw(t, "key"), UpgradeCode: someCodes.Draw(t, "upgrade"), Name: someNames.Draw(t, "name"), Publisher: somebody.Draw(t, "publisher"),
			Version: rapid.SampledFrom([]string{"", "1.0", "2.0"}).Draw(t, "version"), View: rapid.SampledFrom([]int{0, 32, 64}).Draw(t, "view")}
	})
	catalogues = rapid.SliceOfN(rapid.Custom(func(t *rapid.T) patch.Package {
		p := pkg(rapid.SampledFrom([]string{"A", "B", "C", "D"}).Draw(t, "id"))
		for range rapid.IntRange(0, 4).Draw(t, "marks") {
			p.Marks = append(p.Marks, patch.Mark{ProductCode: someCodes.Draw(t, "product"), UpgradeCode: someCodes.Draw(t, "upgrade"), Name: someNames.Draw(t, "name"),
				Publisher: somebody.Draw(t, "publisher"), Line: rapid.SampledFrom([]string{"", "", "1"}).Draw(t, "line")})
		}
		return p
	}), 0, 5)
)

// What is recognised has a mark of which everything holds, one that is more than a name; no
// other package has such a mark of the same strength; and the order of the catalogue is nothing.
func TestRecognisingIsNoGuess(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e, packages := entries.Draw(t, "entry"), catalogues.Draw(t, "catalogue")
		f := arp.Match([]arp.Entry{e}, packages)[0]
		id := func(f arp.Found) string {
			if f.Package == nil {
				return ""
			}
			return f.Package.ID
		}
		if f.Package != nil && !slices.ContainsFunc(f.Package.Marks, func(m patch.Mark) bool {
			return arp.Holds(m, e) && (m.ProductCode != "" || m.UpgradeCode != "" || arp.Fold(m.Name) != "" && arp.Fold(m.Publisher) != "")
		}) {
			t.Fatalf("%+v is taken for %+v", e, f.Package)
		}
		if f.How == arp.ByProductCode || f.How == arp.ByName {
			for _, p := range packages {
				for _, m := range p.Marks {
					same := m.ProductCode != "" && f.How == arp.ByProductCode || m.ProductCode == "" && m.UpgradeCode == "" && f.How == arp.ByName
					if same && arp.Holds(m, e) && p.ID != f.Package.ID {
						t.Fatalf("%+v is taken for %s, and could be %s", e, f.Package.ID, p.ID)
					}
				}
			}
		}
		turned := slices.Clone(packages)
		slices.Reverse(turned)
		if g := arp.Match([]arp.Entry{e}, turned)[0]; id(g) != id(f) || g.How != f.How {
			t.Fatalf("%+v is %q by %q, and %q by %q in another order", e, id(f), f.How, id(g), g.How)
		}
	})
}

func FuzzEntry(f *testing.F) {
	f.Add("7-Zip", "7-Zip 22.01 (x64 edition)", "Igor Pavlov", "22.01")
	f.Add(codeA, "Microsoft Visual C++ 2015-2022 Redistributable (x64) - 14.38.33130", "Microsoft Corporation", "14")
	f.Fuzz(func(t *testing.T, key, name, publisher, version string) {
		tidied(t, name)
		tidied(t, publisher)
		text := map[string]string{"DisplayName": name, "Publisher": publisher, "DisplayVersion": version}
		e := arp.Read(key, arp.Values{Text: func(n string) string { return text[n] }, Number: func(string) uint64 { return 0 }, List: func(string) []string { return nil }})
		if ok, why := e.Program(); ok == (why != "") {
			t.Errorf("%+v: %v, %q", e, ok, why)
		}
		item := e.Item("p")
		if len(item.Instance) > 200 || len(item.Name) > 4*300 || !utf8.ValidString(item.Instance+item.Name+item.Architecture) {
			t.Errorf("%+v", item)
		}
		found := arp.Match([]arp.Entry{e}, []patch.Package{pkg("A", patch.Mark{Name: name, Publisher: publisher}), pkg("B", patch.Mark{ProductCode: key})})[0]
		if found.Package == nil && found.How != arp.Unrecognised && found.How != arp.Ambiguous {
			t.Errorf("%+v", found)
		}
	})
}
