package winget

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"patchbay/patch"
	"patchbay/provider"
)

// bare is a machine without the tool, where it is wanted.
func bare(t *testing.T, kind patch.InstallerKind) *machine {
	m := tool(t, kind)
	for key := range m.keys {
		if strings.HasPrefix(key, list64+`\`) || strings.HasPrefix(key, machineCodes) {
			delete(m.keys, key)
		}
	}
	m.wishes = []patch.Wish{{Provider: providerName, Package: "maker.tool", Install: true}}
	return m
}

func (m *machine) available() patch.Offer {
	m.t.Helper()
	offer, err := m.open().Available(m.t.Context())
	if err != nil {
		m.t.Fatal(err)
	}
	return offer
}

func TestWhatIsWantedAndNotHereIsOnOffer(t *testing.T) {
	releases := func(m *machine) []patch.Release { return m.catalog.Packages[0].Releases }
	for _, c := range []struct {
		name  string
		edit  func(*machine)
		offer string // version and what blocks it
		notes string
	}{
		{"wanted", func(*machine) {}, "1.2", ""},
		{"within its pin", func(m *machine) { m.wishes[0].Pin = "1.1" }, "1.1", ""},
		{"beyond its pin alone", func(m *machine) { m.wishes[0].Pin = "1.0." }, "1.2", ""}, // it is held where the pin was set
		{"not wanted", func(m *machine) { m.wishes = nil }, "", ""},
		{"pinned alone", func(m *machine) { m.wishes[0].Install = false }, "", ""},
		{"here", func(m *machine) { m.entry(list64, "Tool", "Tool", "1.2", "Maker") }, "", ""},
		{"a person's own", func(m *machine) {
			const ben = "S-1-5-21-1-2-3-1001"
			m.keys[profileList+`\`+ben] = []string{`"ProfileImagePath"="C:\\Users\\ben"`}
			m.entry(`HKU\`+ben+`\`+userList, "Tool", "Tool", "1.2", "Maker")
			m.keys[`HKU\`+ben] = nil
		}, "1.2", ""},
		{"one of its name, of another maker", func(m *machine) { m.entry(list64, "Tool", "Tool", "1.0", "Somebody") }, "1.2 kept_back: A program of this name", ""},
		{"not in the catalogue", func(m *machine) { m.wishes[0].Package = "Maker.Other" }, "", "the signed catalogue does not have it"},
		{"all recalled", func(m *machine) { releases(m)[0].Recalled, releases(m)[1].Recalled = "bad", "bad" }, "", "no release of it that may be installed"},
		{"the newest recalled", func(m *machine) { releases(m)[0].Recalled = "bad" }, "1.1", ""},
		{"for another machine", func(m *machine) {
			releases(m)[0].Installers[0].Architecture, releases(m)[1].Installers[0].Scope = "arm64", "user"
		}, "1.2 kept_back: The signed catalogue has no installer", ""},
		{"the newest for another machine", func(m *machine) { releases(m)[0].Installers[0].Architecture = "arm64" }, "1.1", ""},
		{"of a kind that is not run", func(m *machine) {
			releases(m)[0].Installers[0].Kind, releases(m)[1].Installers[0].Kind = "msix", "msix"
		}, "1.2 kept_back", ""},
		{"without what it needs", func(m *machine) { releases(m)[0].Installers[0].Needs = []string{"Maker.Runtime"} }, "1.2 kept_back: Maker.Tool needs Maker.Runtime", ""},
		{"the catalogue ended", func(m *machine) { m.catalog.Expires = now }, "", ""},
	} {
		m := bare(t, patch.NSIS)
		c.edit(m)
		offer := m.available()
		got := ""
		for _, u := range offer.Updates {
			got += strings.TrimSuffix(u.Available+" "+string(u.Block)+": "+u.BlockWhy, " : ")
			if u.Installed != "" || u.Source != "Maker.Tool" || u.Instance != "Maker.Tool" || u.Scope != "" || u.Block == "" && (u.Architecture != "x64" || u.SHA256 == "" || u.Reversibility != patch.NotAtAll) {
				t.Errorf("%s: %+v", c.name, u)
			}
		}
		if !strings.HasPrefix(got, c.offer) || (got == "") != (c.offer == "") || c.notes == "" && len(offer.Notes) > 0 || !strings.Contains(strings.Join(offer.Notes, " "), c.notes) {
			t.Errorf("%s: on offer %q, noted %q", c.name, got, offer.Notes)
		}
	}
}

func TestAPinKeepsAProgramWithinIt(t *testing.T) {
	for _, c := range []struct{ pin, installed, offer string }{
		{"", "1.0", "1.2"}, {"1.1", "1.0", "1.1"}, {"1.1.", "1.0", "1.1"}, {"1.1", "1.1", "1.2"}, // what is beyond is seen, and held where the pin was set
		{"1.0", "1.0", "1.2"}, {"1.1", "1.2", ""},
	} {
		m := tool(t, patch.NSIS)
		m.entry(list64, "Tool", "Tool", c.installed, "Maker")
		m.wishes = []patch.Wish{{Provider: providerName, Package: "Maker.Tool", Pin: c.pin}}
		got := ""
		for _, u := range m.available().Updates {
			got += u.Available
		}
		if got != c.offer {
			t.Errorf("%s, pinned to %q: on offer %q, want %q", c.installed, c.pin, got, c.offer)
		}
	}
}

// What is wanted is installed, and read back under the name that it gives itself.
func TestWhatIsWantedIsInstalled(t *testing.T) {
	for _, kind := range []patch.InstallerKind{patch.NSIS, patch.MSI} {
		m := bare(t, kind)
		m.catalog.Packages[0].Name = "Tool of the catalogue"
		w := m.open()
		r := provider.Request{Updates: m.available().Updates}
		if err := w.Stage(t.Context(), r); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(m.fetched, []string{r.Updates[0].SHA256}) {
			t.Errorf("%s: fetched %q", kind, m.fetched)
		}
		out, err := w.Apply(t.Context(), r)
		if err != nil || m.version(w) != "1.2" || len(m.ran) != 1 || len(out.Changes) != 1 || out.Changes[0] != (provider.Change{Name: "Tool", Instance: out.Changes[0].Instance, To: "1.2", Asked: true}) {
			t.Fatalf("%s: %+v, %v, ran %q", kind, out, err, m.ran)
		}
		items, _ := w.Installed(t.Context())
		if items[0].Source != "Maker.Tool" || items[0].Previous != "" {
			t.Errorf("%s: %+v", kind, items[0])
		}
		if len(m.available().Updates) != 0 {
			t.Errorf("%s: it is still on offer", kind)
		}
		if _, err := w.Apply(t.Context(), r); !errors.Is(err, provider.ErrRefused) || len(m.ran) != 1 {
			t.Errorf("%s: it is here, and was installed again: %v, ran %q", kind, err, m.ran)
		}
	}
}

// Nothing is installed that nobody wants or that the publisher did not sign for.
func TestNothingElseIsInstalled(t *testing.T) {
	for says, edit := range map[string]func(*machine, *patch.Update){
		"is not installed here": func(m *machine, _ *patch.Update) { m.wishes = nil },
		"not installed here":    func(m *machine, _ *patch.Update) { m.wishes[0].Install = false },
		"Other is not":          func(_ *machine, u *patch.Update) { u.Name = "Other" },
		"Tool is not":           func(_ *machine, u *patch.Update) { u.Source = "Maker.Other" },
		"no installer of":       func(_ *machine, u *patch.Update) { u.Available = "1.7" },
		"Maker.Tool":            func(_ *machine, u *patch.Update) { u.Architecture = "arm64" },
		"another installer":     func(_ *machine, u *patch.Update) { u.SHA256 = strings.Repeat("0", 64) },
		"eats files":            func(m *machine, _ *patch.Update) { m.catalog.Packages[0].Releases[0].Recalled = "it eats files" },
		"Maker.Runtime": func(m *machine, _ *patch.Update) {
			m.catalog.Packages[0].Releases[0].Installers[0].Needs = []string{"Maker.Runtime"}
		},
		"ended": func(m *machine, _ *patch.Update) { m.catalog.Expires = now },
		"not the file": func(m *machine, _ *patch.Update) {
			for sum := range m.content {
				m.content[sum] = []byte("other!")
			}
		},
	} {
		m := bare(t, patch.NSIS)
		u := m.available().Updates[0]
		edit(m, &u)
		w := m.open()
		if _, err := w.Apply(t.Context(), provider.Request{Updates: []patch.Update{u}}); !errors.Is(err, provider.ErrRefused) || !strings.Contains(err.Error(), says) || len(m.ran) != 0 {
			t.Errorf("%s: %v, ran %q", says, err, m.ran)
		}
		if _, err := w.Undo(t.Context(), provider.Request{Updates: []patch.Update{u}}); !errors.Is(err, provider.ErrRefused) || len(m.ran) != 0 {
			t.Errorf("%s: an undo of what was never here: %v, ran %q", says, err, m.ran)
		}
	}
}
