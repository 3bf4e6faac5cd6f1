package winget

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"patchbay/patch"
	"patchbay/provider"
)

// needing is a machine with Tool 1.1, whose 1.2 needs packages as the lines say, such as
// "Tool: Runtime, Library". An installer does its work unless it is named as one that lies.
func needing(t *testing.T, lies string, lines ...string) *machine {
	m := newMachine(t)
	m.entry(list64, "Tool", "Tool", "1.1", "Maker")
	for _, line := range lines {
		name, needs, _ := strings.Cut(line, ": ")
		i := m.installer(patch.NSIS, name)
		for id := range strings.SplitSeq(needs, ", ") {
			if id != "" {
				i.Needs = append(i.Needs, "maker."+id)
			}
		}
		m.offer("Maker."+name, "Maker", []patch.Mark{{Name: name, Publisher: "Maker"}}, release("1.2", i))
	}
	m.run = func([]string) (int, error) {
		name := string(m.content[m.last])
		m.ran[len(m.ran)-1] = name
		if name != lies {
			m.entry(list64, name, name, "1.2", "Maker")
		}
		return 0, nil
	}
	return m
}

func (m *machine) upgradeTool() (provider.Outcome, error) {
	m.t.Helper()
	return m.open().Apply(m.t.Context(), provider.Request{Updates: []patch.Update{{Provider: providerName, Name: "Tool", Instance: "Tool", Installed: "1.1", Available: "1.2"}}})
}

func TestWhatIsNeededComesFirst(t *testing.T) {
	for _, c := range []struct {
		name, lies, ran, says string
		lines                 []string
		change                func(*machine)
	}{
		{"a chain", "", "Base Runtime Tool", "", []string{"Tool: Runtime", "Runtime: Base", "Base"}, nil},
		{"one for two", "", "Base Runtime Library Tool", "", []string{"Tool: Runtime, Library", "Runtime: Base", "Library: Base", "Base"}, nil},
		{"there already", "", "Tool", "", []string{"Tool: Runtime", "Runtime: Base"}, func(m *machine) { m.entry(list32, "Runtime", "Runtime", "0.9", "Maker") }},
		{"each other", "", "", "Maker.Tool → maker.Runtime → maker.Tool", []string{"Tool: Runtime", "Runtime: Base, Tool", "Base"}, func(m *machine) { delete(m.keys, list64+`\Tool`) }},
		{"itself", "", "", "maker.Runtime → maker.Runtime", []string{"Tool: Runtime", "Runtime: Runtime"}, nil},
		{"not to be had", "", "", "maker.Runtime, which is not installed here and not in the signed catalogue", []string{"Tool: Runtime"}, nil},
		{"for another processor", "", "", "no installer of it that fits", []string{"Tool: Runtime", "Runtime"}, func(m *machine) {
			m.catalog.Packages[1].Releases[0].Installers[0].Architecture = "arm64"
		}},
		{"recalled", "", "", "no installer of it that fits", []string{"Tool: Runtime", "Runtime"}, func(m *machine) { m.catalog.Packages[1].Releases[0].Recalled = "it eats files" }},
		{"too long a chain", "", "", "too many", []string{"Tool: A", "A: B", "B: C", "C: D", "D: E", "E: F", "F: G", "G: H", "H: I", "I"}, nil},
		{"one that lies", "Runtime", "Runtime", "not in the list of programs", []string{"Tool: Runtime", "Runtime"}, nil},
		{"another file than the one needed", "", "", "not the file", []string{"Tool: Runtime", "Runtime"}, func(m *machine) {
			m.content[m.catalog.Packages[0].Releases[0].Installers[0].SHA256] = []byte("lout")
		}},
		{"server without it", "", "", "fetching", []string{"Tool: Runtime", "Runtime"}, func(m *machine) {
			delete(m.content, m.catalog.Packages[1].Releases[0].Installers[0].SHA256)
		}},
		{"no package at all", "", "", "the Windows feature NetFx3", []string{"Tool: Runtime", "Runtime"}, func(m *machine) {
			m.catalog.Packages[1].Releases[0].Installers[0].Asks = []string{"the Windows feature NetFx3"}
		}},
	} {
		m := needing(t, c.lies, c.lines...)
		if c.change != nil {
			c.change(m)
		}
		if c.name == "each other" { // of a program that is here its own package never lacks
			m.wishes = []patch.Wish{{Provider: providerName, Package: "Maker.Tool", Install: true}}
			if u := m.available().Updates; len(u) != 1 || u[0].Block != patch.KeptBack || !strings.Contains(u[0].BlockWhy, c.says) {
				t.Errorf("%s: on offer is %+v", c.name, u)
			}
			continue
		}
		offer, err := m.open().Available(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		refused := c.says != "" && c.lies == "" && c.name != "another file than the one needed" && c.name != "server without it"
		for _, u := range offer.Updates {
			if u.Name == "Tool" && (u.Block == patch.KeptBack) != refused {
				t.Errorf("%s: on offer with %q, %s", c.name, u.Block, u.BlockWhy)
			}
		}
		out, err := m.upgradeTool()
		if ran := strings.Join(m.ran, " "); ran != c.ran || (err == nil) != (c.says == "") || err != nil && !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: ran %q, %v", c.name, ran, err)
		}
		if refused && !errors.Is(err, provider.ErrRefused) {
			t.Errorf("%s: %v is no refusal", c.name, err)
		}
		// What came with it is told, and that nobody asked for it by name.
		for _, name := range m.ran {
			if n := slices.IndexFunc(out.Changes, func(o provider.Change) bool { return o.Name == name }); (n < 0) != (name == c.lies) {
				t.Errorf("%s: of %s is told %+v", c.name, name, out.Changes)
			} else if n >= 0 && (out.Changes[n].Asked != (name == "Tool") || out.Changes[n].To != "1.2") {
				t.Errorf("%s: %+v", c.name, out.Changes[n])
			}
		}
	}
}

// All is here before anything is changed.
func TestWhatIsNeededIsFetchedBefore(t *testing.T) {
	m := needing(t, "", "Tool: Runtime", "Runtime: Base", "Base")
	does := m.run
	m.run = func(args []string) (int, error) {
		if len(m.ran) == 1 && len(m.fetched) != 3 {
			t.Errorf("%d installers are here", len(m.fetched))
		}
		return does(args)
	}
	if err := m.open().Stage(t.Context(), provider.Request{Updates: []patch.Update{{Provider: providerName, Name: "Tool", Instance: "Tool", Installed: "1.1", Available: "1.2"}}}); err != nil || len(m.fetched) != 3 || len(m.ran) != 0 {
		t.Error(fmt.Sprint(m.fetched), m.ran, err)
	}
	m.fetched = nil
	if _, err := m.upgradeTool(); err != nil {
		t.Error(err)
	}
}
