package apt

import (
	"context"
	"crypto/md5" // dpkg's own sum of files; nothing here rests on its strength
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"strconv"
	"strings"

	"patchbay/provider"
)

// leftOut are folders whose files a device may be set up not to unpack (dpkg's path-exclude).
// A version without them is still that version.
var leftOut = []string{"/usr/share/doc/", "/usr/share/man/", "/usr/share/info/", "/usr/share/locale/", "/usr/share/lintian/", "/usr/share/help/"}

// repack makes a package file of what is installed. It does so only where every file is as
// the publisher made it: anything else is not that version.
func (a *Apt) repack(ctx context.Context, k kept) error {
	full := k.name + ":" + k.arch
	if err := a.unchanged(ctx, full); err != nil {
		return err
	}
	listed, err := a.ask(ctx, "", "dpkg-query", "--listfiles", full)
	if err != nil {
		return err
	}
	list, err := a.packable(k.name, strings.Split(strings.TrimSpace(listed), "\n"))
	if err != nil {
		return err
	}
	text, err := a.ask(ctx, "", "dpkg-query", "--show", "--showformat=${Installed-Size}", full)
	if err != nil {
		return err
	}
	kib, err := strconv.ParseInt(strings.TrimSpace(text), 10, 40)
	if err != nil {
		return fmt.Errorf("how large it is is not known: %w", err)
	}
	if err := a.makeRoom(ctx, kib<<10, 3*kib<<10); err != nil { // the archive, the tree and the package
		return err
	}
	return a.build(ctx, k, full, list)
}

// unchanged refuses a package of which a file is missing or not what it was.
func (a *Apt) unchanged(ctx context.Context, full string) error {
	res, err := a.env.Host.Run(ctx, provider.Command{Args: []string{"dpkg", "--verify", full}})
	if err != nil {
		return err
	}
	for line := range strings.Lines(res.Stdout) {
		line = strings.TrimSpace(line)
		i := strings.IndexByte(line, '/')
		if i < 0 || strings.HasPrefix(line, "missing") && isLeftOut(line[i:]) {
			continue
		}
		return fmt.Errorf("%s is not as its publisher made it", provider.Clip(line[i:], 200))
	}
	if res.Code > 1 {
		return fmt.Errorf("dpkg --verify: %s", words(res))
	}
	return nil
}

func isLeftOut(name string) bool {
	for _, dir := range leftOut {
		if strings.HasPrefix(name, dir) {
			return true
		}
	}
	return false
}

// packable are the files of a package to pack, as tar takes them. A folder that is a link,
// such as /lib where all is below /usr, is left to be made by what is in it.
func (a *Apt) packable(name string, listed []string) (string, error) {
	files := a.env.Host.Files()
	diverted, err := diversions(files, name)
	if err != nil {
		return "", err
	}
	parent := map[string]bool{}
	for _, name := range listed {
		parent[name[:max(0, strings.LastIndexByte(name, '/'))]] = true
	}
	var b strings.Builder
	for _, name := range listed {
		short, isPath := strings.CutPrefix(name, "/")
		if !isPath || !fs.ValidPath(short) || short == "." { // dpkg says between the paths what it diverts
			continue
		}
		if diverted[name] {
			return "", fmt.Errorf("%s is diverted", provider.Clip(name, 200))
		}
		info, err := fs.Lstat(files, short)
		switch {
		case err != nil && isLeftOut(name):
		case err != nil:
			return "", err
		case info.Mode()&fs.ModeSymlink != 0 && parent[name]:
		default:
			b.WriteString(short + "\x00")
		}
	}
	return b.String(), nil
}

// diversions are the paths that dpkg puts elsewhere when they come from this package. Its
// file has three lines each: the path, where it goes, and the package that is spared.
func diversions(files fs.FS, of string) (map[string]bool, error) {
	b, err := fs.ReadFile(files, "var/lib/dpkg/diversions")
	if err != nil {
		return nil, fmt.Errorf("reading dpkg's diversions: %w", err)
	}
	diverted, lines := map[string]bool{}, strings.Split(string(b), "\n")
	for i := 0; i+2 < len(lines); i += 3 {
		diverted[lines[i]] = lines[i+2] != of
	}
	delete(diverted, "")
	return diverted, nil
}

