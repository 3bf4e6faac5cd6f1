package nvd_test

import (
	"fmt"
	"io"
	"os"
	"strings"
	"testing"

	"patchbay/server/catalog/cpe"
	"patchbay/server/catalog/nvd"
)

func mustRead(t testing.TB, in io.Reader) (list []nvd.CVE, report nvd.Report) {
	t.Helper()
	report, err := nvd.Read(in, func(c nvd.CVE) error { list = append(list, c); return nil })
	if err != nil {
		t.Fatal(err)
	}
	return list, report
}

// known gives a record of testdata.
func known(t testing.TB, id string) nvd.CVE {
	t.Helper()
	for _, name := range []string{"page.json", "trimmed.json", "others.ndjson"} {
		f, err := os.Open("testdata/" + name)
		if err != nil {
			t.Fatal(err)
		}
		list, _ := mustRead(t, f)
		f.Close()
		for _, c := range list {
			if c.ID == id {
				return c
			}
		}
	}
	t.Fatalf("%s is not in testdata", id)
	return nvd.CVE{}
}

// made makes a record of configurations, as they are written.
func made(t testing.TB, status, configurations string) nvd.CVE {
	t.Helper()
	list, _ := mustRead(t, strings.NewReader(fmt.Sprintf(`{"id":"CVE-2026-0001","vulnStatus":%q,"configurations":[%s]}`, status, configurations)))
	return list[0]
}

func node(negate bool, criteria ...string) string {
	return fmt.Sprintf(`{"operator":"OR","negate":%v,"cpeMatch":[%s]}`, negate, strings.Join(criteria, ","))
}

func configuration(operator string, negate bool, nodes ...string) string {
	return fmt.Sprintf(`{"operator":%q,"negate":%v,"nodes":[%s]}`, operator, negate, strings.Join(nodes, ","))
}

func criterion(vulnerable bool, name, more string) string {
	return fmt.Sprintf(`{"vulnerable":%v,"criteria":%q%s}`, vulnerable, name, more)
}

func product(part, key string, more ...func(*cpe.Name)) cpe.Name {
	vendor, name, _ := strings.Cut(key, ":")
	n := cpe.Product(part, vendor, name)
	for _, f := range more {
		f(&n)
	}
	return n
}

func edition(s string) func(*cpe.Name) { return func(n *cpe.Name) { n.SoftwareEdition = s } }
func target(s string) func(*cpe.Name)  { return func(n *cpe.Name) { n.TargetSoftware = s } }

func of(version string, names ...cpe.Name) nvd.Asked {
	return nvd.Asked{Names: names, Version: version}
}

func (a asked) on(platforms ...cpe.Name) asked { a.Platforms = platforms; return a }

type asked struct{ nvd.Asked }

var (
	windows = product("o", "microsoft:windows")
	macos   = product("o", "apple:macos")
)

