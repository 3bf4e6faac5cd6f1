package api

import (
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"patchbay/test/bench/exposure"
)

// BenchmarkWhoIsExposed asks over HTTP, in turns, for a CVE of one package and for one that
// every affected device has, of 20,000 devices.
func BenchmarkWhoIsExposed(b *testing.B) {
	w := newWorld(b, false).signedIn()
	w.options.Fleet = exposure.Reference(20_000, w.now)
	s, err := New(w.options)
	if err != nil {
		b.Fatal(err)
	}
	w.server.Close()
	w.server = httptest.NewServer(s)
	var all []time.Duration
	size := 0
	for b.Loop() {
		for _, id := range []string{exposure.Shared, exposure.Spread} {
			began := time.Now()
			status, body := w.call("GET", "/findings/"+id, nil)
			all = append(all, time.Since(began))
			if status != 200 {
				b.Fatalf("%d, %s", status, body)
			}
			size = max(size, len(body))
		}
	}
	slices.Sort(all)
	b.ReportMetric(float64(all[len(all)*95/100].Microseconds())/1000, "p95-ms")
	b.ReportMetric(float64(size)/1024, "KB")
}
