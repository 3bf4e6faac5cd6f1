package winget

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"path"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"patchbay/patch"
	"patchbay/patch/nested"
	"patchbay/patch/signature"
	"patchbay/provider"
	"patchbay/provider/providertest"
)

var now = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

// machine is a Windows that exists in memory: a registry in the form of an export, files, and
// what programs do when they are run. It stands in for wine and for Windows where a test
// wants many cases; the same paths are run under wine in the test bed.
type machine struct {
	t       testing.TB
	keys    map[string][]string // lines of values by the path of their key
	files   fstest.MapFS
	ran     []string
	run     func(args []string) (int, error)
	content map[string][]byte // installers by hash
	fetched []string
	last    string // which file was opened last

	processes []provider.Process
	ended     []uint32
	records   providertest.Records
	catalog   provider.Catalog
	distrust  error
	account   string
	wishes    []patch.Wish
}

func newMachine(t testing.TB) *machine {
	return &machine{t: t, keys: map[string][]string{
		`HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Uninstall`:          nil,
		`HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion\ProfileList`:     nil,
		`HKLM\SYSTEM\CurrentControlSet\Control\Session Manager\Environment`: {`"PROCESSOR_ARCHITECTURE"="AMD64"`},
		`HKU\.DEFAULT`: nil,
	}, files: fstest.MapFS{}, content: map[string][]byte{}, records: providertest.Records{},
		catalog: provider.Catalog{Version: 3, SignedAt: now.Add(-24 * time.Hour), Expires: now.Add(24 * time.Hour)}}
}

const (
	profileList = `HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion\ProfileList`

	list64 = `HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Uninstall`
	list32 = `HKLM\SOFTWARE\WOW6432Node\Microsoft\Windows\CurrentVersion\Uninstall`
)

