package years

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"strings"
	"testing"
	"testing/cryptotest"
	"testing/synctest"
	"time"

	"patchbay/patch"
	"patchbay/server/store"
	"patchbay/window"
	"patchbay/wire"
)

// figures are what was lived.
type figures struct {
	Seeds    int
	Years    float64 // of agents
	Cycles   int     // updates brought to their verified end
	Undone   int     // and taken back
	Faults   int
	CheckIns int
	Broken   int
	Kinds    map[string]int // how often each thing went wrong
}

func (f *figures) add(o figures) {
	f.Seeds, f.Years, f.Cycles, f.Faults = f.Seeds+o.Seeds, f.Years+o.Years, f.Cycles+o.Cycles, f.Faults+o.Faults
	f.Undone += o.Undone
	f.CheckIns, f.Broken = f.CheckIns+o.CheckIns, f.Broken+o.Broken
	if f.Kinds == nil {
		f.Kinds = map[string]int{}
	}
	for k, n := range o.Kinds {
		f.Kinds[k] += n
	}
}

// offer is what the vendors have of one item.
type offer struct {
	version string
	class   patch.Class
}

// world is one seed.
type world struct {
	t      *testing.T
	seed   uint64
	draws  uint64 // how often chance was begun anew
	rng    *rand.Rand
	stage  *stage
	server *server
	oracle *oracle

	devices []*device
	offers  map[string]offer
	kept    map[string]bool // versions that are no longer on offer and can still be got
	made    map[string]int  // the highest minor version of each item
	began   time.Time
	ends    time.Time // of the faults
	calm    bool      // nothing goes wrong any more
	over    bool
	ended   chan struct{}

	figures figures
	story   []string
	laws    []string // that were broken, told when the bubble is over: a failed one tells nothing
}

// play lives one seed in a bubble of its own, and gives its figures and its story.
func play(t *testing.T, seed uint64, template []byte) (f figures, story []string) {
	t.Helper()
	dir, err := os.MkdirTemp(shm(), "years")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	var laws []string
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, seed)
		w.live(dir, template)
		f, story, laws = w.figures, w.story, w.laws
	})
	for _, law := range laws {
		t.Error(law)
	}
	return f, story
}

// shm is a folder in memory, where there is one.
func shm() string {
	if _, err := os.Stat("/dev/shm"); err == nil {
		return "/dev/shm"
	}
	return ""
}

func newWorld(t *testing.T, seed uint64) *world {
	rng := rand.New(rand.NewPCG(seed, 20))
	w := &world{t: t, seed: seed, rng: rng, stage: newStage(rng), offers: map[string]offer{}, kept: map[string]bool{}, made: map[string]int{}, ended: make(chan struct{})}
	w.figures = figures{Seeds: 1, Kinds: map[string]int{}}
	w.oracle = newOracle(w)
	return w
}

// chanceAnew begins the chance of keys and IDs anew, before something gets an ID. TLS draws
// from it as well, on both ends at once; where that took one more, all that is sorted by ID
// would come in another order ever after.
func (w *world) chanceAnew() {
	w.draws++
	cryptotest.SetGlobalRandom(w.t, w.seed<<20+w.draws)
}

// pick gives a number from 0 to below n.
func (w *world) pick(n int) int { return w.rng.IntN(n) }

// chance is true so many times of a hundred.
func (w *world) chance(percent int) bool { return w.rng.IntN(100) < percent }

// reboots is what a site says of them.
func (w *world) reboots() wire.Reboots {
	r := wire.Reboots{When: wire.RebootNever}
	if w.chance(80) {
		r = wire.Reboots{When: wire.RebootWindow, Daily: w.pick(3)}
	}
	if r.When == wire.RebootWindow && w.chance(40) {
		r.When, r.Postpone, r.DeadlineHours = wire.RebootAsk, w.pick(4), 1+w.pick(72)
	}
	return r
}

func (w *world) between(least, most time.Duration) time.Duration {
	return least + time.Duration(w.rng.Int64N(int64(most-least)+1))
}

func (w *world) must(err error) {
	if err != nil {
		panic(fmt.Sprintf("seed %d, %s: %v", w.seed, time.Now().UTC().Format(time.DateTime), err))
	}
}

func (w *world) note(format string, args ...any) {
	w.story = append(w.story, time.Now().UTC().Format("2006-01-02 15:04:05.000 ")+fmt.Sprintf(format, args...))
	if os.Getenv(watch) != "" {
		w.t.Log(w.story[len(w.story)-1])
	}
}

