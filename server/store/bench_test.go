package store

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"patchbay/patch"
	"patchbay/wire"
)

// BenchmarkReceive takes check-ins of many agents at once, each with an outcome and a
// changed section of 30 updates.
func BenchmarkReceive(b *testing.B) {
	for name, url := range map[string]func(testing.TB) string{"sqlite": sqliteFile, "postgres": postgresURL} {
		b.Run(name, func(b *testing.B) {
			s := open(b, url(b))
			c := founded(b, s, "a")
			const agents = 64
			for i := range agents {
				c.enroll(b, fmt.Sprint("agt_n", i), fmt.Sprint("dev_n", i))
			}
			sections := []wire.Section{offering(b, day0, many("1")...), offering(b, day0, many("2")...)}
			var next atomic.Int64
			b.SetParallelism(agents)
			b.ResetTimer()
			b.RunParallel(func(p *testing.PB) {
				who := (next.Add(1) - 1) % agents
				agent, device := fmt.Sprint("agt_n", who), fmt.Sprint("dev_n", who)
				for seq := int64(1); p.Next(); seq++ {
					c.receive(b, day0, wire.CheckIn{Agent: agent,
						Devices:  []wire.DeviceReport{{Device: device, ScannedAt: day0, Sections: sections[seq%2 : seq%2+1]}},
						Outcomes: []wire.Outcome{{Seq: seq, Device: device, Job: "job_1", Step: wire.StepStaging, Result: wire.ResultOK, At: day0}}})
				}
			})
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "checkins/s")
		})
	}
}

// many is thirty offers, of which one is another for every version.
func many(version string) []string {
	var all []string
	for i := range 30 {
		all = append(all, fmt.Sprint("package-", i), "1")
	}
	all[1] = version
	return all
}

// BenchmarkTouch writes the last-seen times of a thousand agents.
func BenchmarkTouch(b *testing.B) {
	for name, url := range map[string]func(testing.TB) string{"sqlite": sqliteFile, "postgres": postgresURL} {
		b.Run(name, func(b *testing.B) {
			s := open(b, url(b))
			c := founded(b, s, "a")
			var touches []Touch
			for i := range 1000 {
				agent, device := fmt.Sprint("agt_n", i), fmt.Sprint("dev_n", i)
				c.enroll(b, agent, device)
				touches = append(touches, Touch{Agent: agent, Device: device})
			}
			b.ResetTimer()
			for n := range b.N {
				at := day0.Add(time.Duration(n+1) * time.Second)
				for i := range touches {
					touches[i].LastSeen, touches[i].ScannedAt = at, at
				}
				strange, err := s.MSP(ann).TouchAgents(context.Background(), at, touches)
				ok(b, err)
				if len(strange) > 0 {
					b.Fatalf("%d agents are strange", len(strange))
				}
				for i := range touches {
					touches[i].Known = at
				}
			}
			b.ReportMetric(1000*float64(b.N)/b.Elapsed().Seconds(), "agents/s")
		})
	}
}

// BenchmarkReceiveLarge takes a first check-in: 2,000 installed items, 60 updates.
func BenchmarkReceiveLarge(b *testing.B) {
	s := open(b, sqliteFile(b))
	c := founded(b, s, "a")
	var items []patch.Item
	for i := range 2000 {
		items = append(items, patch.Item{Provider: "apt", Name: fmt.Sprint("package-", i), Architecture: "amd64", Version: "1.2.3-4", Origin: "Debian"})
	}
	for n := range b.N {
		b.StopTimer()
		c.agent, c.device = fmt.Sprint("agt_n", n), fmt.Sprint("dev_n", n)
		c.enroll(b, c.agent, c.device)
		in := c.report(day0, good(b, day0, "apt/installed", items), offering(b, day0, append(many("1"), many("2")...)...))
		b.StartTimer()
		c.receive(b, day0, in)
	}
}
