//go:build linux

package scan_test

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"patchbay/agent/facts"
	"patchbay/provider/host"
)

// The processes that a machine has beside its own.
const (
	idle     = 300
	idlesOld = 30 // of them with a program that is not there any more
)

// BenchmarkRunning gives the processor time of the facts where so many more processes run,
// each with the system's own libraries mapped, some with replaced files.
func BenchmarkRunning(b *testing.B) {
	run := start(b)
	var spentAll time.Duration
	seen, n := 0, 0
	for b.Loop() {
		before := spent(b)
		f, err := facts.Collect(b.Context(), host.Host{})
		if err != nil {
			b.Fatal(err)
		}
		spentAll += spent(b) - before
		for _, u := range f.Restart.Old {
			seen += u.Processes
		}
		n++
	}
	if seen < run*n {
		b.Fatalf("of %d processes with replaced files, %d were seen", run, seen/n)
	}
	b.ReportMetric(float64(spentAll.Microseconds())/1000/float64(n), "cpu-ms")
	b.ReportMetric(float64(seen)/float64(n), "old")
}

// start starts the processes and says how many run without their program's file. Only root
// may put a program where packages put theirs.
func start(b *testing.B) (old int) {
	dir, err := os.MkdirTemp("/opt", "patchbay-bench-")
	program := "/bin/sleep"
	if err == nil {
		b.Cleanup(func() { os.RemoveAll(dir) })
		program = filepath.Join(dir, "sleep")
		replaceable(b, program)
		old = idlesOld
	}
	for range old {
		sleep(b, program)
	}
	if old > 0 {
		if err := os.Remove(program); err != nil {
			b.Fatal(err)
		}
	}
	for range idle - old {
		sleep(b, "/bin/sleep")
	}
	return old
}

func replaceable(b *testing.B, program string) {
	from, err := os.Open("/bin/sleep")
	if err != nil {
		b.Fatal(err)
	}
	defer from.Close()
	to, err := os.OpenFile(program, os.O_CREATE|os.O_WRONLY, 0o755)
	if err != nil {
		b.Fatal(err)
	}
	if _, err := io.Copy(to, from); err != nil {
		b.Fatal(err)
	}
	if err := to.Close(); err != nil {
		b.Fatal(err)
	}
}

// sleep starts one that sleeps until the bench is over. It runs by then: starting waits for that.
func sleep(b *testing.B, program string) {
	cmd := exec.Command(program, "3600")
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
}
