package listing_test

import (
	"bytes"
	"compress/gzip"
	"slices"
	"strings"
	"testing"

	"patchbay/server/catalog/listing"
)

// TestFormsThatPeopleHave are listings as they lie about, beside those that the manuals show.
func TestFormsThatPeopleHave(t *testing.T) {
	bom := func(components string) string {
		return `{"bomFormat":"CycloneDX","specVersion":"1.6","components":[` + components + `]}`
	}
	for name, c := range map[string]struct {
		text, release string
		want          []string
		unread        int
	}{
		"rpm without architectures": {text: "bash-5.1.8-6.el9\nopenssl-1:3.0.7-28.el9_4\n", release: "AlmaLinux:9",
			want: []string{"bash  5.1.8-6.el9", "openssl  1:3.0.7-28.el9_4"}},
		"rpm, names of files": {text: "bash-5.1.8-6.el9.x86_64.rpm\n", release: "AlmaLinux:9", want: []string{"bash x86_64 5.1.8-6.el9"}},
		"rpm, each part in a column": {text: "openssl 1 3.0.7 28.el9_4 x86_64\nbash\t(none)\t5.1.8\t6.el9\tx86_64\tbash-5.1.8-6.el9.src.rpm\ngpg-pubkey (none) 8d50eb66 64ad8f8a (none)\n", release: "AlmaLinux:9",
			want: []string{"openssl x86_64 1:3.0.7-28.el9_4", "bash x86_64 5.1.8-6.el9"}},
		"rpm with keys and warnings between": {text: "warning: Found bdb_ro Packages database while attempting sqlite backend: using bdb_ro backend.\n(none):gpg-pubkey-8d50eb66-64ad8f8a.(none)\n(none):bash-5.1.8-6.el9.x86_64\n", release: "AlmaLinux:9",
			want: []string{"bash x86_64 5.1.8-6.el9"}},
		"dpkg, blanks in the empty lines, fields in any order and any letters": {text: "Status: install ok installed\nDescription: x\n more: y\npackage: a\nversion: 1-1\n \nPackage: b\nVersion: 2-1\n\t\nPackage: c\nStatus: hold ok installed\nSource: d (3-1)\nVersion: 3-1+b2\n",
			release: "Debian:12", want: []string{"a  1-1", "b  2-1", "c  3-1+b2 d 3-1"}},
		"CycloneDX, the version beside the package URL": {text: bom(`{"type":"library","name":"requests","version":"2.31.0","purl":"pkg:pypi/requests"}`), want: []string{"PyPI requests  2.31.0"}},
		"CycloneDX, what cannot be read is counted": {text: bom(`{"type":"library","name":"a","purl":"garbage"},{"type":"library","name":"b","version":"1"},{"type":"file","name":"/etc/x"},{"type":"library","name":"c","purl":"pkg:npm/c@1.0.0"}`),
			want: []string{"npm c  1.0.0"}, unread: 2},
		"CycloneDX, the system behind its packages": {text: bom(`{"type":"library","name":"a","purl":"pkg:rpm/fedora/a@1-1?arch=x86_64"},{"type":"library","name":"b","purl":"pkg:rpm/sles/b@1-1?arch=x86_64"},{"type":"operating-system","name":"sles","version":"15.5"}`),
			want: []string{"a x86_64 1-1    fedora", "b x86_64 1-1"}},
		"CycloneDX, Go's own library": {text: bom(`{"type":"library","name":"std","purl":"pkg:golang/std@go1.21.0"}`), want: []string{"Go stdlib  1.21.0"}},
		"SPDX with tags, behind a comment, and several URLs of one package": {text: "## made by x\n\nSPDXVersion: SPDX-2.3\nPackageName: a\nPackageVersion: 1.0.0\nExternalRef: PACKAGE_MANAGER purl pkg:npm/a\nExternalRef: PACKAGE_MANAGER purl pkg:npm/a@1.0.0\nPackageName: b\nExternalRef: PACKAGE-MANAGER http://spdx.org/rdf/references/purl pkg:pypi/b@2\n",
			want: []string{"npm a  1.0.0", "PyPI b  2"}},
		"SPDX 3": {text: `{"@context":"https://spdx.org/rdf/3.0.1/spdx-context.jsonld","@graph":[{"type":"CreationInfo","created":"2026-01-01T00:00:00Z"},{"type":["x"]},
			{"type":"software_Package","name":"a","software_packageVersion":"1.0.0","software_packageUrl":"pkg:npm/a@1.0.0"},
			{"type":"software_Package","name":"b","software_packageVersion":"2.0","externalIdentifier":[{"type":"ExternalIdentifier","externalIdentifierType":"cpe23","identifier":"cpe:2.3:a:b"},{"externalIdentifierType":"packageUrl","identifier":"pkg:pypi/b"}]}]}`,
			want: []string{"npm a  1.0.0", "PyPI b  2.0"}},
	} {
		h, err := listing.Read(strings.NewReader("\xef\xbb\xbf"+c.text), c.release)
		if err != nil || !slices.Equal(said(h), c.want) || h.Unread != c.unread {
			t.Errorf("%s: %v, %d unread\ngot  %q\nwant %q", name, err, h.Unread, said(h), c.want)
		}
		var packed bytes.Buffer
		z := gzip.NewWriter(&packed)
		z.Write([]byte(c.text))
		z.Close()
		if again, err := listing.Read(&packed, c.release); err != nil || !slices.Equal(said(again), said(h)) {
			t.Errorf("%s, packed: %v, %q", name, err, said(again))
		}
	}
}

// TestAListingOfAnotherManagerIsRefused: its versions would be compared in a wrong order.
func TestAListingOfAnotherManagerIsRefused(t *testing.T) {
	for text, release := range map[string]string{"bash-5.1.8-6.el9.x86_64\n": "Debian:12", "Package: a\nVersion: 1\n": "AlmaLinux:9", "package\tversion\na\t1\n": "Alpine:v3.23"} {
		if _, err := listing.Read(strings.NewReader(text), release); err == nil || !strings.Contains(err.Error(), "give the release") {
			t.Errorf("%q of %s: %v", text, release, err)
		}
	}
}

// TestReleasesOfBillsOfMaterials are taken as the tools that make them write them.
func TestReleasesOfBillsOfMaterials(t *testing.T) {
	purl := func(q string) string {
		return `{"type":"library","name":"a","purl":"pkg:rpm/x/a@1-1?distro=` + q + `"}`
	}
	for component, want := range map[string]string{
		purl("opensuse-leap-15.6"): "openSUSE:Leap 15.6", purl("rocky-linux-9"): "Rocky Linux:9", purl("rocky-9.4"): "Rocky Linux:9", purl("rhel-9.2"): "Red Hat:enterprise_linux:9.2", purl("fedora-40"): "",
		`{"type":"library","name":"a","purl":"pkg:deb/debian/a@1?distro=bookworm"}`:                          "Debian:12",
		`{"type":"library","name":"a","purl":"pkg:apk/alpine/a@1?distro=3.20.1"}`:                            "Alpine:v3.20",
		`{"type":"operating-system","name":"Debian GNU/Linux","version":"12 (bookworm)"},` + purl("rocky-9"): "Debian:12",
	} {
		h, err := listing.Read(strings.NewReader(`{"bomFormat":"CycloneDX","specVersion":"1.5","components":[`+component+`]}`), "")
		if err != nil || h.Release != want {
			t.Errorf("%s: %q, %v, not %q", component, h.Release, err, want)
		}
	}
}
