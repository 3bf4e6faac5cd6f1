package crash

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"patchbay/server/api"
	"patchbay/test/postgres"
)

// On PostgreSQL a server hears the others and remembers nothing while it does not: the same
// scenes and laws, at each effect in one of the ways.
func TestServerOnPostgreSQLSurvivesCrashPoints(t *testing.T) {
	if testing.Short() {
		t.Skip("starts PostgreSQL")
	}
	from := prepared(t, postgres.Start(t, "-c fsync=off")) // it is not the disk that is tried here
	all, points := scenes(), 0
	for _, name := range []string{"a machine joins", "rejected after it begins", "called for"} {
		for first, hit := 1, true; hit; first++ {
			t.Run(fmt.Sprintf("%s, effect %d", name, first), func(t *testing.T) {
				hit = play(t, all[name], from, cut{first, ways()[first%len(ways())]})[0].hit
			})
			points++
		}
		points--
	}
	t.Logf("%d crash points on PostgreSQL", points)
}

// A database that cuts everybody off in the middle of what they do, and one that crashes and
// comes back, lose nothing that a server acknowledged, and double nothing.
func TestServerSurvivesItsDatabase(t *testing.T) {
	if testing.Short() {
		t.Skip("starts PostgreSQL and crashes it")
	}
	pg := postgres.Start(t, "")
	from := prepared(t, pg)
	w := from.world(t, "empty")
	w.begin()
	w.changes("the policy of a site", "PATCH", "/sites/"+w.site, api.SiteChange{Policy: always("security")}, nil)
	w.rough = true
	const rounds = 6
	var fleet sync.WaitGroup
	for i := range 4 {
		m := w.machine(fmt.Sprint("machine-", i))
		fleet.Go(func() { w.upgrades(m, rounds) })
	}
	working := make(chan struct{})
	go func() { fleet.Wait(); close(working) }()
	cuts := 0
	for over := false; !over; cuts++ {
		select {
		case <-working:
			over = true
		case <-time.After(50 * time.Millisecond):
			if cuts == 10 {
				pg.Crash()
			} else {
				pg.CutOff()
			}
		}
	}
	for _, m := range w.machines {
		w.tells(m)
	}
	w.rough = false
	w.pass(2 * time.Minute)
	w.settle()
	w.ends()
	for _, m := range w.machines {
		if shown, want := w.shown()[m.name+" curl"], fmt.Sprintf("1.%d to 1.%d VERIFIED", rounds, rounds); shown != want {
			w.fault("%s shows %q, want %q", m.name, shown, want)
		}
	}
	w.rebuilt()
	w.stop()
	t.Logf("%d jobs on %d machines, while the database cut everybody off %d times and crashed", rounds*len(w.machines), len(w.machines), cuts)
}

// upgrades has a machine join and go from version to version.
func (w *world) upgrades(m *machine, rounds int) {
	w.joins(m)
	w.tells(m)
	for v := range rounds {
		m.Offers["curl"] = fmt.Sprintf("1.%d", v+1)
		m.scan()
		w.hears(m)
		w.works(m)
	}
}
