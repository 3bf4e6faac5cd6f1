package agent

import (
	"context"
	"slices"
	"sync"

	"patchbay/patch"
	"patchbay/provider"
	"patchbay/wire"
)

// machine is a device with one provider that does what it is told.
type machine struct {
	mu        sync.Mutex
	installed map[string]string
	broken    map[string]string
	offered   map[string]string
	shas      map[string]string
	origin    string
	classes   map[string]patch.Class
	boot      string
	zone      string
	restart   wire.Restart
	scanErr   error
	factsErr  error
	previous  map[string]string                                      // what the device had before the last update
	applied   [][]string                                             // names, per call
	stagedN   int                                                    //
	apply     func(provider.Request) (provider.Outcome, bool, error) // true: go on with the installation
	begun     map[string]string                                      // what Apply left broken, and the version it was to have
	repair    func() (provider.Outcome, error)                       // nil: there is nothing that could repair
	waits     bool                                                   // every item waits for a restart
	leaves    bool                                                   // every item is there until the restart
	adds      bool                                                   // each update is an item of its own
	disputed  map[string]string                                      // why another reading does not bear an item out
	open      []provider.Process                                     // what people have open
	repairs   int                                                    // how often it was tried
	sources   map[string]string                                      // of what names itself otherwise than it was offered
	wishes    func() []patch.Wish
}

func newMachine() *machine {
	return &machine{
		installed: map[string]string{"curl": "1.0", "nginx": "2.0", "kernel": "6.0"},
		offered:   map[string]string{"curl": "1.1", "nginx": "2.1", "kernel": "6.1"},
		broken:    map[string]string{}, shas: map[string]string{}, previous: map[string]string{},
		boot: "boot-1", wishes: func() []patch.Wish { return nil },
	}
}

func (m *machine) kind() provider.Kind {
	return provider.Kind{Name: "apt", Traits: provider.Traits{Versions: "deb", Exact: true, Adds: m.adds, Phase: provider.System},
		Open: func(_ context.Context, env provider.Env) (provider.Provider, error) {
			m.wishes = env.Wishes
			return m, nil
		}}
}

func (m *machine) Installed(context.Context) ([]patch.Item, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var items []patch.Item
	for name, v := range m.installed {
		items = append(items, patch.Item{Provider: "apt", Name: name, Architecture: "amd64", Version: v, Broken: m.broken[name], Disputed: m.disputed[name], Restart: m.waits || m.leaves, Leaving: m.leaves, Previous: m.previous[name], Source: m.sources[name]})
	}
	return items, m.scanErr
}

func (m *machine) Available(context.Context) (patch.Offer, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var o patch.Offer
	for name, v := range m.offered {
		if m.installed[name] != v {
			o.Updates = append(o.Updates, patch.Update{Provider: "apt", Name: name, Architecture: "amd64",
				Installed: m.installed[name], Available: v, SHA256: m.shas[name], Origin: m.origin})
			if c := m.classes[name]; c != "" {
				o.Updates[len(o.Updates)-1].Classes = []patch.Class{c}
			}
		}
	}
	for _, w := range m.wishes() {
		if _, there := m.installed["the "+w.Package]; w.Install && !there {
			o.Updates = append(o.Updates, patch.Update{Provider: "apt", Name: w.Package, Instance: w.Package, Available: "1.0", Source: w.Package, Origin: m.origin})
		}
	}
	return o, m.scanErr
}

func (m *machine) Stage(context.Context, provider.Request) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.stagedN++
	return nil
}

func (m *machine) Apply(_ context.Context, r provider.Request) (provider.Outcome, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var names []string
	for _, u := range r.Updates {
		names = append(names, u.Name)
	}
	slices.Sort(names)
	m.applied = append(m.applied, names)
	o, err := provider.Outcome{}, error(nil)
	if m.apply != nil {
		var on bool
		if o, on, err = m.apply(r); !on {
			return o, err
		}
	}
	for _, u := range r.Updates {
		if u.Installed == "" && u.Source != "" {
			u.Name, m.sources = "the "+u.Name, map[string]string{"the " + u.Name: u.Source}
		}
		o.Changes = append(o.Changes, provider.Change{Name: u.Name, Architecture: u.Architecture, From: m.installed[u.Name], To: u.Available, Asked: true})
		m.previous[u.Name] = m.installed[u.Name]
		m.installed[u.Name] = u.Available
	}
	return o, err
}

// InUse: one process per program.
func (m *machine) InUse(_ context.Context, r provider.Request) ([]provider.Process, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(m.open), func(p provider.Process) bool {
		return !slices.ContainsFunc(r.Updates, func(u patch.Update) bool { return u.Name == p.Program })
	}), nil
}

// closes ends a process.
func (m *machine) closes(p provider.Process) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.open = slices.DeleteFunc(m.open, func(o provider.Process) bool { return o.ID == p.ID })
}

// Undo does what Apply does, down. Afterwards there is nothing before it.
func (m *machine) Undo(ctx context.Context, r provider.Request) (provider.Outcome, error) {
	o, err := m.Apply(ctx, r)
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, u := range r.Updates {
		if m.installed[u.Name] == u.Available {
			m.previous[u.Name] = ""
		}
	}
	return o, err
}

func (m *machine) facts(context.Context) (wire.Facts, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return wire.Facts{Hostname: "web1", OS: "linux", BootID: m.boot, Zone: m.zone, Restart: m.restart}, m.factsErr
}

func (m *machine) version(name string) string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.installed[name]
}

func (m *machine) calls() [][]string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.applied)
}
