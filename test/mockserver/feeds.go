package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"patchbay/server/catalog/feeds"
	"patchbay/wire"
)

// world's feeds: most are fresh, and one each is old, failing, held, got at this moment and
// not here yet.
type inventedFeeds struct {
	mu  sync.Mutex
	all []feeds.Status
}

func newFeeds(now time.Time, empty bool) *inventedFeeds {
	if empty {
		return &inventedFeeds{}
	}
	ago := func(d time.Duration) time.Time { return now.Add(-d) }
	version := func(name string, records int, size int64, fetched time.Duration, c feeds.Change) *feeds.Version {
		return &feeds.Version{SHA256: strings.Repeat(fmt.Sprintf("%02x", len(name)), 32), FetchedAt: ago(fetched), Files: make([]feeds.File, 1), Size: size, Records: records, Change: c}
	}
	one := func(name, kind, from string, every, age time.Duration, records int, size int64, c feeds.Change) feeds.Status {
		return feeds.Status{Name: name, Kind: kind, From: []string{from}, Every: every, Generation: 41, Current: version(name, records, size, age+every, c),
			FreshAt: ago(age), CheckedAt: ago(age), Next: ago(age).Add(every)}
	}
	all := []feeds.Status{
		one("debian-tracker", "debian", "https://security-tracker.debian.org/tracker/data/json", 3*time.Hour, 40*time.Minute, 43_812, 71_500_000, feeds.Change{Before: 43_790, Added: 22, Changed: 61}),
		one("osv-ubuntu", "osv", "https://osv-vulnerabilities.storage.googleapis.com/Ubuntu/all.zip", 3*time.Hour, 95*time.Minute, 58_203, 142_000_000, feeds.Change{Before: 58_190, Added: 13, Changed: 240}),
		one("osv-almalinux", "osv", "https://osv-vulnerabilities.storage.googleapis.com/AlmaLinux/all.zip", 3*time.Hour, 96*time.Minute, 4_107, 12_400_000, feeds.Change{Before: 4_107}),
		one("osv-suse", "osv", "https://osv-vulnerabilities.storage.googleapis.com/SUSE/all.zip", 3*time.Hour, 9*time.Hour, 21_944, 88_000_000, feeds.Change{Before: 21_941, Added: 3}),
		one("kev", "kev", "https://www.cisa.gov/sites/default/files/feeds/known_exploited_vulnerabilities.json", time.Hour, 12*time.Minute, 1_492, 1_430_000, feeds.Change{Before: 1_490, Added: 2}),
		one("epss", "epss", "https://epss.empiricalsecurity.com/epss_scores-current.csv.gz", 12*time.Hour, 5*time.Hour, 361_204, 2_310_000, feeds.Change{Before: 360_980, Added: 224, Changed: 298_112}),
		one("ssvc", "ssvc", "https://codeload.github.com/cisagov/vulnrichment/zip/refs/heads/develop", 24*time.Hour, 4*time.Hour, 71_003, 190_000_000, feeds.Change{Before: 70_871, Added: 132, Changed: 4}),
		one("nvd", "nvd", "https://nvd.nist.gov/feeds/json/cve/2.0/nvdcve-2.0-{year:2002}.json.gz", 24*time.Hour, 21*time.Hour, 322_518, 131_000_000, feeds.Change{Before: 322_302, Added: 216, Changed: 1_906, Removed: 1}),
		one("msrc", "msrc", "https://api.msrc.microsoft.com/cvrf/v3.0/cvrf/{month:2024-01}", 6*time.Hour, 9*24*time.Hour, 48_330, 96_000_000, feeds.Change{Before: 47_102, Added: 1_228}),
		{Name: "endoflife", Kind: "endoflife", From: []string{"https://endoflife.date/api/v1/products/full"}, Every: 24 * time.Hour, Busy: true, Next: now},
		{Name: "own-list", Kind: "osv", Generation: 2, Current: version("own-list", 12, 18_000, 30*time.Hour, feeds.Change{Before: 12}), FreshAt: ago(30 * time.Hour), CheckedAt: ago(30 * time.Hour)},
	}
	all = append(all, one("osv-debian", "osv", "https://osv-vulnerabilities.storage.googleapis.com/Debian/all.zip", 3*time.Hour, 50*time.Minute, 61_004, 160_000_000, feeds.Change{Before: 61_001, Added: 3, Changed: 12}))
	all[1].Trouble = &feeds.Trouble{Text: "https://osv-vulnerabilities.storage.googleapis.com/Ubuntu/all.zip: its publisher answered 502 Bad Gateway.", Since: ago(70 * time.Minute), At: ago(9 * time.Minute), Tries: 4}
	all[3].Held = version("osv-suse-held", 15_310, 61_000_000, 3*time.Hour, feeds.Change{Before: 21_944, Added: 6, Removed: 6_640})
	all[3].Why, all[3].CheckedAt = "Of 21944 records 6640 vanished. More than 20 % in a day is held until a person has looked.", ago(15*time.Minute)
	all[1].Next, all[3].Next, all[8].Next = now.Add(31*time.Minute), now.Add(2*time.Hour), now.Add(4*time.Hour)
	all[6].Current.Refused, all[6].Current.Reasons = 3, []string{`SSVC record 812 ("CVE-2024-0001x"): its id is no CVE number`}
	all[8].Trouble = &feeds.Trouble{Text: "https://api.msrc.microsoft.com/cvrf/v3.0/cvrf/2026-Sep: it breaks off after record 212: unexpected EOF.", Since: ago(8 * 24 * time.Hour), At: ago(2 * time.Hour), Tries: 34}
	all[10].Current.Imported = true
	slices.SortFunc(all, func(a, b feeds.Status) int { return strings.Compare(a.Name, b.Name) })
	return &inventedFeeds{all: all}
}

// Status tells of all.
func (f *inventedFeeds) Status() []feeds.Status {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.all)
}

func (f *inventedFeeds) change(name string, with func(*feeds.Status) error) (feeds.Status, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	i := slices.IndexFunc(f.all, func(s feeds.Status) bool { return s.Name == name })
	if i < 0 {
		return feeds.Status{}, feeds.ErrUnknown
	}
	err := with(&f.all[i])
	return f.all[i], err
}

// Ask has one be got for ever.
func (f *inventedFeeds) Ask(name string) error {
	_, err := f.change(name, func(s *feeds.Status) error {
		s.Busy = true
		return nil
	})
	return err
}

// Accept lets the held version in.
func (f *inventedFeeds) Accept(name, sha256 string, noted func(feeds.Status) error) (feeds.Status, error) {
	return f.change(name, func(s *feeds.Status) error {
		if s.Held == nil || s.Held.SHA256 != sha256 {
			return feeds.ErrNotHeld
		}
		if err := noted(*s); err != nil {
			return err
		}
		s.Current, s.Held, s.Why, s.FreshAt = s.Held, nil, "", s.CheckedAt
		return nil
	})
}

// Import takes nothing.
func (f *inventedFeeds) Import(context.Context, io.Reader, func(*wire.Envelope) error, func(feeds.Manifest) error) ([]feeds.Imported, error) {
	return nil, errors.New("the mock server takes no bundles")
}
