package engine

import (
	"patchbay/patch"
	"patchbay/server/assess"
	"patchbay/server/store"
)

// mended says what was mended on devices since their last step. What changed while nobody was
// there to see it before, as after a start, is not known.
func (e *Engine) mended(all []Facts) []store.Mended {
	var list []store.Mended
	for _, f := range all {
		old, ok := e.Index.Entry(f.Device.ID)
		if !ok || len(old.Found) == 0 {
			continue
		}
		before := make(map[patch.Key]*assess.Found, len(old.Found))
		for _, h := range old.Found {
			before[h.Key] = h.Found
		}
		for _, m := range assess.MendedSince(before, f.Inventory) {
			list = append(list, store.Mended{Device: f.Device.ID, Item: m.Key.Name, From: m.From, To: m.To, CVEs: m.CVEs, At: m.At})
		}
	}
	return list
}
