package priority_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"patchbay/patch"
	"patchbay/server/catalog/advisory"
	"patchbay/server/catalog/epss"
	"patchbay/server/catalog/kev"
	"patchbay/server/catalog/priority"
	"patchbay/server/catalog/ssvc"
)

func day(s string) time.Time {
	d, err := time.Parse(time.DateOnly, s)
	if err != nil {
		panic(err)
	}
	return d
}

var now = day("2026-11-28").Add(9 * time.Hour)

func rated(word string) []priority.Scored {
	if word == "" {
		return nil
	}
	return []priority.Scored{{Score: advisory.Score{By: "Red Hat", Word: word}, At: day("2026-08-01")}}
}

func listed(ransomware patch.Answer) *kev.Entry {
	return &kev.Entry{ID: "CVE-2026-0001", Added: day("2026-08-01"), Due: day("2026-08-04"), Ransomware: ransomware}
}

func scored(s float64) *epss.Score {
	return &epss.Score{CVE: "CVE-2026-0001", Score: s, Percentile: 0.97}
}

// domain is all values of each input, of those that have an order the least first.
type domain struct {
	words     []string
	kev       []*kev.Entry
	epss      []*epss.Score
	exploits  []ssvc.Exploitation
	automatic []patch.Answer
	impacts   []ssvc.Impact
	exposures []priority.Exposure
	depends   []priority.Impact
}

func everything() domain {
	return domain{
		words: []string{"low", "moderate", "", "important", "critical"}, kev: []*kev.Entry{nil, listed(patch.Unknown), listed(patch.Yes)},
		epss: []*epss.Score{nil, scored(0.0999), scored(0.1)}, exploits: []ssvc.Exploitation{"", ssvc.NoExploit, ssvc.PoC, ssvc.Active},
		automatic: []patch.Answer{patch.Unknown, patch.No, patch.Yes}, impacts: []ssvc.Impact{"", ssvc.Total},
		exposures: []priority.Exposure{"", priority.Small, priority.Controlled, priority.Open}, depends: []priority.Impact{"", priority.Low, priority.Medium, priority.High, priority.VeryHigh},
	}
}

// each calls f with all combinations.
func (d domain) each(f func(priority.Inputs)) {
	for _, word := range d.words {
		for _, k := range d.kev {
			for _, e := range d.epss {
				for _, x := range d.exploits {
					for _, a := range d.automatic {
						for _, i := range d.impacts {
							for _, exposure := range d.exposures {
								for _, depends := range d.depends {
									f(priority.Inputs{Scores: rated(word), KEV: k, EPSS: e, EPSSDay: day("2026-11-27"), SSVC: ssvc.Points{Exploitation: x, Automatable: a, Impact: i, At: day("2026-08-02")}, Exposure: exposure, Impact: depends})
								}
							}
						}
					}
				}
			}
		}
	}
}

// below reports whether one place is behind another in any way.
func below(a, b priority.Place) bool { return a.Step < b.Step || a.Number < b.Number }

// What attackers do moves a place forward or leaves it, whatever else is known.
func TestKEVEPSSAndSSVCOnlyEverRaise(t *testing.T) {
	wrong := 0
	everything().each(func(in priority.Inputs) {
		is := priority.Priority(in, now)
		for name, without := range map[string]func(*priority.Inputs){
			"KEV": func(in *priority.Inputs) { in.KEV = nil }, "EPSS": func(in *priority.Inputs) { in.EPSS = nil }, "SSVC": func(in *priority.Inputs) { in.SSVC = ssvc.Points{} },
			"ransomware": func(in *priority.Inputs) {
				if in.KEV != nil {
					in.KEV = listed(patch.Unknown)
				}
			},
			"a higher EPSS": func(in *priority.Inputs) {
				if in.EPSS != nil {
					in.EPSS = scored(in.EPSS.Score / 2)
				}
			},
			"all three": func(in *priority.Inputs) { in.KEV, in.EPSS, in.SSVC = nil, nil, ssvc.Points{} },
		} {
			less := in
			without(&less)
			if was := priority.Priority(less, now); below(is, was) && wrong < 10 {
				wrong++
				t.Errorf("%s moves %+v from %s (%d) to %s (%d)", name, in, was.Step, was.Number, is.Step, is.Number)
			}
		}
	})
}

