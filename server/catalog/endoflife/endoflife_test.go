package endoflife_test

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"patchbay/patch"
	"patchbay/server/catalog/endoflife"
	"patchbay/server/catalog/feed"
)

func mustRead(t testing.TB, in io.Reader) (list []endoflife.Product, report feed.Report) {
	t.Helper()
	report, err := endoflife.Read(in, func(p endoflife.Product) error { list = append(list, p); return nil })
	if err != nil {
		t.Fatal(err)
	}
	return list, report
}

func open(t testing.TB, name string) []endoflife.Product {
	t.Helper()
	f, err := os.Open("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	list, report := mustRead(t, f)
	if report.Refused != 0 {
		t.Fatalf("%+v", report)
	}
	return list
}

func named(t testing.TB, list []endoflife.Product, name string) endoflife.Product {
	t.Helper()
	i := slices.IndexFunc(list, func(p endoflife.Product) bool { return p.Name == name })
	if i < 0 {
		t.Fatalf("there is no %s", name)
	}
	return list[i]
}

func day(s string) time.Time {
	d, err := time.Parse(time.DateOnly, s)
	if err != nil {
		panic(err)
	}
	return d
}

func TestSupportOnDays(t *testing.T) {
	list := open(t, "products.ndjson")
	for _, c := range []struct {
		product, version, on string
		want                 endoflife.State
		cycle, until         string
	}{
		// Debian 12: the vendor's support to 2026-07-11, LTS for everybody to 2028-06-30.
		{"debian", "12", "2025-11-01", endoflife.Supported, "12", "2026-07-11"},
		{"debian", "12.11", "2026-07-11", endoflife.Supported, "12", "2026-07-11"},
		{"debian", "12.11", "2026-07-12", endoflife.Supported, "12", "2028-06-30"},
		{"debian", "12.11", "2028-06-01", endoflife.Ending, "12", "2028-06-30"},
		{"debian", "12.11", "2028-07-01", endoflife.Ended, "12", "2028-06-30"},
		{"debian", "1.3", "2026-11-28", endoflife.Ended, "1.3", "1998-12-08"},
		// What has to be paid for is never counted.
		{"ubuntu", "18.04", "2026-11-28", endoflife.Ended, "18.04", "2023-05-31"},
		{"ubuntu", "24.04.3", "2026-11-28", endoflife.Supported, "24.04", "2029-05-31"},
		{"ubuntu", "22.04", "2026-11-28", endoflife.Ending, "22.04", "2027-04-01"},
		{"sles", "15.5", "2026-11-28", endoflife.Ended, "15.5", "2024-12-31"},
		{"windows", "10.0.19045.6456", "2026-11-28", endoflife.Ended, "10-22h2", "2025-10-14"},
		// 10.10 is not 10.1, and 10.12 is neither.
		{"mattermost", "10.10.2", "2026-11-28", endoflife.Ended, "10.10", "2025-10-15"},
		{"mattermost", "10.1.2", "2026-11-28", endoflife.Ended, "10.1", ""},
		{"mattermost", "11.1", "2025-12-01", endoflife.Ending, "11.1", "2026-02-15"},
		{"mattermost", "11.10", "2025-12-01", endoflife.Supported, "11.10", "2026-11-15"},
		{"mattermost", "10.99", "2026-11-28", endoflife.Unknown, "", ""},
		// Of editions that have the same builds and other days nobody can say.
		{"windows", "10.0.22631.4317", "2026-06-28", endoflife.Unknown, "", ""},
		{"windows", "11-23h2-w", "2026-06-28", endoflife.Ended, "11-23h2-w", "2025-11-11"},
		{"windows", "11-23h2-e", "2026-03-01", endoflife.Supported, "11-23h2-e", "2026-11-10"},
		{"windows-server", "10.0.20348.1", "2026-11-28", endoflife.Supported, "2022", "2031-10-14"},
		{"nodejs", "v20.20.2", "2026-11-28", endoflife.Ended, "20", "2026-04-30"},
		{"nodejs", "2.0.0", "2026-11-28", endoflife.Ended, "2", ""},
		{"nodejs", "", "2026-11-28", endoflife.Unknown, "", ""},
		{"apache-pulsar", "4.0.9", "2026-10-22", endoflife.Supported, "4.0", "2027-10-21"},
	} {
		got := endoflife.SupportOf(named(t, list, c.product), c.version, day(c.on))
		until := ""
		if !got.Until.IsZero() {
			until = got.Until.Format(time.DateOnly)
		}
		if got.State != c.want || got.Cycle != c.cycle || c.until != "" && until != c.until || !strings.HasSuffix(got.Why, ".") {
			t.Errorf("%s %s on %s: %+v", c.product, c.version, c.on, got)
		}
	}
}

func TestThreeKindsOfSupportAreToldApart(t *testing.T) {
	list := open(t, "products.ndjson")
	debian := endoflife.SupportOf(named(t, list, "debian"), "12", day("2026-11-28"))
	if !debian.Vendor.Day.Equal(day("2026-07-11")) || !debian.LTS.Day.Equal(day("2028-06-30")) || debian.Paid != (endoflife.End{}) ||
		debian.Why != "The vendor's support of Debian 12 ended on 2026-07-11; Debian LTS lasts until 2028-06-30." {
		t.Errorf("%+v", debian)
	}
	ubuntu := endoflife.SupportOf(named(t, list, "ubuntu"), "20.04", day("2026-11-28"))
	if ubuntu.LTS != (endoflife.End{}) || !ubuntu.Paid.Day.Equal(day("2030-04-02")) || !ubuntu.LongTerm ||
		ubuntu.Why != "The vendor's support of Ubuntu 20.04 ended on 2025-05-31. Who pays for it has Expanded Security Maintenance until 2030-04-02." {
		t.Errorf("%+v", ubuntu)
	}
	angular := endoflife.SupportOf(named(t, list, "angularjs"), "1.8.3", day("2026-11-28"))
	if angular.State != endoflife.Ended || angular.Paid.Over != patch.No || !strings.Contains(angular.Why, "no end is known") {
		t.Errorf("%+v", angular)
	}
}

// An end is a date or a yes or no; what is neither is not known.
func TestEndsAreDatesOrBooleans(t *testing.T) {
	for _, c := range []struct {
		eol  string
		want endoflife.State
	}{{`true`, endoflife.Ended}, {`false`, endoflife.Supported}, {`"2026-11-27"`, endoflife.Ended}, {`"2026-11-28"`, endoflife.Ending}, {`"2030-01-01"`, endoflife.Supported}, {`null`, endoflife.Unknown}, {`"0001-01-01"`, endoflife.Unknown}, {`""`, endoflife.Unknown}} {
		list, _ := mustRead(t, strings.NewReader(fmt.Sprintf(`{"_name":"x","title":"X","releases":[{"releaseCycle":"1","eol":%s}]}`, c.eol)))
		if got := endoflife.SupportOf(list[0], "1.5", day("2026-11-28").Add(20*time.Hour)); got.State != c.want {
			t.Errorf("%s: %+v", c.eol, got)
		}
	}
}

func TestBothWaysOfWritingAreOne(t *testing.T) {
	old, is := open(t, "products.ndjson"), open(t, "api.json")
	for _, name := range []string{"ubuntu", "windows"} {
		a, b := named(t, old, name), named(t, is, name)
		same := 0
		for _, c := range b.Cycles {
			i := slices.IndexFunc(a.Cycles, func(o endoflife.Cycle) bool { return o.Name == c.Name })
			if i >= 0 && a.Cycles[i].Vendor.Day.Equal(c.Vendor.Day) && a.Cycles[i].LongTerm == c.LongTerm {
				same++
			}
		}
		if a.Title == "" || b.Title == "" || a.Longer != b.Longer || same < 20 || !slices.Equal(a.CPEs, b.CPEs) && len(b.CPEs) == 0 {
			t.Errorf("%s: %q and %q, %q and %q, %d cycles are the same", name, a.Title, b.Title, a.Longer, b.Longer, same)
		}
	}
}

func TestProductsAreFoundByTheirIdentifiers(t *testing.T) {
	x := endoflife.NewIndex(open(t, "products.ndjson"))
	for id, want := range map[string]string{
		"debian": "debian", "ubuntu-linux": "ubuntu", "cpe:2.3:o:canonical:ubuntu_linux:22.04:*:*:*:lts:*:*:*": "ubuntu", "cpe:/o:debian:debian_linux": "debian", "nothing": "", "": "", "cpe:2.3:": "",
	} {
		got := ""
		for _, p := range x.Find(id) {
			got += p.Name
		}
		if got != want {
			t.Errorf("%q is %q, want %q", id, got, want)
		}
	}
	products, _ := mustRead(t, strings.NewReader(`{"_name":"a","identifiers":[{"purl":"pkg:npm/%40a/core"}]}{"_name":"b","identifiers":[{"purl":"pkg:npm/%40a/core"}]}`))
	if list := endoflife.NewIndex(products).Find("pkg:npm/%40a/core@1.2.3?x=y"); len(list) != 2 {
		t.Errorf("%+v", list)
	}
}

func TestOneBadProductIsRefusedAlone(t *testing.T) {
	for name, bad := range map[string]string{
		"hostile name": `{"_name":"../x"}`, "no name": `{}`, "twice": `{"_name":"a"}`, "a number": `{"_name":"b","releases":[{"releaseCycle":10.10}]}`, "no cycle": `{"_name":"b","releases":[{}]}`,
		"no date": `{"_name":"b","releases":[{"releaseCycle":"1","eol":"soon"}]}`, "no end": `{"_name":"b","releases":[{"releaseCycle":"1","eol":7}]}`, "many cycles": `{"_name":"b","releases":[` + strings.Repeat(`{"releaseCycle":"1"},`, 5001) + `{}]}`,
	} {
		list, report := mustRead(t, strings.NewReader(`{"_name":"a"}`+"\n"+bad+"\n"+`{"_name":"c","releases":[{"releaseCycle":"1","eol":true}]}`))
		if len(list) != 2 || report.Refused != 1 || !strings.HasPrefix(report.Why[0], "endoflife.date record 2 (") {
			t.Errorf("%s: %d, %+v", name, len(list), report)
		}
	}
}

func TestAnAnswerIsTakenWholeOrNotAtAll(t *testing.T) {
	whole := `{"total":2,"result":[{"name":"a"},{"name":"b"}]}`
	for n := range len(whole) {
		if _, err := endoflife.Read(strings.NewReader(whole[:n]), func(endoflife.Product) error { return nil }); err == nil {
			t.Fatalf("taken: %s", whole[:n])
		}
	}
	if _, err := endoflife.Read(strings.NewReader(`{"total":3,"result":[{"name":"a"}]}`), func(endoflife.Product) error { return nil }); err == nil {
		t.Error("fewer products than it says are taken")
	}
}

// With the days that pass, support ends and never comes back.
func TestSupportOnlyEverEnds(t *testing.T) {
	rank := map[endoflife.State]int{endoflife.Supported: 0, endoflife.Ending: 0, endoflife.Ended: 1}
	for _, p := range open(t, "products.ndjson") {
		for _, c := range p.Cycles {
			last := 0
			for now := day("2000-01-01"); now.Year() < 2040; now = now.AddDate(0, 1, 0) {
				s := endoflife.SupportOf(p, c.Name, now)
				if r, ok := rank[s.State]; ok {
					if r < last {
						t.Fatalf("%s %s comes back in %v: %+v", p.Name, c.Name, now, s)
					}
					last = r
				}
			}
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add(`{"total":1,"result":[{"name":"a","releases":[{"name":"1","isEol":true,"eolFrom":"2026-01-01","latest":{"name":"1.2"}}]}]}`, "1.2")
	f.Add(`{"_name":"c","releases":[{"releaseCycle":"1","eol":true,"lts":"2026-01-01"}]}`, "1")
	f.Fuzz(func(t *testing.T, in, version string) {
		now := day("2026-11-28")
		var list []endoflife.Product
		_, _ = endoflife.Read(strings.NewReader(in), func(p endoflife.Product) error {
			list = append(list, p)
			if s := endoflife.SupportOf(p, version, now); s.Why == "" || s.State == endoflife.Supported && s.Cycle == "" {
				t.Fatalf("%+v", s)
			}
			return nil
		})
		endoflife.NewIndex(list).Find(version)
	})
}
