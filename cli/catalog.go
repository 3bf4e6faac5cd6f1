package cli

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"patchbay/patch"
	"patchbay/server/catalog/winget"
	"patchbay/sign"
	"patchbay/wire"
)

// CatalogCommand is about catalogues: the signed one of programs, and the feeds that the server
// knows the world by.
type CatalogCommand struct {
	Pin    CatalogPin `cmd:"" help:"Draft a catalogue, the first or the next, from winget's manifests and the installers themselves."`
	Status FeedStatus `cmd:"" help:"Say how old each feed on the world's software is, how large, what changed and what failed."`
	Fetch  FeedFetch  `cmd:"" help:"Have the server look for a feed at once."`
	Accept FeedAccept `cmd:"" help:"Let the version of a feed in that is held because much went with it."`
	Export FeedExport `cmd:"" help:"Write the feeds of a server into one file, for a server without internet. Run it on the server's own machine."`
	Seal   FeedSeal   `cmd:"" help:"Say what is in such a file, and sign it with a key that no server has."`
	Import FeedImport `cmd:"" help:"Bring such a file to a server."`
}

// CatalogPin drafts a catalogue. What manifests say is a claim; what is pinned is read off the
// installers: their hash, their size, and whose signature they have.
type CatalogPin struct {
	File         string   `arg:"" help:"Where to write it."`
	IDs          []string `arg:"" optional:"" name:"package" help:"Packages to put in their newest version, such as 7zip.7zip."`
	Root         string   `required:"" help:"The root that holds."`
	Last         string   `help:"The catalogue that holds; left out for the first."`
	From         []string `help:"Folder or archive with manifests of winget; repeat for more. Best is a copy of the whole catalogue: what several packages have in common recognises none of them." sep:"none"`
	Installer    []string `help:"An installer that was downloaded; repeat for more." sep:"none"`
	Fetch        bool     `help:"Download the installers that are not given."`
	Into         string   `help:"Folder in which to keep what is downloaded." default:"installers"`
	Architecture []string `help:"For which architectures to download." default:"x64" enum:"x64,x86,arm64,neutral"`
	Locale       string   `help:"In which language to download, where there are several." default:"en-US"`
	Unsigned     []string `help:"A package whose files need not be signed by their maker; repeat for more." sep:"none"`
	Remove       []string `help:"A package to leave out from now on; repeat for more." sep:"none"`
	Keep         int      `help:"How many releases of a package to keep." default:"2"`
	Expires      string   `help:"Day on which it ends, such as 2027-12-31; 90 days from now by default."`
}

// Run writes the draft and shows it.
func (c *CatalogPin) Run(ctx context.Context, g *Globals) error {
	root, err := readRoot(c.Root)
	if err != nil {
		return err
	}
	beside, before, with := sign.Beside{Now: g.Now(), Root: &root}, wire.Catalog{}, "--root "+c.Root
	if c.Last != "" {
		d, err := readDocument(c.Last)
		if err != nil {
			return err
		}
		if d.Catalog == nil {
			return fmt.Errorf("%s has no catalogue in it", c.Last)
		}
		before, beside.Catalog = *d.Catalog, d.Catalog
		with += " --previous " + c.Last
	}
	if c.Keep < 1 || c.Keep > wire.MaxReleases {
		return fmt.Errorf("--keep must be 1 to %d", wire.MaxReleases)
	}
	change := sign.CatalogChange{Remove: c.Remove, Keep: c.Keep,
		Compare: func(_, a, b string) (int, error) { return patch.CompareVersions(patch.SchemeWinget, a, b) }}
	if change.Expires, err = until(c.Expires, g.Now().AddDate(0, 0, 90)); err != nil {
		return err
	}
	if change.Put, err = c.pinned(ctx, g); err != nil {
		return err
	}
	next, err := sign.NextCatalog(before, root, change, g.Now())
	if err != nil {
		return err
	}
	return g.writeDraft(c.File, wire.CatalogDocument, next, beside, with)
}

// pinned are the packages that were asked for, with what was read off their installers.
func (c *CatalogPin) pinned(ctx context.Context, g *Globals) ([]patch.Package, error) {
	if len(c.IDs) == 0 {
		if len(c.Installer) > 0 || c.Fetch {
			return nil, errors.New("there are installers, and no package is named that they are of")
		}
		return nil, nil
	}
	known, err := c.manifests(g)
	if err != nil {
		return nil, err
	}
	files, err := readInstallers(c.Installer)
	if err != nil {
		return nil, err
	}
	var all []patch.Package
	for _, id := range c.IDs {
		at := slices.IndexFunc(known, func(p patch.Package) bool { return strings.EqualFold(p.ID, id) })
		if at < 0 || len(known[at].Releases) == 0 {
			return nil, fmt.Errorf("the manifests have no package %s: give their folder or archive with --from", id)
		}
		p, err := c.pin(ctx, g, known[at], files)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", id, err)
		}
		all = append(all, p)
	}
	for sum, f := range files {
		if !f.used {
			return nil, fmt.Errorf("%s is none of the installers that the manifests name: its SHA-256 is %s", f.path, sum)
		}
	}
	return all, nil
}

