package winget

import (
	"cmp"
	"fmt"
	"net/url"
	"path"
	"slices"
	"strings"

	"patchbay/patch"
	"patchbay/patch/arp"
)

// maxMarks are the most marks of one package; those of its newest versions are kept.
const maxMarks = 400

// Built is what was made of manifests.
type Built struct {
	Packages []patch.Package // sorted by ID
	Notes    []string        // what was left out and why, sorted, a sentence each
}

// Build makes packages of all manifests that were read: for each the newest keep releases, and
// the marks of all its versions. A mark that is another package's too recognises neither, so
// it is left out, unless the architecture or the line of versions tells the two apart: give
// Build the whole catalogue, also where only a few of its packages are wanted.
func Build(manifests []Manifest, keep int) Built {
	var b Built
	ids, byID := grouped(manifests)
	owned := owners(ids, byID)
	for _, id := range ids {
		versions := byID[id]
		newest := versions[0]
		p := patch.Package{Provider: Provider, ID: newest.ID, Name: newest.ID}
		if len(newest.Names) > 0 {
			p.Name, p.Publisher = newest.Names[0].Name, newest.Names[0].Publisher
		}
		var dropped int
		p.Marks, dropped = owned.marks(id, versions)
		if dropped > 0 {
			b.note("%s: %d of its marks are another package's too and recognise neither.", p.ID, dropped)
		}
		releases := distinct(versions)
		for _, m := range releases[:min(keep, len(releases))] {
			r, notes := release(m)
			for _, n := range notes {
				b.note("%s %s: %s", m.ID, m.Version, n)
			}
			p.Releases = append(p.Releases, r)
		}
		b.Packages = append(b.Packages, p)
	}
	slices.Sort(b.Notes)
	b.Notes = slices.Compact(b.Notes)
	return b
}

func (b *Built) note(format string, args ...any) {
	b.Notes = append(b.Notes, fmt.Sprintf(format, args...))
}

// grouped sorts the versions of each package, the newest first. Of those that are the same
// version the one with the later release date is first, or the one with more installers.
func grouped(manifests []Manifest) ([]string, map[string][]Manifest) {
	byID := map[string][]Manifest{}
	for _, m := range manifests {
		id := strings.ToLower(m.ID)
		byID[id] = append(byID[id], m)
	}
	var ids []string
	for id, versions := range byID {
		ids = append(ids, id)
		slices.SortStableFunc(versions, func(a, b Manifest) int {
			return cmp.Or(compare(b.Version, a.Version), b.date().Compare(a.date()), cmp.Compare(len(b.Installers), len(a.Installers)), cmp.Compare(b.Version, a.Version))
		})
		byID[id] = versions
	}
	slices.Sort(ids)
	return ids, byID
}

// distinct leaves the first of those that spell one version in several ways, such as 19.00 and
// 19.0.0.
func distinct(versions []Manifest) []Manifest {
	return slices.CompactFunc(slices.Clone(versions), func(a, b Manifest) bool { return compare(a.Version, b.Version) == 0 })
}

// compare orders versions; those that have no order are before all others.
func compare(a, b string) int {
	c, err := patch.CompareVersions(patch.SchemeWinget, a, b)
	if err == nil {
		return c
	}
	_, badA := patch.CompareVersions(patch.SchemeWinget, a, a)
	_, badB := patch.CompareVersions(patch.SchemeWinget, b, b)
	switch {
	case badA != nil && badB != nil:
		return cmp.Compare(a, b)
	case badA != nil:
		return -1
	}
	return 1
}

// installable are the types of installers that make an entry in the list of programs, and
// their kinds.
var installable = map[string]patch.InstallerKind{
	"msi": patch.MSI, "wix": patch.WiX, "burn": patch.Burn, "inno": patch.Inno, "nullsoft": patch.NSIS, "exe": patch.EXE, "zip": patch.ZIP, "portable": patch.Portable,
}

// release makes a release of a manifest, and says what of it was left out.
func release(m Manifest) (patch.Release, []string) {
	r := patch.Release{Version: m.Version}
	if t := m.date(); !t.IsZero() {
		r.ReleasedAt = &t
	}
	var notes []string
	for _, i := range m.Installers {
		if why := unfit(i); why != "" {
			notes = append(notes, "an installer for "+i.Architecture+" is left out: "+why)
			continue
		}
		r.Installers = append(r.Installers, installer(m, i))
	}
	return r, notes
}

// unfit says why an installer cannot be used, "" when it can.
func unfit(i Installer) string {
	kind, known := installable[i.Type]
	switch {
	case !known:
		return "nothing here installs " + i.Type + "."
	case i.Architecture == "arm":
		return "there are no such devices."
	case i.Upgrade == "deny":
		return "it does not update what is installed."
	case kind == patch.ZIP && (installable[i.NestedType] == "" || i.NestedType == "zip" || len(i.NestedFiles) != 1):
		return "what is in the archive is not one installer."
	case i.NoDownload:
		return "its maker does not let it be kept."
	}
	return ""
}

