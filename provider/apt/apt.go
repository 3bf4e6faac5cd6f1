// Package apt is the provider for Debian, Ubuntu and their relatives.
//
// What is installed and what the sources have is read from the files that dpkg and apt
// keep; the one question that only apt can answer, what an upgrade would do, is asked of
// apt. A list that is missing or is not what its signed index says is an error: nothing
// here ever takes "I do not know" for "nothing is missing".
package apt

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"sync"

	"patchbay/patch"
	"patchbay/provider"
)

// Kind is apt, where there is a dpkg record to read.
func Kind() provider.Kind {
	return provider.Kind{
		Name:   providerName,
		Traits: provider.Traits{Versions: patch.SchemeDeb, Exact: true, Phase: provider.System},
		Open:   open,
	}
}

// Apt speaks for one device. It remembers its last look and looks again when a file that
// apt decides by has changed.
type Apt struct {
	env provider.Env

	mu     sync.Mutex
	reader reader
	last   view
	stamp  string // of all files that last rests on; "" when it must not be used again
}

var (
	_ provider.Provider  = (*Apt)(nil)
	_ provider.Refresher = (*Apt)(nil)
	_ provider.Stager    = (*Apt)(nil)
	_ provider.Undoer    = (*Apt)(nil)
	_ provider.Repairer  = (*Apt)(nil)
)

func open(_ context.Context, env provider.Env) (provider.Provider, error) {
	if _, err := fs.Stat(env.Host.Files(), statusFile); err != nil {
		return nil, fmt.Errorf("dpkg keeps no record here: %w", provider.ErrAbsent)
	}
	if _, err := fs.Stat(env.Host.Files(), "usr/bin/apt-get"); err != nil {
		return nil, fmt.Errorf("apt-get is not installed: %w", provider.ErrAbsent)
	}
	return &Apt{env: env, reader: reader{host: env.Host}}, nil
}

// Installed lists what dpkg has on the disk.
func (a *Apt) Installed(ctx context.Context) ([]patch.Item, error) {
	v, err := a.look(ctx)
	if err != nil {
		return nil, err
	}
	return v.items(), nil
}

// Available lists what apt's full upgrade would install, and what is newer and why it
// would not. With an error that comes from a missing list, the offer still holds what the
// other sources have: it is true as far as it goes, and not complete.
func (a *Apt) Available(ctx context.Context) (patch.Offer, error) {
	v, err := a.look(ctx)
	if err != nil {
		return patch.Offer{}, err
	}
	updates, notes := v.updates()
	offer := patch.Offer{
		Updates: updates,
		Sources: v.reports(a.records()),
		Notes:   slices.Concat(notes, v.installed.notes, a.begunNotes(v.installed)),
	}
	if v.planErr != nil {
		return offer, v.planErr
	}
	if len(v.index.broken) > 0 {
		return offer, errors.New("what is missing cannot be said in full: " + strings.Join(v.index.broken, "; "))
	}
	return offer, nil
}

// maxLooks bounds how often a look is begun again because something changed meanwhile.
const maxLooks = 3

// look gives the present state, from memory when nothing has changed.
func (a *Apt) look(ctx context.Context) (view, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	before, dir, err := a.fingerprint()
	if err != nil {
		return view{}, err
	}
	if a.stamp != "" && before == a.stamp {
		return a.last, nil
	}
	for range maxLooks {
		v, err := a.lookAnew(ctx, dir)
		if err != nil {
			a.stamp = ""
			return view{}, err
		}
		after, dirAfter, err := a.fingerprint()
		if err != nil {
			return view{}, err
		}
		if after == before {
			a.last, a.stamp = v, a.settled(before, dir)
			return v, nil
		}
		before, dir = after, dirAfter
	}
	return view{}, fmt.Errorf("packages or lists changed while they were read: %w", provider.ErrBusy)
}

func (a *Apt) lookAnew(ctx context.Context, dir map[string]fs.FileInfo) (view, error) {
	files := a.env.Host.Files()
	v := view{pins: readPins(files), distro: readDistro(files)}
	var err error
	if v.installed, err = readInstalled(files); err != nil {
		return v, err
	}
	if v.sources, err = configured(ctx, a.env.Host); err != nil {
		return v, err
	}
	names := make(map[string]bool, len(v.installed.items))
	for key := range v.installed.items {
		names[key.name] = true
	}
	if v.index, err = a.reader.read(ctx, v.sources, dir, names); err != nil {
		return v, err
	}
	v.plan, v.planErr = a.askUpgrade(ctx)
	v.kept, v.changed = readKept(files), changedFiles(files, v.plan.upgraded(v.installed))
	return v, ctx.Err()
}

// askUpgrade asks apt what its full upgrade would do. It changes nothing, takes no lock
// and works for any user.
func (a *Apt) askUpgrade(ctx context.Context) (plan, error) {
	res, err := a.env.Host.Run(ctx, provider.Command{Args: []string{"apt-get", "--print-uris", "-V", "dist-upgrade"}})
	if err != nil {
		return plan{}, fmt.Errorf("asking apt what it would upgrade: %w", err)
	}
	if res.Code != 0 {
		return plan{}, fmt.Errorf("asking apt what it would upgrade: %s", words(res))
	}
	p, err := parsePlan(res.Stdout)
	if err != nil {
		return plan{}, fmt.Errorf("asking apt what it would upgrade: %w", err)
	}
	return p, nil
}
