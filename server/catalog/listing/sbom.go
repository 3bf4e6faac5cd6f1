package listing

import (
	"bytes"
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
		Format string `json:"bomFormat"`
		SPDX   string `json:"spdxVersion"`
	}
	if err := json.Unmarshal(text, &kind); err != nil {
		return fmt.Errorf("reading the bill of materials: %w", err)
	}
	switch {
	case kind.Format == "CycloneDX":
		return readCycloneDX(text, true, h)
	case strings.HasPrefix(kind.SPDX, "SPDX-"):
		return readSPDX(text, h)
	}
	return errors.New("the listing is JSON, and neither CycloneDX (bomFormat) nor SPDX 2 (spdxVersion)")
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
	return components(all, 1, h)
}

// components takes them with those inside of them.
func components(list []cdx.Component, depth int, h *match.Host) error {
	if depth > 50 {
		return errors.New("the bill of materials has components in components, more than 50 deep")
	}
	for _, c := range list {
		if c.Type == cdx.ComponentTypeOS {
			system(h, c.Name, c.Version)
		} else if err := component(c, h); err != nil {
			return err
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
	it, ok := fromPURL(c.PackageURL, h)
	if !ok {
		return nil // nothing says of which manager it is
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
func fromPURL(text string, h *match.Host) (match.Item, bool) {
	p, err := packageurl.FromString(text)
	if err != nil || p.Version == "" {
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
			it.Version = strings.TrimPrefix(it.Version, "v")
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
	if ns := foreignNamespace(p.Namespace, h.Release); ns != "" {
		it.Foreign = ns
	}
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
	name, version, ok := strings.Cut(q, "-")
	if !ok {
		name, version = namespace, q
	}
	if release, err := match.Release(name + ":" + version); err == nil {
		h.Release = release
	}
}

// families are the namespaces of package URLs by the first word of a release.
var families = map[string]string{"debian": "Debian", "ubuntu": "Ubuntu", "alpine": "Alpine", "almalinux": "AlmaLinux", "alma": "AlmaLinux", "rocky": "Rocky Linux", "rocky-linux": "Rocky Linux", "redhat": "Red Hat", "rhel": "Red Hat", "suse": "SUSE", "opensuse": "openSUSE", "wolfi": "Wolfi", "chainguard": "Chainguard"}

// foreignNamespace names a publisher that is not the release's own.
func foreignNamespace(namespace, release string) string {
	if namespace == "" || release == "" {
		return ""
	}
	of, _, _ := strings.Cut(release, ":")
	if families[strings.ToLower(namespace)] == of {
		return ""
	}
	return namespace
}

// spdx is what is read of a document of SPDX 2.
type spdx struct {
	Packages []struct {
		Name    string `json:"name"`
		Version string `json:"versionInfo"`
		Source  string `json:"sourceInfo"`
		Refs    []struct {
			Type    string `json:"referenceType"`
			Locator string `json:"referenceLocator"`
		} `json:"externalRefs"`
	} `json:"packages"`
}

func readSPDX(text []byte, h *match.Host) error {
	var doc spdx
	if err := json.Unmarshal(text, &doc); err != nil {
		return fmt.Errorf("reading the SPDX document: %w", err)
	}
	for _, p := range doc.Packages {
		for _, r := range p.Refs {
			if r.Type != "purl" {
				continue
			}
			it, ok := fromPURL(r.Locator, h)
			if !ok {
				continue
			}
			// Trivy: "built package from: openssl 3.0.15-1"
			if from, found := strings.CutPrefix(p.Source, "built package from: "); found && it.Source == "" {
				it.Source, it.SourceVersion, _ = strings.Cut(from, " ")
			}
			if err := add(h, it); err != nil {
				return err
			}
			break
		}
	}
	return nil
}

// readTags reads SPDX 2 in its form of tags and values.
func readTags(text []byte, h *match.Host) error {
	return lines(text, func(_ int, line string) error {
		value, ok := strings.CutPrefix(line, "ExternalRef:")
		if !ok {
			return nil
		}
		f := strings.Fields(value)
		if len(f) != 3 || f[1] != "purl" {
			return nil
		}
		if it, ok := fromPURL(f[2], h); ok {
			return add(h, it)
		}
		return nil
	})
}