func TestRealRecords(t *testing.T) {
	chrome, zip := product("a", "google:chrome"), product("a", "7-zip:7zip")
	routeros := func(e string) cpe.Name { return product("o", "mikrotik:routeros", edition(e)) }
	reader := func(e string) cpe.Name { return product("a", "adobe:acrobat_reader", edition(e)) }
	jdk := product("a", "oracle:jdk")
	for _, c := range []struct {
		name, id string
		asked    asked
		want     nvd.Verdict
		fixed    string
	}{
		{"before the end", "CVE-2024-4671", asked{of("124.0.6367.78", chrome)}, nvd.Affected, "124.0.6367.201"},
		{"at the end", "CVE-2024-4671", asked{of("124.0.6367.201", chrome)}, nvd.Not, ""},
		{"after the end", "CVE-2024-4671", asked{of("124.0.6367.1000", chrome)}, nvd.Not, ""},
		{"version not known", "CVE-2024-4671", asked{of("", chrome)}, nvd.Undetermined, ""},
		{"another product", "CVE-2024-4671", asked{of("1", product("a", "google:earth"))}, nvd.Not, ""},
		{"renamed product", "CVE-2024-11477", asked{of("24.06", zip)}, nvd.Affected, "24.07"},
		{"renamed vendor", "CVE-2010-5330", asked{of("5.3.4", product("o", "ubnt:airos"))}, nvd.Affected, "5.3.5"},
		{"between two stretches", "CVE-2010-5330", asked{of("4.0.1", product("o", "ubiquiti:airos"))}, nvd.Not, ""},
		{"RouterOS long-term", "CVE-2023-30799", asked{of("6.48.7", routeros("ltr"))}, nvd.Affected, ""},
		{"RouterOS long-term, mended", "CVE-2023-30799", asked{of("6.48.8", routeros("ltr"))}, nvd.Not, ""},
		{"RouterOS stable", "CVE-2023-30799", asked{of("6.48.8", routeros("-"))}, nvd.Affected, "6.49.7"},
		{"RouterOS, which is not known", "CVE-2023-30799", asked{of("6.48.8", routeros(""))}, nvd.Undetermined, ""},
		{"RouterOS, newer than both", "CVE-2023-30799", asked{of("6.49.7", routeros(""))}, nvd.Not, ""},
		{"Hikvision, without a version", "CVE-2021-36260", asked{of("V5.5.0", product("o", "hikvision:ds-2cd2066g2-i(u)_firmware"))}, nvd.Undetermined, ""},
		{"Reader on Windows", "CVE-2023-21608", asked{of("22.003.20282", reader("continuous"))}.on(windows), nvd.Affected, ""},
		{"Reader on macOS", "CVE-2023-21608", asked{of("22.003.20282", reader("continuous"))}.on(macos), nvd.Not, ""},
		{"Reader on macOS, before", "CVE-2023-21608", asked{of("22.003.20281", reader("continuous"))}.on(macos), nvd.Affected, ""},
		{"Reader on a Windows that is known better", "CVE-2023-21608", asked{of("22.003.20282", reader("continuous"))}.on(product("o", "microsoft:windows_11_23h2")), nvd.Affected, ""},
		{"Reader, where is not known", "CVE-2023-21608", asked{of("22.003.20282", reader("continuous"))}, nvd.Undetermined, ""},
		{"Reader of the classic track", "CVE-2023-21608", asked{of("20.005.30418", reader("classic"))}.on(windows), nvd.Affected, ""},
		{"a version of another track", "CVE-2023-21608", asked{of("22.003.20282", reader("classic"))}.on(windows), nvd.Not, ""},
		{"two stretches, several products", "CVE-2024-21762", asked{of("7.0.5", product("o", "fortinet:fortios"))}, nvd.Affected, "7.0.14"},
		{"spaces around a version", "CVE-2021-46973", asked{of("5.10.35", product("o", "linux:linux_kernel"))}, nvd.Affected, ""},
		{"spaces around a version, after", "CVE-2021-46973", asked{of("5.10.36", product("o", "linux:linux_kernel"))}, nvd.Not, ""},
		{"nobody analysed it", "CVE-2023-45604", asked{of("1", chrome)}, nvd.Undetermined, ""},
		{"received alone", "CVE-2023-36014", asked{of("1", chrome)}, nvd.Undetermined, ""},
		{"deferred", "CVE-2024-0094", asked{of("1", chrome)}, nvd.Undetermined, ""},
		{"being analysed", "CVE-2023-5341", asked{of("1", chrome)}, nvd.Undetermined, ""},
		// Java's stretches stand there twice, as 1.8…1.8.0_71 and as 8…8.0.71.
		{"Java as it says itself", "CVE-2016-0402", asked{of("1.8.0_66", jdk)}, nvd.Affected, "1.8.0_71"},
		{"Java as Windows shows it", "CVE-2016-0402", asked{of("8.0.660.18", jdk)}, nvd.Affected, "1.8.0_71"},
		{"Java in three numbers", "CVE-2016-0402", asked{of("8.0.66", jdk)}, nvd.Affected, "1.8.0_71"},
		{"Java in short", "CVE-2016-0402", asked{of("8u66", jdk)}, nvd.Affected, "1.8.0_71"},
		{"Java, mended", "CVE-2016-0402", asked{of("8.0.710.15", jdk)}, nvd.Not, ""},
		{"Java, mended, as it says itself", "CVE-2016-0402", asked{of("1.8.0_71", jdk)}, nvd.Not, ""},
		{"Java, long mended", "CVE-2016-0402", asked{of("8.0.4510.10", jdk)}, nvd.Not, ""},
		{"Java 7 under its old name", "CVE-2016-0402", asked{of("1.7.0_91", product("a", "sun:jdk"))}, nvd.Affected, "1.7.0_95"},
		{"Java 17", "CVE-2016-0402", asked{of("17.0.9", jdk)}, nvd.Not, ""},
		{"one update of Java", "CVE-2015-4000", asked{of("1.8.0_33", jdk)}, nvd.Affected, ""},
		{"another update of Java", "CVE-2015-4000", asked{of("1.8.0_34", jdk)}, nvd.Not, ""},
	} {
		got := nvd.Match(known(t, c.id), c.asked.Asked)
		if got.Verdict != c.want || got.Fixed != c.fixed || !strings.HasSuffix(got.Why, ".") {
			t.Errorf("%s: %+v; want %s, fixed in %q", c.name, got, c.want, c.fixed)
		}
	}
}