// build makes the package in a folder of its own and leaves it as a draft.
func (a *Apt) build(ctx context.Context, k kept, full, list string) (err error) {
	work := "/" + keptDir + "/work"
	defer func() {
		if rmErr := a.do(context.WithoutCancel(ctx), "", "rm", "--recursive", "--force", "--", work); err == nil {
			err = rmErr
		}
	}()
	status, err := a.ask(ctx, "", "dpkg-query", "--status", full)
	if err != nil {
		return err
	}
	control, err := a.ask(ctx, "", "dpkg-query", "--control-path", full)
	if err != nil {
		return err
	}
	conffiles, err := a.ask(ctx, "", "dpkg-query", "--show", "--showformat=${Conffiles}", full)
	if err != nil {
		return err
	}
	tree, data := work+"/tree", work+"/data.tar"
	steps := [][]string{
		{"", "rm", "--recursive", "--force", "--", work},
		{"", "mkdir", "--parents", "--", tree + "/DEBIAN"},
		{list, "tar", "--create", "--file=" + data, "--directory=/", "--no-recursion", "--null", "--files-from=-"},
		{"", "tar", "--extract", "--file=" + data, "--directory=" + tree, "--preserve-permissions", "--numeric-owner"},
		{"", "rm", "--", data},
		{"", "chmod", "0755", tree, tree + "/DEBIAN"},
		{controlOf(status), "tee", "--", tree + "/DEBIAN/control"},
	}
	if list := conffilesOf(conffiles); list != "" { // dpkg does not give this one with the others
		steps = append(steps, []string{list, "tee", "--", tree + "/DEBIAN/conffiles"})
	}
	for _, name := range strings.Fields(control) {
		kind := name[strings.LastIndexByte(name, '.')+1:]
		steps = append(steps, []string{"", "cp", "--preserve=mode", "--", name, tree + "/DEBIAN/" + kind})
	}
	steps = append(steps, []string{"", "dpkg-deb", "-Zgzip", "--build", "--", tree, k.path() + drafted})
	for _, s := range steps {
		if err := a.do(ctx, s[0], s[1:]...); err != nil {
			return fmt.Errorf("packing it again: %w", err)
		}
	}
	return nil
}

// controlOf makes a package's control file of its paragraph in dpkg's record.
func controlOf(stanza string) string {
	var b strings.Builder
	drop := false
	for line := range strings.Lines(stanza) {
		if line[0] != ' ' && line[0] != '\t' {
			name, _, _ := strings.Cut(line, ":")
			drop = name == "Status" || name == "Config-Version" || name == "Conffiles" || strings.TrimSpace(line) == ""
		}
		if !drop {
			b.WriteString(line)
		}
	}
	return b.String()
}

// conffilesOf lists the configuration files of a package, from dpkg's record of them. One
// with a word behind its sum is no longer the package's.
func conffilesOf(record string) string {
	var b strings.Builder
	for line := range strings.Lines(record) {
		if f := strings.Fields(line); len(f) == 2 {
			b.WriteString(f[0] + "\n")
		}
	}
	return b.String()
}

// changedFiles names, for each of the packages, a configuration file that was changed here;
// packages without one are left out.
func changedFiles(files fs.FS, of map[id]bool) map[id]string {
	changed := map[id]string{}
	f, err := files.Open(statusFile)
	if err != nil {
		return changed // whoever keeps the version looks again
	}
	defer f.Close()
	_ = stanzas(f, func(stanza []byte) error {
		var key id
		eachField(stanza, key.take)
		if _, rest, ok := strings.Cut(string(stanza), "\nConffiles:\n"); ok && of[key] {
			if name := changedFile(files, rest); name != "" {
				changed[key] = name
			}
		}
		return nil
	})
	return changed
}

// changedFile goes through the lines of dpkg's record: a path, its sum, and maybe a word.
func changedFile(files fs.FS, record string) string {
	for line := range strings.Lines(record) {
		f := strings.Fields(line)
		if !strings.HasPrefix(line, " ") {
			return ""
		}
		if len(f) != 2 { // obsolete: no longer of the package
			continue
		}
		name := strings.TrimPrefix(f[0], "/")
		if !fs.ValidPath(name) {
			return f[0]
		}
		if sum, err := sumOf(files, name); err != nil || sum != f[1] {
			return f[0]
		}
	}
	return ""
}

func sumOf(files fs.FS, name string) (string, error) {
	f, err := files.Open(name)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := md5.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
