//go:build linux

package host_test

import (
	"strings"
	"testing"

	"patchbay/test/bed"
)

// The tests of this package for Windows, in a Windows.
func TestWindows(t *testing.T) {
	t.Parallel()
	signer := bed.NewSigner(t, "Bed Works")
	w := bed.NewWindows(t, bed.WindowsOptions{})
	program := bed.Installer{Kind: bed.NSIS, Version: "1.0.0"}.Build(t)
	for name, path := range map[string]string{
		"signed": signer.Sign(t, program), "unsigned": program, "tampered": bed.Tamper(t, signer.Sign(t, program)),
	} {
		if err := w.CopyFile(path, `C:\signed\`+name+".exe"); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.CopyFile(bed.GoTest(t, "patchbay/provider/host"), `C:\bed\host.exe`); err != nil {
		t.Fatal(err)
	}
	r, err := w.Run(t.Context(), `C:\bed\host.exe`, "-test.v")
	if err != nil || r.Code != 0 || strings.Contains(r.Stdout, "--- SKIP") || !strings.Contains(r.Stdout, "--- PASS: TestSignatureIsTheSystemsToJudge") {
		t.Errorf("status %d, %v\n%s%s", r.Code, err, r.Stdout, r.Stderr)
	}
}
