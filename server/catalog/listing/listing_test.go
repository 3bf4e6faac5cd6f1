package listing_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"patchbay/server/catalog/listing"
	"patchbay/server/catalog/match"
)

func said(h match.Host) []string {
	var list []string
	for _, it := range h.Items {
		list = append(list, strings.TrimSpace(fmt.Sprintf("%s %s %s %s %s %s %s %s", it.Ecosystem, it.Name, it.Architecture, it.Version, it.Source, it.SourceVersion, it.Module, it.Foreign)))
	}
	return list
}

func TestForms(t *testing.T) {
	for name, c := range map[string]struct {
		text, release, found string // found is the release that it says itself
		want                 []string
		noEpoch              bool
	}{
		"status of dpkg": {text: "Package: bsdutils\nStatus: install ok installed\nArchitecture: amd64\nSource: util-linux (2.38.1-5+deb12u3)\nVersion: 1:2.38.1-5+deb12u3\nDescription: x\n Version: 9\n\n" +
			"Package: gone\nStatus: deinstall ok config-files\nVersion: 1\n\nPackage: half\nStatus: install ok half-configured\nVersion: 2-1\nArchitecture: all\n\n" +
			"Package: nodejs\nStatus: install ok installed\nMaintainer: NodeSource Support <x@y>\nVersion: 20.20.2-1nodesource1\nArchitecture: amd64\n",
			release: "Debian:12", want: []string{"bsdutils amd64 1:2.38.1-5+deb12u3 util-linux 2.38.1-5+deb12u3", "half all 2-1", "nodejs amd64 20.20.2-1nodesource1    NodeSource Support"}},
		"table":            {text: "package\tarch\tversion\tsource\tsource_version\tstatus\nbash\tamd64\t5.2-1+b8\tbash\t5.2-1\tii \nrc\tall\t1\trc\t1\trc \n", release: "Debian:12", want: []string{"bash amd64 5.2-1+b8  5.2-1"}},
		"rpm -qa":          {text: "bash-5.1.8-6.el9.x86_64\ngpg-pubkey-8d50eb66-64ad8f8a\njava-1.8.0-openjdk-1.8.0.432.b06-3.el9.x86_64\n", release: "AlmaLinux:9", noEpoch: true, want: []string{"bash x86_64 5.1.8-6.el9", "java-1.8.0-openjdk x86_64 1.8.0.432.b06-3.el9"}},
		"rpm with epochs":  {text: "openssl-1:3.0.7-28.el9_4.x86_64\r\nbash-5.1.8-6.el9.x86_64\r\n", release: "AlmaLinux:9", want: []string{"openssl x86_64 1:3.0.7-28.el9_4", "bash x86_64 5.1.8-6.el9"}},
		"rpm, epoch first": {text: "32:bind-9.16.23-11.el9.x86_64\n(none):bash-5.1.8-6.el9.x86_64\n", release: "AlmaLinux:9", want: []string{"bind x86_64 32:9.16.23-11.el9", "bash x86_64 5.1.8-6.el9"}},
		"rpm with columns": {text: "nodejs-1:18.12.1-1.module_el9.1.0+16+91bc168f.x86_64\tnodejs-18.12.1-1.module_el9.1.0+16+91bc168f.src.rpm\tnodejs:18:9020020230327152102:rhel9\n", release: "AlmaLinux:9", want: []string{"nodejs x86_64 1:18.12.1-1.module_el9.1.0+16+91bc168f   nodejs:18"}},
		"CycloneDX": {text: `{"bomFormat":"CycloneDX","specVersion":"1.5","components":[
			{"type":"operating-system","name":"debian","version":"12.11"},
			{"type":"library","name":"libssl3","purl":"pkg:deb/debian/libssl3@3.0.15-1~deb12u1?arch=amd64&distro=debian-12.11&upstream=openssl"},
			{"type":"library","name":"dmsetup","purl":"pkg:deb/debian/dmsetup@2%3A1.02.185-2?arch=amd64","properties":[{"name":"aquasecurity:trivy:SrcName","value":"lvm2"},{"name":"aquasecurity:trivy:SrcVersion","value":"2.03.16"},{"name":"aquasecurity:trivy:SrcRelease","value":"2"}]},
			{"type":"library","name":"requests","purl":"pkg:pypi/requests@2.31.0","components":[{"type":"library","name":"net","purl":"pkg:golang/golang.org/x/net@v0.17.0"}]},
			{"type":"library","name":"log4j-core","purl":"pkg:maven/org.apache.logging.log4j/log4j-core@2.14.1"},
			{"type":"library","name":"@angular/core","purl":"pkg:npm/%40angular/core@15.0.0"},
			{"type":"file","name":"/etc/x"}]}`,
			found: "Debian:12", want: []string{"libssl3 amd64 3.0.15-1~deb12u1 openssl", "dmsetup amd64 2:1.02.185-2 lvm2 2.03.16-2", "PyPI requests  2.31.0", "Go golang.org/x/net  0.17.0", "Maven org.apache.logging.log4j:log4j-core  2.14.1", "npm @angular/core  15.0.0"}},
		"CycloneDX in XML": {text: `<?xml version="1.0"?><bom xmlns="http://cyclonedx.org/schema/bom/1.5"><components><component type="library"><name>bash</name><version>5.1</version><purl>pkg:rpm/almalinux/bash@5.1.8-6.el9?arch=x86_64&amp;distro=almalinux-9.4</purl></component></components></bom>`,
			found: "AlmaLinux:9", want: []string{"bash x86_64 5.1.8-6.el9"}},
		"SPDX": {text: `{"spdxVersion":"SPDX-2.3","packages":[{"name":"openssl","versionInfo":"1:3.0.7-28.el9","externalRefs":[{"referenceCategory":"PACKAGE-MANAGER","referenceType":"purl","referenceLocator":"pkg:rpm/almalinux/openssl@3.0.7-28.el9?arch=x86_64&epoch=1&distro=almalinux-9.4&upstream=openssl-3.0.7-28.el9.src.rpm"}]},
			{"name":"libcurl","sourceInfo":"built package from: curl 8.21.0-r1","externalRefs":[{"referenceType":"purl","referenceLocator":"pkg:apk/alpine/libcurl@8.21.0-r1?arch=x86_64"}]}]}`,
			found: "AlmaLinux:9", want: []string{"openssl x86_64 1:3.0.7-28.el9", "libcurl x86_64 8.21.0-r1 curl   alpine"}},
		"SPDX with tags": {text: "SPDXVersion: SPDX-2.2\nPackageName: curl\nExternalRef: PACKAGE-MANAGER purl pkg:apk/alpine/curl@8.21.0-r1?arch=x86_64&distro=alpine-3.23.1\n", found: "Alpine:v3.23", want: []string{"curl x86_64 8.21.0-r1"}},
	} {
		h, err := listing.Read(strings.NewReader(c.text), c.release)
		if err != nil || !slices.Equal(said(h), c.want) || h.NoEpoch != c.noEpoch || h.Release != c.release+c.found {
			t.Errorf("%s: %v, %s, no epochs %t\ngot  %q\nwant %q", name, err, h.Release, h.NoEpoch, said(h), c.want)
		}
	}
}

