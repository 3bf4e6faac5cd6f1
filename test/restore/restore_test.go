package restore

import (
	"fmt"
	"maps"
	"path/filepath"
	"testing"
	"time"

	"patchbay/server/backup"
	"patchbay/server/store"
	"patchbay/wire"
)

const passphrase = "five words chosen by dice"

// until waits for something that other processes do.
func until(t *testing.T, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(2 * time.Minute); !is(); time.Sleep(100 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited two minutes for %s", what)
		}
	}
}

// every waits until it is so on all machines.
func every(t *testing.T, fleet []*machine, what string, is func(*machine) bool) {
	t.Helper()
	for _, m := range fleet {
		until(t, what+" on "+m.name, func() bool { return is(m) })
	}
}

func TestAFleetFindsItsRestoredServerAndNoJobRunsTwice(t *testing.T) {
	if testing.Short() {
		t.Skip("kills a server and restores it elsewhere")
	}
	for name, database := range map[string]func(*testing.T) func(data string) string{
		"sqlite": func(*testing.T) func(string) string {
			return func(data string) string { return backup.DatabaseIn(data, "") }
		},
		"postgres": postgresFor,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			moved(t, database(t))
		})
	}
}

// moved is the story: enrol, back up in the middle of work, go on working, be killed, restore.
func moved(t *testing.T, database func(data string) string) {
	data := t.TempDir()
	elsewhere := free(t, "127.0.0.2")
	old := &installation{Place: backup.Place{Data: data, Database: database(data)}, Address: free(t, "127.0.0.1"), Also: []string{"https://" + elsewhere}, t: t}
	token := old.found()
	old.start()
	var fleet []*machine
	for i := range 3 {
		m := newMachine(t, fmt.Sprintf("machine-%d", i))
		m.enrol(t, "https://"+old.Address, token)
		m.offer("curl", "1.1")
		m.start(t)
		fleet = append(fleet, m)
	}
	every(t, fleet, "curl 1.1", func(m *machine) bool { return m.has("curl", "1.1") })
	until(t, "all of it to be told", func() bool { return ended(old.jobs()) == len(fleet) })

	// Two machines are in the middle of a job when the backup is taken.
	hold := make(chan struct{})
	for i, item := range []string{"nginx", "broken"} {
		fleet[i].set(func(m *machine) { m.hold, m.fails["broken"] = hold, true })
		fleet[i].offer(item, "1.1")
		fleet[i].lookAgain(t)
		until(t, item+" to be begun", func() bool { return fleet[i].began(item, "1.1") == 1 })
	}
	until(t, "that to be told", func() bool { return applying(old.jobs()) == 2 })
	file := filepath.Join(t.TempDir(), "backup")
	_, err := backup.Make(t.Context(), backup.Options{Place: old.Place, File: file, Passphrase: passphrase, Program: "test", Now: time.Now})
	must(t, err)

	// Work goes on after it: those jobs end, one well and one badly, and others are made and end.
	close(hold)
	until(t, "those jobs to end", func() bool { jobs := old.jobs(); return ended(jobs) == len(jobs) })
	for _, m := range fleet {
		m.offer("kernel", "1.1")
		m.lookAgain(t)
	}
	every(t, fleet, "kernel 1.1", func(m *machine) bool { return m.has("kernel", "1.1") })
	fleet[2].set(func(m *machine) { m.fails["broken"] = true })
	fleet[2].offer("broken", "1.1")
	fleet[2].lookAgain(t)
	until(t, "the other to fail", func() bool { return fleet[2].began("broken", "1.1") == 1 })
	until(t, "all of it to be told", func() bool { jobs := old.jobs(); return len(jobs) == 2*len(fleet)+3 && ended(jobs) == len(jobs) })
	old.kill()
	told := old.outcomes()

	moved := t.TempDir()
	fresh := &installation{Place: backup.Place{Data: moved, Database: database(moved)}, Address: elsewhere, t: t}
	_, err = backup.Restore(t.Context(), backup.RestoreOptions{Place: fresh.Place, File: file, Now: time.Now,
		Passphrase: func() (string, error) { return passphrase, nil }})
	must(t, err)
	lost := len(told) - len(fresh.outcomes())
	if lost < len(fleet) {
		t.Fatalf("the test is wrong: the backup lacks only %d of %d outcomes", lost, len(told))
	}
	fresh.start()
	began := time.Now()
	until(t, "the restored server to know all that the lost one was told", func() bool { return contains(fresh.outcomes(), told) })
	until(t, "every job to have ended there", func() bool {
		jobs := fresh.jobs()
		return known(jobs, "broken") == 2 && ended(jobs) == len(jobs)
	})
	t.Logf("%d outcomes that the backup lacked were told again, and all %d agents were back, in %s", lost, len(fleet), time.Since(began).Round(time.Second))

	for _, m := range fleet { // and it is a server as any other
		m.offer("curl", "1.2")
		m.lookAgain(t)
	}
	every(t, fleet, "curl 1.2", func(m *machine) bool { return m.has("curl", "1.2") })
	until(t, "that to be told", func() bool { jobs := fresh.jobs(); return ended(jobs) == len(jobs) })
	for _, m := range fleet {
		for _, what := range m.twice() {
			t.Error(what)
		}
	}
	fresh.store(func(s *store.Store) {
		states, err := s.MSP(who).VerifyChains(t.Context())
		must(t, err)
		for _, c := range states {
			if c.Broken != "" {
				t.Errorf("chain %s: %s", c.Chain, c.Broken)
			}
		}
		acts, err := s.MSP(who).Audit(t.Context(), store.AuditFilter{Act: "agent.restored"})
		must(t, err)
		if len(acts) > 0 {
			t.Errorf("%d agents that are ahead of the server were taken for set back", len(acts))
		}
	})
}

func ended(jobs []store.Job) (n int) {
	for _, j := range jobs {
		if j.EndedAt != nil {
			n++
		}
	}
	return n
}

// applying counts the jobs that have begun and not ended.
func applying(jobs []store.Job) (n int) {
	for _, j := range jobs {
		if j.Step == wire.StepApplying && j.EndedAt == nil {
			n++
		}
	}
	return n
}

// known counts the jobs about an item.
func known(jobs []store.Job, name string) (n int) {
	for _, j := range jobs {
		if j.Target.Name == name {
			n++
		}
	}
	return n
}

// contains reports whether one has all that the other has.
func contains(one, other map[string]string) bool {
	one = maps.Clone(one)
	maps.DeleteFunc(one, func(k, _ string) bool { _, there := other[k]; return !there })
	return maps.Equal(one, other)
}
