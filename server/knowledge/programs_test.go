package knowledge_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"patchbay/patch"
	"patchbay/provider"
	"patchbay/server/assess"
	"patchbay/server/catalog/kinds"
	"patchbay/server/catalog/match"
	"patchbay/server/catalog/priority"
	"patchbay/server/knowledge"
	"patchbay/wire"
)

var desktop = wire.Facts{OS: "windows", Release: "11", Providers: []wire.ProviderFacts{{Name: "winget", Traits: provider.Traits{Versions: patch.SchemeWinget}}, {Name: "extensions", Traits: provider.Traits{Versions: patch.SchemeWinget, ReadOnly: true}}}}

func program(name, version string) patch.Item {
	return patch.Item{Provider: "winget", Name: name, Version: version}
}

func nvdRecord(cve, product, bound string) string {
	return fmt.Sprintf(`{"cve":{"id":%q,"vulnStatus":"Analyzed","published":"2026-01-02T00:00:00.000","lastModified":"2026-01-02T00:00:00.000","descriptions":[],"metrics":{"cvssMetricV31":[{"source":"nvd@nist.gov","type":"Primary","cvssData":{"version":"3.1","vectorString":"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H","baseScore":9.8}}]},
"configurations":[{"nodes":[{"operator":"OR","negate":false,"cpeMatch":[{"vulnerable":true,"criteria":"cpe:2.3:a:%s:*:*:*:*:*:*:*:*",%s}]}]}]}}`, cve, product, bound)
}

func nvdPage(records ...string) string {
	return fmt.Sprintf(`{"resultsPerPage":%d,"startIndex":0,"totalResults":%d,"format":"NVD_CVE","version":"2.0","timestamp":"2026-01-03T00:00:00.000","vulnerabilities":[%s]}`, len(records), len(records), strings.Join(records, ","))
}

// TestProgramsAreComparedByProduct: only where nobody else speaks, and said to be unconfirmed.
func TestProgramsAreComparedByProduct(t *testing.T) {
	text, err := os.ReadFile("../catalog/nvd/testdata/trimmed.json")
	if err != nil {
		t.Fatal(err)
	}
	more := nvdPage(nvdRecord("CVE-2026-0002", "gimp:gimp", `"versionEndIncluding":"2.10.36"`))
	s, err := knowledge.Load([]knowledge.Source{source("nvd", kinds.NVD, string(text)), source("nvd-more", kinds.NVD, more)}, []string{"debian:12", "windows:11"}, now)
	if err != nil {
		t.Fatal(err)
	}
	items := []patch.Item{program("7-Zip", "22.01"), program("Google Chrome", "124.0.6367.201"), program("Google Chrome", "124.0.6367.200"), program("GIMP", "2.10.36"), program("Unheard of", "1.0"), program("IrfanView", "4.67")}
	items[2].Scope = "somebody"
	c := s.Compare(desktop, "winget", "a hash", items, priority.Device{})
	if c.Release != "NVD" || !slices.Equal(c.Names, []string{"7-zip:7-zip", "7-zip:7zip", "gimp:gimp", "google:chrome", "irfanview:irfanview"}) || len(c.Found) != 3 {
		t.Fatalf("%+v", c)
	}
	zip, chrome, gimp := c.Found[items[0].Key()], c.Found[items[2].Key()], c.Found[items[3].Key()]
	if f := zip.List[0]; f.Advisory != "CVE-2024-11477" || f.Status != assess.Affected || f.Fixed != "24.07" || !f.Unconfirmed || f.Severity != patch.SeverityHigh || !strings.Contains(f.Note, "not confirmed") {
		t.Errorf("%+v", f)
	}
	if f := chrome.List[0]; f.Advisory != "CVE-2024-4671" || f.Fixed != "124.0.6367.201" {
		t.Errorf("%+v", f)
	}
	if f := gimp.List[0]; f.Status != assess.Affected || f.Fixed != "" || f.Last != "2.10.36" || !strings.Contains(f.Note, "No newer version") || f.Severity != patch.SeverityCritical {
		t.Errorf("%+v", f)
	}
	if c := s.Compare(debian, "apt", "", []patch.Item{{Provider: "apt", Name: "7-Zip", Version: "22.01"}}, priority.Device{}); len(c.Found) > 0 {
		t.Errorf("a distribution's package is compared by its product: %+v", c)
	}
	if c := s.Compare(desktop, "extensions", "", items, priority.Device{}); len(c.Found) > 0 {
		t.Errorf("an extension is compared as a program: %+v", c)
	}
}

// TestANewRecordTouchesItsProductAlone: what others say of other products stays.
func TestANewRecordTouchesItsProductAlone(t *testing.T) {
	var b knowledge.Book
	load := func(records ...string) knowledge.Touched {
		s, err := knowledge.Load([]knowledge.Source{source("nvd", kinds.NVD, nvdPage(records...))}, []string{"windows:11"}, now)
		if err != nil {
			t.Fatal(err)
		}
		return b.Replace(s)
	}
	items := []patch.Item{program("7-Zip", "22.01"), program("GIMP", "2.10.36")}
	at := func() map[patch.Key]*assess.Found {
		return b.Current().Compare(desktop, "winget", "h", items, priority.Device{}).Found
	}
	zip, gimp := nvdRecord("CVE-2026-0001", "7-zip:7-zip", `"versionEndExcluding":"24.07"`), nvdRecord("CVE-2026-0002", "gimp:gimp", `"versionEndExcluding":"3.0"`)
	load(zip, gimp)
	was := at()
	if touched := load(zip, gimp); !touched.Nothing() || at()[items[0].Key()] != was[items[0].Key()] {
		t.Errorf("the same says something else: %+v", touched)
	}
	touched := load(zip, gimp, nvdRecord("CVE-2026-0003", "gimp:gimp", `"versionEndExcluding":"2.99"`), nvdRecord("CVE-2026-0004", "some:other", `"versionEndExcluding":"2.99"`))
	if !slices.Equal(touched.Packages, []match.Subjected{{Ecosystem: "NVD", Name: "gimp:gimp"}}) {
		t.Errorf("%+v", touched)
	}
	is := at()
	if is[items[0].Key()] != was[items[0].Key()] || len(is[items[1].Key()].List) != 2 {
		t.Errorf("%+v", is)
	}
	// A record that is about another product now is none of this one.
	load(zip, strings.Replace(gimp, "gimp:gimp", "some:other", 1))
	if is := at(); is[items[1].Key()] != nil || is[items[0].Key()] != was[items[0].Key()] {
		t.Errorf("%+v", is)
	}
}

// TestRecordsAreKeptWhereThereAreProgramsAlone: a fleet of servers keeps none of them.
func TestRecordsAreKeptWhereThereAreProgramsAlone(t *testing.T) {
	text := nvdPage(nvdRecord("CVE-2026-0001", "7-zip:7-zip", `"versionEndExcluding":"24.07"`))
	for system, want := range map[string]int{"debian:12": 0, "windows:11": 1, "windows-server:2022": 1, "darwin:15": 1, "macos:14.6.1": 1} {
		s, err := knowledge.Load([]knowledge.Source{source("nvd", kinds.NVD, text)}, []string{system}, now)
		if err != nil {
			t.Fatal(err)
		}
		if got := len(s.Compare(desktop, "winget", "", []patch.Item{program("7-Zip", "22.01")}, priority.Device{}).Found); got != want {
			t.Errorf("%s: %d", system, got)
		}
	}
}
