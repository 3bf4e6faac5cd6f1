package journal

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"patchbay/agent/disk"
	"patchbay/wire"
)

var start = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func open(t *testing.T, dir string) *Journal {
	t.Helper()
	d, err := disk.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	j, err := Open(d, start)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { j.Close() })
	return j
}

func save(t *testing.T, j *Journal, c Change) {
	t.Helper()
	if err := j.Save(c); err != nil {
		t.Fatal(err)
	}
}

func job(id string, step wire.Step) Job { return Job{Job: wire.Job{ID: id}, Step: step, Since: start} }

func told(job string) wire.Outcome { return wire.Outcome{Job: job, Step: wire.StepDone, At: start} }

func seqs(j *Journal) (out []int64) {
	for _, o := range j.Pending(1000, 1<<30) {
		out = append(out, o.Seq)
	}
	return out
}

func TestWhatWasSavedIsThereAgain(t *testing.T) {
	dir := t.TempDir()
	j := open(t, dir)
	save(t, j, Change{Jobs: []Job{job("a", wire.StepStaging), job("b", wire.StepWaiting)}})
	save(t, j, Change{Jobs: []Job{job("a", wire.StepDone)}, Outcomes: []wire.Outcome{told("a"), told("a")}})
	save(t, j, Change{Dropped: []string{"b"}, Outcomes: []wire.Outcome{told("b")}})
	if err := j.Acknowledge(1, start); err != nil {
		t.Fatal(err)
	}
	again := open(t, dir)
	if !reflect.DeepEqual(again.Jobs(), j.Jobs()) || !reflect.DeepEqual(seqs(again), []int64{2, 3}) || !again.PendingOf("b") {
		t.Errorf("jobs %+v, pending %v", again.Jobs(), seqs(again))
	}
}

func TestTornLastLineNeverHappened(t *testing.T) {
	dir := t.TempDir()
	j := open(t, dir)
	save(t, j, Change{Jobs: []Job{job("a", wire.StepWaiting)}})
	before, err := os.ReadFile(filepath.Join(dir, Name))
	if err != nil {
		t.Fatal(err)
	}
	save(t, j, Change{Jobs: []Job{job("a", wire.StepApplying)}})
	whole, err := os.ReadFile(filepath.Join(dir, Name))
	if err != nil {
		t.Fatal(err)
	}
	for n := len(before); n < len(whole); n++ {
		if err := os.WriteFile(filepath.Join(dir, Name), whole[:n], 0o600); err != nil {
			t.Fatal(err)
		}
		again := open(t, dir)
		if again.Jobs()[0].Step != wire.StepWaiting || again.Damage() != "" {
			t.Fatalf("torn at %d: %+v, %s", n, again.Jobs(), again.Damage())
		}
	}
}

func TestDamageInTheMiddleIsSaidAndTheRestKept(t *testing.T) {
	dir := t.TempDir()
	j := open(t, dir)
	save(t, j, Change{Jobs: []Job{job("a", wire.StepWaiting)}})
	save(t, j, Change{Jobs: []Job{job("b", wire.StepWaiting)}, Outcomes: []wire.Outcome{told("b")}})
	save(t, j, Change{Outcomes: []wire.Outcome{told("b")}})
	data, err := os.ReadFile(filepath.Join(dir, Name))
	if err != nil {
		t.Fatal(err)
	}
	lines := bytes.SplitAfter(data, []byte{'\n'})
	lines[1][20] ^= 1
	if err := os.WriteFile(filepath.Join(dir, Name), bytes.Join(lines, nil), 0o600); err != nil {
		t.Fatal(err)
	}
	again := open(t, dir)
	if again.Damage() == "" || len(again.Jobs()) != 1 || !reflect.DeepEqual(seqs(again), []int64{1, 2}) {
		t.Errorf("%q, jobs %+v, pending %v", again.Damage(), again.Jobs(), seqs(again))
	}
	if kept, err := os.ReadFile(filepath.Join(dir, Damaged)); err != nil || !bytes.Equal(kept, bytes.Join(lines, nil)) {
		t.Errorf("no copy is kept: %v", err)
	}
}

