package listing

import (
	"encoding/json"
	"fmt"
	"strings"

	"patchbay/server/catalog/match"
)

// spdx is what is read of a document of SPDX 2.
type spdx struct {
	Packages []struct {
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
		one := described{version: p.Version, source: p.Source}
		for _, r := range p.Refs {
			one.refer(r.Type, r.Locator)
		}
		if err := one.add(h); err != nil {
			return err
		}
	}
	return nil
}

// described is what a document of SPDX says of one package.
type described struct {
	version, source string
	urls            []string // package URLs
}

// refer takes a reference where it is a package URL. Its type may be written as an address.
func (d *described) refer(kind, locator string) {
	if kind == "purl" || strings.HasSuffix(kind, "/purl") {
		d.urls = append(d.urls, locator)
	}
}

// add takes the first of its package URLs that can be read.
func (d *described) add(h *match.Host) error {
	for _, url := range d.urls {
		it, ok := fromPURL(url, d.version, h)
		if !ok {
			continue
		}
		// Trivy: "built package from: openssl 3.0.15-1"
		if from, found := strings.CutPrefix(d.source, "built package from: "); found && it.Source == "" {
			it.Source, it.SourceVersion, _ = strings.Cut(from, " ")
		}
		return add(h, it)
	}
	if len(d.urls) > 0 {
		h.Unread++
	}
	return nil
}

// readTags reads SPDX 2 in its form of tags and values.
func readTags(text []byte, h *match.Host) error {
	var one described
	err := lines(text, func(_ int, line string) error {
		tag, value, _ := strings.Cut(line, ":")
		value = strings.TrimSpace(value)
		switch strings.TrimSpace(tag) {
		case "PackageName":
			err := one.add(h)
			one = described{}
			return err
		case "PackageVersion":
			one.version = value
		case "PackageSourceInfo":
			one.source = strings.TrimSuffix(strings.TrimPrefix(value, "<text>"), "</text>")
		case "ExternalRef":
			if f := strings.Fields(value); len(f) == 3 {
				one.refer(f[1], f[2])
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return one.add(h)
}

// spdx3 is what is read of an element of SPDX 3.
type spdx3 struct {
	Type    string `json:"type"`
	URL     string `json:"software_packageUrl"`
	Version string `json:"software_packageVersion"`
	Source  string `json:"software_sourceInfo"`
	Known   []struct {
		Type string `json:"externalIdentifierType"`
		ID   string `json:"identifier"`
	} `json:"externalIdentifier"`
}

// readSPDX3 reads the elements of a document of SPDX 3. Those that are no packages have other
// fields, and say nothing here.
func readSPDX3(graph []json.RawMessage, h *match.Host) error {
	for _, text := range graph {
		var kind struct {
			Type any `json:"type"`
		}
		if json.Unmarshal(text, &kind) != nil || kind.Type != "software_Package" {
			continue
		}
		var e spdx3
		if err := json.Unmarshal(text, &e); err != nil {
			return fmt.Errorf("reading the SPDX document: %w", err)
		}
		one := described{version: e.Version, source: e.Source}
		if e.URL != "" {
			one.refer("purl", e.URL)
		}
		for _, k := range e.Known {
			if k.Type == "packageUrl" || k.Type == "packageURL" {
				one.refer("purl", k.ID)
			}
		}
		if err := one.add(h); err != nil {
			return err
		}
	}
	return nil
}
