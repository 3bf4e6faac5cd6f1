package nvd_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"patchbay/patch"
	"patchbay/server/catalog/advisory"
	"patchbay/server/catalog/nvd"
	"patchbay/server/catalog/ssvc"
)

func page(says int, records ...string) string {
	var list []string
	for _, r := range records {
		list = append(list, `{"cve":`+r+`}`)
	}
	return fmt.Sprintf(`{"resultsPerPage":%d,"startIndex":0,"totalResults":2000,"format":"NVD_CVE","vulnerabilities":[%s]}`, says, strings.Join(list, ","))
}

func bare(id string) string { return fmt.Sprintf(`{"id":%q,"vulnStatus":"Received"}`, id) }

func TestPagesFeedsAndLinesAreRead(t *testing.T) {
	for name, want := range map[string]int{"page.json": 11, "trimmed.json": 9, "others.ndjson": 2} {
		f, err := os.Open("testdata/" + name)
		if err != nil {
			t.Fatal(err)
		}
		list, report := mustRead(t, f)
		f.Close()
		if len(list) != want || report.Records != want || report.Refused+report.Partly != 0 {
			t.Errorf("%s: %d, %+v", name, len(list), report)
		}
	}
}

// Sources disagree; all they say is kept, with whose it is.
func TestSeveralSourcesScoreOneRecord(t *testing.T) {
	c := known(t, "CVE-2024-4819")
	by, versions := map[string]bool{}, map[string]bool{}
	for _, s := range c.Scores {
		by[s.By] = true
		versions[s.Vector[:6]] = true
	}
	if len(c.Scores) < 3 || len(versions) < 3 || !strings.HasPrefix(c.Scores[0].Vector, "CVSS:4.0") {
		t.Errorf("%+v", c.Scores)
	}
	zip := known(t, "CVE-2024-11477")
	var primary, secondary int
	for _, s := range zip.Scores {
		if s.Primary {
			primary++
		} else {
			secondary++
		}
	}
	if primary == 0 || secondary == 0 || advisory.Severity(zip.All()) != patch.SeverityHigh {
		t.Errorf("%+v", zip.Scores)
	}
}

func TestSSVCIsReadInNVDsSpelling(t *testing.T) {
	c := known(t, "CVE-2024-3094")
	if p := c.Points; p.Exploitation != ssvc.NoExploit || p.Automatable != patch.Yes || p.Impact != ssvc.Total || p.At.IsZero() {
		t.Errorf("%+v", c.Points)
	}
}

// The block "affected" is whoever reported it speaking, with stretches such as "log4j-core*".
func TestTheAffectedBlockIsNotBelieved(t *testing.T) {
	c := made(t, "Analyzed", "")
	list, _ := mustRead(t, strings.NewReader(`{"id":"CVE-2021-44228","vulnStatus":"Analyzed","affected":[{"source":"x","affectedData":[{"vendor":"Apache","product":"Log4j2","versions":[{"version":"2.0-beta9","lessThan":"log4j-core*","changes":[{"at":"2.3.1","status":"unaffected"}]}]}]}]}`))
	if len(list) != 1 || len(list[0].Configurations) != len(c.Configurations) {
		t.Errorf("%+v", list)
	}
}

func TestOneBadRecordIsRefusedAlone(t *testing.T) {
	for name, bad := range map[string]string{
		"hostile id": bare("CVE-2024/../../x-0001"), "no id": `{}`, "not a CVE": bare("ADV990001"), "no object": "7", "no time": `{"id":"CVE-2026-0002","published":"soon"}`,
		"points that are none": `{"id":"CVE-2026-0002","metrics":{"ssvcV203":[{"ssvcData":{"options":[{"exploitation":"perhaps"}]}}]}}`,
		"many criteria":        `{"id":"CVE-2026-0002","configurations":[{"nodes":[{"cpeMatch":[` + strings.Repeat("{},", 100_001) + `{}]}]}]}`,
	} {
		list, report := mustRead(t, strings.NewReader(page(3, bare("CVE-2026-0001"), bad, `{"id":"CVE-2026-129538","published":"0001-01-01T00:00:00.000"}`)))
		if len(list) != 2 || report.Refused != 1 || list[1].ID != "CVE-2026-129538" || !list[1].Published.IsZero() || !strings.HasPrefix(report.Why[0], "NVD record 2 (") {
			t.Errorf("%s: %d, %+v", name, len(list), report)
		}
	}
}

// What cannot be read of one record's products is told, and the rest of it is kept.
func TestANameThatCannotBeReadHidesNothingElse(t *testing.T) {
	for _, bad := range []string{
		criterion(true, "cpe:2.3:a:acme", ""), criterion(true, "cpe:2.3:a:acme:tool:*", `,"versionEndIncluding":"1","versionEndExcluding":"2"`),
		criterion(true, "cpe:2.3:a:acme:tool:*", `,"versionEndIncluding":"`+strings.Repeat("1", 300)+`"`),
	} {
		c := made(t, "Analyzed", configuration("", false, node(false, bad, criterion(true, "cpe:2.3:a:acme:other:*", ""))))
		if len(c.Unread) != 1 || !slices.Equal(c.Products(), []string{"acme:other"}) {
			t.Errorf("%s: %+v", bad, c)
		}
	}
}

func TestAPageIsTakenWholeOrNotAtAll(t *testing.T) {
	whole := page(2, bare("CVE-2026-0001"), bare("CVE-2026-0002"))
	for n := range len(whole) {
		if _, err := nvd.Read(strings.NewReader(whole[:n]), func(nvd.CVE) error { return nil }); err == nil {
			t.Fatalf("taken: %s", whole[:n])
		}
	}
	if _, err := nvd.Read(strings.NewReader(page(2, bare("CVE-2026-0001"))), func(nvd.CVE) error { return nil }); err == nil {
		t.Error("a page with fewer records than it says is taken")
	}
	if _, report := mustRead(t, strings.NewReader(whole+"\n"+whole)); report.Records != 4 {
		t.Errorf("two pages: %+v", report)
	}
}

func FuzzRead(f *testing.F) {
	f.Add(page(1, `{"id":"CVE-2026-0001","vulnStatus":"Analyzed","configurations":[`+configuration("AND", false, node(false, criterion(true, "cpe:2.3:a:acme:tool:*", `,"versionEndExcluding":"1.9"`)), node(true, criterion(false, "cpe:2.3:o:microsoft:windows:-", "")))+`]}`), "1.8")
	f.Add(bare("CVE-2026-0001"), "1.0.2k")
	f.Fuzz(func(t *testing.T, in, version string) {
		_, _ = nvd.Read(strings.NewReader(in), func(c nvd.CVE) error {
			asked := of(version, product("a", "acme:tool"))
			asked.Platforms = nil
			got := nvd.Match(c, asked)
			if again := nvd.Match(c, asked); got != again || got.Why == "" {
				t.Fatalf("%+v, then %+v", got, again)
			}
			return nil
		})
	})
}