// "-" is a version that was left open; "*" without ends is all of them.
func TestNoVersionIsNotAllVersions(t *testing.T) {
	p := product("a", "acme:tool")
	open := made(t, "Analyzed", configuration("", false, node(false, criterion(true, "cpe:2.3:a:acme:tool:-:*:*:*:*:*:*:*", ""))))
	all := made(t, "Analyzed", configuration("", false, node(false, criterion(true, "cpe:2.3:a:acme:tool:*:*:*:*:*:*:*:*", ""))))
	for _, v := range []string{"", "1.0"} {
		if got := nvd.Match(open, of(v, p)); got.Verdict != nvd.Undetermined {
			t.Errorf("%q with \"-\": %+v", v, got)
		}
		if got := nvd.Match(all, of(v, p)); got.Verdict != nvd.Affected || got.Fixed != "" {
			t.Errorf("%q with \"*\": %+v", v, got)
		}
	}
}

func TestEveryEndOfAStretch(t *testing.T) {
	p := product("a", "acme:tool")
	for _, c := range []struct{ ends, affected, not string }{
		{`,"versionStartIncluding":"1.2","versionEndIncluding":"1.9"`, "1.2 1.2.0 1.5 1.9 1.9.0", "1.1 1.9.1 1.10"},
		{`,"versionStartExcluding":"1.2","versionEndExcluding":"1.9"`, "1.2.1 1.5 1.8.99 1.9-rc1", "1.2 1.9 1.9.0 1.10"},
		{`,"versionEndExcluding":"1.9"`, "0 1.8 1.9beta", "1.9 2"},
		{`,"versionStartIncluding":"1.2"`, "1.2 99", "1.1 1.2-rc1"},
		{`,"versionEndIncluding":" 1.0.2k "`, "1.0.2 1.0.2a 1.0.2k", "1.0.2l 1.0.3"},
		{`,"versionEndIncluding":"1.0.2za"`, "1.0.2 1.0.2k 1.0.2z 1.0.2za", "1.0.2zb 1.0.3"},
		{`,"versionStartIncluding":"22-ea","versionEndExcluding":"22.1.0"`, "22-ea 22 22.0.9", "21 22.1.0 23-ea"},
		{`,"versionEndIncluding":"9.3p1"`, "9.3 9.3p1", "9.3p2 9.3.1 9.4"},
	} {
		r := made(t, "Analyzed", configuration("", false, node(false, criterion(true, "cpe:2.3:a:acme:tool:*:*:*:*:*:*:*:*", c.ends))))
		for _, v := range strings.Fields(c.affected) {
			if got := nvd.Match(r, of(v, p)); got.Verdict != nvd.Affected {
				t.Errorf("%s in %s: %+v", v, c.ends, got)
			}
		}
		for _, v := range strings.Fields(c.not) {
			if got := nvd.Match(r, of(v, p)); got.Verdict != nvd.Not {
				t.Errorf("%s in %s: %+v", v, c.ends, got)
			}
		}
	}
}

// What cannot be ordered is not known, and never mended.
func TestVersionsWithoutAnOrderAreUndetermined(t *testing.T) {
	p := product("a", "acme:tool")
	r := made(t, "Analyzed", configuration("", false, node(false, criterion(true, "cpe:2.3:a:acme:tool:*:*:*:*:*:*:*:*", `,"versionEndExcluding":"1.9"`))))
	for _, v := range []string{"latest", "1.9foo", "1.9b2", "master"} {
		if got := nvd.Match(r, of(v, p)); got.Verdict != nvd.Undetermined {
			t.Errorf("%s: %+v", v, got)
		}
	}
	commit := made(t, "Analyzed", configuration("", false, node(false, criterion(true, "cpe:2.3:a:acme:tool:*:*:*:*:*:*:*:*", `,"versionEndExcluding":"2201b254"`))))
	for _, v := range []string{"1.0", "3000", "fa1ad160e2637d1d583611124478039170d726ab"} {
		if got := nvd.Match(commit, of(v, p)); got.Verdict != nvd.Undetermined {
			t.Errorf("%s before a commit: %+v", v, got)
		}
	}
	pattern := made(t, "Analyzed", configuration("", false, node(false, criterion(true, "cpe:2.3:a:acme:tool:1.*:*:*:*:*:*:*:*", ""))))
	if got := nvd.Match(pattern, of("1.5", p)); got.Verdict != nvd.Undetermined {
		t.Errorf("a pattern: %+v", got)
	}
}

