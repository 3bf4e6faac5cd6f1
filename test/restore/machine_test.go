package restore

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"patchbay/agent"
	"patchbay/agent/disk"
	"patchbay/agent/enroll"
	"patchbay/agent/identity"
	"patchbay/patch"
	"patchbay/provider"
	"patchbay/wire"
)

// machine is a device whose package manager counts what it is told: it is the oracle.
type machine struct {
	name string
	disk disk.Dir
	stop func()

	mu        sync.Mutex
	installed map[string]string
	offered   map[string]string
	fails     map[string]bool
	begun     map[string]int // by name and version
	hold      chan struct{}  // while it is there and open, nothing ends
}

func newMachine(t *testing.T, name string) *machine {
	d, err := disk.Open(t.TempDir())
	must(t, err)
	return &machine{name: name, disk: d, installed: map[string]string{"curl": "1.0", "nginx": "1.0", "kernel": "1.0", "broken": "1.0"},
		offered: map[string]string{}, fails: map[string]bool{}, begun: map[string]int{}}
}

// set changes the machine.
func (m *machine) set(change func(*machine)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	change(m)
}

// offer puts a version on offer.
func (m *machine) offer(name, version string) {
	m.set(func(m *machine) { m.offered[name] = version })
}

func (m *machine) Installed(context.Context) ([]patch.Item, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var items []patch.Item
	for name, v := range m.installed {
		items = append(items, patch.Item{Provider: "apt", Name: name, Architecture: "amd64", Version: v})
	}
	return items, nil
}

func (m *machine) Available(context.Context) (patch.Offer, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var o patch.Offer
	for name, v := range m.offered {
		if m.installed[name] != v {
			o.Updates = append(o.Updates, patch.Update{Provider: "apt", Name: name, Architecture: "amd64", Installed: m.installed[name],
				Available: v, Classes: []patch.Class{patch.Security}, Origin: "test"})
		}
	}
	return o, nil
}

// Apply does what it is told, unless it is held or fails.
func (m *machine) Apply(ctx context.Context, r provider.Request) (provider.Outcome, error) {
	m.mu.Lock()
	hold := m.hold
	for _, u := range r.Updates {
		m.begun[u.Name+" "+u.Available]++
	}
	m.mu.Unlock()
	if hold != nil {
		<-hold
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	var o provider.Outcome
	var err error
	for _, u := range r.Updates {
		if m.fails[u.Name] {
			err = errors.New("the maintainer's script failed")
			continue
		}
		o.Changes = append(o.Changes, provider.Change{Name: u.Name, Architecture: u.Architecture, From: m.installed[u.Name], To: u.Available, Asked: true})
		m.installed[u.Name] = u.Available
	}
	return o, err
}

func (m *machine) has(name, version string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.installed[name] == version
}

func (m *machine) began(name, version string) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.begun[name+" "+version]
}

// twice names what was begun more than once.
func (m *machine) twice() (found []string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for what, n := range m.begun {
		if n > 1 {
			found = append(found, fmt.Sprintf("%s: %s was begun %d times", m.name, what, n))
		}
	}
	return found
}

func (m *machine) kinds() []provider.Kind {
	return []provider.Kind{{Name: "apt", Traits: provider.Traits{Versions: "deb", Exact: true, Phase: provider.System},
		Open: func(context.Context, provider.Env) (provider.Provider, error) { return m, nil }}}
}

func (m *machine) facts(context.Context) (wire.Facts, error) {
	return wire.Facts{Hostname: m.name, OS: "linux", BootID: "boot of " + m.name}, nil
}

// enrol lets the machine in.
func (m *machine) enrol(t *testing.T, server, token string) {
	t.Helper()
	_, err := enroll.Run(t.Context(), enroll.Options{Server: server, Token: token, Mode: wire.Manage, Disk: m.disk,
		Keys: identity.SoftKey{Dir: m.disk}, Now: time.Now, Facts: wire.Facts{Hostname: m.name, BootID: "boot of " + m.name}})
	must(t, err)
}

// start runs the agent until the test ends.
func (m *machine) start(t *testing.T) {
	t.Helper()
	a, err := agent.New(agent.Options{Now: time.Now, Build: "test", Disk: m.disk, Keys: identity.SoftKey{Dir: m.disk}, Kinds: m.kinds(),
		Facts: m.facts, Random: func() float64 { return 0 }, Dial: (&net.Dialer{Timeout: 5 * time.Second}).DialContext,
		Log: slog.New(slog.NewTextHandler(quietly{t}, nil)), Sleep: func(ctx context.Context, d time.Duration) {
			select {
			case <-ctx.Done():
			case <-time.After(d):
			}
		}})
	must(t, err)
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan error, 1)
	go func() { ended <- a.Run(ctx) }()
	m.stop = sync.OnceFunc(func() {
		stop()
		if err := <-ended; err != nil && !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", m.name, err)
		}
		a.Close()
	})
	t.Cleanup(m.stop)
}

// lookAgain restarts the agent, which then reads the machine at once. Only while it has nothing to do.
func (m *machine) lookAgain(t *testing.T) {
	t.Helper()
	m.stop()
	m.start(t)
}

// quietly is the agents' log, for whoever looks.
type quietly struct{ t *testing.T }

func (q quietly) Write(p []byte) (int, error) {
	if testing.Verbose() {
		q.t.Log(strings.TrimSpace(string(p)))
	}
	return len(p), nil
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
