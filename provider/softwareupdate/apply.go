package softwareupdate

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"patchbay/patch"
	"patchbay/provider"
)

// Stage downloads ahead what may be installed without a person.
func (m *Mac) Stage(ctx context.Context, r provider.Request) error {
	wanted, err := m.plan(ctx, r.Updates)
	if err != nil || len(wanted) == 0 {
		return err
	}
	_, err = m.run(ctx, append([]string{"--download", "--no-scan"}, labels(wanted)...)...)
	return err
}

// Apply installs exactly the updates whose versions are in the request.
func (m *Mac) Apply(ctx context.Context, r provider.Request) (provider.Outcome, error) {
	out := provider.Outcome{Reboot: patch.No}
	wanted, err := m.plan(ctx, r.Updates)
	if err != nil || len(wanted) == 0 {
		return out, err
	}
	before, err := m.Installed(ctx)
	if err != nil {
		return out, err
	}
	res, err := m.run(ctx, append([]string{"--install", "--no-scan", "--agree-to-license"}, labels(wanted)...)...)
	out.Messages = provider.LastLines(res.Stdout+res.Stderr, 20)
	if slices.ContainsFunc(wanted, func(e entry) bool { return e.restart }) {
		out.Reboot = patch.Yes
	}
	after, unread := m.Installed(context.WithoutCancel(ctx))
	if unread == nil {
		out.Changes = provider.Changes(before, after, r.Updates)
	}
	return out, errors.Join(err, unread)
}

func labels(list []entry) []string {
	var names []string
	for _, e := range list {
		names = append(names, e.label)
	}
	return names
}

// plan finds the updates in macOS's list. A request of which one part may not be is refused whole.
func (m *Mac) plan(ctx context.Context, ups []patch.Update) ([]entry, error) {
	items, err := m.Installed(ctx)
	if err != nil {
		return nil, err
	}
	list, err := m.list(ctx, "--no-scan")
	if err != nil {
		return nil, err
	}
	var wanted []entry
	for _, u := range ups {
		i := find(items, u.Name)
		if i < 0 || u.Scope != "" || u.Architecture != "" || u.Instance != "" {
			return nil, fmt.Errorf("%w: %.200q is not installed here", provider.ErrRefused, u.Key().String())
		}
		if c, err := patch.CompareVersions(patch.SchemeBrew, items[i].Version, u.Available); err != nil {
			return nil, fmt.Errorf("%w: %s: %w", provider.ErrRefused, u.Name, err)
		} else if c >= 0 {
			continue
		}
		at := slices.IndexFunc(list, func(e entry) bool { return e.name == u.Name && e.version == u.Available })
		if at < 0 {
			return nil, fmt.Errorf("%w: macOS does not have %s %s on offer by now", provider.ErrRefused, u.Name, u.Available)
		}
		wanted = append(wanted, list[at])
	}
	if i := slices.IndexFunc(wanted, func(e entry) bool { return e.restart }); i >= 0 {
		silicon, err := m.silicon(ctx)
		if err != nil {
			return nil, err
		}
		if silicon {
			return nil, fmt.Errorf("%w: %s %s needs a user: on a Mac with Apple silicon only somebody who owns it can install it, with the own password in System Settings",
				provider.ErrRefused, wanted[i].name, wanted[i].version)
		}
	}
	return wanted, nil
}

// silicon reports whether the Mac has Apple silicon. The processor's own word counts: a program
// for Intel that is translated is told that it runs on one.
func (m *Mac) silicon(ctx context.Context) (bool, error) {
	res, err := m.env.Host.Run(ctx, provider.Command{Args: []string{"sysctl", "-n", "hw.optional.arm64"}})
	if err != nil {
		return false, fmt.Errorf("asking what kind of Mac this is: %w", err)
	}
	switch said := strings.TrimSpace(res.Stdout); {
	case res.Code == 0 && said == "1":
		return true, nil
	case said == "0" || res.Code != 0 && strings.Contains(res.Stderr, "unknown oid"):
		return false, nil // a Mac with Intel does not know the question
	}
	return false, fmt.Errorf("%w: what kind of Mac this is cannot be read: %s", provider.ErrRefused, words(res))
}

// run runs softwareupdate, which says in its words and not in its code when it failed.
func (m *Mac) run(ctx context.Context, args ...string) (provider.Result, error) {
	res, err := m.env.Host.Run(ctx, provider.Command{Args: append([]string{"softwareupdate"}, args...)})
	if err != nil {
		return res, fmt.Errorf("running softwareupdate: %w", err)
	}
	if res.Code != 0 || slices.ContainsFunc(failed, func(sign string) bool { return strings.Contains(res.Stdout+res.Stderr, sign) }) {
		return res, failure(res)
	}
	return res, nil
}

// failed are words of a failure that comes with the code 0.
var failed = []string{"No such update", "No updates are available", "Failed to authenticate", "Error downloading", "Error installing", "Not enough free disk space"}

// What its own words mean for what comes next. The first sign that is found counts.
var signs = []provider.Sign{
	{Kind: provider.ErrRefused, Words: []string{"Failed to authenticate", "password", "must be run as root", "volume owner", "Not enough free disk space", "No such update", "No updates are available", "Permission denied"}},
	{Kind: provider.ErrBusy, Words: []string{"already in progress", "is busy", "another install"}},
	{Kind: provider.ErrOffline, Words: []string{"Can't connect", "Can’t connect", "could not be found", "not connected to the Internet", "timed out", "network connection", "Error downloading"}},
}

func failure(res provider.Result) error {
	return provider.Failure("softwareupdate", words(res), signs)
}

// words are its last ones: it says on either stream what went wrong.
func words(res provider.Result) string {
	return provider.Result{Code: res.Code, Stderr: res.Stdout + "\n" + res.Stderr}.Words("")
}
