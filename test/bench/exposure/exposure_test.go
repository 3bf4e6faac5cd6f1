package exposure

import (
	"bytes"
	"compress/gzip"
	"io"
	"os"
	"runtime"
	"slices"
	"syscall"
	"testing"
	"time"

	"patchbay/patch"
	"patchbay/provider"
	"patchbay/server/catalog/kinds"
	"patchbay/server/catalog/listing"
	"patchbay/server/catalog/priority"
	"patchbay/server/knowledge"
	"patchbay/server/view"
	"patchbay/wire"
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

// debian12 is what a real machine tells of its packages, and a source of the advisories for it.
func debian12(b *testing.B) ([]patch.Item, knowledge.Source) {
	b.Helper()
	const folder = "../../../server/catalog/match/testdata/debian12/"
	unpacked := func(name string) ([]byte, error) {
		f, err := os.Open(folder + name)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		z, err := gzip.NewReader(f)
		if err != nil {
			return nil, err
		}
		return io.ReadAll(z)
	}
	text, err := unpacked("host.tsv.gz")
	if err != nil {
		b.Fatal(err)
	}
	host, err := listing.Read(bytes.NewReader(text), "Debian:12")
	if err != nil {
		b.Fatal(err)
	}
	var items []patch.Item
	for _, it := range host.Items {
		items = append(items, patch.Item{Provider: "apt", Name: it.Name, Architecture: it.Architecture, Version: it.Version, Source: it.Source, SourceVersion: it.SourceVersion, Origin: "Debian"})
	}
	advisories, err := unpacked("advisories.ndjson.gz")
	if err != nil {
		b.Fatal(err)
	}
	return items, knowledge.Source{Name: "osv", Kind: kinds.OSV, Each: func(f func(string, io.Reader) error) error { return f("all.ndjson", bytes.NewReader(advisories)) }}
}

// spent is the processor time that something takes.
func spent(b *testing.B, do func()) time.Duration {
	b.Helper()
	used := func() time.Duration {
		var u syscall.Rusage
		if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
			b.Fatal(err)
		}
		return time.Duration(u.Utime.Nano() + u.Stime.Nano())
	}
	before := used()
	do()
	return used() - before
}

// BenchmarkHost looks through a real machine of some 1,000 packages: the first time, again with
// one package changed, and again with none.
func BenchmarkHost(b *testing.B) {
	items, source := debian12(b)
	facts := wire.Facts{Distro: "debian", Release: "12", Providers: []wire.ProviderFacts{{Name: "apt", Traits: provider.Traits{Versions: patch.SchemeDeb}}}}
	var first, changed, unchanged []time.Duration
	size := 0.0
	for b.Loop() {
		before := heap()
		s, err := knowledge.Load([]knowledge.Source{source}, []string{"debian:12"}, now)
		if err != nil {
			b.Fatal(err)
		}
		size = heap() - before
		found := 0
		first = append(first, spent(b, func() { found = len(s.Compare(facts, "apt", "first", items, priority.Device{}).Found) }))
		if found < 50 {
			b.Fatalf("%d of %d packages are affected", found, len(items))
		}
		other := slices.Clone(items)
		other[len(other)/2].Version += "+1"
		changed = append(changed, spent(b, func() { s.Compare(facts, "apt", "second", other, priority.Device{}) }))
		const times = 1000
		unchanged = append(unchanged, spent(b, func() {
			for range times {
				s.Compare(facts, "apt", "first", items, priority.Device{})
			}
		})/times)
	}
	for name, list := range map[string][]time.Duration{"first": first, "changed": changed, "unchanged": unchanged} {
		slices.Sort(list)
		b.ReportMetric(float64(list[len(list)/2].Nanoseconds())/1e6, name+"-cpu-ms")
	}
	b.ReportMetric(float64(len(items)), "packages")
	b.ReportMetric(size, "heap-MB")
}
