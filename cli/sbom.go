package cli

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	cdx "github.com/CycloneDX/cyclonedx-go"
	"github.com/package-url/packageurl-go"

	"patchbay/client"
	"patchbay/patch"
	"patchbay/server/assess"
	"patchbay/server/view"
)

// SBOM writes what is on a device, and what advisories affect of it, as others read it.
type SBOM struct {
	Device string `arg:"" help:"ID or name."`
}

// Run prints a bill of materials in CycloneDX 1.6, as JSON.
func (s *SBOM) Run(ctx context.Context, g *Globals) error {
	c, id, err := g.device(ctx, s.Device)
	if err != nil {
		return err
	}
	path := "/devices/" + url.PathEscape(id)
	d, err := client.Get[view.DeviceDetail](ctx, c, path, nil)
	if err != nil {
		return err
	}
	items, err := client.List[view.Item](ctx, c, path+"/items", nil, 0)
	if err != nil {
		return err
	}
	findings, err := client.Get[view.DeviceFindings](ctx, c, path+"/findings", nil)
	if err != nil {
		return err
	}
	bom := materials(d, items.Items, findings, g.Now())
	out := cdx.NewBOMEncoder(g.Out, cdx.BOMFileFormatJSON)
	return out.SetPretty(true).EncodeVersion(bom, cdx.SpecVersion1_6)
}

// materials is a device's software with what affects it. An item of the bill is named by the
// key that the server knows it by.
func materials(d view.DeviceDetail, items []view.Item, findings view.DeviceFindings, now time.Time) *cdx.BOM {
	bom := cdx.NewBOM()
	bom.Metadata = &cdx.Metadata{
		Timestamp: now.UTC().Format(time.RFC3339),
		Tools:     &cdx.ToolsChoice{Components: &[]cdx.Component{{Type: cdx.ComponentTypeApplication, Name: "patchbay"}}},
		Component: &cdx.Component{BOMRef: d.ID, Type: cdx.ComponentTypeDevice, Name: d.Name},
	}
	components := []cdx.Component{{BOMRef: "system", Type: cdx.ComponentTypeOS, Name: d.OSName, Version: d.Release}}
	for _, it := range items {
		components = append(components, component(findings, it))
	}
	bom.Components = &components
	bom.Metadata.Properties = &[]cdx.Property{{Name: "patchbay:findings", Value: known(findings)}}
	list := vulnerabilities(findings)
	bom.Vulnerabilities = &list
	return bom
}

// known says whether an empty list of vulnerabilities means anything.
func known(f view.DeviceFindings) string {
	if f.Compared {
		return "compared"
	}
	return "not compared: no feed speaks of this system"
}

func component(f view.DeviceFindings, it view.Item) cdx.Component {
	c := cdx.Component{BOMRef: it.Key().String() + "@" + it.Version, Type: cdx.ComponentTypeApplication, Name: it.Name, Version: it.Version, PackageURL: address(f, it.Item)}
	if it.Title != "" {
		c.Description = it.Title
	}
	if it.Origin != "" {
		c.Supplier = &cdx.OrganizationalEntity{Name: it.Origin}
	}
	return c
}

// purlTypes are the types of package URLs, and their namespaces, by the system that a package is
// of, as the schema of OSV names it.
var purlTypes = map[string][2]string{
	"Debian": {packageurl.TypeDebian, "debian"}, "Ubuntu": {packageurl.TypeDebian, "ubuntu"}, "AlmaLinux": {packageurl.TypeRPM, "almalinux"},
	"Rocky Linux": {packageurl.TypeRPM, "rocky-linux"}, "Red Hat": {packageurl.TypeRPM, "redhat"}, "SUSE": {packageurl.TypeRPM, "suse"},
	"openSUSE": {packageurl.TypeRPM, "opensuse"}, "Alpine": {packageurl.TypeApk, "alpine"},
}

