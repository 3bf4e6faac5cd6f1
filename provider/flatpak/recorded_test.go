package flatpak

import (
	"bytes"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"patchbay/patch"
	"patchbay/provider"
	"patchbay/provider/providertest"
)

const (
	recording = "testdata/debian12"
	helloID   = "org.example.Hello"
)

// recorded opens the provider on the recording, with the files changed as told: nil takes a
// file away.
func recorded(t testing.TB, change map[string][]byte) (*Flatpak, *providertest.Host, fstest.MapFS) {
	t.Helper()
	files := fstest.MapFS{}
	root := os.DirFS(recording + "/files")
	err := fs.WalkDir(root, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		if d.Type()&fs.ModeSymlink != 0 {
			link, err := fs.ReadLink(root, name)
			files[name] = &fstest.MapFile{Data: []byte(link), Mode: fs.ModeSymlink | 0o777}
			return err
		}
		b, err := fs.ReadFile(root, name)
		files[name] = &fstest.MapFile{Data: b, Mode: 0o644}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for name, b := range change {
		if files[name] == nil {
			t.Fatalf("the recording has no %s", name)
		}
		if delete(files, name); b != nil {
			files[name] = &fstest.MapFile{Data: b, Mode: 0o644}
		}
	}
	f, err := os.Open(recording + "/commands.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	h, err := providertest.New(f, files)
	if err != nil {
		t.Fatal(err)
	}
	p, err := open(t.Context(), provider.Env{Host: h, Log: slog.New(slog.DiscardHandler), Records: providertest.Records{}, Now: func() time.Time { return time.Unix(1_795_000_000, 0) }})
	if err != nil {
		t.Fatal(err)
	}
	return p.(*Flatpak), h, files
}

// file finds a recorded file by how its name ends.
func file(t testing.TB, end string) (name string, b []byte) {
	t.Helper()
	_, _, files := recorded(t, nil)
	for name, f := range files {
		if strings.HasSuffix(name, end) {
			return name, f.Data
		}
	}
	t.Fatalf("nothing recorded ends in %s", end)
	return "", nil
}

func helloItem(t *testing.T, f *Flatpak) patch.Item {
	t.Helper()
	items, err := f.Installed(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(items, func(i patch.Item) bool { return i.Name == helloID })
	if i < 0 {
		t.Fatalf("the items are %+v", items)
	}
	return items[i]
}

func TestRecordedDevice(t *testing.T) {
	f, h, _ := recorded(t, nil)
	if i := helloItem(t, f); !strings.HasPrefix(i.Version, "20260101.120000-") || i.SourceVersion != "1.0" || i.Origin != "bed" || i.Orphan || i.Auto || i.Broken != "" {
		t.Errorf("it is %+v", i)
	}
	offer, err := f.Available(t.Context())
	if err != nil || len(offer.Updates) != 2 || len(offer.Sources) != 1 || len(offer.Notes) != 0 {
		t.Fatalf("%v, %+v", err, offer)
	}
	for _, u := range offer.Updates {
		if !newer(u.Available, u.Installed) || u.Origin != "bed" || u.Size == 0 || u.Block != "" {
			t.Errorf("it is %+v", u)
		}
	}
	if ran := h.Ran(); len(ran) != 0 {
		t.Errorf("looking ran %q", ran)
	}
	if s := offer.Sources[0]; s.Name != "bed http://apps.example.org" || s.SignedAt == nil || s.RefreshedAt != nil || s.Error != "" {
		t.Errorf("the source is %+v", s)
	}
}

// TestWhatIsDamagedIsNeverNothing is the law: whatever is wrong with what flatpak keeps, it is
// never taken for "nothing is missing", and no app disappears.
func TestWhatIsDamagedIsNeverNothing(t *testing.T) {
	for _, end := range []string{".sub", ".idx"} {
		name, whole := file(t, end)
		for _, b := range append(cuts(whole), nil, []byte("\x00\x01\x02"), slices.Concat(whole, whole)) {
			f, _, _ := recorded(t, map[string][]byte{name: b})
			offer, err := f.Available(t.Context())
			if err == nil || len(offer.Sources) != 1 || offer.Sources[0].Error == "" {
				t.Errorf("%s of %d bytes: %v, %+v", path.Base(name), len(b), err, offer.Sources)
			}
			if i := helloItem(t, f); i.Orphan {
				t.Error("something is called an orphan though nobody knows")
			}
		}
	}
	// A list that can be read in full, and is not the one that was signed.
	name, whole := file(t, ".sub")
	f, _, _ := recorded(t, map[string][]byte{name: bytes.Replace(whole, []byte("command=hello"), []byte("command=evils"), 1)})
	if _, err := f.Available(t.Context()); err == nil || !strings.Contains(err.Error(), "signed index") {
		t.Errorf("a list that nobody signed was believed: %v", err)
	}
	for _, name := range []string{"var/lib/flatpak/repo/config"} {
		f, _, _ := recorded(t, map[string][]byte{name: []byte("\x00garbage")})
		if _, err := f.Installed(t.Context()); err == nil {
			t.Errorf("%s is garbage, and nobody says so", name)
		}
	}
	var deploy string
	_, _, files := recorded(t, nil)
	for name := range files {
		if strings.Contains(name, helloID) && strings.HasSuffix(name, "/deploy") {
			deploy = name
		}
	}
	for _, b := range append(cuts(files[deploy].Data), nil, []byte("garbage")) {
		f, _, _ := recorded(t, map[string][]byte{deploy: b})
		if i := helloItem(t, f); i.Broken == "" || i.Version != "unknown" {
			t.Errorf("with %d bytes it is %+v", len(b), i)
		}
	}
}

func cuts(whole []byte) [][]byte {
	var list [][]byte
	for n := 0; n < len(whole); n += 7 {
		list = append(list, whole[:n])
	}
	return list
}

// TestLinksAreNotFollowed: what a user lays in the way is not read with the agent's rights.
func TestLinksAreNotFollowed(t *testing.T) {
	for _, at := range []string{"var/lib/flatpak/repo/config", "var/lib/flatpak/repo", "var/lib/flatpak/app", "var/lib/flatpak/app/" + helloID} {
		f, _, files := recorded(t, nil)
		moved := map[string]*fstest.MapFile{}
		for name, file := range files {
			if rest, ok := strings.CutPrefix(name, at); ok && (rest == "" || rest[0] == '/') {
				moved["elsewhere"+rest] = file
				delete(files, name)
			}
		}
		for name, file := range moved {
			files[name] = file
		}
		way := strings.Repeat("../", strings.Count(at, "/")) + "elsewhere"
		files[at] = &fstest.MapFile{Data: []byte(way), Mode: fs.ModeSymlink | 0o777}
		if items, err := f.Installed(t.Context()); err == nil {
			t.Errorf("%s is a link, and was followed or passed over: %+v", at, items)
		}
	}
}

func TestWhatMayNotBeIsRefusedBeforeAnythingRuns(t *testing.T) {
	good := patch.Update{Name: helloID, Architecture: "x86_64", Instance: "stable", Available: "20260601.120000-" + strings.Repeat("a", 64)}
	for name, spoil := range map[string]func(*patch.Update){
		"no version":           func(u *patch.Update) { u.Available = "2.0" },
		"an option as version": func(u *patch.Update) { u.Available = "20260601.120000---system" },
		"a short commit":       func(u *patch.Update) { u.Available = "20260601.120000-abc" },
		"no such app":          func(u *patch.Update) { u.Name = "org.example.Other" },
		"no such branch":       func(u *patch.Update) { u.Instance = "beta" },
		"no such user":         func(u *patch.Update) { u.Scope = "bob" },
	} {
		f, h, _ := recorded(t, nil)
		u := good
		spoil(&u)
		for verb, do := range map[string]func() error{
			"apply": func() error { _, err := f.Apply(t.Context(), provider.Request{Updates: []patch.Update{u}}); return err },
			"undo":  func() error { _, err := f.Undo(t.Context(), provider.Request{Updates: []patch.Update{u}}); return err },
			"stage": func() error { return f.Stage(t.Context(), provider.Request{Updates: []patch.Update{u}}) },
		} {
			if err := do(); !errors.Is(err, provider.ErrRefused) || len(h.Ran()) != 0 {
				t.Errorf("%s, %s: %v, ran %q", name, verb, err, h.Ran())
			}
		}
	}
}

// TestKeptListStandsIn: flatpak throws its lists away whenever it fetches something.
func TestKeptListStandsIn(t *testing.T) {
	f, _, files := recorded(t, nil)
	if _, err := f.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	before, err := f.Available(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for name := range files {
		if strings.Contains(name, "/summaries/") {
			delete(files, name)
		}
	}
	after, err := f.Available(t.Context())
	if err != nil || len(after.Updates) != len(before.Updates) || after.Updates[0].Available != before.Updates[0].Available {
		t.Errorf("%v, %+v", err, after)
	}
	// What came after that list is not known in it, and does not count as up to date.
	dir := "var/lib/flatpak/app/" + helloID
	for name, file := range files {
		if rest, ok := strings.CutPrefix(name, dir); ok {
			files["var/lib/flatpak/app/org.example.Later"+rest] = file
		}
	}
	if _, err := f.Available(t.Context()); err == nil {
		t.Error("an app that nobody asked about counts as up to date")
	}
}

func TestWordsOfFailures(t *testing.T) {
	for said, want := range map[string]error{
		"error: Unable to load summary from remote bed: While fetching http://x/summary.idx: [7] Couldn't connect to server": provider.ErrOffline,
		"error: While pulling app/x from remote bed: While fetching http://x/objects/a.commit: [52] Server returned nothing": provider.ErrOffline,
		"Error: While pulling app/x from remote bed: GPG verification enabled, but no signatures found":                      provider.ErrRefused,
		"error: Server returned status 404":                                                                  provider.ErrRefused,
		"Error: Failed to update x: Could not connect: No such file or directory":                            provider.ErrRefused,
		"Error: Failed to update x: Commit 1 has no requested ref ‘app/x’ in ref binding metadata (‘app/y’)": provider.ErrRefused,
		"error: min-free-space-size 500MB would be exceeded, at least 1 byte requested":                      provider.ErrRefused,
		"error: \xff\xfe": nil,
	} {
		err := failure(provider.Result{Code: 1, Stderr: said + "\n"})
		for _, kind := range []error{provider.ErrOffline, provider.ErrRefused, provider.ErrBusy} {
			if errors.Is(err, kind) != (kind == want) {
				t.Errorf("%q is %v", said, err)
			}
		}
	}
}