// entry puts a program into a list.
func (m *machine) entry(list, key, name, version, publisher string, more ...string) {
	lines := []string{fmt.Sprintf(`"DisplayName"=%q`, name), fmt.Sprintf(`"Publisher"=%q`, publisher)}
	if version != "" {
		lines = append(lines, fmt.Sprintf(`"DisplayVersion"=%q`, version))
	}
	m.keys[list+`\`+key] = append(lines, more...)
}

// msi puts a product of Windows Installer there, with its upgrade code.
func (m *machine) msi(product, upgrade, name, version, publisher string) {
	m.entry(list64, product, name, version, publisher, `"WindowsInstaller"=dword:00000001`)
	m.keys[machineCodes+`\`+packed(upgrade)] = []string{fmt.Sprintf(`"%s"=""`, packed(product))}
}

// packed turns a code around as Windows Installer does; it is its own inverse.
func packed(code string) string {
	digits := strings.NewReplacer("{", "", "}", "", "-", "").Replace(code)
	var b strings.Builder
	at := 0
	for _, size := range []int{8, 4, 4, 2, 2, 2, 2, 2, 2, 2, 2} {
		for j := size - 1; j >= 0; j-- {
			b.WriteByte(digits[at+j])
		}
		at += size
	}
	return b.String()
}

func (m *machine) Registry(path string, view provider.View) (provider.RegistryKey, error) {
	var text strings.Builder
	for _, key := range slices.Sorted(maps.Keys(m.keys)) {
		fmt.Fprintf(&text, "[%s]\n%s\n", key, strings.Join(m.keys[key], "\n"))
	}
	export, err := providertest.ParseExport([]byte(text.String()))
	if err != nil {
		m.t.Fatal(err)
	}
	return export.Registry(path, view)
}

func (m *machine) Files() fs.FS { return m.files }

func (m *machine) Run(_ context.Context, c provider.Command) (provider.Result, error) {
	m.ran = append(m.ran, strings.Join(c.Args, " "))
	if m.run == nil {
		m.t.Fatalf("it ran %q", c.Args)
	}
	code, err := m.run(c.Args)
	return provider.Result{Code: code}, err
}

func (m *machine) Machine() provider.Machine {
	return provider.Machine{Account: m.account, Processes: m.processes}
}

func (m *machine) Ask(context.Context, uint32, string, time.Duration) (bool, error) {
	return false, nil
}

func (m *machine) End(_ context.Context, p provider.Process) error {
	m.ended = append(m.ended, p.ID)
	return nil
}

func (m *machine) Trusted(context.Context, provider.File) error { return m.distrust }

func (m *machine) Fetch(_ context.Context, sum string, _ int64) error {
	m.fetched = append(m.fetched, sum)
	if _, ok := m.content[sum]; !ok {
		return fmt.Errorf("%w: the server does not have it", provider.ErrOffline)
	}
	return nil
}

func (m *machine) Holds(sum string) bool { return slices.Contains(m.fetched, sum) }

type file struct {
	*bytes.Reader
	path string
}

func (f file) Close() error { return nil }
func (f file) Path() string { return f.path }
func (f file) Fd() uintptr  { return 0 }

func (m *machine) Open(_ context.Context, sum string, _ int64) (provider.File, error) {
	m.last = sum
	return file{bytes.NewReader(m.content[sum]), `C:\content\installer.exe`}, nil
}

func (m *machine) Unpack(_ context.Context, archive provider.File, name string) (provider.File, error) {
	f, _, err := nested.Open(archive, archive.Size(), name)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", provider.ErrRefused, err)
	}
	defer f.Close()
	text, err := io.ReadAll(f)
	return file{bytes.NewReader(text), `C:\content\` + path.Base(name)}, err
}

func (m *machine) open() *Winget {
	m.t.Helper()
	p, err := open(m.t.Context(), provider.Env{Host: m, Log: slog.New(slog.DiscardHandler), Records: m.records, Content: m,
		Catalog: func() provider.Catalog { return m.catalog }, Wishes: func() []patch.Wish { return m.wishes }, Now: func() time.Time { return now }})
	if err != nil {
		m.t.Fatal(err)
	}
	return p.(*Winget)
}

// installer puts a file into the store and gives what the catalogue says of it.
func (m *machine) installer(kind patch.InstallerKind, text string) patch.Installer {
	sum := sha256.Sum256([]byte(text))
	i := patch.Installer{SHA256: hex.EncodeToString(sum[:]), Size: int64(len(text)), Kind: kind, Architecture: "x64", Scope: "machine"}
	m.content[i.SHA256] = []byte(text)
	return i
}

func (m *machine) offer(id, publisher string, marks []patch.Mark, releases ...patch.Release) {
	m.catalog.Packages = append(m.catalog.Packages, patch.Package{Provider: providerName, ID: id, Name: id, Publisher: publisher, Marks: marks, Releases: releases})
}

func release(version string, i ...patch.Installer) patch.Release {
	return patch.Release{Version: version, Installers: i}
}

const (
	product10 = "{11111111-0000-0000-0000-000000000010}"
	product11 = "{11111111-0000-0000-0000-000000000011}"
	upgrade   = "{7D1A9C3E-5A5B-4E77-9B7E-1F2D3C4B5A60}"
)

func TestThereIsNothingWithoutARegistry(t *testing.T) {
	h, err := providertest.New(strings.NewReader(""), fstest.MapFS{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Kind().Open(t.Context(), provider.Env{Host: h}); !errors.Is(err, provider.ErrAbsent) {
		t.Errorf("got %v", err)
	}
	m := newMachine(t)
	delete(m.keys, list64)
	if _, err := Kind().Open(t.Context(), provider.Env{Host: m}); !errors.Is(err, provider.ErrAbsent) {
		t.Errorf("got %v", err)
	}
}

// What is in the lists of the machine and of everybody is an item of whoever has it, and
// what is no program is none.
func TestInstalledReadsTheListsOfAll(t *testing.T) {
	m := newMachine(t)
	m.entry(list64, "7-Zip", "7-Zip 24.09 (x64)", "24.09", "Igor Pavlov")
	m.entry(list32, "Notepad++", "Notepad++ (32-bit x86)", "8.7.1", "Notepad++ Team")
	m.msi(product10, upgrade, "Testbed App", "1.0.0", "Testbed")
	m.entry(list64, "KB5001", "Security Update for X", "1", "X", `"ParentKeyName"="7-Zip"`)
	m.entry(list64, "Part", "Part of it", "1", "X", `"SystemComponent"=dword:00000001`)
	m.entry(list64, "Nameless", "", "1", "X")
	m.entry(list64, "O365ProPlusRetail - en-us", "Microsoft 365 Apps for enterprise - en-us", "16.0.1", "Microsoft Corporation",
		`"UninstallString"="\"C:\\Program Files\\Common Files\\Microsoft Shared\\ClickToRun\\OfficeClickToRun.exe\" scenario=install"`)
	m.entry(list64, "Chrome", "Google Chrome", "131.0", "Google LLC")
	// Ben is logged on, Anna is not: hers is in the file of her profile.
	const ben, her = "S-1-5-21-1-2-3-1001", "S-1-5-21-1-2-3-1002"
	m.keys[profileList+`\`+ben] = []string{`"ProfileImagePath"="C:\\Users\\ben"`}
	m.keys[profileList+`\`+her] = []string{`"ProfileImagePath"="%SystemDrive%\\Users\\anna"`}
	m.keys[profileList+`\S-1-5-18`] = []string{`"ProfileImagePath"="C:\\Windows\\system32\\config\\systemprofile"`}
	m.entry(`HKU\`+ben+`\Software\Microsoft\Windows\CurrentVersion\Uninstall`, "Slack", "Slack", "4.41", "Slack Technologies Inc.")
	dat, err := os.ReadFile("hive/testdata/anna.dat")
	if err != nil {
		t.Fatal(err)
	}
	m.files["Users/anna/NTUSER.DAT"] = &fstest.MapFile{Data: dat}

	w := m.open()
	items, err := w.Installed(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, i := range items {
		got = append(got, fmt.Sprintf("%s %s orphan=%v by=%q", i.Key(), i.Version, i.Orphan, i.Updater))
	}
	want := []string{
		`winget/7-Zip:x64#7-Zip 24.09 orphan=true by=""`,
		`winget/Google Chrome#Chrome 131.0 orphan=false by="Google Update"`,
		`winget/Größenrechner für Zöllner 📐#Rechner@anna Unknown orphan=true by=""`,
		`winget/Microsoft 365 Apps for enterprise#O365ProPlusRetail - en-us 16.0.1 orphan=false by="Office Click-to-Run"`,
		`winget/Microsoft Visual Studio Code#{771FD6B0-FA20-440A-A002-3B3BAC16DC50}_is1@anna 1.104.2 orphan=false by="Visual Studio Code's own updater"`,
		`winget/Notepad++:x86#Notepad++ 8.7.1 orphan=true by=""`,
		`winget/Slack#Slack@ben 4.41 orphan=false by="Slack's own updater"`,
		`winget/Spotify#Spotify@anna 1.2.77.358.g4339a634 orphan=false by="Spotify's own updater"`,
		`winget/Testbed App#` + upgrade + ` 1.0.0 orphan=true by=""`,
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}

	// A file that breaks later hides nothing, and the note says whose it is.
	m.files["Users/anna/NTUSER.DAT"] = &fstest.MapFile{Data: dat[:3000]}
	again, err := w.Installed(t.Context())
	offer, _ := w.Available(t.Context())
	if err != nil || len(again) != len(items) || len(offer.Notes) != 1 || !strings.Contains(offer.Notes[0], "anna") {
		t.Errorf("got %d items, %v, notes %q", len(again), err, offer.Notes)
	}
}

