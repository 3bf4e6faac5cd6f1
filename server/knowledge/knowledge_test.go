package knowledge_test

import (
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"patchbay/patch"
	"patchbay/provider"
	"patchbay/server/assess"
	"patchbay/server/catalog/kinds"
	"patchbay/server/catalog/match"
	"patchbay/server/catalog/priority"
	"patchbay/server/knowledge"
	"patchbay/wire"
)

var now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func source(name string, kind string, text string) knowledge.Source {
	return knowledge.Source{Name: name, Kind: kind, Each: func(f func(string, io.Reader) error) error { return f("x", strings.NewReader(text)) }}
}

func record(id, name, fixed string) string {
	return fmt.Sprintf(`{"id":%q,"published":"2026-01-02T00:00:00Z","affected":[{"package":{"ecosystem":"Debian:12","name":%q},"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"},{"fixed":%q}]}]}]}`, id, name, fixed)
}

const exploited = `{"title":"x","catalogVersion":"2026.01.01","dateReleased":"2026-01-01T00:00:00Z","count":1,"vulnerabilities":[{"cveID":"CVE-2026-0001","vendorProject":"a","product":"b","vulnerabilityName":"c","dateAdded":"2026-01-05","shortDescription":"d","requiredAction":"e","dueDate":"2026-01-26","knownRansomwareCampaignUse":"Known","notes":"","cwes":[]}]}`

var debian = wire.Facts{Distro: "debian", Release: "12", Providers: []wire.ProviderFacts{{Name: "apt", Traits: provider.Traits{Versions: patch.SchemeDeb}}, {Name: "flatpak", Traits: provider.Traits{Versions: patch.SchemeCommit}}}}

