package window_test

import (
	"archive/zip"
	"crypto/sha256"
	"fmt"
	"go/build"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"patchbay/window"
)

// everyZone reads the names of all zones Go ships with, or else the system's,
// and for each name the digest of its rules.
func everyZone(t *testing.T) map[string][32]byte {
	t.Helper()
	var files fs.FS
	archive, err := zip.OpenReader(filepath.Join(build.Default.GOROOT, "lib", "time", "zoneinfo.zip"))
	if err == nil {
		defer archive.Close()
		files = archive
	} else {
		files = os.DirFS("/usr/share/zoneinfo")
	}
	zones := map[string][32]byte{}
	err = fs.WalkDir(files, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		if _, err := window.Zone(name); err != nil {
			return nil // leap seconds, tables, the local zone, a link to a folder
		}
		data, err := fs.ReadFile(files, name)
		zones[name] = sha256.Sum256(data)
		return err
	})
	if err != nil {
		t.Skipf("no list of zones on this machine: %v", err)
	}
	return zones
}

// TestEveryTransitionOfEveryZone walks every change of every clock on earth
// from 1970 to 2037. A scan of the wall clock is the oracle.
func TestEveryTransitionOfEveryZone(t *testing.T) {
	zones := everyZone(t)
	if len(zones) < 400 {
		t.Fatalf("only %d zones found", len(zones))
	}
	seen := map[[32]byte]bool{}
	transitions := 0
	for _, name := range slices.Sorted(maps.Keys(zones)) {
		digest := zones[name]
		if seen[digest] {
			continue // another name of the same zone
		}
		seen[digest] = true
		zone, err := window.Zone(name)
		if err != nil {
			t.Fatal(err)
		}
		z := zoneTest{T: t, name: name, zone: zone, sets: map[string]window.Set{}}
		for _, change := range changes(zone) {
			transitions++
			z.checkScan(change)
			z.checkRule(change)
		}
	}
	if transitions < 10_000 {
		t.Errorf("only %d transitions found", transitions)
	}
	t.Logf("%d names, %d zones, %d transitions", len(zones), len(seen), transitions)
}

// changes are the instants at which the zone's offset changes.
func changes(zone *time.Location) []time.Time {
	var found []time.Time
	t := time.Unix(0, 0).In(zone)
	for {
		_, next := t.ZoneBounds()
		if next.IsZero() || next.Year() > 2037 {
			return found
		}
		if offset(t) != offset(next) {
			found = append(found, next)
		}
		t = next
	}
}

func offset(t time.Time) time.Duration {
	_, seconds := t.Zone()
	return time.Duration(seconds) * time.Second
}

type zoneTest struct {
	*testing.T
	name string
	zone *time.Location
	sets map[string]window.Set // most changes of a zone ask for the same windows
}

// set is the weekly window in the test's zone.
func (z zoneTest) set(weekly window.Weekly) window.Set {
	weekly.Zone = z.name
	key := weekly.Describe()
	if _, ok := z.sets[key]; !ok {
		z.sets[key] = mustSet(z, window.Spec{Weekly: []window.Weekly{weekly}})
	}
	return z.sets[key]
}

// readings are what the clock shows at the change by its old offset, by its
// new one, and half-way: amid the gap or the overlap.
func readings(change time.Time) (old, landed, half time.Time) {
	old = change.UTC().Add(offset(change.Add(-time.Second)))
	landed = change.UTC().Add(offset(change))
	return old, landed, old.Add(landed.Sub(old) / 2).Truncate(time.Minute)
}

// checkScan compares windows that begin in and beside the jump, and one that
// lasts across it, with the scan.
func (z zoneTest) checkScan(change time.Time) {
	wall := scan(z.zone, change)
	old, landed, half := readings(change)
	for _, weekly := range []window.Weekly{
		{Days: allDays, Start: half.Format("15:04"), Minutes: 90},
		{Days: allDays, Start: old.Format("15:04"), Minutes: 90},
		{Days: allDays, Start: landed.Format("15:04"), Minutes: 15},
		{Days: []string{dayName(half)}, Start: half.Add(-5 * time.Hour).Format("15:04"), Minutes: 12 * 60},
	} {
		if err := wall.agree(z.set(weekly), weekly); err != nil {
			z.Fatalf("%s, %s: %s: %v", z.name, change, weekly.Describe(), err)
		}
	}
}

// checkRule states the rules of the jump directly, without the scan.
func (z zoneTest) checkRule(change time.Time) {
	old, landed, half := readings(change)
	want := half.Add(change.UTC().Sub(old)) // overlap: as the clock before the jump has it
	if landed.After(old) {
		want = change // gap: the first instant after it
		if half.Before(old) || !half.Before(landed) || landed.Sub(old) >= 24*time.Hour {
			return // no full minute within, or a whole date is gone
		}
	}
	set := z.set(window.Weekly{Days: []string{dayName(half)}, Start: half.Format("15:04"), Minutes: 60})
	state := window.Open(set, want)
	if !state.Open || !state.Since.Equal(want) || !state.Until.Equal(want.Add(time.Hour)) {
		z.Fatalf("%s, %s: the window of %s begins at %v, want %v for an hour",
			z.name, change, half.Format("Mon 15:04"), state.Since, want)
	}
}

