// Package storeapps reads which app packages a Windows has, of all its users and of each: what comes
// from the Microsoft Store, and what Windows itself brings that way.
//
// It only reads. The Store updates them, or nobody does where it is turned off.
package storeapps

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"slices"

	"patchbay/patch"
	"patchbay/provider"
)

// Name is the provider's name. It is stored with every item.
const Name = "storeapps"

// Where Windows keeps which packages there are: for everybody, and below a person's classes.
const (
	everybody = `HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Appx\AppxAllUserStore\Applications`
	own       = `_Classes\Local Settings\Software\Microsoft\Windows\CurrentVersion\AppModel\Repository\Packages`
)

const updater = "the Microsoft Store"

// Kind is the app packages of a Windows.
func Kind() provider.Kind {
	return provider.Kind{
		Name:   Name,
		Traits: provider.Traits{Versions: patch.SchemeWinget, PerUser: true, ReadOnly: true, Phase: provider.Apps},
		Open:   open,
	}
}

// Packages are those of one Windows.
type Packages struct{ host provider.RegistryHost }

var _ provider.Provider = (*Packages)(nil)

func open(_ context.Context, env provider.Env) (provider.Provider, error) {
	host, ok := env.Host.(provider.RegistryHost)
	if !ok {
		return nil, fmt.Errorf("there is no Windows registry here: %w", provider.ErrAbsent)
	}
	p := &Packages{host}
	items, _, err := p.look()
	if err == nil && len(items) == 0 {
		return nil, fmt.Errorf("this Windows has no app packages: %w", provider.ErrAbsent)
	}
	return p, err
}

// Installed lists the packages of everybody and of each person.
func (p *Packages) Installed(ctx context.Context) ([]patch.Item, error) {
	items, _, err := p.look()
	return items, errors.Join(err, ctx.Err())
}

// Available has nothing to offer, and says whose packages are not known.
func (p *Packages) Available(ctx context.Context) (patch.Offer, error) {
	_, notes, err := p.look()
	return patch.Offer{Updates: []patch.Update{}, Sources: []patch.Source{}, Notes: notes}, errors.Join(err, ctx.Err())
}

// Apply changes nothing.
func (p *Packages) Apply(context.Context, provider.Request) (provider.Outcome, error) {
	return provider.Outcome{}, fmt.Errorf("%w: app packages are read and never changed", provider.ErrRefused)
}

func (p *Packages) look() ([]patch.Item, []string, error) {
	found := map[patch.Key]patch.Item{}
	if err := p.list(found, everybody, ""); err != nil {
		return nil, nil, fmt.Errorf("reading the app packages: %w", err)
	}
	people, err := provider.People(p.host)
	if err != nil {
		return nil, nil, err
	}
	var notes []string
	for _, o := range people {
		if err := p.list(found, `HKU\`+o.SID+own, o.Name); err != nil { // one who shuts out others hides only the own
			notes = append(notes, fmt.Sprintf("Which app packages %s has could not be read: %v.", o.Name, err))
		}
	}
	var items []patch.Item
	for _, i := range found {
		items = append(items, i)
	}
	slices.SortFunc(items, func(a, b patch.Item) int { return a.Key().Compare(b.Key()) })
	return items, notes, nil
}

// list adds the packages below a key. Of several versions of one the newest counts: older ones
// stay until nobody uses them.
func (p *Packages) list(found map[patch.Key]patch.Item, path, user string) error {
	list, err := p.host.Registry(path, provider.View64)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, name := range list.Keys {
		item, ok := itemOf(name)
		if !ok {
			continue
		}
		item.Scope = user
		if user != "" {
			all := item
			all.Scope = ""
			if held, ok := found[all.Key()]; ok && held.Version == item.Version {
				continue // it is everybody's
			}
		}
		if held, ok := found[item.Key()]; ok {
			if c, err := patch.CompareVersions(patch.SchemeWinget, held.Version, item.Version); err != nil || c >= 0 {
				continue
			}
		}
		found[item.Key()] = item
	}
	return nil
}

// fullName is how Windows writes a package: name, version, processor, resource and the hash of
// its publisher.
var fullName = regexp.MustCompile(`^([A-Za-z0-9.-]{3,50})_([0-9]{1,5}(?:\.[0-9]{1,5}){3})_([a-z0-9]{3,7})_([A-Za-z0-9.~-]{0,30})_([a-z0-9]{13})$`)

func itemOf(name string) (patch.Item, bool) {
	m := fullName.FindStringSubmatch(name)
	if m == nil {
		return patch.Item{}, false
	}
	instance := m[5]
	if m[4] != "" {
		instance += "/" + m[4]
	}
	return patch.Item{Provider: Name, Name: m[1], Version: m[2], Architecture: m[3], Instance: instance, Updater: updater}, true
}
