package apt

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"

	"patchbay/patch"
)

// Where dpkg and apt keep what is installed.
const (
	statusFile   = "var/lib/dpkg/status"
	journalDir   = "var/lib/dpkg/updates" // what an interrupted dpkg has not merged into status
	extendedFile = "var/lib/apt/extended_states"
)

// id names one installed package; of libraries several architectures may be installed.
type id struct{ name, arch string }

// take takes over a field that says which package a paragraph is about.
func (k *id) take(name, value []byte) {
	switch {
	case is(name, "Package"):
		k.name = string(value)
	case is(name, "Architecture"):
		k.arch = string(value)
	}
}

// installed is what dpkg knows.
type installed struct {
	items  map[id]patch.Item
	native string // the machine's own architecture: that of dpkg itself
	notes  []string
}

// readInstalled reads dpkg's own record. It is read as dpkg would: the journal of an
// interrupted run counts before the main file.
func readInstalled(files fs.FS) (installed, error) {
	in := installed{items: map[id]patch.Item{}}
	if err := in.merge(files, statusFile); err != nil {
		return in, fmt.Errorf("reading dpkg's record of installed packages: %w", err)
	}
	if len(in.items) == 0 {
		return in, errors.New("dpkg's record of installed packages is empty")
	}
	journal, _ := fs.ReadDir(files, journalDir) // only dpkg needs it to be there
	for _, entry := range journal {
		if _, err := strconv.ParseUint(entry.Name(), 10, 32); err != nil {
			continue // dpkg's own drafts have other names
		}
		if err := in.merge(files, journalDir+"/"+entry.Name()); err != nil {
			return in, fmt.Errorf("reading what an interrupted dpkg left: %w", err)
		}
	}
	in.findNative()
	auto, err := readAuto(files)
	if err != nil {
		in.notes = append(in.notes, "Which packages were installed only for others could not be read: "+err.Error()+".")
	}
	in.markAuto(auto)
	return in, nil
}

func (in *installed) merge(files fs.FS, name string) error {
	f, err := files.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	return stanzas(f, func(stanza []byte) error {
		item, gone, err := parseStatus(stanza)
		if err != nil {
			return err // dpkg would not go on either, and a package left out would look removed
		}
		if gone {
			delete(in.items, id{item.Name, item.Architecture})
		} else {
			in.items[id{item.Name, item.Architecture}] = item
		}
		return nil
	})
}

// parseStatus reads one paragraph; gone is true for a package that is not on the disk.
func parseStatus(stanza []byte) (item patch.Item, gone bool, err error) {
	item.Provider = providerName
	var want, flag, state, source string
	eachField(stanza, func(name, value []byte) {
		switch {
		case is(name, "Package"):
			item.Name = string(value)
		case is(name, "Version"):
			item.Version = string(value)
		case is(name, "Architecture"):
			item.Architecture = string(value)
		case is(name, "Source"):
			source = string(value)
		case is(name, "Status"):
			if f := strings.Fields(string(value)); len(f) == 3 {
				want, flag, state = f[0], f[1], f[2]
			}
		}
	})
	if !isPackageName(item.Name) {
		return item, false, fmt.Errorf("%.80q is not the name of a package", item.Name)
	}
	switch state {
	case "not-installed", "config-files":
		return item, true, nil
	case "installed", "half-installed", "unpacked", "half-configured", "triggers-awaited", "triggers-pending":
	default:
		return item, false, fmt.Errorf("package %s is in the unknown state %.40q", item.Name, state)
	}
	if !isArchitecture(item.Architecture) || !isPlain(item.Version) {
		return item, false, fmt.Errorf("package %s has the version %.80q for the architecture %.40q", item.Name, item.Version, item.Architecture)
	}
	item.Held = want == "hold"
	if state != "installed" {
		item.Broken = state
	}
	if flag != "ok" {
		item.Broken = strings.Trim(item.Broken+", "+flag, ", ")
	}
	item.Source, item.SourceVersion = splitSource(source, item.Name, item.Version)
	return item, false, nil
}

// splitSource reads "name (version)"; what is the same as the package's own stays empty.
func splitSource(field, name, version string) (source, sourceVersion string) {
	source, rest, _ := strings.Cut(field, " ")
	sourceVersion = strings.Trim(rest, " ()")
	if source == name {
		source = ""
	}
	if sourceVersion == version {
		sourceVersion = ""
	}
	return source, sourceVersion
}

func (in *installed) findNative() {
	for key := range in.items {
		if key.name == "dpkg" {
			in.native = key.arch
			return
		}
	}
	counts := map[string]int{}
	for key := range in.items {
		if counts[key.arch]++; key.arch != "all" && counts[key.arch] > counts[in.native] {
			in.native = key.arch
		}
	}
}

// find gives the installed package that apt means; arch is "" for the machine's own.
func (in installed) find(name, arch string) (patch.Item, bool) {
	if arch == "" {
		arch = in.native
	}
	if item, ok := in.items[id{name, arch}]; ok {
		return item, true
	}
	if arch != in.native {
		return patch.Item{}, false
	}
	item, ok := in.items[id{name, "all"}]
	return item, ok
}

// readAuto reads apt's record of packages that were installed only for others.
func readAuto(files fs.FS) (map[id]bool, error) {
	auto := map[id]bool{}
	f, err := files.Open(extendedFile)
	if errors.Is(err, fs.ErrNotExist) {
		return auto, nil // apt makes it when the first one is installed
	}
	if err != nil {
		return auto, err
	}
	defer f.Close()
	return auto, stanzas(f, func(stanza []byte) error {
		var key id
		var yes bool
		eachField(stanza, func(name, value []byte) {
			key.take(name, value)
			if is(name, "Auto-Installed") {
				yes = bytes.Equal(value, []byte("1"))
			}
		})
		if yes {
			auto[key] = true
		}
		return nil
	})
}

// markAuto knows that apt files a package for all architectures under the machine's own.
func (in *installed) markAuto(auto map[id]bool) {
	for key, item := range in.items {
		arch := key.arch
		if arch == "all" {
			arch = in.native
		}
		item.Auto = auto[id{key.name, arch}] || auto[key]
		in.items[key] = item
	}
}

// sorted lists the items in the order of their keys.
func (in installed) sorted() []patch.Item {
	items := make([]patch.Item, 0, len(in.items))
	for _, item := range in.items {
		items = append(items, item)
	}
	slices.SortFunc(items, func(a, b patch.Item) int { return a.Key().Compare(b.Key()) })
	return items
}
