// Package flatpak is the provider for Flatpak: apps and their runtimes from signed OSTree
// repositories, installed for the system or by a user for itself.
//
// What is installed and what the remotes have is read from the files that flatpak keeps; flatpak
// itself is asked only to fetch and to install. A version is a commit: its moment, by which
// flatpak itself tells newer from older, and its hash, which is all of its content.
package flatpak

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"

	"patchbay/patch"
	"patchbay/provider"
)

// Name is the provider's name. It is stored with every item.
const Name = "flatpak"

// Kind is flatpak, where it is installed.
func Kind() provider.Kind {
	return provider.Kind{
		Name:   Name,
		Traits: provider.Traits{Versions: patch.SchemeCommit, Exact: true, PerUser: true, Phase: provider.Apps},
		Open:   open,
	}
}

// Flatpak speaks for all installations of one device.
type Flatpak struct{ env provider.Env }

var (
	_ provider.Provider  = (*Flatpak)(nil)
	_ provider.Refresher = (*Flatpak)(nil)
	_ provider.Stager    = (*Flatpak)(nil)
	_ provider.Undoer    = (*Flatpak)(nil)
)

func open(_ context.Context, env provider.Env) (provider.Provider, error) {
	if _, err := fs.Stat(env.Host.Files(), "usr/bin/flatpak"); err != nil {
		return nil, fmt.Errorf("flatpak is not installed: %w", provider.ErrAbsent)
	}
	return &Flatpak{env: env}, nil
}

// installation is what one installation has and what is known for it.
type installation struct {
	place
	config config
	has    []deployed
	lists  map[list]known
}

// list names the summary of one remote for one architecture.
type list struct{ remote, arch string }

// known is a summary, or why there is none.
type known struct {
	summary
	kept bool // flatpak threw its own away; this is what the last refresh saw, for what was installed then
	err  error
}

// look reads all installations.
func (f *Flatpak) look(ctx context.Context) ([]installation, []string, error) {
	all, hidden, err := places(f.env.Host.Files())
	if err != nil {
		return nil, nil, err
	}
	var notes []string
	if len(hidden) > 0 {
		notes = append(notes, fmt.Sprintf("What %s installed with flatpak for themselves cannot be read with the rights of this program.", some(hidden)))
	}
	records := f.records()
	var list []installation
	for _, p := range all {
		i, err := p.look(records)
		if err != nil {
			return nil, nil, err
		}
		if err := ctx.Err(); err != nil {
			return nil, nil, err
		}
		list = append(list, i)
	}
	return list, notes, nil
}

func (p place) look(records map[string]record) (installation, error) {
	i := installation{place: p, lists: map[list]known{}}
	b, err := p.read(configFile, maxConfig)
	if err == nil {
		i.config, err = parseConfig(b)
	}
	if err != nil {
		return i, fmt.Errorf("reading how the installation of %s is set up: %w", p.said(), err)
	}
	if i.has, err = p.deployments(); err != nil {
		return i, err
	}
	wanted := map[string]bool{}
	for _, d := range i.has {
		wanted[d.ref()] = true
	}
	for _, d := range i.has {
		r, at := i.config.remotes[d.origin], list{d.origin, d.arch}
		if _, read := i.lists[at]; read || r == nil || r.disabled {
			continue
		}
		k := known{}
		k.summary, k.err = p.readSummary(r, d.arch, func(ref string) bool { return wanted[ref] })
		if kept, there := records[recordKey(p, r.name)].Lists[d.arch]; there && errors.Is(k.err, errNoSummary) {
			k = known{summary: kept.summary(), kept: true}
		}
		i.lists[at] = k
	}
	return i, nil
}

// Installed lists apps, runtimes and their extensions.
func (f *Flatpak) Installed(ctx context.Context) ([]patch.Item, error) {
	all, _, err := f.look(ctx)
	if err != nil {
		return nil, err
	}
	previous := f.readPrevious()
	var items []patch.Item
	for _, i := range all {
		for _, d := range i.has {
			item := i.item(d)
			item.Previous = previous.of(item)
			items = append(items, item)
		}
	}
	slices.SortFunc(items, func(a, b patch.Item) int { return a.Key().Compare(b.Key()) })
	return items, nil
}

