package restore

import (
	"fmt"
	"testing"
	"time"

	"patchbay/agent/identity"
	"patchbay/server"
	"patchbay/server/backup"
)

// The key of a server that runs is replaced in the middle of work: the server ends by itself,
// starts with the new key, every agent follows it, and no job runs twice.
func TestAFleetFollowsItsServersNewKey(t *testing.T) {
	if testing.Short() {
		t.Skip("restarts a server in the middle of work")
	}
	data := t.TempDir()
	in := &installation{Place: backup.Place{Data: data, Database: backup.DatabaseIn(data, "")}, Address: free(t, "127.0.0.1"), t: t}
	token := in.found()
	in.start()
	var fleet []*machine
	for i := range 3 {
		m := newMachine(t, fmt.Sprintf("machine-%d", i))
		m.enrol(t, "https://"+in.Address, token)
		m.offer("curl", "1.1")
		m.start(t)
		fleet = append(fleet, m)
	}
	every(t, fleet, "curl 1.1", func(m *machine) bool { return m.has("curl", "1.1") })
	hold := make(chan struct{})
	fleet[0].set(func(m *machine) { m.hold = hold })
	fleet[0].offer("nginx", "1.1")
	fleet[0].lookAgain(t)
	until(t, "nginx to be begun", func() bool { return fleet[0].began("nginx", "1.1") == 1 })

	r, err := server.Rotate(t.Context(), server.Place{Data: data, Database: in.Database, Now: time.Now}, func(string) {})
	must(t, err)
	in.wait() // it ends by itself
	in.start()
	close(hold)
	for _, m := range fleet {
		m.offer("kernel", "1.1")
		m.lookAgain(t)
	}
	every(t, fleet, "kernel 1.1", func(m *machine) bool { return m.has("kernel", "1.1") })
	until(t, "all of it to be told", func() bool { return ended(in.jobs()) == 2*len(fleet)+1 })
	for _, m := range fleet {
		for _, what := range m.twice() {
			t.Error(what)
		}
		if held := m.believes(t); len(held) != 1 || string(held[0]) != string(r.Now) {
			t.Errorf("%s believes %d keys, and not the new one alone", m.name, len(held))
		}
	}
}

// believes are the keys that the agent on a machine believes to be its server's.
func (m *machine) believes(t *testing.T) [][]byte {
	t.Helper()
	b, err := identity.LoadBelief(m.disk, identity.Identity{})
	must(t, err)
	return b.State.Orders
}
