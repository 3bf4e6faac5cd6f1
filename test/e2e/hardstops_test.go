package e2e

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"patchbay/server/view"
	"patchbay/test/bed"
)

// A hard stop takes something away in the middle of an installation, and nothing is told
// before. The phases are those that a person knows, and where the stop is made in each.
const (
	unpack       = "unpack"
	configure    = "configure"
	trigger      = "trigger"
	postinst     = "postinst"
	agentJournal = "the agent's journal"
	dpkgJournal  = "dpkg's journal"
)

// What is taken away.
const (
	power = "power" // of the whole device, with what its disk had not been given
	dpkg  = "dpkg"  // kill -9 of it and what runs below it
	agent = "agent" // kill -9 of it with apt, dpkg and all
)

// stop is one way to be stopped.
type stop struct {
	phase, what string
	at          bed.Moment // "" for what is waited for otherwise
	write, many int        // the n-th one to a journal, and how many more there are to choose from
}

// stops are all ways there are, in an order in which no phase comes late.
func stops() []stop {
	var all []stop
	for _, what := range []string{power, agent, dpkg} {
		all = append(all,
			stop{phase: unpack, what: what, at: bed.HaltPreinst}, stop{phase: configure, what: what, at: bed.HaltConfigure},
			stop{phase: postinst, what: what, at: bed.HaltPostinst}, stop{phase: dpkgJournal, what: what, write: 2, many: 23},
			stop{phase: trigger, what: what, at: bed.HaltTrigger}, stop{phase: unpack, what: what, at: bed.HaltPostrm},
			stop{phase: unpack, what: what})
		if what != dpkg {
			all = append(all, stop{phase: agentJournal, what: what, write: 1, many: 4},
				stop{phase: agentJournal, what: what, at: bed.HaltPreinst, write: 1, many: 3})
		}
	}
	return all
}

// least is how many stops of each phase there are at least.
const least = 3

// devicesStopped is how many devices are stopped beside each other.
const devicesStopped = 8

// tally counts over all devices.
type tally struct {
	mu       sync.Mutex
	made     int
	missed   int            // the moment was over before the stop was made
	found    map[string]int // by phase and dpkg's state on the disk
	phases   map[string]int
	bad      map[string]int // what must not be, by its name
	attempts int            // jobs beyond one for each version
}

// faultNames are what must not be, in the order they are told.
var faultNames = []string{"lost outcomes", "double installs", "reboots outside windows", "false VERIFIED", "left half-configured"}

func (c *tally) add(s stop, state string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.made++
	c.phases[s.phase]++
	c.found[s.phase+" × "+state]++
}

func (c *tally) miss() { c.count(&c.missed, 1) }

func (c *tally) count(what *int, n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	*what += n
}

func (c *tally) fault(t *testing.T, what, format string, args ...any) {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.bad[what]++
	t.Errorf(what+": "+format, args...)
}

// TestHardStops stops real devices in the middle of installations: whatever was taken away,
// and whenever, all is installed once and proven when the device is back, and nobody was told
// otherwise meanwhile. PATCHBAY_HARD_STOPS says how many stops there are.
func TestHardStops(t *testing.T) {
	t.Parallel()
	count := 30
	if s := os.Getenv("PATCHBAY_HARD_STOPS"); s != "" {
		var err error
		if count, err = strconv.Atoi(s); err != nil || count > devicesStopped*bed.HaltSteps {
			t.Fatalf("PATCHBAY_HARD_STOPS must be a number up to %d", devicesStopped*bed.HaltSteps)
		}
	}
	in := install(t, "--check-in", "4s")
	all := &tally{found: map[string]int{}, phases: map[string]int{}, bad: map[string]int{}}
	ways := stops()
	var running sync.WaitGroup // all at once: most of their time they wait
	for d := range devicesStopped {
		running.Go(func() {
			t.Run(strconv.Itoa(d), func(t *testing.T) {
				s := stopped(t, in.with(t), fmt.Sprintf("stopped-%d", d), d%2 == 1, all)
				for i, n := d, 1; i < count && n <= bed.HaltSteps && !t.Failed(); n++ {
					if s.stop(ways[i%len(ways)], n) { // one that came too late is made again
						i += devicesStopped
					}
				}
			})
		})
	}
	running.Wait()
	all.report(t, count)
}

