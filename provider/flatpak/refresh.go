package flatpak

import (
	"context"
	"fmt"
	"maps"

	"patchbay/patch"
	"patchbay/provider"
)

// Refresh lets flatpak ask each remote from which something is installed.
func (f *Flatpak) Refresh(ctx context.Context) ([]patch.Source, error) {
	all, _, err := f.look(ctx)
	if err != nil {
		return nil, err
	}
	old, next := f.records(), map[string]record{}
	for _, i := range all {
		for _, r := range i.remotesUsed() {
			rec := old[recordKey(i.place, r.name)]
			rec.Error = ""
			for _, arch := range i.architectures(r) {
				_, err := f.run(ctx, i.place, "remote-ls", "--all", "--columns=ref", "--arch="+arch, "--", r.name)
				if ctx.Err() != nil {
					return nil, ctx.Err()
				}
				if err != nil {
					rec.Error = calmly(err)
				}
			}
			if rec.Error == "" {
				rec.RefreshedAt = f.env.Now().UTC()
			}
			next[recordKey(i.place, r.name)] = rec
		}
	}
	if all, _, err = f.look(ctx); err != nil {
		return nil, err
	}
	var sources []patch.Source
	for _, i := range all {
		for at, l := range i.lists {
			key := recordKey(i.place, at.remote)
			if rec := next[key]; rec.Error == "" && l.err == nil && !l.kept {
				rec.Lists = maps.Clone(rec.Lists)
				if rec.Lists == nil {
					rec.Lists = map[string]keptList{}
				}
				rec.Lists[at.arch] = l.keep()
				next[key] = rec
			}
		}
		sources = append(sources, i.sources(next)...)
	}
	return sources, f.env.WriteRecord(recordsFile, next)
}

// architectures are those of which something from a remote is installed.
func (i installation) architectures(r *remote) []string {
	var list []string
	for at := range i.lists {
		if at.remote == r.name {
			list = append(list, at.arch)
		}
	}
	return list
}

// run runs flatpak for an installation: a user's as that user, so that nothing of it comes to
// belong to root, and nothing it says is done with root's rights.
func (f *Flatpak) run(ctx context.Context, p place, args ...string) (provider.Result, error) {
	c := provider.Command{Args: []string{"flatpak", args[0], "--system"}}
	if p.user != "" {
		c = provider.Command{
			Args: []string{"runuser", "-u", p.user, "--", "flatpak", args[0], "--user"},
			Env:  []string{"HOME=/" + p.home, "USER=" + p.user, "LOGNAME=" + p.user},
		}
	}
	c.Args = append(c.Args, args[1:]...)
	res, err := f.env.Host.Run(ctx, c)
	if err != nil {
		return res, fmt.Errorf("running flatpak %s: %w", args[0], err)
	}
	if res.Code != 0 {
		return res, failure(res)
	}
	return res, nil
}

// What flatpak's own words mean for what comes next. The first sign that is found counts.
var signs = []provider.Sign{
	{Kind: provider.ErrRefused, Words: []string{
		"GPG verification enabled", "signatures found", "Can't check signature", "BAD signature", "not in trusted keyring", "ref binding", "No space left",
		"min-free-space", "Permission denied", "Not allowed", "Read-only file system", "Invalid checksum", "Corrupted", "Server returned status 404",
		"Could not connect: No such file", // flatpak asks the message bus whether the user may
		"No such ref", "No such branch", "not installed", "end-of-life",
	}},
	{Kind: provider.ErrBusy, Words: []string{"Unable to lock", "Locking repo", "Resource temporarily unavailable", "Another process"}},
	{Kind: provider.ErrOffline, Words: []string{
		"Could not connect", "Couldn't connect", "Could not resolve", "Couldn't resolve", "Temporary failure", "Connection refused", "Connection reset",
		"timed out", "Timeout", "Network is unreachable", "No route to host", "Server returned", "Unable to load summary", "TLS", "SSL",
	}},
}

// failure says what a failed run of flatpak means.
func failure(res provider.Result) error {
	return provider.Failure("flatpak", res.Words("error: "), signs)
}

// calmly gives an error's words as a part of a sentence.
func calmly(err error) string { return provider.Clip(err.Error(), provider.MaxWords) }
