package api

import (
	"context"
	"slices"

	"patchbay/patch"
	"patchbay/server/assess"
	"patchbay/server/view"
	"patchbay/wire"
)

// named gives the packages of the catalogue that is believed, none where there is none, and
// which files are in the store, by hash.
func (s *Server) named(ctx context.Context) ([]patch.Package, map[string]bool, error) {
	c, _, err := s.signedCatalog(ctx)
	if err != nil {
		return nil, nil, err
	}
	held, err := s.held(ctx)
	return c.Packages, held, err
}

// signedCatalog gives the catalogue that is believed; the zero value is none.
func (s *Server) signedCatalog(ctx context.Context) (wire.Catalog, *view.Catalog, error) {
	state := s.Documents.State(ctx)
	v := &view.Catalog{AsOf: s.Now()}
	if state.Root != nil {
		v.Root, v.Threshold = state.Root.Version, state.Root.Publisher.Threshold
	}
	if state.Catalog == nil {
		return wire.Catalog{}, v, nil
	}
	c, err := state.Catalog.Read()
	if err != nil {
		return c, nil, err
	}
	signers, err := state.Catalog.Signed.Signers(wire.CatalogDocument, state.Root.Publisher.Public()...)
	ages := c.IssuedAt.Add(assess.ListsAge)
	v.Version, v.IssuedAt, v.AgesAt, v.Expires, v.Signatures, v.Packages = c.Version, &c.IssuedAt, &ages, &c.Expires, len(signers), len(c.Packages)
	return c, v, err
}

func (s *Server) catalog(ctx context.Context, _ *Empty) (*Out[view.Catalog], error) {
	c, v, err := s.signedCatalog(ctx)
	if err != nil {
		return nil, err
	}
	held, err := s.held(ctx)
	if err != nil {
		return nil, err
	}
	missing := map[string]bool{}
	for _, p := range c.Packages {
		row := packageView(p, view.Presence{}, held)
		v.Unsigned += row.Unsigned
		v.Recalled += row.Recalled
		if row.Missing > 0 {
			v.MissingIn++
		}
		for _, i := range wanted(p) {
			v.Installers++
			if !held[i.SHA256] {
				missing[i.SHA256] = true
			}
		}
	}
	v.Missing = len(missing)
	v.Enrolled = s.Fleet.Devices(s.Now(), view.Filter{Limit: 1}).Total
	return out(*v), nil
}

// held are the files that are in the store, by hash.
func (s *Server) held(ctx context.Context) (map[string]bool, error) {
	entries, _, err := s.Content.List(ctx)
	if err != nil {
		return nil, err
	}
	held := make(map[string]bool, len(entries))
	for _, e := range entries {
		if e.Here {
			held[e.SHA256] = true
		}
	}
	return held, nil
}

// PackagesParams are what the list of packages takes.
type PackagesParams struct {
	ListParams
	State string `query:"state" enum:"behind,missing,unsigned,recalled" doc:"Only those of which a device is behind, a file is not in the store, a file is unsigned, a release is recalled"`
	Sort  string `query:"sort" enum:"name,-name,publisher,-publisher,devices,-devices,behind,-behind,released,-released" doc:"name by default"`
}

func (s *Server) packages(ctx context.Context, in *PackagesParams) (*Out[view.Page[view.Package]], error) {
	f, err := in.filter(in.Sort)
	if err != nil {
		return nil, err
	}
	packages, held, err := s.named(ctx)
	if err != nil {
		return nil, err
	}
	on := s.Agents.Programs(s.Now())
	var rows []view.Package
	for _, p := range packages {
		v := packageView(p, on[view.PackageKey{Provider: p.Provider, ID: p.ID}], held)
		is := map[string]int{"": 1, "behind": v.Behind, "missing": v.Missing, "unsigned": v.Unsigned, "recalled": v.Recalled}
		if is[in.State] > 0 && matches(f.Q, v.Name, v.ID, v.Publisher) {
			rows = append(rows, v)
		}
	}
	field, descending := f.Field("name")
	p := view.Paginate(rows, f, descending, func(v view.Package) string { return packageKey(v, field) },
		func(v view.Package) string { return view.PackageKey{Provider: v.Provider, ID: v.ID}.String() })
	return page(p, f, s.Now()), nil
}

