package apt

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"patchbay/patch"
)

// view is one look at everything apt and dpkg know.
type view struct {
	installed installed
	sources   []*source
	index     index
	plan      plan
	planErr   error // why the plan is not known
	kept      map[id][]kept
	changed   map[id]string // of packages with something on offer: a configuration file that was changed here
	pins      pins
	distro    distro
}

// items lists what is installed with where it comes from.
func (v view) items() []patch.Item {
	items := v.installed.sorted()
	for i := range items {
		offers := v.offers(items[i])
		// With a list missing, nobody can say that no source has a package.
		items[i].Orphan = len(offers) == 0 && len(v.index.broken) == 0
		if same := withVersion(offers, items[i].Version); len(same) > 0 {
			items[i].Origin = best(same).list.source.release.origin
		}
		if k, ok := v.previous(items[i], offers); ok {
			items[i].Previous = k.version
		}
	}
	return items
}

// offers gives every version that the sources have of an installed package.
func (v view) offers(item patch.Item) []offer {
	var offers []offer
	for _, o := range v.index.byName[item.Name] {
		arch := item.Architecture
		if arch == "all" {
			arch = v.installed.native
		}
		if o.arch == arch || o.arch == "all" || o.arch == item.Architecture {
			offers = append(offers, o)
		}
	}
	return offers
}

func withVersion(offers []offer, version string) []offer {
	var same []offer
	for _, o := range offers {
		if o.version == version {
			same = append(same, o)
		}
	}
	return same
}

// best prefers a security source where several have the same version.
func best(offers []offer) offer {
	for _, o := range offers {
		if o.list.source.release.security() {
			return o
		}
	}
	return offers[0]
}

// updates lists what the plan would upgrade, and what could be newer and why it is not.
func (v view) updates() ([]patch.Update, []string) {
	var updates []patch.Update
	var notes []string
	seen := map[patch.Key]bool{}
	add := func(steps []step, why func(patch.Item, offer) (patch.Block, string)) {
		for _, s := range steps {
			u, note := v.update(s, why)
			if note != "" {
				notes = append(notes, note)
				continue
			}
			if !seen[u.Key()] {
				seen[u.Key()] = true
				updates = append(updates, u)
			}
		}
	}
	add(v.plan.upgrades, func(patch.Item, offer) (patch.Block, string) { return patch.NotBlocked, "" })
	add(v.plan.phased, v.whyPhased)
	add(v.plan.kept, v.whyKept)
	if v.planErr == nil {
		updates = append(updates, v.pinned(seen)...)
	}
	for _, s := range v.plan.downgrades {
		notes = append(notes, fmt.Sprintf("apt would take %s down from %s to %s, because local preferences say so. Patchbay does not.", s.name, s.from, s.to))
	}
	for _, s := range v.plan.removed {
		notes = append(notes, fmt.Sprintf("To install all updates at once, apt would remove %s.", s.name))
	}
	slices.SortFunc(updates, func(a, b patch.Update) int { return a.Key().Compare(b.Key()) })
	return updates, notes
}

// update looks up one step of the plan; note says why it is none.
func (v view) update(s step, why func(patch.Item, offer) (patch.Block, string)) (u patch.Update, note string) {
	item, ok := v.installed.find(s.name, s.arch)
	if !ok {
		return u, fmt.Sprintf("apt speaks of an upgrade of %s, which dpkg does not have.", s.name)
	}
	offers := v.offers(item)
	var o offer
	if same := withVersion(offers, s.to); len(same) > 0 {
		o = best(same)
	}
	u = v.newUpdate(item, s.to, o, offers)
	u.Block, u.BlockWhy = why(item, o)
	return u, ""
}

func (v view) newUpdate(item patch.Item, to string, o offer, offers []offer) patch.Update {
	u := patch.Update{
		Provider: providerName, Name: item.Name, Architecture: item.Architecture,
		Installed: item.Version, Available: to, Source: item.Source,
		Size: o.size, SHA256: o.sha256, Classes: v.classes(item, to, offers),
	}
	u.Reversibility, u.ReversibilityWhy = v.reversibility(item, offers)
	if o.list != nil {
		u.Source = o.source
		u.Origin, u.Suite = o.list.source.release.origin, o.list.source.suite()
	}
	return u
}

// suite names the source's suite as it is set up here, or else as its index does.
func (s *source) suite() string {
	if s.dist == s.release.suite || s.dist == s.release.codename {
		return s.dist
	}
	for _, name := range []string{s.release.codename, s.release.suite, s.dist} {
		if name != "" && name != "./" {
			return name
		}
	}
	return ""
}

