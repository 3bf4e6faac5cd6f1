// Package winget is the provider for the programs of a Windows: what is in its list of
// installed programs, and what the signed catalogue has for it.
//
// The winget program is not needed. What is installed is read from the registry, of the
// machine and of every person, also of those who are logged off. What is on offer is what the
// installation's publisher signed: a package, its releases, their installers by hash and
// signer. An installer comes from the server's store, is held open while it is checked and
// run, and is never believed: the registry is read again.
//
// A program is recognised by its product code, its upgrade code, or its name and publisher
// together, never by its name alone. What is not recognised is told and left alone.
package winget

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"sync"

	"patchbay/patch"
	"patchbay/patch/arp"
	"patchbay/provider"
)

const providerName = "winget"

// Kind is the programs of a Windows.
func Kind() provider.Kind {
	return provider.Kind{
		Name:   providerName,
		Traits: provider.Traits{Catalog: true, Versions: patch.SchemeWinget, Exact: true, PerUser: true, Phase: provider.Apps},
		Open:   open,
	}
}

// Winget speaks for one device.
type Winget struct {
	env  provider.Env
	host provider.RegistryHost
	here machineFacts

	mu    sync.Mutex
	users map[string][]arp.Entry // by profile, as it was last read: one that cannot be read now keeps it
}

var (
	_ provider.Provider = (*Winget)(nil)
	_ provider.Stager   = (*Winget)(nil)
	_ provider.Undoer   = (*Winget)(nil)
)

func open(_ context.Context, env provider.Env) (provider.Provider, error) {
	host, ok := env.Host.(provider.RegistryHost)
	if !ok {
		return nil, fmt.Errorf("there is no Windows registry here: %w", provider.ErrAbsent)
	}
	if _, err := host.Registry(machineList, provider.View64); errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("the registry has no list of programs: %w", provider.ErrAbsent)
	}
	here, err := readMachine(host)
	if err != nil {
		return nil, err
	}
	return &Winget{env: env, host: host, here: here, users: map[string][]arp.Entry{}}, nil
}

// machineFacts is what decides which installers are for a machine.
type machineFacts struct {
	native string // its architecture: x64, x86 or arm64
	system string // the version of its Windows, such as 10.0.19045.3803; "" when it does not say
}

func readMachine(host provider.RegistryHost) (m machineFacts, err error) {
	machine, err := host.Registry(environment, provider.View64)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return m, fmt.Errorf("reading what processor is here: %w", err)
	}
	native := map[string]string{"ARM64": "arm64", "x86": "x86"}[machine.Value("PROCESSOR_ARCHITECTURE").Text]
	m.native = cmp.Or(native, "x64")
	windows, err := host.Registry(provider.WindowsKey, provider.View64)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return m, fmt.Errorf("reading which Windows is here: %w", err)
	}
	m.system = provider.WindowsVersion(windows)
	return m, nil
}

// environment is where Windows keeps what every program is told of the machine.
const environment = `HKLM\SYSTEM\CurrentControlSet\Control\Session Manager\Environment`

// catalog is what may be installed, as it is now.
func (w *Winget) catalog() provider.Catalog {
	if w.env.Catalog == nil {
		return provider.Catalog{}
	}
	return w.env.Catalog()
}

// program is an installed program with what is known of it.
type program struct {
	entry arp.Entry
	item  patch.Item
	here  machineFacts
	of    *patch.Package // nil when it was not recognised
	pin   string         // beyond which it does not go (patch.Beyond)
	// absent is a package of the catalogue that is not here: it has no entry and no version.
	absent bool
}

// look reads all programs, sorted by key, and what was odd.
func (w *Winget) look() (programs []program, notes []string, err error) {
	entries, notes, err := w.entries()
	if err != nil {
		return nil, nil, err
	}
	c, past := w.catalog(), w.history()
	programs = recognise(entries, c.Packages, w.here)
	pinned(programs, w.wishes())
	w.waiting(programs)
	for i := range programs {
		programs[i].item.Previous = past.previous(programs[i])
	}
	busy := ""
	if r, p := w.left(); p != nil {
		busy = r.Key
	}
	if past.arrived(programs, busy) {
		if err := w.env.WriteRecord(historyRecord, past); err != nil { // the next look tries again
			w.env.Log.Warn("that a program is there again could not be written down", "error", err)
		}
	}
	for _, p := range past.removed(programs, c, w.here) {
		p.item.Broken = "removed"
		programs = append(programs, p)
	}
	slices.SortFunc(programs, func(a, b program) int { return a.item.Key().Compare(b.item.Key()) })
	return programs, notes, nil
}

// recognise makes items of entries. Two entries of one key are told apart by the names of
// their keys; the newest is the item that keeps the plain name.
func recognise(entries []arp.Entry, packages []patch.Package, here machineFacts) []program {
	index := arp.NewIndex(packages)
	var programs []program
	for _, e := range entries {
		if ok, _ := e.Program(); !ok {
			continue
		}
		p := program{entry: e, item: e.Item(providerName), here: here}
		if p.item.Version == "" {
			p.item.Version = unknownVersion
		}
		p.item.Updater = updater(e)
		if found := index.Find(e); found.Package != nil {
			p.of = found.Package
			p.item.Source, p.item.Origin = p.of.ID, p.of.Publisher
		} else {
			p.item.Orphan = p.item.Updater == ""
		}
		programs = append(programs, p)
	}
	slices.SortFunc(programs, func(a, b program) int {
		if c := a.item.Key().Compare(b.item.Key()); c != 0 {
			return c
		}
		if c, err := patch.CompareVersions(patch.SchemeWinget, b.item.Version, a.item.Version); err == nil && c != 0 {
			return c
		}
		return compareText(a.entry.Key, b.entry.Key)
	})
	for i := 1; i < len(programs); i++ {
		if p := &programs[i]; p.item.Key() == programs[i-1].item.Key() || p.item.Key() == plainKey(programs[i-1]) {
			p.item.Instance += "/" + p.entry.Key
		}
	}
	slices.SortFunc(programs, func(a, b program) int { return a.item.Key().Compare(b.item.Key()) })
	return slices.CompactFunc(programs, func(a, b program) bool { return a.item.Key() == b.item.Key() })
}

// plainKey is the key that a program would have if it were the only one of its kind.
func plainKey(p program) patch.Key {
	k := p.item.Key()
	k.Instance = p.entry.Instance()
	return k
}

// unknownVersion is what winget calls a version that a program does not show. It is before
// all others.
const unknownVersion = "Unknown"

// Installed lists the programs in the registry.
func (w *Winget) Installed(ctx context.Context) ([]patch.Item, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	programs, _, err := w.look()
	if err != nil {
		return nil, err
	}
	items := make([]patch.Item, len(programs))
	for i, p := range programs {
		items[i] = p.item
	}
	return items, nil
}
