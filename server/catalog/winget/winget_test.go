package winget

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"fmt"
	"io/fs"
	"os"
	"path"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/ulikunitz/xz"
	"pgregory.net/rapid"

	"patchbay/patch"
	"patchbay/patch/arp"
)

func real(t testing.TB) Result {
	t.Helper()
	r, err := ReadFolder(os.DirFS("testdata"))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func find(t testing.TB, all []Manifest, id, version string) Manifest {
	t.Helper()
	for _, m := range all {
		if m.ID == id && m.Version == version {
			return m
		}
	}
	t.Fatalf("%s %s was not read", id, version)
	return Manifest{}
}

func TestRealManifestsAreReadWhole(t *testing.T) {
	r := real(t)
	if r.Refusals != 0 || r.Others != 0 || r.Files != 33 || len(r.Manifests) != 12 {
		t.Errorf("%d files, %d versions, %d others, refused %v", r.Files, len(r.Manifests), r.Others, r.Refused)
	}
	zip := find(t, r.Manifests, "7zip.7zip", "22.01")
	if zip.Names[0] != (Naming{"en-US", "7-Zip", "Igor Pavlov"}) || zip.Schema != "1.4.0" || len(zip.Installers) != 5 || len(zip.Files) != 3 {
		t.Errorf("%+v", zip)
	}
	last := zip.Installers[4]
	if last.Scope != "machine" || last.Type != "wix" || last.Architecture != "x64" || last.ProductCode != "{23170F69-40C1-2702-2201-000001000000}" || last.Upgrade != "install" ||
		last.ReleaseDate.Format("2006-01-02") != "2022-07-15" || last.Entries[0].Version != "22.01.00.0" || last.MinimumOS != "10.0.0.0" ||
		last.SHA256 != "f4afba646166999d6090b5beddde546450262dc595dddeb62132da70f70d14ca" || last.Switches.Silent != "" || zip.Installers[0].Switches.Silent != "/S" {
		t.Errorf("%+v", last)
	}
	if one := find(t, r.Manifests, "ForceAutoHDR.7gxycn08", "1.0.0.4"); one.Installers[0].Type != "inno" || one.Names[0].Publisher != "7gxycn08" {
		t.Errorf("%+v", one)
	}
	// This one says things once and refers to them.
	python := find(t, r.Manifests, "Python.Python.3.11", "3.11.6")
	if e := python.Installers[1].Entries; len(e) != 1 || e[0].Name != "Python 3.11.6 (32-bit)" {
		t.Errorf("%+v", e)
	}
}

// Old versions are recognised with the marks of the newest alone, and none is taken for another.
func TestOldVersionsAreRecognised(t *testing.T) {
	m := Measure(real(t).Manifests, nil)
	if m.Wrong != 0 || m.Entries < 15 || m.Right != m.Entries {
		t.Errorf("%+v", m)
	}
}

// The same manifests are the same, however they come.
func TestFolderAndArchivesAreTheSame(t *testing.T) {
	want := real(t)
	root := os.DirFS("testdata")
	var plain, zipped bytes.Buffer
	tw, zw := tar.NewWriter(&plain), zip.NewWriter(&zipped)
	if err := tw.AddFS(root); err != nil {
		t.Fatal(err)
	}
	if err := zw.AddFS(root); err != nil {
		t.Fatal(err)
	}
	if err := tw.WriteHeader(&tar.Header{Name: ".github/x.yaml", Typeflag: tar.TypeReg}); err != nil {
		t.Fatal(err)
	}
	tw.Close()
	zw.Close()
	var gz, xzed bytes.Buffer
	g := gzip.NewWriter(&gz)
	g.Write(plain.Bytes())
	g.Close()
	x, err := xz.NewWriter(&xzed)
	if err != nil {
		t.Fatal(err)
	}
	x.Write(plain.Bytes())
	x.Close()
	for name, data := range map[string][]byte{"a.tar": plain.Bytes(), "a.tar.gz": gz.Bytes(), "a.tar.xz": xzed.Bytes(), "a.zip": zipped.Bytes()} {
		got, err := ReadFile(name, bytes.NewReader(data), int64(len(data)))
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %v, %d versions", name, err, len(got.Manifests))
		}
		if _, err := ReadFile(name, bytes.NewReader(data[:len(data)/2]), int64(len(data)/2)); err == nil {
			t.Errorf("half of %s was taken", name)
		}
	}
}