func snapshot(t *testing.T, sources ...knowledge.Source) *knowledge.Snapshot {
	t.Helper()
	s, err := knowledge.Load(sources, []string{"debian:12"}, now)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func item(name, version, origin string) patch.Item {
	return patch.Item{Provider: "apt", Name: name, Architecture: "amd64", Version: version, Origin: origin}
}

func TestWhatFeedsSayOfADevice(t *testing.T) {
	s := snapshot(t, source("osv-debian", kinds.OSV, record("CVE-2026-0001", "curl", "1.1")+record("CVE-2026-0002", "curl", "1.2")), source("kev", kinds.KEV, exploited))
	items := []patch.Item{item("curl", "1.0", "Debian"), item("wget", "1.0", "Debian"), {Provider: "apt", Name: "curl", Version: "1.0", Origin: "Somebody"}}
	got := s.Compare(debian, "apt", "", items, priority.Device{}).Found
	if len(got) != 2 || got[items[0].Key()] == nil {
		t.Fatalf("%+v", got)
	}
	list := got[items[0].Key()].List
	first := list[0]
	if len(list) != 2 || first.Advisory != "CVE-2026-0001" || first.Exploited.IsZero() || first.Source != "osv-debian" || first.Published.IsZero() || !list[1].Exploited.IsZero() {
		t.Errorf("%+v", list)
	}
	if other := got[items[2].Key()].List; len(other) != 1 || other[0].Status != assess.NotCompared {
		t.Errorf("another publisher's: %+v", other)
	}
	again := s.Compare(debian, "apt", "", items, priority.Device{}).Found
	if again[items[0].Key()] != got[items[0].Key()] {
		t.Error("the same item has another value the second time")
	}
	if s.Compare(debian, "flatpak", "", items, priority.Device{}).Found != nil || s.Compare(wire.Facts{Distro: "arch"}, "apt", "", items, priority.Device{}).Found != nil {
		t.Error("what no feed speaks of has findings")
	}
}

// TestOnlyWhatIsTouchedIsWorkedOutAgain: a new advisory for one package leaves all others as
// they were, and what is said of it reaches the item.
func TestOnlyWhatIsTouchedIsWorkedOutAgain(t *testing.T) {
	var b knowledge.Book
	base := record("CVE-2026-0001", "curl", "1.1") + record("CVE-2026-0003", "nginx", "2.1")
	items := []patch.Item{item("curl", "1.0", "Debian"), item("nginx", "2.0", "Debian"), item("bash", "5.0", "Debian")}
	at := func() map[string]*assess.Found {
		by := map[string]*assess.Found{}
		for k, f := range b.Current().Compare(debian, "apt", "", items, priority.Device{}).Found {
			by[k.Name] = f
		}
		return by
	}
	if t1 := b.Replace(snapshot(t, source("osv", kinds.OSV, base))); !t1.All {
		t.Errorf("%+v", t1)
	}
	was := at()
	if same := b.Replace(snapshot(t, source("osv", kinds.OSV, base))); !same.Nothing() {
		t.Errorf("the same says something else: %+v", same)
	}
	if is := at(); is["curl"] != was["curl"] || is["nginx"] != was["nginx"] {
		t.Error("what nothing touched was worked out again")
	}
	touched := b.Replace(snapshot(t, source("osv", kinds.OSV, base+record("CVE-2026-0009", "bash", "5.1"))))
	if !slices.Equal(touched.Packages, []match.Subjected{{Ecosystem: "Debian:12", Name: "bash"}}) || len(touched.Found) > 0 || touched.All {
		t.Errorf("%+v", touched)
	}
	if is := at(); is["curl"] != was["curl"] || is["bash"] == nil {
		t.Errorf("%+v", is)
	}
	touched = b.Replace(snapshot(t, source("osv", kinds.OSV, base), source("kev", kinds.KEV, exploited)))
	if !slices.Equal(touched.Found, []*assess.Found{was["curl"]}) || len(touched.Packages) != 1 {
		t.Errorf("%+v", touched)
	}
	if is := at(); is["curl"] == was["curl"] || is["curl"].List[0].Exploited.IsZero() || is["nginx"] != was["nginx"] || is["bash"] != nil {
		t.Errorf("%+v", is)
	}
}

// TestTheFirstScoresAreNews: they reach every finding; those of the next day, which change no
// step, reach none.
func TestTheFirstScoresAreNews(t *testing.T) {
	var b knowledge.Book
	scores := func(score string) knowledge.Source {
		return source("epss", kinds.EPSS, "#model_version:v1,score_date:2026-02-28T00:00:00+0000\ncve,epss,percentile\nCVE-2026-0001,"+score+",0.5\n")
	}
	advisories := source("osv", kinds.OSV, record("CVE-2026-0001", "curl", "1.1"))
	items := []patch.Item{item("curl", "1.0", "Debian")}
	at := func() *assess.Found {
		return b.Current().Compare(debian, "apt", "", items, priority.Device{}).Found[items[0].Key()]
	}
	b.Replace(snapshot(t, advisories))
	was := at()
	if t1 := b.Replace(snapshot(t, advisories, scores("0.02"))); !slices.Equal(t1.Found, []*assess.Found{was}) || at() == was || !strings.Contains(at().List[0].Why, "EPSS 0.020") {
		t.Errorf("%+v, %s", t1, at().List[0].Why)
	}
	was = at()
	if t2 := b.Replace(snapshot(t, advisories, scores("0.03"))); !t2.Nothing() || at() != was {
		t.Errorf("%+v, %s", t2, at().List[0].Why)
	}
	if t3 := b.Replace(snapshot(t, advisories, scores("0.9"))); !slices.Equal(t3.Found, []*assess.Found{was}) || at().List[0].Step == was.List[0].Step {
		t.Errorf("%+v, %+v", t3, at().List[0])
	}
}

// TestAFindingHasOneValueForEachKindOfDevice: what affects an item is the same on all, where that
// stands is not, and devices of one kind share one value.
func TestAFindingHasOneValueForEachKindOfDevice(t *testing.T) {
	s := snapshot(t, source("osv", kinds.OSV, record("CVE-2026-0001", "curl", "1.1")+record("CVE-2026-0002", "curl", "1.2")), source("kev", kinds.KEV, exploited))
	items := []patch.Item{item("curl", "1.0", "Debian")}
	seen := map[*assess.Found]bool{}
	for _, e := range []priority.Exposure{"", priority.Small, priority.Controlled, priority.Open} {
		for _, i := range []priority.Impact{"", priority.Low, priority.High, priority.VeryHigh} {
			on := priority.Device{Exposure: e, Impact: i}
			f := s.Compare(debian, "apt", "x", items, on).Found[items[0].Key()]
			if again := s.Compare(debian, "apt", "x", items, on).Found[items[0].Key()]; again != f || seen[f] {
				t.Errorf("%+v: not one value of its own", on)
			}
			seen[f] = true
			base := s.Compare(debian, "apt", "x", items, priority.Device{}).Found[items[0].Key()]
			for j, one := range f.List {
				want := base.List[j]
				if want.Step, want.Place, want.Why = one.Step, one.Place, one.Why; !reflect.DeepEqual(want, one) {
					t.Errorf("%+v: %+v, want %+v", on, one, want)
				}
			}
		}
	}
}

// TestAScoreMovesWhatItMovesAnywhere: a score that changes no step of a device of which nothing is
// said may change one of another kind, whose devices are to be looked at again.
func TestAScoreMovesWhatItMovesAnywhere(t *testing.T) {
	var b knowledge.Book
	scores := func(score string) knowledge.Source {
		return source("epss", kinds.EPSS, "#model_version:v1,score_date:2026-02-28T00:00:00+0000\ncve,epss,percentile\nCVE-2026-0001,"+score+",0.5\n")
	}
	advisories := source("osv", kinds.OSV, record("CVE-2026-0001", "curl", "1.1"))
	public := source("ssvc", kinds.SSVC, `{"dataType":"CVE_RECORD","cveMetadata":{"cveId":"CVE-2026-0001"},"containers":{"adp":[{"providerMetadata":{"orgId":"134c704f-9b21-4f2e-91b3-4a467353bcc0"},"metrics":[{"other":{"type":"ssvc","content":{"id":"CVE-2026-0001","role":"CISA Coordinator","timestamp":"2026-02-01T00:00:00Z","version":"2.0.3","options":[{"Exploitation":"poc"},{"Automatable":"no"},{"Technical Impact":"total"}]}}}]}]}}`)
	items := []patch.Item{item("curl", "1.0", "Debian")}
	at := func(on priority.Device) *assess.Found {
		return b.Current().Compare(debian, "apt", "x", items, on).Found[items[0].Key()]
	}
	inside := priority.Device{Exposure: priority.Small}
	b.Replace(snapshot(t, advisories, public, scores("0.02")))
	anywhere, was := at(priority.Device{}), at(inside)
	if anywhere.List[0].Step != "out-of-cycle" || was.List[0].Step != "scheduled" {
		t.Fatalf("%s, %s", anywhere.List[0].Step, was.List[0].Step)
	}
	if moved := b.Replace(snapshot(t, advisories, public, scores("0.03"))); !moved.Nothing() || at(inside) != was {
		t.Errorf("a score that moves nothing anywhere: %+v", moved)
	}
	if moved := b.Replace(snapshot(t, advisories, public, scores("0.5"))); !slices.Equal(moved.Found, []*assess.Found{was}) || at(priority.Device{}) != anywhere || at(inside).List[0].Step != "out-of-cycle" {
		t.Errorf("%+v, %s", moved, at(inside).List[0].Step)
	}
}

// TestOnlyWhatDevicesRunIsKept: advisories for other systems take no memory.
func TestOnlyWhatDevicesRunIsKept(t *testing.T) {
	text := record("CVE-2026-0001", "curl", "1.1") + strings.ReplaceAll(record("CVE-2026-0002", "curl", "1.1"), "Debian:12", "Debian:11")
	for systems, want := range map[string]int{"debian:12": 1, "debian:11": 1, "debian:11 debian:12": 2, "windows:11 arch:": 0} {
		s, err := knowledge.Load([]knowledge.Source{source("osv", kinds.OSV, text)}, strings.Fields(systems), now)
		if err != nil || s.Count() != want {
			t.Errorf("%s: %d advisories, %v", systems, s.Count(), err)
		}
	}
}

// TestHalfAFeedIsNone: an error, and what holds stays.
func TestHalfAFeedIsNone(t *testing.T) {
	if _, err := knowledge.Load([]knowledge.Source{source("osv-debian", kinds.OSV, record("CVE-2026-0001", "curl", "1.1")+`{"id":`)}, []string{"debian:12"}, now); err == nil || !strings.Contains(err.Error(), "osv-debian") {
		t.Errorf("%v", err)
	}
}