// report prints what was found and holds that nothing was wrong and every phase had its share.
func (c *tally) report(t *testing.T, count int) {
	for _, key := range slices.Sorted(maps.Keys(c.found)) {
		t.Logf("%s: %d", key, c.found[key])
	}
	for _, phase := range []string{unpack, configure, trigger, postinst, agentJournal, dpkgJournal} {
		if count >= len(stops()) && c.phases[phase] < least {
			t.Errorf("only %d stops in %s", c.phases[phase], phase)
		}
	}
	var sum int
	var said []string
	for _, name := range faultNames {
		said = append(said, fmt.Sprintf("%d %s", c.bad[name], name))
		sum += c.bad[name]
	}
	if c.made < count && !t.Failed() {
		t.Errorf("%d stops were made, not %d: %d came too late", c.made, count, c.missed)
	}
	t.Logf("%d moments were over before the stop came, %d jobs were tried anew", c.missed, c.attempts)
	t.Logf("%d hard stops on real devices: %s", c.made, strings.Join(said, ", "))
	fmt.Printf("FIGURE hard_stops_on_real_devices %d - faults_after_them %d - >=%d\n", c.made, sum, count)
	fmt.Printf("FIGURE faults_after_hard_stops %d - - - - <=0\n", sum)
}

// target is one device that is stopped again and again.
type target struct {
	*endpoint
	t       *testing.T
	archive *bed.Archive
	all     *tally
	forced  bool  // it has no window: a person says now
	boots   int   // how often it came up, of what the test did
	doomed  []int // processes that the next kill ends
}

// stopped makes a device with the agent as its service. Where it has no window, it also
// wants to be rebooted for something else, and must not be.
func stopped(t *testing.T, in *installation, name string, forced bool, all *tally) *target {
	t.Helper()
	archive, origin := offered(t, in)
	policy := object{"auto": "security", "windows": []object{always()}, "reboots": object{"when": "window", "daily": 0}}
	if forced {
		policy = object{"auto": "by_hand", "windows": []object{}, "reboots": object{"when": "window", "daily": 0}}
	}
	site := in.site(in.customer(name), "HQ", policy)
	d := in.bed.Device(t, bed.Options{Name: name, Boot: true, Disk: 512 << 20, Log: true, Origin: origin,
		Install: []string{"bed-watch", "bed-halt", "bed-halt-lib"}})
	s := &target{endpoint: &endpoint{Device: d, in: in}, t: t, archive: archive, all: all, forced: forced, boots: 1}
	t.Cleanup(func() {
		if !t.Failed() {
			return
		}
		for _, args := range [][]string{{"patchbay-agent", "status"}, {"journalctl", "--no-pager", "-u", "patchbay-agent", "-n", "120"}, {"tail", "-n", "60", "/var/log/dpkg.log"}} {
			r, err := d.Exec(context.Background(), args...)
			t.Logf("%s: %v: %v\n%s%s", name, args, err, r.Stdout, r.Stderr)
		}
	})
	in.serve(s.endpoint, site)
	d.Must(t, "sync", "-f", "/")
	return s
}

// serve enrols the device and makes the agent its service.
func (in *installation) serve(e *endpoint, site string) {
	in.t.Helper()
	token := call[view.NewToken](in, "POST", "/sites/"+site+"/tokens", object{"mode": "manage", "uses": 1, "hours": 1})
	if err := e.CopyFile(filepath.Join(in.bin, "patchbay-agent"), "/usr/bin/patchbay-agent", 0o755); err != nil {
		in.t.Fatal(err)
	}
	e.Must(in.t, strings.Fields(token.SecretLine)...)
	e.Must(in.t, "patchbay-agent", "install")
	e.awaitListed(site)
}
