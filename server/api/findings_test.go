package api

import (
	"net/http"
	"testing"

	"patchbay/patch"
	"patchbay/server/verdict"
	"patchbay/server/view"
)

// TestAFixIsApprovedWhereverItMayGo: every update that mends a CVE, on all devices, and nothing else.
func TestAFixIsApprovedWhereverItMayGo(t *testing.T) {
	w := newWorld(t, false).populated()
	w.fleet.need(w.device, "mends", "2", verdict.WAITS_DECISION, verdict.Decided, patch.Security)
	w.fleet.need(w.device, "also", "3", verdict.WAITS_DECISION, verdict.Decided)
	w.fleet.need(w.device, "other", "4", verdict.WAITS_DECISION, verdict.Decided, patch.Security)
	const cve = "CVE-2026-0001"
	w.fleet.mends = map[string][]string{"mends": {cve}, "also": {"CVE-2026-0002", cve}, "other": {"CVE-2026-0003"}}
	wish := ApprovalWish{Level: "msp", Answer: "approve", What: ApprovalTarget{Fix: cve}}
	if p := do[Preview](w, 200, "POST", "/approvals/preview", wish); p.Updates != 2 || p.Devices != 1 {
		t.Errorf("%+v", p)
	}
	if got := items(do[Approved](w, 201, "POST", "/approvals", wish).Approvals); got != "also 3, mends 2" {
		t.Errorf("approved %s", got)
	}
	do[Problem](w, http.StatusConflict, "POST", "/approvals", ApprovalWish{Level: "msp", Answer: "approve", What: ApprovalTarget{Fix: "CVE-1999-0001"}})
	do[Problem](w, http.StatusUnprocessableEntity, "POST", "/approvals", ApprovalWish{Level: "msp", Answer: "approve", What: ApprovalTarget{Fix: cve, All: true}})
	do[Problem](w, http.StatusUnprocessableEntity, "POST", "/approvals", ApprovalWish{Level: "msp", Answer: "reject", Reason: "no", What: ApprovalTarget{Fix: cve}})
}

// TestOnlyWhatMayBeAnAdvisoryIsAskedFor: other texts name nothing, and reach nothing.
func TestOnlyWhatMayBeAnAdvisoryIsAskedFor(t *testing.T) {
	w := newWorld(t, false).populated()
	for id, status := range map[string]int{"CVE-2026-129538": 200, "DSA-5724-1": 200, "SUSE-SU-403%20Forbidden-1": 200, "CVE-2024%2F..%2F..%2Fx": 404, "%3Cscript%3E-1": 404, "none": 404} {
		if status == 200 {
			do[view.Exposure](w, status, "GET", "/findings/"+id, nil)
		} else {
			do[Problem](w, status, "GET", "/findings/"+id, nil)
		}
	}
}
