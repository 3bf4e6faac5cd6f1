package listing

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	cdx "github.com/CycloneDX/cyclonedx-go"
	"github.com/package-url/packageurl-go"

	"patchbay/server/catalog/match"
)

// readJSON reads a bill of materials, of whichever form it says it is.
func readJSON(text []byte, h *match.Host) error {
	var kind struct {
		Format string            `json:"bomFormat"`
		SPDX   string            `json:"spdxVersion"`
		Graph  []json.RawMessage `json:"@graph"`
	}
	if err := json.Unmarshal(text, &kind); err != nil {
		return fmt.Errorf("reading the bill of materials: %w", err)
	}
	switch {
	case kind.Format == "CycloneDX":
		return readCycloneDX(text, true, h)
	case strings.HasPrefix(kind.SPDX, "SPDX-"):
		return readSPDX(text, h)
	case len(kind.Graph) > 0:
		return readSPDX3(kind.Graph, h)
	}
	return errors.New("the listing is JSON, and neither CycloneDX (bomFormat) nor SPDX (spdxVersion, or @graph in SPDX 3)")
}

func readCycloneDX(text []byte, isJSON bool, h *match.Host) error {
	format := cdx.BOMFileFormatXML
	if isJSON {
		format = cdx.BOMFileFormatJSON
	}
	var bom cdx.BOM
	if err := cdx.NewBOMDecoder(bytes.NewReader(text), format).Decode(&bom); err != nil {
		return fmt.Errorf("reading the CycloneDX bill of materials: %w", err)
	}
	var all []cdx.Component
	if bom.Metadata != nil && bom.Metadata.Component != nil {
		all = append(all, *bom.Metadata.Component)
	}
	if bom.Components != nil {
		all = append(all, *bom.Components...)
	}
	systems(all, 1, h) // it may stand behind its packages
	return components(all, 1, h)
}

func systems(list []cdx.Component, depth int, h *match.Host) {
	for _, c := range list {
		if c.Type == cdx.ComponentTypeOS {
			system(h, c.Name, c.Version)
		}
		if c.Components != nil && depth < maxDepth {
			systems(*c.Components, depth+1, h)
		}
	}
}

// maxDepth is how deep components stand in each other at most.
const maxDepth = 50

// components takes them with those inside of them.
func components(list []cdx.Component, depth int, h *match.Host) error {
	if depth > maxDepth {
		return fmt.Errorf("the bill of materials has components in components, more than %d deep", maxDepth)
	}
	for _, c := range list {
		if c.Type != cdx.ComponentTypeOS {
			if err := component(c, h); err != nil {
				return err
			}
		}
		if c.Components != nil {
			if err := components(*c.Components, depth+1, h); err != nil {
				return err
			}
		}
	}
	return nil
}

// system takes the release from what a bill of materials says is the machine's system.
func system(h *match.Host, name, version string) {
	if h.Release != "" {
		return
	}
	name = strings.ToLower(strings.TrimSpace(name))
	version, _, _ = strings.Cut(strings.TrimSpace(version), " ") // 12 (bookworm)
	for _, n := range []string{name, strings.Fields(name + " -")[0]} {
		if release, err := match.Release(n + ":" + version); err == nil {
			h.Release = release
			return
		}
	}
}

func component(c cdx.Component, h *match.Host) error {
	own := map[string]string{}
	if c.Properties != nil {
		for _, p := range *c.Properties {
			name := p.Name
			for _, prefix := range []string{"aquasecurity:trivy:", "syft:metadata:"} {
				name = strings.TrimPrefix(name, prefix)
			}
			own[name] = p.Value
		}
	}
	it, ok := fromPURL(c.PackageURL, c.Version, h)
	if !ok { // nothing says of which manager it is
		if c.Type == cdx.ComponentTypeLibrary {
			h.Unread++
		}
		return nil
	}
	if s := own["SrcName"]; s != "" {
		it.Source = s
		it.SourceVersion = evr(own["SrcEpoch"], own["SrcVersion"], own["SrcRelease"])
	}
	if s := own["source"]; s != "" && it.Source == "" {
		it.Source, it.SourceVersion = s, own["sourceVersion"]
	}
	if s := own["modularityLabel"]; s != "" {
		it.Module = label(s)
	}
	return add(h, it)
}