// Of ordered values a worse one never moves a place back.
func TestWhatIsWorseNeverLowers(t *testing.T) {
	order := func(list []string, s string) int { return slices.Index(list, s) }
	wrong := 0
	everything().each(func(in priority.Inputs) {
		is := priority.Priority(in, now)
		worse := in
		switch {
		case in.SSVC.Exploitation != ssvc.Active && in.SSVC.Exploitation != "":
			worse.SSVC.Exploitation = []ssvc.Exploitation{ssvc.PoC, ssvc.Active}[order([]string{"none", "poc"}, string(in.SSVC.Exploitation))]
		case in.SSVC.Automatable == patch.No:
			worse.SSVC.Automatable = patch.Yes
		case in.Exposure == priority.Small:
			worse.Exposure = priority.Controlled
		case in.Exposure == priority.Controlled:
			worse.Exposure = priority.Open
		case in.Impact == priority.Low:
			worse.Impact = priority.Medium
		case in.Impact == priority.Medium:
			worse.Impact = priority.High
		case in.Impact == priority.High:
			worse.Impact = priority.VeryHigh
		}
		if got := priority.Priority(worse, now); below(got, is) && wrong < 10 {
			wrong++
			t.Errorf("%+v is %s, and %+v only %s", in, is.Step, worse, got.Step)
		}
	})
}

// To know less of a device, or of a point that SSVC leaves out, never moves a place back; what
// nobody rated stands with what is high.
func TestWhatIsNotKnownNeverLowers(t *testing.T) {
	wrong := 0
	everything().each(func(in priority.Inputs) {
		is := priority.Priority(in, now)
		for name, forget := range map[string]func(*priority.Inputs) bool{
			"exposure": func(in *priority.Inputs) bool { in.Exposure = ""; return true },
			"automatable": func(in *priority.Inputs) bool {
				in.SSVC.Automatable = patch.Unknown
				return in.SSVC.Exploitation != "" || in.SSVC.Impact != ""
			},
			"technical impact": func(in *priority.Inputs) bool { in.SSVC.Impact = ""; return in.SSVC.Exploitation != "" },
			"severity": func(in *priority.Inputs) bool {
				was := in.Scores
				in.Scores = nil
				return len(was) == 0 || was[0].Word != "critical"
			},
			"impact, if not high": func(in *priority.Inputs) bool {
				was := in.Impact
				in.Impact = ""
				return was != priority.High && was != priority.VeryHigh
			},
		} {
			less := in
			if !forget(&less) {
				continue
			}
			if got := priority.Priority(less, now); below(got, is) && wrong < 10 {
				wrong++
				t.Errorf("without %s %+v falls from %s (%d) to %s (%d)", name, in, is.Step, is.Number, got.Step, got.Number)
			}
		}
	})
}

// A day that passes moves nothing; the sentence alone tells it.
func TestPlacesRestOnTheirInputsAlone(t *testing.T) {
	everything().each(func(in priority.Inputs) {
		a, b, later := priority.Priority(in, now), priority.Priority(in, now), priority.Priority(in, now.AddDate(1, 0, 0))
		if a != b || later.Number != a.Number || later.Step != a.Step {
			t.Fatalf("%+v is %+v, then %+v, and a year later %+v", in, a, b, later)
		}
		if uint64(a.Step) != a.Number>>40 {
			t.Fatalf("%+v: %d does not begin with its step", a, a.Number)
		}
	})
	two := []priority.Scored{{Score: advisory.Score{By: "A", Word: "high"}, At: day("2026-08-01")}, {Score: advisory.Score{By: "B", Word: "high"}, At: day("2026-08-01")}}
	there := priority.Priority(priority.Inputs{Scores: two}, now)
	slices.Reverse(two)
	if back := priority.Priority(priority.Inputs{Scores: two}, now); back != there {
		t.Errorf("%+v, and the other way round %+v", there, back)
	}
}

func TestPlaces(t *testing.T) {
	for _, c := range []struct {
		name string
		in   priority.Inputs
		want priority.Step
	}{
		{"low, inside", priority.Inputs{Scores: rated("low"), Exposure: priority.Small}, priority.Defer},
		{"low, open", priority.Inputs{Scores: rated("low"), Exposure: priority.Open}, priority.Scheduled},
		{"moderate", priority.Inputs{Scores: rated("moderate"), Exposure: priority.Controlled}, priority.Scheduled},
		{"nobody rated it", priority.Inputs{Exposure: priority.Small, Impact: priority.Low}, priority.Scheduled},
		{"critical", priority.Inputs{Scores: rated("critical"), Exposure: priority.Small}, priority.OutOfCycle},
		{"low and listed", priority.Inputs{Scores: rated("low"), KEV: listed(""), Exposure: priority.Small, Impact: priority.Low}, priority.OutOfCycle},
		{"listed and open", priority.Inputs{Scores: rated("important"), KEV: listed(""), Exposure: priority.Open}, priority.OutOfCycle},
		{"listed, open, and much depends on it", priority.Inputs{Scores: rated("important"), KEV: listed(""), Exposure: priority.Open, Impact: priority.VeryHigh}, priority.Immediate},
		{"likely", priority.Inputs{Scores: rated("moderate"), EPSS: scored(0.1), Exposure: priority.Small}, priority.OutOfCycle},
		{"not likely", priority.Inputs{Scores: rated("moderate"), EPSS: scored(0.0999), Exposure: priority.Small}, priority.Scheduled},
		{"critical and likely", priority.Inputs{Scores: rated("critical"), EPSS: scored(0.5), Exposure: priority.Small}, priority.Immediate},
		{"a public exploit, open", priority.Inputs{Scores: rated("moderate"), SSVC: ssvc.Points{Exploitation: ssvc.PoC, Automatable: patch.No}, Exposure: priority.Open}, priority.OutOfCycle},
		{"a public exploit, inside", priority.Inputs{Scores: rated("moderate"), SSVC: ssvc.Points{Exploitation: ssvc.PoC, Automatable: patch.No}, Exposure: priority.Small}, priority.Scheduled},
	} {
		if got := priority.Priority(c.in, now); got.Step != c.want {
			t.Errorf("%s: %+v, want %s", c.name, got, c.want)
		}
	}
}

