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
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/windows"
	"golang.org/x/sys/windows/registry"

	"patchbay/agent/content"
	"patchbay/agent/link"
	"patchbay/patch"
	"patchbay/provider"
	"patchbay/provider/host"
	"patchbay/provider/providertest"
)

// These tests run on a Windows: wine's, in a device of the test bed (wine_test.go), with
// installers that were put into a folder.

const folder = `C:\installers`

// store is the agent's own cache, whose server is the folder.
type store struct {
	*content.Cache
	paths map[string]string
}

func newStore(t *testing.T) *store {
	s := &store{paths: map[string]string{}}
	dir, err := content.OpenDir(`C:\cache`)
	if err == nil {
		s.Cache, err = content.New(content.Options{Folder: dir, Source: s, Now: time.Now, Log: slog.New(slog.DiscardHandler)})
	}
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// Content gives a file of the folder, as a server would.
func (s *store) Content(_ context.Context, sum string, from int64) (link.Part, error) {
	f, err := os.Open(s.paths[sum])
	if err != nil {
		return link.Part{}, err
	}
	info, err := f.Stat()
	if err == nil {
		_, err = f.Seek(from, io.SeekStart)
	}
	return link.Part{Body: f, From: from, Size: info.Size()}, err
}

// scene is the programs of this Windows with a catalogue for them.
type scene struct {
	*Winget
	t       *testing.T
	store   *store
	catalog provider.Catalog
	wishes  []patch.Wish
}

func newScene(t *testing.T) *scene {
	s := &scene{t: t, store: newStore(t), catalog: provider.Catalog{Version: 1, SignedAt: time.Now(), Expires: time.Now().Add(time.Hour)}}
	p, err := Kind().Open(t.Context(), provider.Env{Host: host.Host{}, Log: slog.New(slog.DiscardHandler), Records: providertest.Records{},
		Content: s.store, Catalog: func() provider.Catalog { return s.catalog }, Wishes: func() []patch.Wish { return s.wishes }, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	s.Winget = p.(*Winget)
	return s
}

// installer takes a file of the folder into the catalogue's words.
func (s *scene) installer(file string, kind patch.InstallerKind, scope string) patch.Installer {
	s.t.Helper()
	path := filepath.Join(folder, file)
	b, err := os.ReadFile(path)
	if err != nil {
		s.t.Fatal(err)
	}
	sum := sha256.Sum256(b)
	i := patch.Installer{SHA256: hex.EncodeToString(sum[:]), Size: int64(len(b)), Kind: kind, Architecture: "x64", Scope: scope}
	s.store.paths[i.SHA256] = path
	return i
}

func (s *scene) offer(name string, releases ...patch.Release) {
	s.catalog.Packages = append(s.catalog.Packages, patch.Package{Provider: providerName, ID: "Bed." + strings.ReplaceAll(name, " ", ""), Name: name, Publisher: "Patchbay bed",
		Marks: []patch.Mark{{Name: name, Publisher: s.publisher(name)}}, Releases: releases})
}

// find gives the item of a name.
func (s *scene) find(name string) (patch.Item, bool) {
	s.t.Helper()
	items, err := s.Installed(s.t.Context())
	if err != nil {
		s.t.Fatal(err)
	}
	n := slices.IndexFunc(items, func(i patch.Item) bool { return i.Name == name })
	if n < 0 {
		return patch.Item{}, false
	}
	return items[n], true
}

func (s *scene) publisher(name string) string {
	entries, _, err := s.entries()
	if err != nil {
		s.t.Fatal(err)
	}
	for _, e := range entries {
		if e.Item(providerName).Name == name {
			return e.Publisher
		}
	}
	s.t.Fatalf("%s is not installed", name)
	return ""
}

// gone removes a program as a person would.
func (s *scene) gone(name string) {
	s.t.Helper()
	entries, _, err := s.entries()
	if err != nil {
		s.t.Fatal(err)
	}
	for _, e := range entries {
		switch {
		case e.Item(providerName).Name != name:
		case e.MSI:
			byHand(s.t, "msiexec", "/x", e.Key, "/qn")
		default:
			dir := `C:\Program Files\` + name
			byHand(s.t, dir+`\uninstall.exe`, "/S", "_?="+dir) // without a copy of itself that would go on alone
		}
	}
	if item, ok := s.find(name); ok {
		s.t.Fatalf("%+v is still there", item)
	}
}

func (s *scene) must(version, name string) patch.Item {
	s.t.Helper()
	item, ok := s.find(name)
	if !ok || item.Version != version || item.Broken != "" {
		s.t.Fatalf("%s is %+v, not %s", name, item, version)
	}
	return item
}

func to(i patch.Item, version string) provider.Request {
	return provider.Request{Updates: []patch.Update{{Provider: i.Provider, Scope: i.Scope, Name: i.Name, Architecture: i.Architecture, Instance: i.Instance,
		Installed: i.Version, Available: version}}}
}

// byHand runs an installer as a person would.
func byHand(t *testing.T, args ...string) {
	t.Helper()
	if r, err := (host.Host{}).Run(t.Context(), provider.Command{Args: args}); err != nil || r.Code != 0 {
		t.Fatalf("%q ended with %d, %v", args, r.Code, err)
	}
}

func TestRealProgramsGoUpAndBack(t *testing.T) {
	for _, c := range []struct {
		name, file, end, scope string
		kind                   patch.InstallerKind
	}{
		{"Bed MSI", "bed-msi", ".msi", "machine", patch.MSI},
		{"Bed NSIS", "bed-nsis", ".exe", "machine", patch.NSIS},
		{"Bed MSI User", "bed-msi-user", ".msi", "", patch.MSI}, // wine files it under the machine
		{"Bed NSIS User", "bed-nsis-user", ".exe", "user", patch.NSIS},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newScene(t)
			old := filepath.Join(folder, c.file+"-1.0.0"+c.end)
			if c.kind == patch.MSI {
				byHand(t, "msiexec", "/i", old, "/qn")
			} else {
				byHand(t, old, "/S")
			}
			s.offer(c.name, release("1.1.0", s.installer(c.file+"-1.1.0"+c.end, c.kind, c.scope)), release("1.0.0", s.installer(c.file+"-1.0.0"+c.end, c.kind, c.scope)))
			item := s.must("1.0.0", c.name)
			if (item.Scope != "") != (c.scope == "user") || item.Source == "" {
				t.Errorf("it is %+v", item)
			}
			offer, err := s.Available(t.Context())
			if err != nil || len(offer.Updates) != 1 || offer.Updates[0].Available != "1.1.0" || offer.Updates[0].Reversibility != patch.ByKept {
				t.Fatalf("on offer: %+v, %v", offer, err)
			}
			out, err := s.Apply(t.Context(), to(item, "1.1.0"))
			if err != nil || len(out.Changes) != 1 || out.Changes[0].To != "1.1.0" {
				t.Fatalf("%+v, %v", out, err)
			}
			item = s.must("1.1.0", c.name)
			if item.Previous != "1.0.0" {
				t.Errorf("it can be taken back to %q", item.Previous)
			}
			if _, err := s.Apply(t.Context(), to(item, "1.0.0")); !errors.Is(err, provider.ErrRefused) {
				t.Errorf("it went down without an undo: %v", err)
			}
			s.must("1.1.0", c.name)
			if out, err := s.Undo(t.Context(), to(item, "1.0.0")); err != nil {
				t.Fatalf("%+v, %v", out, err)
			}
			s.must("1.0.0", c.name)
		})
	}
}

// pack puts a file of the folder into an archive there.
func pack(t *testing.T, file, to string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(folder, file))
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for name, text := range map[string][]byte{"In/" + file: text, "version.dll": []byte("x")} {
		f, err := z.Create(name)
		if err == nil {
			_, err = f.Write(text)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(z.Close(), os.WriteFile(filepath.Join(folder, to), b.Bytes(), 0o644)); err != nil {
		t.Fatal(err)
	}
}

// What comes in an archive is unpacked, held and run; nothing else of it is anywhere.
func TestRealArchivesAreInstalled(t *testing.T) {
	for _, c := range []struct {
		name, file, end string
		kind            patch.InstallerKind
	}{{"Bed MSI", "bed-msi", ".msi", patch.MSI}, {"Bed NSIS", "bed-nsis", ".exe", patch.NSIS}} {
		s := newScene(t)
		if item, ok := s.find(c.name); !ok || item.Version != "1.0.0" {
			t.Fatalf("%s is %+v", c.name, item)
		}
		file := c.file + "-1.1.0" + c.end
		pack(t, file, c.file+".zip")
		i := s.installer(c.file+".zip", patch.ZIP, "machine")
		i.Nested, i.NestedKind = "in/"+file, c.kind
		s.offer(c.name, release("1.1.0", i), release("1.0.0", s.installer(c.file+"-1.0.0"+c.end, c.kind, "machine")))
		item := s.must("1.0.0", c.name)
		if out, err := s.Apply(t.Context(), to(item, "1.1.0")); err != nil {
			t.Fatalf("%+v, %v", out, err)
		}
		item = s.must("1.1.0", c.name)
		if _, err := s.Undo(t.Context(), to(item, "1.0.0")); err != nil {
			t.Fatal(err)
		}
		s.must("1.0.0", c.name)
		entries, err := os.ReadDir(`C:\cache`)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			if end := filepath.Ext(e.Name()); !slices.Contains([]string{".exe", ".msi", ".zip"}, end) {
				t.Errorf("left is %s", e.Name())
			}
		}
	}
}

// What is wanted and not here is installed from nothing, and read back.
func TestRealWantedProgramsAreInstalled(t *testing.T) {
	for _, c := range []struct {
		name, file, other string
		kind              patch.InstallerKind
	}{
		{"Bed MSI", "bed-msi-1.1.0.msi", "bed-msi-1.0.0.msi", patch.MSI},
		{"Bed NSIS", "bed-nsis-1.1.0.exe", "bed-nsis-1.0.0.exe", patch.NSIS},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newScene(t)
			s.gone(c.name)
			id := "Bed." + strings.ReplaceAll(c.name, " ", "")
			s.catalog.Packages = []patch.Package{{Provider: providerName, ID: id, Name: "From the catalogue", Publisher: "Patchbay bed", Marks: []patch.Mark{{Name: c.name, Publisher: "Bed Works"}},
				Releases: []patch.Release{release("1.1.0", s.installer(c.file, c.kind, "machine")), release("1.0.0", s.installer(c.other, c.kind, "machine"))}}}
			if offer, err := s.Available(t.Context()); err != nil || len(offer.Updates) != 0 {
				t.Fatalf("nobody wants it, and on offer is %+v, %v", offer, err)
			}
			s.wishes = []patch.Wish{{Provider: providerName, Package: id, Install: true, Pin: "1.0."}}
			offer, err := s.Available(t.Context())
			if err != nil || len(offer.Updates) != 1 || offer.Updates[0].Available != "1.0.0" || offer.Updates[0].Installed != "" || offer.Updates[0].Block != "" {
				t.Fatalf("on offer: %+v, %v", offer, err)
			}
			out, err := s.Apply(t.Context(), provider.Request{Updates: offer.Updates})
			if err != nil || len(out.Changes) != 1 || out.Changes[0].Name != c.name || out.Changes[0].To != "1.0.0" || !out.Changes[0].Asked {
				t.Fatalf("%+v, %v", out, err)
			}
			if item := s.must("1.0.0", c.name); item.Source != id || item.Scope != "" {
				t.Errorf("it is %+v", item)
			}
			s.wishes[0].Pin = ""
			offer, err = s.Available(t.Context())
			if err != nil || len(offer.Updates) != 1 || offer.Updates[0].Name != c.name || offer.Updates[0].Installed != "1.0.0" || offer.Updates[0].Available != "1.1.0" {
				t.Fatalf("on offer then: %+v, %v", offer, err)
			}
			s.gone(c.name)
		})
	}
}

// What a program needs and is not here comes first, from the same catalogue, and is told.
func TestRealNeedsComeFirst(t *testing.T) {
	s := newScene(t)
	if _, ok := s.find("Bed MSI"); ok {
		s.gone("Bed MSI")
	}
	byHand(t, filepath.Join(folder, "bed-nsis-1.0.0.exe"), "/S")
	item := s.must("1.0.0", "Bed NSIS")
	i := s.installer("bed-nsis-1.1.0.exe", patch.NSIS, "machine")
	i.Needs = []string{"Bed.BedMSI"}
	s.offer("Bed NSIS", release("1.1.0", i))
	s.catalog.Packages = append(s.catalog.Packages, patch.Package{Provider: providerName, ID: "Bed.BedMSI", Name: "Bed MSI", Publisher: "Bed Works",
		Marks: []patch.Mark{{Name: "Bed MSI", Publisher: "Bed Works"}}, Releases: []patch.Release{release("1.0.0", s.installer("bed-msi-1.0.0.msi", patch.MSI, "machine"))}})
	out, err := s.Apply(t.Context(), to(item, "1.1.0"))
	if err != nil || len(out.Changes) != 2 || out.Changes[0].Name != "Bed MSI" || out.Changes[0].Asked || !out.Changes[1].Asked {
		t.Errorf("%+v, %v", out, err)
	}
	s.must("1.1.0", "Bed NSIS")
	s.must("1.0.0", "Bed MSI")
}

func TestRealMisdeedsAreToldAsTheyAre(t *testing.T) {
	s := newScene(t)
	byHand(t, filepath.Join(folder, "bed-nsis-1.0.0.exe"), "/S")
	const name = "Bed NSIS"
	take := func(file, version string) error {
		s.catalog.Packages = nil
		s.offer(name, release(version, s.installer(file, patch.NSIS, "machine")))
		item, _ := s.find(name)
		out, err := s.Apply(t.Context(), to(item, version))
		t.Logf("%s: %+v, %v", file, out, err)
		return err
	}
	if err := take("bed-nsis-1.2.0-lie.exe", "1.2.0"); err != nil {
		t.Errorf("a lie is found by reading, not by the code: %v", err)
	}
	s.must("1.0.0", name)
	if err := take("bed-nsis-1.2.0-crash.exe", "1.2.0"); err == nil || !strings.Contains(err.Error(), "crashed") {
		t.Errorf("a crash: %v", err)
	}
	s.must("1.0.0", name)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	item, _ := s.find(name)
	s.catalog.Packages = nil
	s.offer(name, release("1.2.0", s.installer("bed-nsis-1.2.0-hang.exe", patch.NSIS, "machine")))
	if _, err := s.Apply(ctx, to(item, "1.2.0")); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("one that hangs: %v", err)
	}
	s.must("1.0.0", name)
	if err := take("bed-nsis-1.2.0-code.exe", "1.2.0"); err != nil {
		t.Errorf("one that asks for a reboot: %v", err)
	}
	if item := s.must("1.2.0", name); !item.Restart {
		t.Error("that it asked for a restart is forgotten")
	}
	if err := take("bed-nsis-1.3.0-code.exe", "1.3.0"); err == nil { // it installs, and says that it failed
		t.Error("an installer that says that it failed passes")
	}
	s.must("1.3.0", name)
}

// Only the signer that the catalogue names is taken. Wine's own check takes any signer for
// known: what refuses the stranger is the pin.
func TestRealSignersAreHeldToThePin(t *testing.T) {
	b, err := os.ReadFile(filepath.Join(folder, "signer.txt"))
	if err != nil {
		t.Fatal(err)
	}
	pin := &patch.Signer{Name: "Known Works", Certificate: string(b)}
	s := newScene(t)
	for _, c := range []struct {
		file, says string
		kind       patch.InstallerKind
		system     bool // whether Windows itself accepts it
	}{
		{"signed.exe", "", patch.NSIS, true}, {"stranger.exe", "another certificate", patch.NSIS, true},
		{"unsigned.exe", "not signed", patch.NSIS, false}, {"tampered.exe", "does not hold", patch.NSIS, false},
		{"signed.msi", "", patch.MSI, true}, {"stranger.msi", "another certificate", patch.MSI, true},
	} {
		i := s.installer(c.file, c.kind, "machine")
		i.Signer = pin
		f, err := s.store.Open(t.Context(), i.SHA256, i.Size)
		if err != nil {
			t.Fatal(err)
		}
		if err := (host.Host{}).Trusted(t.Context(), f); (err == nil) != c.system {
			t.Errorf("%s: the system says %v", c.file, err)
		}
		err = errors.Join(sameBytes(f, i), s.checkSigner(t.Context(), f, i))
		if (err == nil) != (c.says == "") || err != nil && (!errors.Is(err, provider.ErrRefused) || !strings.Contains(err.Error(), c.says)) {
			t.Errorf("%s: %v", c.file, err)
		}
		f.Close()
	}
}

// A file cannot be changed between the look at it and its use.
func TestRealFilesStayWhatWasChecked(t *testing.T) {
	s := newScene(t)
	i := s.installer("bed-nsis-1.0.0.exe", patch.NSIS, "machine")
	f, err := s.store.Open(t.Context(), i.SHA256, i.Size)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := sameBytes(f, i); err != nil {
		t.Error(err)
	}
	if w, err := os.OpenFile(f.Path(), os.O_WRONLY, 0); err == nil {
		w.Close()
		t.Error("it could be opened for writing while it is checked")
	}
	if err := os.Rename(f.Path(), f.Path()+".away"); err == nil {
		t.Error("it could be moved away while it is checked")
		_ = os.Rename(f.Path()+".away", f.Path())
	}
}

// Three hundred programs are read in little time.
func TestRealScanIsCheap(t *testing.T) {
	const many = 300
	list, _, err := registry.CreateKey(registry.LOCAL_MACHINE, strings.TrimPrefix(machineList, `HKLM\`), registry.ALL_ACCESS)
	if err != nil {
		t.Fatal(err)
	}
	defer list.Close()
	for n := range many {
		k, _, err := registry.CreateKey(list, fmt.Sprintf("Many%03d", n), registry.ALL_ACCESS)
		if err != nil {
			t.Fatal(err)
		}
		for name, value := range map[string]string{"DisplayName": fmt.Sprintf("Many %03d Tool", n), "DisplayVersion": "1.2.3", "Publisher": "Many Inc.",
			"InstallLocation": `C:\Program Files\Many`, "UninstallString": `"C:\Program Files\Many\uninstall.exe"`, "InstallDate": "20260101"} {
			if err := k.SetStringValue(name, value); err != nil {
				t.Fatal(err)
			}
		}
		k.Close()
	}
	s := newScene(t)
	items, err := s.Installed(t.Context())
	if err != nil || len(items) < many {
		t.Fatalf("%d items, %v", len(items), err)
	}
	var before, after windows.Rusage
	self := windows.CurrentProcess()
	usage := func(r *windows.Rusage) {
		if err := windows.GetProcessTimes(self, &r.CreationTime, &r.ExitTime, &r.KernelTime, &r.UserTime); err != nil {
			t.Fatal(err)
		}
	}
	const rounds = 10
	usage(&before)
	began := time.Now()
	for range rounds {
		if _, err := s.Available(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	wall := time.Since(began) / rounds
	usage(&after)
	cpu := func(r windows.Rusage) time.Duration {
		return time.Duration(r.KernelTime.Nanoseconds() + r.UserTime.Nanoseconds())
	}
	spent := (cpu(after) - cpu(before)) / rounds
	usage(&before)
	for range rounds {
		loop(t)
	}
	usage(&after)
	floor := (cpu(after) - cpu(before)) / rounds
	t.Logf("%s of wall time", wall)
	fmt.Printf("FIGURE scan_of_300_programs,_wine %.0f ms bare_loop %.0f %.1f <=150\n", float64(spent.Microseconds())/1000,
		float64(floor.Microseconds())/1000, float64(spent)/float64(max(floor, 1)))
	if spent > time.Second {
		t.Errorf("it took %s", spent)
	}
}

// TestRealProgramsInUseAreSeenAndEnded: what runs from a program's folder is in use, what runs
// from beside it is not, and only the very process that was seen is ended.
func TestRealProgramsInUseAreSeenAndEnded(t *testing.T) {
	s := newScene(t)
	byHand(t, filepath.Join(folder, "bed-nsis-1.0.0.exe"), "/S")
	item := s.must("1.0.0", "Bed NSIS")
	waits, err := os.ReadFile(`C:\windows\system32\cmd.exe`) // for a line, which never comes
	if err != nil {
		t.Fatal(err)
	}
	never, end, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { end.Close() })
	start := func(dir string) *os.Process {
		path := filepath.Join(dir, "editor.exe")
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, waits, 0o755); err != nil {
			t.Fatal(err)
		}
		p, err := os.StartProcess(path, []string{path}, &os.ProcAttr{Files: []*os.File{never, os.Stdout, os.Stderr}})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { p.Kill(); p.Wait() })
		return p
	}
	beside := start(`C:\Program Files\Bed NSIS Two`)
	inUse := func() []provider.Process {
		open, err := s.InUse(t.Context(), to(item, "1.1.0"))
		if err != nil {
			t.Fatal(err)
		}
		return open
	}
	if open := inUse(); len(open) != 0 {
		t.Fatalf("in use before it was opened: %+v", open)
	}
	p := start(`C:\Program Files\Bed NSIS`)
	open := inUse()
	if len(open) != 1 || int(open[0].ID) != p.Pid || open[0].Session == 0 || open[0].Began.IsZero() {
		t.Fatalf("in use: %+v, want process %d", open, p.Pid)
	}
	other := open[0]
	other.Began = other.Began.Add(-time.Second)
	if err := (host.Host{}).End(t.Context(), other); err != nil || len(inUse()) != 1 {
		t.Errorf("another process of the same number was ended: %v", err)
	}
	if err := (host.Host{}).End(t.Context(), open[0]); err != nil || len(inUse()) != 0 {
		t.Errorf("it is still in use, %v", err)
	}
	if err := (host.Host{}).End(t.Context(), open[0]); err != nil {
		t.Errorf("ended once more: %v", err)
	}
	if host := (host.Host{}).Machine(); !slices.ContainsFunc(host.Processes, func(o provider.Process) bool { return int(o.ID) == beside.Pid }) {
		t.Error("what runs beside it was ended too")
	}
}

// loop asks for every value of the list and does nothing with it: a floor for what a scan costs.
func loop(t *testing.T) {
	list, err := registry.OpenKey(registry.LOCAL_MACHINE, strings.TrimPrefix(machineList, `HKLM\`), registry.READ)
	if err != nil {
		t.Fatal(err)
	}
	defer list.Close()
	enumerate := windows.NewLazySystemDLL("advapi32.dll").NewProc("RegEnumValueW")
	name, data := make([]uint16, 256), make([]byte, 2<<10)
	names, err := list.ReadSubKeyNames(-1)
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range names {
		k, err := registry.OpenKey(list, key, registry.QUERY_VALUE)
		if err != nil {
			t.Fatal(err)
		}
		for n, code := 0, uintptr(0); code == 0; n++ {
			nameLen, dataLen := uint32(len(name)), uint32(len(data))
			code, _, _ = enumerate.Call(uintptr(k), uintptr(n), uintptr(unsafe.Pointer(&name[0])), uintptr(unsafe.Pointer(&nameLen)), 0, 0,
				uintptr(unsafe.Pointer(&data[0])), uintptr(unsafe.Pointer(&dataLen)))
		}
		k.Close()
	}
}