// classes says what an update is for. It is for security also when the security fix is in
// a version on the way to it that has been overtaken since.
func (v view) classes(item patch.Item, to string, offers []offer) []patch.Class {
	set := map[patch.Class]bool{}
	for _, o := range offers {
		rel := o.list.source.release
		onTheWay := newer(o.version, item.Version) && !newer(o.version, to)
		switch {
		case onTheWay && rel.security():
			set[patch.Security] = true
		case o.version == to && v.fixesBugs(o.list.source):
			set[patch.BugFix] = true
		}
	}
	if len(set) == 0 {
		return []patch.Class{patch.Other}
	}
	var classes []patch.Class
	for c := range set {
		classes = append(classes, c)
	}
	slices.Sort(classes)
	return classes
}

// fixesBugs knows that a stable release of the system's own publisher changes by fixes
// only: through its updates suite and its point releases.
func (v view) fixesBugs(s *source) bool {
	if v.distro.thirdParty(s.release.origin) {
		return strings.HasSuffix(s.suite(), "-updates")
	}
	return !s.release.notAutomatic && !v.distro.rolling(s.release)
}

func (v view) whyPhased(_ patch.Item, o offer) (patch.Block, string) {
	why := "Its publisher offers it to part of all machines first, and this one is not among them yet."
	if o.phased > 0 && o.phased < 100 {
		why = fmt.Sprintf("Its publisher offers it to %d of 100 machines so far, and this one is not among them yet.", o.phased)
	}
	return patch.Phased, why
}

func (v view) whyKept(item patch.Item, o offer) (patch.Block, string) {
	switch {
	case item.Held:
		return patch.Held, "Somebody marked this package as held on the device."
	case o.phased < 100 && o.list != nil:
		return v.whyPhased(item, o) // older releases of apt do not tell the two apart
	}
	for _, s := range v.plan.kept {
		if other, ok := v.installed.find(s.name, s.arch); ok && other.Held && sameSource(other, item) {
			return patch.KeptBack, fmt.Sprintf("It belongs together with %s, which is held on the device.", other.Name)
		}
	}
	return patch.KeptBack, "What it depends on cannot be installed as things are, so apt keeps the installed version."
}

func sameSource(a, b patch.Item) bool {
	name := func(i patch.Item) string {
		if i.Source != "" {
			return i.Source
		}
		return i.Name
	}
	return name(a) == name(b)
}

// pinned finds newer versions that a source would give everybody, but that this machine's
// preferences set aside.
func (v view) pinned(seen map[patch.Key]bool) []patch.Update {
	var updates []patch.Update
	for _, item := range v.installed.items {
		if seen[item.Key()] {
			continue
		}
		offers := v.offers(item)
		var top offer
		for _, o := range offers {
			rel := o.list.source.release
			if !rel.notAutomatic && newer(o.version, item.Version) && (top.version == "" || newer(o.version, top.version)) {
				top = o
			}
		}
		if top.version == "" {
			continue
		}
		top = best(withVersion(offers, top.version))
		u := v.newUpdate(item, top.version, top, offers)
		u.Block, u.BlockWhy = patch.Pinned, v.pins.why(item, top)
		if item.Held {
			u.Block, u.BlockWhy = v.whyKept(item, top)
		}
		updates = append(updates, u)
	}
	return updates
}

// reports says what each source is and how old; records are the agent's own.
func (v view) reports(records map[string]record) []patch.Source {
	var sources []patch.Source
	for _, s := range v.sources {
		rec := records[s.name]
		p := patch.Source{
			Provider: providerName, Name: s.name, Origin: s.release.origin, Suite: s.suite(),
			ThirdParty: s.problem == "" && v.distro.thirdParty(s.release.origin),
			SignedAt:   s.release.date, ValidUntil: s.release.validUntil,
			RefreshedAt: rec.at(), Error: s.problem,
		}
		if p.Error == "" {
			p.Error = rec.Error
		}
		sources = append(sources, p)
	}
	slices.SortFunc(sources, func(a, b patch.Source) int { return strings.Compare(a.Name, b.Name) })
	return sources
}

// record is what the agent itself knows of its refreshes of one source.
type record struct {
	RefreshedAt time.Time `json:"refreshed_at"`    // the last that succeeded; zero is never
	Error       string    `json:"error,omitempty"` // of the last one, "" when it succeeded
}

func (r record) at() *time.Time {
	if r.RefreshedAt.IsZero() {
		return nil
	}
	return &r.RefreshedAt
}
