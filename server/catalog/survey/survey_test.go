package survey_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"patchbay/server/catalog/kinds"
	"patchbay/server/catalog/survey"
)

func advisory(id, cve, at, name, fixed string) string {
	end := ""
	if fixed != "" {
		end = fmt.Sprintf(`,{"fixed":%q}`, fixed)
	}
	return fmt.Sprintf(`{"id":%q,"upstream":[%q],"published":%q,"affected":[{"package":{"ecosystem":"Debian:12","name":%q},"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"}%s]}]}]}`, id, cve, at, name, end)
}

func record(cve, at, product string) string {
	return fmt.Sprintf(`{"cve":{"id":%q,"vulnStatus":"Analyzed","published":%q,"lastModified":%[2]q,"descriptions":[],"metrics":{},"configurations":[{"nodes":[{"operator":"OR","negate":false,"cpeMatch":[{"vulnerable":true,"criteria":"cpe:2.3:a:%s:*:*:*:*:*:*:*:*"}]}]}]}}`, cve, at, product)
}

func records(list ...string) string {
	return fmt.Sprintf(`{"resultsPerPage":%d,"startIndex":0,"totalResults":%[1]d,"format":"NVD_CVE","version":"2.0","timestamp":"2026-11-01T00:00:00.000","vulnerabilities":[%s]}`, len(list), strings.Join(list, ","))
}

const used = `{"title":"x","catalogVersion":"1","dateReleased":"2026-01-01T00:00:00Z","count":2,"vulnerabilities":[
{"cveID":"CVE-2025-0001","vendorProject":"a","product":"b","vulnerabilityName":"c","dateAdded":"2025-02-05","shortDescription":"d","requiredAction":"e","dueDate":"2026-01-26","knownRansomwareCampaignUse":"Known","notes":"","cwes":[]},
{"cveID":"CVE-2019-0001","vendorProject":"PostgreSQL","product":"PostgreSQL","vulnerabilityName":"c","dateAdded":"2022-01-05","shortDescription":"d","requiredAction":"e","dueDate":"2026-01-26","knownRansomwareCampaignUse":"Unknown","notes":"","cwes":[]}]}`

func TestWhatFeedsSayOfAProduct(t *testing.T) {
	g := survey.New("postgresql", "PostgreSQL")
	read := func(feed, kind, text string) {
		t.Helper()
		if err := g.Read(feed, kind, strings.NewReader(text)); err != nil {
			t.Fatal(err)
		}
	}
	read("osv-debian", kinds.OSV, strings.Join([]string{
		advisory("DSA-1", "CVE-2025-0001", "2025-01-20T00:00:00Z", "postgresql-15", "15.1"),
		advisory("DEBIAN-CVE-2025-0002", "CVE-2025-0002", "2025-03-01T00:00:00Z", "postgresql-15", "15.2"), // the CVE's own day
		advisory("DSA-3", "CVE-2026-0003", "2026-02-01T00:00:00Z", "postgresql-15", ""),
		advisory("DSA-4", "CVE-2026-0004", "2026-02-01T00:00:00Z", "postgresql-common", "9"), // another product
		advisory("DSA-1", "CVE-2025-0001", "2025-01-20T00:00:00Z", "postgresql-15", "15.1"),  // again
	}, "\n"))
	read("osv-alma", kinds.OSV, advisory("ALSA-1", "CVE-2025-0001", "2025-01-11T00:00:00Z", "postgresql", "15.1"))
	read("nvd", kinds.NVD, records(record("CVE-2025-0001", "2025-01-01T00:00:00.000", "postgresql:postgresql"), record("CVE-2024-0009", "2024-05-01T00:00:00.000", "postgresql:postgresql"),
		record("CVE-2024-0010", "2024-05-01T00:00:00.000", "other:pgadmin")))
	read("kev", kinds.KEV, used)
	s := g.Survey()
	if want := []survey.Year{{2026, 1, 0}, {2025, 3, 3}, {2024, 1, 0}}; !slices.Equal(s.Years, want) {
		t.Errorf("%+v", s.Years)
	}
	if s.Speed != (survey.Speed{Known: 1, Of: 2, Median: 10, Slow: 10}) {
		t.Errorf("%+v", s.Speed)
	}
	if len(s.Feeds) != 3 || s.Feeds[2].Feed != "osv-debian" || s.Feeds[2].Advisories != 3 || s.CVEs != 4 || len(s.Used) != 2 || s.Used[0].ID != "CVE-2025-0001" || s.Cut {
		t.Errorf("%+v", s)
	}
	if !slices.Equal(s.Packages, []string{"postgresql", "postgresql-15", "postgresql:postgresql"}) {
		t.Errorf("%v", s.Packages)
	}
}

// TestMoreNamesNeverFindLess: and what nothing names is found nowhere.
func TestMoreNamesNeverFindLess(t *testing.T) {
	text := advisory("DSA-1", "CVE-2025-0001", "2025-01-20T00:00:00Z", "curl", "1") + "\n" + advisory("DSA-2", "CVE-2025-0002", "2025-01-20T00:00:00Z", "nginx", "1")
	count := func(names ...string) int {
		g := survey.New(names...)
		if err := g.Read("osv", kinds.OSV, strings.NewReader(text)); err != nil {
			t.Fatal(err)
		}
		return g.Survey().CVEs
	}
	if count() != 0 || count("", " ") != 0 || count("cur") != 0 || count("curl") != 1 || count("CURL", "nginx") != 2 {
		t.Error("names are taken for others")
	}
}

func FuzzRead(f *testing.F) {
	f.Add(kinds.OSV, advisory("DSA-1", "CVE-2025-0001", "2025-01-20T00:00:00Z", "curl", "1"))
	f.Add(kinds.NVD, records(record("CVE-2025-0001", "0001-01-01T00:00:00.000", "haxx:curl")))
	f.Fuzz(func(t *testing.T, kind, text string) {
		g := survey.New("curl")
		_ = g.Read("x", kind, strings.NewReader(text))
		s := g.Survey()
		if s.Speed.Known > s.Speed.Of || s.Speed.Median < 0 || s.Speed.Slow < s.Speed.Median {
			t.Fatalf("%+v", s.Speed)
		}
	})
}
