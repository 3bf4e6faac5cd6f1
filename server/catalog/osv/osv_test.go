package osv_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"patchbay/server/catalog/advisory"
	"patchbay/server/catalog/osv"
)

func read(t *testing.T, text string) ([]advisory.Advisory, osv.Report) {
	t.Helper()
	var list []advisory.Advisory
	report, err := osv.Read(strings.NewReader(text), func(a advisory.Advisory) error {
		list = append(list, a)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return list, report
}

// TestRealRecords are what three publishers make of one schema.
func TestRealRecords(t *testing.T) {
	text, err := os.ReadFile("testdata/misc.ndjson")
	if err != nil {
		t.Fatal(err)
	}
	list, report := read(t, string(text))
	if report.Records != 5 || report.Refused != 0 {
		t.Fatalf("%+v", report)
	}
	deb, rocky, alpine, gone, never := list[0], list[1], list[2], list[3], list[4]
	if deb.ID != "DEBIAN-CVE-2024-58382" || !slices.Equal(deb.CVEs(), []string{"CVE-2024-58382"}) || deb.Affected[0].Ranges[0] != (advisory.Range{Introduced: "0"}) || deb.Affected[0].Word != "not yet assigned" {
		t.Errorf("%+v", deb)
	}
	if !slices.Equal(rocky.CVEs(), []string{"CVE-2026-49825"}) || advisory.Severity(rocky.Scores) != "high" || rocky.Affected[0].Ranges[0].Fixed != "0:4.9.3-2.el9_8.1" {
		t.Errorf("%+v", rocky)
	}
	if alpine.Affected[0].Ranges[0] != (advisory.Range{Introduced: "8.13.0", Fixed: "8.22.0-r0"}) {
		t.Errorf("%+v", alpine)
	}
	if gone.Withdrawn.IsZero() || !never.Withdrawn.IsZero() || !never.Published.IsZero() {
		t.Errorf("%v, %v, %v", gone.Withdrawn, never.Withdrawn, never.Published)
	}
}

// TestWhereTheCVEHides: among aliases, upstream, or, where neither has one, what is related;
// what is related beside a CVE of its own is something else.
func TestWhereTheCVEHides(t *testing.T) {
	for record, want := range map[string]string{
		`{"id":"GHSA-1","aliases":["CVE-2026-0001"],"related":["CVE-2026-0002"]}`: "CVE-2026-0001",
		`{"id":"DEBIAN-1","upstream":["CVE-2026-0003"]}`:                          "CVE-2026-0003",
		`{"id":"ALSA-2026:A009","related":["CVE-2026-0005","CVE-2026-0004","x"]}`: "CVE-2026-0004 CVE-2026-0005",
		`{"id":"CVE-2026-0006","related":["CVE-2026-0007"]}`:                      "CVE-2026-0006",
		`{"id":"UBUNTU-CVE-2026-0008","related":["CVE-2026-0008","USN-1-1"]}`:     "CVE-2026-0008",
		`{"id":"USN-6859-1","upstream":["UBUNTU-CVE-2024-6387"]}`:                 "CVE-2024-6387",
		`{"id":"DLA-1","related":["CVE-2026-129538","CVE-2026-0009"]}`:            "CVE-2026-0009 CVE-2026-129538",
	} {
		list, _ := read(t, record)
		if got := strings.Join(list[0].CVEs(), " "); got != want {
			t.Errorf("%s: %s, not %s", record, got, want)
		}
	}
}

// TestBadRecordsAreRefusedAlone, with their number, their id and the reason.
func TestBadRecordsAreRefusedAlone(t *testing.T) {
	good := `{"id":"CVE-2026-0001"}`
	for record, why := range map[string]string{
		`{"id":"CVE-2024/../../x"}`:            "form",
		`{"id":"a..b"}`:                        "form",
		`{}`:                                   "form",
		`{"id":"X-1","published":"yesterday"}`: "moment",
		`{"id":"X-1","affected":[{"package":{"ecosystem":"Debian:12","name":"a"},"ranges":[{"type":"ECOSYSTEM","events":[{"exploded":"1"}]}]}]}`: "exploded",
		`{"id":"X-1","affected":{"a":1}}`: "cannot unmarshal",
		`12`:                              "cannot unmarshal",
	} {
		list, report := read(t, good+"\n"+record+"\n"+good)
		if len(list) != 2 || report.Records != 2 || report.Refused != 1 || !strings.HasPrefix(report.Why[0], "OSV record 2 (") || !strings.Contains(report.Why[0], why) {
			t.Errorf("%s: %+v", record, report)
		}
	}
	list, report := read(t, `[{"id":"A-1"},[[]],{"id":"A-2"}]`)
	if len(list) != 2 || report.Refused != 1 {
		t.Errorf("%+v", report)
	}
}

// TestTimesAsTheyAreWritten: the Python repository writes a space where the schema has a T.
func TestTimesAsTheyAreWritten(t *testing.T) {
	for said, want := range map[string]string{
		"2023-07-24T14:58:05.123456Z": "2023-07-24 14:58:05", "2023-07-24 14:58:05.123456+00:00": "2023-07-24 14:58:05", "2023-07-24T16:58:05+02:00": "2023-07-24 14:58:05", "0001-01-01T00:00:00Z": "0001-01-01 00:00:00",
	} {
		list, report := read(t, fmt.Sprintf(`{"id":"PYSEC-1","published":%q}`, said))
		if report.Refused > 0 || list[0].Published.Format(time.DateTime) != want {
			t.Errorf("%s: %+v, %v", said, report, list)
		}
	}
}

// TestWhatBreaksOffIsAnError: half a feed is none.
func TestWhatBreaksOffIsAnError(t *testing.T) {
	for _, text := range []string{`{"id":"A-1"}` + "\n" + `{"id":"A-`, `[{"id":"A-1"}`, `{"id":"A-1"}}`, strings.Repeat("[", 20_000), `{"id":"A-1"`} {
		if _, err := osv.Read(strings.NewReader(text), func(advisory.Advisory) error { return nil }); err == nil || !strings.Contains(err.Error(), "record") {
			t.Errorf("%.40s: %v", text, err)
		}
	}
}

// TestPlacesOfOnesOwnHoldAnything: a record is not lost for what the schema leaves to its publisher.
func TestPlacesOfOnesOwnHoldAnything(t *testing.T) {
	for _, own := range []string{`[]`, `null`, `"x"`, `{"severity":{"a":1},"urgency":"unimportant"}`, `{"severity":["x"]}`, `3`} {
		list, report := read(t, "\xef\xbb\xbf"+fmt.Sprintf(`{"id":"A-1","database_specific":%s,"affected":[{"package":{"ecosystem":"npm","name":"a"},"versions":["1.0.0"],"ecosystem_specific":%s}]}`, own, own))
		if report.Refused > 0 || len(list) != 1 || len(list[0].Affected) != 1 {
			t.Errorf("%s: %+v, %v", own, report, list)
		}
	}
}

// TestEventsInAnyOrder make the same stretches.
func TestEventsInAnyOrder(t *testing.T) {
	for events, want := range map[string]string{
		`{"introduced":"0"},{"fixed":"1.2"},{"introduced":"2.0"},{"fixed":"2.3"}`: "0 to 1.2, 2.0 to 2.3",
		`{"fixed":"2.3"},{"fixed":"1.2"},{"introduced":"2.0"},{"introduced":"0"}`: "0 to 1.2, 2.0 to 2.3",
		`{"introduced":"0"},{"fixed":"2.3"},{"introduced":"2.0"},{"fixed":"1.2"}`: "0 to 1.2, 2.0 to 2.3",
		`{"introduced":"0"},{"introduced":"1.0"},{"fixed":"1.2"},{"fixed":"2.0"}`: "0 to 1.2",
		`{"fixed":"2.3","introduced":"2.0"},{"introduced":"0","fixed":"1.2"}`:     "0 to 1.2, 2.0 to 2.3",
		`{"fixed":"1.2"}`: "0 to 1.2",
		`{"introduced":"1.0"},{"last_affected":"1.1"},{"limit":"x"}`: "1.0 with 1.1",
		`{"introduced":"1.0"},{"limit":"1.5"},{"limit":"1.10"}`:      "1.0 below 1.10",
		`{"introduced":"1.0"},{"limit":"1.5"},{"limit":"*"}`:         "1.0",
		`{"introduced":"3"}`: "3",
	} {
		list, _ := read(t, fmt.Sprintf(`{"id":"A-1","affected":[{"package":{"ecosystem":"npm","name":"a"},"ranges":[{"type":"SEMVER","events":[%s]}]}]}`, events))
		var said []string
		for _, r := range list[0].Affected[0].Ranges {
			text := r.Introduced
			for _, end := range [][2]string{{" to ", r.Fixed}, {" with ", r.Last}, {" below ", r.Limit}} {
				if end[1] != "" {
					text += end[0] + end[1]
				}
			}
			said = append(said, text)
		}
		if got := strings.Join(said, ", "); got != want {
			t.Errorf("%s: %s, not %s", events, got, want)
		}
	}
}

// TestModules are named in the headline, and only where a version is of one.
func TestModules(t *testing.T) {
	for summary, want := range map[string]string{
		"Important: nodejs:18 security, bug fix, and enhancement update": "nodejs:18",
		"Moderate: php:8.1 security update":                              "php:8.1",
		"Important: kernel security update":                              "",
		"javapackages-tools:201801 security update":                      "javapackages-tools:201801",
		"Red Hat Security Advisory: podman security update":              "",
	} {
		list, _ := read(t, fmt.Sprintf(`{"id":"A-1","summary":%q,"affected":[{"package":{"ecosystem":"AlmaLinux:9","name":"a"},"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"},{"fixed":"1-1.module_el9.1.0+16+91bc168f"}]}]},
			{"package":{"ecosystem":"AlmaLinux:9","name":"b"},"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"},{"fixed":"1-1.el9"}]}]}]}`, summary))
		if got := list[0].Affected; got[0].Module != want || got[1].Module != "" {
			t.Errorf("%s: %q, %q", summary, got[0].Module, got[1].Module)
		}
	}
}

func FuzzParse(f *testing.F) {
	text, err := os.ReadFile("testdata/misc.ndjson")
	if err != nil {
		f.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		f.Add([]byte(line))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		a, err := osv.Parse(text)
		if err != nil {
			return
		}
		for _, id := range append([]string{a.ID}, a.Aliases...) {
			if !advisory.IsID(id) || strings.Contains(id, "/") {
				t.Errorf("%q", id)
			}
		}
		if !slices.IsSortedFunc(a.Aliases, advisory.CompareIDs) {
			t.Errorf("%q", a.Aliases)
		}
		for _, at := range []int{a.Published.Year(), a.Modified.Year(), a.Withdrawn.Year()} {
			if at != 1 && at < 1980 {
				t.Errorf("%+v", a)
			}
		}
	})
}
