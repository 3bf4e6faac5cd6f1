package policy

import (
	"strings"
	"testing"
	"time"

	"patchbay/patch"
	"patchbay/server/assess"
)

// TestTwoMastersNeverRace: what another program may install too is not installed by itself,
// unless a person forced it; and nothing else is held up by it.
func TestTwoMastersNeverRace(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	masters := []Master{{"NinjaOne", []string{"winget", "winupdate"}}, {"Intune", []string{"winget"}}, {"WSUS", []string{"winupdate"}}}
	for _, kind := range []Kind{Install, Wait, Reject, Undo} {
		for _, provider := range []string{"winget", "winupdate", "apt"} {
			for _, reached := range []bool{false, true} {
				for _, blind := range []*assess.Blind{nil, {Sentence: "it cannot be read"}} {
					for _, forced := range []time.Time{{}, now.Add(-time.Second), now.Add(time.Second)} {
						n := assess.Need{Key: patch.Key{Provider: provider, Name: "editor"}, Reached: reached, Blind: blind}
						d := Decision{Kind: kind, ID: "apr_1", Reason: "approved by Ann", ForcedUntil: forced}
						got := Contest([]assess.Need{n}, []Decision{d}, masters, now)[0]
						want := d
						if kind == Install && provider != "apt" && !reached && blind == nil && !forced.After(now) {
							want.Kind = Contested
							want.Reason = map[string]string{"winget": "approved by Ann, but Intune and NinjaOne may install it on this device too",
								"winupdate": "approved by Ann, but NinjaOne and WSUS may install it on this device too"}[provider]
						}
						if got.Kind != want.Kind || got.Reason != want.Reason || got.ID != want.ID {
							t.Errorf("%s of %s, reached %v, blind %v, forced until %s: %+v", kind, provider, reached, blind != nil, forced, got)
						}
					}
				}
			}
		}
	}
	decisions := []Decision{{Kind: Install}}
	if got := Contest([]assess.Need{{Key: patch.Key{Provider: "winget"}}}, decisions, nil, now); got[0].Kind != Install {
		t.Errorf("with no other program: %+v", got)
	}
	Contest([]assess.Need{{Key: patch.Key{Provider: "winget"}}}, decisions, masters, now)
	if decisions[0].Kind != Install || strings.Contains(decisions[0].Reason, "Intune") {
		t.Error("it changed what it was given")
	}
}
