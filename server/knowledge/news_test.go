package knowledge_test

import (
	"fmt"
	"iter"
	"slices"
	"strings"
	"testing"
	"time"

	"patchbay/server/assess"
	"patchbay/server/bulletin"
	"patchbay/server/catalog/kinds"
	"patchbay/server/knowledge"
)

// news is what is told of one reading after the other.
type news struct {
	t     *testing.T
	known map[string]bulletin.Known
}

func (n *news) read(said iter.Seq[bulletin.Said]) (told []string) {
	n.t.Helper()
	list, next := bulletin.News(n.known, said, now)
	for name, k := range next {
		n.known[name] = k
	}
	for _, b := range list {
		told = append(told, fmt.Sprintf("%s %s of %s", b.Kind, b.ID, b.Feed))
	}
	slices.Sort(told)
	return told
}

func (n *news) expect(said iter.Seq[bulletin.Said], want ...string) {
	n.t.Helper()
	if told := n.read(said); !slices.Equal(told, want) {
		n.t.Errorf("told %q, want %q", told, want)
	}
}

// A new advisory, a fix for what had none and an addition to KEV are news; the first reading of
// any of these feeds is none.
func TestWhatComesAfterTheFirstReadingIsNews(t *testing.T) {
	n := &news{t, map[string]bulletin.Known{}}
	open := strings.ReplaceAll(record("CVE-2026-0002", "curl", "x"), `,{"fixed":"x"}`, "")
	base := record("CVE-2026-0001", "curl", "1.1") + open
	osv := func(text string) knowledge.Source { return source("osv", kinds.OSV, text) }
	n.expect(snapshot(t, osv(base)).Said())
	n.expect(snapshot(t, osv(base+record("CVE-2026-0003", "bash", "5.1"))).Said(), "new CVE-2026-0003 of osv")
	n.expect(snapshot(t, osv(base+record("CVE-2026-0003", "bash", "5.1"))).Said())
	n.expect(snapshot(t, osv(record("CVE-2026-0001", "curl", "1.1")+record("CVE-2026-0002", "curl", "1.2"))).Said(), "fixed CVE-2026-0002 of osv")
	other := strings.ReplaceAll(exploited, "CVE-2026-0001", "CVE-2020-0007")
	n.expect(snapshot(t, osv(base), source("kev", kinds.KEV, other)).Said())
	added := strings.ReplaceAll(strings.ReplaceAll(exploited, `"count":1`, `"count":2`), `"vulnerabilities":[`, `"vulnerabilities":[`+strings.SplitN(strings.TrimSuffix(other, "]}"), `"vulnerabilities":[`, 2)[1]+",")
	n.expect(snapshot(t, osv(base), source("kev", kinds.KEV, added)).Said(), "exploited CVE-2026-0001 of kev")
	// A release that is read for the first time is none.
	eleven := strings.ReplaceAll(record("CVE-2026-0004", "curl", "1.1"), "Debian:12", "Debian:11")
	s, err := knowledge.Load([]knowledge.Source{osv(base + eleven), source("kev", kinds.KEV, added)}, []string{"debian:11", "debian:12"}, now)
	if err != nil {
		t.Fatal(err)
	}
	n.expect(s.Said())
}

// A score that has a finding go before its turn is news, and the first scores of all are none.
func TestWhatIsRaisedIsNews(t *testing.T) {
	n := &news{t, map[string]bulletin.Known{}}
	scores := func(score string) knowledge.Source {
		return source("epss", kinds.EPSS, "#model_version:v1,score_date:2026-02-28T00:00:00+0000\ncve,epss,percentile\nCVE-2026-0001,"+score+",0.5\nCVE-2026-0002,0.9,0.9\n")
	}
	advisories := source("osv", kinds.OSV, record("CVE-2026-0001", "curl", "1.1")+record("CVE-2026-0002", "curl", "1.1"))
	n.expect(snapshot(t, advisories).Said())
	n.expect(snapshot(t, advisories, scores("0.02")).Said())
	n.expect(snapshot(t, advisories, scores("0.03")).Said())
	n.expect(snapshot(t, advisories, scores("0.9")).Said(), "raised CVE-2026-0001 of osv")
}

