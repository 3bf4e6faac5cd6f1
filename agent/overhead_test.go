package agent

import (
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"patchbay/agent/disk"
	"patchbay/wire"
)

// kept is one write of the agent.
type kept struct {
	name   string
	data   []byte
	append bool
}

// writes are those to a disk, in order.
type writes struct {
	mu  sync.Mutex // worker and talker both write
	all []kept
}

func (w *writes) add(k kept) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.all = append(w.all, k)
}

// recording notes what is written to a disk.
type recording struct {
	*memory
	writes *writes
}

func (r recording) Write(name string, data []byte) error {
	r.writes.add(kept{name, data, false})
	return r.memory.Write(name, data)
}

func (r recording) Log(name string, size int64) (disk.Log, error) {
	l, err := r.memory.Log(name, size)
	return recordedLog{l, name, r.writes}, err
}

type recordedLog struct {
	disk.Log
	name   string
	writes *writes
}

func (l recordedLog) Append(data []byte) error {
	l.writes.add(kept{l.name, data, true})
	return l.Log.Append(data)
}

// TestWhatAJobCostsTheDisk counts what one job, from orders to acknowledged receipt, writes
// and syncs, and does the same on a real disk, beside the bare writes without a sync.
func TestWhatAJobCostsTheDisk(t *testing.T) {
	var noted writes
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		defer w.end()
		o := w.options()
		o.Disk = recording{w.disk, &noted}
		w.startWith(o)
		pass(time.Minute) // enrolled, scanned, told, idle
		noted.mu.Lock()
		noted.all = nil
		noted.mu.Unlock()
		j := job("curl", "1.0", "1.1")
		w.order(j)
		pass(time.Minute)
		if w.last(j).Step != wire.StepDone {
			t.Fatal("the job is not done")
		}
	})
	all := noted.all // the agent has ended
	bytes, syncs := 0, 0
	for _, k := range all {
		bytes += len(k.data)
		if syncs++; !k.append {
			syncs++ // the folder, after the file
		}
	}
	const times = 20
	synced, bare := replay(t, all, times)
	fmt.Printf("FIGURE journal_syncs_per_job %d - writes %d %.2f <=30\n", syncs, len(all), float64(syncs)/float64(len(all)))
	fmt.Printf("FIGURE journal_time_per_job %.2f ms the_same_unsynced %.2f %.1f <=1000\n", synced, bare, synced/bare)
	t.Logf("one job: %d writes, %d syncs, %d bytes", len(all), syncs, bytes)
	if syncs > 30 {
		t.Errorf("one job syncs %d times", syncs)
	}
}

// replay makes the writes on a real disk so many times, and gives the milliseconds of one
// time: as the agent makes them, and bare.
func replay(t *testing.T, all []kept, times int) (synced, bare float64) {
	t.Helper()
	dir, err := disk.Open(filepath.Join(t.TempDir(), "state"))
	if err != nil {
		t.Fatal(err)
	}
	log, err := dir.Log("journal", 0)
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	began := time.Now()
	for range times {
		for _, k := range all {
			if k.append {
				err = log.Append(k.data)
			} else {
				err = dir.Write(k.name, k.data)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	synced = float64(time.Since(began).Microseconds()) / 1000 / float64(times)
	began = time.Now()
	for range times {
		for _, k := range all {
			if err := os.WriteFile(filepath.Join(dir.Path(), k.name), k.data, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	return synced, float64(time.Since(began).Microseconds()) / 1000 / float64(times)
}
