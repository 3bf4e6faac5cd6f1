package exposure

import (
	"runtime"
	"slices"
	"testing"
	"time"

	"patchbay/server/view"
)

var now = time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)

// heap is what is in use, in MB.
func heap() float64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc) / (1 << 20)
}

// BenchmarkNewAdvisory finds the devices that a new advisory names among a million, and says
// what memory all of them take.
func BenchmarkNewAdvisory(b *testing.B) {
	before := heap()
	x := Reference(1_000_000, now)
	took := heap() - before
	named := 0
	var all []time.Duration
	for b.Loop() {
		began := time.Now()
		named = len(x.Having("Debian:12", Package))
		all = append(all, time.Since(began))
	}
	if named == 0 {
		b.Fatal("nobody")
	}
	slices.Sort(all)
	b.ReportMetric(float64(all[len(all)/2].Microseconds())/1000, "median-ms")
	b.ReportMetric(float64(named), "named")
	b.ReportMetric(took, "heap-MB")
	runtime.KeepAlive(x)
}

// BenchmarkWhoIsExposed asks 20,000 devices for a CVE, and for the list of all.
func BenchmarkWhoIsExposed(b *testing.B) {
	x := Reference(20_000, now)
	for _, id := range []string{Shared, Spread} {
		b.Run(id, func(b *testing.B) {
			for b.Loop() {
				if e := x.Exposed(now, view.Filter{}, id); e.Devices == 0 {
					b.Fatal("nobody")
				}
			}
		})
	}
	b.Run("all", func(b *testing.B) {
		for b.Loop() {
			if p := x.Findings(view.Filter{Limit: 100}); p.Total == 0 {
				b.Fatal("nothing")
			}
		}
	})
}