// A stretch that ends before it begins is a slip, and proves nothing.
func TestAStretchThatEndsBeforeItBeginsIsUndetermined(t *testing.T) {
	p := product("a", "acme:tool")
	for _, ends := range []string{`,"versionStartIncluding":"0.8.2","versionEndIncluding":"0.8.2-rc3"`, `,"versionStartIncluding":"7","versionEndExcluding":"1.7.2"`, `,"versionStartIncluding":"b.11","versionEndExcluding":"c.4"`} {
		r := made(t, "Analyzed", configuration("", false, node(false, criterion(true, "cpe:2.3:a:acme:tool:*:*:*:*:*:*:*:*", ends))))
		for _, v := range []string{"0.1", "0.8.2", "5"} {
			if got := nvd.Match(r, of(v, p)); got.Verdict != nvd.Undetermined {
				t.Errorf("%s in %s: %+v", v, ends, got)
			}
		}
	}
}

// A b before a number is a beta of Python, and a build of others.
func TestPythonsShortWords(t *testing.T) {
	ends := `,"versionStartIncluding":"3.13.0a1","versionEndExcluding":"3.13.0rc1"`
	python := made(t, "Analyzed", configuration("", false, node(false, criterion(true, "cpe:2.3:a:python:python:*:*:*:*:*:*:*:*", ends))))
	for v, want := range map[string]nvd.Verdict{"3.13.0a1": nvd.Affected, "3.13.0b2": nvd.Affected, "3.13.0rc1": nvd.Not, "3.13.0": nvd.Not, "3.12.9": nvd.Not} {
		if got := nvd.Match(python, of(v, product("a", "python:python"))); got.Verdict != want {
			t.Errorf("%s: %+v", v, got)
		}
	}
}

// The record calls what is not affected by its name: neither answer can be given.
func TestNegatedProductsAreUndetermined(t *testing.T) {
	p := product("a", "acme:tool")
	exact := criterion(true, "cpe:2.3:a:acme:tool:1.0:*:*:*:*:*:*:*", "")
	for _, r := range []nvd.CVE{made(t, "Analyzed", configuration("", false, node(true, exact))), made(t, "Analyzed", configuration("", true, node(false, exact)))} {
		for _, v := range []string{"1.0", "2.0"} {
			if got := nvd.Match(r, of(v, p)); got.Verdict != nvd.Undetermined {
				t.Errorf("%s: %+v", v, got)
			}
		}
	}
}

func TestANegatedPlatformTurnsAround(t *testing.T) {
	p := product("a", "acme:tool")
	r := made(t, "Analyzed", configuration("AND", false, node(false, criterion(true, "cpe:2.3:a:acme:tool:*:*:*:*:*:*:*:*", "")), node(true, criterion(false, "cpe:2.3:o:microsoft:windows:-:*:*:*:*:*:*:*", ""))))
	for _, c := range []struct {
		on   []cpe.Name
		want nvd.Verdict
	}{{nil, nvd.Undetermined}, {[]cpe.Name{windows}, nvd.Not}, {[]cpe.Name{macos}, nvd.Affected}} {
		if got := nvd.Match(r, nvd.Asked{Names: []cpe.Name{p}, Version: "1", Platforms: c.on}); got.Verdict != c.want {
			t.Errorf("on %v: %+v; want %s", c.on, got, c.want)
		}
	}
}

// What a program runs on is not affected by itself.
func TestThePlatformIsNotAffected(t *testing.T) {
	r := known(t, "CVE-2023-21608")
	if got := nvd.Match(r, nvd.Asked{Names: []cpe.Name{windows}, Version: "10.0"}); got.Verdict != nvd.Not {
		t.Errorf("%+v", got)
	}
	if keys := strings.Join(r.Products(), " "); strings.Contains(keys, "windows") || !strings.Contains(keys, "adobe:acrobat_reader_dc") {
		t.Errorf("products: %s", keys)
	}
}