// wallScan is what a wall clock shows, read every step around a change, in
// seconds as if the clock ran on UTC. The step is the longest, up to a quarter
// of an hour, that misses no instant at which anything may happen.
type wallScan struct {
	from    time.Time
	step    time.Duration
	highest []int64        // shown until then
	dates   map[int64]bool // that were shown at all
}

const (
	scanned = 26 * time.Hour // on both sides of the change
	settled = 13 * time.Hour // after this no window reaches in from before the scan
)

func scan(zone *time.Location, change time.Time) wallScan {
	old, landed, half := readings(change)
	step := int64(15 * 60)
	for _, t := range []time.Time{change, old, landed, half, old.Truncate(time.Minute), landed.Truncate(time.Minute)} {
		step = divisor(step, t.Unix())
	}
	wall := wallScan{from: change.UTC().Add(-scanned), step: time.Duration(step) * time.Second, dates: map[int64]bool{}}
	steps := 2 * int(scanned/wall.step)
	wall.highest = make([]int64, 0, steps)
	var date, highest int64
	for i := range steps {
		shown := wall.at(i)
		_, seconds := shown.In(zone).Zone()
		reading := shown.Unix() + int64(seconds)
		if reading/oneDay != date {
			date = reading / oneDay
			wall.dates[date] = true
		}
		if i == 0 || reading > highest {
			highest = reading
		}
		wall.highest = append(wall.highest, highest)
	}
	return wall
}

func divisor(a, b int64) int64 {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

func (w wallScan) at(i int) time.Time { return w.from.Add(time.Duration(i) * w.step) }

// opens gives for every step whether the window is open: on each of its dates
// that was shown, it begins when the clock first shows the time or, for the
// first time, a later one, and runs for so many steps.
func (w wallScan) opens(weekly window.Weekly) []bool {
	clock, _ := time.Parse("15:04", weekly.Start)
	start := int64(clock.Hour()*60+clock.Minute()) * 60
	steps := int(time.Duration(weekly.Minutes) * time.Minute / w.step)
	open := make([]bool, len(w.highest))
	for date := range w.dates {
		if !slices.Contains(weekly.Days, dayName(time.Unix(date*oneDay, 0).UTC())) {
			continue
		}
		first, _ := slices.BinarySearch(w.highest, date*oneDay+start)
		if first == 0 {
			continue // before the scan
		}
		for i := first; i < min(first+steps, len(open)); i++ {
			open[i] = true
		}
	}
	return open
}

// agree goes from change to change as Open names them and compares all steps
// between with the scan.
func (w wallScan) agree(set window.Set, weekly window.Weekly) error {
	want := w.opens(weekly)
	for i := int(settled / w.step); i < len(want); {
		now := w.at(i)
		state := window.Open(set, now)
		end := len(want)
		if ahead := int(state.Until.Sub(now) / w.step); ahead < end-i {
			end = i + ahead
		}
		if end <= i || !w.at(end).Equal(state.Until) && end < len(want) {
			return fmt.Errorf("at %v the next change is %v", now, state.Until)
		}
		for ; i < end; i++ {
			if want[i] != state.Open {
				return fmt.Errorf("at %v open is %v until %v, but by the clock it is %v at %v", now, state.Open, state.Until, want[i], w.at(i))
			}
		}
		if i < len(want) && want[i] == state.Open {
			return fmt.Errorf("at %v a change at %v is named, but there is none", now, state.Until)
		}
	}
	return nil
}

func TestDatesThatWereLeftOutHaveNoWindow(t *testing.T) {
	for _, c := range []struct{ zone, day, before string }{
		{"Pacific/Apia", "fri", "2011-12-30T09:59:00Z"},
		{"Pacific/Fakaofo", "fri", "2011-12-30T09:59:00Z"},
		{"Pacific/Kwajalein", "sat", "1993-08-21T11:59:00Z"},
		{"Pacific/Kiritimati", "sat", "1994-12-31T09:59:00Z"},
	} {
		for _, start := range []string{"00:00", "12:00", "23:59"} {
			set := mustSet(t, window.Spec{Weekly: []window.Weekly{{Zone: c.zone, Days: []string{c.day}, Start: start, Minutes: 60}}})
			now := at(t, c.before)
			from, until, ok := window.Next(set, now)
			if !ok || from.Sub(now) < 6*24*time.Hour || until.Sub(from) != time.Hour {
				t.Errorf("%s %s %s: opens %v, an hour from the date that never was", c.zone, c.day, start, from)
			}
		}
	}
}
