package cli

import (
	"archive/zip"
	"bytes"
	"strings"
	"testing"
)

// Of an archive the signer that is pinned is that of the file that will be run.
func TestPinningReadsWhoSignedWhatIsInAnArchive(t *testing.T) {
	one, _, none := signedFiles(t)
	o := newOffline(t)
	o.do("key init keys")
	pack := func(name string, data []byte) []byte {
		var b bytes.Buffer
		z := zip.NewWriter(&b)
		f, err := z.Create("in/setup.exe")
		if err == nil {
			_, err = f.Write(data)
		}
		if err != nil {
			t.Fatal(err)
		}
		if err := z.Close(); err != nil {
			t.Fatal(err)
		}
		o.write(name+".zip", b.String())
		text := strings.Replace(manifest("A.B", "1", "https://example.com", b.Bytes()), "InstallerType: exe",
			"InstallerType: zip\n  NestedInstallerType: nullsoft\n  NestedInstallerFiles:\n  - RelativeFilePath: in\\setup.exe", 1)
		o.write(name+".yaml", text)
		return b.Bytes()
	}
	pack("one", one)
	pack("none", none)
	out := o.do("catalog pin new.json A.B --root keys/root-v1.json --from one.yaml --installer one.zip")
	for _, want := range []string{`signed by "Patchbay test signer"`, `runs, in the archive, "in/setup.exe"`} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is missing in %s", want, out)
		}
	}
	if _, err := o.try("", "catalog pin other.json A.B --root keys/root-v1.json --from none.yaml --installer none.zip"); err == nil || !strings.Contains(err.Error(), "--unsigned A.B") {
		t.Errorf("one that nobody signed: %v", err)
	}
	o.write("gone.yaml", strings.Replace(o.read("one.yaml"), `in\setup.exe`, `setup.exe`, 1))
	if _, err := o.try("", "catalog pin other.json A.B --root keys/root-v1.json --from gone.yaml --installer one.zip"); err == nil || !strings.Contains(err.Error(), "no file") {
		t.Errorf("one that is not in it: %v", err)
	}
}