func TestAcknowledgedOutcomesStayThirtyDays(t *testing.T) {
	j := open(t, t.TempDir())
	save(t, j, Change{Outcomes: []wire.Outcome{told("a"), told("b")}})
	ack := func(through int64, at time.Time) {
		t.Helper()
		if err := j.Acknowledge(through, at); err != nil {
			t.Fatal(err)
		}
	}
	ack(1, start)
	ack(2, start.Add(Keep)) // not longer than that ago
	ack(0, start.Add(Keep+time.Minute))
	if got := seqs(j); !reflect.DeepEqual(got, []int64{1, 2}) { // the first as well: it is asked for before it is forgotten
		t.Errorf("a restored server can have %v again", got)
	}
	ack(1, start.Add(Keep+time.Hour))
	ack(2, start.Add(2*Keep+2*time.Hour)) // the first was acknowledged longer ago than that
	ack(0, start.Add(2*Keep+3*time.Hour))
	if got := seqs(j); !reflect.DeepEqual(got, []int64{2}) {
		t.Errorf("after a new acknowledgement: %v", got)
	}
}

// A machine that was off for a quarter hears, when it is back, from a server that was
// restored to before. What was told long ago is told again before it is forgotten.
func TestWhatARestoredServerLacksIsToldHoweverOldItIs(t *testing.T) {
	j := open(t, t.TempDir())
	for _, name := range []string{"a", "b", "c"} {
		save(t, j, Change{Outcomes: []wire.Outcome{told(name)}})
	}
	acknowledge := func(through int64, at time.Time) {
		if err := j.Acknowledge(through, at); err != nil {
			t.Fatal(err)
		}
	}
	acknowledge(3, start)
	acknowledge(1, start.Add(90*24*time.Hour))
	if got := seqs(j); !slices.Equal(got, []int64{2, 3}) || j.Gone() != 0 {
		t.Errorf("%v are told again, and %d is gone", got, j.Gone())
	}
	acknowledge(3, start.Add(91*24*time.Hour))
	save(t, j, Change{Outcomes: []wire.Outcome{told("d")}})
	acknowledge(4, start.Add(130*24*time.Hour))
	acknowledge(1, start.Add(131*24*time.Hour))
	if got := seqs(j); !slices.Equal(got, []int64{4}) || j.Gone() != 3 {
		t.Errorf("%v are told again, and %d is gone", got, j.Gone())
	}
}

func TestNumbersAreNeverUsedTwice(t *testing.T) {
	dir := t.TempDir()
	j := open(t, dir)
	save(t, j, Change{Outcomes: []wire.Outcome{told("a"), told("b")}})
	if err := j.Acknowledge(2, start); err != nil {
		t.Fatal(err)
	}
	j = open(t, dir)
	j.state.prune(start.Add(100 * 24 * time.Hour))
	save(t, j, Change{Outcomes: []wire.Outcome{told("c")}})
	if got := seqs(j); !reflect.DeepEqual(got, []int64{3}) {
		t.Errorf("pending %v", got)
	}
	if err := j.Acknowledge(50, start); err != nil { // somebody used 4 to 50 with this identity
		t.Fatal(err)
	}
	save(t, j, Change{Outcomes: []wire.Outcome{told("d")}})
	if got := seqs(open(t, dir)); !reflect.DeepEqual(got, []int64{51, 52}) {
		t.Errorf("pending %v", got)
	}
	for _, silly := range []int64{-1, 1 << 60} {
		if err := j.Acknowledge(silly, start); err != nil || len(seqs(j)) != 2 {
			t.Errorf("acknowledging %d: %v, pending %v", silly, err, seqs(j))
		}
	}
}

func TestPendingHoldsItsLimits(t *testing.T) {
	j := open(t, t.TempDir())
	for range 10 {
		save(t, j, Change{Outcomes: []wire.Outcome{told("a")}})
	}
	if n := len(j.Pending(3, 1<<20)); n != 3 {
		t.Errorf("%d of at most 3", n)
	}
	if n := len(j.Pending(100, 700)); n != 2 {
		t.Errorf("%d in 700 bytes", n)
	}
	if n := len(j.Pending(100, 1)); n != 1 {
		t.Errorf("%d in too little room; one must go", n)
	}
}

func TestLargeJournalIsWrittenAnew(t *testing.T) {
	dir := memory{}
	j, err := Open(dir, start)
	if err != nil {
		t.Fatal(err)
	}
	long := job("a", wire.StepWaiting)
	for i := range 2000 {
		long.Why = fmt.Sprintf("%0500d", i)
		save(t, j, Change{Jobs: []Job{long}})
	}
	if n := len(dir[Name]); n > 2*large {
		t.Errorf("%d bytes", n)
	}
	if again, err := Read(dir); err != nil || again.Jobs()[0].Why != long.Why {
		t.Errorf("the last state is lost: %v", err)
	}
}