func evr(epoch, version, release string) string {
	if version == "" {
		return ""
	}
	if epoch != "" && epoch != "0" {
		version = epoch + ":" + version
	}
	if release != "" {
		version += "-" + release
	}
	return version
}

// label is name:stream of a label such as nodejs:18:9020020230327152102:rhel9.
func label(s string) string {
	parts := strings.Split(s, ":")
	if len(parts) < 2 {
		return ""
	}
	return parts[0] + ":" + parts[1]
}

// languages are the types of package URLs that are of no system.
var languages = map[string]string{
	"pypi": "PyPI", "npm": "npm", "golang": "Go", "cargo": "crates.io", "maven": "Maven", "nuget": "NuGet", "gem": "RubyGems", "composer": "Packagist", "hex": "Hex", "pub": "Pub",
}

// fromPURL makes an item of a package URL, and takes the release from it where nobody said one.
// A package URL may leave out the version that stands beside it.
func fromPURL(text, version string, h *match.Host) (match.Item, bool) {
	p, err := packageurl.FromString(text)
	if p.Version = cmp.Or(p.Version, strings.TrimSpace(version)); err != nil || p.Version == "" {
		return match.Item{}, false
	}
	q := p.Qualifiers.Map()
	it := match.Item{Name: p.Name, Version: p.Version, Architecture: q["arch"]}
	if e, ok := languages[p.Type]; ok {
		it.Ecosystem = e
		if p.Namespace != "" {
			join := "/"
			if e == "Maven" {
				join = ":"
			}
			it.Name = p.Namespace + join + p.Name
		}
		if e == "Go" {
			it.Version = strings.TrimPrefix(strings.TrimPrefix(it.Version, "go"), "v")
			if it.Name == "std" { // as cyclonedx-gomod calls it
				it.Name = "stdlib"
			}
		}
		return it, true
	}
	if p.Type != "deb" && p.Type != "rpm" && p.Type != "apk" {
		return it, false
	}
	if e := q["epoch"]; e != "" && e != "0" && !strings.Contains(it.Version, ":") {
		it.Version = e + ":" + it.Version
	}
	if up := q["upstream"]; up != "" {
		it.Source, it.SourceVersion = upstream(up, p.Type)
	}
	if m := q["rpmmod"]; m != "" {
		it.Module = label(m)
	}
	distro(h, p.Namespace, q["distro"])
	it.Foreign = p.Namespace // until all is read: strangers tells whether it is one
	return it, true
}

// upstream reads the source as syft writes it: openssl@3.0.15-1, or for rpm a file's name.
func upstream(s, kind string) (name, version string) {
	if kind == "rpm" {
		if m := nevra.FindStringSubmatch(strings.TrimSuffix(s, ".rpm")); m != nil {
			return m[2], ""
		}
		return "", ""
	}
	name, version, _ = strings.Cut(s, "@")
	return name, version
}

// distro takes the release from a qualifier: debian-12, bookworm, almalinux-9.4, alpine-3.20.1.
func distro(h *match.Host, namespace, q string) {
	if h.Release != "" || q == "" {
		return
	}
	name, version := namespace, q
	if i := strings.LastIndexByte(q, '-'); i >= 0 { // opensuse-leap-15.6
		name, version = q[:i], q[i+1:]
	}
	if release, err := match.Release(name + ":" + version); err == nil {
		h.Release = release
	}
}

// families are the namespaces of package URLs by the first word of a release.
var families = map[string]string{
	"debian": "Debian", "ubuntu": "Ubuntu", "alpine": "Alpine", "wolfi": "Wolfi", "chainguard": "Chainguard",
	"almalinux": "AlmaLinux", "alma": "AlmaLinux", "rocky": "Rocky Linux", "rocky-linux": "Rocky Linux", "rockylinux": "Rocky Linux", "redhat": "Red Hat", "rhel": "Red Hat",
	"suse": "SUSE", "sles": "SUSE", "sled": "SUSE", "opensuse": "SUSE", "opensuse-leap": "SUSE", "opensuse-tumbleweed": "SUSE",
}

// strangers keeps the namespaces of the packages that are not of the release's own publisher.
func strangers(h *match.Host) {
	of, _, _ := strings.Cut(h.Release, ":")
	if of == "openSUSE" {
		of = "SUSE"
	}
	for i := range h.Items {
		it := &h.Items[i]
		if of == "" || families[strings.ToLower(it.Foreign)] == of {
			it.Foreign = ""
		}
	}
}
