package csaf_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"patchbay/patch"
	"patchbay/server/catalog/advisory"
	"patchbay/server/catalog/csaf"
	"patchbay/server/catalog/feed"
	"patchbay/server/catalog/match"
)

func mustRead(t testing.TB, text string) (list []csaf.Document, report feed.Report) {
	t.Helper()
	report, err := csaf.Read(strings.NewReader(text), func(d csaf.Document) error { list = append(list, d); return nil })
	if err != nil {
		t.Fatal(err)
	}
	return list, report
}

func open(t testing.TB, name string) csaf.Document {
	t.Helper()
	text, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	list, report := mustRead(t, string(text))
	if len(list) != 1 {
		t.Fatalf("%s: %+v", name, report)
	}
	return list[0]
}

// made writes a document: packages are "id=package URL or name", parts "part<whole".
func made(id, category string, packages, parts []string, vulnerabilities ...string) string {
	leaves := []string{
		`{"category":"product_name","name":"x","product":{"product_id":"RHEL9","name":"Red Hat Enterprise Linux AppStream (v. 9)","product_identification_helper":{"cpe":"cpe:/a:redhat:enterprise_linux:9::appstream"}}}`,
		`{"category":"product_name","name":"x","product":{"product_id":"SLES","name":"SUSE Linux Enterprise Server 15 SP5","product_identification_helper":{"cpe":"cpe:/o:suse:sles:15:sp5"}}}`,
	}
	for _, p := range packages {
		id, what, _ := strings.Cut(p, "=")
		helper := ""
		if strings.HasPrefix(what, "pkg:") {
			helper = fmt.Sprintf(`,"product_identification_helper":{"purl":%q}`, what)
		}
		leaves = append(leaves, fmt.Sprintf(`{"category":"product_version","name":%q,"product":{"product_id":%q,"name":%q%s}}`, what, id, what, helper))
	}
	var relations []string
	for _, p := range parts {
		part, whole, _ := strings.Cut(p, "<")
		relations = append(relations, fmt.Sprintf(`{"category":"default_component_of","full_product_name":{"product_id":%q,"name":"x"},"product_reference":%q,"relates_to_product_reference":%q}`, p, part, whole))
	}
	return fmt.Sprintf(`{"document":{"category":%q,"csaf_version":"2.0","title":"T","publisher":{"name":"P"},"aggregate_severity":{"text":"Important"},"tracking":{"id":%q,"initial_release_date":"2026-01-01T00:00:00Z","current_release_date":"2026-02-01T00:00:00Z"}},"product_tree":{"branches":[{"category":"vendor","name":"V","branches":[%s]}],"relationships":[%s]},"vulnerabilities":[%s]}`,
		category, id, strings.Join(leaves, ","), strings.Join(relations, ","), strings.Join(vulnerabilities, ","))
}

func about(cve, status, more string) string {
	return fmt.Sprintf(`{"cve":%q,"product_status":{%s}%s}`, cve, status, more)
}

const foo = "foo=pkg:rpm/redhat/foo@1.2-3.el9?arch=x86_64&epoch=1"

func TestARealAdvisoryOfRedHat(t *testing.T) {
	d := open(t, "rhsa-2023_7438.json")
	a, ok := d.Advisory()
	if !ok || a.ID != "RHSA-2023:7438" || !slices.Equal(a.Aliases, []string{"CVE-2023-41419"}) || advisory.Severity(a.Scores) != patch.SeverityCritical {
		t.Errorf("%+v", a)
	}
	want := advisory.Affected{Ecosystem: "Red Hat:openstack:17.1::el9", Name: "python3-gevent", Ranges: []advisory.Range{{Introduced: "0", Fixed: "21.1.2-2.el9ost"}}}
	if !slices.ContainsFunc(a.Affected, func(f advisory.Affected) bool {
		return f.Ecosystem == want.Ecosystem && f.Name == want.Name && slices.Equal(f.Ranges, want.Ranges)
	}) {
		t.Errorf("%+v", a.Affected)
	}
	if slices.ContainsFunc(a.Affected, func(f advisory.Affected) bool { return f.Name == "python-gevent" }) {
		t.Error("the package that others are built of is said to be installed")
	}
	for _, s := range d.Vulnerabilities[0].Stated {
		if s.Status != csaf.Fixed || len(s.Remedies) != 2 || s.Remedies[0].Kind != "vendor_fix" || s.Remedies[1].Kind != "workaround" {
			t.Errorf("%+v", s)
		}
	}
}

