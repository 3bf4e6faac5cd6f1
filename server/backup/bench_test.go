package backup

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"patchbay/server/store"
)

// BenchmarkBackup saves and restores fleets of two sizes: the memory must not grow with them.
func BenchmarkBackup(b *testing.B) {
	for _, devices := range []int{2_000, 50_000} {
		b.Run(fmt.Sprint(devices, " devices"), func(b *testing.B) {
			p := large(b, devices)
			b.ResetTimer()
			for range b.N {
				file := filepath.Join(b.TempDir(), "x")
				took, peak := watched(b, func() error { _, err := Make(context.Background(), options(p, file)); return err })
				info, err := os.Stat(file)
				ok(b, err)
				b.ReportMetric(took.Seconds(), "s/backup")
				b.ReportMetric(peak, "MB-peak/backup")
				b.ReportMetric(float64(info.Size())/(1<<20), "MB-file")
				to := empty(b, file)
				took, peak = watched(b, func() error { _, err := Restore(context.Background(), to); return err })
				b.ReportMetric(took.Seconds(), "s/restore")
				b.ReportMetric(peak, "MB-peak/restore")
			}
		})
	}
}

// watched measures the time and the largest heap while something runs.
func watched(b *testing.B, do func() error) (took time.Duration, peak float64) {
	b.Helper()
	var most atomic.Uint64
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for tick := time.NewTicker(10 * time.Millisecond); ; {
			select {
			case <-stop:
				tick.Stop()
				return
			case <-tick.C:
				var m runtime.MemStats
				runtime.ReadMemStats(&m)
				most.Store(max(most.Load(), m.HeapInuse))
			}
		}
	}()
	runtime.GC()
	began := time.Now()
	ok(b, do())
	took = time.Since(began)
	close(stop)
	<-stopped
	return took, float64(most.Load()) / (1 << 20)
}

// large is an installation whose devices each have sections of about 10 kB, half of which
// does not pack.
func large(b *testing.B, devices int) Place {
	b.Helper()
	small := founded(b, 1)
	s, err := store.Open(b.Context(), small.Database)
	ok(b, err)
	var template []store.Line
	var schema int64
	ok(b, s.MSP(who()).Dump(b.Context(), func(d store.Dump) error {
		schema = d.Schema
		return d.Lines(b.Context(), func(l store.Line) error {
			template = append(template, store.Line{Table: l.Table, Text: bytes.Clone(l.Text)})
			return nil
		})
	}))
	ok(b, s.Close())
	p := Place{Data: small.Data, Database: "sqlite:" + filepath.Join(b.TempDir(), "large.db")}
	filled, err := store.Load(b.Context(), p.Database, schema, grown(template, devices))
	ok(b, err)
	ok(b, filled.Close())
	return p
}

// grown gives the rows of the one agent and device for many, and a section for each.
func grown(template []store.Line, devices int) func() (store.Line, error) {
	random := rand.New(rand.NewPCG(1, 2))
	at, copies := 0, 0
	return func() (store.Line, error) {
		if at == len(template) {
			return store.Line{}, io.EOF
		}
		line := template[at]
		named := at == 0 || template[at-1].Table != line.Table
		section := line.Table == "section"
		if (line.Table == "agent" || line.Table == "device") && !named || section && copies > 0 {
			number := fmt.Sprintf("_%06d", copies-map[bool]int{true: 1}[section])
			line.Text = bytes.ReplaceAll(line.Text, []byte("_000000"), []byte(number))
			if section {
				body := make([]byte, 4000)
				for i := range body {
					body[i] = "0123456789abcdef"[random.IntN(16)]
				}
				line.Text = fmt.Appendf(nil, `["cus_a","dev%s","apt/installed","hash","ok","",1,null,%q]`, number, string(body)+string(bytes.Repeat([]byte("abcd"), 1500)))
			}
			copies++
			if copies < devices || section && copies <= devices {
				return line, nil
			}
		} else if section {
			copies = 1
			return line, nil
		}
		at, copies = at+1, 0
		return line, nil
	}
}
