package homebrew

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"patchbay/patch"
	"patchbay/provider"
)

// Stage downloads ahead.
func (b *Brew) Stage(ctx context.Context, r provider.Request) error {
	wanted, _, err := b.plan(ctx, r.Updates)
	for _, u := range wanted {
		if err == nil {
			_, err = b.run(ctx, "fetch", flag(u), "--", u.Name)
		}
	}
	return err
}

// Apply upgrades what is in the request, as long as brew would install the very versions in it.
func (b *Brew) Apply(ctx context.Context, r provider.Request) (provider.Outcome, error) {
	var out provider.Outcome
	wanted, before, err := b.plan(ctx, r.Updates)
	if err != nil || len(wanted) == 0 {
		return out, err
	}
	for _, u := range wanted {
		var res provider.Result
		if res, err = b.run(ctx, "upgrade", flag(u), "--", u.Name); err != nil {
			break // what was upgraded so far stays, and is told
		}
		out.Messages = append(out.Messages, provider.LastLines(res.Stdout+res.Stderr, 5)...)
	}
	out.Messages = out.Messages[max(0, len(out.Messages)-20):]
	after, unread := b.info(context.WithoutCancel(ctx))
	if unread == nil {
		out.Changes = provider.Changes(before.items(), after.items(), r.Updates)
	}
	out.Reboot = patch.No
	return out, errors.Join(err, unread)
}

func flag(u patch.Update) string {
	if u.Instance == Cask {
		return "--cask"
	}
	return "--formula"
}

// plan holds the request to what brew would do: each version is the one it would install, or
// is there already. A request of which one part may not be is refused whole.
func (b *Brew) plan(ctx context.Context, updates []patch.Update) ([]patch.Update, catalog, error) {
	c, err := b.info(ctx)
	if err != nil {
		return nil, c, err
	}
	offer, err := b.Available(ctx)
	if err != nil {
		return nil, c, err
	}
	items := c.items()
	var wanted []patch.Update
	for _, u := range updates {
		i := slices.IndexFunc(items, func(i patch.Item) bool { return i.Name == u.Name && i.Instance == u.Instance })
		if i < 0 || u.Scope != "" || u.Architecture != "" {
			return nil, c, fmt.Errorf("%w: %.200q is not installed here", provider.ErrRefused, u.Key().String())
		}
		if order, err := patch.CompareVersions(patch.SchemeBrew, items[i].Version, u.Available); err != nil {
			return nil, c, fmt.Errorf("%w: %s: %w", provider.ErrRefused, u.Name, err)
		} else if order >= 0 {
			continue
		}
		o := slices.IndexFunc(offer.Updates, func(o patch.Update) bool { return o.Name == u.Name && o.Instance == u.Instance })
		switch {
		case items[i].Updater != "":
			return nil, c, fmt.Errorf("%w: %s updates itself", provider.ErrRefused, u.Name)
		case o < 0:
			return nil, c, fmt.Errorf("%w: Homebrew on this device does not know of %s %s", provider.ErrRefused, u.Name, u.Available)
		case offer.Updates[o].Block != patch.NotBlocked:
			return nil, c, fmt.Errorf("%w: %s: %s", provider.ErrRefused, u.Name, offer.Updates[o].BlockWhy)
		case offer.Updates[o].Available != u.Available:
			return nil, c, fmt.Errorf("%w: Homebrew would install %s %s by now, and not %s as was approved", provider.ErrRefused, u.Name, offer.Updates[o].Available, u.Available)
		}
		wanted = append(wanted, u)
	}
	return wanted, c, nil
}

// What brew's own words mean for what comes next. The first sign that is found counts.
var signs = []provider.Sign{
	{Kind: provider.ErrBusy, Words: []string{"already in progress", "has already locked", "Another active Homebrew"}},
	{Kind: provider.ErrRefused, Words: []string{
		"Running Homebrew as root", "a password is required", "a terminal is required", "not writable", "Permission denied", "No available formula",
		"SHA256 mismatch", "SHA-256 mismatch", "is pinned", "No space left", "has been disabled", "Could not verify",
	}},
	{Kind: provider.ErrOffline, Words: []string{"Could not resolve", "Couldn't connect", "Failed to connect", "Connection refused", "timed out", "Network is unreachable", "Failed to download", "Download failed", "curl: ("}},
}

// failure says what a failed run of brew means.
func failure(res provider.Result) error { return provider.Failure("brew", res.Words("Error: "), signs) }
