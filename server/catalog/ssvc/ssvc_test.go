package ssvc_test

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"patchbay/patch"
	"patchbay/server/catalog/advisory"
	"patchbay/server/catalog/feed"
	"patchbay/server/catalog/ssvc"
)

func mustRead(t testing.TB, text string) (list []ssvc.Record, report feed.Report) {
	t.Helper()
	report, err := ssvc.Read(strings.NewReader(text), func(r ssvc.Record) error { list = append(list, r); return nil })
	if err != nil {
		t.Fatal(err)
	}
	return list, report
}

// record writes one with sets of points.
func record(id string, told ...string) string {
	var metrics []string
	for _, one := range told {
		metrics = append(metrics, `{"other":{"type":"ssvc","content":`+one+`}}`)
	}
	return fmt.Sprintf(`{"cveMetadata":{"cveId":%q,"state":"PUBLISHED"},"containers":{"cna":{},"adp":[{"title":"x"},{"title":"y","providerMetadata":{"shortName":"CISA-ADP"},"metrics":[%s]}]}}`, id, strings.Join(metrics, ","))
}

func points(at, exploitation, automatable, impact string) string {
	return fmt.Sprintf(`{"timestamp":%q,"options":[{"Exploitation":%q},{"Automatable":%q},{"Technical Impact":%q}]}`, at, exploitation, automatable, impact)
}

// Real records write the values in two ways; both are the same points.
func TestBothSpellingsAreThePointsThatAreMeant(t *testing.T) {
	text, err := os.ReadFile("testdata/records.ndjson")
	if err != nil {
		t.Fatal(err)
	}
	list, report := mustRead(t, string(text))
	if report.Records != 7 || report.Refused != 0 {
		t.Fatalf("%+v", report)
	}
	want := map[string]ssvc.Points{
		"CVE-2011-0611": {Exploitation: ssvc.Active, Automatable: patch.No, Impact: ssvc.Total},     // active, no, total
		"CVE-2019-7256": {Exploitation: ssvc.Active, Automatable: patch.Yes, Impact: ssvc.Total},    // Active, Yes, Total
		"CVE-2024-3400": {Exploitation: ssvc.Active, Automatable: patch.Yes, Impact: ssvc.Total},    // Active, Yes, Total
		"CVE-2024-5910": {Exploitation: ssvc.NoExploit, Automatable: patch.Yes, Impact: ssvc.Total}, // none, yes, total
	}
	found := map[string]bool{}
	for _, r := range list {
		found[r.CVE] = true
		got := r.Points
		if got.At.IsZero() {
			t.Errorf("%s does not say when", r.CVE)
		}
		got.At = time.Time{}
		if w, ok := want[r.CVE]; ok && got != w {
			t.Errorf("%s has %+v; want %+v", r.CVE, got, w)
		}
	}
	for id := range want {
		if !found[id] {
			t.Errorf("%s is missing", id)
		}
	}
}

func TestVectorsAreKeptWithWhoGaveThem(t *testing.T) {
	text, err := os.ReadFile("testdata/records.ndjson")
	if err != nil {
		t.Fatal(err)
	}
	list, _ := mustRead(t, string(text))
	by := map[string]bool{}
	versions := map[string]bool{}
	for _, r := range list {
		for _, s := range r.Scores {
			by[s.By] = true
			versions[s.Vector[:8]] = true
		}
	}
	if !by["CISA-ADP"] || len(by) < 2 || !versions["CVSS:3.1"] || !versions["CVSS:4.0"] {
		t.Errorf("by %v, versions %v", by, versions)
	}
}

func TestNVDsSpellingIsTheSame(t *testing.T) {
	got, err := ssvc.Options([]map[string]string{{"exploitation": "active"}, {"automatable": "yes"}, {"technicalImpact": "total"}})
	if err != nil || got != (ssvc.Points{Exploitation: ssvc.Active, Automatable: patch.Yes, Impact: ssvc.Total}) {
		t.Errorf("%+v, %v", got, err)
	}
}

// A point that is not told is not known, and never its lowest value.
func TestWhatIsNotToldIsNotKnown(t *testing.T) {
	list, _ := mustRead(t, record("CVE-2026-0001", `{"options":[{"Exploitation":"poc"},{"Mission Prevalence":"minimal"}]}`)+record("CVE-2026-0002"))
	if p := list[0].Points; p.Exploitation != ssvc.PoC || p.Automatable != patch.Unknown || p.Impact != "" || !p.Told() {
		t.Errorf("%+v", p)
	}
	if list[1].Points.Told() {
		t.Errorf("%+v", list[1].Points)
	}
}

func TestWhatWasToldLastHoldsInAnyOrder(t *testing.T) {
	a, b := points("2024-01-01T00:00:00Z", "none", "no", "partial"), points("2024-06-01T00:00:00.5Z", "Active", "Yes", "Total")
	for _, told := range [][]string{{a, b}, {b, a}} {
		list, _ := mustRead(t, record("CVE-2026-0001", told...))
		if p := list[0].Points; p.Exploitation != ssvc.Active || p.At.Month() != time.June {
			t.Errorf("%+v", p)
		}
	}
}

func TestOneBadRecordIsRefusedAlone(t *testing.T) {
	for name, bad := range map[string]string{
		"hostile id": record("CVE-2024/../../x"), "a value that is none": record("CVE-2026-0002", points("", "maybe", "no", "total")), "no time": record("CVE-2026-0002", points("soon", "none", "no", "total")),
		"no object": "7", "two values": record("CVE-2026-0002", `{"options":[{"Exploitation":"none"},{"exploitation":"active"}]}`), "no points": record("CVE-2026-0002", `[]`),
	} {
		list, report := mustRead(t, record("CVE-2026-0001")+"\n"+bad+"\n"+record("CVE-2026-129538", points("0001-01-01T00:00:00Z", "poc", "no", "total")))
		if len(list) != 2 || report.Refused != 1 || list[1].CVE != "CVE-2026-129538" || !list[1].Points.At.IsZero() || !strings.HasPrefix(report.Why[0], "SSVC record 2 (") {
			t.Errorf("%s: %+v, %+v", name, list, report)
		}
	}
}

func TestRejectedRecordsSaySo(t *testing.T) {
	list, _ := mustRead(t, `{"cveMetadata":{"cveId":"CVE-2024-0001","state":"REJECTED"},"containers":{"cna":{"rejectedReasons":[{}]}}}`)
	if !list[0].Rejected {
		t.Errorf("%+v", list[0])
	}
}

func TestAFileThatBreaksOffIsAnError(t *testing.T) {
	whole := record("CVE-2026-0001", points("", "poc", "no", "total"))
	for n := range len(whole) {
		if _, err := ssvc.Read(strings.NewReader(whole[:n]), func(ssvc.Record) error { return nil }); err == nil {
			t.Fatalf("taken: %s", whole[:n])
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add(record("CVE-2026-0001", points("2024-06-01T00:00:00.5Z", "Active", "Yes", "Total")))
	f.Fuzz(func(t *testing.T, in string) {
		_, _ = ssvc.Read(strings.NewReader(in), func(r ssvc.Record) error {
			if !advisory.IsCVE(r.CVE) {
				t.Fatalf("%+v", r)
			}
			return nil
		})
	})
}
