// Package extensions reads which extensions the browsers of a Windows have, by whom each is
// updated, and which are there because a policy says so.
//
// It only reads. The browsers update them, from their own stores.
package extensions

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"patchbay/patch"
	"patchbay/provider"
)

// Name is the provider's name. It is stored with every item.
const Name = "extensions"

// Bounds of what is looked at, for people write what is in their own folders.
const (
	maxFolder = 5000    // entries of one folder
	maxFile   = 8 << 20 // bytes
	maxText   = 100
)

// Kind is the extensions of browsers on a Windows.
func Kind() provider.Kind {
	return provider.Kind{
		Name:   Name,
		Traits: provider.Traits{Versions: patch.SchemeWinget, PerUser: true, ReadOnly: true, Phase: provider.Apps},
		Open:   open,
	}
}

// Extensions are those of one Windows.
type Extensions struct {
	host  provider.RegistryHost
	files fs.FS
}

var _ provider.Provider = (*Extensions)(nil)

func open(_ context.Context, env provider.Env) (provider.Provider, error) {
	host, ok := env.Host.(provider.RegistryHost)
	if !ok {
		return nil, fmt.Errorf("this is not a Windows: %w", provider.ErrAbsent)
	}
	e := &Extensions{host, host.Files()}
	items, notes, err := e.look()
	if err == nil && len(items)+len(notes) == 0 {
		return nil, fmt.Errorf("no browser here has extensions: %w", provider.ErrAbsent)
	}
	return e, err
}

// Installed lists the extensions of each person.
func (e *Extensions) Installed(ctx context.Context) ([]patch.Item, error) {
	items, _, err := e.look()
	return items, errors.Join(err, ctx.Err())
}

// Available has nothing to offer. It says what policies put there, and what could not be read.
func (e *Extensions) Available(ctx context.Context) (patch.Offer, error) {
	_, notes, err := e.look()
	return patch.Offer{Updates: []patch.Update{}, Sources: []patch.Source{}, Notes: notes}, errors.Join(err, ctx.Err())
}

// Apply changes nothing.
func (e *Extensions) Apply(context.Context, provider.Request) (provider.Outcome, error) {
	return provider.Outcome{}, fmt.Errorf("%w: extensions of browsers are read and never changed", provider.ErrRefused)
}

func (e *Extensions) look() (items []patch.Item, notes []string, err error) {
	people, err := provider.People(e.host)
	if err != nil {
		return nil, nil, err
	}
	for _, p := range people {
		home, ok := p.Home()
		if !ok {
			continue // what winget cannot read there either, and says
		}
		for _, b := range chromiums() {
			found, err := b.read(e.files, home)
			if err != nil {
				notes = append(notes, fmt.Sprintf("The extensions that %s has in %s could not be read: %v.", p.Name, b.name, err))
			}
			items = append(items, owned(found, p.Name)...)
		}
		found, err := firefox(e.files, home)
		if err != nil {
			notes = append(notes, fmt.Sprintf("The extensions that %s has in %s could not be read: %v.", p.Name, mozilla, err))
		}
		items = append(items, owned(found, p.Name)...)
	}
	slices.SortFunc(items, func(a, b patch.Item) int { return a.Key().Compare(b.Key()) })
	items = slices.CompactFunc(items, func(a, b patch.Item) bool { return a.Key() == b.Key() })
	for _, b := range chromiums() {
		forced, err := b.forced(e.host)
		if err != nil {
			return nil, nil, fmt.Errorf("reading the policies of %s: %w", b.name, err)
		}
		if len(forced) > 0 {
			notes = append(notes, fmt.Sprintf("A policy of this machine puts extensions into %s: %s.", b.name, strings.Join(forced, ", ")))
		}
	}
	return items, notes, nil
}

func owned(items []patch.Item, by string) []patch.Item {
	for i := range items {
		items[i].Scope = by
	}
	return items
}

// folders lists the folders in one. A link is none, and what is not there is empty.
func folders(files fs.FS, dir string) ([]string, error) {
	if info, err := fs.Lstat(files, dir); errors.Is(err, fs.ErrNotExist) || err == nil && !info.IsDir() {
		return nil, nil
	}
	list, err := fs.ReadDir(files, dir)
	if err != nil {
		return nil, err
	}
	if len(list) > maxFolder {
		return nil, fmt.Errorf("a folder has more than %d entries", maxFolder)
	}
	var names []string
	for _, e := range list {
		if e.IsDir() {
			names = append(names, e.Name())
		}
	}
	return names, nil
}

// read reads a plain file; nil where there is none.
func read(files fs.FS, name string) ([]byte, error) {
	info, err := fs.Lstat(files, name)
	if errors.Is(err, fs.ErrNotExist) || err == nil && !info.Mode().IsRegular() {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if info.Size() > maxFile {
		return nil, fmt.Errorf("a file has more than %d bytes", maxFile)
	}
	return fs.ReadFile(files, name)
}

// text is what a page of the browser's shop could have as a name.
func text(s string) string { return provider.Calm(strings.Join(strings.Fields(s), " "), maxText) }
