package crash

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"patchbay/agent/link"
	"patchbay/client"
	"patchbay/server"
	"patchbay/server/access"
	"patchbay/server/store"
	"patchbay/test/postgres"
	"patchbay/window"
)

const (
	agentURL = "https://127.0.0.1:8421" // what agents are told; where they come out is the world's to say
	customer = "cus_00000000000000000000000000"
	site     = "site_00000000000000000000000000"
	person   = "per_00000000000000000000000000"
	key      = "pbk_of-the-person-in-these-tests"
)

var who = store.Who{ID: "system", Name: "the test"}

// world is one installation with its machines, in a folder, and one time for all.
type world struct {
	t        *testing.T
	dir      string
	database string // "" is the embedded one
	home     string // of the server's keys and embedded database, in dir
	customer string
	site     string
	key      string // of the person, for the API
	restored bool   // the server was once restored from a backup
	machines []*machine
	faults   *faults
	cuts     []cut
	lives    int

	server *server.Server
	fate   *fate
	fates  []*fate // of all lives
	stop   func()  // ends this life of the server

	rough    bool // whatever goes wrong is asked again, since the database comes and goes
	clock    atomic.Int64
	mu       sync.Mutex        // over what follows
	ordered  map[string]string // jobs that agents were handed, with their device
	promises []promise
	twice    bool // what is said is said twice, since the server ended in the middle of it
}

// promise is what a person was told is so.
type promise struct {
	what string
	held func(*store.Store) bool
}

func (w *world) now() time.Time { return time.UnixMilli(w.clock.Load()).UTC() }

func (w *world) pass(d time.Duration) { w.clock.Add(d.Milliseconds()) }

func (w *world) data() string { return filepath.Join(w.dir, w.home) }

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatalf("%v: %v", w.story(), err)
	}
}

// fault is a law that was broken.
func (w *world) fault(format string, args ...any) {
	w.t.Helper()
	w.t.Errorf("%s: %s", w.story(), fmt.Sprintf(format, args...))
}

// story says where the server was cut off.
func (w *world) story() string {
	if w.fate == nil {
		return "before the first life"
	}
	return fmt.Sprintf("cuts %v, in life %d %v", w.cuts, w.lives, w.fate)
}

// begin begins the next life of the server. One that is cut off before it answers is followed
// by another.
func (w *world) begin() {
	w.t.Helper()
	for {
		w.live()
		s, err := server.New(w.t.Context(), server.Options{Data: w.data(), Database: w.database, Listen: "127.0.0.1:0", AgentListen: "127.0.0.1:0",
			AgentURL: agentURL, Version: "test", Now: w.now, Around: w.fate.around})
		if err != nil {
			if !w.fate.wasHit() {
				w.must(err)
			}
			continue
		}
		w.fate.started()
		ctx, cancel := context.WithCancel(context.WithoutCancel(w.t.Context()))
		ended := make(chan error, 1)
		go func() { ended <- s.Run(ctx) }()
		w.server = s
		w.stop = sync.OnceFunc(func() {
			cancel()
			w.hangUp()
			err := <-ended
			w.must(errors.Join(err, s.Close()))
		})
		return
	}
}

// live begins the next life of a server, or of a program that does the work of one.
func (w *world) live() {
	w.fate = &fate{}
	if w.lives < len(w.cuts) {
		w.fate.cut = w.cuts[w.lives]
	}
	w.lives++
	w.fates = append(w.fates, w.fate)
}

// hangUp closes the connections of all machines.
func (w *world) hangUp() {
	for _, m := range w.machines {
		if m.deafen != nil {
			m.deafen()
		}
		if m.link != nil {
			m.link.Close()
		}
	}
}

// do does one thing that a machine or a person wants, as often as it takes: whoever gets no
// answer, or one that says to come again, asks again after a minute.
func (w *world) do(what string, step func() error) {
	w.t.Helper()
	w.pass(time.Second)
	for try := 1; ; try++ {
		err := step()
		w.settle()
		w.twice = false
		if w.fate.hasEnded() {
			w.twice = w.fate.way == doubled && err != nil
			w.again()
		} else if err != nil && !w.rough && (try > 5 || !w.cutOff() && !busy(err)) {
			w.must(fmt.Errorf("%s: %w", what, err))
		}
		if err == nil {
			return
		}
		if w.rough {
			time.Sleep(10 * time.Millisecond)
		}
		w.pass(time.Minute)
		w.settle()
	}
}