// address is an item's package URL, "" where there is no type for it.
func address(f view.DeviceFindings, it patch.Item) string {
	i := slices.IndexFunc(f.Providers, func(c view.ComparedWith) bool { return c.Provider == it.Provider })
	if i < 0 {
		return ""
	}
	system, release, _ := strings.Cut(f.Providers[i].Release, ":")
	kind, ok := purlTypes[system]
	if !ok {
		return ""
	}
	q := map[string]string{"distro": kind[1] + "-" + strings.TrimPrefix(release, "v")}
	if it.Architecture != "" {
		q["arch"] = it.Architecture
	}
	if it.Source != "" {
		q["upstream"] = it.Source
		if it.SourceVersion != "" {
			q["upstream"] += "@" + it.SourceVersion
		}
	}
	return packageurl.NewPackageURL(kind[0], kind[1], it.Name, it.Version, packageurl.QualifiersFromMap(q), "").ToString()
}

// vulnerabilities are what affects it: one for each advisory and what is said of it, with the
// items it is said of.
func vulnerabilities(f view.DeviceFindings) []cdx.Vulnerability {
	list := []cdx.Vulnerability{}
	at := map[string]int{}
	for _, it := range f.Items {
		ref := patch.Key{Provider: it.Item.Provider, Scope: it.Item.Scope, Name: it.Item.Name, Architecture: it.Item.Architecture, Instance: it.Item.Instance}.String() + "@" + it.Installed
		for _, one := range it.Findings {
			if one.Advisory == "" {
				continue
			}
			key := fmt.Sprint(one.Advisory, one.Status, one.Fixed, one.Note)
			i, ok := at[key]
			if !ok {
				i = len(list)
				at[key] = i
				list = append(list, vulnerability(one, i))
			}
			*list[i].Affects = append(*list[i].Affects, cdx.Affects{Ref: ref})
		}
	}
	return list
}

func vulnerability(f view.Finding, n int) cdx.Vulnerability {
	v := cdx.Vulnerability{BOMRef: fmt.Sprintf("finding-%d", n+1), ID: f.Advisory, Source: &cdx.Source{Name: f.Source}, Affects: &[]cdx.Affects{},
		Ratings: &[]cdx.VulnerabilityRating{{Severity: cdx.Severity(f.Severity)}}, Analysis: analysis(f)}
	if len(f.CVEs) > 0 && !slices.Contains(f.CVEs, f.Advisory) {
		var refs []cdx.VulnerabilityReference
		for _, id := range f.CVEs {
			refs = append(refs, cdx.VulnerabilityReference{ID: id, Source: &cdx.Source{Name: "CVE"}})
		}
		v.References = &refs
	}
	if f.Published != nil {
		v.Published = f.Published.UTC().Format(time.RFC3339)
	}
	if f.Fixed != "" {
		v.Recommendation = "Fixed in " + f.Fixed + "."
	}
	if f.Exploited != nil {
		v.Properties = &[]cdx.Property{{Name: "patchbay:exploited", Value: f.Exploited.Format(time.DateOnly)}}
	}
	return v
}

// analysis says in the words of VEX what a finding means.
func analysis(f view.Finding) *cdx.VulnerabilityAnalysis {
	a := &cdx.VulnerabilityAnalysis{State: cdx.IASExploitable, Detail: strings.TrimSpace(f.Note)}
	if f.Unconfirmed {
		a.State = cdx.IASInTriage
		return a
	}
	switch f.Status {
	case assess.Affected:
		a.Response = &[]cdx.ImpactAnalysisResponse{cdx.IARUpdate}
	case assess.NoFix:
		a.Response = &[]cdx.ImpactAnalysisResponse{cdx.IARCanNotFix}
	case assess.HeadersOnly:
		a.State, a.Justification = cdx.IASNotAffected, cdx.IAJCodeNotPresent
	case assess.NotRunning:
		a.State, a.Justification = cdx.IASNotAffected, cdx.IAJCodeNotReachable
	case assess.Unimportant:
		a.State, a.Justification = cdx.IASNotAffected, cdx.IAJRequiresEnvironment
	default:
		a.State = cdx.IASInTriage
	}
	return a
}