func packageKey(v view.Package, field string) string {
	switch field {
	case "publisher":
		return view.Fold(v.Publisher) + "\x00" + view.Fold(v.Name)
	case "devices":
		return view.Number(v.Devices)
	case "behind":
		return view.Number(v.Behind)
	case "released":
		return view.Moment(v.Released)
	}
	return view.Fold(v.Name)
}

// PackagePath names a package.
type PackagePath struct {
	Provider string `path:"provider" maxLength:"50"`
	Package  string `path:"package" maxLength:"128"`
}

func (s *Server) onePackage(ctx context.Context, in *PackagePath) (*Out[view.PackageDetail], error) {
	packages, held, err := s.named(ctx)
	if err != nil {
		return nil, err
	}
	at := slices.IndexFunc(packages, func(p patch.Package) bool { return p.Provider == in.Provider && p.ID == in.Package })
	if at < 0 {
		return nil, notFound()
	}
	p := packages[at]
	v := view.PackageDetail{Package: packageView(p, s.Agents.Programs(s.Now())[view.PackageKey{Provider: p.Provider, ID: p.ID}], held), Releases: []view.Release{}}
	for _, r := range p.Releases {
		v.Releases = append(v.Releases, releaseView(r, held))
	}
	return out(v), nil
}

func (s *Server) missingFiles(ctx context.Context, in *ListParams) (*Out[view.Page[view.MissingFile]], error) {
	f, err := in.filter("")
	if err != nil {
		return nil, err
	}
	packages, held, err := s.named(ctx)
	if err != nil {
		return nil, err
	}
	var rows []view.MissingFile
	seen := map[string]bool{}
	for _, p := range packages {
		for _, r := range p.Releases {
			for _, i := range releaseView(r, held).Installers {
				if r.Recalled == "" && i.State == "missing" && !seen[i.SHA256] && matches(f.Q, p.Name, p.ID, i.File, i.SHA256) {
					seen[i.SHA256] = true
					rows = append(rows, view.MissingFile{Provider: p.Provider, Package: p.ID, Name: p.Name, Version: r.Version, Installer: i})
				}
			}
		}
	}
	p := view.Paginate(rows, f, false, func(m view.MissingFile) string { return view.Fold(m.Name) }, func(m view.MissingFile) string { return m.SHA256 })
	return page(p, f, s.Now()), nil
}

// wanted are the installers that devices may be told to run: those of releases that are not recalled.
func wanted(p patch.Package) []patch.Installer {
	var all []patch.Installer
	for _, r := range p.Releases {
		if r.Recalled == "" {
			all = append(all, r.Installers...)
		}
	}
	return all
}

func packageView(p patch.Package, on view.Presence, held map[string]bool) view.Package {
	v := view.Package{Provider: p.Provider, ID: p.ID, Name: p.Name, Publisher: p.Publisher, Presence: on}
	for _, r := range p.Releases {
		switch {
		case r.Recalled != "":
			v.Recalled++
		case v.Newest == "":
			v.Newest, v.Released, v.Security = r.Version, r.ReleasedAt, r.Security
		case v.Before == "":
			v.Before = r.Version
		}
	}
	for _, i := range wanted(p) {
		v.Installers++
		if !held[i.SHA256] {
			v.Missing++
		}
		if i.Signer == nil {
			v.Unsigned++
		}
	}
	return v
}

func releaseView(r patch.Release, held map[string]bool) view.Release {
	v := view.Release{Version: r.Version, Released: r.ReleasedAt, Security: r.Security, Recalled: r.Recalled, Installers: []view.Installer{}}
	for _, i := range r.Installers {
		n := view.Installer{SHA256: i.SHA256, Size: i.Size, File: i.File, URL: i.URL, Kind: i.Kind, Architecture: i.Architecture, Scope: i.Scope,
			Locale: i.Locale, State: "missing"}
		if held[i.SHA256] {
			n.State = "here"
		}
		if i.Signer != nil {
			n.Signer, n.Certificate = i.Signer.Name, i.Signer.Certificate
		}
		v.Installers = append(v.Installers, n)
	}
	return v
}
