package years

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"patchbay/patch"
	"patchbay/provider"
	"patchbay/wire"
)

// machine is a device with two package managers, and the truth about it.
type machine struct {
	d *device

	mu       sync.Mutex
	items    map[string]*item
	boots    int
	busy     time.Time // until then another program has the lock
	offline  time.Time // until then no source is reached
	blind    time.Time // until then nothing can be read
	fails    map[string]time.Time
	stubborn time.Time // until then it does not restart when asked
	signed   time.Time // when the vendors signed what the machine has of their lists

	inHand   string // the item that is being installed
	inHandTo string
}

// item is one thing that is installed. What it was before is kept: the oracle looks back.
type item struct {
	name, manager string
	restart       bool // it runs only after a reboot
	now           state
	running       string
	previous      string // what an undo brings back; "" nothing
	past          []moment
}

type state struct{ version, broken string }

type moment struct {
	at     time.Time
	state  state
	active bool
}

const origin = "test"

// software is what every machine begins with.
func software() []item {
	return []item{
		{name: "curl", manager: "apt"}, {name: "nginx", manager: "apt"}, {name: "kernel", manager: "apt", restart: true}, {name: "editor", manager: "shop"},
	}
}

func newMachine(d *device) *machine {
	m := &machine{d: d, signed: time.Now().Truncate(24 * time.Hour), items: map[string]*item{}, fails: map[string]time.Time{}, boots: 1}
	for _, i := range software() {
		m.items[i.name] = &i
		i.now, i.running = state{version: "1.0"}, "1.0"
		i.remember()
	}
	return m
}

func (i *item) remember() {
	i.past = append(i.past, moment{time.Now(), i.now, i.active()})
}

func (i *item) active() bool { return i.now.broken == "" && (!i.restart || i.running == i.now.version) }

// set makes a version what is installed, with nothing to go back to; the caller holds the
// lock.
func (m *machine) set(name, version, broken string) {
	i := m.items[name]
	i.now, i.previous = state{version, broken}, ""
	if !i.restart {
		i.running = version
	}
	i.remember()
}

// minor is what follows the point of a version.
func minor(version string) int {
	_, text, _ := strings.Cut(version, ".")
	n, _ := strconv.Atoi(text) // every version here has a number
	return n
}

// manager is one package manager of the machine, for one life of the agent.
type manager struct {
	name string
	m    *machine
	life *life
}

var (
	errLock   = fmt.Errorf("%w: another package manager runs", provider.ErrBusy)
	errSource = fmt.Errorf("%w: the mirror does not answer", provider.ErrOffline)
	errBlind  = errors.New("its database cannot be read just now")
	errDead   = errors.New("the agent is dead")
	errScript = errors.New("its script failed")
)

func (m *machine) kinds(l *life) []provider.Kind {
	var kinds []provider.Kind
	for name, phase := range map[string]provider.Phase{"apt": provider.System, "shop": provider.Apps} {
		p := &manager{name, m, l}
		kinds = append(kinds, provider.Kind{Name: name, Traits: provider.Traits{Versions: "deb", Exact: true, Phase: phase},
			Open: func(context.Context, provider.Env) (provider.Provider, error) { return p, nil }})
	}
	slices.SortFunc(kinds, func(a, b provider.Kind) int { return strings.Compare(a.Name, b.Name) })
	return kinds
}

// Installed lists what is there.
func (p *manager) Installed(context.Context) ([]patch.Item, error) {
	p.life.settled()
	p.m.mu.Lock()
	defer p.m.mu.Unlock()
	if time.Now().Before(p.m.blind) {
		return nil, errBlind
	}
	var items []patch.Item
	for _, i := range p.m.items {
		if i.manager == p.name {
			items = append(items, patch.Item{Provider: p.name, Name: i.name, Architecture: "amd64", Version: i.now.version, Broken: i.now.broken,
				Previous: i.previous})
		}
	}
	return items, nil
}

// Available lists what is on offer.
func (p *manager) Available(context.Context) (patch.Offer, error) {
	p.m.mu.Lock()
	defer p.m.mu.Unlock()
	var o patch.Offer
	if time.Now().Before(p.m.blind) {
		return o, errBlind
	}
	if now := time.Now(); !now.Before(p.m.offline) {
		p.m.signed = now.Truncate(24 * time.Hour)
	}
	signed := p.m.signed
	o.Sources = []patch.Source{{Provider: p.name, Name: "vendor", Origin: origin, SignedAt: &signed}}
	for _, i := range p.m.items {
		offer := p.m.d.w.offers[i.name]
		if i.manager != p.name || offer.version == "" || minor(offer.version) <= minor(i.now.version) {
			continue
		}
		o.Updates = append(o.Updates, patch.Update{Provider: p.name, Name: i.name, Architecture: "amd64", Installed: i.now.version,
			Available: offer.version, Origin: origin, Classes: []patch.Class{offer.class}})
	}
	return o, nil
}

// Stage downloads, when a source is reached.
func (p *manager) Stage(context.Context, provider.Request) error {
	p.m.mu.Lock()
	defer p.m.mu.Unlock()
	if time.Now().Before(p.m.offline) {
		return errSource
	}
	return nil
}

// Apply installs one thing after the other, which takes its time.
func (p *manager) Apply(_ context.Context, r provider.Request) (provider.Outcome, error) {
	return p.work(r, p.m.install, wire.VerbInstall)
}

