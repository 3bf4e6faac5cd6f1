// Package programs says which installed programs are which products of the National
// Vulnerability Database, whose records name products and not packages.
//
// The one idea: only what is certain stands here. A program is taken for a product by the ID of
// its package in the signed catalogue, by the name that it writes into the list of installed
// programs, or by its bundle's identifier; and only where the version that it shows is ordered
// as the database's versions are. What is not here is not compared, and is told as that.
package programs

import (
	"slices"
	"strings"

	"patchbay/patch"
	"patchbay/patch/arp"
	"patchbay/server/catalog/cpe"
	"patchbay/server/catalog/nvd"
)

// Program is a program that is known as a product.
type Program struct {
	ID     string   // of its package in the catalogue
	Names  []string // in the list of installed programs, as arp.Name has them; with * at the end beginnings
	Bundle string   // its identifier on a Mac, "" where it has none or is not compared there
	// Products are what the database calls it: vendor:product, or vendor:product:edition for one
	// edition of several.
	Products []string
	// Editions says that what names no edition is about another product: releases with longer
	// support have versions of their own.
	Editions bool
}

// Of gives the program that an item of a system ("windows", "darwin") is, false for one that is
// not known. On a Windows it is one of the list of installed programs.
func Of(os string, it patch.Item) (*Program, bool) {
	switch os {
	case "windows":
		if p, ok := byID[arp.Fold(it.Source)]; ok && it.Source != "" {
			return p, true
		}
		name := arp.Fold(arp.Name(it.Name))
		if p, ok := byName[name]; ok {
			return p, true
		}
		for _, b := range beginnings {
			if strings.HasPrefix(name, b.begins) {
				return b.of, true
			}
		}
	case "darwin":
		p, ok := byBundle[it.Instance]
		return p, ok
	}
	return nil, false
}

// Keys are what the database's records about it are found by, sorted.
func (p *Program) Keys() []string {
	keys := make([]string, 0, len(p.Products))
	for _, name := range p.names() {
		keys = append(keys, name.Key())
	}
	slices.Sort(keys)
	return slices.Compact(keys)
}

func (p *Program) names() []cpe.Name {
	names := make([]cpe.Name, 0, len(p.Products))
	for _, product := range p.Products {
		parts := strings.Split(product, ":")
		name := cpe.Product("a", parts[0], parts[1])
		if len(parts) > 2 {
			name.SoftwareEdition = parts[2]
		}
		names = append(names, name)
	}
	return names
}

// Asked is the question that records answer about one version of it on a system, as facts name
// that ("windows", "darwin").
func (p *Program) Asked(version, os string) nvd.Asked {
	a := nvd.Asked{Names: p.names(), Version: version, Editions: p.Editions}
	switch os {
	case "windows":
		a.Platforms = []cpe.Name{cpe.Product("o", "microsoft", "windows")}
	case "darwin":
		a.Platforms = []cpe.Name{cpe.Product("o", "apple", "macos")}
	}
	return a
}

// Keys are those of all programs.
func Keys() map[string]bool {
	keys := map[string]bool{}
	for _, p := range all {
		for _, key := range p.Keys() {
			keys[key] = true
		}
	}
	return keys
}

// All lists them.
func All() []Program { return slices.Clone(all) }

type beginning struct {
	begins string
	of     *Program
}

var (
	byID, byName, byBundle = tables()
	beginnings             = begins()
)

func tables() (id, name, bundle map[string]*Program) {
	id, name, bundle = map[string]*Program{}, map[string]*Program{}, map[string]*Program{}
	for _, p := range all {
		if p.ID != "" {
			id[arp.Fold(p.ID)] = &p
		}
		for _, n := range p.Names {
			if !strings.HasSuffix(n, "*") {
				name[arp.Fold(n)] = &p
			}
		}
		if p.Bundle != "" {
			bundle[p.Bundle] = &p
		}
	}
	return id, name, bundle
}

func begins() (list []beginning) {
	for _, p := range all {
		for _, n := range p.Names {
			if b, ok := strings.CutSuffix(n, "*"); ok {
				list = append(list, beginning{arp.Fold(b), &p})
			}
		}
	}
	return list
}
