// Package priority says where in the queue a vulnerability of a device stands, and why.
//
// The one idea: what somebody says of how grave it is gives the place to begin with, and what
// is known of its use by attackers only ever moves it forward. That it is in no list is
// nothing to be calm about. What is not known counts as if it were the worse, within reason,
// and the sentence beside the place names what it rests on with its days.
package priority

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"patchbay/patch"
	"patchbay/server/catalog/advisory"
	"patchbay/server/catalog/cvss"
	"patchbay/server/catalog/epss"
	"patchbay/server/catalog/kev"
	"patchbay/server/catalog/ssvc"
)

// Likely is the EPSS score from which exploitation counts as likely.
const Likely = 0.10

// Inputs are what is known of a vulnerability and of the device that has it.
type Inputs struct {
	Scores  []Scored
	KEV     *kev.Entry  // nil is not listed
	EPSS    *epss.Score // nil has no score
	EPSSDay time.Time   // of the score
	SSVC    ssvc.Points
	// Of the device:
	Exposure Exposure
	Impact   Impact
}

// Device is what of a device decides where its findings stand. The zero value is one of which
// nobody said anything. There are few of them.
type Device struct {
	Exposure Exposure
	Impact   Impact
}

// On gives the same for a device.
func (in Inputs) On(d Device) Inputs {
	in.Exposure, in.Impact = d.Exposure, d.Impact
	return in
}

// Scored is what one source says of how grave it is, and when it said so.
type Scored struct {
	advisory.Score
	At time.Time
}

// Place is where something stands.
type Place struct {
	Step     Step           `json:"step"`
	Severity patch.Severity `json:"severity"`
	Number   uint64         `json:"number"` // sorts all places: the greater one goes first
	Why      string         `json:"why"`    // a sentence
}

// Priority gives the place. It rests on the inputs and now alone.
func Priority(in Inputs, now time.Time) Place {
	severity := in.severity()
	step, raised := in.step(severity)
	return Place{Step: step, Severity: severity, Number: in.number(step, severity), Why: in.why(step, severity, raised, now)}
}

func (in Inputs) severity() patch.Severity {
	var scores []advisory.Score
	for _, s := range in.Scores {
		scores = append(scores, s.Score)
	}
	return advisory.Severity(scores)
}

// begin is the step that a severity has by itself. What nobody rated is taken as high.
var begin = map[patch.Severity]Step{
	patch.SeverityCritical: OutOfCycle, patch.SeverityHigh: Scheduled, patch.SeverityUnknown: Scheduled, patch.SeverityMedium: Scheduled, patch.SeverityLow: Defer,
}

// points are those that SSVC's tree is asked with. What CISA lists is exploited, whatever was
// told before. Where SSVC speaks of a vulnerability and leaves out whether it can be automated,
// it counts as if it could; where it does not speak at all, the tree gets its lowest values, so
// that all that is told moves it forward or leaves it.
func (in Inputs) points() ssvc.Points {
	p := in.SSVC
	switch {
	case p.Automatable != patch.Unknown:
	case p.Told():
		p.Automatable = patch.Yes
	default:
		p.Automatable = patch.No
	}
	if in.KEV != nil {
		p.Exploitation = ssvc.Active
	}
	return p
}

// step goes from the severity's step forward, and names what moved it.
func (in Inputs) step(severity patch.Severity) (step Step, raised []string) {
	step = begin[severity]
	to := func(s Step, why string) {
		if s > step {
			step, raised = s, append(raised, why)
		}
	}
	points := in.points()
	if tree, ok := Deploy(points, in.Exposure, in.Impact); ok {
		to(tree, "SSVC's tree")
	}
	// Two signs that it is likely are not twice as likely: they move it one step together.
	// That there is an exploit makes nothing immediate that the tree does not.
	exposed := in.Exposure == Open || in.Exposure == ""
	switch {
	case in.EPSS != nil && in.EPSS.Score >= Likely:
		to(min(step+1, Immediate), "EPSS")
	case exposed && (points.Exploitation == ssvc.PoC || points.Exploitation == ssvc.Active):
		to(min(step+1, max(step, OutOfCycle)), "an exploit")
	}
	if in.KEV != nil {
		to(OutOfCycle, "KEV")
	}
	return step, raised
}

