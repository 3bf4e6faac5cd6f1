package apt

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"patchbay/patch"
	"patchbay/provider"
)

// keptDir is where the device keeps what it would need to take an update back: for each
// package the version before the last update, as a package file, or as a note that a source
// had it. A file's name is all that is written of it, as apt names its own archives, so that
// there is no list beside the files that could say something else than they do.
const keptDir = "var/lib/patchbay-agent/kept"

// keptBudget is how much is kept, in bytes. What was kept first goes first.
const keptBudget = 1 << 30

// The two ways of keeping, which are the ends of the names.
const (
	keptFile = ".deb"    // the package itself
	keptNote = ".source" // a source had it, and may have it still
)

// kept is the version of one package that was there before its last update.
type kept struct {
	name, version, arch string
	end                 string // keptFile or keptNote
	size                int64
	at                  time.Time
}

// file is its name in keptDir.
func (k kept) file() string { return debName(k.name, k.version, k.arch) + k.end }

// path is its place on the device.
func (k kept) path() string { return "/" + keptDir + "/" + k.file() }

// debName names a package's file as apt does, without the end.
func debName(name, version, arch string) string {
	return name + "_" + strings.ReplaceAll(version, ":", "%3a") + "_" + arch
}

// parseKept reads a name that file made.
func parseKept(file string) (kept, bool) {
	k := kept{}
	for _, k.end = range []string{keptFile, keptNote, ""} {
		if strings.HasSuffix(file, k.end) {
			break
		}
	}
	f := strings.Split(strings.TrimSuffix(file, k.end), "_")
	if k.end == "" || len(f) != 3 {
		return kept{}, false
	}
	k.name, k.version, k.arch = f[0], strings.ReplaceAll(f[1], "%3a", ":"), f[2]
	return k, isPackageName(k.name) && isVersion(k.version) && isArchitecture(k.arch)
}

// readKept lists what is kept, by package, the newest version last.
func readKept(files fs.FS) map[id][]kept {
	entries, _ := fs.ReadDir(files, keptDir) // none before the first update
	all := map[id][]kept{}
	for _, e := range entries {
		k, ok := parseKept(e.Name())
		info, err := e.Info()
		if !ok || err != nil || !info.Mode().IsRegular() {
			continue
		}
		k.size, k.at = info.Size(), info.ModTime()
		all[id{k.name, k.arch}] = append(all[id{k.name, k.arch}], k)
	}
	for _, versions := range all {
		slices.SortFunc(versions, func(a, b kept) int {
			if newer(a.version, b.version) {
				return 1
			}
			return strings.Compare(b.end, a.end) // of one version the file last: it is the surer way
		})
	}
	return all
}

// previous is what can be brought back in the place of an installed package. A note counts
// only while a source still has the version.
func (v view) previous(item patch.Item, offers []offer) (kept, bool) {
	for _, k := range slices.Backward(v.kept[id{item.Name, item.Architecture}]) {
		if newer(item.Version, k.version) && (k.end == keptFile || len(withVersion(offers, k.version)) > 0) {
			return k, true
		}
	}
	return kept{}, false
}

// reversibility says before an update how it could be taken back.
func (v view) reversibility(item patch.Item, offers []offer) (patch.Reversibility, string) {
	if same := withVersion(offers, item.Version); len(same) > 0 {
		return patch.ByManager, fmt.Sprintf("%s still has %s: apt installs it again from there.", best(same).list.source.name, item.Version)
	}
	for _, k := range v.kept[id{item.Name, item.Architecture}] {
		if k.version == item.Version && k.end == keptFile {
			return patch.ByKept, fmt.Sprintf("The package file of %s is kept on the device.", item.Version)
		}
	}
	if item.Broken != "" {
		return patch.NotAtAll, fmt.Sprintf("%s is %s, so there is no working version to go back to.", item.Version, item.Broken)
	}
	if changed := v.changed[id{item.Name, item.Architecture}]; changed != "" {
		return patch.NotAtAll, fmt.Sprintf("No source has %s any more, and it cannot be packed again as its publisher made it: %s was changed on this device.",
			item.Version, changed)
	}
	return patch.ByKept, fmt.Sprintf("No source has %s any more; the device keeps it before the update, packed again from its own files.", item.Version)
}

