package api

import (
	"bytes"
	"net/http"
	"testing"

	"patchbay/server/view"
)

// A machine that does not come back is said before everything else, and where to look.
func TestMachineThatDoesNotComeBackComesFirst(t *testing.T) {
	w := newWorld(t, false).populated()
	list := do[view.Overview](w, http.StatusOK, "GET", "/overview", nil).Attention
	if len(list) > 0 && list[0].Kind == "not_back" {
		t.Fatalf("nothing was told to restart: %+v", list)
	}
	w.fleet.mu.Lock()
	w.fleet.notBack = map[string]bool{w.fleet.devices[0].ID: true}
	name := w.fleet.devices[0].Name
	w.fleet.mu.Unlock()
	list = do[view.Overview](w, http.StatusOK, "GET", "/overview", nil).Attention
	if len(list) == 0 || list[0].Kind != "not_back" || list[0].Sentence != name+" was told to restart and has not been heard of since." ||
		list[0].Link.Page != "devices" || list[0].Link.Params["state"] != "not_back" {
		t.Errorf("%+v", list)
	}
	page := do[view.Page[view.Device]](w, http.StatusOK, "GET", "/devices?state=not_back", nil)
	if page.Total != 1 {
		t.Errorf("%d devices", page.Total)
	}
}

// Where all is well there is nothing to look at, and that is an empty list.
func TestNothingToLookAtIsAnEmptyList(t *testing.T) {
	w := newWorld(t, false).populated()
	w.fleet.postures = map[string]view.Posture{w.customer: {Devices: 1, Needs: 2, Verified: 2}}
	_, text := w.call("GET", "/overview", nil)
	if bytes.Contains(text, []byte(":null")) || !bytes.Contains(text, []byte(`"attention":[]`)) {
		t.Errorf("%s", text)
	}
}

// A site's policy keeps who restarts services, and means by hand where nobody said.
func TestSitePolicySaysWhoRestartsServices(t *testing.T) {
	w := newWorld(t, false).populated()
	site := do[view.Page[view.Site]](w, http.StatusOK, "GET", "/sites", nil).Items[0]
	if site.Policy.Restarts != "by_hand" {
		t.Errorf("unasked: %q", site.Policy.Restarts)
	}
	for _, want := range []string{"in_window", "by_hand"} {
		policy := map[string]any{"auto": "security", "reboot": false, "restarts": want}
		if got := do[view.Site](w, http.StatusOK, "PATCH", "/sites/"+site.ID, map[string]any{"policy": policy}).Policy.Restarts; got != want {
			t.Errorf("set to %q it is %q", want, got)
		}
	}
	do[Problem](w, http.StatusUnprocessableEntity, "PATCH", "/sites/"+site.ID, map[string]any{"policy": map[string]any{"auto": "security", "reboot": false, "restarts": "always"}})
}