func TestRefused(t *testing.T) {
	for text, why := range map[string]string{
		"":                             "empty",
		"  \n":                         "empty",
		"hello world\n":                "line 1 is no package",
		"bash-5.1.8-6.el9.x86_64\nx\n": "line 2 is no package",
		`{"a":1}`:                      "neither CycloneDX",
		`{"bomFormat":"CycloneDX"`:     "reading the bill of materials",
		`{"bomFormat":"CycloneDX","specVersion":"1.5"}`: "nothing that is installed",
		"<html></html>":         "CycloneDX",
		"package\tarch\nx\ty\n": "no column version",
		"\x1f\x8bxx":            "unpacking",
		"Package: a\nStatus: deinstall ok config-files\nVersion: 1\n": "nothing that is installed",
		"Package: " + strings.Repeat("a", 5000) + "\nVersion: 1\n":    "longer than any real one",
	} {
		if _, err := listing.Read(strings.NewReader(text), ""); err == nil || !strings.Contains(err.Error(), why) {
			t.Errorf("%.40q: %v, not %q", text, err, why)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add("Package: a\nVersion: 1\nSource: b (2)\n\n")
	f.Add("package\tversion\na\t1\n")
	f.Add("\xeb-0-0.0")
	f.Add("openssl-1:3.0.7-28.el9_4.x86_64\tx.src.rpm\ta:b:c\n")
	f.Add(`{"bomFormat":"CycloneDX","specVersion":"1.5","components":[{"type":"library","name":"a","purl":"pkg:deb/debian/a@1?upstream=b@2"}]}`)
	f.Add(`{"spdxVersion":"SPDX-2.3","packages":[{"externalRefs":[{"referenceType":"purl","referenceLocator":"pkg:rpm/a/b@1?epoch=1"}]}]}`)
	f.Fuzz(func(t *testing.T, text string) {
		h, err := listing.Read(strings.NewReader(text), "Debian:12")
		if err != nil {
			return
		}
		for _, it := range h.Items {
			if it.Name == "" || it.Version == "" || strings.ContainsAny(it.Name+it.Version+it.Source, "\x00\n\x1b") {
				t.Errorf("%+v", it)
			}
		}
	})
}