// busy reports an answer that says to come again.
func busy(err error) bool {
	var problem *client.Problem
	var overload link.Overload
	return errors.As(err, &problem) && problem.Status == http.StatusServiceUnavailable || errors.As(err, &overload)
}

// cutOff reports whether any life was cut off so far.
func (w *world) cutOff() bool {
	return slices.ContainsFunc(w.fates, (*fate).wasHit)
}

// times is how often a message is said.
func (w *world) times() int {
	if w.twice {
		return 2
	}
	return 1
}

// settle waits until the server has decided all that is due. Its loop sleeps by the machine's
// clock and not by the world's, so it is woken.
func (w *world) settle() {
	w.server.Engine.Due()
	for !w.fate.hasEnded() && !w.server.Engine.Idle() {
		time.Sleep(time.Millisecond)
	}
}

// again begins the next life, and holds it to what the lives before it said.
func (w *world) again() {
	w.t.Helper()
	w.stop()
	w.begin()
	w.settle()
	w.remembers()
}

// hours gives the site its policy: windows at all times.
func hours(auto store.Auto) store.SitePolicy {
	return store.SitePolicy{Auto: auto, Windows: []window.Weekly{{Zone: "UTC", Start: "00:00", Minutes: 24 * 60,
		Days: []string{"mon", "tue", "wed", "thu", "fri", "sat", "sun"}}}}
}

// found makes the customer, the site and the person with a key, in a database that is there.
func (w *world) found(s *store.Store) {
	ctx, now, msp := w.t.Context(), w.now(), s.MSP(who)
	w.must(msp.CreateCustomer(ctx, now, store.CustomerRow{ID: customer, Name: "Acme", CreatedAt: now}))
	w.must(s.Customer(who, customer).CreateSite(ctx, now, store.Site{ID: site, Customer: customer, Name: "HQ", Zone: "UTC", CreatedAt: now, ChangedAt: now, Policy: hours(store.ByHand)}))
	w.must(msp.CreatePerson(ctx, now, store.Person{ID: person, Name: "Ann", Email: "ann@example.test", CreatedAt: now}))
	w.must(msp.CreateKey(ctx, now, store.APIKey{ID: "key_00000000000000000000000000", Person: person, Name: "test", CreatedAt: now, ExpiresAt: now.AddDate(1, 0, 0)}, access.TokenHash(key)))
}

// scratch is a folder in memory, where there is one: nothing here tests the disk.
func scratch(t *testing.T) string {
	dir, err := os.MkdirTemp("/dev/shm", "patchbay-crash")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// beginnings are what scenes begin from: nothing, an installation without machines, and the
// same with one that has enrolled and told all. Where databases are in folders too, pg is nil.
type beginnings struct {
	pg     *postgres.Cluster
	all    map[string]beginning
	faults *faults
}

type beginning struct{ dir, database string }

func prepared(t *testing.T, pg *postgres.Cluster) beginnings {
	from := beginnings{pg, map[string]beginning{"nothing": {dir: scratch(t)}}, &faults{}}
	if pg != nil {
		from.all["nothing"] = beginning{from.all["nothing"].dir, pg.Database()}
	}
	w := from.world(t, "nothing")
	w.begin()
	w.found(w.server.Store)
	w.stop()
	from.all["empty"] = beginning{w.dir, w.database}
	w = from.world(t, "empty")
	w.begin()
	m := w.machine("one")
	w.joins(m)
	w.tells(m)
	m.scan()
	w.tells(m)
	w.tells(m)
	m.keep()
	must(t, m.journal.Close())
	w.stop()
	from.all["joined"] = beginning{w.dir, w.database}
	return from
}

// world is a new one from a beginning.
func (from beginnings) world(t *testing.T, name string, cuts ...cut) *world {
	dir := filepath.Join(scratch(t), "world")
	must(t, os.CopyFS(dir, os.DirFS(from.all[name].dir)))
	w := &world{t: t, dir: dir, home: "data", faults: from.faults, cuts: cuts, ordered: map[string]string{}, customer: customer, site: site, key: key}
	w.clock.Store(time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC).UnixMilli())
	if from.pg != nil {
		w.database = from.pg.Copy(from.all[name].database)
	}
	return w
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
