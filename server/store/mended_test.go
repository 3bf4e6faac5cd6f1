package store

import (
	"context"
	"testing"
	"time"
)

// TestWhatWasMendedIsKeptOnce: told again it is the same, and every device has its own time.
func TestWhatWasMendedIsKeptOnce(t *testing.T) {
	both(t, func(t *testing.T, s *Store) {
		ctx := context.Background()
		a, b := founded(t, s, "alpha"), founded(t, s, "beta")
		change := func(c company, to string, at time.Time, cves ...string) Mended {
			return Mended{Device: c.device, Item: "nginx", From: "1", To: to, CVEs: cves, At: at}
		}
		first := change(a, "2", day0, "CVE-2026-0002", "CVE-2026-0001", "CVE-2026-0001")
		ok(t, a.RecordMended(ctx, day0, []Mended{first, change(a, "", day0.Add(time.Hour), "CVE-2026-0001")}))
		ok(t, a.RecordMended(ctx, day0, []Mended{change(a, "2", day0, "CVE-2026-0001", "CVE-2026-0002")}))
		ok(t, b.RecordMended(ctx, day0, []Mended{change(b, "2", day0.Add(2*time.Hour), "CVE-2026-0001", "CVE-2026-0002")}))
		for _, c := range []struct {
			cve, customer string
			most          int
			want          []string // devices and versions, the newest first
		}{
			{"CVE-2026-0001", "", 0, []string{b.device + " 2", a.device + " ", a.device + " 2"}},
			{"CVE-2026-0001", "", 2, []string{b.device + " 2", a.device + " "}},
			{"CVE-2026-0001", a.id, 0, []string{a.device + " ", a.device + " 2"}},
			{"CVE-2026-0002", "", 0, []string{b.device + " 2", a.device + " 2"}},
			{"CVE-2026-0003", "", 0, nil},
			{"", "", 0, nil},
		} {
			count, err := s.MSP(ann).CountMended(ctx, c.cve, c.customer)
			ok(t, err)
			if c.most == 0 && (count.Devices == 0) != (len(c.want) == 0) || c.cve == "CVE-2026-0001" && c.customer == "" && (count.Devices != 2 || !count.First.Equal(day0) || !count.Last.Equal(day0.Add(2*time.Hour))) {
				t.Errorf("%+v: %+v", c, count)
			}
			got, err := s.MSP(ann).Mended(ctx, c.cve, c.customer, c.most)
			ok(t, err)
			if len(got) != len(c.want) {
				t.Errorf("%+v: %+v", c, got)
				continue
			}
			for i, m := range got {
				if m.Device+" "+m.To != c.want[i] || m.Item != "nginx" || m.From != "1" || m.Customer == "" || m.At.Before(day0) {
					t.Errorf("%+v: %+v", c, m)
				}
			}
		}
	})
}
