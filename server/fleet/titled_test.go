package fleet

import (
	"slices"
	"testing"
	"time"

	"patchbay/patch"
	"patchbay/server/verdict"
	"patchbay/server/view"
)

// What has a number for a name is found and shown by its title; its details say what it mends,
// and its age counts from when that was first mended.
func TestATitleIsShownAndFound(t *testing.T) {
	released, first := now.Add(-5*24*time.Hour), now.Add(-20*24*time.Hour)
	n := need("KB5044285", verdict.WAITS_DECISION, true)
	n.Update.Title, n.Update.Advisories, n.Update.ReleasedAt, n.Update.FirstAt = "2024-10 Cumulative Update", []string{"CVE-2024-0001"}, &released, &first
	n.Update.Classes = append(n.Update.Classes, patch.Preview)
	x := New(24 * time.Hour)
	e := device(0, 1, now, n, need("openssl", verdict.WAITS_DECISION, true))
	e.Device.ID = patch.NewID(patch.DeviceID)
	x.Put(e)
	for _, f := range []view.Filter{{Q: "cumulative", Limit: 10}, {Class: string(patch.Preview), Limit: 10}} {
		needs, updates := x.Needs(now, f), x.Updates(now, f)
		if needs.Total != 1 || needs.Items[0].Title != n.Update.Title || updates.Total != 1 || updates.Items[0].Title != n.Update.Title {
			t.Errorf("%+v: %+v and %+v", f, needs, updates)
			continue
		}
		one, _ := x.Need(now, needs.Items[0].ID)
		u, _ := x.Update(now, updates.Items[0].ID)
		if !slices.Equal(one.Advisories, n.Update.Advisories) || one.FirstAt == nil || !slices.Equal(u.Advisories, n.Update.Advisories) || u.FirstAt == nil {
			t.Errorf("%+v and %+v", one, u)
		}
	}
	ages := map[string]int{}
	for _, a := range x.Ages(now, "") {
		ages[a.Bucket] = a.Count
	}
	if ages[view.Days14To30] != 1 || ages[view.Under3Days] != 1 {
		t.Errorf("%+v", ages)
	}
}
