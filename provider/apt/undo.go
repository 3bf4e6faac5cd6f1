package apt

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"patchbay/patch"
	"patchbay/provider"
)

// Undo brings back the versions that were there before the last update, each from the file
// that was kept or from the source that still has it.
func (a *Apt) Undo(ctx context.Context, r provider.Request) (provider.Outcome, error) {
	v, err := a.look(ctx)
	if err != nil {
		return provider.Outcome{}, err
	}
	var args []string
	for _, u := range r.Updates {
		arg, err := a.back(ctx, v, u)
		if err != nil {
			return provider.Outcome{}, err
		}
		if arg != "" {
			args = append(args, arg)
		}
	}
	if len(args) == 0 {
		return provider.Outcome{}, nil
	}
	slices.Sort(args)
	return a.carryOut(ctx, r, v.installed, work{args: append([]string{"--allow-downgrades"}, args...), allowed: undoing(r.Updates)})
}

// back gives what apt is told to bring back a version, "" when it is there already.
func (a *Apt) back(ctx context.Context, v view, u patch.Update) (string, error) {
	arg, err := v.installed.argument(u, newer)
	if err != nil || arg == "" {
		return "", err
	}
	arch := strings.Replace(u.Architecture, "all", "", 1)
	item, _ := v.installed.find(u.Name, arch)
	k, ok := v.previous(item, v.offers(item))
	if !ok || k.version != u.Available {
		return "", fmt.Errorf("%w: this device keeps no %s %s to go back to", provider.ErrRefused, u.Name, u.Available)
	}
	if k.end == keptNote {
		return arg, nil
	}
	said, err := a.ask(ctx, "", "dpkg-deb", "--show", "--showformat=${Package} ${Version} ${Architecture}", "--", k.path())
	if err != nil || said != k.name+" "+k.version+" "+k.arch {
		return "", fmt.Errorf("%w: the file that was kept of %s %s cannot be used: it says %.100q %v", provider.ErrRefused, u.Name, u.Available, said, err)
	}
	return k.path(), nil
}

// undoing allows the steps down that were asked for, and no others.
func undoing(updates []patch.Update) func(plan, []string) error {
	return func(p plan, removals []string) error {
		asked := map[string]string{}
		for _, u := range updates {
			asked[u.Name] = u.Available
		}
		var unasked []step
		for _, s := range p.downgrades {
			if asked[s.name] != s.to {
				unasked = append(unasked, s)
			}
		}
		if len(unasked) > 0 {
			return fmt.Errorf("%w: apt would also have to take %s back; undo those updates too", provider.ErrRefused, names(unasked))
		}
		p.downgrades = nil
		return p.allowed(removals)
	}
}
