package winget

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"patchbay/patch"
	"patchbay/provider"
)

// maxNeeds is how long a chain of packages that need each other may be.
const maxNeeds = 8

// need is a package that has to be installed before another, by this installer.
type need struct {
	program program
	with    patch.Installer
}

// needs lists what an installer needs and is not here, in the order in which it is to be
// installed. All of it must be in the same signed catalogue, with an installer that fits. The
// error says what is not to be had.
func (w *Winget) needs(programs []program, p program, i patch.Installer) ([]need, error) {
	var all []need
	err := w.collect(&all, programs, []string{p.of.ID}, p, i)
	return all, err
}

// collect adds what one installer needs. chain are the packages that lead to it.
func (w *Winget) collect(all *[]need, programs []program, chain []string, p program, i patch.Installer) error {
	if len(i.Asks) > 0 {
		return fmt.Errorf("%w: %s needs what nothing here can install: %s", provider.ErrRefused, p.item.Name, strings.Join(i.Asks, ", "))
	}
	for _, id := range i.Needs {
		there := func(o program) bool {
			return o.is(id) && o.item.Broken == "" && (o.item.Scope == "" || o.item.Scope == p.item.Scope)
		}
		if slices.ContainsFunc(programs, there) || slices.ContainsFunc(*all, func(n need) bool { return n.program.is(id) }) {
			continue
		}
		way := strings.Join(append(slices.Clone(chain), id), " → ")
		c := w.catalog()
		n := slices.IndexFunc(c.Packages, func(o patch.Package) bool { return sameFold(o.ID, id) })
		switch {
		case slices.ContainsFunc(chain, func(s string) bool { return sameFold(s, id) }):
			return fmt.Errorf("%w: these packages need each other: %s", provider.ErrRefused, way)
		case len(chain) > maxNeeds:
			return fmt.Errorf("%w: too many packages need each other: %s", provider.ErrRefused, way)
		case n < 0:
			return fmt.Errorf("%w: %s needs %s, which is not installed here and not in the signed catalogue", provider.ErrRefused, p.item.Name, id)
		}
		o := w.absent(&c.Packages[n], "")
		_, with, ok := newest(o)
		if !ok {
			return fmt.Errorf("%w: %s needs %s, which is not installed here, and the signed catalogue has no installer of it that fits", provider.ErrRefused, p.item.Name, id)
		}
		if err := w.collect(all, programs, append(slices.Clone(chain), id), o, with); err != nil {
			return err
		}
		*all = append(*all, need{o, with})
	}
	return nil
}

// fetchNeeds gets the installers of what is needed here.
func (w *Winget) fetchNeeds(ctx context.Context, needs []need) error {
	for _, n := range needs {
		if err := w.fetch(ctx, n.program, n.with); err != nil {
			return err
		}
	}
	return nil
}

// installNeeds installs what is needed, and holds each to the registry before the next.
func (w *Winget) installNeeds(ctx context.Context, needs []need, out *provider.Outcome) error {
	for _, n := range needs {
		if err := w.install(ctx, n.program, n.with, out); err != nil {
			return err
		}
		programs, _, err := w.look()
		if err != nil {
			return err
		}
		if !slices.ContainsFunc(programs, func(p program) bool { return p.is(n.program.of.ID) && p.item.Broken == "" }) {
			return fmt.Errorf("%s, which is needed before, ended well and is not in the list of programs", n.program.item.Name)
		}
	}
	return nil
}

// keptBack tells with an update what it needs and cannot have.
func (w *Winget) keptBack(u patch.Update, programs []program, p program) patch.Update {
	_, i, ok := exactly(p, u.Available)
	if !ok || u.Block != "" {
		return u
	}
	if _, err := w.needs(programs, p, i); err != nil {
		u.Block, u.BlockWhy = patch.KeptBack, sentence(err)
	}
	return u
}

// sentence is what an error says, without that it is refused.
func sentence(err error) string {
	return strings.TrimPrefix(err.Error(), provider.ErrRefused.Error()+": ") + "."
}