// broke says that a law does not hold.
func (w *world) broke(format string, args ...any) {
	w.note("BROKEN: "+format, args...)
	if w.figures.Broken++; w.figures.Broken <= 3 {
		w.laws = append(w.laws, fmt.Sprintf("seed %d, %s: %s\nTo play it alone: PATCHBAY_SEED=%d go test -count=1 -run '^TestSeed$' -v ./test/years",
			w.seed, time.Now().UTC().Format(time.DateTime), fmt.Sprintf(format, args...), w.seed))
	}
}

// wrong counts something that goes wrong.
func (w *world) wrong(what string) {
	w.figures.Faults++
	w.figures.Kinds[what]++
}

// size draws how many machines there are, and for how many days.
func (w *world) size() (machines, days int) {
	switch n := w.pick(100); {
	case n < 75:
		return 1, 14 + w.pick(17)
	case n < 96:
		return 2 + w.pick(2), 16 + w.pick(18)
	}
	return 1 + w.pick(2), 100 + w.pick(150)
}

func (w *world) live(dir string, template []byte) {
	w.began = time.Now()
	machines, days := w.size()
	w.ends = w.began.Add(time.Duration(days) * 24 * time.Hour)
	w.server = newServer(w, dir, template)
	w.server.start()
	policy := store.SitePolicy{Auto: store.Security, Reboots: w.reboots()}
	policy.Windows = w.windows()
	if w.chance(25) {
		policy.Auto = store.ByHand
	}
	zones := []string{"UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu"}
	token := w.server.found(policy, zones[w.pick(len(zones))], machines)
	for n := range machines {
		d := newDevice(w, fmt.Sprint("pc", n+1))
		d.token = token
		w.devices = append(w.devices, d)
	}
	var doors []*http.Server
	for _, d := range w.devices {
		doors = append(doors, d.serve())
		w.stage.actor(d.name, d.run)
	}
	w.stage.actor("server", w.server.run)
	w.stage.actor("world", w.run)
	w.stage.direct()
	for _, s := range doors {
		s.Close()
	}
	for _, d := range w.devices {
		d.wires.cut()
	}
	if w.server.core != nil {
		w.server.down()
	}
	w.figures.Years = float64(machines) * w.ends.Sub(w.began).Hours() / 24 / 365.25
}

// windows draws when the site's machines may be changed.
func (w *world) windows() []window.Weekly {
	all := []string{"mon", "tue", "wed", "thu", "fri", "sat", "sun"}
	var days []string
	for _, d := range all {
		if w.chance(60) {
			days = append(days, d)
		}
	}
	if days == nil {
		days = []string{all[w.pick(7)]}
	}
	return []window.Weekly{{Days: days, Start: fmt.Sprintf("%02d:%02d", w.pick(24), 15*w.pick(4)), Minutes: 60 * (2 + w.pick(6))}}
}

// rhythm is when an agent is to check in next.
func (w *world) rhythm() time.Duration {
	if w.calm {
		return 8 * time.Hour
	}
	return w.between(17*time.Hour, 23*time.Hour)
}

// run is the world's actor: things happen, then they stop happening, and the fleet comes to rest.
func (w *world) run(string) {
	for time.Now().Before(w.ends) {
		w.stage.sleep("world", w.between(time.Hour, 140*time.Hour)/time.Duration(len(w.devices)))
		if time.Now().Before(w.ends) {
			w.happens()
		}
	}
	w.settle()
	w.over = true
	close(w.ended)
	for _, d := range w.devices {
		d.kill(false, time.Second)
	}
	w.server.ringUp()
}

// settle ends all trouble and waits until the fleet is as it should be.
func (w *world) settle() {
	w.note("all trouble ends")
	w.heal()
	for n := range 10 * 24 / 4 {
		w.stage.sleep("world", 4*time.Hour)
		w.lookAfter(n%6 == 5)
		if w.oracle.settled() == "" {
			break
		}
	}
	w.oracle.final()
}

// hash is one over a story.
func hash(story []string) string {
	sum := sha256.Sum256([]byte(strings.Join(story, "\n")))
	return hex.EncodeToString(sum[:])
}

// logs is where a part of the world logs to.
func (w *world) logs(who string) logs { return logs{w, who} }

type logs struct {
	w   *world
	who string
}

// Write adds to the story in the test's log, when somebody watches.
func (l logs) Write(p []byte) (int, error) {
	if os.Getenv(watch) != "" {
		l.w.t.Logf("%s %s: %s", time.Now().UTC().Format(time.DateTime), l.who, strings.TrimSpace(string(p)))
	}
	return len(p), nil
}

var background = context.Background
