package msrc

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"patchbay/patch"
)

// row is a thing to be done, in a document made for a test.
type row struct{ kind, what, sub, build, old, restart, products string }

// about is one vulnerability.
type about struct {
	cve, severity, exploit string
	rows                   []row
}

// products of the documents made for tests, by ID.
var products = map[string]string{
	"1": "Windows 11 Version 23H2 for x64-based Systems", "2": "Windows 11 Version 23H2 for ARM64-based Systems",
	"3": "Windows 11 Version 24H2 for x64-based Systems", "4": "Windows Server 2025 (Server Core installation)", "5": "Windows Server 2025",
	"6": "Windows 10 Version 22H2 for x64-based Systems", "7": "Windows Server 2012 R2", "8": "Microsoft .NET Framework 4.8.1 on Windows 11 Version 23H2 for x64-based Systems",
	"9": "Windows ADK for Windows 11, version 23H2", "10": "Windows 11 version 26H1 for x64-based Systems",
}

func document(id string, revision int, all ...about) string {
	var b strings.Builder
	fmt.Fprintf(&b, `<cvrf:cvrfdoc xmlns:cvrf="urn:c" xmlns:vuln="urn:v" xmlns:prod="urn:p"><cvrf:DocumentTitle>&lt;b&gt; of a month</cvrf:DocumentTitle>
<cvrf:DocumentTracking><cvrf:Identification><cvrf:ID>%s</cvrf:ID></cvrf:Identification><cvrf:RevisionHistory><cvrf:Revision><cvrf:Number>%d</cvrf:Number></cvrf:Revision></cvrf:RevisionHistory>
<cvrf:CurrentReleaseDate>2026-01-30T03:20:43</cvrf:CurrentReleaseDate></cvrf:DocumentTracking>
<prod:ProductTree><prod:Branch Type="Vendor"><prod:Branch Type="Product Family">`, id, revision)
	for k, name := range products {
		fmt.Fprintf(&b, `<prod:FullProductName ProductID="%s">%s</prod:FullProductName>`, k, name)
	}
	b.WriteString(`</prod:Branch></prod:Branch></prod:ProductTree>`)
	for _, v := range all {
		fmt.Fprintf(&b, `<vuln:Vulnerability><vuln:Title>x</vuln:Title><vuln:CVE>%s</vuln:CVE><vuln:Threats>`, v.cve)
		for k := range products {
			fmt.Fprintf(&b, `<vuln:Threat Type="Severity"><vuln:Description>%s</vuln:Description><vuln:ProductID>%s</vuln:ProductID></vuln:Threat>`, v.severity, k)
		}
		fmt.Fprintf(&b, `<vuln:Threat Type="Exploit Status"><vuln:Description>%s</vuln:Description></vuln:Threat></vuln:Threats><vuln:Remediations>`, v.exploit)
		for _, r := range v.rows {
			fmt.Fprintf(&b, `<vuln:Remediation Type="%s"><vuln:Description>%s</vuln:Description><vuln:SubType>%s</vuln:SubType><vuln:FixedBuild>%s</vuln:FixedBuild><vuln:Supercedence>%s</vuln:Supercedence><vuln:RestartRequired>%s</vuln:RestartRequired>`,
				r.kind, r.what, r.sub, r.build, r.old, r.restart)
			for _, p := range strings.Fields(r.products) {
				fmt.Fprintf(&b, `<vuln:ProductID>%s</vuln:ProductID>`, p)
			}
			b.WriteString(`</vuln:Remediation>`)
		}
		b.WriteString(`</vuln:Remediations></vuln:Vulnerability>`)
	}
	b.WriteString(`</cvrf:cvrfdoc>`)
	return b.String()
}

func fix(kb, sub, build, old, products string) row {
	return row{"Vendor Fix", kb, sub, build, old, "Yes", products}
}

const seen, unseen = "Publicly Disclosed:Yes;Exploited:Yes;Latest Software Release:Exploitation Detected", "Publicly Disclosed:No;Exploited:No"