// failing is a directory whose logs fail when told to.
type failing struct {
	disk.OS
	fail *bool
}

type failingLog struct {
	disk.Log
	fail *bool
}

func (f failing) Log(name string, size int64) (disk.Log, error) {
	l, err := f.OS.Log(Name, size)
	return failingLog{l, f.fail}, err
}

func (l failingLog) Append(data []byte) error {
	if *l.fail {
		return errors.Join(l.Log.Append(data[:len(data)/2]), errors.New("no space left"))
	}
	return l.Log.Append(data)
}

func TestFailedSaveChangesNothingAndTheNextOneWorks(t *testing.T) {
	d, err := disk.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	fail := false
	j, err := Open(failing{d, &fail}, start)
	if err != nil {
		t.Fatal(err)
	}
	fail = true
	if err := j.Save(Change{Jobs: []Job{job("a", wire.StepWaiting)}, Outcomes: []wire.Outcome{told("a")}}); err == nil || len(j.Jobs()) > 0 {
		t.Errorf("%v, jobs %v", err, j.Jobs())
	}
	fail = false
	save(t, j, Change{Jobs: []Job{job("b", wire.StepWaiting)}, Outcomes: []wire.Outcome{told("b")}})
	again, err := Read(d)
	if err != nil || len(again.Jobs()) != 1 || again.Jobs()[0].ID != "b" || !reflect.DeepEqual(seqs(again), []int64{1}) {
		t.Errorf("%v, jobs %v, pending %v", err, again.Jobs(), seqs(again))
	}
}

// memory is a directory that is quick.
type memory map[string][]byte

type memoryLog struct {
	m    memory
	name string
}

func (m memory) Read(name string) ([]byte, error) {
	if data, ok := m[Name]; ok {
		return data, nil
	}
	return nil, fs.ErrNotExist
}

func (m memory) Write(name string, data []byte) error { m[Name] = data; return nil }
func (m memory) Remove(name string) error             { delete(m, name); return nil }

func (m memory) Log(name string, size int64) (disk.Log, error) {
	m[name] = m[name][:size:size]
	return memoryLog{m, name}, nil
}

func (l memoryLog) Append(data []byte) error { l.m[l.name] = append(l.m[l.name], data...); return nil }
func (l memoryLog) Close() error             { return nil }

// TestReadingBackGivesTheSameState: whatever is saved, reading it back gives the same.
func TestReadingBackGivesTheSameState(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		j, err := Open(memory{}, start)
		if err != nil {
			r.Fatal(err)
		}
		id := rapid.SampledFrom([]string{"a", "b", "c"})
		for range rapid.IntRange(1, 20).Draw(r, "changes") {
			var err error
			switch rapid.IntRange(0, 3).Draw(r, "kind") {
			case 0:
				err = j.Save(Change{Jobs: []Job{job(id.Draw(r, "job"), wire.StepWaiting)}})
			case 1:
				err = j.Save(Change{Outcomes: []wire.Outcome{told(id.Draw(r, "job")), told(id.Draw(r, "job"))}})
			case 2:
				err = j.Save(Change{Dropped: []string{id.Draw(r, "job")}})
			case 3:
				err = j.Acknowledge(rapid.Int64Range(0, 30).Draw(r, "through"), start)
			}
			if err != nil {
				r.Fatal(err)
			}
		}
		again, err := Read(j.dir)
		if err != nil {
			r.Fatal(err)
		}
		if !reflect.DeepEqual(again.Jobs(), j.Jobs()) || !reflect.DeepEqual(seqs(again), seqs(j)) || again.state.Next != j.state.Next {
			r.Errorf("is %+v, was %+v", again.state, j.state)
		}
		for i, n := range seqs(j) {
			if n >= j.state.Next || i > 0 && n <= seqs(j)[i-1] {
				r.Errorf("numbers %v, next %d", seqs(j), j.state.Next)
			}
		}
	})
}

func FuzzJournal(f *testing.F) {
	good, err := line(Change{Jobs: []Job{job("a", wire.StepWaiting)}, Outcomes: []wire.Outcome{told("a")}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add(append(good, good[:20]...))
	f.Add([]byte("00000000 {}\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		changes, skipped := parse(data)
		s := state{Next: 1, Jobs: map[string]Job{}}
		for _, c := range changes {
			s.apply(c)
		}
		if len(changes)+skipped > bytes.Count(data, []byte{'\n'})+1 {
			t.Errorf("%d lines and %d skipped of %q", len(changes), skipped, data)
		}
	})
}