// Undo takes one thing after the other back.
func (p *manager) Undo(_ context.Context, r provider.Request) (provider.Outcome, error) {
	return p.work(r, p.m.goBack, wire.VerbUndo)
}

func (p *manager) work(r provider.Request, one func(patch.Update) (provider.Change, error), verb string) (provider.Outcome, error) {
	var o provider.Outcome
	var failed error
	if p.life.isDead() {
		return o, errDead
	}
	for _, u := range r.Updates {
		p.m.d.w.oracle.applies(p.life, u, verb)
	}
	m := p.m
	switch now := time.Now(); {
	case now.Before(m.busy):
		return o, errLock
	case now.Before(m.offline):
		return o, errSource
	}
	for _, u := range r.Updates {
		m.hold(u.Name, u.Available)
		if !p.life.sleep("worker", time.Duration(20+m.d.w.pick(600))*time.Second) {
			return o, errDead
		}
		change, err := one(u)
		m.hold("", "")
		if err != nil {
			failed = err
			o.Messages = append(o.Messages, u.Name+": "+err.Error())
			continue
		}
		o.Changes = append(o.Changes, change)
		if m.items[u.Name].restart {
			o.Reboot = patch.Yes
		}
	}
	return o, failed
}

func (m *machine) hold(name, to string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.inHand, m.inHandTo = name, to
}

// install is the end of the work on one item. Meanwhile another may have been there: no
// manager goes back by itself.
func (m *machine) install(u patch.Update) (provider.Change, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	i := m.items[u.Name]
	switch {
	case time.Now().Before(m.fails[u.Name]):
		if m.d.w.chance(30) {
			m.set(u.Name, u.Available, "half-configured")
		}
		return provider.Change{}, errScript
	case m.d.w.offers[u.Name].version != u.Available && !m.d.w.kept[u.Name+" "+u.Available]:
		return provider.Change{}, fmt.Errorf("version %s was not found", u.Available)
	case minor(i.now.version) > minor(u.Available):
		return provider.Change{}, fmt.Errorf("it would be a downgrade: %w", provider.ErrRefused)
	}
	change := provider.Change{Name: u.Name, Architecture: "amd64", From: i.now.version, To: u.Available, Asked: true}
	m.set(u.Name, u.Available, "")
	if change.From != change.To && m.d.w.chance(90) {
		i.previous = change.From
	}
	m.d.w.note("%s: %s is now %s", m.d.name, u.Name, u.Available)
	return change, nil
}

// goBack is the end of taking one item back, which is to what it was before its last update.
func (m *machine) goBack(u patch.Update) (provider.Change, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	i := m.items[u.Name]
	switch {
	case time.Now().Before(m.fails[u.Name]):
		return provider.Change{}, errScript
	case i.previous != u.Available:
		return provider.Change{}, fmt.Errorf("version %s is not kept here: %w", u.Available, provider.ErrRefused)
	}
	change := provider.Change{Name: u.Name, Architecture: "amd64", From: i.now.version, To: u.Available, Asked: true}
	m.set(u.Name, u.Available, "")
	m.d.w.note("%s: %s is back at %s", m.d.name, u.Name, u.Available)
	return change, nil
}

// interrupted is what the end of the agent leaves of the item in hand.
func (m *machine) interrupted() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.inHand == "" {
		return
	}
	switch m.d.w.pick(3) {
	case 0:
		m.set(m.inHand, m.inHandTo, "half-installed")
	case 1:
		if minor(m.items[m.inHand].now.version) <= minor(m.inHandTo) {
			m.set(m.inHand, m.inHandTo, "")
		}
	}
	m.inHand = ""
}

// boot is the machine coming up.
func (m *machine) boot() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.boots++
	for _, name := range m.names() {
		if i := m.items[name]; i.running != i.now.version && i.now.broken == "" {
			i.running = i.now.version
			i.remember()
		}
	}
}

func (m *machine) names() []string {
	var names []string
	for _, i := range software() {
		names = append(names, i.name)
	}
	return names
}

func (m *machine) facts(l *life) (wire.Facts, error) {
	l.settled()
	m.mu.Lock()
	defer m.mu.Unlock()
	f := wire.Facts{Hostname: m.d.name, OS: "linux", BootID: m.bootID()}
	for _, name := range m.names() {
		if i := m.items[name]; i.restart && i.running != i.now.version {
			f.Restart.Machine = true
			f.Restart.Reasons = append(f.Restart.Reasons, name)
		}
	}
	return f, nil
}

func (m *machine) bootID() string { return fmt.Sprintf("%s-boot-%d", m.d.name, m.boots) }

// meddle is another program that installs or goes back by itself.
func (m *machine) meddle(name, version string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.set(name, version, "")
}

// newest reports whether everything that is on offer runs.
func (m *machine) newest() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, i := range m.items {
		if o := m.d.w.offers[i.name]; !i.active() || minor(i.now.version) < minor(o.version) {
			return false
		}
	}
	return true
}

// was reports whether the item ran in that version at some moment between the times.
func (m *machine) was(name, version string, from, until time.Time) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	past := m.items[name].past
	for k, p := range past {
		ends := until.Add(time.Hour)
		if k+1 < len(past) {
			ends = past[k+1].at
		}
		if p.state.version == version && p.active && !p.at.After(until) && !ends.Before(from) {
			return true
		}
	}
	return false
}