func mustRead(t testing.TB, text string) Document {
	t.Helper()
	d, err := Read("cvrfDocument.xml", strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func mustKnow(t testing.TB, texts ...string) Knowledge {
	t.Helper()
	var all []Document
	for _, text := range texts {
		all = append(all, mustRead(t, text))
	}
	k, err := Know(all)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// Only rows that mend, with a KB, are taken; the others are counted by their reason.
func TestOnlyVendorFixesMend(t *testing.T) {
	d := mustRead(t, document("2026-Jan", 7, about{"CVE-2026-0001", "Important", seen, []row{
		fix("5000001", "Security Update", "10.0.22631.100", "4999999", "1 2"),
		{"Known Issue", "5000001", "", "10.0.22631.100", "", "", "1"},
		{"Release Notes", "5000001", "", "", "", "", "1"},
		{"Workaround", "5000002", "Security Update", "10.0.22631.100", "", "", "1"},
		fix("Release Notes", "Security Update", "10.0.22631.100", "", "1"),
		fix("Click to Run", "Security Update", "https://aka.ms/OfficeSecurityReleases", "", "1"),
		fix("CBL-Mariner Releases", "", "6.6.117.1-1", "", "1"),
		fix("500000", "Security Update", "10.0.22631.100", "", "1"),
		fix("5000003", "Security Update", "10.0.22631.100", "", "99"),
		fix("5000004", "Security Update", "30.104.13001.0.", "5000004", "9"),
		fix("5000005", "IE Cumulative", "1.000", "KB of old", "9"),
		{"Vendor Fix", "5000006", "Security Hotpatch Update", "https://x", "", "Maybe", "1"},
		{"Vendor Fix", "5000007", "SecurityHotpatchUpdate", "10.0.22631.90", "", "No", "1"},
	}}, about{"CVE-2026-129538", "", "DOS:N/A", nil}, about{"CVE-2026-1/../x", "Low", unseen, []row{fix("5000008", "", "", "", "1")}}))
	want := map[Reason]int{NoFix: 3, NoKB: 4, NoProduct: 1, NoCVE: 1}
	if !reflect.DeepEqual(d.LeftOut, want) || d.Rows != 14 || d.Taken != 5 || d.Vulnerabilities != 3 || d.Unmended != 1 || d.Products != len(products) || d.Revision != 7 {
		t.Errorf("%+v", d)
	}
	var got []string
	for _, f := range d.Fixes {
		got = append(got, strings.Join([]string{f.KB, f.Build.String(), string(f.Kind), f.Supersedes, string(f.Restart), string(f.Severity), string(f.Exploited)}, " "))
	}
	if want := []string{"5000001 10.0.22631.100 cumulative 4999999 yes high yes", "5000001 10.0.22631.100 cumulative 4999999 yes high yes", "5000004 30.104.13001.0 cumulative  yes high yes",
		"5000005  single  yes high yes", "5000006  hotpatch   high yes", "5000007 10.0.22631.90 hotpatch  no high yes"}; !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

// A document is taken as a whole or not at all, and what is wrong is said.
func TestHostileDocumentsAreRefused(t *testing.T) {
	good := document("2026-Jan", 1, about{"CVE-2026-0001", "Low", unseen, []row{fix("5000001", "", "10.0.22631.100", "", "1")}})
	deep := strings.Repeat("<prod:Branch>", 40) + strings.Repeat("</prod:Branch>", 40)
	for name, c := range map[string]struct{ text, want string }{
		"empty":       {"", "empty"},
		"text":        {"hello", "neither"},
		"other XML":   {"<rss></rss>", "no security document"},
		"no XML":      {"<a b></a>", "not XML"},
		"cut":         {good[:len(good)-30], "cut short"},
		"cut at tag":  {strings.TrimSuffix(good, "</cvrf:cvrfdoc>"), "cut short"},
		"doctype":     {`<!DOCTYPE x [<!ENTITY a "aa">]>` + good, "DOCTYPE"},
		"inner one":   {strings.Replace(good, "<cvrf:DocumentTracking>", "<!DOCTYPE x><cvrf:DocumentTracking>", 1), "DOCTYPE"},
		"entity":      {strings.Replace(good, "of a month", "&a;", 1), "not XML"},
		"bad ID":      {strings.Replace(good, ">2026-Jan<", ">../x<", 1), "not a month"},
		"no ID":       {"<cvrfdoc></cvrfdoc>", "which document"},
		"no revision": {strings.Replace(good, "<cvrf:Number>1<", "<cvrf:Number>x<", 1), "revision"},
		"bad time":    {strings.Replace(good, "2026-01-30T", "2026-13-30T", 1), "time of its last release"},
		"deep":        {strings.Replace(good, "<prod:ProductTree>", "<prod:ProductTree>"+deep, 1), "deep"},
		"late tree":   {strings.Replace(good, "</cvrf:cvrfdoc>", "<prod:ProductTree></prod:ProductTree></cvrf:cvrfdoc>", 1), "behind"},
		"early":       {"<cvrfdoc><Vulnerability><CVE>CVE-2026-0001</CVE></Vulnerability></cvrfdoc>", "before it tells"},
		"more":        {good + "<x></x>", "follows behind"},
		"large part":  {strings.Replace(good, "<vuln:Title>x", "<vuln:Title>"+strings.Repeat("x", maxPart+64<<10), 1), "larger"},
		"JSON":        {`[{"cve": "CVE-2026-0001", "patches": [`, "of which month"},
	} {
		d, err := Read("doc", strings.NewReader(c.text))
		if err == nil || !strings.Contains(err.Error(), c.want) || len(err.Error()) > 300 {
			t.Errorf("%s: %v, want a sentence with %q (%d fixes)", name, err, c.want, len(d.Fixes))
		}
	}
	var packed bytes.Buffer
	gz := gzip.NewWriter(&packed)
	if _, err := io.CopyN(gz, zeros{}, maxBytes+maxPart); err != nil {
		t.Fatal(err)
	}
	gz.Close()
	if _, err := Read("bomb.xml.gz", io.MultiReader(&packed)); err == nil || !strings.Contains(err.Error(), "larger") {
		t.Errorf("a small file of many bytes: %v", err)
	}
}

// zeros is endless.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = ' '
	}
	return len(p), nil
}

// Packed or not, with a byte order mark or without, it is the same document.
func TestPackedIsTheSame(t *testing.T) {
	text := document("2026-Jan", 1, about{"CVE-2026-0001", "Low", unseen, []row{fix("5000001", "", "10.0.22631.100", "", "1")}})
	want := mustRead(t, text)
	var b bytes.Buffer
	gz := gzip.NewWriter(&b)
	io.WriteString(gz, "\xef\xbb\xbf\r\n"+text)
	gz.Close()
	whole := b.Bytes()
	if got, err := Read("x", bytes.NewReader(whole)); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%v: %+v", err, got)
	}
	if _, err := Read("x", bytes.NewReader(whole[:len(whole)-20])); err == nil {
		t.Error("a packed document that is cut short was taken")
	}
}

func TestTablesAreRead(t *testing.T) {
	const table = `[{"cve":"CVE-2026-0001","patches":[{"os":"Windows 10 Version 22H2","version":"22H2","kb":"KB5000001","fixedBuild":"19045.7663","severity":"7.8","exploitStatus":"Publicly Disclosed:No;Exploited:Yes"},
{"os":"Windows Server 2012","kb":"KB5000002","fixedBuild":"2.0.50727.8984 & 3.0.30729.8980","severity":"","exploitStatus":""},{"os":"","kb":"KB5000002"}]},{"cve":"CVE-2026-0002"}]`
	d, err := Read("CVE_KB_Mapping_2026-Aug.json", strings.NewReader(table))
	if err != nil || d.ID != "2026-Aug" || !d.Table || d.Rows != 3 || d.Taken != 2 || d.Unmended != 1 || d.Buildless != 1 || d.LeftOut[NoProduct] != 1 {
		t.Fatalf("%v: %+v", err, d)
	}
	if f := d.Fixes[0]; f != (Fix{"2026-Aug", "CVE-2026-0001", "Windows 10 Version 22H2", "5000001", Build{10, 0, 19045, 7663}, Cumulative, "", "", patch.SeverityHigh, patch.Yes, time.Time{}, time.Time{}}) {
		t.Errorf("%+v", f)
	}
	for _, bad := range []string{`[`, `[{"cve":1}]`, `[{]`, `[{"cve":"x","patches":{}}]`, `["a"]`} {
		if _, err := Read("x 2026-Aug", strings.NewReader(bad)); err == nil {
			t.Errorf("%s was taken", bad)
		}
	}
}

func TestScoresAndWords(t *testing.T) {
	for score, want := range map[string]patch.Severity{"9.8": patch.SeverityCritical, "9": patch.SeverityCritical, "8.9": patch.SeverityHigh, "4.0": patch.SeverityMedium, "0.1": patch.SeverityLow,
		"0": patch.SeverityUnknown, "NaN": patch.SeverityUnknown, "11": patch.SeverityUnknown, "": patch.SeverityUnknown} {
		if got := severityOfScore(score); got != want {
			t.Errorf("%q is %s, want %s", score, got, want)
		}
	}
	for text, want := range map[string]Build{"10.0.22631.4317": {10, 0, 22631, 4317}, "30.104.13001.0.": {30, 104, 13001, 0}, "1.000": {}, "6.6.117.1-1": {}, "4.8.4645.xxx": {}, "": {}, "1.2.3.-4": {}, "1.2.3.99999999999": {}, "...": {}} {
		if got, ok := ParseBuild(text); got != want || ok != (want != Build{}) {
			t.Errorf("%q is %v, %v", text, got, ok)
		}
	}
	for name, want := range map[string][2]string{
		products["1"]: {"Windows 11 Version 23H2", "amd64"}, products["2"]: {"Windows 11 Version 23H2", "arm64"}, products["4"]: {"Windows Server 2025", ""},
		products["8"]: {}, products["9"]: {}, products["10"]: {"Windows 11 Version 26H1", "amd64"}, "Windows 10 for 32-bit Systems": {"Windows 10", "386"},
		"Windows Server 2022, 23H2 Edition (Server Core installation)": {"Windows Server 2022, 23H2 Edition", ""}, "Windows Server 2008 R2 for x64-based Systems Service Pack 1 (Server Core installation)": {"Windows Server 2008 R2 Service Pack 1", "amd64"},
		"Windows Admin Center": {}, "Windows App Client for Windows Desktop": {}, "Windows 10 Version 22H2": {"Windows 10 Version 22H2", ""},
	} {
		if line, arch := windowsOf(name); line != want[0] || arch != want[1] {
			t.Errorf("%s is %q for %q", name, line, arch)
		}
	}
}

// FuzzRead holds that whatever comes, it is taken or refused with a sentence, and that what is
// taken can be asked.
func FuzzRead(f *testing.F) {
	f.Add([]byte(document("2026-Jan", 1, about{"CVE-2026-0001", "Low", unseen, []row{fix("5000001", "Security Update", "10.0.22631.100", "4999999", "1 5")}})))
	f.Add([]byte(`[{"cve":"CVE-2026-0001","patches":[{"os":"Windows 10 Version 22H2","kb":"KB5000001","fixedBuild":"19045.7663"}]}]`))
	f.Fuzz(func(t *testing.T, data []byte) {
		d, err := Read("2026-Jan", bytes.NewReader(data))
		if err != nil {
			if len(err.Error()) > 500 {
				t.Errorf("%d bytes of an error", len(err.Error()))
			}
			return
		}
		left := 0
		for _, n := range d.LeftOut {
			left += n
		}
		if d.Rows != d.Taken+left {
			t.Errorf("%d rows, %d taken, %d left out", d.Rows, d.Taken, left)
		}
		k, err := Know([]Document{d})
		if err != nil {
			t.Fatal(err)
		}
		for _, fix := range d.Fixes {
			if !kbForm.MatchString(fix.KB) || !cveForm.MatchString(fix.CVE) || fix.Product == "" {
				t.Errorf("%+v", fix)
			}
			k.Missing(Target{Build: fix.Build})
			k.Update(fix.KB)
		}
	})
}

// The real documents have no licence and are not here. They are read where a folder with them
// is given.
func TestRealDocuments(t *testing.T) {
	folder := os.Getenv("PATCHBAY_MSRC")
	if folder == "" {
		t.Skip("PATCHBAY_MSRC names no folder with security documents")
	}
	names, err := filepath.Glob(filepath.Join(folder, "*_*-*.json*"))
	if err != nil {
		t.Fatal(err)
	}
	documents, err := filepath.Glob(filepath.Join(folder, "cvrfDocument-*"))
	if err != nil || len(documents) == 0 {
		t.Fatalf("%v: no documents in %s", err, folder)
	}
	whole, tables := map[string]Document{}, []Document{}
	for _, name := range append(documents, names...) {
		d, err := Open(name)
		if err != nil {
			t.Error(err)
			continue
		}
		t.Logf("%s: %d vulnerabilities, %d rows, %d taken, %d fixes; left out %v", d.name(), d.Vulnerabilities, d.Rows, d.Taken, len(d.Fixes), d.LeftOut)
		if d.Taken == 0 || d.LeftOut[NoCVE]+d.LeftOut[NoProduct]+d.LeftOut[TooManyLetters] > 0 {
			t.Errorf("%s: %d rows taken, left out %v", d.name(), d.Taken, d.LeftOut)
		}
		if d.Table {
			tables = append(tables, d)
		} else {
			whole[d.ID] = d
		}
	}
	for _, table := range tables { // what is said twice is the same
		if d, ok := whole[table.ID]; ok {
			missing(t, table, d)
		}
	}
}

// missing looks that a document has all that a table made of it says.
func missing(t *testing.T, table, d Document) {
	t.Helper()
	type key struct{ cve, product, kb, build string }
	has := map[key]bool{}
	for _, f := range d.Fixes {
		product, _ := windowsOf(f.Product)
		has[key{f.CVE, product, f.KB, f.Build.String()}] = true
	}
	for _, f := range table.Fixes {
		if product, _ := windowsOf(f.Product); product != "" && !has[key{f.CVE, product, f.KB, f.Build.String()}] {
			t.Errorf("%s has %s mended by KB%s (%s) on %s, the document has not", table.name(), f.CVE, f.KB, f.Build, f.Product)
		}
	}
}