// Several entries of one program are several items, and the newest keeps the plain name.
func TestEntriesOfOneNameStayApart(t *testing.T) {
	m := newMachine(t)
	m.entry(list64, "Tool 1.2", "Tool 1.2", "1.2", "Maker")
	m.entry(list64, "Tool 1.10", "Tool 1.10", "1.10", "Maker")
	items, err := m.open().Installed(t.Context())
	if err != nil || len(items) != 2 || items[0].Key() == items[1].Key() {
		t.Fatalf("got %v, %v", items, err)
	}
	if items[0].Version != "1.10" || items[0].Instance != "Tool" || items[1].Version != "1.2" {
		t.Errorf("got %+v", items)
	}
}

func TestOfferIsTheNewestThatFits(t *testing.T) {
	marks := []patch.Mark{{Name: "Tool", Publisher: "Maker"}}
	for _, c := range []struct {
		name  string
		build func(m *machine)
		want  string // version and class of reversibility, "" for nothing
	}{
		{"newest", func(m *machine) {
			m.offer("Maker.Tool", "Maker", marks, release("1.2", m.installer(patch.NSIS, "12")), release("1.10", m.installer(patch.NSIS, "110")))
		}, "1.10 D"},
		{"can go back", func(m *machine) {
			m.offer("Maker.Tool", "Maker", marks, release("1.2", m.installer(patch.NSIS, "12")), release("1.1", m.installer(patch.NSIS, "11")))
		}, "1.2 B"},
		{"same", func(m *machine) {
			m.offer("Maker.Tool", "Maker", marks, release("1.1.0", m.installer(patch.NSIS, "11")))
		}, ""},
		{"older", func(m *machine) {
			m.offer("Maker.Tool", "Maker", marks, release("1.0", m.installer(patch.NSIS, "10")))
		}, ""},
		{"recalled", func(m *machine) {
			r := release("1.3", m.installer(patch.NSIS, "13"))
			r.Recalled = "it eats files"
			m.offer("Maker.Tool", "Maker", marks, r, release("1.2", m.installer(patch.NSIS, "12")))
		}, "1.2 D"},
		{"shows another version", func(m *machine) {
			i := m.installer(patch.NSIS, "12")
			i.Shown = "1.2.543"
			m.offer("Maker.Tool", "Maker", marks, release("1.2.0.543", i))
		}, "1.2.543 D"},
		{"only for Windows Installer", func(m *machine) {
			m.offer("Maker.Tool", "Maker", marks, release("1.2", m.installer(patch.MSI, "12")))
		}, ""},
		{"only for people", func(m *machine) {
			i := m.installer(patch.NSIS, "12")
			i.Scope = "user"
			m.offer("Maker.Tool", "Maker", marks, release("1.2", i))
		}, ""},
		{"only for arm64", func(m *machine) {
			i := m.installer(patch.NSIS, "12")
			i.Architecture = "arm64"
			m.offer("Maker.Tool", "Maker", marks, release("1.2", i))
		}, ""},
		{"a name alone", func(m *machine) {
			m.offer("Maker.Tool", "Maker", []patch.Mark{{Name: "Tool"}}, release("1.2", m.installer(patch.NSIS, "12")))
		}, ""},
		{"for a newer Windows", func(m *machine) {
			m.keys[provider.WindowsKey] = []string{`"CurrentMajorVersionNumber"=dword:0000000a`, `"CurrentMinorVersionNumber"=dword:00000000`, `"CurrentBuildNumber"="17763"`, `"UBR"=dword:00000001`}
			i, j := m.installer(patch.NSIS, "12"), m.installer(patch.NSIS, "13")
			i.MinimumOS, j.MinimumOS = "10.0.17763.0", "10.0.19041.0"
			m.offer("Maker.Tool", "Maker", marks, release("1.3", j), release("1.2", i))
		}, "1.2 D"},
		{"only after a removal that is text", func(m *machine) {
			i := m.installer(patch.NSIS, "12")
			i.RemoveFirst = true
			m.offer("Maker.Tool", "Maker", marks, release("1.2", i))
		}, ""},
		{"two packages", func(m *machine) {
			m.offer("Maker.Tool", "Maker", marks, release("1.2", m.installer(patch.NSIS, "12")))
			m.offer("Other.Tool", "Maker", marks, release("1.3", m.installer(patch.NSIS, "13")))
		}, ""},
		{"ended", func(m *machine) {
			m.offer("Maker.Tool", "Maker", marks, release("1.2", m.installer(patch.NSIS, "12")))
			m.catalog.Expires = now
		}, ""},
	} {
		m := newMachine(t)
		m.entry(list64, "Tool", "Tool", "1.1", "Maker")
		c.build(m)
		offer, err := m.open().Available(t.Context())
		got := ""
		for _, u := range offer.Updates {
			got += u.Available + " " + string(u.Reversibility)
		}
		if err != nil || got != c.want {
			t.Errorf("%s: on offer is %q, %v; want %q", c.name, got, err, c.want)
		}
		if ended := c.name == "ended"; len(offer.Sources) != 1 || (offer.Sources[0].Error != "") != ended {
			t.Errorf("%s: sources %+v", c.name, offer.Sources)
		}
	}
}

