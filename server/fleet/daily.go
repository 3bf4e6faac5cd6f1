package fleet

import (
	"time"

	"patchbay/patch"
	"patchbay/server/store"
	"patchbay/server/verdict"
)

// Daily counts needs per customer, verdict and class, for the day that now is in. The
// counts are written down once and never recomputed: they are what was known that day.
func (x *Index) Daily(now time.Time) map[string][]store.DailyFact {
	type cell struct{ customer, verdict, class string }
	x.mu.RLock()
	defer x.mu.RUnlock()
	day := now.UTC().Format(time.DateOnly)
	cells := map[cell]*store.DailyFact{}
	for _, e := range x.entries {
		silent := x.isSilent(e, now)
		counted := map[cell]bool{}
		for i := range e.Needs {
			n := &e.Needs[i]
			if !verdict.Counted(n.Verdict.Name) {
				continue
			}
			class := "other"
			if n.Update.Is(patch.Security) {
				class = "security"
			}
			at := cell{e.Device.Customer, string(n.Verdict.Name), class}
			if cells[at] == nil {
				cells[at] = &store.DailyFact{Customer: at.customer, Day: day, Verdict: at.verdict, Class: class}
			}
			f := cells[at]
			f.Needs++
			if silent {
				f.Silent++
			}
			if !counted[at] {
				counted[at] = true
				f.Devices++
			}
		}
	}
	facts := map[string][]store.DailyFact{}
	for _, f := range cells {
		facts[f.Customer] = append(facts[f.Customer], *f)
	}
	return facts
}
