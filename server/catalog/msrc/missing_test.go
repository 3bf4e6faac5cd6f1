package msrc

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// said is a state in one line for each update.
func said(s State) string {
	parts := []string{fmt.Sprintf("%s %s:", s.Product, s.Track)}
	for _, l := range s.Missing {
		parts = append(parts, fmt.Sprintf("-%s@%d=%s/%s/%d", l.KB, l.Build[3], strings.Join(l.CVEs, ","), l.Severity, len(l.Exploited)))
	}
	for _, l := range s.Unproven {
		parts = append(parts, fmt.Sprintf("?%s=%s", l.KB, strings.Join(l.CVEs, ",")))
	}
	return strings.ReplaceAll(strings.Join(append(parts, fmt.Sprintf("mended %d", s.Mended)), " "), "CVE-2026-000", "")
}

// months are a quarter of a Windows with and one without hotpatches. In January both tracks
// have the same update; in February each has its own, one CVE has no hotpatch, and one has an
// update beside the hotpatch.
func months() []string {
	client := func(n, kb, build, old string) row { return fix(kb, "Security Update", "10.0.22631."+build, old, n) }
	return []string{
		document("2026-Jan", 3, about{"CVE-2026-0001", "Critical", seen, []row{client("1 2", "5000001", "100", "4999999"), fix("5000011", "Security Update", "10.0.26100.100", "", "3")}}),
		document("2026-Feb", 9,
			about{"CVE-2026-0002", "Moderate", unseen, []row{client("1 2", "5000002", "200", "5000001"), fix("5000012", "Security Update", "10.0.26100.210", "5000011", "3"), fix("5000022", "Security Hotpatch Update", "10.0.26100.200", "5000011", "3")}},
			about{"CVE-2026-0003", "Important", unseen, []row{client("2", "5000002", "200", "5000001"), fix("5000012", "Security Update", "10.0.26100.210", "5000011", "3")}},
			about{"CVE-2026-0004", "Low", unseen, []row{fix("5000012", "Security Update", "10.0.26100.210", "5000011", "3"), fix("5000032", "Security Only", "10.0.26100.200", "", "3")}}),
		document("2026-Mar", 1,
			about{"CVE-2026-0005", "", "", []row{client("1", "5000003", "300", "5000002"), fix("5000013", "Security Update", "10.0.26100.310", "5000012", "3"), fix("5000023", "SecurityHotpatchUpdate", "10.0.26100.300", "5000022", "3")}}),
		document("2026-Apr", 1,
			about{"CVE-2026-0006", "Low", unseen, []row{fix("5000014", "Security Update", "10.0.26100.400", "5000013", "3"), fix("5000024", "Security Update", "10.0.26100.32400", "", "4 5")}}),
	}
}

