package policy

import (
	"slices"

	"patchbay/patch"
	"patchbay/server/assess"
)

// Withhold turns decisions to install into Hold where the version on offer was taken back or is
// known to make trouble: a hold goes before what people and rules say. Only a person who names
// the very recall has it installed all the same. What a device has begun (begun) is finished,
// since stopping in the middle is worse; what is taken back goes on; and a no stays one.
func Withhold(needs []assess.Need, decisions []Decision, begun func(patch.Key) bool) []Decision {
	held := slices.Clone(decisions)
	for i := range held {
		d, n := &held[i], needs[i]
		if len(n.Held) == 0 || d.Kind == Reject || d.Kind == Undo || begun(n.Key) {
			continue
		}
		j := slices.IndexFunc(n.Held, func(r assess.Recall) bool { return d.Kind == Wait || !slices.Contains(d.Despite, r.Key()) })
		if j < 0 {
			continue
		}
		r := n.Held[j]
		held[i] = Decision{Kind: Hold, ID: "recall:" + r.Key(), Reason: r.Sentence(), By: r.Publisher, At: r.Since}
	}
	return held
}
