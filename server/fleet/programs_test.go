package fleet

import (
	"testing"
	"time"

	"patchbay/patch"
	"patchbay/server/assess"
	"patchbay/server/store"
	"patchbay/server/verdict"
	"patchbay/server/view"
)

// A device that is silent, or whose list of offers cannot be read, counts as having a program
// and as neither behind nor up to date. Two items of one package are one.
func TestUnknownIsNeitherBehindNorUpToDate(t *testing.T) {
	now := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	key := view.PackageKey{Provider: "winget", ID: "7zip.7zip"}
	need := func(source string, v verdict.Name, blind *assess.Blind) Need {
		return Need{Need: assess.Need{Key: patch.Key{Provider: "winget", Name: "7-Zip"}, Update: patch.Update{Source: source}, Blind: blind},
			Verdict: verdict.Verdict{Name: v, State: verdict.StateOf(v)}}
	}
	x := New(time.Hour)
	for id, of := range map[string]struct {
		seen  time.Duration
		needs []Need
	}{
		"behind":   {0, []Need{need("7zip.7zip", verdict.WAITS_DECISION, nil)}},
		"rejected": {0, []Need{need("7zip.7zip", verdict.REJECTED, nil)}},
		"current":  {0, []Need{need("7zip.7zip", verdict.VERIFIED, nil), need("Git.Git", verdict.FAILED, nil)}},
		"silent":   {2 * time.Hour, []Need{need("7zip.7zip", verdict.WAITS_DECISION, nil)}},
		"blind":    {0, []Need{need("", verdict.UNKNOWN, &assess.Blind{})}},
	} {
		x.Put(&Entry{Device: store.Device{ID: id}, Agent: store.Agent{LastSeen: now.Add(-of.seen)}, Needs: of.needs,
			Programs: ProgramsOf([]view.PackageKey{key, key}, of.needs)})
	}
	x.Put(&Entry{Device: store.Device{ID: "without"}, Agent: store.Agent{LastSeen: now}})
	if got := x.Programs(now); len(got) != 1 || got[key] != (view.Presence{Devices: 5, Behind: 2, Unknown: 2}) {
		t.Errorf("%+v", got)
	}
	if n := x.Devices(now, view.Filter{Program: key.String()}).Total; n != 5 {
		t.Errorf("%d devices are listed that have it", n)
	}
	if n := x.Devices(now, view.Filter{Program: "winget/7zip"}).Total; n != 0 {
		t.Errorf("%d devices have a package that only begins so", n)
	}
}
