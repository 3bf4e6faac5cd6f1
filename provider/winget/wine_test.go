//go:build linux

package winget_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"patchbay/patch/signature"
	"patchbay/test/bed"
)

// The tests of this package for Windows, in a Windows, with real installers.
func TestWindows(t *testing.T) {
	t.Parallel()
	w := bed.NewWindows(t, bed.WindowsOptions{})
	for _, kind := range []bed.InstallerKind{bed.MSI, bed.NSIS} {
		for _, user := range []bool{false, true} {
			for _, version := range []string{"1.0.0", "1.1.0"} {
				put(t, w, bed.Installer{Kind: kind, Version: version, User: user})
			}
		}
	}
	for _, i := range []bed.Installer{
		{Kind: bed.NSIS, Version: "1.2.0", Misdeed: bed.Lies}, {Kind: bed.NSIS, Version: "1.2.0", Misdeed: bed.Crashes}, {Kind: bed.NSIS, Version: "1.2.0", Misdeed: bed.Hangs},
		{Kind: bed.NSIS, Version: "1.2.0", Misdeed: bed.Exits, Code: 3010}, {Kind: bed.NSIS, Version: "1.3.0", Misdeed: bed.Exits, Code: 1603},
	} {
		put(t, w, i)
	}
	// The same program, signed by whom the catalogue names, by somebody else, and changed after it was signed.
	known, stranger := bed.NewSigner(t, "Known Works"), bed.NewSigner(t, "Known Works")
	program := bed.Installer{Kind: bed.NSIS, Version: "1.1.0"}.Build(t)
	msi := bed.Installer{Kind: bed.MSI, Version: "1.1.0"}.Build(t)
	signed := known.Sign(t, program)
	for name, path := range map[string]string{
		"signed.exe": signed, "stranger.exe": stranger.Sign(t, program), "unsigned.exe": program, "tampered.exe": bed.Tamper(t, known.Sign(t, program)),
		"signed.msi": known.Sign(t, msi), "stranger.msi": stranger.Sign(t, msi),
	} {
		if err := w.CopyFile(path, `C:\installers\`+name); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.PutFile(`C:\installers\signer.txt`, certificate(t, signed)); err != nil {
		t.Fatal(err)
	}
	if err := w.CopyFile(bed.GoTest(t, "patchbay/provider/winget"), `C:\bed\winget.exe`); err != nil {
		t.Fatal(err)
	}
	r, err := w.Run(t.Context(), `C:\bed\winget.exe`, "-test.v", "-test.run", "^TestReal")
	if err != nil || r.Code != 0 || strings.Contains(r.Stdout, "--- SKIP") || !strings.Contains(r.Stdout, "--- PASS: TestRealProgramsGoUpAndBack") {
		t.Errorf("status %d, %v\n%s%s", r.Code, err, r.Stdout, r.Stderr)
	}
	for line := range strings.Lines(r.Stdout) {
		if strings.Contains(line, "FIGURE ") {
			fmt.Print(line)
		}
	}
}

// put puts an installer where the tests in the Windows look for it.
func put(t *testing.T, w *bed.WindowsDevice, i bed.Installer) {
	t.Helper()
	name := strings.ReplaceAll(strings.ToLower(i.Name()), " ", "-") + "-" + i.Version
	if i.Misdeed != "" {
		name += "-" + string(i.Misdeed)
	}
	if err := w.CopyFile(i.Build(t), `C:\installers\`+name+"."+string(i.Kind)); err != nil {
		t.Fatal(err)
	}
}

// certificate names the certificate that a file is signed with.
func certificate(t *testing.T, path string) string {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	s, err := signature.Read(f, info.Size())
	if err != nil {
		t.Fatal(err)
	}
	return s.Signer.Certificate
}
