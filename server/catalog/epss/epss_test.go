package epss_test

import (
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"patchbay/server/catalog/advisory"
	"patchbay/server/catalog/epss"
)

const head = "#model_version:v2025.03.14,score_date:2026-08-16T00:00:00+0000\ncve,epss,percentile\n"

func open(t testing.TB, name string) (*epss.Table, epss.Report) {
	t.Helper()
	f, err := os.Open("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	table, report, err := epss.Collect(f)
	if err != nil {
		t.Fatal(err)
	}
	return table, report
}

func collect(t testing.TB, text string) (*epss.Table, epss.Report) {
	t.Helper()
	table, report, err := epss.Collect(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return table, report
}

func TestBothNumbersAreKeptWithModelAndDay(t *testing.T) {
	table, report := open(t, "2022-04-17.csv")
	s, ok := table.Of("CVE-2021-22204")
	if !ok || s != (epss.Score{CVE: "CVE-2021-22204", Score: 0.41989, Percentile: 0.98092}) {
		t.Errorf("%+v, %v", s, ok)
	}
	if table.Model != "v2022.01.01" || table.Day.Format(time.DateOnly) != "2022-04-17" || report.Records != table.Count() || report.Refused != 0 {
		t.Errorf("%s, %v, %+v", table.Model, table.Day, report)
	}
}

// Every row of a file is found again, and nothing that is not in it: also numbers of six and
// seven digits.
func TestEveryRowIsFoundAgain(t *testing.T) {
	for _, name := range []string{"2022-04-17.csv", "2026-07-19.csv", "2026-08-16.csv"} {
		table, _ := open(t, name)
		text, err := os.ReadFile("testdata/" + name)
		if err != nil {
			t.Fatal(err)
		}
		long := 0
		for _, line := range strings.Split(strings.TrimSpace(string(text)), "\n")[2:] {
			var score, percentile float64
			id, rest, _ := strings.Cut(line, ",")
			if _, err := fmt.Sscanf(rest, "%g,%g", &score, &percentile); err != nil {
				t.Fatal(err)
			}
			if s, ok := table.Of(id); !ok || s.CVE != id || s.Score != score || s.Percentile != percentile {
				t.Errorf("%s is %+v, %v", line, s, ok)
			}
			if len(id) > len("CVE-2026-12345") {
				long++
			}
			if _, ok := table.Of(id + "0"); ok && strings.Count(string(text), id+"0,") == 0 {
				t.Errorf("%s0 is found", id)
			}
		}
		if long == 0 {
			t.Errorf("%s has no long number", name)
		}
	}
}

// What has no score is not known; nobody may read it as 0.
func TestACVEWithoutAScoreIsNotKnown(t *testing.T) {
	table, _ := collect(t, head+"CVE-2026-0001,0,0\n")
	if s, ok := table.Of("CVE-2026-0001"); !ok || s.Score != 0 {
		t.Errorf("a score of 0 is %+v, %v", s, ok)
	}
	for _, id := range []string{"CVE-2026-0002", "ADV990001", "", "CVE-2026-1", "CVE-2024/../../x"} {
		if s, ok := table.Of(id); ok {
			t.Errorf("%q has %+v", id, s)
		}
	}
	var none *epss.Table
	if _, ok := none.Of("CVE-2026-0001"); ok {
		t.Error("no table has a score")
	}
}

func TestDaysOfTwoModelsAreNotCompared(t *testing.T) {
	old, _ := open(t, "2022-04-17.csv")
	is, _ := collect(t, head+"CVE-2021-22204,0.9,0.99\n")
	if c, err := epss.Compare(old, is, 0.1); err == nil || len(c.Rose) != 0 {
		t.Errorf("%+v, %v", c, err)
	}
	a, _ := open(t, "2026-07-19.csv")
	b, _ := open(t, "2026-08-16.csv")
	if a.Model != "" {
		t.Errorf("the word unknown is read as the model %q", a.Model)
	}
	if _, err := epss.Compare(a, b, 0.1); err == nil {
		t.Error("days of which nobody knows the model are compared")
	}
}

func TestCompareTellsWhatRoseFellCameAndWent(t *testing.T) {
	old, _ := collect(t, head+"CVE-2026-0001,0.1,0.5\nCVE-2026-0002,0.5,0.5\nCVE-2026-0003,0.30,0.5\nCVE-2026-0004,0.1,0.5\nCVE-2026-0009,0.1,0.5\n")
	is, _ := collect(t, head+"CVE-2026-0001,0.4,0.5\nCVE-2026-0002,0.1,0.5\nCVE-2026-0003,0.31,0.5\nCVE-2026-0005,0.9,0.5\nCVE-2026-0009,0.9,0.5\nCVE-2026-100000,0.9,0.5\n")
	c, err := epss.Compare(old, is, 0.2)
	if err != nil || len(c.Rose) != 2 || c.Rose[0].CVE != "CVE-2026-0009" || len(c.Fell) != 1 || c.Fresh != 2 || !slices.Equal(c.Gone, []string{"CVE-2026-0004"}) {
		t.Errorf("%+v, %v", c, err)
	}
}

func TestOneBadRowIsRefusedAlone(t *testing.T) {
	for name, bad := range map[string]string{
		"hostile id": "CVE-2024/../../x,0.1,0.1", "no number": "CVE-2026-0002,high,0.1", "not a number": "CVE-2026-0002,NaN,0.1", "above one": "CVE-2026-0002,1.1,0.1", "below zero": "CVE-2026-0002,-0.1,0.1",
		"infinite": "CVE-2026-0002,+Inf,0.1", "few": "CVE-2026-0002,0.1", "many": "CVE-2026-0002,0.1,0.1,0.1", "no percentile": "CVE-2026-0002,0.1,", "long number": "CVE-2026-9999999999999999999,0.1,0.1", "leading zero": "CVE-2026-00001,0.1,0.1",
	} {
		table, report := collect(t, head+"CVE-2026-0001,0.1,0.1\n"+bad+"\nCVE-2026-129538,0.000043210,0.1\n")
		if s, ok := table.Of("CVE-2026-129538"); table.Count() != 2 || report.Refused != 1 || !ok || s.Score != 0.00004321 || !strings.HasPrefix(report.Why[0], "EPSS record 2 (") {
			t.Errorf("%s: %d, %+v", name, table.Count(), report)
		}
	}
}

func TestOfARowThatStandsThereTwiceTheHigherHolds(t *testing.T) {
	for _, text := range []string{"CVE-2026-0001,0.1,0.1\nCVE-2026-0001,0.9,0.9\n", "CVE-2026-0001,0.9,0.9\nCVE-2026-0001,0.1,0.1\n"} {
		table, report := collect(t, head+text)
		if s, _ := table.Of("CVE-2026-0001"); s.Score != 0.9 || table.Count() != 1 || report.Records != 1 || report.Refused != 1 {
			t.Errorf("%+v, %+v", s, report)
		}
	}
}

func TestAFileThatBreaksOffIsAnError(t *testing.T) {
	whole := head + "CVE-2026-0001,0.1,0.1\n"
	for n := range len(whole) {
		if _, _, err := epss.Collect(strings.NewReader(whole[:n])); err == nil {
			t.Errorf("taken: %q", whole[:n])
		}
	}
	for n := len(whole) + 1; n < 2*len(whole)-len(head); n++ {
		if _, _, err := epss.Collect(strings.NewReader((whole + "CVE-2026-0002,0.1,0.1\n")[:n])); err == nil {
			t.Errorf("taken after %d letters", n)
		}
	}
	for _, text := range []string{"<html>\n", "a,b\n1,2\n", whole + head, whole + strings.Repeat("a", 10_000) + "\n"} {
		if _, _, err := epss.Collect(strings.NewReader(text)); err == nil {
			t.Errorf("taken: %.60q", text)
		}
	}
}

func TestTheFilesOf2021HaveNeitherModelNorPercentile(t *testing.T) {
	table, report := collect(t, "cve,epss\nCVE-2020-5902,0.65117\n")
	if s, ok := table.Of("CVE-2020-5902"); !ok || s.Percentile != -1 || report.Model != "" || !report.Day.IsZero() {
		t.Errorf("%+v, %+v", s, report)
	}
}

// 360,000 rows were asked to take 20 MB at most.
func TestADayTakesLittleMemory(t *testing.T) {
	var b strings.Builder
	b.WriteString(head)
	const rows = 360_000
	for i := range rows {
		fmt.Fprintf(&b, "CVE-%d-%d,0.%05d,0.5\n", 1999+i%28, 1000+i, i%100000)
	}
	text := b.String()
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	table, _ := collect(t, text)
	runtime.GC()
	runtime.ReadMemStats(&after)
	if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); table.Count() != rows || grown > 20<<20 {
		t.Errorf("%d rows take %d MB", table.Count(), grown>>20)
	}
	runtime.KeepAlive(text)
}

func FuzzRead(f *testing.F) {
	f.Add(head + "CVE-2026-0001,0.1,0.1\n")
	f.Add("cve,epss\nCVE-2020-5902,0.65117\n")
	f.Fuzz(func(t *testing.T, in string) {
		table, report, err := epss.Collect(strings.NewReader(in))
		if err != nil {
			return
		}
		if table.Count() != report.Records {
			t.Fatalf("%d of %+v", table.Count(), report)
		}
		_, _ = epss.Read(strings.NewReader(in), func(s epss.Score) error {
			got, ok := table.Of(s.CVE)
			if !ok || got.Score < s.Score-1e-9 || !advisory.IsCVE(got.CVE) {
				t.Fatalf("%+v is %+v, %v", s, got, ok)
			}
			return nil
		})
	})
}
