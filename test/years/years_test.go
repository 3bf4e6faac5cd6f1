//go:debug tlsmlkem=0

package years

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/cryptotest"
	"time"
)

// What the environment may say.
const (
	one   = "PATCHBAY_SEED"  // play this seed alone, and print its story
	many  = "PATCHBAY_SEEDS" // how many seeds, from 1; or the first and the last, as in 4001-10500
	watch = "PATCHBAY_WATCH" // print also what agents and server log
	share = "PATCHBAY_YEARS_SHARE"
)

// seeded makes all chance that is not the world's the seed's too, keys and IDs among it.
func seeded(t *testing.T, seed uint64) {
	cryptotest.SetGlobalRandom(t, seed)
	before := runtime.GOMAXPROCS(1) // everything takes turns, and handing over is dearer between processors
	t.Cleanup(func() { runtime.GOMAXPROCS(before) })
}

func emptyDatabase(t *testing.T) []byte {
	t.Helper()
	empty, err := template(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return empty
}

// TestSeed plays one seed and prints its story.
func TestSeed(t *testing.T) {
	seed, err := strconv.ParseUint(os.Getenv(one), 10, 64)
	if err != nil {
		t.Skip("plays the seed that " + one + " names")
	}
	empty := emptyDatabase(t)
	seeded(t, seed)
	f, story := play(t, seed, empty)
	for _, line := range story {
		t.Log(line)
	}
	t.Logf("%s; the story's hash is %s", f, hash(story))
}

// A seed that fails is of use when it fails again.
func TestASeedTellsItsStoryAgain(t *testing.T) {
	empty := emptyDatabase(t)
	last := uint64(6)
	if testing.Short() {
		last = 1
	}
	for seed := uint64(1); seed <= last; seed++ {
		seeded(t, seed)
		_, first := play(t, seed, empty)
		seeded(t, seed)
		_, second := play(t, seed, empty)
		if hash(first) == hash(second) {
			continue
		}
		for i := range first {
			if i >= len(second) || first[i] != second[i] {
				t.Fatalf("seed %d goes another way at line %d:\n%s\n%s", seed, i, first[i], second[min(i, len(second)-1)])
			}
		}
		t.Fatalf("seed %d goes on the second time: %s", seed, second[len(first)])
	}
}

// part is what one process plays: every step-th seed.
type part struct{ From, Until, Step uint64 }

// atOnce is how many seeds one process plays. A process for all of them would have to be
// waited for before anything is known of any.
const atOnce = 100

// parts shares seeds out to processes that run beside each other, each list one after the other.
func parts(first, last, processes uint64) [][]part {
	all := make([][]part, processes)
	for n := range processes {
		for from := first + n; from <= last; from += atOnce * processes {
			all[n] = append(all[n], part{from, min(last, from+(atOnce-1)*processes), processes})
		}
	}
	return all
}

// asked are the first and the last seed that somebody wants; ok is false when nobody said.
func asked(said string) (first, last uint64, ok bool) {
	from, to, both := strings.Cut(said, "-")
	if !both {
		from, to = "1", said
	}
	first, err := strconv.ParseUint(from, 10, 64)
	last, err2 := strconv.ParseUint(to, 10, 64)
	return first, last, err == nil && err2 == nil && 0 < first && first <= last
}

func TestPartsAreAllSeedsOnce(t *testing.T) {
	for _, seeds := range []uint64{1, 3, 99, 100, 101, 200, 201, 10_500} {
		for _, processes := range []uint64{1, 2, 3, 8} {
			const before = 40 // of which none is played
			times := map[uint64]int{}
			for _, list := range parts(before+1, before+seeds, processes) {
				for _, p := range list {
					for seed := p.From; seed <= p.Until; seed += p.Step {
						times[seed]++
					}
				}
			}
			for seed := uint64(before + 1); seed <= before+seeds; seed++ {
				if times[seed] != 1 {
					t.Fatalf("of %d seeds for %d processes, seed %d is played %d times", seeds, processes, seed, times[seed])
				}
			}
			if len(times) != int(seeds) {
				t.Fatalf("of %d seeds for %d processes, %d are played", seeds, processes, len(times))
			}
		}
	}
}

// TestYears plays many seeds, in one process for each processor: chance is global to one.
func TestYears(t *testing.T) {
	first, last, ok := asked(os.Getenv(many))
	if !ok {
		first, last = 1, 200
		if testing.Short() {
			last = 4
		}
	}
	seeds := last + 1 - first
	var mu sync.Mutex
	var all figures
	var cpu time.Duration
	var running sync.WaitGroup
	for _, list := range parts(first, last, uint64(runtime.NumCPU())) {
		running.Go(func() {
			for _, p := range list {
				f, spent, said := run(p)
				mu.Lock()
				all.add(f)
				cpu += spent
				if said != "" {
					t.Error(said)
				}
				if os.Getenv(many) != "" {
					fmt.Fprintf(os.Stderr, "%d of %d seeds, %d laws broken, %.1f CPU-s a year\n", all.Seeds, seeds, all.Broken, cpu.Seconds()/all.Years)
				}
				mu.Unlock()
			}
		})
	}
	running.Wait()
	t.Logf("%s; %.1f CPU-s a year", all, cpu.Seconds()/all.Years)
	for _, kind := range slices.Sorted(maps.Keys(all.Kinds)) {
		t.Logf("%7d times: %s", all.Kinds[kind], kind)
	}
	all.judge(t, seeds)
	if os.Getenv(many) != "" {
		all.print()
	}
}

// judge holds the figures to what was promised of them.
func (f figures) judge(t *testing.T, seeds uint64) {
	t.Helper()
	if f.Seeds != int(seeds) {
		t.Errorf("%d of %d seeds were played", f.Seeds, seeds)
	}
	if f.Broken > 0 {
		t.Errorf("%d times a law was broken", f.Broken)
	}
	if seeds < 100 { // what follows is true of many
		return
	}
	if f.cycles() < 12 || f.faults() < 50 || f.checkIns() < 300 {
		t.Errorf("not enough happens: %s", f)
	}
	if f.Undone == 0 {
		t.Error("nothing was taken back")
	}
	for _, a := range acts() {
		if a.fault && f.Kinds[a.name] == 0 {
			t.Errorf("it never happened: %s", a.name)
		}
	}
}

func (f figures) cycles() float64   { return float64(f.Cycles) / f.Years }
func (f figures) faults() float64   { return float64(f.Faults) / f.Years }
func (f figures) checkIns() float64 { return float64(f.CheckIns) / f.Years }

// String says it in a line.
func (f figures) String() string {
	return fmt.Sprintf("%.1f agent-years over %d seeds: %.1f patch cycles, %.1f undone, %.0f faults, %.0f check-ins a year; %d laws broken",
		f.Years, f.Seeds, f.cycles(), float64(f.Undone)/f.Years, f.faults(), f.checkIns(), f.Broken)
}

// print prints the figures as scripts/figures reads them.
func (f figures) print() {
	line := func(name string, value float64, bound string) {
		fmt.Printf("FIGURE %s %.0f - - - - %s\n", name, value, bound)
	}
	line("simulated_agent-years", f.Years, ">=1000")
	line("seeds", float64(f.Seeds), ">=10000")
	line("patch_cycles_a_year", f.cycles(), ">=12")
	line("faults_a_year", f.faults(), ">=50")
	line("check-ins_a_year", f.checkIns(), ">=300")
	line("laws_broken", float64(f.Broken), "<=0")
}

const total = "PART "

// run plays a part in a process of its own, and gives what failed in it.
func run(p part) (f figures, spent time.Duration, failed string) {
	order, _ := json.Marshal(p) // three numbers
	c := exec.Command(os.Args[0], "-test.run=^TestShare$", "-test.timeout=0")
	c.Env = append(os.Environ(), share+"="+string(order), "GOMAXPROCS=1", "GOGC=400")
	out, err := c.CombinedOutput()
	var rest []string
	for lines := bufio.NewScanner(bytes.NewReader(out)); lines.Scan(); {
		text, ok := strings.CutPrefix(strings.TrimSpace(lines.Text()), total)
		if ok {
			ok = json.Unmarshal([]byte(text), &f) == nil
		}
		if !ok {
			rest = append(rest, lines.Text())
		}
	}
	if c.ProcessState != nil {
		spent = c.ProcessState.UserTime() + c.ProcessState.SystemTime()
	}
	if err != nil {
		failed = err.Error() + "\n" + strings.Join(rest[:min(len(rest), 400)], "\n")
	}
	return f, spent, failed
}

// patience is how long one seed may take. It takes a fifth of a second on a quiet machine.
const patience = 5 * time.Minute

// endless ends a process whose seed does not, and says which it is and what it does.
func endless(seed uint64) {
	stacks := make([]byte, 1<<20)
	fmt.Printf("seed %d has not ended after %s\n%s\n", seed, patience, stacks[:runtime.Stack(stacks, true)])
	os.Exit(1)
}

// TestShare is a process that plays a part; it runs only as that.
func TestShare(t *testing.T) {
	var p part
	if json.Unmarshal([]byte(os.Getenv(share)), &p) != nil {
		t.Skip("runs only as a part of TestYears")
	}
	empty := emptyDatabase(t)
	var all figures
	for seed := p.From; seed <= p.Until; seed += p.Step {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			watchdog := time.AfterFunc(patience, func() { endless(seed) })
			defer watchdog.Stop()
			seeded(t, seed)
			f, _ := play(t, seed, empty)
			all.add(f)
		})
	}
	text, err := json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Println(total + string(text))
}