func TestARealVEXOfRedHat(t *testing.T) {
	a, ok := open(t, "cve-2023-6238.json").Advisory()
	if !ok || a.ID != "REDHAT-CVE-2023-6238" || !slices.Equal(a.CVEs(), []string{"CVE-2023-6238"}) || len(a.Affected) != 7 {
		t.Fatalf("%+v", a)
	}
	for _, f := range a.Affected {
		if f.State != advisory.NotAffected || len(f.Ranges) != 0 {
			t.Errorf("%+v", f)
		}
	}
	old, _ := open(t, "cve-2010-2057.json").Advisory()
	for _, f := range old.Affected {
		if f.State != advisory.ByVersion || len(f.Ranges) != 1 || f.Ranges[0].Fixed != "" {
			t.Errorf("affected and without a fix: %+v", f)
		}
	}
}

// SUSE has no package URLs, calls what is fixed recommended, and its platforms by their titles.
func TestARealAdvisoryOfSUSE(t *testing.T) {
	a, ok := open(t, "opensuse-su-2016_1623-1.json").Advisory()
	if !ok || len(a.Affected) != 19 || a.Affected[0].Ecosystem != "SUSE:Package Hub 12" || a.Affected[0].Name != "chromedriver" || a.Affected[0].Ranges[0].Fixed != "51.0.2704.103-85.3" {
		t.Errorf("%+v", a)
	}
	if a, ok := open(t, "cve-1999-0003.json").Advisory(); ok {
		t.Errorf("a document that says nothing of any product is %+v", a)
	}
}

func TestEveryStatusInTheWordsOfAdvisories(t *testing.T) {
	remedy := func(kind, details string) string {
		return fmt.Sprintf(`,"remediations":[{"category":%q,"details":%q,"product_ids":["foo<RHEL9"]}]`, kind, details)
	}
	for _, c := range []struct {
		status, more string
		state        advisory.State
		open         bool
	}{
		{"known_not_affected", "", advisory.NotAffected, false},
		{"under_investigation", "", advisory.Undetermined, true},
		{"known_affected", "", advisory.ByVersion, true},
		{"known_affected", remedy("none_available", "Affected"), advisory.ByVersion, true},
		{"known_affected", remedy("none_available", "Fix deferred"), advisory.Postponed, true},
		{"known_affected", remedy("no_fix_planned", "Will not fix"), advisory.Ignored, true},
		{"known_affected", remedy("no_fix_planned", "Out of support scope"), advisory.EndOfLife, true},
		{"known_affected", remedy("workaround", "Switch it off"), advisory.ByVersion, true},
		{"known_affected", remedy("mitigation", "Switch it off"), advisory.ByVersion, true},
	} {
		list, _ := mustRead(t, made("CVE-2026-0001", "csaf_vex", []string{"foo=pkg:rpm/redhat/foo?arch=src"}, []string{"foo<RHEL9"}, about("CVE-2026-0001", `"`+c.status+`":["foo<RHEL9"]`, c.more)))
		a, ok := list[0].Advisory()
		if !ok || len(a.Affected) != 1 || a.Affected[0].State != c.state || (len(a.Affected[0].Ranges) == 1) != c.open {
			t.Errorf("%s%s: %+v", c.status, c.more, a)
		}
	}
}

// Where a document says two things of one product, the graver one holds.
func TestOfTwoStatusesTheGraverHolds(t *testing.T) {
	order := []string{"known_not_affected", "fixed", "under_investigation", "known_affected"}
	want := []csaf.Status{csaf.NotAffected, csaf.Fixed, csaf.Investigated, csaf.Affected}
	for i, a := range order {
		for j, b := range order {
			if a == b {
				continue
			}
			list, _ := mustRead(t, made("X-1", "csaf_vex", []string{foo}, []string{"foo<RHEL9"}, about("CVE-2026-0001", fmt.Sprintf(`%q:["foo<RHEL9"],%q:["foo<RHEL9"]`, a, b), "")))
			if got := list[0].Vulnerabilities[0].Stated; len(got) != 1 || got[0].Status != want[max(i, j)] {
				t.Errorf("%s and %s are %+v", a, b, got)
			}
		}
	}
}