func installer(m Manifest, i Installer) patch.Installer {
	p := patch.Installer{SHA256: i.SHA256, URL: i.URL, File: fileOf(i.URL), Kind: installable[i.Type], Architecture: i.Architecture, Scope: i.Scope, Locale: i.Locale,
		ProductCode: i.ProductCode, Success: i.SuccessCodes, RemoveFirst: i.Upgrade == "uninstallPrevious", MinimumOS: i.MinimumOS}
	runs := p.Kind
	if p.Kind == patch.ZIP {
		p.Nested, p.NestedKind = strings.ReplaceAll(i.NestedFiles[0], `\`, "/"), installable[i.NestedType]
		runs = p.NestedKind
	}
	p.Switches = silent(runs, i.Switches)
	for _, c := range i.ReturnCodes {
		if c.Response == "rebootRequiredToFinish" || c.Response == "rebootInitiated" {
			p.Reboot = append(p.Reboot, c.Code)
		}
	}
	for _, d := range i.Dependencies.Packages {
		p.Needs = append(p.Needs, d.ID)
	}
	for _, ask := range []struct {
		what  string
		names []string
	}{{"the Windows feature ", i.Dependencies.Features}, {"the Windows library ", i.Dependencies.Libraries}, {"", i.Dependencies.Others}} {
		for _, name := range ask.names {
			p.Asks = append(p.Asks, cut(strings.Join(strings.Fields(ask.what+name), " ")))
		}
	}
	for _, e := range i.Entries {
		p.ProductCode = cmp.Or(p.ProductCode, e.ProductCode)
		p.UpgradeCode = cmp.Or(p.UpgradeCode, e.UpgradeCode)
		if e.Version != m.Version {
			p.Shown = cmp.Or(p.Shown, e.Version)
		}
	}
	return p
}

// fileOf is the name of the file that an address leads to, "" when it has none.
func fileOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	name := path.Base(u.Path)
	if name == "." || name == "/" || strings.ContainsAny(name, `\:*?"<>|`) || len(name) > 150 {
		return ""
	}
	return name
}

// Marks.

// shared says which packages have a mark, so that none is taken for another's.
type shared struct {
	of    map[patch.Mark]map[string]bool
	about map[string]traits
	byID  map[string][]Manifest
}

// traits are what tells packages of one name apart.
type traits struct{ architecture, line string }

func owners(ids []string, byID map[string][]Manifest) shared {
	s := shared{map[patch.Mark]map[string]bool{}, map[string]traits{}, byID}
	for _, id := range ids {
		s.about[id] = traitsOf(byID[id])
		for _, m := range byID[id] {
			for _, mark := range marksOf(m, s.about[id].line) {
				k := folded(mark)
				if s.of[k] == nil {
					s.of[k] = map[string]bool{}
				}
				s.of[k][id] = true
			}
		}
	}
	return s
}

// marks gives the marks of a package, those of its newest version first, and how many were
// left out because they are another's too.
func (s shared) marks(id string, versions []Manifest) (marks []patch.Mark, dropped int) {
	own := s.about[id]
	seen := map[patch.Mark]bool{}
	for _, m := range versions {
		for _, mark := range marksOf(m, own.line) {
			k := folded(mark)
			if seen[k] || len(marks) >= maxMarks {
				continue
			}
			seen[k] = true
			if mark.Name != "" {
				mark.Line = own.line
				if slices.Contains(strings.Split(id, "."), own.architecture) {
					mark.Architecture = own.architecture
				}
			}
			if !s.tellApart(&mark, id, s.of[k]) {
				dropped++
				continue
			}
			marks = append(marks, mark)
		}
	}
	return marks, dropped
}

// tellApart adds to a mark what tells the package from all others that have it too, and reports
// whether that is enough: that it holds for nothing that any of them shows on a device.
func (s shared) tellApart(mark *patch.Mark, id string, all map[string]bool) bool {
	if len(all) < 2 {
		return true
	}
	own := s.about[id]
	for _, by := range []traits{{line: own.line}, {architecture: own.architecture}, own} {
		candidate := *mark
		candidate.Line, candidate.Architecture = cmp.Or(candidate.Line, by.line), cmp.Or(candidate.Architecture, by.architecture)
		clear := true
		for other := range all {
			clear = clear && (other == id || s.never(candidate, other))
		}
		if clear {
			*mark = candidate
			return true
		}
	}
	return false
}

// never reports whether a mark cannot hold for anything that a package shows. Entries seldom
// say their architecture, so it counts only where the package is for another one throughout.
func (s shared) never(mark patch.Mark, id string) bool {
	if a := s.about[id].architecture; a == "" || a == mark.Architecture {
		mark.Architecture = ""
	}
	return !slices.ContainsFunc(s.byID[id], func(m Manifest) bool {
		return slices.ContainsFunc(possible(m), func(e arp.Entry) bool { return arp.Holds(mark, e) })
	})
}

// possible are the entries that a version shows, under each of its names.
func possible(m Manifest) []arp.Entry {
	all := Shown(m)
	for _, e := range slices.Clone(all) {
		for _, n := range m.Names {
			e.Name, e.Publisher = n.Name, n.Publisher
			all = append(all, e)
		}
	}
	return all
}

// traitsOf finds what all versions of a package have in common: the architecture, where there
// is but one, and the line of versions, where the ID names one.
func traitsOf(versions []Manifest) traits {
	var t traits
	first := true
	for _, m := range versions {
		for _, i := range m.Installers {
			if first {
				t.architecture, first = i.Architecture, false
			}
			if t.architecture != i.Architecture || i.Architecture == "neutral" {
				t.architecture = ""
			}
		}
	}
	for _, line := range lines(versions[0].ID) {
		if !slices.ContainsFunc(versions, func(m Manifest) bool { return !inLine(m, line) }) {
			t.line = line
			break
		}
	}
	return t
}

// lines are the numbers in an ID that may be a line of versions, the longest first: of
// Python.Python.3.12 these are 3.12, 3 and 12.
func lines(id string) []string {
	var all []string
	parts := strings.FieldsFunc(id, func(r rune) bool { return r == '.' || r == '_' })
	for n := len(parts) - 1; n > 0; n-- {
		for i := 1; i+n <= len(parts); i++ {
			if !slices.ContainsFunc(parts[i:i+n], func(p string) bool { return strings.Trim(p, "0123456789") != "" }) {
				all = append(all, strings.Join(parts[i:i+n], "."))
			}
		}
	}
	return all
}

// inLine reports whether a version, and all that it shows on a device, are of a line.
func inLine(m Manifest, line string) bool {
	return !slices.ContainsFunc(versionsOf(m), func(v string) bool { return !arp.InLine(v, line) })
}

func versionsOf(m Manifest) []string {
	all := []string{m.Version}
	for _, i := range m.Installers {
		for _, e := range i.Entries {
			if e.Version != "" && !slices.Contains(all, e.Version) {
				all = append(all, e.Version)
			}
		}
	}
	return all
}

// folded is a mark as it is compared.
func folded(m patch.Mark) patch.Mark {
	return patch.Mark{ProductCode: strings.ToUpper(m.ProductCode), UpgradeCode: strings.ToUpper(m.UpgradeCode), Name: arp.Fold(m.Name), Publisher: arp.Fold(m.Publisher)}
}

// marksOf are the marks of one version: upgrade codes, names with their publisher, product
// codes. A name that ends in the line of versions is known without it too, since the version
// tells the line as well.
func marksOf(m Manifest, line string) []patch.Mark {
	var upgrades, names, products []patch.Mark
	for _, e := range Shown(m) {
		if e.UpgradeCode != "" {
			upgrades = append(upgrades, patch.Mark{UpgradeCode: e.UpgradeCode})
		}
		if n := named(e.Name, e.Publisher); n != (patch.Mark{}) {
			names = append(names, n)
		}
		if e.Key != "" {
			products = append(products, patch.Mark{ProductCode: e.Key})
		}
	}
	for _, n := range m.Names {
		if n := named(n.Name, n.Publisher); n != (patch.Mark{}) && len(upgrades)+len(names)+len(products) > 0 {
			names = append(names, n)
		}
	}
	for _, n := range names {
		if short, ok := strings.CutSuffix(n.Name, " "+line); ok && line != "" {
			names = append(names, patch.Mark{Name: short, Publisher: n.Publisher})
		}
	}
	seen := map[patch.Mark]bool{}
	return slices.DeleteFunc(slices.Concat(upgrades, names, products), func(m patch.Mark) bool {
		k := folded(m)
		again := seen[k]
		seen[k] = true
		return again
	})
}

func named(name, publisher string) patch.Mark {
	m := patch.Mark{Name: arp.Name(name), Publisher: arp.Publisher(publisher)}
	if arp.Fold(m.Name) == "" || arp.Fold(m.Publisher) == "" {
		return patch.Mark{}
	}
	return m
}

// Shown are the entries that a device shows once a version is installed, as its manifest says,
// each once: of installers that make one at all.
func Shown(m Manifest) []arp.Entry {
	var own Naming
	if len(m.Names) > 0 {
		own = m.Names[0]
	}
	var all []arp.Entry
	for _, i := range m.Installers {
		kind := i.Type
		if kind == "zip" {
			kind = i.NestedType
		}
		if installable[kind] == "" || kind == "portable" || kind == "zip" {
			continue
		}
		entries := i.Entries
		if len(entries) == 0 {
			entries = []AppEntry{{}}
		}
		for _, e := range entries {
			made := cmp.Or(e.Type, kind)
			entry := arp.Entry{Key: cmp.Or(e.ProductCode, i.ProductCode), Name: cmp.Or(e.Name, own.Name), Publisher: cmp.Or(e.Publisher, own.Publisher),
				Version: cmp.Or(e.Version, m.Version), UpgradeCode: e.UpgradeCode, View: views[i.Architecture]}
			entry.MSI = (made == "msi" || made == "wix") && arp.IsCode(entry.Key)
			if !slices.Contains(all, entry) {
				all = append(all, entry)
			}
		}
	}
	return all
}

// views are the registries in which programs stand, by their architecture, on Windows for x64.
var views = map[string]int{"x64": 64, "arm64": 64, "x86": 32}