// tool is a machine with Tool 1.1 and a catalogue of 1.1 and 1.2, whose installers do what
// they should.
func tool(t testing.TB, kind patch.InstallerKind) *machine {
	m := newMachine(t)
	old, young := m.installer(kind, "eleven"), m.installer(kind, "twelve")
	marks := []patch.Mark{{Name: "Tool", Publisher: "Maker"}}
	put := func(version string) { m.entry(list64, "Tool", "Tool", version, "Maker") }
	if isMSI(kind) {
		put = func(version string) {
			for key := range m.keys {
				if strings.HasPrefix(key, list64+`\{`) || strings.HasPrefix(key, machineCodes) {
					delete(m.keys, key)
				}
			}
			if version != "" {
				m.msi(map[string]string{"1.1": product10, "1.2": product11}[version], upgrade, "Tool", version, "Maker")
			}
		}
	}
	put("1.1")
	m.offer("Maker.Tool", "Maker", marks, release("1.2", young), release("1.1", old))
	m.run = func(args []string) (int, error) {
		switch {
		case slices.Contains(args, "/x"):
			put("")
		case slices.Contains(m.fetched, young.SHA256) && !slices.Contains(args, "/x") && m.opened() == young.SHA256:
			put("1.2")
		default:
			put("1.1")
		}
		return 0, nil
	}
	return m
}

// opened is the hash of the file that was fetched last.
func (m *machine) opened() string { return m.fetched[len(m.fetched)-1] }

func request(m *machine, w *Winget, version string) provider.Request {
	items, err := w.Installed(m.t.Context())
	if err != nil || len(items) != 1 {
		m.t.Fatal(items, err)
	}
	k := items[0].Key()
	return provider.Request{Updates: []patch.Update{{Provider: k.Provider, Name: k.Name, Instance: k.Instance, Architecture: k.Architecture,
		Installed: items[0].Version, Available: version}}}
}