// Of two vulnerabilities of one document the one that does not affect a package hides nothing
// of the other.
func TestNotAffectedByOneIsFixedForTheOther(t *testing.T) {
	list, _ := mustRead(t, made("RHSA-2026:0001", "csaf_security_advisory", []string{foo}, []string{"foo<RHEL9"},
		about("CVE-2026-0001", `"known_not_affected":["foo<RHEL9"]`, ""), about("CVE-2026-129538", `"fixed":["foo<RHEL9"]`, "")))
	a, _ := list[0].Advisory()
	if len(a.Affected) != 1 || a.Affected[0].Ranges[0].Fixed != "1:1.2-3.el9" || !slices.Equal(a.Aliases, []string{"CVE-2026-0001", "CVE-2026-129538"}) {
		t.Errorf("%+v", a)
	}
}

func TestModulesAreNamedInBothWays(t *testing.T) {
	list, _ := mustRead(t, made("RHSA-2026:0002", "csaf_security_advisory",
		[]string{"r=pkg:rpm/redhat/redis@6.2.17-1.module%2Bel8.10.0%2B22680%2B748527fd?arch=x86_64&rpmmod=redis:6:8100020250113083959:489197e6", "m=pkg:rpmmod/redhat/nodejs@18%3A9030020231120", "n=pkg:rpm/redhat/nodejs@18.1-1.module%2Bel9?arch=x86_64"},
		[]string{"r<RHEL9", "m<RHEL9", "n<m<RHEL9"},
		about("CVE-2026-0001", `"fixed":["r<RHEL9","n<m<RHEL9"]`, "")))
	a, _ := list[0].Advisory()
	if len(a.Affected) != 2 || a.Affected[0].Module != "nodejs:18" || a.Affected[1].Module != "redis:6" || a.Affected[1].Ranges[0].Fixed != "6.2.17-1.module+el8.10.0+22680+748527fd" {
		t.Errorf("%+v", a)
	}
}

func TestNamesWithoutAPackageURL(t *testing.T) {
	for in, want := range map[string]csaf.Package{
		"imlib2-1.4.5-5.1.aarch64":                               {Name: "imlib2", Version: "1.4.5-5.1", Architecture: "aarch64"},
		"java-1_8_0-openjdk-1.8.0.402-3.1.noarch":                {Name: "java-1_8_0-openjdk", Version: "1.8.0.402-3.1", Architecture: "noarch"},
		"samba-winbind-libs-32bit":                               {Name: "samba-winbind-libs-32bit"},
		"samba-winbind-libs-32bit-4.19.2+git.322.7e9201cef5-1.1": {Name: "samba-winbind-libs-32bit", Version: "4.19.2+git.322.7e9201cef5-1.1"},
		"bind-9.9.4P2-0.6.1.x86_64":                              {Name: "bind", Version: "9.9.4P2-0.6.1", Architecture: "x86_64"},
		"c-ares-0:1.13.0-9.el8_9.1.src":                          {Name: "c-ares", Version: "1.13.0-9.el8_9.1", Architecture: "src"},
		"A program with spaces":                                  {},
	} {
		list, _ := mustRead(t, made("X-1", "csaf_vex", []string{"p=" + in}, []string{"p<SLES"}, about("CVE-2026-0001", `"known_affected":["p<SLES"]`, "")))
		if got := list[0].Vulnerabilities[0].Stated[0].Product.Package; got != want {
			t.Errorf("%q is %+v", in, got)
		}
	}
}

// What a document of SUSE says comes out where a host of that release is compared.
func TestAnAdvisoryIsFoundForItsRelease(t *testing.T) {
	list, _ := mustRead(t, made("SUSE-SU-403 Forbidden-1", "csaf_security_advisory", []string{"p=imlib2-1.4.5-5.1.aarch64"}, []string{"p<SLES"}, about("CVE-2026-0001", `"recommended":["p<SLES"]`, "")))
	a, _ := list[0].Advisory()
	b := match.NewBuilder(nil)
	if err := b.Add(a); err != nil {
		t.Fatal(err)
	}
	release, err := match.Release("sles:15.5")
	if err != nil {
		t.Fatal(err)
	}
	for version, want := range map[string]int{"1.4.5-5.0": 1, "1.4.5-5.1": 0} {
		found := b.Index().Match(match.Host{Release: release, Items: []match.Item{{Name: "imlib2", Version: version}}})
		if len(found) != want || want == 1 && (found[0].Fixed != "1.4.5-5.1" || found[0].Advisory != "SUSE-SU-403 Forbidden-1") {
			t.Errorf("%s: %+v", version, found)
		}
	}
}

