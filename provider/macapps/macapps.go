// Package macapps reads which apps lie in the Applications folders of a Mac, and who updates
// each: the App Store, an updater that came with it, or nobody.
//
// It only reads. An app that another provider put there is that provider's and is left out: a
// program has one owner.
package macapps

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"

	"patchbay/patch"
	"patchbay/patch/plist"
	"patchbay/provider"
)

// Name is the provider's name. It is stored with every item.
const Name = "macapps"

const (
	systemFile = "System/Library/CoreServices/SystemVersion.plist"
	machine    = "Applications"
	people     = "Users"

	maxInfo   = 4 << 20
	maxApps   = 5000 // in one folder of applications
	maxFolder = 20_000
	maxText   = 100

	unknown = "unknown" // the version of an app that does not say it
)

// Kind is the apps of a Mac.
func Kind() provider.Kind {
	return provider.Kind{
		Name:   Name,
		Traits: provider.Traits{Versions: patch.SchemeBrew, PerUser: true, ReadOnly: true, Phase: provider.Apps},
		Open:   open,
	}
}

// Apps are those of one Mac.
type Apps struct{ files fs.FS }

var _ provider.Provider = (*Apps)(nil)

func open(_ context.Context, env provider.Env) (provider.Provider, error) {
	if _, err := fs.Stat(env.Host.Files(), systemFile); err != nil {
		return nil, fmt.Errorf("this is not a Mac: %w", provider.ErrAbsent)
	}
	return &Apps{env.Host.Files()}, nil
}

