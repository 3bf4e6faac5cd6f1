package kev_test

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"patchbay/patch"
	"patchbay/server/catalog/kev"
)

// open reads a catalogue of testdata.
func open(t testing.TB, name string) ([]kev.Entry, kev.Report) {
	t.Helper()
	f, err := os.Open("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	return mustRead(t, f)
}

func mustRead(t testing.TB, in io.Reader) (list []kev.Entry, report kev.Report) {
	t.Helper()
	report, err := kev.Read(in, func(e kev.Entry) error { list = append(list, e); return nil })
	if err != nil {
		t.Fatal(err)
	}
	return list, report
}

// catalogue writes one of the entries, each a JSON object.
func catalogue(count int, entries ...string) string {
	return fmt.Sprintf(`{"title":"x","catalogVersion":"2026.08.07","dateReleased":"2026-08-07T16:45:47.0648Z","count":%d,"vulnerabilities":[%s]}`, count, strings.Join(entries, ","))
}

func entry(id, more string) string {
	return fmt.Sprintf(`{"cveID":%q,"vendorProject":"V","product":"P","dateAdded":"2026-08-01","dueDate":"2026-08-04","knownRansomwareCampaignUse":"Unknown"%s}`, id, more)
}

func day(s string) time.Time {
	d, err := time.Parse(time.DateOnly, s)
	if err != nil {
		panic(err)
	}
	return d
}

func TestEntriesAreReadAsTheyStandThere(t *testing.T) {
	list, report := open(t, "2026-08-07.json")
	if report.Records != 19 || report.Refused != 0 || report.Version != "2026.08.07" || report.Released.Format(time.DateOnly) != "2026-08-07" {
		t.Errorf("report: %+v", report)
	}
	i := slices.IndexFunc(list, func(e kev.Entry) bool { return e.ID == "CVE-2021-44228" })
	if i < 0 {
		t.Fatal("CVE-2021-44228 is missing")
	}
	e := list[i]
	if e.Vendor != "Apache" || e.Product != "Log4j2" || !e.Added.Equal(day("2021-12-10")) || !e.Due.Equal(day("2021-12-24")) || e.Ransomware != patch.Yes || len(e.CWEs) != 3 {
		t.Errorf("%+v", e)
	}
}

// The day on which it is due is CISA's: three days, two weeks or half a year after.
func TestTheDueDayIsReadAndNeverComputed(t *testing.T) {
	list, _ := open(t, "2026-08-07.json")
	apart := map[int]bool{}
	for _, e := range list {
		apart[int(e.Due.Sub(e.Added).Hours()/24)] = true
	}
	if len(apart) < 3 || !apart[3] {
		t.Errorf("days between both: %v", apart)
	}
}

// What differs between two real days: nine came, seven flags turned without another date that
// moved, one text changed, none went.
func TestFlagsTurnWithoutADateThatMoves(t *testing.T) {
	old, _ := open(t, "2026-07-23.json")
	is, _ := open(t, "2026-08-07.json")
	c := kev.Delta(old, is)
	if len(c.Added) != 9 || len(c.Withdrawn) != 0 || len(c.Flags) != 7 || len(c.Dates) != 0 || len(c.Texts) != 1 {
		t.Errorf("%d added, %d withdrawn, %d flags, %d dates, %d texts", len(c.Added), len(c.Withdrawn), len(c.Flags), len(c.Dates), len(c.Texts))
	}
	for _, f := range c.Flags {
		if f.Before != patch.Unknown || f.After != patch.Yes {
			t.Errorf("%+v", f)
		}
	}
	if !slices.IsSortedFunc(c.Added, func(a, b kev.Entry) int { return strings.Compare(a.ID[:8], b.ID[:8]) }) {
		t.Error("what was added is not sorted by year")
	}
}

func TestADeltaTurnedAroundTakesBackWhatItAdded(t *testing.T) {
	old, _ := open(t, "2026-07-23.json")
	is, _ := open(t, "2026-08-07.json")
	there, back := kev.Delta(old, is), kev.Delta(is, old)
	if len(back.Withdrawn) != len(there.Added) || len(back.Added) != 0 || len(back.Flags) != len(there.Flags) {
		t.Errorf("%d withdrawn, %d added, %d flags", len(back.Withdrawn), len(back.Added), len(back.Flags))
	}
	if same := kev.Delta(is, is); len(same.Added)+len(same.Withdrawn)+len(same.Flags)+len(same.Dates)+len(same.Texts) != 0 {
		t.Errorf("a catalogue differs from itself: %+v", same)
	}
	moved := slices.Clone(is)
	moved[0].Due = moved[0].Due.AddDate(0, 0, 1)
	if c := kev.Delta(is, moved); len(c.Dates) != 1 {
		t.Errorf("a day that moved is not told: %+v", c)
	}
}

// CISA writes "Unknown" where it has not heard of any. That is no "no".
func TestRansomwareThatIsUnknownIsNotNo(t *testing.T) {
	for said, want := range map[string]patch.Answer{"Known": patch.Yes, " known ": patch.Yes, "Unknown": patch.Unknown, "": patch.Unknown, "No": patch.Unknown} {
		list, _ := mustRead(t, strings.NewReader(catalogue(1, strings.Replace(entry("CVE-2026-0001", ""), `"Unknown"`, fmt.Sprintf("%q", said), 1))))
		if list[0].Ransomware != want {
			t.Errorf("%q is %q", said, list[0].Ransomware)
		}
	}
}

func TestOneBadEntryIsRefusedAlone(t *testing.T) {
	for name, bad := range map[string]string{
		"hostile id": entry("CVE-2024/../../x", ""), "no id": `{"dateAdded":"2026-08-01"}`, "twice": entry("CVE-2026-0001", ""), "no day": `{"cveID":"CVE-2026-0002"}`,
		"year one": `{"cveID":"CVE-2026-0002","dateAdded":"0001-01-01"}`, "no date": `{"cveID":"CVE-2026-0002","dateAdded":"soon"}`, "no object": `7`, "a number": `{"cveID":7}`,
		"bad due": `{"cveID":"CVE-2026-0002","dateAdded":"2026-08-01","dueDate":"08/04/2026"}`,
	} {
		list, report := mustRead(t, strings.NewReader(catalogue(3, entry("CVE-2026-0001", ""), bad, entry("CVE-2026-129538", ""))))
		if len(list) != 2 || list[1].ID != "CVE-2026-129538" || report.Refused != 1 || !strings.HasPrefix(report.Why[0], "KEV record 2 (") {
			t.Errorf("%s: %d taken, %+v", name, len(list), report)
		}
	}
}

// Taking a catalogue that is not whole would take back what is missing in it.
func TestACatalogueIsTakenWholeOrNotAtAll(t *testing.T) {
	whole := catalogue(2, entry("CVE-2026-0001", ""), entry("CVE-2026-0002", ""))
	for n := range len(whole) {
		if _, err := kev.Read(strings.NewReader(whole[:n]), func(kev.Entry) error { return nil }); err == nil {
			t.Fatalf("taken after %d of %d bytes", n, len(whole))
		}
	}
	for _, in := range []string{catalogue(3, entry("CVE-2026-0001", "")), catalogue(0), whole + whole, `{"count":0}`} {
		if _, err := kev.Read(strings.NewReader(in), func(kev.Entry) error { return nil }); err == nil {
			t.Errorf("taken: %s", in)
		}
	}
}

// Texts are for people to read; what could move a terminal's cursor is none of it.
func TestTextsAreCalmAndShort(t *testing.T) {
	list, _ := mustRead(t, strings.NewReader(catalogue(1, entry("CVE-2026-0001", `,"notes":"`+strings.Repeat("a", 100_000)+`","vulnerabilityName":"\u001b[2Jx"`))))
	if e := list[0]; len(e.Notes) > 2000 || e.Title != "[2Jx" {
		t.Errorf("%d letters, %q", len(e.Notes), e.Title)
	}
}

func FuzzRead(f *testing.F) {
	f.Add(catalogue(1, entry("CVE-2026-0001", "")))
	f.Fuzz(func(t *testing.T, in string) {
		var list []kev.Entry
		report, err := kev.Read(strings.NewReader(in), func(e kev.Entry) error { list = append(list, e); return nil })
		if err == nil && (report.Records == 0 && report.Refused == 0 || report.Records != len(list)) {
			t.Fatalf("%+v with %d entries", report, len(list))
		}
		if c := kev.Delta(list, list); len(c.Added)+len(c.Withdrawn)+len(c.Flags) != 0 {
			t.Fatalf("%+v", c)
		}
	})
}