func (m *machine) version(w *Winget) string {
	items, err := w.Installed(m.t.Context())
	if err != nil || len(items) != 1 {
		m.t.Fatal(items, err)
	}
	if items[0].Broken != "" {
		return items[0].Version + " " + items[0].Broken
	}
	return items[0].Version
}

func TestApplyAndUndo(t *testing.T) {
	for _, kind := range []patch.InstallerKind{patch.NSIS, patch.MSI} {
		m := tool(t, kind)
		w := m.open()
		out, err := w.Apply(t.Context(), request(m, w, "1.2"))
		if err != nil || m.version(w) != "1.2" || len(out.Changes) != 1 || out.Changes[0].From != "1.1" || !out.Changes[0].Asked {
			t.Fatalf("%s: %+v, %v, now %s", kind, out, err, m.version(w))
		}
		if len(m.fetched) != 2 {
			t.Errorf("%s: the installer to go back to was not fetched before: %q", kind, m.fetched)
		}
		ran := len(m.ran)
		if _, err := w.Apply(t.Context(), request(m, w, "1.2")); err != nil || len(m.ran) != ran {
			t.Errorf("%s: applying again ran %q, %v", kind, m.ran[ran:], err)
		}
		items, _ := w.Installed(t.Context())
		if items[0].Previous != "1.1" {
			t.Errorf("%s: it can be taken back to %q", kind, items[0].Previous)
		}
		if _, err := w.Undo(t.Context(), request(m, w, "1.1")); err != nil || m.version(w) != "1.1" {
			t.Errorf("%s: after the undo it is %s, %v; ran %q", kind, m.version(w), err, m.ran)
		}
		if removed := slices.ContainsFunc(m.ran, func(s string) bool { return strings.Contains(s, "/x") }); removed != (kind == patch.MSI) {
			t.Errorf("%s: ran %q", kind, m.ran)
		}
		items, _ = w.Installed(t.Context())
		if items[0].Previous != "" {
			t.Errorf("%s: after an undo it could be taken back to %q", kind, items[0].Previous)
		}
	}
}

// What was cut short between the removal and the old version is told as broken, and the
// same undo goes on.
func TestUndoGoesOnAfterTheRemoval(t *testing.T) {
	m := tool(t, patch.MSI)
	w := m.open()
	if _, err := w.Apply(t.Context(), request(m, w, "1.2")); err != nil {
		t.Fatal(err)
	}
	does := m.run
	m.run = func(args []string) (int, error) {
		if slices.Contains(args, "/x") {
			return does(args)
		}
		return 0, context.Canceled // the power is cut
	}
	r := request(m, w, "1.1")
	if _, err := w.Undo(t.Context(), r); err == nil {
		t.Fatal("it says that nothing was wrong")
	}
	w = m.open() // another process
	if got := m.version(w); got != "1.2 removed" {
		t.Fatalf("it is %q", got)
	}
	m.run = does
	if _, err := w.Undo(t.Context(), r); err != nil || m.version(w) != "1.1" {
		t.Errorf("it is %q, %v", m.version(w), err)
	}
}

