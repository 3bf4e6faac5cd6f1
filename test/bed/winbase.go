package bed

import (
	"context"
	"crypto/sha256"
	"embed"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

//go:embed wine
var wineFiles embed.FS

func windowsTools() []tool {
	return []tool{
		{"/usr/lib/wine/wine64", "wine64"}, {"wineserver", "wine"}, {"unshare", "util-linux"}, {"nsenter", "util-linux"},
		{"x86_64-w64-mingw32-gcc", "gcc-mingw-w64-x86-64"},
	}
}

func installerTools() []tool {
	return []tool{{"wixl", "wixl"}, {"makensis", "nsis"}, {"osslsigncode", "osslsigncode"}}
}

// winRecipe is to be raised when what a prepared Windows holds changes.
const winRecipe = "2"

// windowsKey names what is made of the files in wine/ and of this machine's wine.
func windowsKey(ctx context.Context) (string, error) {
	version, err := run(ctx, "/usr/lib/wine/wine64", "--version")
	if err != nil {
		return "", err
	}
	sum := sha256.New()
	fmt.Fprintf(sum, "%s %s\n", winRecipe, version)
	err = fs.WalkDir(wineFiles, "wine", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := wineFiles.ReadFile(name)
		fmt.Fprintf(sum, "%s %d\n%s", name, len(text), text)
		return err
	})
	return fmt.Sprintf("%x", sum.Sum(nil)[:6]), err
}

// buildWindows returns the folder of a prepared Windows, making it where it is missing. It
// is never written to again; devices are layers over it.
func buildWindows(t T) (string, error) {
	cache, err := CacheDir()
	if err != nil {
		return "", err
	}
	key, err := windowsKey(t.Context())
	if err != nil {
		return "", err
	}
	dir := filepath.Join(cache, "windows-"+key)
	err = locked(filepath.Join(cache, ".lock-windows"), func() error {
		if _, err := os.Stat(dir); err == nil {
			return nil
		}
		t.Logf("bed: preparing a Windows, once; this takes a quarter of a minute")
		part := dir + ".part"
		if err := os.RemoveAll(part); err != nil {
			return err
		}
		if err := prepareWindows(t.Context(), part); err != nil {
			return fmt.Errorf("preparing a Windows: %w", err)
		}
		return os.Rename(part, dir)
	})
	return dir, err
}

// prepareWindows makes a drive C:, with what wine lacks and what the bed needs.
func prepareWindows(ctx context.Context, dir string) error {
	for _, name := range []string{"prefix/drive_c", "home"} {
		if err := os.MkdirAll(filepath.Join(dir, name), 0o755); err != nil {
			return err
		}
	}
	d := &WindowsDevice{Name: "windows", dir: dir}
	if err := d.power(ctx); err != nil {
		return err
	}
	defer d.Kill()
	for _, args := range [][]string{
		{"wineboot", "--init"}, {"winecfg", "-v", "win10"},
		{"reg", "add", `HKCU\Software\Wine\DllOverrides`, "/v", "dism.exe", "/d", "native", "/f"}, // ours, and not wine's own
	} {
		if err := d.wine(ctx, args...); err != nil {
			return err
		}
	}
	if err := compileWindows(ctx, dir); err != nil {
		return err
	}
	if err := d.Stop(); err != nil {
		return err
	}
	// no way out of C:, neither by a drive nor by a folder that leads to a home of this machine
	if err := os.Remove(filepath.Join(dir, "prefix/dosdevices/z:")); err != nil {
		return err
	}
	for _, link := range glob(dir, "prefix/drive_c/users/*/*") {
		if info, err := os.Lstat(link); err != nil || info.Mode()&fs.ModeSymlink == 0 {
			continue
		}
		if err := os.Remove(link); err != nil {
			return err
		}
		if err := os.Mkdir(link, 0o755); err != nil {
			return err
		}
	}
	return nil
}

// compileWindows builds the small programs of the bed into a drive C:.
func compileWindows(ctx context.Context, dir string) error {
	c := filepath.Join(dir, "prefix/drive_c")
	if err := os.MkdirAll(filepath.Join(c, "bed/exit"), 0o755); err != nil {
		return err
	}
	work, err := os.MkdirTemp("", "bed-wine-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	if err := os.CopyFS(work, wineFiles); err != nil {
		return err
	}
	engine := append([]string{"-shared", "-o", filepath.Join(c, "bed/engine.dll")}, glob(work, "wine/engine/*.c")...)
	for _, args := range [][]string{
		{"-municode", "-o", filepath.Join(c, "bed/launch.exe"), "wine/launch.c"},
		{"-municode", "-o", filepath.Join(c, "windows/system32/dism.exe"), "wine/dism.c"},
		{"-shared", "-o", filepath.Join(c, "windows/system32/bcryptprimitives.dll"), "wine/bcryptprimitives.c", "-ladvapi32"},
		append(engine, "-lole32", "-loleaut32", "-luuid", "-ladvapi32"),
	} {
		if _, err := runIn(ctx, work, "x86_64-w64-mingw32-gcc", append([]string{"-O2", "-s", "-Wall"}, args...)...); err != nil {
			return err
		}
	}
	return nil
}