// keep keeps the version that is there of every package that the plan upgrades. That one
// cannot be kept stops nothing: an open hole is the greater harm, and after the update the
// item has no previous version, which is told.
func (a *Apt) keep(ctx context.Context, p plan, before installed) {
	a.mu.Lock()
	v := a.last
	a.mu.Unlock()
	for _, s := range p.upgrades {
		item, ok := before.find(s.name, s.arch)
		if !ok || item.Broken != "" || !isVersion(item.Version) {
			continue
		}
		k := kept{name: item.Name, version: item.Version, arch: item.Architecture}
		if err := a.keepOne(ctx, k, len(withVersion(v.offers(item), item.Version)) > 0); err != nil {
			a.env.Log.Warn("the version before the update is not kept: the update cannot be taken back",
				"package", item.Name, "version", item.Version, "error", err)
		}
	}
}

// keepOne keeps one version, by the cheapest way there is.
func (a *Apt) keepOne(ctx context.Context, k kept, inSource bool) error {
	k.end = keptFile
	files := a.env.Host.Files()
	if _, err := fs.Stat(files, keptDir+"/"+k.file()); err == nil {
		return nil
	}
	if err := a.do(ctx, "", "mkdir", "--parents", "--mode=0700", "--", "/"+keptDir); err != nil {
		return err
	}
	cached := path.Join(archives, debName(k.name, k.version, k.arch)+keptFile)
	info, err := fs.Stat(files, cached[1:])
	switch {
	case err == nil && info.Mode().IsRegular():
		if err = a.makeRoom(ctx, info.Size(), info.Size()); err == nil {
			err = a.do(ctx, "", "cp", "--no-preserve=mode", "--", cached, k.path()+drafted)
		}
	case inSource:
		k.end = keptNote
		err = a.do(ctx, "", "tee", "--", k.path()+drafted)
	default:
		err = a.repack(ctx, k)
	}
	if err != nil {
		return errors.Join(err, a.do(ctx, "", "rm", "--force", "--", k.path()+drafted))
	}
	return a.finishKept(ctx, k)
}

// drafted ends the names of files that are not whole yet. None of them is ever read.
const drafted = ".part"

// finishKept gives a whole file its name, and lets go of what was kept of the package before.
func (a *Apt) finishKept(ctx context.Context, k kept) error {
	if err := a.do(ctx, "", "sync", "--", k.path()+drafted); err != nil {
		return err
	}
	if err := a.do(ctx, "", "mv", "--force", "--", k.path()+drafted, k.path()); err != nil {
		return err
	}
	for _, old := range readKept(a.env.Host.Files())[id{k.name, k.arch}] {
		if old.file() != k.file() {
			if err := a.do(ctx, "", "rm", "--force", "--", old.path()); err != nil {
				return err
			}
		}
	}
	return nil
}

// makeRoom drops what was kept first until size more bytes are within the budget, and holds
// that so much, with what it takes to make it, leaves the disk its reserve.
func (a *Apt) makeRoom(ctx context.Context, size, peak int64) error {
	if size > keptBudget {
		return fmt.Errorf("it has %s, and no more than %s is kept in all", amount(size), amount(keptBudget))
	}
	r, err := a.freeSpace(ctx, "/"+keptDir)
	if err != nil {
		return err
	}
	if r.free < peak+reserve {
		return fmt.Errorf("not enough space on %s: %s are free, %s are needed to keep it", r.mount, amount(r.free), amount(peak+reserve))
	}
	for _, k := range tooMuch(readKept(a.env.Host.Files()), size) {
		if err := a.do(ctx, "", "rm", "--force", "--", k.path()); err != nil {
			return err
		}
	}
	return nil
}

// tooMuch is what has to go before size more bytes are within the budget: what was kept first
// goes first.
func tooMuch(of map[id][]kept, size int64) []kept {
	var all []kept
	for _, versions := range of {
		for _, k := range versions {
			all = append(all, k)
			size += k.size
		}
	}
	slices.SortFunc(all, func(a, b kept) int { return cmp.Or(a.at.Compare(b.at), strings.Compare(a.file(), b.file())) })
	for i, k := range all {
		if size <= keptBudget {
			return all[:i]
		}
		size -= k.size
	}
	return all
}

// do runs a program that has to succeed, with input for it to read.
func (a *Apt) do(ctx context.Context, input string, args ...string) error {
	_, err := a.ask(ctx, input, args...)
	return err
}

// ask is do for a program whose answer is wanted.
func (a *Apt) ask(ctx context.Context, input string, args ...string) (string, error) {
	res, err := a.env.Host.Run(ctx, provider.Command{Args: args, Input: input})
	if err != nil {
		return "", err
	}
	if res.Code != 0 {
		return res.Stdout, fmt.Errorf("%s ended with %s: %s", args[0], strconv.Itoa(res.Code), words(res))
	}
	return res.Stdout, nil
}
