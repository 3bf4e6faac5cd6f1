package verdict

import (
	"fmt"
	"time"

	"patchbay/server/assess"
	"patchbay/server/policy"
)

// recalled is the verdict of what was taken back by whoever made it, or is known to make
// trouble: HELD while it is on offer, RECALLED where it is installed. The zero Verdict is for
// everything else, and for what a person has taken back.
func recalled(c Case) Verdict {
	n := c.Need
	switch {
	case c.Decision.Kind == policy.Hold && len(n.Held) > 0:
		r := n.Held[0]
		return Verdict{Name: HELD, Owner: ends(r), Since: r.Since, Act: ActNone, Until: until(r),
			Sentence: fmt.Sprintf("It is not installed anywhere for now. %s It goes on by itself when this is over.", r.Sentence()),
			Facts:    []Fact{{fmt.Sprintf("the feed %s calls it %s", r.Feed, r.ID), r.Since}}}
	case len(n.Recalled) > 0 && n.Reached && c.Decision.Kind != policy.Undo:
		r := n.Recalled[0]
		v := Verdict{Name: RECALLED, Owner: MSP, Since: r.Since, Act: ActLook, Until: until(r),
			Facts: []Fact{{fmt.Sprintf("the feed %s calls it %s", r.Feed, r.ID), r.Since}}}
		v.Sentence = fmt.Sprintf("%s is installed. %s", n.Installed, r.Sentence())
		switch {
		case n.Previous != "" && n.Installed == n.Update.Available:
			v.Act = ActUndo
			v.Sentence += fmt.Sprintf(" It can be taken back to %s.", n.Previous)
		default:
			v.Sentence += " Nothing here takes it back: wait for a newer version, or mend it by hand."
		}
		return v
	}
	return Verdict{}
}

// ends is who ends a recall.
func ends(r assess.Recall) Owner {
	if r.Own {
		return MSP
	}
	return Vendor
}

// until is when a recall ends by the clock, nil when it does not.
func until(r assess.Recall) *time.Time {
	if r.Resolved.IsZero() {
		return nil
	}
	return &r.Resolved
}
