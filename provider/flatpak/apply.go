package flatpak

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"patchbay/patch"
	"patchbay/provider"
)

const maxCommit = 16 << 20

// Stage fetches the commits, and looks at what was fetched, without putting them in place.
func (f *Flatpak) Stage(ctx context.Context, r provider.Request) error {
	steps, err := f.plan(ctx, r.Updates, installing)
	for _, s := range steps {
		if err == nil {
			_, err = f.fetch(ctx, s)
		}
	}
	return err
}

// Apply installs exactly the commits in the request.
func (f *Flatpak) Apply(ctx context.Context, r provider.Request) (provider.Outcome, error) {
	return f.carryOut(ctx, r.Updates, installing)
}

// Undo puts the commits from before the last updates in place again.
func (f *Flatpak) Undo(ctx context.Context, r provider.Request) (provider.Outcome, error) {
	return f.carryOut(ctx, r.Updates, f.undoing())
}

// step is one commit to be put in place.
type step struct {
	installation
	has    deployed
	at     time.Time
	commit string
	to     string
}

// rule says why something may not be put in place of what is there; nil when it may. done is
// that nothing is left to be done.
type rule func(i installation, has deployed, to string) (done bool, err error)

// installing never goes down: what is there already, or newer, stays.
func installing(_ installation, has deployed, to string) (bool, error) {
	if has.broken != "" {
		return false, nil // what is there has no version, or not all of its files
	}
	c, err := patch.CompareVersions(patch.SchemeCommit, has.version(), to)
	if err != nil {
		return false, fmt.Errorf("%w: %s: %w", provider.ErrRefused, has.id, err)
	}
	return c >= 0, nil
}

// undoing goes to what was there before the last update, and nowhere else.
func (f *Flatpak) undoing() rule {
	kept := f.readPrevious()
	return func(i installation, has deployed, to string) (bool, error) {
		if has.version() == to {
			return true, nil
		}
		if before := kept.of(i.item(has)); before != to {
			return false, fmt.Errorf("%w: %s %s was not what this device had before %s", provider.ErrRefused, has.id, to, has.version())
		}
		return false, nil
	}
}

// plan finds what the request is about. A request of which one part may not be is refused whole.
func (f *Flatpak) plan(ctx context.Context, updates []patch.Update, may rule) ([]step, error) {
	all, _, err := f.look(ctx)
	if err != nil {
		return nil, err
	}
	var steps []step
	for _, u := range updates {
		s, err := find(all, u)
		if err != nil {
			return nil, err
		}
		done, err := may(s.installation, s.has, u.Available)
		if err != nil {
			return nil, err
		}
		if !done {
			steps = append(steps, s)
		}
	}
	return steps, nil
}

// find gives the step for an update, or why there is none.
func find(all []installation, u patch.Update) (step, error) {
	at, commit, ok := parseVersion(u.Available)
	if !ok {
		return step{}, fmt.Errorf("%w: %.100q is no version of flatpak's", provider.ErrRefused, u.Available)
	}
	for _, i := range all {
		for _, d := range i.has {
			if i.user != u.Scope || d.id != u.Name || d.arch != u.Architecture || d.branch != u.Instance {
				continue
			}
			r := i.config.remotes[d.origin]
			switch {
			case r == nil || r.disabled:
				return step{}, fmt.Errorf("%w: the remote %s, from which %s came, is no longer set up here", provider.ErrRefused, d.origin, u.Name)
			case !r.signed:
				return step{}, fmt.Errorf("%w: %s", provider.ErrRefused, unsigned(r))
			case i.config.masks(d):
				return step{}, fmt.Errorf("%w: somebody masked %s on this device; flatpak mask --remove ends that", provider.ErrRefused, u.Name)
			}
			return step{installation: i, has: d, at: at, commit: commit, to: u.Available}, nil
		}
	}
	return step{}, fmt.Errorf("%w: %s is not installed here", provider.ErrRefused, u.Key())
}

func (f *Flatpak) carryOut(ctx context.Context, updates []patch.Update, may rule) (provider.Outcome, error) {
	var out provider.Outcome
	steps, err := f.plan(ctx, updates, may)
	if err != nil || len(steps) == 0 {
		return out, err
	}
	before, _, err := f.look(ctx)
	if err != nil {
		return out, err
	}
	if err := f.remember(steps, before); err != nil {
		return out, err
	}
	for _, s := range steps {
		var said []string
		if said, err = f.put(ctx, s); err != nil {
			break // what was put in place so far stays, and is told
		}
		out.Messages = append(out.Messages, said...)
	}
	out.Messages = out.Messages[max(0, len(out.Messages)-20):]
	after, _, unread := f.look(context.WithoutCancel(ctx))
	if unread == nil {
		out.Changes = provider.Changes(items(before), items(after), updates)
	}
	out.Reboot = patch.No
	return out, errors.Join(err, unread)
}