// Nothing is run that the publisher did not sign for as it is.
func TestNothingElseIsRun(t *testing.T) {
	for _, c := range []struct {
		name    string
		version string
		change  func(m *machine, w *Winget, r *provider.Request)
		kind    error
		says    string
	}{
		{"other bytes", "1.2", func(m *machine, _ *Winget, _ *provider.Request) {
			for sum := range m.content {
				m.content[sum] = []byte("other!")
			}
		}, provider.ErrRefused, "not the file"},
		{"longer", "1.2", func(m *machine, _ *Winget, _ *provider.Request) {
			for sum, b := range m.content {
				m.content[sum] = append(slices.Clone(b), 'x')
			}
		}, provider.ErrRefused, "not the file"},
		{"another approved", "1.2", func(_ *machine, _ *Winget, r *provider.Request) {
			r.Updates[0].SHA256 = strings.Repeat("0", 64)
		}, provider.ErrRefused, "another installer"},
		{"older than what is here", "1.1", func(m *machine, _ *Winget, _ *provider.Request) {
			m.entry(list64, "Tool", "Tool", "1.5", "Maker")
		}, provider.ErrRefused, "older"},
		{"no such release", "1.7", nil, provider.ErrRefused, "no installer of"},
		{"not there", "1.2", func(_ *machine, _ *Winget, r *provider.Request) { r.Updates[0].Name = "Other" }, provider.ErrRefused, "not installed here"},
		{"gone from the catalogue", "1.2", func(m *machine, _ *Winget, _ *provider.Request) { m.catalog.Packages = nil }, provider.ErrRefused, "nothing in the signed catalogue"},
		{"ended", "1.2", func(m *machine, _ *Winget, _ *provider.Request) { m.catalog.Expires = now }, provider.ErrRefused, "ended"},
		{"recalled", "1.2", func(m *machine, _ *Winget, _ *provider.Request) {
			m.catalog.Packages[0].Releases[0].Recalled = "it eats files"
		}, provider.ErrRefused, "eats files"},
		{"needs another", "1.2", func(m *machine, _ *Winget, _ *provider.Request) {
			m.catalog.Packages[0].Releases[0].Installers[0].Needs = []string{"Maker.Runtime"}
		}, provider.ErrRefused, "Maker.Runtime"},
		{"a switch that reaches further", "1.2", func(m *machine, _ *Winget, _ *provider.Request) {
			m.catalog.Packages[0].Releases[0].Installers[0].Switches = []string{"\""}
		}, provider.ErrRefused, "switch"},
		{"server away", "1.2", func(m *machine, _ *Winget, _ *provider.Request) { m.content = nil }, provider.ErrOffline, "fetching"},
		{"nothing can be written down", "1.2", func(_ *machine, w *Winget, _ *provider.Request) { w.env.Records = nil }, nil, "written down"},
		{"undo of what nobody updated", "1.1", func(_ *machine, w *Winget, r *provider.Request) {
			if _, err := w.Undo(t.Context(), *r); !errors.Is(err, provider.ErrRefused) {
				t.Errorf("undo: %v", err)
			}
			r.Updates[0].Available = "1.7"
		}, provider.ErrRefused, "no installer of"},
	} {
		m := tool(t, patch.NSIS)
		w := m.open()
		if c.name == "undo of what nobody updated" {
			m.entry(list64, "Tool", "Tool", "1.2", "Maker")
		}
		r := request(m, w, c.version)
		if c.change != nil {
			c.change(m, w, &r)
		}
		_, err := w.Apply(t.Context(), r)
		if len(m.ran) != 0 || err == nil || c.kind != nil && !errors.Is(err, c.kind) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: ran %q, %v", c.name, m.ran, err)
		}
	}
}

// An installer that says it is done and did nothing changes nothing in what is told.
func TestExitCodesAreNotBelieved(t *testing.T) {
	m := tool(t, patch.NSIS)
	m.run = func([]string) (int, error) { return 0, nil }
	w := m.open()
	out, err := w.Apply(t.Context(), request(m, w, "1.2"))
	if err != nil || len(out.Changes) != 0 || m.version(w) != "1.1" {
		t.Errorf("%+v, %v", out, err)
	}
	m.run = func([]string) (int, error) {
		m.entry(list64, "Tool", "Tool", "1.2", "Maker")
		return 1603, nil
	}
	out, err = w.Apply(t.Context(), request(m, w, "1.2"))
	if err == nil || len(out.Changes) != 1 || m.version(w) != "1.2" {
		t.Errorf("%+v, %v", out, err)
	}
}

func FuzzUnpacked(f *testing.F) {
	f.Add(packed(upgrade))
	f.Add("00112233445566778899aabbccddeeffx")
	f.Fuzz(func(t *testing.T, s string) {
		code, ok := unpacked(s)
		if ok && (!productCode.MatchString(code) || !strings.EqualFold(packed(code), s)) {
			t.Errorf("%q is %q", s, code)
		}
	})
}

