package csaf

import (
	"errors"
	"net/url"
	"regexp"
	"strings"

	"patchbay/server/catalog/feed"
)

// Product is a thing that documents speak of: a package of a platform, or a program alone.
type Product struct {
	ID       string // within its document
	Name     string
	PURL     string
	CPE      string
	Package  Package
	Platform *Product // what it is a part of; nil where it stands alone
}

// Package is what a package manager calls it.
type Package struct {
	Name         string
	Version      string // epoch:version-release; "" is the package in whatever version
	Architecture string // "src" is what others are built of
	Module       string // name:stream
}

// tree is the products as they are written.
type tree struct {
	Branches      []branch  `json:"branches"`
	Names         []product `json:"full_product_names"`
	Relationships []struct {
		Product product `json:"full_product_name"`
		Part    string  `json:"product_reference"`
		Whole   string  `json:"relates_to_product_reference"`
	} `json:"relationships"`
	Groups []struct {
		ID       string   `json:"group_id"`
		Products []string `json:"product_ids"`
	} `json:"product_groups"`
}

type branch struct {
	Category string   `json:"category"`
	Name     string   `json:"name"`
	Branches []branch `json:"branches"`
	Product  *product `json:"product"`
}

type product struct {
	ID     string `json:"product_id"`
	Name   string `json:"name"`
	Helper struct {
		PURL string `json:"purl"`
		CPE  string `json:"cpe"`
	} `json:"product_identification_helper"`
}

// products are those of one document, put together.
type products struct {
	alone  map[string]*Product // as the branches have them
	parts  map[string][2]string
	names  map[string]string // of the parts
	done   map[string]*Product
	groups map[string][]string
}

// products takes the tree apart.
func (t tree) products() (*products, error) {
	p := &products{alone: map[string]*Product{}, parts: map[string][2]string{}, names: map[string]string{}, done: map[string]*Product{}, groups: map[string][]string{}}
	if err := p.branches(t.Branches, maxDepth); err != nil {
		return nil, err
	}
	for _, one := range t.Names {
		p.add(one)
	}
	for _, r := range t.Relationships {
		p.parts[r.Product.ID] = [2]string{r.Part, r.Whole}
		p.names[r.Product.ID] = r.Product.Name
	}
	for _, g := range t.Groups {
		p.groups[g.ID] = g.Products
	}
	if len(p.alone)+len(p.parts) > maxProducts {
		return nil, errors.New("it has more products than any real one")
	}
	return p, nil
}

func (p *products) branches(list []branch, depth int) error {
	if depth == 0 {
		return errors.New("its products are nested deeper than any real ones")
	}
	for _, b := range list {
		if b.Product != nil {
			p.add(*b.Product)
		}
		if err := p.branches(b.Branches, depth-1); err != nil {
			return err
		}
	}
	return nil
}

func (p *products) add(one product) {
	p.alone[one.ID] = &Product{ID: feed.Clip(one.ID), Name: feed.Clip(one.Name), PURL: feed.Clip(one.Helper.PURL), CPE: feed.Clip(one.Helper.CPE), Package: packageOf(one)}
}

// get gives a product by its ID, put together of its parts. What a document names and does not
// have, or has as a part of itself, is a product of which nothing but the ID is known.
func (p *products) get(id string) *Product { return p.resolve(id, maxDepth) }

func (p *products) resolve(id string, depth int) *Product {
	if done := p.done[id]; done != nil {
		return done
	}
	found := p.alone[id]
	if pair, ok := p.parts[id]; ok && depth > 0 {
		part, whole := p.resolve(pair[0], depth-1), p.resolve(pair[1], depth-1)
		found = &Product{ID: feed.Clip(id), Name: feed.Clip(p.names[id]), PURL: part.PURL, CPE: part.CPE, Package: part.Package, Platform: whole}
		// A module is a part of a platform, and its packages are parts of the module.
		for ; whole.Platform != nil; whole = whole.Platform {
			if found.Package.Module == "" {
				found.Package.Module = whole.Package.Module
			}
			found.Platform = whole.Platform
		}
	}
	if found == nil {
		found = &Product{ID: feed.Clip(id), Name: feed.Clip(id)}
	}
	p.done[id] = found
	return found
}

// packageOf reads what a package is called: from its package URL, or from its name.
func packageOf(one product) Package {
	kind, rest, ok := strings.Cut(strings.TrimPrefix(one.Helper.PURL, "pkg:"), "/")
	switch {
	case !ok || len(one.Helper.PURL) > feed.MaxText:
		if one.Helper.CPE != "" && strings.HasPrefix(one.Helper.CPE, "cpe:/o:") || len(one.Name) > feed.MaxText {
			return Package{}
		}
		return nevra(one.Name)
	case kind == "rpm":
		return rpm(rest)
	case kind == "rpmmod":
		_, name, _ := strings.Cut(rest, "/")
		name, stream, _ := strings.Cut(strings.ReplaceAll(unescape(name), "@", ":"), ":")
		stream, _, _ = strings.Cut(stream, ":")
		stream, _, _ = strings.Cut(stream, "?")
		return Package{Module: name + ":" + stream}
	}
	return Package{}
}

// rpm reads what follows pkg:rpm/.
func rpm(rest string) Package {
	rest, more, _ := strings.Cut(rest, "?")
	_, nameVersion, _ := strings.Cut(rest, "/")
	name, version, _ := strings.Cut(nameVersion, "@")
	p := Package{Name: unescape(name), Version: unescape(version)}
	for _, q := range strings.Split(more, "&") {
		key, value, _ := strings.Cut(q, "=")
		switch value = unescape(value); key {
		case "arch":
			p.Architecture = value
		case "epoch":
			if p.Version != "" && value != "0" && strings.Trim(value, "0123456789") == "" {
				p.Version = value + ":" + p.Version
			}
		case "rpmmod":
			if parts := strings.Split(value, ":"); len(parts) >= 2 {
				p.Module = parts[0] + ":" + parts[1]
			}
		}
	}
	return p
}

func unescape(s string) string {
	if u, err := url.PathUnescape(s); err == nil {
		return u
	}
	return s
}

var (
	architecture = regexp.MustCompile(`\.(noarch|src|nosrc|x86_64|x86_64_v2|i[3-6]86|s390x?|ppc(?:64)?(?:le)?|aarch64|ia64|armv\w+|riscv64)$`)
	versioned    = regexp.MustCompile(`^([A-Za-z0-9][A-Za-z0-9._+-]*?)-((?:\d+:)?\d[A-Za-z0-9.+~^_]*-[A-Za-z0-9.+~^_]*\d[A-Za-z0-9.+~^_]*)$`)
	packageName  = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._+-]*$`)
)

// nevra reads name-version-release.architecture; the last three may be missing.
func nevra(s string) Package {
	var p Package
	if m := architecture.FindStringSubmatch(s); m != nil {
		s, p.Architecture = strings.TrimSuffix(s, m[0]), m[1]
	}
	if m := versioned.FindStringSubmatch(s); m != nil {
		p.Name, p.Version = m[1], strings.TrimPrefix(m[2], "0:")
		return p
	}
	if packageName.MatchString(s) {
		p.Name = s
		return p
	}
	return Package{}
}
