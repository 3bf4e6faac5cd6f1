package sign

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/dustin/go-humanize/english"

	"patchbay/patch"
	"patchbay/wire"
)

const farCatalog = 400 * 24 * time.Hour

// catalog shows what is different from the one before first: nobody reads a whole catalogue
// twice. Then comes all that is in it.
func (p *page) catalog(c wire.Catalog) {
	p.title("A catalogue, version %d, made under root %d: the programs that devices may install beside what their package managers verify. It has %s.",
		c.Version, c.Root, english.Plural(len(c.Packages), "package", ""))
	p.dates(c.IssuedAt, c.Expires, farCatalog, "From then on nothing of it is installed.")
	p.catalogUnder(c)
	p.catalogAfter(c)
	if len(c.Packages) > 0 {
		p.text.WriteString("\nIn it:\n")
	}
	for _, g := range c.Packages {
		p.pack(g)
		p.packBeware(g)
	}
}

// pack shows one package whole.
func (p *page) pack(g patch.Package) {
	head := fmt.Sprintf("%s %s: %s", ascii(g.Provider, 0), ascii(g.ID, 0), ascii(g.Name, 0))
	if g.Publisher != "" {
		head += " by " + ascii(g.Publisher, 0)
	}
	fmt.Fprintf(&p.text, "  %s\n", head)
	for _, m := range g.Marks {
		fmt.Fprintf(&p.text, "    known by %s\n", mark(m))
	}
	for _, r := range g.Releases {
		fmt.Fprintf(&p.text, "    version %s\n", release(r))
		for _, i := range r.Installers {
			lines := installer(i)
			fmt.Fprintf(&p.text, "    - %s\n", lines[0])
			for _, line := range lines[1:] {
				fmt.Fprintf(&p.text, "      %s\n", line)
			}
		}
	}
}

func mark(m patch.Mark) string {
	var parts []string
	for _, f := range []struct{ what, text string }{{"product code", m.ProductCode}, {"upgrade code", m.UpgradeCode}, {"name", m.Name}, {"publisher", m.Publisher},
		{"architecture", m.Architecture}, {"versions of", m.Line}} {
		if f.text != "" {
			parts = append(parts, f.what+" "+ascii(f.text, 0))
		}
	}
	return strings.Join(parts, ", ")
}

func release(r patch.Release) string {
	text := ascii(r.Version, 0)
	if r.ReleasedAt != nil {
		text += " of " + day(*r.ReleasedAt)
	}
	if r.Security != patch.Unknown {
		text += ", mends security faults: " + ascii(string(r.Security), 0)
	}
	if r.Recalled != "" {
		text += ", recalled: " + quoted(r.Recalled)
	}
	return text
}

// installer says all of one file, in a line or more.
func installer(i patch.Installer) []string {
	head := fmt.Sprintf("%s for %s, %d bytes", ascii(string(i.Kind), 0), ascii(i.Architecture, 0), i.Size)
	for _, f := range []struct{ what, text string }{{"file", i.File}, {"for", i.Scope}, {"language", i.Locale}, {"from Windows", i.MinimumOS}} {
		if f.text != "" {
			head += ", " + f.what + " " + ascii(f.text, 0)
		}
	}
	lines := append([]string{head, "SHA-256 " + sum(i.SHA256)}, signedBy(i)...)
	lines = append(lines, "run with "+arguments(i.Switches))
	if len(i.Remove) > 0 {
		lines = append(lines, "removed with "+arguments(i.Remove))
	}
	if i.RemoveFirst {
		lines = append(lines, "the version before is removed first")
	}
	for _, f := range []struct{ what, text string }{{"runs, in the archive,", i.Nested}, {"which is", string(i.NestedKind)}, {"shows version", i.Shown}, {"product code", i.ProductCode},
		{"upgrade code", i.UpgradeCode}, {"from", i.URL}} {
		if f.text != "" {
			lines = append(lines, f.what+" "+ascii(f.text, 0))
		}
	}
	if len(i.Success) > 0 {
		lines = append(lines, fmt.Sprintf("done after exit codes %d", i.Success))
	}
	if len(i.Reboot) > 0 {
		lines = append(lines, fmt.Sprintf("asks for a reboot with exit codes %d", i.Reboot))
	}
	if len(i.Needs) > 0 {
		lines = append(lines, "needs "+arguments(i.Needs))
	}
	if len(i.Asks) > 0 {
		lines = append(lines, "is not installed, for it needs "+arguments(i.Asks))
	}
	return lines
}

func signedBy(i patch.Installer) []string {
	if i.Signer == nil {
		return []string{"NOT SIGNED by its maker"}
	}
	return []string{"signed by " + ascii(i.Signer.Name, 0) + ", with the certificate", "  " + sum(i.Signer.Certificate)}
}

