package knowledge

import (
	"cmp"
	"slices"
	"time"

	"patchbay/server/assess"
	"patchbay/server/catalog/advisory"
	"patchbay/server/catalog/priority"
)

// weigh says how grave a finding is and where it stands in the queue on a kind of device: by what
// its publisher says, and by what others say of the CVE of it that stands first.
func (s *Snapshot) weigh(f *assess.Finding, scores []advisory.Score, on priority.Device) {
	first := priority.Place{}
	f.Exploited = time.Time{}
	for i, cve := range append(slices.Clip(f.CVEs), "") {
		if cve == "" && i > 0 {
			break // the publisher's word alone is for what stands for no CVE
		}
		in := s.inputs(cve, scores, f.Published)
		if in.KEV != nil && (f.Exploited.IsZero() || in.KEV.Added.Before(f.Exploited)) {
			f.Exploited = in.KEV.Added
		}
		if p := priority.Priority(in.On(on), s.at); i == 0 || p.Number > first.Number {
			first = p
		}
	}
	f.Severity, f.Step, f.Place, f.Why = first.Severity, first.Step.String(), first.Number, first.Why
}

// inputs are what is known of a CVE, whatever device has it.
func (s *Snapshot) inputs(cve string, scores []advisory.Score, published time.Time) priority.Inputs {
	var in priority.Inputs
	for _, score := range scores {
		in.Scores = append(in.Scores, priority.Scored{Score: score, At: published})
	}
	if e, ok := s.exploited[cve]; ok {
		in.KEV = &e
	}
	if s.likely != nil {
		if score, ok := s.likely.Of(cve); ok {
			in.EPSS, in.EPSSDay = &score, s.likely.Day
		}
	}
	if r, ok := s.points[cve]; ok {
		in.SSVC = r.Points
		for _, score := range r.Scores {
			in.Scores = append(in.Scores, priority.Scored{Score: score, At: r.Points.At})
		}
	}
	return in
}

// inOrder puts what is open first, and of that what goes first in the queue.
func inOrder(found []scored) []scored {
	slices.SortStableFunc(found, func(a, b scored) int {
		if a.Status.Open() != b.Status.Open() {
			if a.Status.Open() {
				return -1
			}
			return 1
		}
		return cmp.Or(cmp.Compare(b.Place, a.Place), advisory.CompareIDs(a.Advisory, b.Advisory))
	})
	return found
}