func TestABuildTellsWhatIsMissing(t *testing.T) {
	k := mustKnow(t, months()...)
	for _, c := range []struct {
		build, product, arch string
		track                Kind
		want                 string
	}{
		{"22631.50", "", "", "", "Windows 11 Version 23H2 cumulative: -5000003@300=5/unknown/0 -5000002@200=2,3/high/0 -5000001@100=1/critical/1 mended 0"},
		{"22631.199", "", "", "", "Windows 11 Version 23H2 cumulative: -5000003@300=5/unknown/0 -5000002@200=2,3/high/0 mended 1"},
		{"22631.200", "", "", "", "Windows 11 Version 23H2 cumulative: -5000003@300=5/unknown/0 mended 3"},
		{"22631.250", "", "", "", "Windows 11 Version 23H2 cumulative: -5000003@300=5/unknown/0 mended 3"},
		{"22631.9999", "", "", "", "Windows 11 Version 23H2 cumulative: mended 4"},
		{"22631.100", "", "amd64", "", "Windows 11 Version 23H2 cumulative: -5000003@300=5/unknown/0 -5000002@200=2/medium/0 mended 1"},
		{"22631.100", "", "arm64", "", "Windows 11 Version 23H2 cumulative: -5000002@200=2,3/high/0 mended 1"},
		// One number, two tracks: the hotpatch's own build proves what it brings, and no more.
		{"26100.200", "Windows 11 Version 24H2", "", "", "Windows 11 Version 24H2 hotpatch: -5000014@400=6/low/0 -5000023@300=5/unknown/0 -5000012@210=3/high/0 ?5000032=4 mended 2"},
		{"26100.300", "windows 11 version 24h2", "", "", "Windows 11 Version 24H2 hotpatch: -5000014@400=6/low/0 -5000012@210=3/high/0 ?5000032=4 mended 3"},
		{"26100.210", "Windows 11 Version 24H2", "", "", "Windows 11 Version 24H2 cumulative: -5000014@400=6/low/0 -5000013@310=5/unknown/0 mended 4"},
		{"26100.100", "Windows 11 Version 24H2", "", "", "Windows 11 Version 24H2 cumulative: -5000014@400=6/low/0 -5000013@310=5/unknown/0 -5000012@210=2,3,4/high/0 mended 1"},
		{"26100.100", "Windows 11 Version 24H2", "", Hotpatch, "Windows 11 Version 24H2 hotpatch: -5000014@400=6/low/0 -5000023@300=5/unknown/0 -5000012@210=3,4/high/0 -5000022@200=2/medium/0 mended 1"},
		// A new quarter has all that was before it, on both tracks.
		{"26100.400", "Windows 11 Version 24H2", "", Hotpatch, "Windows 11 Version 24H2 hotpatch: mended 6"},
		{"26100.400", "Windows 11 Version 24H2", "", "", "Windows 11 Version 24H2 cumulative: mended 6"},
		// A build between the tracks proves only what both would.
		{"26100.305", "Windows 11 Version 24H2", "", "", "Windows 11 Version 24H2 : -5000014@400=6/low/0 ?5000013=5 ?5000012=3,4 mended 2"},
		{"26100.305", "Windows 11 Version 24H2", "", Cumulative, "Windows 11 Version 24H2 cumulative: -5000014@400=6/low/0 -5000013@310=5/unknown/0 mended 4"},
	} {
		b, ok := ParseBuild("10.0." + c.build)
		states := k.Missing(Target{Build: b, Product: c.product, Architecture: c.arch, Track: c.track})
		if !ok || len(states) != 1 || said(states[0]) != c.want {
			t.Errorf("%s %s:\ngot  %s\nwant %s", c.build, c.arch, said(append(states, State{})[0]), c.want)
		}
	}
}

// Two Windows may have builds of one kind: where nobody says which it is, both are told.
func TestNothingIsGuessed(t *testing.T) {
	k := mustKnow(t, months()...)
	both := k.Missing(Target{Build: Build{10, 0, 26100, 400}})
	if len(both) != 2 || both[0].Product != "Windows 11 Version 24H2" || len(both[0].Missing) != 0 || both[1].Product != "Windows Server 2025" || len(both[1].Missing) != 1 {
		t.Errorf("%+v", both)
	}
	for _, b := range []Build{{10, 0, 19043, 9999}, {}, {10, 0, 99999, 1}} {
		if s := k.Missing(Target{Build: b}); len(s) != 0 {
			t.Errorf("%s: no document knows it, and it is said to be %+v", b, s)
		}
	}
}

// A build is never the worse for a newer number, on a track that is known.
func TestANewerBuildLacksNoMore(t *testing.T) {
	k := mustKnow(t, months()...)
	for _, track := range []Kind{Cumulative, Hotpatch} {
		last := -1
		for n := range 500 {
			s := k.Missing(Target{Build: Build{10, 0, 26100, n}, Product: "Windows 11 Version 24H2", Track: track})[0]
			if s.Mended < last {
				t.Errorf("%s: build %d has %d mended, the one before it %d", track, n, s.Mended, last)
			}
			last = s.Mended
		}
		if last != 6 {
			t.Errorf("%s: the newest build has %d of 6 mended", track, last)
		}
	}
}

// A row that names the build of a near Windows is read by its last number; one that is far
// away says nothing.
func TestRowsWithASlip(t *testing.T) {
	one := func(n int, build string) about {
		return about{fmt.Sprintf("CVE-2026-000%d", n), "Low", unseen, []row{fix("5000001", "Security Update", build, "", "6")}}
	}
	k := mustKnow(t, document("2026-Jan", 1, one(1, "10.0.19045.100"), one(2, "10.0.19045.100"), one(3, "10.0.19044.100")))
	if got := said(k.Missing(Target{Build: Build{10, 0, 19045, 99}})[0]); got != "Windows 10 Version 22H2 cumulative: -5000001@100=1,2,3/low/0 mended 0" {
		t.Error(got)
	}
	k = mustKnow(t, document("2026-Jan", 1, one(1, "10.0.19045.100"), one(2, "10.0.19045.100"), one(3, "10.0.14393.100"), one(4, "10.0.19044.90")))
	if got := said(k.Missing(Target{Build: Build{10, 0, 19045, 500}})[0]); got != "Windows 10 Version 22H2 cumulative: ?5000001=3,4 mended 2" {
		t.Error(got)
	}
}