// number writes the place as a number: by step, by how far it is exploited, by severity, by EPSS.
func (in Inputs) number(step Step, severity patch.Severity) uint64 {
	exploited := uint64(max(0, slices.Index([]ssvc.Exploitation{"", ssvc.PoC, ssvc.Active}, in.points().Exploitation)))
	if in.KEV != nil && in.KEV.Ransomware == patch.Yes {
		exploited = 3
	}
	grave := map[patch.Severity]uint64{patch.SeverityLow: 1, patch.SeverityMedium: 2, patch.SeverityUnknown: 3, patch.SeverityHigh: 3, patch.SeverityCritical: 4}[severity]
	n := uint64(step)<<40 | exploited<<36 | grave<<32
	if in.EPSS != nil {
		n |= uint64(min(max(in.EPSS.Score, 0), 1) * 1e9)
	}
	return n
}

// why writes the sentence.
func (in Inputs) why(step Step, severity patch.Severity, raised []string, now time.Time) string {
	var parts []string
	parts = append(parts, in.rated(severity))
	if in.KEV != nil {
		parts = append(parts, in.listed(now))
	}
	if in.EPSS != nil {
		parts = append(parts, in.probable(now))
	}
	if in.SSVC.Told() {
		parts = append(parts, in.told())
	}
	parts = append(parts, in.device())
	text := strings.ToUpper(step.String()[:1]) + step.String()[1:] + ": " + strings.Join(parts, "; ")
	if len(raised) > 0 {
		text += " (raised by " + strings.Join(raised, " and ") + ")"
	}
	return text + "."
}

// rated names the source that the severity comes from; of several that agree, the newest.
func (in Inputs) rated(severity patch.Severity) string {
	if severity == patch.SeverityUnknown {
		return "nobody says how grave it is, so it is taken as high"
	}
	list := slices.Clone(in.Scores)
	slices.SortStableFunc(list, func(a, b Scored) int {
		return cmp.Or(b.At.Compare(a.At), strings.Compare(a.By, b.By), strings.Compare(a.Word, b.Word), strings.Compare(a.Vector, b.Vector))
	})
	for _, s := range list {
		by := ""
		if s.By != "" {
			by = " by " + s.By
		}
		if advisory.Word(s.Word) == severity {
			return fmt.Sprintf("%s%s%s", severity, by, on(s.At))
		}
		if score, version, err := cvss.Base(s.Vector); err == nil && cvss.Band(score) == severity {
			return fmt.Sprintf("%s (CVSS %s: %.1f%s%s)", severity, version, score, by, on(s.At))
		}
	}
	return string(severity)
}

func (in Inputs) listed(now time.Time) string {
	text := "in KEV since " + in.KEV.Added.Format(time.DateOnly)
	if due := in.KEV.Due; !due.IsZero() {
		text += ", due on " + due.Format(time.DateOnly)
		if !now.Before(due.AddDate(0, 0, 1)) {
			text += ", which has passed"
		}
	}
	if in.KEV.Ransomware == patch.Yes {
		text += ", used by ransomware"
	}
	return text
}

// probable tells the score. Its forecast is for 30 days.
func (in Inputs) probable(now time.Time) string {
	text := fmt.Sprintf("EPSS %.3f", in.EPSS.Score)
	if in.EPSS.Percentile >= 0 {
		text += fmt.Sprintf(", above %.1f %% of all", min(in.EPSS.Percentile*100, 99.9))
	}
	if in.EPSSDay.IsZero() {
		return text + ", of a day that is not known"
	}
	text += on(in.EPSSDay)
	if days := int(now.Sub(in.EPSSDay).Hours() / 24); days > 30 {
		text += fmt.Sprintf(", %d days ago", days)
	}
	return text
}

func (in Inputs) told() string {
	p := in.SSVC
	var words []string
	switch p.Exploitation {
	case ssvc.Active:
		words = append(words, "exploited")
	case ssvc.PoC:
		words = append(words, "an exploit is public")
	case ssvc.NoExploit:
		words = append(words, "no exploit known")
	}
	switch p.Automatable {
	case patch.Yes:
		words = append(words, "automatable")
	case patch.No:
		words = append(words, "not automatable")
	}
	if p.Impact != "" {
		words = append(words, string(p.Impact)+" impact")
	}
	return "SSVC says " + strings.Join(words, ", ") + on(p.At)
}

func (in Inputs) device() string {
	text := map[Exposure]string{Small: "hardly anybody reaches the device", Controlled: "the device is reached by those who are let in", Open: "the device is open to the internet"}[in.Exposure]
	if text == "" {
		text = "who reaches the device is not known, so it is taken as open"
	}
	switch in.Impact {
	case High, VeryHigh:
		text += " and much depends on it"
	case Low:
		text += " and little depends on it"
	}
	return text
}

func on(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return " on " + t.Format(time.DateOnly)
}
