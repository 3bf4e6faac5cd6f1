package cli

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"patchbay/wire/trust"
)

// manifest is one of winget's, of a version whose installers are these files.
func manifest(id, version, address string, files ...[]byte) string {
	text := "PackageIdentifier: " + id + "\nPackageVersion: '" + version + "'\nPackageLocale: en-US\nPublisher: Makers Ltd.\nPackageName: " + id + "\nInstallers:\n"
	for n, f := range files {
		sum := sha256.Sum256(f)
		text += fmt.Sprintf("- Architecture: %s\n  InstallerType: exe\n  InstallerSwitches: {Silent: /S}\n  InstallerUrl: %s/%d.exe\n  InstallerSha256: %s\n",
			[]string{"x64", "x86"}[n%2], address, n, hex.EncodeToString(sum[:]))
	}
	return text + "ManifestType: singleton\nManifestVersion: 1.6.0\n"
}

// signedFiles are small programs: signed by one, signed by another, and not signed.
func signedFiles(t *testing.T) (one, other, none []byte) {
	t.Helper()
	read := func(name string) []byte {
		data, err := os.ReadFile(filepath.Join("..", "patch", "signature", "testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	return read("p64-signed.exe"), read("p64-ec.exe"), read("p64.exe")
}

func TestFromManifestsToACatalogueThatDevicesTake(t *testing.T) {
	one, other, none := signedFiles(t)
	o := newOffline(t)
	o.do("key init keys")
	device := o.takes(trust.State{}, "keys/root-v1.json")
	o.write("a.yaml", manifest("A.B", "1.9", "https://example.com", one))
	o.write("zip.exe", string(one))
	const pin = "catalog pin catalog-v1.json A.B --root keys/root-v1.json --from a.yaml --expires 2026-03-01"
	if _, err := o.try("", pin); err == nil || !strings.Contains(err.Error(), "https://example.com/0.exe") {
		t.Errorf("without an installer: %v", err)
	}
	out := o.do(pin + " --installer zip.exe")
	if !strings.Contains(out, "patchbay sign catalog-v1.json --root keys/root-v1.json") {
		t.Error(out)
	}
	out = o.do("sign catalog-v1.json --root keys/root-v1.json --with keys/publisher.key")
	for _, want := range []string{`signed by "Patchbay test signer"`, fmt.Sprintf("%d bytes", len(one)), `run with "/S"`, "1 of 1, 1 needed"} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is missing in %s", want, out)
		}
	}
	device = o.takes(device, "catalog-v1.json")

	// The next version is by somebody else: that is said, before and after.
	o.write("b.yaml", manifest("A.B", "1.10", "https://example.com", other))
	o.write("other.exe", string(other))
	out = o.do("catalog pin catalog-v2.json A.B --root keys/root-v1.json --last catalog-v1.json --from a.yaml --from b.yaml --installer other.exe --expires 2026-03-01")
	for _, want := range []string{`+ "winget" "A.B": version "1.10"`, `has a file signed by "Another signer"`, "None before it was."} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is missing in %s", want, out)
		}
	}
	o.do("sign catalog-v2.json --root keys/root-v1.json --previous catalog-v1.json --with keys/publisher.key")
	device = o.takes(device, "catalog-v2.json")
	c, err := device.Catalog.Read()
	if err != nil || len(c.Packages) != 1 || len(c.Packages[0].Releases) != 2 || c.Packages[0].Releases[0].Version != "1.10" {
		t.Errorf("%+v, %v", c, err)
	}

	// What nobody signed is let through only by name.
	o.write("c.yaml", manifest("C.D", "1", "https://example.com", none))
	o.write("none.exe", string(none))
	third := "catalog pin catalog-v3.json C.D --root keys/root-v1.json --last catalog-v2.json --from c.yaml --installer none.exe --remove A.B"
	if _, err := o.try("", third); err == nil || !strings.Contains(err.Error(), "--unsigned C.D") {
		t.Errorf("a file without a signature: %v", err)
	}
	if out = o.do(third + " --unsigned c.d"); !strings.Contains(out, "not signed by its maker") || !strings.Contains(out, `- package "winget" "A.B"`) {
		t.Error(out)
	}
}

func TestPinningRefuses(t *testing.T) {
	one, other, _ := signedFiles(t)
	o := newOffline(t)
	o.do("key init keys")
	o.write("a.yaml", manifest("A.B", "1", "https://example.com", one))
	bent := []byte(string(one))
	bent[0x200]++
	for name, data := range map[string][]byte{"one.exe": one, "other.exe": other, "bent.exe": bent} {
		o.write(name, string(data))
	}
	o.write("bent.yaml", manifest("A.C", "1", "https://example.com", bent))
	const pin = "catalog pin new.json --root keys/root-v1.json --from a.yaml --from bent.yaml "
	for more, want := range map[string]string{
		"A.B --installer other.exe --installer one.exe":    "none of the installers that the manifests name",
		"A.C --installer bent.exe":                         "changed after it was signed",
		"X.Y --installer one.exe":                          "no package X.Y",
		"--installer one.exe":                              "no package is named",
		"A.B --installer one.exe --remove Z.Z":             "there was no package",
		"A.B --installer one.exe --keep 11":                "--keep must be",
		"A.B --installer one.exe --last keys/root-v1.json": "has no catalogue in it",
	} {
		if _, err := o.try("", pin+more); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v; want %q", more, err, want)
		}
	}
	if _, err := os.Stat("new.json"); err == nil {
		t.Error("a draft was written all the same")
	}
}

// What is downloaded is kept only when it is what the manifest names.
func TestPinningDownloads(t *testing.T) {
	one, other, _ := signedFiles(t)
	o := newOffline(t)
	o.do("key init keys")
	served, asked := map[string][]byte{"/0.exe": one, "/1.exe": other}, 0
	maker := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked++
		if served[r.URL.Path] == nil {
			http.NotFound(w, r)
			return
		}
		w.Write(served[r.URL.Path])
	}))
	defer maker.Close()
	o.write("a.yaml", manifest("A.B", "1", maker.URL, one, other))
	const pin = " A.B --root keys/root-v1.json --from a.yaml --fetch"
	out := o.do("catalog pin 1.json" + pin)
	if asked != 1 || !strings.Contains(out, `"x64"`) || strings.Contains(out, `"x86"`) {
		t.Errorf("asked for %d files: %s", asked, out)
	}
	o.do("catalog pin 2.json" + pin + " --architecture x64 --architecture x86")
	if asked != 2 {
		t.Errorf("what is here already was asked for again: %d", asked)
	}
	served["/0.exe"] = other // its maker put the next version in its place
	if err := os.RemoveAll("installers"); err != nil {
		t.Fatal(err)
	}
	if _, err := o.try("", "catalog pin 3.json"+pin); err == nil || !strings.Contains(err.Error(), "is not what its manifest names") {
		t.Error(err)
	}
	delete(served, "/0.exe")
	if _, err := o.try("", "catalog pin 3.json"+pin); err == nil || !strings.Contains(err.Error(), "404") {
		t.Error(err)
	}
	left, err := os.ReadDir("installers")
	if err != nil || len(left) != 0 {
		t.Errorf("%v is left, %v", left, err)
	}
}