// Places sort by step, then by use, then by severity, then by EPSS.
func TestTheNumberSortsAQueue(t *testing.T) {
	queue := []priority.Inputs{
		{Scores: rated("low"), Exposure: priority.Small},
		{Scores: rated("moderate"), Exposure: priority.Small},
		{Scores: rated("moderate"), EPSS: scored(0.01), Exposure: priority.Small},
		{Scores: rated("important"), Exposure: priority.Small},
		{Scores: rated("important"), EPSS: scored(0.05), Exposure: priority.Small},
		{Scores: rated("important"), SSVC: ssvc.Points{Exploitation: ssvc.PoC}, Exposure: priority.Small},
		{Scores: rated("critical"), Exposure: priority.Small},
		{Scores: rated("moderate"), KEV: listed(""), Exposure: priority.Small},
		{Scores: rated("moderate"), KEV: listed(patch.Yes), Exposure: priority.Small},
		{Scores: rated("critical"), KEV: listed(patch.Yes), EPSS: scored(0.9), Exposure: priority.Open},
	}
	for i := range queue[1:] {
		if a, b := priority.Priority(queue[i], now), priority.Priority(queue[i+1], now); a.Number >= b.Number {
			t.Errorf("%d: %+v does not stand behind %+v", i, a, b)
		}
	}
}

func TestTheSentenceNamesWhatItRestsOnWithItsDays(t *testing.T) {
	full := priority.Inputs{
		Scores: append(rated("important"), priority.Scored{Score: advisory.Score{By: "NVD", Vector: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}, At: day("2026-08-03")}),
		KEV:    listed(patch.Yes), EPSS: scored(0.4219), EPSSDay: day("2026-08-16"),
		SSVC: ssvc.Points{Exploitation: ssvc.Active, Automatable: patch.No, Impact: ssvc.Total, At: day("2026-08-02")}, Exposure: priority.Open, Impact: priority.High,
	}
	want := "Immediate: critical (CVSS 3.1: 9.8 by NVD on 2026-08-03); in KEV since 2026-08-01, due on 2026-08-04, which has passed, used by ransomware; EPSS 0.422, above 97.0 % of all on 2026-08-16, 104 days ago; " +
		"SSVC says exploited, not automatable, total impact on 2026-08-02; the device is open to the internet and much depends on it (raised by EPSS)."
	if got := priority.Priority(full, now); got.Why != want {
		t.Errorf("%s\nwant\n%s", got.Why, want)
	}
	if got := priority.Priority(priority.Inputs{}, now); got.Why != "Scheduled: nobody says how grave it is, so it is taken as high; who reaches the device is not known, so it is taken as open." {
		t.Errorf("%s", got.Why)
	}
	everything().each(func(in priority.Inputs) {
		why := priority.Priority(in, now).Why
		for what, is := range map[string]bool{"KEV since 2026-08-01": in.KEV != nil, "EPSS": in.EPSS != nil, "on 2026-11-27": in.EPSS != nil, "SSVC says": in.SSVC.Told(), "by Red Hat on 2026-08-01": in.Scores != nil} {
			if strings.Contains(why, what) != is && what != "EPSS" || is && !strings.Contains(why, what) {
				t.Fatalf("%+v: %q in %s", in, what, why)
			}
		}
		if strings.Count(why, ".") < 1 || !strings.HasSuffix(why, ".") || strings.ContainsAny(why, "\n") {
			t.Fatalf("%q is no sentence", why)
		}
	})
}

func ExamplePriority() {
	in := priority.Inputs{
		Scores: []priority.Scored{{Score: advisory.Score{By: "Microsoft", Word: "Important"}, At: day("2026-08-11")}},
		KEV:    &kev.Entry{Added: day("2026-08-12"), Due: day("2026-08-15")}, Exposure: priority.Controlled,
	}
	fmt.Println(priority.Priority(in, day("2026-08-13")).Why)
	// Output: Out-of-cycle: high by Microsoft on 2026-08-11; in KEV since 2026-08-12, due on 2026-08-15; the device is reached by those who are let in (raised by KEV).
}