// sum is a hash as it stands, in quotes where it is none.
func sum(s string) string {
	if len(s) == 64 && strings.Trim(s, "0123456789abcdef") == "" {
		return s
	}
	return ascii(s, 0)
}

func arguments(list []string) string {
	if len(list) == 0 {
		return "nothing beside what its kind always takes"
	}
	var all []string
	for _, a := range list {
		all = append(all, ascii(a, 0))
	}
	return strings.Join(all, " ")
}

// knownKinds are those that this version can speak of.
var knownKinds = []patch.InstallerKind{patch.MSI, patch.WiX, patch.Burn, patch.Inno, patch.NSIS, patch.EXE, patch.ZIP, patch.Portable}

func (p *page) packBeware(g patch.Package) {
	for _, r := range g.Releases {
		for _, i := range r.Installers {
			if i.Signer == nil {
				p.warn("%s %s: a file for %s is not signed by its maker. Only its hash tells it from another.", ascii(g.ID, 0), ascii(r.Version, 0), ascii(i.Architecture, 0))
			}
			if !slices.Contains(knownKinds, i.Kind) {
				p.warn("%s %s: this version of Patchbay does not know installers of the kind %s.", ascii(g.ID, 0), ascii(r.Version, 0), ascii(string(i.Kind), 0))
			}
		}
	}
}

func (p *page) catalogUnder(c wire.Catalog) {
	switch r := p.beside.Root; {
	case r == nil:
		p.warn("Without the root nobody can say who must sign it, nor whether devices take it.")
	case c.Root > r.Version:
		p.warn("It is made under root %d, and the root here is version %d: devices that hold that one wait.", c.Root, r.Version)
	}
}

// catalogAfter compares with the catalogue before, package by package.
func (p *page) catalogAfter(c wire.Catalog) {
	before := p.beside.Catalog
	if before == nil {
		if c.Version != 1 {
			p.warn("Without the catalogue before it nobody can say what it changes.")
		}
		return
	}
	if c.Version <= before.Version {
		p.warn("It is version %d and does not follow version %d: no device takes it.", c.Version, before.Version)
	} else if c.Version != before.Version+1 {
		p.warn("It is version %d and leaves out the one after version %d. Devices take it; was there another?", c.Version, before.Version)
	}
	was, is := byName(before.Packages), byName(c.Packages)
	var names []string
	for name := range was {
		names = append(names, name)
	}
	for name := range is {
		if _, both := was[name]; !both {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		p.packAfter(name, was[name], is[name])
	}
	changed(p, "end", day(before.Expires), day(c.Expires))
	changed(p, "made under root", before.Root, c.Root)
	since := fmt.Sprintf("version %d", before.Version)
	p.list("Changed since "+since+":", "Nothing but the dates changed since "+since+".", p.changes)
	p.changes = nil
}

func byName(packages []patch.Package) map[string]*patch.Package {
	all := map[string]*patch.Package{}
	for i, g := range packages {
		all[ascii(g.Provider, 0)+" "+ascii(g.ID, 0)] = &packages[i]
	}
	return all
}

// packAfter says what is different in one package: versions, files, signers, hashes, switches,
// and by what it is known.
func (p *page) packAfter(name string, was, is *patch.Package) {
	switch {
	case was == nil:
		p.change("+ package %s", name)
		was = &patch.Package{Name: is.Name, Publisher: is.Publisher, Marks: is.Marks}
	case is == nil:
		p.change("- package %s", name)
		return
	}
	changed(p, name+": called", ascii(was.Name, 0)+" by "+ascii(was.Publisher, 0), ascii(is.Name, 0)+" by "+ascii(is.Publisher, 0))
	p.compare(name+": version", versions(was), versions(is))
	p.compare(name+":", files(was), files(is))
	p.compare(name+": known by", marks(was), marks(is))
	signers := signersOf(was)
	for _, s := range without(signersOf(is), signers) {
		if len(signers) > 0 {
			p.warn("%s has a file %s. None before it was.", name, s)
		}
	}
}

func versions(g *patch.Package) []string {
	var all []string
	for _, r := range g.Releases {
		all = append(all, release(r))
	}
	return all
}

// files are all installers of a package, each in one line with all that is said of it.
func files(g *patch.Package) []string {
	var all []string
	for _, r := range g.Releases {
		for _, i := range r.Installers {
			all = append(all, ascii(r.Version, 0)+" "+strings.ReplaceAll(strings.Join(installer(i), "; "), ";   ", " "))
		}
	}
	return all
}

func marks(g *patch.Package) []string {
	var all []string
	for _, m := range g.Marks {
		all = append(all, mark(m))
	}
	return all
}

func signersOf(g *patch.Package) []string {
	var all []string
	for _, r := range g.Releases {
		for _, i := range r.Installers {
			all = append(all, strings.Join(signedBy(i), ""))
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}
