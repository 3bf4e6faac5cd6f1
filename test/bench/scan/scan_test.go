//go:build linux

// Package scan_test measures what looking at this machine costs, against what apt itself
// spends on the same question.
package scan_test

import (
	"log/slog"
	"syscall"
	"testing"
	"time"

	"patchbay/agent/facts"
	"patchbay/provider"
	"patchbay/provider/apt"
	"patchbay/provider/host"
)

// BenchmarkScan gives the processor time of a first scan as a ratio to that of apt's own
// simulation of an upgrade, taken in turns, and that of a scan when nothing has changed.
func BenchmarkScan(b *testing.B) {
	var first, again, simulated time.Duration
	n := 0
	for b.Loop() {
		p := fresh(b)
		start := spent(b)
		scan(b, p)
		middle := spent(b)
		scan(b, p)
		end := spent(b)
		if _, err := (host.Host{}).Run(b.Context(), provider.Command{Args: []string{"apt-get", "-s", "dist-upgrade"}}); err != nil {
			b.Fatal(err)
		}
		first, again, simulated = first+middle-start, again+end-middle, simulated+spent(b)-end
		n++
	}
	ms := func(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 / float64(n) }
	b.ReportMetric(ms(first), "first-cpu-ms")
	b.ReportMetric(ms(again), "unchanged-cpu-ms")
	b.ReportMetric(ms(simulated), "apt-cpu-ms")
	b.ReportMetric(float64(first)/float64(simulated), "ratio")
}

// fresh is a provider that has not looked yet.
func fresh(b *testing.B) provider.Provider {
	env := provider.Env{Host: host.Host{}, Log: slog.New(slog.DiscardHandler), Now: time.Now}
	p, err := apt.Kind().Open(b.Context(), env)
	if err != nil {
		b.Skip("needs a machine with apt: ", err)
	}
	return p
}

// scan is what the agent does each time it looks: installed, on offer, facts.
func scan(b *testing.B, p provider.Provider) {
	if _, err := p.Installed(b.Context()); err != nil {
		b.Fatal(err)
	}
	if _, err := p.Available(b.Context()); err != nil {
		b.Skip("apt's own state here is not whole: ", err)
	}
	if _, err := facts.Collect(b.Context(), host.Host{}); err != nil {
		b.Fatal(err)
	}
}

// spent is the processor time of this process and of all that it waited for.
func spent(b *testing.B) time.Duration {
	var total time.Duration
	for _, who := range []int{syscall.RUSAGE_SELF, syscall.RUSAGE_CHILDREN} {
		var u syscall.Rusage
		if err := syscall.Getrusage(who, &u); err != nil {
			b.Fatal(err)
		}
		total += time.Duration(u.Utime.Nano() + u.Stime.Nano())
	}
	return total
}
