package apt

import (
	"fmt"
	"io/fs"
	"path"
	"strings"
	"time"
)

// watched are the files and folders that apt's answer rests on, besides listsDir.
var watched = [...]string{
	statusFile, journalDir, extendedFile, "var/lib/dpkg/arch", "etc/os-release",
	"etc/apt/sources.list", "etc/apt/sources.list.d", preferences, preferencesDir,
	"etc/apt/apt.conf", "etc/apt/apt.conf.d", "etc/apt/auth.conf.d", "var/lib/apt/apt-mark", keptDir,
}

// fingerprint changes when any file that apt decides by does. It reads no content.
func (a *Apt) fingerprint() (string, map[string]fs.FileInfo, error) {
	files := a.env.Host.Files()
	var b strings.Builder
	for _, name := range watched {
		stampFile(&b, files, name)
	}
	entries, err := fs.ReadDir(files, listsDir)
	if err != nil {
		return "", nil, fmt.Errorf("apt's package lists cannot be read, so its updates are not known: %w", err)
	}
	dir := map[string]fs.FileInfo{}
	for _, e := range entries {
		if e.IsDir() || e.Name() == "lock" {
			continue
		}
		info, err := fs.Stat(files, path.Join(listsDir, e.Name())) // lists of local archives are links
		if err != nil {
			continue // gone since, or a link to nowhere: as good as missing
		}
		dir[e.Name()] = info
		fmt.Fprintln(&b, e.Name(), info.Size(), info.ModTime().UnixNano())
	}
	return b.String(), dir, nil
}

func stampFile(b *strings.Builder, files fs.FS, name string) {
	info, err := fs.Stat(files, name)
	if err != nil {
		return
	}
	fmt.Fprintln(b, name, info.Size(), info.ModTime().UnixNano())
	if !info.IsDir() {
		return
	}
	entries, _ := fs.ReadDir(files, name)
	for _, e := range entries {
		if info, err := fs.Stat(files, path.Join(name, e.Name())); err == nil && !info.IsDir() {
			fmt.Fprintln(b, e.Name(), info.Size(), info.ModTime().UnixNano())
		}
	}
}

// grain is the coarsest clock of a file system: a file changed twice within it may look
// the same.
const grain = 2 * time.Second

// settled gives the stamp to remember, or "" when a file is so young that it may yet change
// without showing it.
func (a *Apt) settled(stamp string, dir map[string]fs.FileInfo) string {
	now := a.env.Now()
	young := func(info fs.FileInfo) bool { return now.Sub(info.ModTime()).Abs() < grain }
	files := a.env.Host.Files()
	for _, name := range watched {
		if info, err := fs.Stat(files, name); err == nil && young(info) {
			return ""
		}
	}
	for _, info := range dir {
		if young(info) {
			return ""
		}
	}
	return stamp
}
