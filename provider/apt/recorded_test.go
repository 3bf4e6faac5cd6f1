package apt

import (
	"errors"
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
	"patchbay/provider"
	"patchbay/provider/providertest"
)

const recording = "testdata/debian12"

// recorded opens the provider on the recording, with the files changed as told: nil takes
// a file away.
func recorded(t *testing.T, change map[string][]byte) (*Apt, *providertest.Host) {
	t.Helper()
	files := fstest.MapFS{}
	root := os.DirFS(recording + "/files")
	err := fs.WalkDir(root, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := fs.ReadFile(root, name)
		files[name] = &fstest.MapFile{Data: b, ModTime: time.Unix(1_790_000_000, 0), Mode: 0o644}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for name, b := range change {
		delete(files, name)
		if b != nil {
			files[name] = &fstest.MapFile{Data: b, ModTime: time.Unix(1_790_000_000, 0), Mode: 0o644}
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
	return p.(*Apt), h
}

func updatesByName(o patch.Offer) map[string]patch.Update {
	m := map[string]patch.Update{}
	for _, u := range o.Updates {
		m[u.Name] = u
	}
	return m
}

func TestOfferOfTheRecordedMachine(t *testing.T) {
	a, _ := recorded(t, nil)
	offer, err := a.Available(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	on := updatesByName(offer)
	open := 0
	for _, u := range on {
		if u.Block == patch.NotBlocked {
			open++
			if u.Size == 0 || len(u.SHA256) != 64 || u.Origin != "Debian" || u.Suite == "" || len(u.Classes) == 0 || !newer(u.Available, u.Installed) {
				t.Errorf("%+v is not whole", u)
			}
		}
	}
	if open != 17 || len(on) != 20 {
		t.Errorf("%d updates of %d are open, want 17 of 20", open, len(on))
	}
	for name, want := range map[string]patch.Update{
		"bash":           {Block: patch.Held, Suite: "bookworm", Classes: []patch.Class{patch.BugFix}},
		"zip":            {Block: patch.Pinned, Suite: "bookworm-security", Classes: []patch.Class{patch.Security}},
		"libssl3":        {Block: patch.Pinned, Suite: "bookworm-security", Classes: []patch.Class{patch.Security}},
		"tzdata":         {Suite: "bookworm-security", Classes: []patch.Class{patch.Security}},
		"curl":           {Suite: "bookworm", Classes: []patch.Class{patch.BugFix}},
		"openssh-client": {Suite: "bookworm", Classes: []patch.Class{patch.BugFix, patch.Security}}, // overtaken on the way
		"krb5-locales":   {Suite: "bookworm-security", Classes: []patch.Class{patch.BugFix, patch.Security}},
	} {
		u := on[name]
		if u.Block != want.Block || u.Suite != want.Suite || !slices.Equal(u.Classes, want.Classes) || (u.Block != "") != (u.BlockWhy != "") {
			t.Errorf("%s is %+v, want %+v", name, u, want)
		}
	}
	if why := on["libssl3"].BlockWhy; !strings.Contains(why, "/etc/apt/preferences.d/libssl") {
		t.Errorf("why libssl3 is pinned: %q", why)
	}
	if !slices.IsSortedFunc(offer.Updates, func(a, b patch.Update) int { return a.Key().Compare(b.Key()) }) {
		t.Error("the updates are not sorted")
	}
}

func TestItemsOfTheRecordedMachine(t *testing.T) {
	a, _ := recorded(t, nil)
	items, err := a.Installed(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	by := map[string]patch.Item{}
	for _, i := range items {
		by[i.Name] = i
	}
	for name, want := range map[string]patch.Item{
		"google-cloud-cli": {Version: "528.0.0-0", Architecture: "amd64", Orphan: true},
		"bash":             {Version: "5.2.15-2+b8", Architecture: "amd64", SourceVersion: "5.2.15-2", Held: true, Auto: true},
		"adduser":          {Version: "3.134", Architecture: "all", Origin: "Debian", Auto: true},
		"openssh-client":   {Version: "1:9.2p1-2+deb12u6", Architecture: "amd64", Source: "openssh"},
	} {
		want.Provider, want.Name = "apt", name
		if by[name] != want {
			t.Errorf("got %+v, want %+v", by[name], want)
		}
	}
}

func TestSourcesOfTheRecordedMachine(t *testing.T) {
	a, _ := recorded(t, nil)
	offer, err := a.Available(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(offer.Sources) != 3 {
		t.Fatalf("the sources are %+v", offer.Sources)
	}
	s := offer.Sources[2]
	if s.Name != "http://mirror.example.org/debian-security bookworm-security" || s.Origin != "Debian" || s.ThirdParty || s.SignedAt == nil ||
		s.ValidUntil == nil || s.RefreshedAt != nil || s.Error != "" || s.Suite != "bookworm-security" {
		t.Errorf("the security source is %+v", s)
	}
}

// TestAnyDamageToAListIsAnError is the law: whatever is wrong with what the sources said,
// it is never taken for "nothing is missing".
func TestAnyDamageToAListIsAnError(t *testing.T) {
	const release = "var/lib/apt/lists/mirror.example.org_debian-security_dists_bookworm-security_InRelease"
	const packages = "var/lib/apt/lists/mirror.example.org_debian-security_dists_bookworm-security_main_binary-amd64_Packages"
	whole, err := os.ReadFile(path.Join(recording, "files", packages))
	if err != nil {
		t.Fatal(err)
	}
	damage := map[string]map[string][]byte{
		"no list":          {packages: nil},
		"no index":         {release: nil},
		"empty list":       {packages: {}},
		"empty index":      {release: {}},
		"garbage index":    {release: []byte("\x00\x01\x02")},
		"garbage list":     {packages: []byte("\x00\x01\x02")},
		"damaged lz4 list": {packages: nil, packages + ".lz4": []byte("\x04\x22\x4d\x18garbage")},
		"damaged gz list":  {packages: nil, packages + ".gz": []byte("garbage")},
	}
	for cut := 0; cut < len(whole); cut += 997 {
		damage["list cut at "+string(rune('a'+cut/997))] = map[string][]byte{packages: whole[:cut]}
	}
	for name, change := range damage {
		a, _ := recorded(t, change)
		offer, err := a.Available(t.Context())
		if err == nil || !strings.Contains(err.Error(), "bookworm-security") {
			t.Errorf("%s: the error is %v", name, err)
		}
		if len(offer.Updates) == 0 || len(offer.Sources) != 3 {
			t.Errorf("%s: what the other sources say is lost", name)
		}
		items, err := a.Installed(t.Context())
		if err != nil || slices.ContainsFunc(items, func(i patch.Item) bool { return i.Orphan }) {
			t.Errorf("%s: %v, or something is called an orphan though nobody knows", name, err)
		}
	}
}

func TestDamagedRecordIsAnError(t *testing.T) {
	for name, status := range map[string]string{
		"empty":       "",
		"garbage":     "\x00\x01",
		"cut short":   "Package: bash\nStatus: install ok installed\n",
		"odd state":   "Package: bash\nStatus: install ok wonderful\nVersion: 1\nArchitecture: all\n",
		"hostile":     "Package: -o=Evil\nStatus: install ok installed\nVersion: 1\nArchitecture: all\n",
		"two in line": "Package: a b\nStatus: install ok installed\nVersion: 1\nArchitecture: all\n",
	} {
		a, _ := recorded(t, map[string][]byte{statusFile: []byte(status)})
		if _, err := a.Installed(t.Context()); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestJournalOfAnInterruptedRunCounts(t *testing.T) {
	a, _ := recorded(t, map[string][]byte{
		journalDir + "/0000":   []byte("Package: curl\nStatus: install ok half-configured\nArchitecture: amd64\nVersion: 7.88.1-10+deb12u15\n"),
		journalDir + "/0001":   []byte("Package: zip\nStatus: deinstall ok config-files\nArchitecture: amd64\nVersion: 3.0-13\n"),
		journalDir + "/tmp.i":  []byte("half a draft"),
		"var/lib/dpkg/updates": nil,
	})
	in, err := readInstalled(a.env.Host.Files())
	if err != nil {
		t.Fatal(err)
	}
	if i := in.items[id{"curl", "amd64"}]; i.Broken != "half-configured" || i.Version != "7.88.1-10+deb12u15" {
		t.Errorf("curl is %+v", i)
	}
	if _, ok := in.items[id{"zip", "amd64"}]; ok {
		t.Error("zip is still there")
	}
}

func TestOddAnswersOfAptAreErrors(t *testing.T) {
	for name, res := range map[string]provider.Result{
		"failed":      {Code: 100, Stderr: "E: The list of sources could not be read.\n"},
		"silent":      {},
		"cut short":   {Stdout: "The following packages will be upgraded:\n   bash (1 => 2)\n"},
		"miscounted":  {Stdout: "The following packages will be upgraded:\n   bash (1 => 2)\n2 upgraded, 0 newly installed, 0 to remove and 0 not upgraded.\n"},
		"nonsense":    {Stdout: "The following packages will be upgraded:\n   -o evil (1 => 2)\n1 upgraded, 0 newly installed, 0 to remove and 0 not upgraded.\n"},
		"no versions": {Stdout: "The following packages will be upgraded:\n   bash\n1 upgraded, 0 newly installed, 0 to remove and 0 not upgraded.\n"},
	} {
		a, h := recorded(t, nil)
		h.Answer(res, "apt-get", "--print-uris", "-V", "dist-upgrade")
		if _, err := a.Available(t.Context()); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestNothingChangedCostsNoProgram(t *testing.T) {
	a, h := recorded(t, nil)
	for range 3 {
		if _, err := a.Available(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, err := a.Installed(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if ran := h.Ran(); len(ran) != 2 {
		t.Errorf("ran %q", ran)
	}
	files := h.Files().(fstest.MapFS)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if !strings.HasPrefix(name, "var/lib/") && !strings.HasPrefix(name, "etc/apt/") {
			continue
		}
		before := len(h.Ran())
		files[name].ModTime = files[name].ModTime.Add(time.Second)
		if _, err := a.Available(t.Context()); err != nil {
			t.Fatal(err)
		}
		if len(h.Ran()) == before {
			t.Errorf("%s changed and nobody looked", name)
		}
	}
}

func TestOnlyPackagesReachTheCommandLine(t *testing.T) {
	a, h := recorded(t, nil)
	for _, u := range []patch.Update{
		{Name: "-o", Available: "1"}, {Name: "bash", Available: "1 -o x"}, {Name: "bash", Available: "--force"}, {Name: "bash/sid", Available: "1"},
		{Name: "bash", Architecture: "amd64=1", Available: "9"}, {Name: "bash*", Available: "9"}, {Name: "", Available: "9"}, {Name: "bash", Available: ""},
		{Name: "../x.deb", Available: "9"}, {Name: "bash\nzip", Available: "9"}, {Name: "not-here", Available: "9"}, {Name: "zip", Available: "1"},
	} {
		_, err := a.Apply(t.Context(), provider.Request{Updates: []patch.Update{u}})
		if !errors.Is(err, provider.ErrRefused) {
			t.Errorf("%+v: the error is %v", u, err)
		}
	}
	if len(h.Ran()) != 0 {
		t.Errorf("ran %q", h.Ran())
	}
}

func TestVersionThatIsGoneIsRefused(t *testing.T) {
	a, _ := recorded(t, nil)
	_, err := a.Apply(t.Context(), provider.Request{Updates: []patch.Update{{Name: "curl", Architecture: "amd64", Available: "9.9"}}})
	if !errors.Is(err, provider.ErrRefused) || !strings.Contains(err.Error(), "was not found") {
		t.Errorf("the error is %v", err)
	}
}

func TestAbsentWhereThereIsNoDpkg(t *testing.T) {
	h, err := providertest.New(strings.NewReader(""), fstest.MapFS{"etc/os-release": {}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Kind().Open(t.Context(), provider.Env{Host: h}); !errors.Is(err, provider.ErrAbsent) {
		t.Errorf("the error is %v", err)
	}
}
