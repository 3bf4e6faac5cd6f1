package priority_test

import (
	"encoding/csv"
	"os"
	"slices"
	"strings"
	"testing"

	"patchbay/patch"
	"patchbay/server/catalog/advisory"
	"patchbay/server/catalog/cvss"
	"patchbay/server/catalog/priority"
	"patchbay/server/catalog/ssvc"
)

// rows gives the rows of a table of testdata, without its header.
func rows(t *testing.T, name string, comma rune) [][]string {
	t.Helper()
	f, err := os.Open("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r := csv.NewReader(f)
	r.Comma = comma
	list, err := r.ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return list[1:]
}

// told reads a row's points with the reader of feeds.
func told(t *testing.T, points map[string]string) ssvc.Points {
	t.Helper()
	p, err := ssvc.Options([]map[string]string{points})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestCISAsTreeRowByRow(t *testing.T) {
	list := rows(t, "coordinator.csv", ',')
	if len(list) != 36 {
		t.Fatalf("%d rows", len(list))
	}
	for _, r := range list {
		p := told(t, map[string]string{"Exploitation": r[1], "Automatable": r[2], "Technical Impact": r[3]})
		got, ok := priority.Coordinate(p, priority.Mission(r[4]))
		if !ok || !strings.EqualFold(string(got), r[5]) {
			t.Errorf("row %v is %s", r, got)
		}
	}
}

func TestTheDeployersTreeRowByRow(t *testing.T) {
	list := rows(t, "deployer.csv", ',')
	if len(list) != 72 {
		t.Fatalf("%d rows", len(list))
	}
	for _, r := range list {
		p := told(t, map[string]string{"Exploitation": r[1], "Automatable": r[3]})
		got, ok := priority.Deploy(p, priority.Exposure(r[2]), priority.Impact(r[4]))
		if !ok || got.String() != r[5] {
			t.Errorf("row %v is %s", r, got)
		}
	}
}

// Without a point there is no level of CISA's.
func TestCISAsTreeNeedsAllPoints(t *testing.T) {
	for _, p := range []ssvc.Points{{}, {Exploitation: ssvc.Active, Automatable: patch.Yes}, {Exploitation: ssvc.Active, Impact: ssvc.Total}, {Automatable: patch.Yes, Impact: ssvc.Total}} {
		if got, ok := priority.Coordinate(p, priority.MissionHigh); ok {
			t.Errorf("%+v is %s", p, got)
		}
	}
	if got, ok := priority.Coordinate(ssvc.Points{Exploitation: ssvc.Active, Automatable: patch.Yes, Impact: ssvc.Total}, ""); ok {
		t.Errorf("without a mission it is %s", got)
	}
}

// The standard leaves out minimal with material. Patchbay takes it as medium.
func TestMissionAndWellBeing(t *testing.T) {
	want := map[priority.Prevalence][3]priority.Mission{
		priority.Minimal:   {priority.MissionLow, priority.MissionMedium, priority.MissionHigh},
		priority.Support:   {priority.MissionMedium, priority.MissionMedium, priority.MissionHigh},
		priority.Essential: {priority.MissionHigh, priority.MissionHigh, priority.MissionHigh},
	}
	for p, row := range want {
		for i, h := range []priority.Harm{priority.HarmMinimal, priority.HarmMaterial, priority.HarmIrreversible} {
			if got, ok := priority.MissionOf(p, h); !ok || got != row[i] {
				t.Errorf("%s and %s is %s", p, h, got)
			}
		}
	}
	if got, ok := priority.MissionOf("", priority.HarmMinimal); ok {
		t.Errorf("without a prevalence it is %s", got)
	}
}

func TestPublishersWordsAreOneScale(t *testing.T) {
	list := rows(t, "words.tsv", '\t')
	for _, r := range list {
		for _, word := range []string{r[1], strings.ToUpper(r[1]), " " + r[1] + " "} {
			if got := advisory.Word(word); string(got) != r[2] {
				t.Errorf("%s's %q is %s, want %s", r[0], word, got, r[2])
			}
		}
	}
	// A class of updates is no severity, whatever its name.
	for _, word := range []string{"Critical Updates", "Security Updates", "none", "n/a"} {
		if got := advisory.Word(word); got != patch.SeverityUnknown {
			t.Errorf("%q is %s", word, got)
		}
	}
}

func TestBandsAtTheirEdges(t *testing.T) {
	for score, want := range map[float64]patch.Severity{
		0: patch.SeverityUnknown, 0.1: patch.SeverityLow, 3.9: patch.SeverityLow, 4.0: patch.SeverityMedium, 6.9: patch.SeverityMedium,
		7.0: patch.SeverityHigh, 8.9: patch.SeverityHigh, 9.0: patch.SeverityCritical, 10: patch.SeverityCritical,
	} {
		if got := cvss.Band(score); got != want {
			t.Errorf("%.1f is %s, want %s", score, got, want)
		}
	}
}

// Each way for the worse moves the deployer's tree forward or leaves it.
func TestTheDeployersTreeIsMonotone(t *testing.T) {
	exploitations := []ssvc.Exploitation{ssvc.NoExploit, ssvc.PoC, ssvc.Active}
	exposures := []priority.Exposure{priority.Small, priority.Controlled, priority.Open}
	answers := []patch.Answer{patch.No, patch.Yes}
	impacts := []priority.Impact{priority.Low, priority.Medium, priority.High, priority.VeryHigh}
	at := func(i [4]int) priority.Step {
		s, ok := priority.Deploy(ssvc.Points{Exploitation: exploitations[i[0]], Automatable: answers[i[2]]}, exposures[i[1]], impacts[i[3]])
		if !ok {
			t.Fatalf("%v has no answer", i)
		}
		return s
	}
	sizes := [4]int{3, 3, 2, 4}
	var all [][4]int
	for a := range 3 {
		for b := range 3 {
			for c := range 2 {
				for d := range 4 {
					all = append(all, [4]int{a, b, c, d})
				}
			}
		}
	}
	for _, i := range all {
		for axis := range i {
			worse := i
			if worse[axis]++; worse[axis] < sizes[axis] && at(worse) < at(i) {
				t.Errorf("%v is %s, and %v only %s", i, at(i), worse, at(worse))
			}
		}
	}
	if !slices.Contains(impacts, priority.Medium) {
		t.Fatal("medium is gone")
	}
}
