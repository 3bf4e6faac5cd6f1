package bed

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// InstallerKind is what made an installer.
type InstallerKind string

// The kinds of installers.
const (
	MSI  InstallerKind = "msi"
	NSIS InstallerKind = "exe"
)

// Misdeed is what an installer does instead of installing as it should.
type Misdeed string

// The misdeeds of an NSIS installer. Exits does its work and ends with Installer.Code.
const (
	Exits   Misdeed = "code"
	Lies    Misdeed = "lie"   // ends with 0 and changes nothing
	Hangs   Misdeed = "hang"  // with its files written, makes HangStarted and waits for HangRelease
	Crashes Misdeed = "crash" // with its files written and its entry not, ends with 0xC0000005
)

// HangStarted and HangRelease steer an installer that hangs.
const (
	HangStarted = `C:\bed\started`
	HangRelease = `C:\bed\go-on`
)

// UpgradeCode is what all versions of the bed's MSI for the machine share.
const UpgradeCode = "{7B1C2E54-60D3-4B8F-9E11-5A0D8C3F2A61}"

// Installer says which installer to build. Its silent switch is /qn or /S. It installs version.txt into
// `C:\Program Files\NAME`, or below the user's AppData\Local\Programs.
type Installer struct {
	Kind    InstallerKind
	Version string // such as 1.0.0
	User    bool   // for the user who runs it, not for the machine
	Misdeed Misdeed
	Code    int // for Exits, such as 3010
}

// Name is the display name of what it installs, without the version: "Bed MSI", "Bed NSIS User".
func (i Installer) Name() string {
	name := "Bed MSI"
	if i.Kind == NSIS {
		name = "Bed NSIS"
	}
	if i.User {
		name += " User"
	}
	return name
}

func (i Installer) file() string {
	parts := []string{strings.ReplaceAll(strings.ToLower(i.Name()), " ", "-"), i.Version}
	if i.Misdeed != "" {
		parts = append(parts, string(i.Misdeed))
	}
	if i.Code != 0 {
		parts = append(parts, fmt.Sprint(i.Code))
	}
	return strings.Join(parts, "-") + "." + string(i.Kind)
}

// Build builds an installer, once per machine, and gives its path on the host. It needs no root.
func (i Installer) Build(t T) string {
	t.Helper()
	need(t, false, append(installerTools(), windowsTools()...))
	path, err := i.build(t.Context())
	if err != nil {
		t.Fatalf("bed: building %s: %v", i.file(), err)
	}
	return path
}

func (i Installer) build(ctx context.Context) (string, error) {
	cache, err := CacheDir()
	if err != nil {
		return "", err
	}
	key, err := windowsKey(ctx)
	if err != nil {
		return "", err
	}
	dir := filepath.Join(cache, "installers-"+key)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	path := filepath.Join(dir, i.file())
	err = locked(filepath.Join(cache, ".lock-installers"), func() error {
		if _, err := os.Stat(path); err == nil {
			return nil
		}
		work, err := os.MkdirTemp(dir, "build-")
		if err != nil {
			return err
		}
		defer os.RemoveAll(work)
		if err := os.CopyFS(work, wineFiles); err != nil {
			return err
		}
		made := filepath.Join(work, i.file())
		if i.Kind == MSI {
			err = i.wixl(ctx, work, made)
		} else {
			err = i.makensis(ctx, work, made)
		}
		if err != nil {
			return err
		}
		return os.Rename(made, path)
	})
	return path, err
}

func (i Installer) makensis(ctx context.Context, work, out string) error {
	args := []string{"-V1", "-XTarget amd64-unicode", "-DOUT=" + out, "-DVERSION=" + i.Version, "-DNAME=" + i.Name(),
		"-DFAULT=" + cmp.Or(string(i.Misdeed), "none"), fmt.Sprintf("-DCODE=%d", i.Code)}
	if i.User {
		args = append(args, "-DUSER=1")
	}
	_, err := run(ctx, "makensis", append(args, filepath.Join(work, "wine/program.nsi"))...)
	return err
}

func (i Installer) wixl(ctx context.Context, work, out string) error {
	values := []string{"@NAME@", i.Name(), "@VERSION@", i.Version, "@UPGRADE@", UpgradeCode, "@COMPONENT@", "{0C7D9C6E-33A3-4F4C-8D6D-7C2D0E5B1A02}",
		"@SCOPE@", "perMachine", "@FOLDER@", "ProgramFiles64Folder", "@ROOT@", "HKLM"}
	if i.User {
		values = []string{"@NAME@", i.Name(), "@VERSION@", i.Version, "@UPGRADE@", "{7B1C2E54-60D3-4B8F-9E11-5A0D8C3F2A62}", "@COMPONENT@", "{0C7D9C6E-33A3-4F4C-8D6D-7C2D0E5B1A03}",
			"@SCOPE@", "perUser", "@FOLDER@", "LocalAppDataFolder", "@ROOT@", "HKCU"}
	}
	text, err := os.ReadFile(filepath.Join(work, "wine/program.wxs"))
	if err != nil {
		return err
	}
	err = writeFiles(work, []file{
		{"program.wxs", strings.NewReplacer(values...).Replace(string(text)), 0o644},
		{"version.txt", i.Version, 0o644},
	})
	if err != nil {
		return err
	}
	_, err = runIn(ctx, work, "wixl", "-a", "x64", "-o", out, "program.wxs") // it takes only relative source names
	return err
}