var validUser = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}$`)

// Installed lists the apps of the machine and of its users.
func (a *Apps) Installed(ctx context.Context) ([]patch.Item, error) {
	items, _, err := a.look(ctx)
	return items, err
}

// Available has nothing to offer, and says what could not be read.
func (a *Apps) Available(ctx context.Context) (patch.Offer, error) {
	_, notes, err := a.look(ctx)
	return patch.Offer{Updates: []patch.Update{}, Sources: []patch.Source{}, Notes: notes}, err
}

// Apply changes nothing.
func (a *Apps) Apply(context.Context, provider.Request) (provider.Outcome, error) {
	return provider.Outcome{}, fmt.Errorf("%w: apps that lie in a folder are read and never changed", provider.ErrRefused)
}

func (a *Apps) look(ctx context.Context) (items []patch.Item, notes []string, err error) {
	s := search{seen: map[patch.Key]bool{}, files: a.files, others: owned(a.files), microsoft: exists(a.files, "Library/Application Support/Microsoft/MAU2.0/Microsoft AutoUpdate.app")}
	if err := s.folder("", machine, "", 1); err != nil {
		return nil, nil, fmt.Errorf("reading the applications: %w", err)
	}
	homes, err := entries(a.files, people)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, nil, fmt.Errorf("reading whose homes there are: %w", err)
	}
	for _, home := range homes {
		if !home.IsDir() || !validUser.MatchString(home.Name()) || home.Name() == "Shared" {
			continue
		}
		err := s.folder(home.Name(), path.Join(people, home.Name(), machine), "", 1)
		if errors.Is(err, fs.ErrPermission) {
			s.notes = append(s.notes, "The applications of "+home.Name()+" alone cannot be read with the rights of this program.")
		} else if err != nil {
			return nil, nil, fmt.Errorf("reading the applications of %s: %w", home.Name(), err)
		}
		if err := ctx.Err(); err != nil {
			return nil, nil, err
		}
	}
	slices.SortFunc(s.items, func(a, b patch.Item) int { return a.Key().Compare(b.Key()) })
	slices.Sort(s.notes)
	return s.items, s.notes, ctx.Err()
}

// search is a look through the folders of applications.
type search struct {
	files     fs.FS
	others    map[string]bool // paths of apps that another provider put there
	microsoft bool            // Microsoft's updater is there
	seen      map[patch.Key]bool
	items     []patch.Item
	notes     []string
}

// entries lists a folder.
func entries(files fs.FS, dir string) ([]fs.DirEntry, error) {
	list, err := fs.ReadDir(files, dir)
	if err == nil && len(list) > maxFolder {
		err = fmt.Errorf("/%s has more than %d entries", dir, maxFolder)
	}
	return list, err
}

// folder looks through one folder, and so many folders below it. In a user's folder no link is
// followed; in the machine's, macOS itself puts some.
func (s *search) folder(user, dir, below string, deeper int) error {
	if info, err := fs.Lstat(s.files, dir); errors.Is(err, fs.ErrNotExist) || err == nil && !info.IsDir() {
		return nil
	}
	list, err := entries(s.files, dir)
	if err != nil {
		return err
	}
	for _, e := range list {
		link := e.Type()&fs.ModeSymlink != 0
		name, app := strings.CutSuffix(e.Name(), ".app")
		switch at := path.Join(dir, e.Name()); {
		case strings.HasPrefix(name, "."), link && user != "":
		case app && !s.others[at]:
			if err := s.app(user, at, path.Join(below, name)); err != nil {
				return err
			}
		case !app && e.IsDir() && deeper > 0:
			if err := s.folder(user, at, path.Join(below, name), deeper-1); err != nil {
				return err
			}
		}
	}
	return nil
}

// app reads one. What has no description is not an app.
func (s *search) app(user, at, name string) error {
	if len(s.items) >= maxApps {
		return fmt.Errorf("there are more than %d", maxApps)
	}
	content := path.Join(at, "Contents")
	info, err := s.info(user, path.Join(content, "Info.plist"))
	store := false
	if errors.Is(err, fs.ErrNotExist) { // made for a phone, and wrapped by the App Store
		info, err = s.wrapped(user, path.Join(at, "Wrapper"))
		store = true
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	item := patch.Item{Provider: Name, Scope: user, Name: calm(name), Instance: calm(info["CFBundleIdentifier"]), Version: shown(info)}
	if item.Name == "" {
		return nil
	}
	if err != nil {
		s.notes = append(s.notes, "The app "+item.Name+" does not say what it is: "+calm(err.Error())+".")
	}
	if item.Updater = s.updater(content, item.Instance, info); store {
		item.Updater = appStore
	}
	if item.Updater == appStore {
		item.Origin = appStore
	}
	item.Orphan = item.Updater == ""
	if s.seen[item.Key()] {
		return nil // two names that differ only in what cannot be shown
	}
	s.seen[item.Key()] = true
	s.items = append(s.items, item)
	return nil
}

// info reads a description. A user's is read only where it really lies.
func (s *search) info(user, name string) (map[string]string, error) {
	info, err := fs.Stat(s.files, name)
	if user != "" && err == nil {
		info, err = unlinked(s.files, path.Join(people, user), name)
	}
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, errors.New("its description is not a file")
	}
	f, err := s.files.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxInfo+1))
	if err != nil {
		return nil, err
	}
	if len(b) > maxInfo {
		return nil, errors.New("its description is too long")
	}
	return plist.Dict(b)
}

// unlinked stats a path, of which nothing below a folder may be a link.
func unlinked(files fs.FS, dir, name string) (info fs.FileInfo, err error) {
	for part := range strings.SplitSeq(strings.TrimPrefix(name, dir+"/"), "/") {
		dir = path.Join(dir, part)
		if info, err = fs.Lstat(files, dir); err != nil {
			return nil, err
		}
		if info.Mode()&fs.ModeSymlink != 0 {
			return nil, errors.New("there is a link in its path")
		}
	}
	return info, nil
}

func (s *search) wrapped(user, dir string) (map[string]string, error) {
	list, err := entries(s.files, dir)
	if err != nil {
		return nil, err
	}
	for _, e := range list {
		if e.IsDir() && strings.HasSuffix(e.Name(), ".app") {
			return s.info(user, path.Join(dir, e.Name(), "Info.plist"))
		}
	}
	return nil, fs.ErrNotExist
}

// shown is the version that people see.
func shown(info map[string]string) string {
	for _, key := range []string{"CFBundleShortVersionString", "CFBundleVersion"} {
		v := calm(info[key])
		if _, err := patch.CompareVersions(patch.SchemeBrew, v, v); err == nil && v == strings.TrimSpace(info[key]) {
			return v
		}
	}
	return unknown
}

// appStore is the updater of what was bought there.
const appStore = "App Store"

// updater says who updates an app, by what lies in it; "" when nobody does.
func (s *search) updater(content, id string, info map[string]string) string {
	has := func(name string) bool { return exists(s.files, path.Join(content, name)) }
	switch {
	case has("_MASReceipt/receipt"):
		return appStore
	case strings.HasPrefix(id, "com.apple."):
		return "macOS"
	case info["KSProductID"] != "":
		return "Google Software Update"
	case strings.HasPrefix(id, "com.microsoft.") && s.microsoft:
		return "Microsoft AutoUpdate"
	case has("MacOS/updater.app") && has("Resources/application.ini"):
		return "Mozilla Updater"
	case info["SUFeedURL"] != "", has("Frameworks/Sparkle.framework"):
		return "its own updater (Sparkle)"
	case has("Frameworks/Squirrel.framework"):
		return "its own updater (Squirrel)"
	}
	return ""
}

// owned lists the apps that a package manager put there: it leaves a link to each.
func owned(files fs.FS) map[string]bool {
	m := map[string]bool{}
	for _, room := range []string{"opt/homebrew/Caskroom", "usr/local/Caskroom"} {
		links, err := fs.Glob(files, room+"/*/*/*.app")
		if err != nil || len(links) > maxFolder {
			continue
		}
		for _, l := range links {
			if to, err := fs.ReadLink(files, l); err == nil && path.IsAbs(to) {
				m[strings.TrimPrefix(path.Clean(to), "/")] = true
			}
		}
	}
	return m
}

func exists(files fs.FS, name string) bool {
	_, err := fs.Lstat(files, name)
	return err == nil
}

// calm makes a short text of one that anybody may have written.
func calm(s string) string { return provider.Calm(s, maxText) }
