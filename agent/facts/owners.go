package facts

import (
	"bytes"
	"errors"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"
)

// owners says of which installed packages replaced files are. A package keeps no list of the
// files it replaced, but its new version nearly always has a file of the same name; a
// library whose number changed has the same short name, and a plug-in the same folder.
type owners struct {
	exact  map[string][]string // packages that have a file of this path
	short  map[string][]string // of a path that a library's short name leads to
	folder map[string][]string // that have a folder of this path
	// problem is a sentence, when the lists of files could not be read.
	problem string
}

const (
	infoDir = "var/lib/dpkg/info"
	maxList = 32 << 20 // of one package
	maxDirs = 3        // packages that share a folder, for it to say anything
	// maxPackages is how many packages are named in one list.
	maxPackages = 200
)

var packageName = regexp.MustCompile(`^[a-z0-9][a-z0-9+.-]{0,99}$`)

// packageOf is the package whose list of files has this name.
func packageOf(list string) string {
	name, ok := strings.CutSuffix(list, ".list")
	name, _, _ = strings.Cut(name, ":") // the architecture
	if !ok || !packageName.MatchString(name) {
		return ""
	}
	return name
}

// findOwners reads the packages' lists of files, when there is something to look for.
func findOwners(files fs.FS, wanted map[string]bool) owners {
	o := owners{exact: map[string][]string{}, short: map[string][]string{}, folder: map[string][]string{}}
	if len(wanted) == 0 {
		return o
	}
	entries, err := fs.ReadDir(files, infoDir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		o.problem = "Which packages the replaced files are of could not be read: " + err.Error() + "."
		return o
	}
	index := newIndex(wanted, diversions(files))
	for _, e := range entries {
		name := packageOf(e.Name())
		if name == "" {
			continue
		}
		b, err := fs.ReadFile(files, path.Join(infoDir, e.Name()))
		switch {
		case err != nil && !errors.Is(err, fs.ErrNotExist):
			o.problem = "Which packages the replaced files are of could not all be read: " + err.Error() + "."
		case len(b) > maxList:
			o.problem = "Which packages the replaced files are of could not all be read: a list is too long."
		default:
			o.read(index, name, b)
		}
	}
	return o
}

// claim is what a path in a list says about a replaced file.
type claim struct {
	file   string
	into   func(*owners) map[string][]string
	not    string // the package for which it says nothing
	solely string // the only one for which it does; "" is any
}

func exactly(o *owners) map[string][]string  { return o.exact }
func shortly(o *owners) map[string][]string  { return o.short }
func inFolder(o *owners) map[string][]string { return o.folder }

// newIndex is what to look for, by the path as a list has it.
func newIndex(wanted map[string]bool, moved []diversion) map[string][]claim {
	index := map[string][]claim{}
	add := func(name string, c claim) {
		for _, n := range aliases(name) {
			index[n] = append(index[n], c)
		}
	}
	for file := range wanted {
		name := strings.TrimSuffix(strings.TrimSuffix(file, ".dpkg-tmp"), ".dpkg-new")
		c := claim{file: file, into: exactly}
		for _, d := range moved {
			switch {
			case slices.Contains(aliases(d.to), name):
				add(d.from, claim{file: file, into: exactly, not: d.by})
			case slices.Contains(aliases(d.from), name):
				c.solely = d.by
			}
		}
		add(name, c)
		for _, s := range shortNames(name) {
			add(s, claim{file: file, into: shortly})
		}
		add(path.Dir(name), claim{file: file, into: inFolder})
	}
	return index
}

// aliases are the paths of one file where /lib and the like lead below /usr.
func aliases(name string) []string {
	for _, top := range []string{"/bin/", "/sbin/", "/lib"} {
		if strings.HasPrefix(name, "/usr"+top) {
			return []string{name, name[len("/usr"):]}
		}
		if strings.HasPrefix(name, top) {
			return []string{name, "/usr" + name}
		}
	}
	return []string{name}
}

// shortNames are the names by which programs ask for a library: libx.so.1 of libx.so.1.2.3.
func shortNames(name string) []string {
	stem, numbers, ok := strings.Cut(path.Base(name), ".so.")
	if !ok || strings.Trim(numbers, "0123456789.") != "" {
		return nil
	}
	var names []string
	parts := strings.Split(numbers, ".")
	for n := len(parts) - 1; n > 0; n-- {
		names = append(names, path.Join(path.Dir(name), stem+".so."+strings.Join(parts[:n], ".")))
	}
	return names
}

// read looks through one package's list of files.
func (o *owners) read(index map[string][]claim, name string, list []byte) {
	for line := range bytes.Lines(list) {
		for _, c := range index[string(bytes.TrimSuffix(line, []byte("\n")))] {
			to := c.into(o)
			if c.not == name || c.solely != "" && c.solely != name || slices.Contains(to[c.file], name) || len(to[c.file]) >= maxPackages {
				continue
			}
			to[c.file] = append(to[c.file], name)
		}
	}
}

// of is the packages of one replaced file, nil when nothing says.
func (o owners) of(file string) []string {
	if p := o.exact[file]; len(p) > 0 {
		return p
	}
	if p := o.short[file]; len(p) > 0 {
		return p
	}
	if p := o.folder[file]; len(p) <= maxDirs {
		return p
	}
	return nil
}

// all is the packages of the files, sorted.
func (o owners) all(files map[string]bool) []string {
	var names []string
	for file := range files {
		names = append(names, o.of(file)...)
	}
	slices.Sort(names)
	names = slices.Compact(names)
	return names[:min(len(names), maxPackages)]
}

// strange reports whether one of the files may be of a package that nobody can name. What
// lies in /usr/local is of none.
func (o owners) strange(files map[string]bool) bool {
	for file := range files {
		if len(o.of(file)) == 0 && !strings.HasPrefix(file, "/usr/local/") {
			return true
		}
	}
	return false
}

// diversion is a file that a package had dpkg put elsewhere when another package brings it.
type diversion struct {
	from, to string
	by       string // the package whose own file stays; ":" when a person asked
}

// diversions reads dpkg's list: three lines for each.
func diversions(files fs.FS) []diversion {
	b, err := fs.ReadFile(files, "var/lib/dpkg/diversions")
	if err != nil || len(b) > maxList {
		return nil
	}
	lines := strings.Split(string(b), "\n")
	var all []diversion
	for ; len(lines) >= 3; lines = lines[3:] {
		all = append(all, diversion{from: lines[0], to: lines[1], by: lines[2]})
	}
	return all
}
