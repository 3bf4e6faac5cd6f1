package policy

import (
	"slices"
	"testing"
	"time"

	"patchbay/patch"
	"patchbay/server/assess"
)

// A hold goes before what people and rules say: whatever was decided, nothing that is held is
// installed, unless it was begun before or a person named every recall of it.
func TestNothingThatIsHeldIsInstalled(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	r := assess.Recall{Feed: "acme", ID: "A-1", Publisher: "Acme", Back: true, Trouble: "It breaks", Since: now.Add(-time.Hour), Source: "https://acme.example/a"}
	other := r
	other.ID = "A-2"
	for _, kind := range []Kind{Install, Wait, Contested, Reject, Undo} {
		for _, held := range [][]assess.Recall{nil, {r}, {r, other}} {
			for _, despite := range [][]string{nil, {"acme/A-1"}, {"acme/A-2"}, {"acme/A-1", "acme/A-2"}} {
				for _, begun := range []bool{false, true} {
					n := assess.Need{Key: patch.Key{Provider: "apt", Name: "lib"}, Offered: true, Held: held}
					d := Decision{Kind: kind, ID: "apr_1", By: "Ann", Despite: despite, ForcedUntil: now.Add(time.Hour)}
					got := Withhold([]assess.Need{n}, []Decision{d}, func(patch.Key) bool { return begun })[0]
					known := !slices.ContainsFunc(held, func(r assess.Recall) bool { return !slices.Contains(despite, r.Key()) })
					hold := len(held) > 0 && !begun && kind != Reject && kind != Undo && (kind == Wait || !known)
					if (got.Kind == Hold) != hold || !hold && got.Kind != kind {
						t.Errorf("%s, %d recalls, despite %q, begun %v: %+v", kind, len(held), despite, begun, got)
					}
					if hold && (!got.ForcedUntil.IsZero() || got.Reason != "Acme recalled it: It breaks. See https://acme.example/a.") {
						t.Errorf("%+v", got)
					}
				}
			}
		}
	}
}
