package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"patchbay/server/catalog/kinds"
	"patchbay/server/knowledge"
)

// mended is an invented advisory: of a CVE that does not exist, for a package that the invented
// devices have.
type mended struct {
	number, source, fixed, vector, urgency string
	age                                    time.Duration
}

// grave, high, medium and low are vectors of these bands.
const (
	grave  = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"
	high   = "CVSS:3.1/AV:N/AC:H/PR:N/UI:N/S:U/C:H/I:H/A:H"
	medium = "CVSS:3.1/AV:L/AC:L/PR:L/UI:N/S:U/C:H/I:N/A:N"
	low    = "CVSS:3.1/AV:L/AC:H/PR:H/UI:R/S:U/C:L/I:N/A:N"
)

var advisories = []mended{
	{"CVE-2026-900001", "openssh-server", "1:9.2p1-2+deb12u3", high, "", 18 * day},
	{"CVE-2026-900002", "openssl", "3.0.15-1~deb12u1", grave, "", 25 * day},
	{"CVE-2026-900003", "openssl", "3.0.16-1~deb12u1", medium, "", 2 * day},
	{"CVE-2026-900004", "curl", "7.88.1-10+deb12u8", medium, "", 8 * day},
	{"CVE-2026-900005", "libc6", "2.36-9+deb12u9", high, "", 27 * day},
	{"CVE-2026-900006", "nginx", "1.22.1-9+deb12u1", grave, "", 4 * day},
	{"CVE-2026-900007", "postgresql-15", "15.8-0+deb12u1", high, "", 3 * day},
	{"CVE-2026-900008", "sudo", "1.9.13p3-1+deb12u1", high, "", 40 * time.Hour},
	{"CVE-2026-900009", "vim", "", low, "", 200 * day},
	{"CVE-2026-900010", "bash", "", low, "unimportant", 900 * day},
	{"CVE-2026-900011", "systemd", "", medium, "", 60 * day},
	{"CVE-2026-900012", "tzdata", "2025a-0+deb12u1", "", "", 5 * day},
	{"CVE-2026-900013", "python3-some-module-with-a-name-that-does-not-end-for-a-long-while", "0.0.1~git20240909.2.fedcba9-1+deb12u1", medium, "", 30 * time.Hour},
	{"CVE-2026-900014", "docker-ce", "1-1", grave, "", 30 * day}, // of another publisher: not compared
}

// learn invents what feeds say.
func learn(now time.Time) (*knowledge.Snapshot, []knowledge.Source, error) {
	var osv strings.Builder
	for _, a := range advisories {
		event, score, own := "", "", ""
		if a.fixed != "" {
			event = fmt.Sprintf(`,{"fixed":%q}`, a.fixed)
		}
		if a.vector != "" {
			score = fmt.Sprintf(`"severity":[{"type":"CVSS_V3","score":%q}],`, a.vector)
		}
		if a.urgency != "" {
			own = fmt.Sprintf(`,"ecosystem_specific":{"urgency":%q}`, a.urgency)
		}
		fmt.Fprintf(&osv, `{"id":"DEBIAN-%[1]s","upstream":[%[1]q],"published":%[2]q,%[3]s"affected":[{"package":{"ecosystem":"Debian:12","name":%[4]q},"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"}%[5]s]}]%[6]s}]}`+"\n",
			a.number, now.Add(-a.age).UTC().Format(time.RFC3339), score, a.source, event, own)
	}
	exploited := fmt.Sprintf(`{"title":"invented","catalogVersion":"1","dateReleased":%[1]q,"count":2,"vulnerabilities":[%[2]s,%[3]s]}`, now.UTC().Format(time.RFC3339),
		entry("CVE-2026-900001", now.Add(-6*day), "Known"), entry("CVE-2026-900006", now.Add(-day), "Unknown"))
	text := func(s string) func(func(string, io.Reader) error) error {
		return func(f func(string, io.Reader) error) error { return f("invented", strings.NewReader(s)) }
	}
	sources := []knowledge.Source{
		{Name: "osv-debian", Kind: kinds.OSV, Each: text(osv.String())},
		{Name: "kev", Kind: kinds.KEV, Each: text(exploited)},
		{Name: "endoflife", Kind: kinds.EndOfLife, Each: text(ends(now))},
		{Name: "nvd", Kind: kinds.NVD, Each: text(products(now))},
	}
	known, err := knowledge.Load(sources, []string{"debian:12", "windows:11"}, now)
	return known, sources, err
}

// products invents what the NVD says of programs.
func products(now time.Time) string {
	var records []string
	for _, r := range []struct {
		number, product, bound string
		score                  float64
		vector                 string
	}{
		{"CVE-2026-900021", "7-zip:7-zip", `"versionEndExcluding":"24.08"`, 8.1, high},
		{"CVE-2026-900022", "google:chrome", `"versionEndExcluding":"129.0.6668.89"`, 9.8, grave},
		{"CVE-2026-900023", "videolan:vlc_media_player", `"versionEndIncluding":"3.0.20"`, 5.5, medium},
	} {
		records = append(records, fmt.Sprintf(`{"cve":{"id":%q,"vulnStatus":"Analyzed","published":%q,"lastModified":%[2]q,"descriptions":[],
			"metrics":{"cvssMetricV31":[{"source":"nvd@nist.gov","type":"Primary","cvssData":{"version":"3.1","vectorString":%q,"baseScore":%.1f}}]},
			"configurations":[{"nodes":[{"operator":"OR","negate":false,"cpeMatch":[{"vulnerable":true,"criteria":"cpe:2.3:a:%s:*:*:*:*:*:*:*:*",%s}]}]}]}}`,
			r.number, now.Add(-9*day).UTC().Format("2006-01-02T15:04:05.000"), r.vector, r.score, r.product, r.bound))
	}
	return fmt.Sprintf(`{"resultsPerPage":%d,"startIndex":0,"totalResults":%[1]d,"format":"NVD_CVE","version":"2.0","timestamp":%q,"vulnerabilities":[%s]}`,
		len(records), now.UTC().Format("2006-01-02T15:04:05.000"), strings.Join(records, ","))
}

func entry(id string, added time.Time, ransomware string) string {
	return fmt.Sprintf(`{"cveID":%q,"vendorProject":"a","product":"b","vulnerabilityName":"c","dateAdded":%q,"shortDescription":"d","requiredAction":"e","dueDate":%q,"knownRansomwareCampaignUse":%q,"notes":"","cwes":[]}`,
		id, added.Format(time.DateOnly), added.AddDate(0, 0, 21).Format(time.DateOnly), ransomware)
}
