package api

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
	"testing"
	"time"

	"patchbay/patch"
	"patchbay/server/view"
	"patchbay/wire"
)

// publishCatalog publishes a root and a catalogue of the packages.
func (w *world) publishCatalog(packages ...patch.Package) {
	w.t.Helper()
	key := func() (ed25519.PrivateKey, wire.Role) {
		_, k, err := ed25519.GenerateKey(rand.Reader)
		if err != nil {
			w.t.Fatal(err)
		}
		return k, wire.Role{Keys: [][]byte{k.Public().(ed25519.PublicKey)}, Threshold: 1}
	}
	first, root := key()
	k, publisher := key()
	w.publish(wire.RootDocument, wire.Root{Version: 1, Installation: "inst_1", IssuedAt: w.now, Expires: w.now.Add(365 * 24 * time.Hour), Root: root, Publisher: publisher}, first)
	if len(packages) > 0 {
		w.publish(wire.CatalogDocument, wire.Catalog{Version: 4, Root: 1, IssuedAt: w.now, Expires: w.now.Add(90 * 24 * time.Hour), Packages: packages}, k)
	}
}

func (w *world) publish(docType string, v any, k ed25519.PrivateKey) {
	w.t.Helper()
	e, err := wire.Seal(docType, v, k)
	if err != nil {
		w.t.Fatal(err)
	}
	do[Trust](w, 201, "POST", "/trust/documents", *e)
}

func installer(data string, signer *patch.Signer) patch.Installer {
	return patch.Installer{SHA256: sumOf([]byte(data)), Size: int64(len(data)), Kind: patch.MSI, Architecture: "x64", Scope: "machine", File: "setup.msi", Signer: signer}
}

// What is signed for is told with what of it is in the store and who has it; what is recalled
// is told, and neither newest nor missing.
func TestCatalogTellsWhatIsInTheStoreAndWhoIsBehind(t *testing.T) {
	w := newWorld(t, false).populated()
	sum := sha256.Sum256([]byte("certificate"))
	signer := &patch.Signer{Name: "Ada", Certificate: hex.EncodeToString(sum[:])}
	marks := []patch.Mark{{Name: "x", Publisher: "y"}}
	out := w.now.Add(-24 * time.Hour)
	w.publishCatalog(
		patch.Package{Provider: "winget", ID: "A.Tool", Name: "Zebra", Publisher: "Ada", Marks: marks, Releases: []patch.Release{
			{Version: "3", Recalled: "It loses files.", Installers: []patch.Installer{installer("a3", signer)}},
			{Version: "2", ReleasedAt: &out, Security: patch.Yes, Installers: []patch.Installer{installer("a2", signer)}},
			{Version: "1", Installers: []patch.Installer{installer("a1", signer)}}}},
		patch.Package{Provider: "winget", ID: "B.Tool", Name: "Ant", Marks: marks, Releases: []patch.Release{{Version: "1", Installers: []patch.Installer{installer("b1", nil)}}}})
	w.put(sumOf([]byte("a2")), "setup.msi", strings.NewReader("a2"))
	w.fleet.programs = map[view.PackageKey]view.Presence{{Provider: "winget", ID: "A.Tool"}: {Devices: 5, Behind: 2, Unknown: 1}}

	c := do[view.Catalog](w, 200, "GET", "/catalog", nil)
	if c.Version != 4 || c.Root != 1 || c.Signatures != 1 || c.Threshold != 1 || c.Packages != 2 || c.Installers != 3 || c.Missing != 2 || c.MissingIn != 2 || c.Unsigned != 1 ||
		c.Recalled != 1 || !c.AgesAt.Equal(w.now.Add(7*24*time.Hour)) || c.Enrolled != 1 {
		t.Errorf("%+v", c)
	}
	all := do[view.Page[view.Package]](w, 200, "GET", "/catalog/packages", nil)
	if all.Total != 2 || all.Items[0].Name != "Ant" || all.Items[1].Newest != "2" || all.Items[1].Before != "1" || all.Items[1].Recalled != 1 || all.Items[1].Missing != 1 || all.Items[1].Security != patch.Yes {
		t.Errorf("%+v", all)
	}
	for state, want := range map[string]string{"behind": "A.Tool", "recalled": "A.Tool", "unsigned": "B.Tool"} {
		if l := do[view.Page[view.Package]](w, 200, "GET", "/catalog/packages?state="+state, nil); l.Total != 1 || l.Items[0].ID != want {
			t.Errorf("%s: %+v", state, l)
		}
	}
	if l := do[view.Page[view.Package]](w, 200, "GET", "/catalog/packages?q=ada&sort=-behind&state=missing", nil); l.Total != 1 || l.Items[0].Behind != 2 {
		t.Errorf("%+v", l)
	}
	if l := do[view.Page[view.MissingFile]](w, 200, "GET", "/catalog/missing", nil); l.Total != 2 || l.Items[0].Name != "Ant" || l.Items[1].Version != "1" || l.Items[1].SHA256 != sumOf([]byte("a1")) {
		t.Errorf("%+v", l)
	}
	p := do[view.PackageDetail](w, 200, "GET", "/catalog/packages/winget/A.Tool", nil)
	if len(p.Releases) != 3 || p.Releases[0].Recalled == "" || p.Releases[1].Installers[0].State != "here" || p.Releases[2].Installers[0].State != "missing" ||
		p.Releases[1].Installers[0].Signer != "Ada" || p.Unknown != 1 {
		t.Errorf("%+v", p)
	}
	do[Problem](w, 404, "GET", "/catalog/packages/winget/C.Tool", nil)
	do[Problem](w, 422, "GET", "/catalog/packages?state=elsewhere", nil)
}