// item is what is installed, in Patchbay's words.
func (i installation) item(d deployed) patch.Item {
	item := patch.Item{
		Provider: Name, Scope: i.user, Name: d.id, Architecture: d.arch, Instance: d.branch,
		Version: d.version(), SourceVersion: d.called, Broken: d.broken,
		Held: i.config.masks(d),
		Auto: d.kind == "runtime" && !i.config.pins(d),
	}
	r := i.config.remotes[d.origin]
	if r == nil || r.disabled {
		item.Orphan = true
		return item
	}
	item.Origin = r.origin()
	if l := i.lists[list{d.origin, d.arch}]; l.err == nil {
		o, there := l.refs[d.ref()]
		item.Orphan = !there && !l.kept || o.eol != "" || o.renamed != ""
	}
	return item
}

// Available lists what the remotes had when flatpak last asked them.
func (f *Flatpak) Available(ctx context.Context) (patch.Offer, error) {
	all, notes, err := f.look(ctx)
	if err != nil {
		return patch.Offer{}, err
	}
	records := f.records()
	offer := patch.Offer{Updates: []patch.Update{}, Sources: []patch.Source{}, Notes: notes}
	var blind []string
	for _, i := range all {
		for _, d := range i.has {
			u, note := i.update(d)
			if u != nil {
				offer.Updates = append(offer.Updates, *u)
			}
			if note != "" {
				offer.Notes = append(offer.Notes, note)
			}
		}
		offer.Sources = append(offer.Sources, i.sources(records)...)
		blind = append(blind, i.blind()...)
	}
	slices.SortFunc(offer.Updates, func(a, b patch.Update) int { return a.Key().Compare(b.Key()) })
	slices.SortFunc(offer.Sources, func(a, b patch.Source) int { return strings.Compare(a.Name, b.Name) })
	slices.Sort(offer.Notes)
	if len(blind) > 0 {
		return offer, errors.New("what is missing cannot be said in full: " + strings.Join(blind, "; "))
	}
	return offer, nil
}

// update is what the remote has for one that is installed, and what is odd about it.
func (i installation) update(d deployed) (*patch.Update, string) {
	r, l := i.config.remotes[d.origin], i.lists[list{d.origin, d.arch}]
	if r == nil || r.disabled || l.err != nil || d.broken != "" {
		return nil, ""
	}
	o, there := l.refs[d.ref()]
	if l.kept && (!there || !newer(version(o.at, o.commit), d.version())) {
		return nil, ended(d, o) // what is here came after that list
	}
	if !there {
		return nil, fmt.Sprintf("The remote %s no longer has %s.", r.name, d.ref())
	}
	note := ended(d, o)
	if o.commit == d.commit {
		return nil, note
	}
	u := &patch.Update{
		Provider: Name, Scope: i.user, Name: d.id, Architecture: d.arch, Instance: d.branch,
		Installed: d.version(), Available: version(o.at, o.commit), Origin: r.origin(),
		Classes: []patch.Class{patch.Other}, Size: o.size, Reboot: patch.No,
		Reversibility:    patch.ByManager,
		ReversibilityWhy: "flatpak installs the commit before it again, as long as the remote keeps that.",
		ReleasedAt:       &o.at, ReleasedBy: "index",
	}
	switch {
	case o.at.IsZero():
		return nil, fmt.Sprintf("The remote %s does not say of when its commit of %s is, so nobody can tell whether it is newer.", r.name, d.ref())
	case o.at.Equal(d.at):
		return nil, fmt.Sprintf("The remote %s has another commit of %s of the same second, and nothing says which is newer.", r.name, d.ref())
	case o.at.Before(d.at):
		return nil, fmt.Sprintf("The remote %s went back to a commit of %s from %s; flatpak does not follow it there by itself, and neither does Patchbay.", r.name, d.ref(), o.at.Format(time.DateOnly))
	case i.config.masks(d):
		u.Block, u.BlockWhy = patch.Held, "Somebody masked it on this device (flatpak mask)."
	case !r.signed:
		u.Block, u.BlockWhy = patch.Pinned, unsigned(r)
	case o.renamed != "":
		u.Block, u.BlockWhy = patch.KeptBack, "It goes on under another name, "+o.renamed+", which must be installed in its place."
	}
	return u, note
}

// unsigned says why nothing is installed from a remote.
func unsigned(r *remote) string {
	return "This device takes the remote " + r.name + " without signatures (gpg-verify is off), so Patchbay installs nothing from it."
}

// ended says in a sentence that something gets no more updates, "" when it does.
func ended(d deployed, o offered) string {
	renamed, eol := cmp.Or(o.renamed, d.renamed), cmp.Or(o.eol, d.eol)
	switch {
	case renamed != "":
		return fmt.Sprintf("%s has ended: it goes on as %s.", d.ref(), renamed)
	case eol != "":
		return fmt.Sprintf("%s has ended, and gets no more updates: %s", d.ref(), eol)
	}
	return ""
}