// month is a document of Microsoft's with one fix for each line: CVE, KB, and its days.
func month(lines ...string) string {
	var b strings.Builder
	b.WriteString(`<cvrfdoc><DocumentTracking><Identification><ID>2026-Jan</ID></Identification><CurrentReleaseDate>2026-01-30T00:00:00</CurrentReleaseDate></DocumentTracking>
<ProductTree><FullProductName ProductID="1">Windows 11 Version 23H2 for x64-based Systems</FullProductName></ProductTree>`)
	for _, line := range lines {
		f := strings.Fields(line)
		fmt.Fprintf(&b, `<Vulnerability><CVE>%s</CVE><Remediations><Remediation Type="Vendor Fix"><Description>%s</Description><SubType>Security Update</SubType><FixedBuild>10.0.22631.1</FixedBuild><ProductID>1</ProductID></Remediation></Remediations><RevisionHistory>`, f[0], f[1])
		for _, day := range f[2:] {
			fmt.Fprintf(&b, `<Revision><Date>%sT08:00:00</Date></Revision>`, day)
		}
		b.WriteString(`</RevisionHistory></Vulnerability>`)
	}
	return b.String() + `</cvrfdoc>`
}

// Updates of Microsoft's own day are one bulletin, and those of another day one of that day.
func TestMicrosoftsUpdatesAreToldByTheirDay(t *testing.T) {
	n := &news{t, map[string]bulletin.Known{}}
	told := func(lines ...string) iter.Seq[bulletin.Said] {
		return snapshot(t, source("msrc", kinds.MSRC, month(lines...))).Said()
	}
	first := "CVE-2026-0001 5000001 2026-01-13"
	n.expect(told(first))
	n.expect(told(first, "CVE-2026-0002 5000002 2026-01-13", "CVE-2026-0003 5000002 2026-01-13"), "monthly 2026-Jan of msrc")
	// In an emergency, of a CVE that nobody knew.
	n.expect(told(first, "CVE-2026-21509 5002713 2026-01-26"), "out-of-band 2026-Jan-26 of msrc")
	// Another update for a CVE that was known: it came with the last change.
	n.expect(told(first, "CVE-2026-0001 5000009 2026-01-13 2026-01-19"), "out-of-band 2026-Jan-19 of msrc")
	// A month that is read late, and was revised since, is still of its day.
	n.expect(told(first, "CVE-2026-0005 5000010 2026-01-13 2026-01-19"), "monthly 2026-Jan of msrc")
}

func TestTheFirstRecallOfAnEmptyListIsNews(t *testing.T) {
	n := &news{t, map[string]bulletin.Known{}}
	r := assess.Recall{Feed: "acme", ID: "A-1", Provider: "apt", Name: "curl", Versions: []string{"1.1"}, Trouble: "It breaks.", Since: now.Add(-time.Hour)}
	n.expect(knowledge.SaidOf([]string{"acme"}, assess.NewRecalls(nil)))
	n.expect(knowledge.SaidOf([]string{"acme"}, assess.NewRecalls([]assess.Recall{r})), "trouble A-1 of acme")
	r.ID, r.Back = "A-2", true
	n.expect(knowledge.SaidOf([]string{"acme"}, assess.NewRecalls([]assess.Recall{r})), "recalled A-2 of acme")
}

// What NVD says of programs that are known is news; what it says of others is not kept.
func TestARecordOfAKnownProgramIsNews(t *testing.T) {
	n := &news{t, map[string]bulletin.Known{}}
	told := func(records ...string) iter.Seq[bulletin.Said] {
		s, err := knowledge.Load([]knowledge.Source{source("nvd", kinds.NVD, nvdPage(records...))}, []string{"windows:11"}, now)
		if err != nil {
			t.Fatal(err)
		}
		return s.Said()
	}
	first := nvdRecord("CVE-2026-0001", "gimp:gimp", `"versionEndIncluding":"2.10.36"`)
	n.expect(told(first))
	n.expect(told(first, nvdRecord("CVE-2026-0002", "gimp:gimp", `"versionEndIncluding":"2.10.36"`), nvdRecord("CVE-2026-0003", "nobody:heard_of_it", `"versionEndIncluding":"1"`)), "new CVE-2026-0002 of nvd")
}

// BenchmarkSaid tells of all advisories of a release, as each reading of the feeds does.
func BenchmarkSaid(b *testing.B) {
	var text strings.Builder
	for i := range 20_000 {
		text.WriteString(record(fmt.Sprintf("CVE-2026-%d", 10_000+i), fmt.Sprint("package-", i%2000), "1.1"))
	}
	s, err := knowledge.Load([]knowledge.Source{source("osv", kinds.OSV, text.String())}, []string{"debian:12"}, now)
	if err != nil {
		b.Fatal(err)
	}
	_, known := bulletin.News(nil, s.Said(), now)
	for b.Loop() {
		if told, _ := bulletin.News(known, s.Said(), now); len(told) != 0 {
			b.Fatal(told)
		}
	}
}