// What a person installed for themselves is changed as that person or not at all.
func TestAPersonsProgramIsNotChangedByOthers(t *testing.T) {
	const ben = "S-1-5-21-1-2-3-1001"
	m := newMachine(t)
	m.keys[profileList+`\`+ben] = []string{`"ProfileImagePath"="C:\\Users\\ben"`}
	list := `HKU\` + ben + `\Software\Microsoft\Windows\CurrentVersion\Uninstall`
	m.entry(list, "Tool", "Tool", "1.1", "Maker")
	i := m.installer(patch.NSIS, "twelve")
	i.Scope = "user"
	m.offer("Maker.Tool", "Maker", []patch.Mark{{Name: "Tool", Publisher: "Maker"}}, release("1.2", i))
	m.run = func([]string) (int, error) {
		m.entry(list, "Tool", "Tool", "1.2", "Maker")
		return 0, nil
	}
	w := m.open()
	r := request(m, w, "1.2")
	r.Updates[0].Scope = "ben"
	if _, err := w.Apply(t.Context(), r); !errors.Is(err, provider.ErrRefused) || len(m.ran) != 0 || !strings.Contains(err.Error(), "ben") {
		t.Errorf("by the system: %v, ran %q", err, m.ran)
	}
	m.account = ben
	if _, err := w.Apply(t.Context(), r); err != nil || m.version(w) != "1.2" {
		t.Errorf("by ben: %v, it is %s", err, m.version(w))
	}
}

// Nothing is removed before what comes in its place is here and is what was signed for.
func TestNothingIsRemovedForAnInstallerThatIsNotSound(t *testing.T) {
	m := tool(t, patch.MSI)
	w := m.open()
	if _, err := w.Apply(t.Context(), request(m, w, "1.2")); err != nil {
		t.Fatal(err)
	}
	old := m.catalog.Packages[0].Releases[1].Installers[0]
	m.content[old.SHA256] = []byte("damage")
	ran := len(m.ran)
	if _, err := w.Undo(t.Context(), request(m, w, "1.1")); !errors.Is(err, provider.ErrRefused) || len(m.ran) != ran || m.version(w) != "1.2" {
		t.Errorf("%v, ran %q, now %s", err, m.ran[ran:], m.version(w))
	}
}

// A release that only installs when the one before is gone takes it away first.
func TestSomeReleasesAreInstalledAfterARemoval(t *testing.T) {
	m := tool(t, patch.MSI)
	m.catalog.Packages[0].Releases[0].Installers[0].RemoveFirst = true
	w := m.open()
	if _, err := w.Apply(t.Context(), request(m, w, "1.2")); err != nil || m.version(w) != "1.2" || len(m.ran) != 2 || !strings.Contains(m.ran[0], "/x "+product10) {
		t.Errorf("%v, ran %q, now %s", err, m.ran, m.version(w))
	}
}

// A signature is held to the one certificate that was signed for, also when it is sound.
func TestASignerIsHeldToThePin(t *testing.T) {
	b, err := os.ReadFile("../../patch/signature/testdata/p64-signed.exe")
	if err != nil {
		t.Fatal(err)
	}
	s, err := signature.Read(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name        string
		certificate string
		bytes       []byte
		distrust    error
		says        string
	}{
		{"the one", strings.ToUpper(s.Signer.Certificate), b, nil, ""},
		{"another", strings.Repeat("0", 64), b, nil, "another certificate"},
		{"unsigned", s.Signer.Certificate, []byte("MZ no signature in here, and nothing else either"), nil, "signature"},
		{"Windows says no", s.Signer.Certificate, b, errors.New("it was revoked"), "revoked"},
	} {
		m := tool(t, patch.NSIS)
		i := m.installer(patch.NSIS, string(c.bytes))
		i.Signer = &patch.Signer{Name: s.Signer.Name, Certificate: c.certificate}
		m.catalog.Packages[0].Releases[0].Installers[0], m.distrust = i, c.distrust
		m.run = func([]string) (int, error) {
			m.entry(list64, "Tool", "Tool", "1.2", "Maker")
			return 0, nil
		}
		w := m.open()
		_, err := w.Apply(t.Context(), request(m, w, "1.2"))
		if ran := len(m.ran) > 0; ran != (c.says == "") || err != nil && (!errors.Is(err, provider.ErrRefused) || !strings.Contains(err.Error(), c.says)) {
			t.Errorf("%s: ran %q, %v", c.name, m.ran, err)
		}
	}
}

// Whoever removes a program after an undo removed it themselves: it is gone, not broken.
func TestAProgramThatWasTakenBackMayBeRemoved(t *testing.T) {
	m := tool(t, patch.MSI)
	w := m.open()
	if _, err := w.Apply(t.Context(), request(m, w, "1.2")); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Undo(t.Context(), request(m, w, "1.1")); err != nil || m.version(w) != "1.1" {
		t.Fatal(err)
	}
	m.run([]string{"msiexec", "/x"})
	if items, err := m.open().Installed(t.Context()); err != nil || len(items) != 0 {
		t.Errorf("it is told as %+v, %v", items, err)
	}
}

// What is broken stays so until it is there again, also when another version is tried.
func TestAProgramThatIsRemovedStaysToldUntilItIsThere(t *testing.T) {
	m := tool(t, patch.MSI)
	w := m.open()
	if _, err := w.Apply(t.Context(), request(m, w, "1.2")); err != nil {
		t.Fatal(err)
	}
	does := m.run
	m.run = func(args []string) (int, error) {
		if slices.Contains(args, "/x") {
			return does(args)
		}
		return 1603, nil
	}
	if _, err := w.Undo(t.Context(), request(m, w, "1.1")); err == nil {
		t.Fatal("a failure passes")
	}
	if _, err := w.Apply(t.Context(), request(m, w, "1.2")); err == nil || m.version(w) != "1.2 removed" {
		t.Errorf("%v, it is %s", err, m.version(w))
	}
}

// A device gets away from a recalled release, whose file is nowhere any more, and never back to it.
func TestARecalledReleaseIsLeftForGood(t *testing.T) {
	m := tool(t, patch.NSIS)
	old := &m.catalog.Packages[0].Releases[1]
	old.Recalled = "it eats files"
	delete(m.content, old.Installers[0].SHA256)
	w := m.open()
	offer, err := w.Available(t.Context())
	if err != nil || offer.Updates[0].Reversibility != patch.NotAtAll {
		t.Errorf("%+v, %v", offer.Updates, err)
	}
	if _, err := w.Apply(t.Context(), request(m, w, "1.2")); err != nil || m.version(w) != "1.2" {
		t.Fatal(err)
	}
	if _, err := w.Undo(t.Context(), request(m, w, "1.1")); !errors.Is(err, provider.ErrRefused) || m.version(w) != "1.2" {
		t.Errorf("%v, it is %s", err, m.version(w))
	}
}

// archive packs files, each as its name and its text.
func archive(t *testing.T, pairs ...string) string {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for n := 0; n < len(pairs); n += 2 {
		f, err := z.Create(pairs[n])
		if err == nil {
			_, err = io.WriteString(f, pairs[n+1])
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// Of an archive one file is run, by its own kind and held to the signer that was pinned; the
// archive itself and what lies beside are not.
func TestWhatIsInAnArchiveIsInstalledAsItsOwnKind(t *testing.T) {
	signed, err := os.ReadFile("../../patch/signature/testdata/p64-signed.exe")
	if err != nil {
		t.Fatal(err)
	}
	s, err := signature.Read(bytes.NewReader(signed), int64(len(signed)))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, nested, run, says string
		kind                    patch.InstallerKind
		signer                  *patch.Signer
		text                    string
	}{
		{"a program", "in/setup.exe", `C:\content\setup.exe /S`, "", patch.NSIS, &s.Signer, archive(t, "in/setup.exe", string(signed), "version.dll", "x")},
		{"Windows Installer", "tool.msi", `msiexec /i C:\content\tool.msi ALLUSERS=1 /qn /norestart REBOOT=ReallySuppress`, "", patch.MSI, nil, archive(t, "tool.msi", "x")},
		{"signed by nobody", "in/setup.exe", "", "sign", patch.NSIS, &s.Signer, archive(t, "in/setup.exe", "MZ and nothing else in here, for all of its length")},
		{"another signer", "in/setup.exe", "", "another certificate", patch.NSIS, &patch.Signer{Name: "X", Certificate: strings.Repeat("0", 64)}, archive(t, "in/setup.exe", string(signed))},
		{"not in it", "setup.exe", "", "no file", patch.NSIS, nil, archive(t, "in/setup.exe", "x")},
		{"outside of it", "../setup.exe", "", "no file", patch.NSIS, nil, archive(t, "setup.exe", "x")},
		{"twice", "setup.exe", "", "twice", patch.NSIS, nil, archive(t, "setup.exe", "x", "SETUP.EXE", "y")},
		{"no archive", "setup.exe", "", "archive", patch.NSIS, nil, "MZ"},
	} {
		m := tool(t, c.kind)
		i := m.installer(patch.ZIP, c.text)
		i.Nested, i.NestedKind, i.Signer = c.nested, c.kind, c.signer
		m.catalog.Packages[0].Releases[0].Installers[0] = i
		w := m.open()
		_, err := w.Apply(t.Context(), request(m, w, "1.2"))
		if ran := strings.Join(m.ran, "|"); ran != c.run || (err == nil) != (c.says == "") || err != nil && (!errors.Is(err, provider.ErrRefused) || !strings.Contains(err.Error(), c.says)) {
			t.Errorf("%s: ran %q, %v", c.name, ran, err)
		}
	}
}

// What nothing here installs is not on offer either.
func TestPortableProgramsAreNotOnOffer(t *testing.T) {
	for _, i := range []patch.Installer{{Kind: patch.Portable}, {Kind: patch.ZIP, Nested: "tool.exe", NestedKind: patch.Portable}} {
		m := tool(t, patch.NSIS)
		got := m.installer(i.Kind, "portable")
		got.Nested, got.NestedKind = i.Nested, i.NestedKind
		m.catalog.Packages[0].Releases[0].Installers[0] = got
		if offer, err := m.open().Available(t.Context()); err != nil || len(offer.Updates) != 0 {
			t.Errorf("%+v, %v", offer.Updates, err)
		}
	}
}