const good = `PackageIdentifier: A.B
PackageVersion: 1.10
PackageLocale: en-US
Publisher: Makers Ltd.
PackageName: Zip
InstallerType: exe
InstallerSwitches: {Silent: /S, Custom: /c}
ProductCode: root
UpgradeBehavior: uninstallPrevious
AppsAndFeaturesEntries:
- DisplayName: Shown
Dependencies:
  PackageDependencies:
  - PackageIdentifier: C.D
    MinimumVersion: 1
ExpectedReturnCodes:
- InstallerReturnCode: 3010
  ReturnResponse: rebootRequiredToFinish
Installers:
- Architecture: x64
  InstallerUrl: https://example.com/zip%20setup.exe
  InstallerSha256: ` + sumA + `
  InstallerSwitches: {Silent: /quiet}
- Architecture: x64
  InstallerType: msix
  InstallerUrl: https://example.com/zip.msix
  InstallerSha256: ` + sumA + `
- Architecture: x86
  InstallerType: MSI
  InstallerUrl: https://example.com/zip.msi
  InstallerSha256: ` + sumA + `
  ProductCode: own
  UpgradeBehavior: null
ManifestType: singleton
ManifestVersion: 1.6.0
`

const sumA = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

func read(t testing.TB, files map[string]string) Result {
	t.Helper()
	fsys := fstest.MapFS{}
	for name, text := range files {
		fsys[name] = &fstest.MapFile{Data: []byte(text)}
	}
	r, err := ReadFolder(fsys)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestWhatTheRootSaysHoldsForEachInstaller(t *testing.T) {
	r := read(t, map[string]string{"a.yaml": good})
	if len(r.Manifests) != 1 {
		t.Fatal(r.Refused)
	}
	m := r.Manifests[0]
	if m.Version != "1.10" {
		t.Errorf("the version is %q: a number is not to be read as one", m.Version)
	}
	exe, app, msi := m.Installers[0], m.Installers[1], m.Installers[2]
	if exe.Switches.Silent != "/quiet" || exe.Switches.Custom != "/c" || exe.ProductCode != "root" || exe.Entries[0].Name != "Shown" || exe.Dependencies.Packages[0] != (Dependency{"C.D", "1"}) {
		t.Errorf("%+v", exe)
	}
	if app.ProductCode != "" || app.Entries != nil {
		t.Errorf("an app package makes an entry among the programs: %+v", app)
	}
	if msi.ProductCode != "own" || msi.Type != "msi" || msi.Upgrade != "uninstallPrevious" || msi.Switches.Silent != "/S" {
		t.Errorf("%+v", msi)
	}
	built := Build(r.Manifests, 1)
	p := built.Packages[0]
	if p.ID != "A.B" || p.Name != "Zip" || len(p.Releases) != 1 || len(p.Releases[0].Installers) != 2 || len(built.Notes) != 1 {
		t.Fatalf("%+v", built)
	}
	i := p.Releases[0].Installers[0]
	if !i.RemoveFirst || !slices.Equal(i.Reboot, []int64{3010}) || !slices.Equal(i.Needs, []string{"C.D"}) || i.File != "zip setup.exe" || i.SHA256 != strings.ToLower(sumA) ||
		!slices.Equal(i.Switches, []string{"/quiet", "/c"}) {
		t.Errorf("%+v", i)
	}
}

// Each file is read, or refused with its name, a line and the reason.
func TestRefusalsNameFileLineAndReason(t *testing.T) {
	for _, c := range []struct {
		from, to string
		line     int
		reason   string
	}{
		{"PackageIdentifier: A.B", "PackageIdentifier: ../../etc", 1, "PackageIdentifier"},
		{"PackageVersion: 1.10", "PackageVersion: a/b", 2, "PackageVersion"},
		{"PackageVersion: 1.10", "PackageVersion: [1]", 2, "not a text"},
		{"Publisher: Makers Ltd.", "Publisher: ", 1, "no publisher"},
		{"InstallerType: exe", "InstallerType: script", 6, "InstallerType is \"script\""},
		{"InstallerType: exe\n", "InstallerType: exe\nInstallerType: msi\n", 7, "said twice"},
		{"{Silent: /S, Custom: /c}", "[/S]", 7, "list of fields"},
		{"InstallerReturnCode: 3010", "InstallerReturnCode: many", 17, "not a number"},
		{"MinimumVersion: 1", "x: y", 0, ""},
		{"  - PackageIdentifier: C.D\n    MinimumVersion: 1", "  - MinimumVersion: 1", 14, "names no package"},
		{"- Architecture: x64\n  InstallerUrl: https://example.com/zip%20setup.exe", "- InstallerUrl: https://example.com/x.exe", 20, "for which architecture"},
		{"https://example.com/zip%20setup.exe", "file:///etc/passwd", 21, "http"},
		{"https://example.com/zip%20setup.exe", "https://", 21, "http"},
		{sumA, "abc", 22, "SHA-256"},
		{"InstallerSha256: " + sumA, "x: y", 20, "no InstallerSha256"},
		{"Installers:", "Instalers:", 1, "no installer"},
		{"ManifestVersion: 1.6.0", "ManifestVersion: 0.1.0", 35, "0.1.0"},
		{"ManifestType: singleton", "ManifestType: merged", 34, "merged"},
		{"UpgradeBehavior: uninstallPrevious", "ReleaseDate: yesterday", 9, "ReleaseDate"},
		{"UpgradeBehavior: uninstallPrevious", "RequireExplicitUpgrade: perhaps", 9, "neither true nor false"},
		{"UpgradeBehavior: uninstallPrevious", "Platform: {a: b}", 9, "not a list"},
		{"UpgradeBehavior: uninstallPrevious", "  bad indent: x", 9, "not YAML"},
		{"UpgradeBehavior: uninstallPrevious", "ProductCode2: \"a\\0b\"", 0, ""},
		{"ProductCode: root", "ProductCode: \"a\\0b\"", 8, "zero byte"},
	} {
		text := strings.Replace(good, c.from, c.to, 1)
		if text == good {
			t.Fatalf("%q is not in it", c.from)
		}
		r := read(t, map[string]string{"folder/a.yaml": text})
		if c.reason == "" {
			if r.Refusals != 0 {
				t.Errorf("%q: %v", c.to, r.Refused)
			}
			continue
		}
		if r.Refusals != 1 || len(r.Manifests) != 0 {
			t.Errorf("%q: %d refused", c.to, r.Refusals)
			continue
		}
		if no := r.Refused[0]; no.File != "folder/a.yaml" || no.Line != c.line || !strings.Contains(no.Reason, c.reason) {
			t.Errorf("%q: %s; want line %d and %q", c.to, no.Error(), c.line, c.reason)
		}
	}
}

func TestFilesThatAreNoManifests(t *testing.T) {
	r := read(t, map[string]string{"a.yaml": "on: push\njobs: {}\n", ".github/b.yaml": "PackageIdentifier: x", "c.txt": "x"})
	if r.Files != 1 || r.Others != 1 || r.Refusals != 0 {
		t.Errorf("%+v", r)
	}
	for _, text := range []string{"", "- a\n", "just text", "a: b\n---\nc: d\n", "\xff\xfe\x00", "{", "%"} {
		if r := read(t, map[string]string{"a.yaml": text}); len(r.Manifests) != 0 || r.Refusals+r.Others != 1 {
			t.Errorf("%q: %+v", text, r)
		}
	}
}

func TestWhatBelongsTogether(t *testing.T) {
	installer := strings.NewReplacer("ManifestType: singleton", "ManifestType: installer", "Publisher: Makers Ltd.\n", "", "PackageName: Zip\n", "").Replace(good)
	names := "PackageIdentifier: a.b\nPackageVersion: '1.10'\nPackageLocale: de-DE\nPublisher: Macher\nPackageName: Reißer\nManifestType: defaultLocale\nManifestVersion: 1.0.0\n"
	r := read(t, map[string]string{"f/1.yaml": installer, "f/2.yaml": names, "f/3.yaml": strings.NewReplacer("defaultLocale", "locale", "de-DE", "fr-FR").Replace(names)})
	if len(r.Manifests) != 1 || len(r.Manifests[0].Names) != 2 || r.Manifests[0].Locale != "de-DE" || r.Manifests[0].ID != "A.B" {
		t.Errorf("%+v", r)
	}
	for what, files := range map[string]map[string]string{
		"no installers": {"f/2.yaml": names}, "twice": {"f/1.yaml": good, "f/2.yaml": good}, "names twice": {"f/1.yaml": installer, "f/2.yaml": names, "f/3.yaml": names},
	} {
		if r := read(t, files); r.Refusals != 1 || len(r.Manifests) != 0 {
			t.Errorf("%s: %+v", what, r)
		}
	}
}

func TestBombsAreRefused(t *testing.T) {
	bomb := "a0: &a0 [x,x,x,x,x,x,x,x,x]\n"
	for i := range 9 {
		bomb += fmt.Sprintf("a%d: &a%d [%s]\n", i+1, i+1, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d,", i), 9), ","))
	}
	for what, text := range map[string]string{
		"references": bomb + good, "itself": "a: &a\n  b: *a\n" + good, "deep": "a: " + strings.Repeat("[", 5000) + strings.Repeat("]", 5000) + "\n" + good,
		"large": good + "# " + strings.Repeat("x", MaxFile), "nested maps": "a: " + strings.Repeat("{a: ", 100) + strings.Repeat("}", 100) + "\n" + good,
		"merge": "a: &a {b: c}\n<<: *a\n<<: *a\n" + good,
	} {
		if r := read(t, map[string]string{"a.yaml": text}); len(r.Manifests) != 0 || r.Refusals != 1 {
			t.Errorf("%s: %d read, %d refused", what, len(r.Manifests), r.Refusals)
		}
	}
}

// Packages.

func version(id, v string, change ...func(*Manifest)) Manifest {
	m := Manifest{ID: id, Version: v, Names: []Naming{{"en-US", "Zip", "Makers"}}, Installers: []Installer{{Type: "exe", Architecture: "x64", URL: "https://x.y/z.exe", SHA256: strings.ToLower(sumA)}}}
	for _, f := range change {
		f(&m)
	}
	return m
}

func called(name string) func(*Manifest) {
	return func(m *Manifest) { m.Names[0].Name = name }
}

func of(t *testing.T, b Built, id string) patch.Package {
	t.Helper()
	for _, p := range b.Packages {
		if p.ID == id {
			return p
		}
	}
	t.Fatalf("there is no %s", id)
	return patch.Package{}
}

func TestTheNewestReleasesAndTheMarksOfAll(t *testing.T) {
	coded := func(code string) func(*Manifest) { return func(m *Manifest) { m.Installers[0].ProductCode = code } }
	all := []Manifest{version("A.B", "1.9", coded("nine")), version("A.B", "1.10", coded("ten")), version("A.B", "1.10-rc", coded("rc"), called("Zap")), version("A.B", "1.10.0.0", coded("same"))}
	p := Build(all, 2).Packages[0]
	if len(p.Releases) != 2 || compare(p.Releases[0].Version, "1.10") != 0 || p.Releases[1].Version != "1.10-rc" {
		t.Errorf("%+v", p.Releases)
	}
	for _, want := range []patch.Mark{{ProductCode: "nine"}, {ProductCode: "rc"}, {Name: "Zip", Publisher: "Makers"}, {Name: "Zap", Publisher: "Makers"}} {
		if !slices.Contains(p.Marks, want) {
			t.Errorf("%+v is not among %+v", want, p.Marks)
		}
	}
}

// What two packages show alike recognises neither, unless something tells them apart.
func TestSharedMarksRecogniseNeither(t *testing.T) {
	x86 := func(m *Manifest) { m.Installers[0].Architecture = "x86" }
	entry := arp.Entry{Name: "Zip", Publisher: "Makers", Version: "3.12.1"}
	taken := func(b Built, e arp.Entry) string {
		if f := arp.Match([]arp.Entry{e}, b.Packages)[0]; f.Package != nil {
			return f.Package.ID
		}
		return ""
	}
	both := Build([]Manifest{version("A.One", "3.12.1"), version("A.Two", "3.12.1")}, 1)
	if len(of(t, both, "A.One").Marks)+len(of(t, both, "A.Two").Marks) != 0 || len(both.Notes) != 2 || taken(both, entry) != "" {
		t.Errorf("%+v", both)
	}
	lines := Build([]Manifest{version("A.3.11", "3.11.4", called("Zip 3.11")), version("A.3.12", "3.12.9", called("Zip 3.12")), version("A.Beta", "4.0")}, 1)
	if got := taken(lines, entry); got != "A.3.12" {
		t.Errorf("a line of versions is taken for %q", got)
	}
	if got := taken(lines, arp.Entry{Name: "Zip", Publisher: "Makers", Version: "4.0"}); got != "" {
		t.Errorf("what no line tells apart is taken for %q", got)
	}
	for e, want := range map[arp.Entry]string{{Name: "Zip (x64)", Publisher: "Makers"}: "A.B.x64", {Name: "Zip", View: 32, Publisher: "Makers"}: "A.B.x86", {Name: "Zip", Publisher: "Makers"}: ""} {
		if got := taken(Build([]Manifest{version("A.B.x64", "1"), version("A.B.x86", "1", x86)}, 1), e); got != want {
			t.Errorf("%+v is taken for %q, not %q", e, got, want)
		}
	}
	if got := taken(Build([]Manifest{version("A.B.x64", "1")}, 1), arp.Entry{Name: "Zip (x86)", Publisher: "Makers"}); got != "" {
		t.Errorf("a package whose name says x64 is taken for the other: %q", got)
	}
}

// The order in which manifests come is nothing, and what is built recognises what it was built of
// or says nothing.
func TestBuildingIsOfTheManifestsAlone(t *testing.T) {
	names := rapid.SampledFrom([]string{"Zip", "Zap 3", "Zip (x64)", "Zip 3.1", ""})
	one := rapid.Custom(func(t *rapid.T) Manifest {
		m := version(rapid.SampledFrom([]string{"A.One", "A.Two", "A.3", "A.3.1", "A.B.x64"}).Draw(t, "id"), rapid.SampledFrom([]string{"3", "3.1.2", "3.10", "4.0-rc", "latest"}).Draw(t, "version"), called(names.Draw(t, "name")))
		i := &m.Installers[0]
		i.Architecture = rapid.SampledFrom([]string{"x64", "x86", "neutral"}).Draw(t, "architecture")
		i.ProductCode = rapid.SampledFrom([]string{"", "p", "q"}).Draw(t, "code")
		if rapid.Bool().Draw(t, "entry") {
			i.Entries = []AppEntry{{Name: names.Draw(t, "shown"), Version: rapid.SampledFrom([]string{"", "3.1", "9"}).Draw(t, "shown version")}}
		}
		return m
	})
	rapid.Check(t, func(t *rapid.T) {
		all := rapid.SliceOfN(one, 0, 8).Draw(t, "manifests")
		built := Build(all, 2)
		x := arp.NewIndex(built.Packages)
		for _, m := range all {
			for _, e := range Shown(m) {
				if f := x.Find(e); f.Package != nil && f.Package.ID != m.ID {
					t.Fatalf("%s shows %+v, which is taken for %s by its %s", m.ID, e, f.Package.ID, f.How)
				}
			}
		}
		turned := slices.Clone(all)
		slices.Reverse(turned)
		for i, p := range Build(turned, 2).Packages {
			if p.ID != built.Packages[i].ID || len(p.Releases) != len(built.Packages[i].Releases) {
				t.Fatalf("%+v and %+v", p, built.Packages[i])
			}
		}
	})
}

func TestSwitches(t *testing.T) {
	for line, want := range map[string][]string{
		``: nil, `  `: nil, `/S`: {"/S"}, `/a  /b`: {"/a", "/b"}, `/D="C:\Program Files\x"`: {`/D=C:\Program Files\x`}, `"a b" c`: {"a b", "c"},
		`""`: {""}, `a\\"b c"`: {`a\b c`}, `a\"b`: {`a"b`}, `C:\dir\ x`: {`C:\dir\`, "x"}, `x\`: {`x\`}, `\\server\share`: {`\\server\share`}, `"a\\"`: {`a\`},
	} {
		if got := arguments(line); !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", line, got, want)
		}
	}
	got := silent(patch.Inno, Switches{Silent: "/VERYSILENT /NORESTART", Custom: "/MERGETASKS=!desktopicon", Upgrade: "/u", Log: "/l"})
	if !slices.Equal(got, []string{"/MERGETASKS=!desktopicon", "/u"}) {
		t.Errorf("%q", got)
	}
	if got := silent(patch.EXE, Switches{SilentWithProgress: "/passive"}); !slices.Equal(got, []string{"/passive"}) {
		t.Errorf("%q", got)
	}
}

// What is quoted by the rules of Windows comes back as it was.
func TestSwitchesSplitWhatWasJoined(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		args := rapid.SliceOfN(rapid.StringMatching(`[a-z /=\\"]{0,6}`), 0, 5).Draw(t, "arguments")
		var quoted []string
		for _, a := range args {
			quoted = append(quoted, quote(a))
		}
		if got := arguments(strings.Join(quoted, " ")); !slices.Equal(got, args) {
			t.Fatalf("%q as %s is %q", args, strings.Join(quoted, " "), got)
		}
	})
}

// quote writes an argument as CommandLineToArgvW reads it.
func quote(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	slashes := 0
	for i := range len(s) {
		switch s[i] {
		case '\\':
			slashes++
			continue
		case '"':
			b.WriteString(strings.Repeat(`\`, 2*slashes+1))
		default:
			b.WriteString(strings.Repeat(`\`, slashes))
		}
		slashes = 0
		b.WriteByte(s[i])
	}
	b.WriteString(strings.Repeat(`\`, 2*slashes))
	return b.String() + `"`
}

func TestFileNames(t *testing.T) {
	for address, want := range map[string]string{"https://a.b/c/d%20e.exe?x=y": "d e.exe", "https://a.b/": "", "https://a.b": "", "https://a.b/..%2f..%2fx": "x", "https://a.b/a%5Cb.exe": "", "https://a.b/%zz": ""} {
		if got := fileOf(address); got != want || strings.ContainsAny(got, `/\`) {
			t.Errorf("%s: %q, want %q", address, got, want)
		}
	}
}

func TestCommandPrintsItsFigures(t *testing.T) {
	var out strings.Builder
	if err := (&Command{Files: []string{"testdata"}, Most: 5}).Run(&out); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out.String(), "33 files; 0 refused") || !strings.Contains(out.String(), "0 wrong") {
		t.Error(out.String())
	}
}

func FuzzDocument(f *testing.F) {
	f.Add([]byte(good))
	fs.WalkDir(os.DirFS("testdata"), ".", func(name string, d fs.DirEntry, err error) error {
		if err == nil && strings.HasSuffix(name, ".yaml") {
			data, _ := os.ReadFile(path.Join("testdata", name))
			f.Add(data)
		}
		return err
	})
	f.Fuzz(func(t *testing.T, data []byte) {
		c := newCollector()
		if err := c.add("f/a.yaml", bytes.NewReader(data)); err != nil {
			t.Fatal(err)
		}
		r := c.result()
		if len(r.Manifests)+r.Refusals+r.Others != 1 {
			t.Fatalf("%+v", r)
		}
		for _, no := range r.Refused {
			if no.File == "" || no.Reason == "" || len(no.Reason) > 300 {
				t.Errorf("%+v", no)
			}
		}
		for _, p := range Build(r.Manifests, 2).Packages {
			for _, rel := range p.Releases {
				for _, i := range rel.Installers {
					if !sha.MatchString(i.SHA256) || strings.ContainsAny(i.File, `/\`) {
						t.Errorf("%+v", i)
					}
				}
			}
		}
	})
}

func FuzzArguments(f *testing.F) {
	f.Add(`/D="C:\Program Files\x" \"`)
	f.Fuzz(func(t *testing.T, line string) {
		if n := len(strings.Join(arguments(line), "")); n > len(line) {
			t.Errorf("%q became longer", line)
		}
	})
}

// What no package is, and nothing here can install, stands in the draft for whoever signs it.
func TestWhatNoPackageIsIsAskedFor(t *testing.T) {
	b := Build([]Manifest{{ID: "A.B", Version: "1", Names: []Naming{{Name: "A", Publisher: "B"}}, Installers: []Installer{{Architecture: "x64", Type: "exe", Dependencies: Dependencies{
		Packages: []Dependency{{"C.D", "1"}}, Features: []string{"NetFx3"}, Libraries: []string{"Microsoft.WinJS"}, Others: []string{"a printer\nof any kind"}}}}}}, 1)
	if got := b.Packages[0].Releases[0].Installers[0]; !slices.Equal(got.Needs, []string{"C.D"}) ||
		!slices.Equal(got.Asks, []string{"the Windows feature NetFx3", "the Windows library Microsoft.WinJS", "a printer of any kind"}) {
		t.Errorf("%+v", got)
	}
}