// remotesUsed lists the remotes from which something is installed, sorted.
func (i installation) remotesUsed() []*remote {
	var used []*remote
	for _, d := range i.has {
		if r := i.config.remotes[d.origin]; r != nil && !r.disabled && !slices.Contains(used, r) {
			used = append(used, r)
		}
	}
	slices.SortFunc(used, func(a, b *remote) int { return strings.Compare(a.name, b.name) })
	return used
}

// sources reports on the remotes in use. None is of the system's own publisher.
func (i installation) sources(records map[string]record) []patch.Source {
	var list []patch.Source
	for _, r := range i.remotesUsed() {
		s := patch.Source{Provider: Name, Name: r.title(i.place), Origin: r.origin(), ThirdParty: true}
		for at, l := range i.lists {
			if at.remote != r.name {
				continue
			}
			if l.err != nil {
				s.Error = calmly(l.err)
			}
			if t := l.signedAt; !t.IsZero() && r.signed && (s.SignedAt == nil || t.Before(*s.SignedAt)) {
				s.SignedAt = &t
			}
			if t := l.until; !t.IsZero() && r.signed && (s.ValidUntil == nil || t.Before(*s.ValidUntil)) {
				s.ValidUntil = &t
			}
		}
		rec := records[recordKey(i.place, r.name)]
		if !rec.RefreshedAt.IsZero() {
			s.RefreshedAt = &rec.RefreshedAt
		}
		s.Error = cmp.Or(s.Error, rec.Error)
		if !r.signed {
			s.Error = unsigned(r)
		}
		list = append(list, s)
	}
	return list
}

// blind says which lists could not be read.
func (i installation) blind() []string {
	var said []string
	for at, l := range i.lists {
		since := func(d deployed) bool { // it came after the last refresh
			_, there := l.refs[d.ref()]
			return !there && at == list{d.origin, d.arch}
		}
		if l.kept && slices.ContainsFunc(i.has, since) {
			l.err = errNoSummary
		}
		if l.err != nil {
			said = append(said, fmt.Sprintf("the remote %s of %s: %s", at.remote, i.said(), calmly(l.err)))
		}
	}
	slices.Sort(said)
	return said
}

// recordsFile has the agent's own record of its refreshes, previousFile the commits before the
// last updates, in Env.Records.
const (
	recordsFile  = "flatpak-refreshed.json"
	previousFile = "flatpak-previous.json"
)

// record is how the last refresh of one remote went.
type record struct {
	RefreshedAt time.Time           `json:"refreshed_at,omitzero"`
	Error       string              `json:"error,omitempty"`
	Lists       map[string]keptList `json:"lists,omitempty"` // by architecture, from the last refresh that succeeded
}

// keptList is what a remote had of what is installed. flatpak throws its own copy away
// whenever it fetches something.
type keptList struct {
	SignedAt time.Time          `json:"signed_at,omitzero"`
	Until    time.Time          `json:"until,omitzero"`
	Refs     map[string]keptRef `json:"refs"`
}

type keptRef struct {
	Version string `json:"version"`
	Size    int64  `json:"size,omitempty"`
	EOL     string `json:"eol,omitempty"`
	Renamed string `json:"renamed,omitempty"`
}

func (s summary) keep() keptList {
	k := keptList{SignedAt: s.signedAt, Until: s.until, Refs: map[string]keptRef{}}
	for ref, o := range s.refs {
		k.Refs[ref] = keptRef{version(o.at, o.commit), o.size, o.eol, o.renamed}
	}
	return k
}

func (k keptList) summary() summary {
	s := summary{signedAt: k.SignedAt, until: k.Until, refs: map[string]offered{}}
	for ref, r := range k.Refs {
		if at, commit, ok := parseVersion(r.Version); ok {
			s.refs[ref] = offered{commit, at, r.Size, r.EOL, r.Renamed}
		}
	}
	return s
}

func recordKey(p place, remote string) string { return p.user + " " + remote }

func (f *Flatpak) records() map[string]record {
	m := map[string]record{}
	f.env.ReadRecord(recordsFile, &m)
	return m
}

// previous are the versions before the last updates: by key, then by the version after.
type previous map[string]map[string]string

func (p previous) of(i patch.Item) string { return p[i.Key().String()][i.Version] }

func (f *Flatpak) readPrevious() previous {
	p := previous{}
	f.env.ReadRecord(previousFile, &p)
	return p
}

func some(names []string) string {
	if len(names) > 3 {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:3], ", "), len(names)-3)
	}
	return strings.Join(names, ", ")
}
