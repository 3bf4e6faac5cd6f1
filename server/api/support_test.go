package api

import (
	"testing"

	"patchbay/server/view"
)

// TestEndsAndCoverageAreAskedForInBounds: what is asked for beyond them is refused with a
// sentence, and a device that is not there has no support.
func TestEndsAndCoverageAreAskedForInBounds(t *testing.T) {
	w := newWorld(t, false).populated()
	for path, status := range map[string]int{
		"/support": 200, "/support?within=0&kind=os&state=unknown&sort=-devices": 200, "/support?within=3651": 422, "/support?within=-1": 422, "/support?kind=x": 422,
		"/support/summary?within=365": 200, "/support/devices": 422, "/support/devices?of=os:debian:10": 200, "/devices/" + w.device + "/support": 404, "/devices/dev_none/support": 404,
		"/coverage": 200, "/coverage?state=whole": 200, "/coverage?state=x": 422, "/coverage/summary": 200,
		"/software/unattended?sort=name": 200, "/software/unattended?sort=x": 422, "/software/unattended/summary": 200, "/software/unattended/devices": 422, "/software/unattended/devices?of=winget/x": 200,
		"/products/openssl": 200, "/products/no%20such": 200, "/products/%0a": 404, "/products/x%E2%80%AEy": 404, "/products/..%2Fx": 404,
		"/software/several": 200, "/software/several/devices": 422, "/software/several/devices?purpose=browser": 200,
	} {
		if status == 200 {
			do[map[string]any](w, status, "GET", path, nil)
		} else if p := do[Problem](w, status, "GET", path, nil); p.Detail == "" {
			t.Errorf("%s is refused without a sentence", path)
		}
	}
	if s := do[view.SupportSummary](w, 200, "GET", "/support/summary", nil); s.Within != 90 || len(s.Kinds) != 3 || len(s.Months) == 0 || s.AsOf.IsZero() {
		t.Errorf("%+v", s)
	}
}