// Where security-only updates exist, a build that is new enough does not say that all before
// it are there.
func TestSecurityOnlyIsNotCumulative(t *testing.T) {
	k := mustKnow(t, document("2026-Jan", 1, about{"CVE-2026-0001", "Low", unseen, []row{fix("5000001", "Monthly Rollup", "6.3.9600.100", "", "7"), fix("5000002", "Security Only", "6.3.9600.100", "", "7")}}))
	for n, want := range map[int]string{99: "Windows Server 2012 R2 cumulative: -5000001@100=1/low/0 mended 0", 100: "Windows Server 2012 R2 cumulative: ?5000001=1 mended 0"} {
		if got := said(k.Missing(Target{Build: Build{6, 3, 9600, n}})[0]); got != want {
			t.Errorf("%d: %s", n, got)
		}
	}
}

// Of two revisions the newer holds, whatever the order; a table gives way to a document.
func TestTheNewestRevisionHolds(t *testing.T) {
	of := func(revision int, kb string) Document {
		return mustRead(t, document("2026-Jan", revision, about{"CVE-2026-0001", "Low", unseen, []row{fix(kb, "Security Update", "10.0.22631.100", "", "1")}}))
	}
	old, next := of(9, "5000001"), of(10, "5000002")
	table, err := Read("2026-Jan.json", strings.NewReader(`[{"cve":"CVE-2026-0001","patches":[{"os":"Windows 11 Version 23H2","kb":"KB5000003","fixedBuild":"22631.1"}]}]`))
	if err != nil {
		t.Fatal(err)
	}
	for _, order := range [][]Document{{old, next, table}, {table, next, old}, {next, table, old}} {
		k, err := Know(order)
		if err != nil || len(k.Documents) != 1 || len(k.Replaced) != 2 {
			t.Fatalf("%v: %v", err, k.Replaced)
		}
		if _, ok := k.Update("KB5000002"); !ok || len(k.fixes) != 1 {
			t.Errorf("%+v", k.fixes)
		}
	}
}

func TestAKBAndItsChain(t *testing.T) {
	k := mustKnow(t, months()...)
	u, ok := k.Update("kb5000002")
	if !ok || !slices.Equal(u.CVEs, []string{"CVE-2026-0002", "CVE-2026-0003"}) || !slices.Equal(u.Builds, []string{"10.0.22631.200"}) || !slices.Equal(u.Documents, []string{"2026-Feb"}) ||
		len(u.Products) != 2 || u.Severity != "high" || u.Restart != "yes" || !slices.Equal(u.Supersedes, []string{"5000001", "4999999"}) || !slices.Equal(u.SupersededBy, []string{"5000003"}) {
		t.Errorf("%+v", u)
	}
	// The oldest is in no row of its own: what is known of it is what came after.
	if u, ok := k.Update("4999999"); !ok || len(u.CVEs) != 0 || !slices.Equal(u.SupersededBy, []string{"5000001", "5000002", "5000003"}) {
		t.Errorf("%+v", u)
	}
	if _, ok := k.Update("1234567"); ok {
		t.Error("a KB that no document names is known")
	}
	// One that comes round again ends.
	round := mustKnow(t, document("2026-Jan", 1, about{"CVE-2026-0001", "Low", unseen, []row{fix("5000001", "", "", "5000002", "1"), fix("5000002", "", "", "5000001", "1")}}))
	if got := round.Older("5000001"); !slices.Equal(got, []string{"5000002"}) {
		t.Errorf("%v", got)
	}
}

func TestMonthsAreInTheirOrder(t *testing.T) {
	k := mustKnow(t, months()...)
	var got []string
	for _, d := range k.Documents {
		got = append(got, d.ID)
	}
	if !slices.Equal(got, []string{"2026-Jan", "2026-Feb", "2026-Mar", "2026-Apr"}) {
		t.Error(got)
	}
}