// Without a root, and without a catalogue, that is an answer and no failure.
func TestNoCatalogIsAnAnswer(t *testing.T) {
	w := newWorld(t, false).signedIn()
	if c := do[view.Catalog](w, 200, "GET", "/catalog", nil); c.Version != 0 || c.Root != 0 {
		t.Errorf("%+v", c)
	}
	w.publishCatalog()
	if c := do[view.Catalog](w, 200, "GET", "/catalog", nil); c.Version != 0 || c.Root != 1 || c.Threshold != 1 {
		t.Errorf("%+v", c)
	}
	if l := do[view.Page[view.Package]](w, 200, "GET", "/catalog/packages", nil); l.Total != 0 {
		t.Errorf("%+v", l)
	}
	w.cookie = ""
	for _, path := range []string{"/catalog", "/catalog/packages", "/catalog/packages/winget/A.Tool", "/catalog/missing"} {
		do[Problem](w, 401, "GET", path, nil)
	}
}

func TestItemsAreToldApartByWhoSeesToThem(t *testing.T) {
	for _, of := range []struct {
		item   patch.Item
		states []string
	}{
		{patch.Item{Name: "7-Zip", Source: "7zip.7zip"}, nil},
		{patch.Item{Name: "WinRAR", Orphan: true}, []string{"orphan"}},
		{patch.Item{Name: "Spotify", Scope: "ada", Orphan: true, Updater: "Spotify"}, []string{"self_updating", "personal"}},
		{patch.Item{Name: "curl", Held: true, Broken: "half-configured"}, []string{"broken", "held"}},
	} {
		for _, state := range []string{"orphan", "self_updating", "personal", "broken", "held"} {
			if got := isItem(state, of.item); got != slices.Contains(of.states, state) {
				t.Errorf("%s is %s: %v", of.item.Name, state, got)
			}
		}
		if !isItem("", of.item) {
			t.Errorf("%s is left out", of.item.Name)
		}
	}
}

func TestAnItemOfTheCatalogueNamesItsPackage(t *testing.T) {
	i := patch.Item{Provider: "winget", Name: "7-Zip", Source: "7zip.7zip"}
	if v := itemView(i, true); v.Catalog != "winget/7zip.7zip" {
		t.Errorf("%+v", v)
	}
	if v := itemView(i, false); v.Catalog != "" { // its source is a source package
		t.Errorf("%+v", v)
	}
	if v := itemView(patch.Item{Provider: "winget", Name: "WinRAR"}, true); v.Catalog != "" {
		t.Errorf("%+v", v)
	}
}

// A catalogue that ends soon is told at home, and leads to where the lines for the next one are.
func TestACatalogueThatEndsSoonLeadsToItsPage(t *testing.T) {
	w := newWorld(t, false).populated()
	w.publishCatalog(patch.Package{Provider: "winget", ID: "A.Tool", Name: "Zebra", Marks: []patch.Mark{{Name: "x", Publisher: "y"}}, Releases: []patch.Release{{Version: "1", Installers: []patch.Installer{installer("a1", nil)}}}})
	ends := func() []view.Attention {
		return chosen(do[view.Overview](w, 200, "GET", "/overview", nil).Attention, func(a view.Attention) bool { return strings.Contains(a.Sentence, "catalogue") })
	}
	if a := ends(); len(a) != 0 {
		t.Errorf("%+v", a)
	}
	w.now = w.now.Add(70 * 24 * time.Hour)
	w.cookie = must2(w.access.SignIn(t.Context(), "mia@example.test", testPassword, "", "x"))
	if a := ends(); len(a) != 1 || a[0].Kind != trustEnds || a[0].Link.Page != "catalog" {
		t.Errorf("%+v", a)
	}
}