// remember writes down what the steps replace, before they do: whatever cuts them short, the
// device knows what it had. What belongs to no version that is there or comes is forgotten.
func (f *Flatpak) remember(steps []step, all []installation) error {
	kept, next := f.readPrevious(), previous{}
	keep := func(key, after, before string) {
		if next[key] == nil {
			next[key] = map[string]string{}
		}
		next[key][after] = before
	}
	for _, i := range all {
		for _, d := range i.has {
			item := i.item(d)
			if before := kept.of(item); before != "" {
				keep(item.Key().String(), item.Version, before)
			}
		}
	}
	for _, s := range steps {
		if item := s.item(s.has); s.has.broken == "" && newer(s.to, item.Version) {
			keep(item.Key().String(), s.to, item.Version)
		}
	}
	return f.env.WriteRecord(previousFile, next)
}

// put fetches a commit, looks at it, and puts it in place.
func (f *Flatpak) put(ctx context.Context, s step) ([]string, error) {
	needs, err := f.fetch(ctx, s)
	if err != nil {
		return nil, err
	}
	args := []string{"update", "--noninteractive", "--no-related"}
	if needs == "" || f.installed(ctx, s.place, "runtime/"+needs) {
		args = append(args, "--no-deps") // else flatpak would update the runtime too
		if s.fetched() {
			args = append(args, "--no-pull")
		}
	}
	res, err := f.run(ctx, s.place, append(args, "--commit="+s.commit, s.has.ref())...)
	if err != nil {
		return nil, err
	}
	return provider.LastLines(res.Stdout+res.Stderr, 5), nil
}

// fetch gets a commit, as flatpak checks it: signed by the remote's key, and bound to this ref.
// Then it looks whether the commit is of the moment that the version says, so that nothing
// older comes in under a newer name. It gives the runtime that the commit needs.
func (f *Flatpak) fetch(ctx context.Context, s step) (needs string, err error) {
	if !s.fetched() {
		_, err = f.run(ctx, s.place, "update", "--noninteractive", "--no-related", "--no-deps", "--no-deploy", "--commit="+s.commit, s.has.ref())
		if err != nil {
			return "", err
		}
	}
	c, err := s.readCommit(s.commit)
	if err != nil {
		return "", fmt.Errorf("looking at commit %s of %s: %w", s.commit, s.has.id, err)
	}
	if !c.at.Equal(s.at) {
		return "", fmt.Errorf("%w: commit %s of %s is of %s, and not of %s as was ordered",
			provider.ErrRefused, s.commit, s.has.id, c.at.Format(time.DateTime), s.at.Format(time.DateTime))
	}
	return c.runtime, nil
}

// fetched reports whether the commit is here in full, and came from the remote that this is
// from: flatpak names it as that remote's only after it checked all of it.
func (s step) fetched() bool {
	b, err := s.read(path.Join("repo/refs/remotes", s.has.origin, s.has.ref()), maxConfig)
	return err == nil && strings.TrimSpace(string(b)) == s.commit
}

// commit is what a commit says of itself.
type commit struct {
	at      time.Time
	runtime string // ID/ARCH/BRANCH that it needs, "" for none
}

// readCommit reads a commit that is here. Its name is its hash, so nobody can make another of it.
func (p place) readCommit(hash string) (commit, error) {
	b, err := p.read(path.Join("repo/objects", hash[:2], hash[2:]+".commit"), maxCommit)
	if err != nil {
		return commit{}, err
	}
	if sum := sha256.Sum256(b); hex.EncodeToString(sum[:]) != hash {
		return commit{}, errors.New("it is not what its name says")
	}
	return parseCommit(b)
}

// parseCommit reads an OSTree commit: (a{sv}aya(say)sstayay).
func parseCommit(b []byte) (commit, error) {
	v, err := data(b).tuple(member{align: 8}, member{align: 1}, member{align: 1}, member{align: 1}, member{align: 1},
		member{align: 8, size: 8}, member{align: 1}, member{align: 1})
	if err != nil {
		return commit{}, err
	}
	at, ok := moment(value{"t", v[5]}, binary.BigEndian)
	if !ok {
		return commit{}, errData
	}
	more, err := v[0].dict()
	if err != nil {
		return commit{}, err
	}
	c := commit{at: at}
	about, _ := more["xa.metadata"].text()
	group := ""
	for sc := bufio.NewScanner(strings.NewReader(about)); sc.Scan(); {
		line := strings.TrimSpace(sc.Text())
		if strings.HasPrefix(line, "[") {
			group = line
		}
		if name, ok := strings.CutPrefix(line, "runtime="); ok && group == "[Application]" && c.runtime == "" {
			c.runtime = strings.TrimSpace(name)
		}
	}
	return c, nil
}

// installed reports whether an installation, or the system's, has a ref.
func (f *Flatpak) installed(ctx context.Context, p place, ref string) bool {
	all, _, err := f.look(ctx)
	return err == nil && slices.ContainsFunc(all, func(i installation) bool {
		return (i.user == p.user || i.user == "") && slices.ContainsFunc(i.has, func(d deployed) bool { return d.broken == "" && d.ref() == ref })
	})
}

// items are all that the installations have.
func items(all []installation) []patch.Item {
	var list []patch.Item
	for _, i := range all {
		for _, d := range i.has {
			list = append(list, i.item(d))
		}
	}
	return list
}
