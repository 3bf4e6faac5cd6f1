package trust

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"patchbay/patch"
	"patchbay/wire"
)

var aSum = strings.Repeat("ab", 32)

func catalogOf(version int64, change ...func(*wire.Catalog)) wire.Catalog {
	c := wire.Catalog{Version: version, Root: 1, IssuedAt: t0, Expires: t0.Add(90 * day24), Packages: []patch.Package{{
		Provider: "winget", ID: "7zip.7zip", Name: "7-Zip", Publisher: "Igor Pavlov", Marks: []patch.Mark{{Name: "7-Zip", Publisher: "Igor Pavlov"}},
		Releases: []patch.Release{{Version: "24.08", Installers: []patch.Installer{{SHA256: aSum, Size: 10, URL: "https://7-zip.org/a/7z.exe", File: "7z.exe", Kind: patch.EXE,
			Architecture: "x64", Switches: []string{"/S"}, Signer: &patch.Signer{Name: "Igor", Certificate: aSum}}}}}}}}
	for _, f := range change {
		f(&c)
	}
	return c
}

// first changes the first installer.
func first(change func(*patch.Installer)) func(*wire.Catalog) {
	return func(c *wire.Catalog) { change(&c.Packages[0].Releases[0].Installers[0]) }
}

func catalogAttacks() map[string]cell {
	robbed := func(t *testing.T) State {
		return takes(t, ground(t), seal(t, wire.CatalogDocument, catalogOf(1<<40, first(func(i *patch.Installer) { i.Signer = nil })), "p1"))
	}
	return map[string]cell{
		"arbitrary": {try: func(t *testing.T) {
			for _, signer := range []string{"thief", "s1", "r1", "a1"} {
				refuses(t, ground(t), seal(t, wire.CatalogDocument, catalogOf(6), signer), wire.ErrSignature)
			}
			refuses(t, enrolled(), seal(t, wire.CatalogDocument, catalogOf(6), "p1"), wire.ErrSignature)
			nobody := takes(t, enrolled(), seal(t, wire.RootDocument, rootOf(1, func(r *wire.Root) { r.Publisher, r.Limits = wire.Role{}, 0 }), "r1", "r2"))
			refuses(t, nobody, seal(t, wire.CatalogDocument, catalogOf(6), "p1"), wire.ErrSignature)
			refuses(t, nobody, seal(t, wire.CatalogDocument, catalogOf(6)), wire.ErrSignature)
		}},
		"endless data": {try: func(t *testing.T) {
			refuses(t, ground(t), endless(t, wire.CatalogDocument, "p1"), ErrForm)
			refuses(t, ground(t), crowded(seal(t, wire.CatalogDocument, catalogOf(6), "p1")), nil)
			for _, change := range []func(*wire.Catalog){
				func(c *wire.Catalog) { c.Packages = make([]patch.Package, wire.MaxPackages+1) },
				func(c *wire.Catalog) { c.Packages[0].Marks = make([]patch.Mark, wire.MaxMarks+1) },
				func(c *wire.Catalog) { c.Packages[0].Releases = make([]patch.Release, wire.MaxReleases+1) },
				func(c *wire.Catalog) {
					c.Packages[0].Releases[0].Installers = make([]patch.Installer, wire.MaxInstallers+1)
				},
				first(func(i *patch.Installer) { i.Switches = make([]string, 51) }),
				first(func(i *patch.Installer) { i.Switches = []string{strings.Repeat("x", 2001)} }),
				first(func(i *patch.Installer) { i.Reboot = make([]int64, 101) }),
				first(func(i *patch.Installer) { i.URL = "https://x/" + strings.Repeat("x", 2048) }),
			} {
				refuses(t, ground(t), seal(t, wire.CatalogDocument, catalogOf(6, change), "p1"), ErrForm)
			}
		}},
		"extraneous": {try: func(t *testing.T) {
			for i, change := range []func(*wire.Catalog){
				func(c *wire.Catalog) { c.Packages = append(c.Packages, c.Packages[0]) },
				func(c *wire.Catalog) {
					c.Packages = append(c.Packages, c.Packages[0])
					c.Packages[1].ID = "1"
				},
				func(c *wire.Catalog) { c.Root = 0 },
				func(c *wire.Catalog) { c.Packages[0].Provider = "" },
				func(c *wire.Catalog) { c.Packages[0].ID = "a\nb" },
				func(c *wire.Catalog) { c.Packages[0].Marks = nil },
				func(c *wire.Catalog) { c.Packages[0].Marks[0].Publisher = "" }, // a name alone
				func(c *wire.Catalog) { c.Packages[0].Marks[0].Line = "\x00" },
				func(c *wire.Catalog) { c.Packages[0].Releases[0].Installers = nil },
				func(c *wire.Catalog) { c.Packages[0].Releases[0].Security = "perhaps" },
				func(c *wire.Catalog) {
					c.Packages[0].Releases = append(c.Packages[0].Releases, c.Packages[0].Releases[0])
				},
				first(func(i *patch.Installer) { i.SHA256 = strings.ToUpper(i.SHA256) }),
				first(func(i *patch.Installer) { i.SHA256 = "" }),
				first(func(i *patch.Installer) { i.Size = 0 }),
				first(func(i *patch.Installer) { i.Kind = "" }),
				first(func(i *patch.Installer) { i.Scope = "everybody" }),
				first(func(i *patch.Installer) { i.File = `..\x.exe` }),
				first(func(i *patch.Installer) { i.File = ".." }),
				first(func(i *patch.Installer) { i.File = "a:b" }),
				first(func(i *patch.Installer) { i.Nested = "../x.exe" }),
				first(func(i *patch.Installer) { i.Nested = "/x.exe" }),
				first(func(i *patch.Installer) { i.URL = "file:///x" }),
				first(func(i *patch.Installer) { i.Signer = &patch.Signer{Name: "x"} }),
				first(func(i *patch.Installer) { i.Signer = &patch.Signer{Certificate: aSum} }),
				first(func(i *patch.Installer) { i.Switches = []string{"/S\r\n/x"} }),
				first(func(i *patch.Installer) { i.Remove = []string{"\x1b[2J"} }),
				first(func(i *patch.Installer) { i.Needs = []string{""} }),
				first(func(i *patch.Installer) { i.Asks = []string{"\x1b[2J"} }),
			} {
				t.Run(fmt.Sprint(i), func(t *testing.T) {
					refuses(t, ground(t), seal(t, wire.CatalogDocument, catalogOf(6, change), "p1"), ErrForm)
				})
			}
		}},
		"fast-forward": {try: func(t *testing.T) {
			refuses(t, ground(t), seal(t, wire.CatalogDocument, catalogOf(1<<40+1), "p1"), ErrForm)
			s := takes(t, robbed(t), seal(t, wire.RootDocument, rootOf(2, func(r *wire.Root) { r.Publisher = role(1, "p2") }), "r1", "r2"))
			if s.Catalog != nil || s.Held().Catalog != 0 {
				t.Error("the thief's catalogue outlives his key")
			}
			if s = takes(t, s, seal(t, wire.CatalogDocument, catalogOf(1), "p2")); s.Held().Catalog != 1 {
				t.Errorf("%+v", s.Held())
			}
		}},
		"indefinite freeze": {try: func(t *testing.T) {
			c, err := ground(t).Catalog.Read()
			if err != nil || !c.Expires.Equal(t0.Add(90*day24)) {
				t.Errorf("who installs from it cannot see its end: %v, %v", c.Expires, err)
			}
			refuses(t, ground(t), seal(t, wire.CatalogDocument, catalogOf(6, func(c *wire.Catalog) { c.Expires = t0.AddDate(100, 0, 0) }), "p1"), ErrForm)
			refuses(t, ground(t), seal(t, wire.CatalogDocument, catalogOf(6, func(c *wire.Catalog) { c.Expires = time.Time{} }), "p1"), ErrForm)
		}},
		"mix-and-match": {try: func(t *testing.T) {
			refuses(t, ground(t), seal(t, wire.CatalogDocument, catalogOf(6, func(c *wire.Catalog) { c.Root = 2 }), "p1"), ErrGap)
			s := takes(t, ground(t), seal(t, wire.RootDocument, rootOf(2, func(r *wire.Root) { r.Publisher = wire.Role{} }), "r1", "r2"))
			if s.Catalog != nil {
				t.Error("a catalogue stays that nobody may sign any more")
			}
			if s := takes(t, ground(t), seal(t, wire.RootDocument, rootOf(2), "r1", "r2")); s.Held().Catalog != 5 {
				t.Error("a root that names the same publisher takes the catalogue away")
			}
		}},
		"rollback": {try: func(t *testing.T) {
			refuses(t, ground(t), seal(t, wire.CatalogDocument, catalogOf(4), "p1"), ErrKnown)
			refuses(t, ground(t), seal(t, wire.CatalogDocument, catalogOf(5, func(c *wire.Catalog) { c.Packages = nil }), "p1"), ErrKnown)
		}},
		"key compromise": {try: func(t *testing.T) {
			two := func(r *wire.Root) { r.Publisher = role(2, "p1", "p2") }
			s := takes(t, enrolled(), seal(t, wire.RootDocument, rootOf(1, two), "r1", "r2"))
			refuses(t, s, seal(t, wire.CatalogDocument, catalogOf(1), "p1"), wire.ErrSignature)
			refuses(t, s, seal(t, wire.CatalogDocument, catalogOf(1), "p1", "p1", "s1", "r1"), wire.ErrSignature)
			takes(t, s, seal(t, wire.CatalogDocument, catalogOf(1), "p1", "p2"))
			s = takes(t, robbed(t), seal(t, wire.RootDocument, rootOf(2, func(r *wire.Root) { r.Publisher = role(1, "p2") }), "r1", "r2"))
			refuses(t, s, seal(t, wire.CatalogDocument, catalogOf(1<<40), "p1"), wire.ErrSignature)
		}},
		"wrong software": {try: func(t *testing.T) {
			refuses(t, ground(t), as(seal(t, wire.LimitsDocument, catalogOf(6), "p1"), wire.CatalogDocument), wire.ErrSignature)
			refuses(t, ground(t), as(seal(t, wire.ApprovalDocument, catalogOf(6), "p1"), wire.CatalogDocument), wire.ErrSignature)
		}},
	}
}

// Kinds and architectures that come later are taken: an agent passes them over.
func TestCatalogsMaySayWhatIsNotKnownYet(t *testing.T) {
	takes(t, ground(t), seal(t, wire.CatalogDocument, catalogOf(6, first(func(i *patch.Installer) { i.Kind, i.Architecture = "quantum", "qpu" })), "p1"))
}