func TestOneBadDocumentIsRefusedAlone(t *testing.T) {
	good := made("X-1", "csaf_vex", []string{foo}, nil)
	deep := strings.Repeat(`{"branches":[`, 40) + `{}` + strings.Repeat(`]}`, 40)
	for name, bad := range map[string]string{
		"hostile id": made("../../x", "csaf_vex", nil, nil), "no document": `{"statements":[]}`, "no object": `[]`, "hostile CVE": made("X-2", "csaf_vex", nil, nil, about("CVE-2024/../../x", "", "")),
		"a status that nobody knows": made("X-2", "csaf_vex", nil, nil, about("CVE-2026-0001", `"cured":["foo"]`, "")), "a list for a vulnerability": made("X-2", "csaf_vex", nil, nil, `[]`),
		"deep": `{"document":{"tracking":{"id":"X-2"}},"product_tree":{"branches":[` + deep + `]}}`, "no time": `{"document":{"tracking":{"id":"X-2","initial_release_date":"soon"}}}`,
	} {
		list, report := mustRead(t, good+"\n"+bad+"\n"+good)
		if len(list) != 2 || report.Refused != 1 || !strings.HasPrefix(report.Why[0], "CSAF record 2 (") {
			t.Errorf("%s: %d, %+v", name, len(list), report)
		}
	}
}

// Products that are parts of themselves, or named and nowhere, cost nothing.
func TestPartsThatGoInCircles(t *testing.T) {
	parts := []string{}
	for i := range 200 {
		parts = append(parts, fmt.Sprintf("p%d<p%d", i, (i+1)%200))
	}
	text := made("X-1", "csaf_vex", nil, parts, about("CVE-2026-0001", `"known_affected":["p0<p1","nowhere","a","b"]`, `,"remediations":[{"category":"workaround","product_ids":["nowhere"],"group_ids":["none"]}]`))
	text = strings.Replace(text, `"relationships":[`, `"relationships":[{"full_product_name":{"product_id":"a"},"product_reference":"a","relates_to_product_reference":"a"},{"full_product_name":{"product_id":"b"},"product_reference":"a","relates_to_product_reference":"b"},`, 1)
	list, _ := mustRead(t, text)
	if got := list[0].Vulnerabilities[0].Stated; len(got) != 4 || got[2].Product.ID != "nowhere" || len(got[2].Remedies) != 1 {
		t.Errorf("%+v", got)
	}
	if _, ok := list[0].Advisory(); ok {
		t.Error("it says something of a package")
	}
}

func TestADocumentThatBreaksOffIsAnError(t *testing.T) {
	whole, err := os.ReadFile("testdata/rhsa-2023_7438.json")
	if err != nil {
		t.Fatal(err)
	}
	end := len(strings.TrimSpace(string(whole)))
	for n := 0; n < end; n += 97 {
		if _, err := csaf.Read(strings.NewReader(string(whole[:n])), func(csaf.Document) error { return nil }); err == nil {
			t.Fatalf("taken after %d of %d bytes", n, end)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add(made("RHSA-2026:0001", "csaf_security_advisory", []string{foo}, []string{"foo<RHEL9"}, about("CVE-2026-0001", `"fixed":["foo<RHEL9"],"known_affected":["foo"]`, `,"scores":[{"cvss_v3":{"vectorString":"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}}]`)))
	f.Add(made("SUSE-SU-403 Forbidden-1", "csaf_vex", []string{"p=imlib2-1.4.5-5.1.aarch64"}, []string{"p<SLES", "p<SLES<p"}, about("CVE-2026-0001", `"recommended":["p<SLES"]`, "")))
	f.Fuzz(func(t *testing.T, in string) {
		_, _ = csaf.Read(strings.NewReader(in), func(d csaf.Document) error {
			a, ok := d.Advisory()
			if !ok {
				return nil
			}
			if !advisory.IsID(a.ID) {
				t.Fatalf("the id %q", a.ID)
			}
			if again, _ := d.Advisory(); fmt.Sprint(a) != fmt.Sprint(again) {
				t.Fatalf("%+v, then %+v", a, again)
			}
			return nil
		})
	})
}