// manifests reads all manifests, and says what of them was left out where it concerns the
// packages that were asked for.
func (c *CatalogPin) manifests(g *Globals) ([]patch.Package, error) {
	var all []winget.Manifest
	for _, name := range c.From {
		r, err := winget.Open(name)
		if err != nil {
			return nil, err
		}
		if r.Refusals > 0 {
			if err := g.lines(fmt.Sprintf("%s: %d of %d files were refused, the first is %s", name, r.Refusals, r.Files, r.Refused[0].Error())); err != nil {
				return nil, err
			}
		}
		all = append(all, r.Manifests...)
	}
	built := winget.Build(all, 1)
	for _, note := range built.Notes {
		for _, id := range c.IDs {
			if strings.HasPrefix(strings.ToLower(note), strings.ToLower(id)+" ") || strings.HasPrefix(strings.ToLower(note), strings.ToLower(id)+":") {
				if err := g.lines(note); err != nil {
					return nil, err
				}
			}
		}
	}
	return built.Packages, nil
}

// pin reads off the installers of a package's newest release what a catalogue says of them.
// Those that are neither given nor downloaded are left out.
func (c *CatalogPin) pin(ctx context.Context, g *Globals, p patch.Package, files map[string]*given) (patch.Package, error) {
	r := p.Releases[0]
	wanted := r.Installers
	if c.Fetch {
		wanted = c.choose(wanted, files)
	}
	var pins []patch.Installer
	for _, i := range wanted {
		f := files[i.SHA256]
		if f == nil && c.Fetch {
			var err error
			if f, err = c.download(ctx, g, i); err != nil {
				return p, err
			}
			files[i.SHA256] = f
		}
		if f == nil {
			continue
		}
		f.used = true
		if i.Kind == patch.ZIP {
			if err := f.readNested(i.Nested); err != nil {
				return p, err
			}
		}
		i.Size, i.Signer = f.size, f.signer
		if i.Signer == nil && !slices.ContainsFunc(c.Unsigned, func(id string) bool { return strings.EqualFold(id, p.ID) }) {
			return p, fmt.Errorf("%s is not signed by its maker (%s): only its hash would tell it from another. To let it through nevertheless: --unsigned %s", f.path, f.why, p.ID)
		}
		pins = append(pins, i)
	}
	if len(pins) == 0 {
		return p, fmt.Errorf("none of the %d installers of version %s is here: give them with --installer, or download them with --fetch; %s", len(r.Installers), r.Version, addresses(r.Installers))
	}
	r.Installers = pins
	p.Releases = []patch.Release{r}
	return p, nil
}

// addresses are where the first installers are offered.
func addresses(all []patch.Installer) string {
	var lines []string
	for _, i := range all[:min(3, len(all))] {
		lines = append(lines, i.URL)
	}
	return "they are offered at " + strings.Join(lines, " ")
}

// choose says which installers to download: those for the architectures asked for, for the
// whole machine where there is one, in the language asked for where there is one. What was
// given is among them in any case.
func (c *CatalogPin) choose(all []patch.Installer, files map[string]*given) []patch.Installer {
	groups := map[string][]patch.Installer{}
	var chosen []patch.Installer
	for _, i := range all {
		switch {
		case files[i.SHA256] != nil:
			chosen = append(chosen, i)
		case slices.Contains(c.Architecture, i.Architecture):
			key := i.Architecture + " " + string(i.Kind)
			groups[key] = append(groups[key], i)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(groups)) {
		g := prefer(groups[key], func(i patch.Installer) bool { return i.Scope == "machine" })
		g = prefer(g, func(i patch.Installer) bool { return strings.EqualFold(i.Locale, c.Locale) })
		g = prefer(g, func(i patch.Installer) bool { return i.Locale == "" || strings.EqualFold(i.Locale, c.Locale) })
		chosen = append(chosen, g...)
	}
	return chosen
}

// prefer leaves those of which something is so, or all where it is so of none.
func prefer(all []patch.Installer, so func(patch.Installer) bool) []patch.Installer {
	var some []patch.Installer
	for _, i := range all {
		if so(i) {
			some = append(some, i)
		}
	}
	if len(some) == 0 {
		return all
	}
	return some
}

// readInstallers reads files that were downloaded, by their hash.
func readInstallers(names []string) (map[string]*given, error) {
	files := map[string]*given{}
	for _, name := range names {
		f, err := os.Open(name)
		if err != nil {
			return nil, fmt.Errorf("reading an installer: %w", err)
		}
		got, sum, err := readInstaller(f)
		f.Close()
		if err != nil {
			return nil, err
		}
		files[sum] = got
	}
	return files, nil
}
