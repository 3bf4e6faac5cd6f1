package facts

import (
	"io/fs"
	"slices"
	"time"
)

const (
	tick = time.Second / 100 // of process times on every Linux
	// leeway is for clocks that were set meanwhile, and times in whole seconds.
	leeway = time.Minute
	// maxDoubt is how many packages are named; beyond it, every one is in doubt.
	maxDoubt = 500
)

// doubt lists the packages whose old files may be in use without anybody seeing it: those
// that were unpacked after the oldest process began of which not all is known. nil means
// that it may be any package.
func doubt(files fs.FS, p processes, of owners) []string {
	boot := bootedAt(files)
	if p.problem != "" || p.more || of.problem != "" || boot == nil {
		return nil
	}
	dirs := slices.Clone(p.hidden)
	for _, u := range p.old {
		if of.strange(u.files) {
			dirs = append(dirs, u.dirs...)
		}
	}
	var oldest *time.Time
	for _, dir := range dirs {
		n, ok := began(files, dir)
		if !ok && exists(files, dir) {
			return nil
		}
		if at := boot.Add(time.Duration(n) * tick); ok && (oldest == nil || at.Before(*oldest)) {
			oldest = &at
		}
	}
	if oldest == nil {
		return []string{}
	}
	return unpackedSince(files, oldest.Add(-leeway))
}

// unpackedSince lists the packages whose files were put there since, sorted; nil when that
// cannot be told.
func unpackedSince(files fs.FS, since time.Time) []string {
	entries, err := fs.ReadDir(files, infoDir)
	if err != nil {
		return nil
	}
	names := []string{}
	for _, e := range entries {
		name := packageOf(e.Name())
		if name == "" {
			continue
		}
		info, err := e.Info()
		if err != nil {
			return nil
		}
		if info.ModTime().After(since) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	if names = slices.Compact(names); len(names) > maxDoubt {
		return nil
	}
	return names
}
