package policy

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"patchbay/server/assess"
)

// Master is another program that may install updates on the device, and of which nobody said
// yet that Patchbay installs beside it.
type Master struct {
	Name      string
	Providers []string // whose items it may change
}

// Contest turns decisions to install into Contested where another program may install the
// same: two that do not know of each other would race. What a person forced, and what is
// taken back, goes on, and so does what is installed already.
func Contest(needs []assess.Need, decisions []Decision, masters []Master, now time.Time) []Decision {
	contested := slices.Clone(decisions)
	for i := range contested {
		d, n := &contested[i], needs[i]
		if d.Kind != Install || n.Reached || n.Blind != nil || d.ForcedUntil.After(now) {
			continue
		}
		if names := over(masters, n.Key.Provider); len(names) > 0 {
			d.Kind = Contested
			d.Reason = fmt.Sprintf("%s, but %s may install it on this device too", d.Reason, strings.Join(names, " and "))
		}
	}
	return contested
}

// over names the masters of a provider's items, sorted.
func over(masters []Master, provider string) []string {
	var names []string
	for _, m := range masters {
		if slices.Contains(m.Providers, provider) {
			names = append(names, m.Name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}