// A camera's firmware runs on that camera, and on no other.
func TestFirmwareIsOnItsHardware(t *testing.T) {
	r := made(t, "Analyzed", configuration("AND", false,
		node(false, criterion(true, `cpe:2.3:o:acme:cam\/1_firmware:*:*:*:*:*:*:*:*`, `,"versionEndExcluding":"2.0"`)), node(false, criterion(false, `cpe:2.3:h:acme:cam\/1:-:*:*:*:*:*:*:*`, ""))))
	if got := nvd.Match(r, of("1.9", product("o", "acme:cam/1_firmware"))); got.Verdict != nvd.Affected || got.Fixed != "2.0" || !strings.Contains(got.Why, "before 2.0") {
		t.Errorf("%+v", got)
	}
	if got := nvd.Match(r, of("1.9", product("o", "acme:cam_firmware"))); got.Verdict != nvd.Not {
		t.Errorf("another camera: %+v", got)
	}
}

func TestASystemThatItIsMadeForComesFromThePlatformToo(t *testing.T) {
	r := made(t, "Analyzed", configuration("", false, node(false, criterion(true, "cpe:2.3:a:acme:tool:*:*:*:*:*:windows:*:*", `,"versionEndExcluding":"2"`))))
	p := product("a", "acme:tool")
	for _, c := range []struct {
		asked nvd.Asked
		want  nvd.Verdict
	}{
		{nvd.Asked{Names: []cpe.Name{p}, Version: "1"}, nvd.Undetermined},
		{nvd.Asked{Names: []cpe.Name{p}, Version: "2"}, nvd.Not},
		{nvd.Asked{Names: []cpe.Name{p}, Version: "1", Platforms: []cpe.Name{windows}}, nvd.Affected},
		{nvd.Asked{Names: []cpe.Name{product("a", "acme:tool", target("macos"))}, Version: "1"}, nvd.Not},
	} {
		if got := nvd.Match(r, c.asked); got.Verdict != c.want {
			t.Errorf("%+v: %+v; want %s", c.asked, got, c.want)
		}
	}
}

// Whatever a record does not say proves nothing while nobody has analysed it.
func TestAbsenceIsNotSafety(t *testing.T) {
	p := product("a", "acme:tool")
	other := configuration("", false, node(false, criterion(true, "cpe:2.3:a:acme:other:*:*:*:*:*:*:*:*", "")))
	for status, want := range map[string]nvd.Verdict{"Analyzed": nvd.Not, "Modified": nvd.Not, "Awaiting Analysis": nvd.Undetermined, "Undergoing Analysis": nvd.Undetermined, "Received": nvd.Undetermined, "Deferred": nvd.Undetermined, "Something new": nvd.Undetermined, "Rejected": nvd.Not} {
		if got := nvd.Match(made(t, status, other), of("1", p)); got.Verdict != want {
			t.Errorf("%s: %+v; want %s", status, got, want)
		}
	}
	for _, status := range []string{"Analyzed", "Received", ""} {
		if got := nvd.Match(made(t, status, ""), of("1", p)); got.Verdict != nvd.Undetermined {
			t.Errorf("%q without configurations: %+v", status, got)
		}
	}
	broken := made(t, "Analyzed", configuration("", false, node(false, criterion(true, "cpe:2.3:a:acme", ""))))
	if got := nvd.Match(broken, of("1", p)); got.Verdict != nvd.Undetermined {
		t.Errorf("a name that cannot be read: %+v", got)
	}
}

// More that is known of a product never turns one definite answer into the other.
func TestKnowingMoreNeverTurnsAnAnswer(t *testing.T) {
	names := func(v ...string) (list []cpe.Name) {
		for _, e := range v {
			list = append(list, product("a", "adobe:acrobat_reader_dc", edition(e)))
		}
		return list
	}
	platforms := [][]cpe.Name{nil, {windows}, {macos}}
	r := known(t, "CVE-2023-21608")
	for _, version := range []string{"15.0", "20.005.30418", "22.003.20281", "22.003.20282", "22.003.20300"} {
		for _, n := range names("continuous", "classic") {
			for _, on := range platforms[1:] {
				full := nvd.Match(r, nvd.Asked{Names: []cpe.Name{n}, Version: version, Platforms: on}).Verdict
				for _, less := range []nvd.Asked{{Names: []cpe.Name{n}, Version: version}, {Names: names(""), Version: version, Platforms: on}, {Names: []cpe.Name{n}, Platforms: on}} {
					if got := nvd.Match(r, less).Verdict; got != full && got != nvd.Undetermined {
						t.Errorf("%s, %s on %v is %s, and with less known %s", version, n.SoftwareEdition, on, full, got)
					}
				}
			}
		}
	}
}
