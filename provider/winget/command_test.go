package winget

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"patchbay/patch"
	"patchbay/provider"
)

// Every kind is told to be quiet and not to restart the machine, and no argument is split
// or joined on the way.
func TestInstallersAreToldToBeQuiet(t *testing.T) {
	const path = `C:\ProgramData\Patchbay\content\ab cd.exe`
	for _, c := range []struct {
		kind     patch.InstallerKind
		scope    string
		switches []string
		want     string
	}{
		{patch.MSI, "", []string{"AUTOUPDATE=0"}, "msiexec|/i|" + path + "|ALLUSERS=1|/qn|/norestart|REBOOT=ReallySuppress|AUTOUPDATE=0"},
		{patch.WiX, "anna", nil, "msiexec|/i|" + path + "|/qn|/norestart|REBOOT=ReallySuppress"},
		{patch.Burn, "", []string{"/quiet", "InstallAllUsers=1"}, path + "|/quiet|/norestart|InstallAllUsers=1"},
		{patch.Inno, "", []string{"/MERGETASKS=!runcode"}, path + "|/VERYSILENT|/SUPPRESSMSGBOXES|/NORESTART|/SP-|/MERGETASKS=!runcode"},
		{patch.NSIS, "", []string{"/s"}, path + "|/S"},
		{patch.EXE, "", []string{"--silent", "--dir=C:\\Program Files\\X"}, path + "|--silent|--dir=C:\\Program Files\\X"},
	} {
		got, err := installation(patch.Installer{Kind: c.kind, Switches: c.switches}, path, c.scope)
		if err != nil || strings.Join(got, "|") != c.want {
			t.Errorf("%s: %q, %v\nwant %s", c.kind, got, err, c.want)
		}
	}
}

// What a switch could do to the command line around it is refused.
func TestSwitchesThatReachFurtherAreRefused(t *testing.T) {
	for _, s := range []string{`/i"C:\other.msi"`, "/x", "/log C:\\x", "TARGETDIR=C:\\Program Files", "/quiet\nX=1", "", "lower=1", `A="b"`, "TRANSFORMS", "/L*v"} {
		_, err := installation(patch.Installer{Kind: patch.MSI, Switches: []string{s}}, `C:\a.msi`, "")
		if !errors.Is(err, provider.ErrRefused) {
			t.Errorf("%q: %v", s, err)
		}
	}
	for _, kind := range []patch.InstallerKind{patch.ZIP, patch.Portable, "", "msix"} {
		if _, err := installation(patch.Installer{Kind: kind}, `C:\a`, ""); !errors.Is(err, provider.ErrRefused) {
			t.Errorf("kind %q: %v", kind, err)
		}
	}
	for _, code := range []string{"", "7-Zip", "{23170F69-40C1-2702-2301-000001000000} /i x", "{23170F69-40C1-2702-2301-00000100000G}"} {
		if _, err := msiRemoval(code); !errors.Is(err, provider.ErrRefused) {
			t.Errorf("product %q: %v", code, err)
		}
	}
	if args, err := msiRemoval("{23170F69-40C1-2702-2301-000001000000}"); err != nil || !slices.Contains(args, "/norestart") {
		t.Error(args, err)
	}
}

// A code is looked up where it belongs, and only those that say so mean that it is done.
func TestExitCodes(t *testing.T) {
	msi := patch.Installer{Kind: patch.MSI}
	for _, c := range []struct {
		i      patch.Installer
		code   int
		ok     bool
		reboot patch.Answer
		kind   error
		says   string
	}{
		{msi, 0, true, "", nil, ""},
		{msi, 3010, true, patch.Yes, nil, ""},
		{msi, 1641, true, patch.Yes, nil, ""},
		{msi, 1618, false, "", provider.ErrBusy, "Another installation"},
		{msi, 1603, false, "", nil, "took back"},
		{msi, 1625, false, "", provider.ErrRefused, "policy"},
		{msi, 99999, false, "", nil, "does not say why"},
		{patch.Installer{Kind: patch.Burn}, -2147023294, false, "", nil, "cancelled"}, // 0x80070642, 1602 as an HRESULT
		{patch.Installer{Kind: patch.Inno}, 1, false, "", nil, "could not start"},
		{patch.Installer{Kind: patch.Inno}, 8, false, "", nil, "reboot"},
		{patch.Installer{Kind: patch.Inno}, 0xC0000005, false, "", nil, "crashed"},
		{patch.Installer{Kind: patch.NSIS}, 1, false, "", nil, "cancelled"},
		{patch.Installer{Kind: patch.NSIS}, 1618, false, "", provider.ErrBusy, "Another"},
		{patch.Installer{Kind: patch.EXE, Success: []int64{7}}, 7, true, "", nil, ""},
		{patch.Installer{Kind: patch.EXE, Reboot: []int64{-5}}, 0xFFFFFFFB, true, patch.Yes, nil, ""},
	} {
		e := judge(c.i, c.i.Kind, c.code)
		err := e.err(c.code)
		switch {
		case e.ok != c.ok || e.reboot != c.reboot || (err == nil) != c.ok:
			t.Errorf("%s %d: %+v, %v", c.i.Kind, c.code, e, err)
		case c.kind != nil && !errors.Is(err, c.kind):
			t.Errorf("%s %d is %v, want %v", c.i.Kind, c.code, err, c.kind)
		case err != nil && !strings.Contains(err.Error(), c.says):
			t.Errorf("%s %d says %q", c.i.Kind, c.code, err)
		}
	}
	for code, e := range windowsInstaller {
		if !e.ok && e.why == "" {
			t.Errorf("%d has no sentence", code)
		}
	}
}
