package api

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"net/http"
	"strings"
	"testing"

	"patchbay/server/store"
	"patchbay/server/view"
	"patchbay/wire"
)

// TestNoticesAreInTheHistory: what people were told and asked stands in the timeline, has a receipt
// of its own that can be taken along, and is never taken for the receipt of the job's end.
func TestNoticesAreInTheHistory(t *testing.T) {
	w := newWorld(t, false).populated()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	d, _ := w.fleet.Device(w.now, w.device)
	h := w.store.Customer(store.Who{ID: "agent:" + d.Agent.ID, Name: "web-01"}, w.customer)
	job := store.Job{Job: wire.Job{ID: "job_00000000000000000000000000", Attempt: 1, Target: wire.Target{Name: "bed-lib", From: "1.0", To: "1.2"}}}
	if _, err := h.SaveJobs(t.Context(), w.now, []store.Wish{{Device: w.device, Wanted: []store.Job{job}}}); err != nil {
		t.Fatal(err)
	}
	in := wire.CheckIn{Agent: d.Agent.ID, Mode: wire.Manage}
	for i, n := range []wire.Notice{
		{Said: "It restarts in 60 minutes.", Session: 1, User: "ann"},
		{Said: "It restarts in 15 minutes.", Problem: "there is no desktop"},
		{Said: "When may it restart?", Session: 1, User: "ann", Choices: []string{"Restart now", "Ask me later"}, Answer: "Ask me later"},
		{Said: "When may it restart?", Session: 1, Choices: []string{"Restart now"}, Problem: "there is no desktop"},
	} {
		receipt, err := wire.Seal(wire.ReceiptDocument, wire.Receipt{Job: job.ID, Device: w.device, Step: wire.StepRebooting, Notice: &n}, key)
		if err != nil {
			t.Fatal(err)
		}
		in.Outcomes = append(in.Outcomes, wire.Outcome{Seq: int64(i + 1), Device: w.device, Job: job.ID, Step: wire.StepRebooting, Result: wire.ResultTold,
			At: w.now, Message: n.Said, Receipt: receipt})
	}
	if _, err := h.Receive(t.Context(), w.now, in); err != nil {
		t.Fatal(err)
	}
	var titles []string
	for _, e := range do[view.Page[view.TimelineEntry]](w, http.StatusOK, "GET", "/devices/"+w.device+"/timeline", nil).Items {
		if e.Kind == "notice" {
			titles = append(titles, e.Title)
		}
	}
	for _, want := range []string{"Told those who are logged in about a reboot", "Could not tell those", "Asked when the device may reboot", "Could not ask when"} {
		if !strings.Contains(strings.Join(titles, "; "), want) {
			t.Errorf("%q is not among %q", want, titles)
		}
	}
	detail := do[view.JobDetail](w, http.StatusOK, "GET", "/jobs/"+job.ID, nil)
	if detail.Receipt != nil || detail.Result != "" || len(detail.Outcomes) != 4 || !detail.Outcomes[0].Signed {
		t.Errorf("the job shows %+v", detail)
	}
	do[Problem](w, http.StatusNotFound, "GET", "/jobs/"+job.ID+"/receipt", nil)
	do[Problem](w, http.StatusNotFound, "GET", "/jobs/"+job.ID+"/receipt?outcome=9", nil)
	asked := do[wire.SignedReceipt](w, http.StatusOK, "GET", "/jobs/"+job.ID+"/receipt?outcome=3", nil)
	if asked.Document.Signatures == nil || !strings.Contains(string(asked.Document.Payload), "Ask me later") {
		t.Errorf("its receipt is %+v", asked)
	}
	if story := do[view.Story](w, http.StatusOK, "GET", "/devices/"+w.device+"/story", nil); len(story.Receipts) != 4 {
		t.Errorf("the story has %d receipts", len(story.Receipts))
	}
}
