package main

import (
	"context"
	"slices"
	"time"

	"patchbay/server/assess"
	"patchbay/server/bulletin"
	"patchbay/server/store"
)

// recalls are invented: one update that its maker recalled, one that the MSP's own people do
// not want, and one that makes trouble where it is installed.
func recalls(now time.Time) *assess.Recalls {
	return assess.NewRecalls([]assess.Recall{
		{Feed: "vendors", ID: "KB5044030-recalled", Back: true, Publisher: "Its maker", Provider: "winupdate", KB: "KB5044030", Since: now.Add(-5 * time.Hour),
			Trouble: "Programs that use an older framework do not start after it.", Source: "https://vendor.example.test/release-health/5044030"},
		{Feed: "own-recalls", ID: "tzdata-2024b", Own: true, Publisher: "Example MSP", Provider: "apt", Name: "tzdata", Versions: []string{"2024b-0+deb12u1"},
			Since: now.Add(-26 * time.Hour), Trouble: "The calendar of the booking system is an hour off after it."},
		{Feed: "own-recalls", ID: "bash-b8", Own: true, Publisher: "Example MSP", Provider: "apt", Name: "bash", Versions: []string{"5.2.15-2+b8"},
			Since: now.Add(-2 * time.Hour), Trouble: "Scripts of the backup stop half-way."},
	})
}

// recalled are the recalls as they are known: none in the month that is made up before.
func (w *world) recalled() *assess.Recalls {
	if now := time.Now(); now.Sub(w.now()) < time.Hour {
		return w.recalls
	}
	return nil
}

// news has bulletins come in over some days.
func (w *world) news(ctx context.Context, now time.Time) error {
	of := func(kind bulletin.Kind, feed, id, title string, cves ...string) bulletin.Bulletin {
		return bulletin.Bulletin{ID: id, Kind: kind, Feed: feed, Title: title, CVEs: cves, Published: now.Add(-6 * day)}
	}
	var month []string
	for _, a := range advisories {
		month = append(month, a.number)
	}
	monthly := of(bulletin.Monthly, "msrc", "2026-Nov", "Microsoft's security updates of 2026-Nov", month...)
	monthly.Updates = []string{"KB5044030", "KB5044033", "KB5044284", "KB5044285"}
	band := of(bulletin.OutOfBand, "msrc", "2026-Nov-24", "Microsoft's security updates of 24 November 2026, outside its monthly day", "CVE-2026-910001")
	band.Updates = []string{"KB5049999"}
	recalled := of(bulletin.Recalled, "vendors", "KB5044030-recalled", "Programs that use an older framework do not start after it.")
	recalled.Updates = []string{"KB5044030"}
	trouble := of(bulletin.Trouble, "own-recalls", "tzdata-2024b", "The calendar of the booking system is an hour off after it.")
	trouble.Updates = []string{"tzdata 2024b-0+deb12u1"}
	over := of(bulletin.Trouble, "own-recalls", "cups-old", "Printers stop after a day.")
	for _, one := range []struct {
		age time.Duration
		of  bulletin.Bulletin
	}{
		{21 * day, of(bulletin.New, "osv-debian", "DEBIAN-CVE-2026-900011", "systemd: a unit may be started by another user than it says", "CVE-2026-900011")},
		{14 * day, monthly},
		{6 * day, of(bulletin.Exploited, "kev", "CVE-2026-900001", "An invented fault in how keys are read", "CVE-2026-900001")},
		{5 * day, of(bulletin.Exploited, "kev", "CVE-2026-910002", "A mail gateway that nobody here has", "CVE-2026-910002")},
		{4 * day, band},
		{3 * day, of(bulletin.Fixed, "osv-debian", "DEBIAN-CVE-2026-900007", "postgresql-15: a view may be read around its rules", "CVE-2026-900007")},
		{2 * day, over},
		{26 * time.Hour, trouble},
		{day, of(bulletin.Exploited, "kev", "CVE-2026-900006", "An invented fault in how requests with a very long first line are taken apart, as told by whoever found it first", "CVE-2026-900006")},
		{9 * time.Hour, of(bulletin.Raised, "osv-debian", "DEBIAN-CVE-2026-900002", "", "CVE-2026-900002")},
		{5 * time.Hour, recalled},
	} {
		said := []bulletin.Said{{Source: one.of.Feed}, {Source: one.of.Feed, Key: string(one.of.Kind) + one.of.ID, News: func(func(string) bool) bulletin.Bulletin { return one.of }}}
		for i := range said {
			if _, err := w.store.MSP(store.Who{ID: "system"}).Learn(ctx, now.Add(-one.age), slices.Values(said[:i+1])); err != nil {
				return err
			}
		}
	}
	return nil
}
