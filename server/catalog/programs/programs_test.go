package programs_test

import (
	"os"
	"slices"
	"strings"
	"testing"

	"patchbay/patch"
	"patchbay/patch/arp"
	"patchbay/server/catalog/cpe"
	"patchbay/server/catalog/nvd"
	"patchbay/server/catalog/programs"
)

func windows(name, source string) patch.Item {
	return patch.Item{Name: name, Source: source, Version: "1"}
}

// TestNoProgramIsTwo: an ID, a name and an identifier are of one program, and names of products
// can be read.
func TestNoProgramIsTwo(t *testing.T) {
	seen := map[string]bool{}
	once := func(what string) {
		if seen[what] {
			t.Errorf("%s stands twice", what)
		}
		seen[what] = true
	}
	for _, p := range programs.All() {
		if p.ID != "" {
			once("ID " + arp.Fold(p.ID))
		}
		if p.ID == "" && len(p.Names) == 0 || len(p.Products) == 0 {
			t.Errorf("%+v is nothing", p)
		}
		for _, n := range p.Names {
			plain := strings.TrimSuffix(n, "*")
			once("name " + arp.Fold(plain))
			if arp.Name(plain) != plain {
				t.Errorf("no item is called %q: it would be %q", plain, arp.Name(plain))
			}
			if got, ok := programs.Of("windows", windows(plain, "")); !ok || !slices.Equal(got.Products, p.Products) {
				t.Errorf("%q is %+v", plain, got)
			}
		}
		if p.Bundle != "" {
			once("bundle " + p.Bundle)
		}
		for _, product := range p.Products {
			parts := strings.Split(product, ":")
			if n := len(parts); n < 2 || n > 3 || product != strings.ToLower(product) {
				t.Errorf("%s is no product", product)
				continue
			}
			if name, err := cpe.Parse(cpe.Product("a", parts[0], parts[1]).String()); err != nil || name.Key() != parts[0]+":"+parts[1] {
				t.Errorf("%s cannot be read: %v", product, err)
			}
		}
	}
}

func TestWhichProgramAnItemIs(t *testing.T) {
	for _, c := range []struct {
		os   string
		item patch.Item
		want string
	}{
		{"windows", windows("7-Zip", ""), "7-zip:7-zip"},
		{"windows", windows("7-Zip 24.08 (x64)", ""), "7-zip:7-zip"},
		{"windows", windows("Whatever it calls itself", "Mozilla.Firefox"), "mozilla:firefox"},
		{"windows", windows("Mozilla Firefox ESR", ""), "mozilla:firefox"},
		{"windows", windows("PostgreSQL 16", ""), "postgresql:postgresql"},
		{"windows", windows("ImageMagick Q16-HDRI", ""), "imagemagick:imagemagick"},
		{"darwin", patch.Item{Name: "Firefox", Instance: "org.mozilla.firefox"}, "mozilla:firefox"},
		{"windows", windows("Firefox Developer Edition", ""), ""},
		{"windows", windows("Git Extensions", ""), ""},
		{"darwin", patch.Item{Name: "7-Zip"}, ""},
		{"linux", patch.Item{Name: "git"}, ""},
		{"windows", windows("", ""), ""},
	} {
		p, ok := programs.Of(c.os, c.item)
		if ok != (c.want != "") || ok && !slices.Contains(p.Keys(), c.want) {
			t.Errorf("%+v is %+v", c.item, p)
		}
	}
}

// TestRealRecords asks real records about real versions.
func TestRealRecords(t *testing.T) {
	f, err := os.Open("../nvd/testdata/trimmed.json")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	records := map[string]nvd.CVE{}
	if _, err := nvd.Read(f, func(c nvd.CVE) error { records[c.ID] = c; return nil }); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		cve, id, version, os string
		want                 nvd.Verdict
		fixed                string
	}{
		{"CVE-2024-11477", "7zip.7zip", "22.01", "windows", nvd.Affected, "24.07"},
		{"CVE-2024-11477", "7zip.7zip", "24.06.00.0", "windows", nvd.Affected, "24.07"},
		{"CVE-2024-11477", "7zip.7zip", "24.07", "windows", nvd.Not, ""},
		{"CVE-2024-11477", "7zip.7zip", "24.09.00.0", "windows", nvd.Not, ""},
		{"CVE-2023-21608", "Adobe.Acrobat.Reader.64-bit", "22.003.20282", "windows", nvd.Affected, ""},
		{"CVE-2023-21608", "Adobe.Acrobat.Reader.64-bit", "22.003.20282", "darwin", nvd.Not, ""},
		{"CVE-2023-21608", "Adobe.Acrobat.Reader.64-bit", "22.003.20281", "darwin", nvd.Affected, ""},
		{"CVE-2023-21608", "Adobe.Acrobat.Reader.64-bit", "23.001.20000", "windows", nvd.Not, ""},
		{"CVE-2024-4671", "Google.Chrome", "124.0.6367.118", "windows", nvd.Affected, "124.0.6367.201"},
		{"CVE-2024-11477", "Google.Chrome", "100", "windows", nvd.Not, ""},
	} {
		record, ok := records[c.cve]
		p, known := programs.Of("windows", windows("", c.id))
		if !ok || !known {
			t.Fatalf("%s or %s is not known", c.cve, c.id)
		}
		if got := nvd.Match(record, p.Asked(c.version, c.os)); got.Verdict != c.want || got.Fixed != c.fixed {
			t.Errorf("%s of %s %s: %+v", c.cve, c.id, c.version, got)
		}
	}
}

// TestReleasesWithLongerSupportAreAnotherProduct: what names no edition is about the usual one.
func TestReleasesWithLongerSupportAreAnotherProduct(t *testing.T) {
	criterion := func(product, edition, before string) nvd.CVE {
		name := cpe.Product("a", "mozilla", product)
		name.SoftwareEdition = edition
		return nvd.CVE{ID: "CVE-2026-0001", Status: "Analyzed", Configurations: []nvd.Configuration{{Nodes: []nvd.Node{{Criteria: []nvd.Criterion{
			{Product: name, Vulnerable: true, To: nvd.Bound{Version: before, Excluded: true}}}}}}}}
	}
	usual, _ := programs.Of("windows", windows("", "Mozilla.Firefox"))
	longer, _ := programs.Of("windows", windows("", "Mozilla.Firefox.ESR"))
	for _, c := range []struct {
		record        nvd.CVE
		usual, longer nvd.Verdict
	}{
		{criterion("firefox", cpe.Any, "128.0"), nvd.Affected, nvd.Not},
		{criterion("firefox", cpe.None, "128.0"), nvd.Affected, nvd.Not},
		{criterion("firefox", "esr", "128.0"), nvd.Not, nvd.Affected},
		{criterion("firefox_esr", cpe.Any, "128.0"), nvd.Not, nvd.Affected},
		{criterion("firefox", "esr", "115.0"), nvd.Not, nvd.Not},
	} {
		if got := nvd.Match(c.record, usual.Asked("115.12", "windows")).Verdict; got != c.usual {
			t.Errorf("%+v: the usual one is %s", c.record.Configurations, got)
		}
		if got := nvd.Match(c.record, longer.Asked("115.12", "windows")).Verdict; got != c.longer {
			t.Errorf("%+v: the one with longer support is %s", c.record.Configurations, got)
		}
	}
}
